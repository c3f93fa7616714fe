import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { deno } from "../_process.ts";
import { LAVAPIPE, SWIFTSHADER, withDrivers } from "../_vulkan.ts";

const driver = LAVAPIPE ?? SWIFTSHADER;
const ignore = Deno.env.get("CI") === undefined && driver === undefined;

Deno.test({
  name: "steps, looks at tokens and disposals on WebGPU end as on the CPU, several at once too" +
    (ignore ? " (skipped: no Vulkan driver found; libvulkan1 and chromium have one)" : ""),
  ignore,
  async fn() {
    const args = ["run", "-A", "--quiet", "tests/model/_steps_process.ts"];
    const { code, stdout, stderr } = await deno(args, { env: withDrivers(driver ?? "") });
    assertEquals(code, 0, stderr);
    const { device, worst, isAlike, looked, late } = JSON.parse(stdout.trim().split("\n").at(-1)!);
    assertEquals(device, "webgpu");
    assertLess(worst, 1e-4); // seen: 9e-6; what was left behind of an earlier step would make it 0.3
    assert(isAlike);
    assertEquals(looked, 0);
    for (const message of late) assertMatch(message, /^Cannot .* as its session is disposed$/);
  },
});
