import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { weightsIn } from "@moi/moi/graph";
import { forward, loadModel, parseSafetensors } from "@moi/moi/model";
import { qwen3 } from "../../lib/graph/qwen3.ts";
import {
  checkpoint,
  encodeSafetensors,
  maxDifference,
  QWEN3,
  qwen3Weights,
  randomNumbers,
  readTensors,
  type StoredTensor,
} from "../golden/golden.ts";

const golden = await readTensors(new URL("golden.safetensors", QWEN3));
const weights = await qwen3Weights();

/** Golden weights through a rounding, stored in another type or as float32 again. */
function rounded(
  dtype: "BF16" | "F16" | "F32",
  round: (
    values: Float32Array<ArrayBuffer>,
  ) => Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
): Uint8Array {
  const tensors: Record<string, StoredTensor> = {};
  for (const [name, { shape, data }] of Object.entries(weights)) {
    tensors[name] = { dtype, shape, data: round(data as Float32Array<ArrayBuffer>) };
  }
  return encodeSafetensors(tensors);
}

/** To the nearest bfloat16, ties to even: the upper half of the float32. */
function bfloat16(values: Float32Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.slice().buffer);
  return Uint16Array.from(bits, (b) => (b + 0x7fff + ((b >>> 16) & 1)) >>> 16);
}

function fromBfloat16(values: Uint16Array): Float32Array<ArrayBuffer> {
  return new Float32Array(Uint32Array.from(values, (b) => (b << 16) >>> 0).buffer);
}

async function logitsOf(file: Uint8Array, config: Record<string, unknown> = {}) {
  await using folder = await checkpoint(config, { "model.safetensors": file });
  await using model = await loadModel(folder.path);
  const rows = await forward(model, golden.ids("input_ids.1"));
  return { logits: rows.flatMap((row) => [...row]), memory: model.memory };
}

Deno.test("qwen3() on bfloat16 weights computes as on the same numbers in float32", async () => {
  const half = await logitsOf(rounded("BF16", bfloat16));
  const full = await logitsOf(rounded("F32", (values) => fromBfloat16(bfloat16(values))));
  assertLess(maxDifference(half.logits, full.logits), 1e-5);
  // and the rounding did something
  assertLess(1e-3, maxDifference(half.logits, golden.floats("logits.1")));
  assertEquals(half.memory, full.memory);
});

Deno.test("qwen3() on float16 weights computes as on the same numbers in float32", async () => {
  const half = await logitsOf(
    rounded("F16", (values) => new Uint16Array(Float16Array.from(values).buffer)),
  );
  const full = await logitsOf(rounded("F32", (values) => values.map(Math.f16round)));
  assertLess(maxDifference(half.logits, full.logits), 1e-5);
  assertLess(1e-5, maxDifference(half.logits, golden.floats("logits.1")));
});

Deno.test("qwen3() takes weights of mixed types", async () => {
  const tensors = { ...weights };
  for (const [name, { shape, data }] of Object.entries(weights)) {
    if (!name.includes("norm")) continue;
    const values = bfloat16(data as Float32Array<ArrayBuffer>);
    tensors[name] = { dtype: "BF16", shape, data: values };
  }
  const mixed = await logitsOf(encodeSafetensors(tensors));
  const same = Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => [
      name,
      { dtype: "F32", shape, data: dtype === "F32" ? data : fromBfloat16(data as Uint16Array) },
    ]),
  );
  assertLess(maxDifference(mixed.logits, (await logitsOf(encodeSafetensors(same))).logits), 1e-5);
});

Deno.test("qwen3() of a vocabulary beyond 1024 gives the same logits", async () => {
  const size = 1500, random = randomNumbers(5), tensors = { ...weights };
  for (const name of ["model.embed_tokens.weight", "lm_head.weight"]) {
    const { shape, data } = weights[name]!;
    const [rows, width] = shape as [number, number];
    const larger = Float32Array.from({ length: size * width }, random);
    larger.set(data as Float32Array);
    tensors[name] = { dtype: "F32", shape: [size, width], data: larger };
    assertEquals(rows, 384);
  }
  const { logits } = await logitsOf(encodeSafetensors(tensors), { vocab_size: size });
  const first = logits.filter((_, i) => i % size < 384);
  assertLess(maxDifference(first, golden.floats("logits.1")), 2e-4);
});

Deno.test("qwen3() with tied embeddings uses the table as the head", async () => {
  const { "lm_head.weight": _, ...rest } = weights;
  const tied = await logitsOf(encodeSafetensors(rest), { tie_word_embeddings: true });
  const copied = await logitsOf(
    encodeSafetensors({ ...rest, "lm_head.weight": rest["model.embed_tokens.weight"]! }),
  );
  assertLess(maxDifference(tied.logits, copied.logits), 1e-5);
  assertEquals(copied.memory.weightsBytes - tied.memory.weightsBytes, 4 * 384 * 96);
});

Deno.test("qwen3() refuses a checkpoint that lacks any one of its tensors", async () => {
  const config = qwen3.parse(JSON.parse(await Deno.readTextFile(new URL("config.json", QWEN3))));
  const table = parseSafetensors(encodeSafetensors(weights), "model.safetensors");
  for (const name of table.keys()) {
    const fewer = new Map(table);
    fewer.delete(name);
    assertThrows(
      () => qwen3.graph(config, weightsIn(fewer), 16),
      SyntaxError,
      `has no tensor '${name}'`,
    );
  }
});

Deno.test("qwen3() refuses a config of another shape than the weights", async () => {
  const config = qwen3.parse(JSON.parse(await Deno.readTextFile(new URL("config.json", QWEN3))));
  const table = parseSafetensors(encodeSafetensors(weights), "model.safetensors");
  const changes = [
    { hiddenSize: 128 },
    { heads: 8 },
    { kv: config.kv.map((own) => ({ ...own, kvHeads: 4 })) },
    { headDim: 48 },
    { intermediateSize: 200 },
    { vocabularySize: 385 },
    { layers: 4 },
    { attentionBias: true },
  ];
  for (const change of changes) {
    assertThrows(
      () => qwen3.graph({ ...config, ...change }, weightsIn(table), 16),
      SyntaxError,
      "Cannot build",
    );
  }
});
