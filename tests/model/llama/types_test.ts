/** Every type of blocks by llama.cpp: a row is the same alone and in a batch, and logits are numbers. */

import { assert, assertEquals } from "@std/assert";
import { forward, GGUF_TENSOR_TYPES, type GgufTensorType, loadModel } from "@moi/moi/model";
import { openLlama } from "../../../lib/llama/library.ts";
import { tensorsOf } from "../../golden/architectures.ts";
import { seeded } from "../../_random.ts";
import { temporaryFolder } from "../../_temporary.ts";
import { ggufOf } from "../gguf/_convert.ts";
import { WIDE } from "../gguf/_wide.ts";

const D = Number(WIDE.config.hidden_size);

/** What no file stores, or is no block. */
const OTHERS = /^(F\d+|BF16|I\d+|Q8_1|Q8_K)$/;
const TYPES = (Object.keys(GGUF_TENSOR_TYPES) as GgufTensorType[]).filter((type) =>
  !OTHERS.test(type)
);

/** Types that ggml needs seconds to make; their blocks begin with a factor in float16. */
const SLOW: readonly string[] = ["IQ1_S", "IQ2_XXS", "IQ2_XS", "IQ2_S"];

/** Blocks of random bits. */
function randomBlocks(type: GgufTensorType, count: number): Uint8Array {
  const { bytes, numbers } = GGUF_TENSOR_TYPES[type], random = seeded(5);
  const blocks = Uint8Array.from({ length: count / numbers * bytes }, () => random.below(256));
  const view = new DataView(blocks.buffer);
  for (let at = 0; at < blocks.length; at += bytes) view.setFloat16(at, 0.01, true);
  return blocks;
}

/** Blocks as ggml makes them. */
async function blocksOf(type: GgufTensorType) {
  const { base } = await openLlama("cpu"), { id, bytes, numbers } = GGUF_TENSOR_TYPES[type];
  const { ggml_quantize_chunk } = Deno.dlopen(base, {
    ggml_quantize_chunk: {
      parameters: ["i32", "buffer", "buffer", "i64", "i64", "i64", "buffer"],
      result: "usize",
    },
  }).symbols;
  const importance = new Float32Array(D).fill(1); // some types ask for it
  return {
    type,
    encode(values: Float32Array<ArrayBuffer>) {
      if (SLOW.includes(type)) return randomBlocks(type, values.length);
      const rows = values.length / D, blocks = new Uint8Array(values.length / numbers * bytes);
      ggml_quantize_chunk(id, values, blocks, 0n, BigInt(rows), BigInt(D), importance);
      return blocks;
    },
  };
}

Deno.test("there are as many types of blocks as the documentation says", () => {
  assertEquals(TYPES.length, 25);
});

for (const type of TYPES) {
  Deno.test(`${type} blocks by llama.cpp: rows do not depend on their batch`, async () => {
    const blocks = await blocksOf(type) as NonNullable<Parameters<typeof ggufOf>[2]>["blocks"];
    const file = ggufOf(WIDE.config, tensorsOf(WIDE), { blocks: blocks! });
    await using folder = await temporaryFolder({ "x.gguf": file });
    const options = { engine: "llama.cpp", device: "cpu", threads: 1 } as const;
    await using model = await loadModel(`${folder.path}/x.gguf`, options);
    assertEquals(model.checked?.isBatchExact, true);
    const rows = await forward(model, WIDE.input_ids);
    assert(rows.every((row) => row.every(Number.isFinite)));
    assert(new Set(rows.at(-1)!).size > 40);
  });
}
