/** Headers of files of any architecture. */

import { assertEquals, assertThrows } from "@std/assert";
import { readHeader } from "../../../lib/model/gguf/header.ts";
import { temporaryFolder } from "../../_temporary.ts";

const FALCON = "tests/golden/llama/falcon.gguf";

Deno.test("readHeader() tells shape, parameters and types of tensors", () => {
  const { config, parameters, bytes, types } = readHeader(FALCON);
  const { architecture, layers, hiddenSize, heads, kvHeads, maxPositions } = config;
  assertEquals([architecture, layers, hiddenSize, heads, kvHeads], ["falcon", 2, 32, 4, 2]);
  assertEquals([maxPositions, parameters, bytes], [64, 16_960, 4 * 16_960]);
  assertEquals(types, [{ type: "F32", tensors: 19, bytes }]);
  const several = readHeader("tests/golden/llama/gemma3n.gguf"); // the largest part first
  assertEquals(several.types.map(({ type }) => type), ["Q8_0", "F32"]);
  assertEquals(several.types.reduce((sum, one) => sum + one.bytes, 0), several.bytes);
});

Deno.test("readHeader() refuses a file that is cut", async () => {
  const bytes = await Deno.readFile(FALCON);
  await using folder = await temporaryFolder({ "a.gguf": bytes.subarray(0, bytes.length / 2) });
  assertThrows(() => readHeader(`${folder.path}/a.gguf`), SyntaxError, "goes beyond its end");
});
