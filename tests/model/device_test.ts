import { assertEquals, assertLess } from "@std/assert";
import { deno } from "../_process.ts";

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

for (const id of ["votes-tiny", "countdown-tiny", "tests/golden/qwen3"]) {
  Deno.test({
    name: `${id} on WebGPU, its cache on the device, gives the CPU's logits${skipped}`,
    ignore,
    async fn() {
      const args = ["run", "-A", "--quiet", "tests/model/_device_process.ts", id, "webgpu"];
      const env = { VK_ICD_FILENAMES: SWIFTSHADER ?? "" };
      const { code, stdout, stderr } = await deno(args, { env });
      assertEquals(code, 0, stderr);
      const { device, worst } = JSON.parse(stdout.trim().split("\n").at(-1)!);
      assertEquals(device, "webgpu");
      assertEquals(worst.length, 5);
      assertLess(Math.max(...worst), 1e-4); // seen: 6e-6
    },
  });
}
