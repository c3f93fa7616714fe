import { assertEquals, assertLess } from "@std/assert";
import { fileURLToPath } from "node:url";

/** Software Vulkan that Chromium brings along: WebGPU without a GPU. */
const SWIFTSHADER = [
  Deno.env.get("VK_ICD_FILENAMES") ?? [],
  "/usr/lib/chromium/vk_swiftshader_icd.json",
].flat().find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** Whether the Vulkan loader is there, which the driver needs. */
function hasVulkan(): boolean {
  try {
    Deno.dlopen("libvulkan.so.1", {}).close();
    return true;
  } catch {
    return false;
  }
}

const ignore = Deno.env.get("CI") === undefined && (SWIFTSHADER === undefined || !hasVulkan());
const skipped = ignore
  ? " (skipped: no Vulkan driver found; libvulkan1 and chromium have one)"
  : "";
const root = new URL("../../", import.meta.url);

for (const id of ["votes-tiny", "countdown-tiny", "tests/golden/qwen3"]) {
  Deno.test({
    name: `${id} on WebGPU, its cache on the device, gives the CPU's logits${skipped}`,
    ignore,
    async fn() {
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", "tests/model/_device_process.ts", id, "webgpu"],
        cwd: fileURLToPath(root),
        env: { VK_ICD_FILENAMES: SWIFTSHADER ?? "" },
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assertEquals(success, true, text(stderr));
      const { device, worst } = JSON.parse(text(stdout).trim().split("\n").at(-1)!);
      assertEquals(device, "webgpu");
      assertEquals(worst.length, 5);
      assertLess(Math.max(...worst), 1e-4); // seen: 6e-6
    },
  });
}
