/**
 * llama.cpp on a GPU that the CPU emulates, in a process of its own, whose loader knows that one alone.
 *
 * The emulator needs minutes to compile llama.cpp's products of matrices, once: what it compiled is kept in the folder
 * that MOI_SHADERS names, and then it takes seconds.
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { deno } from "../../_process.ts";
import { LAVAPIPE, withDrivers } from "../../_vulkan.ts";
import type { VulkanResult } from "./_vulkan_process.ts";

const shaders = Deno.env.get("MOI_SHADERS"), isThere = LAVAPIPE !== undefined && shaders;

Deno.test({
  name: "llama.cpp on an emulated GPU: rows, texts, a sweep, copies and refills" +
    (isThere
      ? ""
      : " (skipped: MOI_SHADERS names no folder for compiled shaders, or there is no lavapipe)"),
  ignore: !isThere,
  async fn() {
    const env = {
      ...withDrivers(LAVAPIPE!),
      GGML_VK_VISIBLE_DEVICES: "0", // drivers that emulate are passed over unless they are asked for by number
      MESA_SHADER_CACHE_DISABLE: "false",
      MESA_SHADER_CACHE_DIR: shaders!,
    };
    const args = ["run", "-A", "--quiet", "tests/model/llama/_vulkan_process.ts", "granite"];
    const { code, stdout, stderr } = await deno(args, { env });
    assertEquals([code, stderr], [0, ""]);
    const found: VulkanResult = JSON.parse(stdout);
    const { seconds: _, fromCpu, ...rest } = found;
    assertEquals(rest, {
      device: "vulkan",
      attempts: [{ engine: "llama.cpp", device: "vulkan" }],
      ...{ isBatchExact: true, rowsOff: 0, walkOff: 0, copiesOff: 0 },
      ...{ textsOff: [0, 0], texts: 9, sweep: [4, 16, 0] },
    });
    assert(fromCpu > 0); // it was another device
    assertLess(fromCpu, 0.1); // 0.026, as inputs of products are rounded to float16
  },
});
