/** `deno task inspect` tells of every model that loads. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { loadModel } from "@moi/moi/model";
import { temporaryFolder } from "../_temporary.ts";
import { checkpoint } from "../golden/golden.ts";
import { exportFiles, makeExport } from "../graph/_exports.ts";
import { script } from "../_process.ts";
import { SWIFTSHADER } from "../_vulkan.ts";

const inspect = (...args: string[]) => script("inspect", args);

const EXPORT = makeExport({ layers: 1, vocabulary: 40 });

Deno.test("inspect tells of an ONNX export with an architecture that is not built here", async () => {
  for (const prefix of ["onnx/", ""]) {
    await using folder = await temporaryFolder(exportFiles(EXPORT, { prefix }));
    await using model = await loadModel(folder.path);
    assertEquals(model.config.architecture, "test");
    for (const args of [[], ["--no-load"]]) {
      const { code, stdout, stderr } = await inspect(folder.path, ...args);
      assertEquals(code, 0, stderr);
      assertStringIncludes(stdout, "architecture  test: 1 layers");
      assertStringIncludes(stdout, "context       64 tokens");
      assertMatch(stdout, /^fp32 +[\d.]+ [KM]iB/m);
      assertEquals(/^int4/m.test(stdout), false);
      assertEquals(stdout.includes("loads         fp32"), args.length === 0);
    }
  }
});

Deno.test("inspect of a checkpoint has all number formats, its context and what is not followed", async () => {
  await using folder = await checkpoint(
    { rope_scaling: { rope_type: "linear", factor: 4 } },
    { "generation_config.json": JSON.stringify({ do_sample: false, num_beams: 4 }) },
  );
  const { code, stdout, stderr } = await inspect(folder.path);
  assertEquals(code, 0, stderr);
  for (const dtype of ["fp32", "fp16", "int8", "int4"]) {
    assertMatch(stdout, new RegExp(`^${dtype} +[\\d.]+ `, "m"));
  }
  assertStringIncludes(stdout, "context       512 tokens, 2048 when asked for");
  assertStringIncludes(stdout, "recommended   temperature 0");
  assertStringIncludes(stdout, "num_beams 4 (beam search)");
  const config = await inspect(`${folder.path}/config.json`);
  assertEquals(config.code, 0, config.stderr);
  assert(stdout.startsWith(config.stdout.trimEnd()));
});

Deno.test("an ONNX export that is a Git LFS pointer, or whose data is one, says so", async () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4f2e\nsize 98097\n";
  const inside = exportFiles(EXPORT), outside = exportFiles(EXPORT, { data: ["model.onnx_data"] });
  for (
    const [files, name] of [
      [{ ...inside, "onnx/model.onnx": pointer }, "model.onnx"],
      [{ ...inside, "onnx/model.onnx": "<html><body>no" }, "model.onnx"],
      [{ ...outside, "onnx/model.onnx_data": pointer }, "model.onnx_data"],
      [{ ...inside, "config.json": pointer }, "config.json"],
    ] as const
  ) {
    await using folder = await temporaryFolder(files);
    const error = await assertRejects(() => loadModel(folder.path), SyntaxError) as Error;
    assertMatch(error.message, new RegExp(`${name} is a (Git LFS pointer|page of HTML)`));
    const { code, stdout, stderr } = await inspect(folder.path);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, `${name} is a `);
  }
  await using folder = await temporaryFolder({ ...inside, "onnx/model.onnx": "" });
  await assertRejects(() => loadModel(folder.path), RangeError, "the file is empty: download");
});

Deno.test("inspect calls a model what it was asked for, not by its folder", async () => {
  const { code, stderr } = await inspect("votes-tiny");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "load votes-tiny");
});

Deno.test({
  name: "inspect --devices tells of every device whether a session starts, and of GPUs",
  ignore: Deno.build.os !== "linux",
  async fn() {
    for (const file of ["/nowhere.json", SWIFTSHADER]) {
      if (file === undefined) continue;
      const env = { VK_ICD_FILENAMES: file, VK_DRIVER_FILES: file };
      const { code, stdout, stderr } = await script("inspect", ["--devices"], { env });
      assertEquals(code, 0, stderr);
      const isThere = file === SWIFTSHADER;
      assertEquals(/^webgpu +SwiftShader Device .* emulated +2\.0 GiB/m.test(stdout), isThere);
      assertMatch(stdout, /^cpu +starts$/m);
      assertMatch(
        stdout,
        isThere ? /^webgpu +starts$/m : /^webgpu +does not start: Failed to get/m,
      );
      assertMatch(stdout, /^cuda +(starts$|does not start: )/m);
    }
    for (const other of ["votes-tiny", "--quality", "--length=3"]) {
      const { code, stderr } = await inspect("--devices", other);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "nothing else may be given: current value is ");
    }
  },
});
