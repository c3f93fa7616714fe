/**
 * A checkpoint as an ONNX export in the layout of the hub: token ids in, the cache copied in and out.
 * What peers run; the same operators and weights as this toolkit's own graph, MatMulNBits with the
 * same accuracy level where they are quantised.
 */

import { join } from "node:path";
import {
  encodeGraph,
  type Graph,
  graphBuilder,
  ropeTables,
  weightsIn,
} from "../../lib/graph/mod.ts";
import { addAndNorm, gatedMlp, rmsNorm } from "../../lib/graph/decoder.ts";
import { linear } from "../../lib/graph/linear.ts";
import { type DecoderConfig, parseConfig, parseSafetensors } from "../../lib/model/mod.ts";
import { bytesOf, type QuantizedCopy } from "./quantized_copy.ts";

const MICROSOFT = { domain: "com.microsoft" } as const;
const TABLE = "model.embed_tokens.weight";
const int = (value: number) => ({ int: value });

/**
 * The graph of a Qwen3 model with `input_ids`, `attention_mask`, `position_ids`, `past_key_values`; with `keep`
 * also `num_logits_to_keep`, by which generation asks for the logits of the last position alone.
 */
function hubGraph(
  config: DecoderConfig,
  weights: Parameters<typeof graphBuilder>[0],
  keep: boolean,
): Graph {
  const { hiddenSize, heads, kvHeads, headDim, layers, rmsNormEps, vocabularySize } = config;
  const b = graphBuilder(weights);
  const B = "batch_size", S = "sequence_length";
  const P = "past_sequence_length", T = "total_sequence_length";
  const table = b.weight(TABLE, [vocabularySize, hiddenSize]);
  let residual = b.op("Gather", [table, b.input("input_ids", "int64", [B, S])]);
  const mask = b.input("attention_mask", "int64", [B, T]);
  b.input("position_ids", "int64", [B, S]);
  const sum = b.op("ReduceSum", [mask, b.integers([1])], { attributes: { keepdims: int(0) } });
  const last = b.cast(b.op("Sub", [sum, b.integers([1])]), "int32");
  const shape = b.op("Shape", [mask], { attributes: { start: int(1), end: int(2) } });
  const total = b.cast(shape, "int32");
  const { cos, sin } = ropeTables(config.maxPositions, headDim, config.ropeTheta);
  const dims = [config.maxPositions, headDim / 2];
  const shared = [last, total, b.floats("cos", cos, dims), b.floats("sin", sin, dims)];
  const split = (x: string, name: string, count: number) => {
    const rows = b.op("Reshape", [x, b.integers([0, 0, count, headDim])]);
    const normed = rmsNorm(b, rows, name, headDim, rmsNormEps);
    return b.op("Reshape", [normed, b.integers([0, 0, count * headDim])]);
  };
  const first = "model.layers.0.input_layernorm.weight";
  let normed = rmsNorm(b, residual, first, hiddenSize, rmsNormEps);
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `model.layers.${layer}`, attn = `${prefix}.self_attn`;
    const q = linear(b, normed, `${attn}.q_proj.weight`, heads * headDim, hiddenSize);
    const k = linear(b, normed, `${attn}.k_proj.weight`, kvHeads * headDim, hiddenSize);
    const v = linear(b, normed, `${attn}.v_proj.weight`, kvHeads * headDim, hiddenSize);
    const past = ["key", "value"].map((part) =>
      b.input(`past_key_values.${layer}.${part}`, "float32", [B, kvHeads, P, headDim])
    );
    const present = ["key", "value"].map((part) => `present.${layer}.${part}`);
    for (const name of present) b.output(name, "float32", [B, kvHeads, T, headDim]);
    const attended = b.op("GroupQueryAttention", [
      split(q, `${attn}.q_norm.weight`, heads),
      split(k, `${attn}.k_norm.weight`, kvHeads),
      v,
      ...past,
      ...shared,
    ], {
      ...MICROSOFT,
      attributes: { num_heads: int(heads), kv_num_heads: int(kvHeads), do_rotary: int(1) },
      outputs: [`attention.${layer}`, ...present],
    });
    const o = linear(b, attended, `${attn}.o_proj.weight`, hiddenSize, heads * headDim);
    const middle = `${prefix}.post_attention_layernorm.weight`;
    ({ normed, residual } = addAndNorm(b, residual, o, middle, hiddenSize, rmsNormEps));
    const mlp = gatedMlp(b, normed, `${prefix}.mlp`, config);
    const next = layer + 1 < layers
      ? `model.layers.${layer + 1}.input_layernorm.weight`
      : "model.norm.weight";
    ({ normed, residual } = addAndNorm(b, residual, mlp, next, hiddenSize, rmsNormEps));
  }
  if (keep) { // 0 keeps all
    const count = b.op("Reshape", [b.input("num_logits_to_keep", "int64", []), b.integers([1])]);
    const start = b.op("Neg", [count]), end = b.integers([Number.MAX_SAFE_INTEGER]);
    normed = b.op("Slice", [normed, start, end, b.integers([1])]);
  }
  linear(b, normed, TABLE, vocabularySize, hiddenSize, { output: "logits" });
  b.output("logits", "float32", [B, keep ? "kept_length" : S, vocabularySize]);
  return b.graph();
}

/** What a tensor holds: its bytes, or where they are stored. */
type Data = Graph["initializers"][number]["data"];

/** Writes a graph, its stored tensors as `dataOf` has them, beside copies of the checkpoint's JSON files. */
async function writeExport(
  graph: Graph,
  file: string,
  dataOf: (stored: Exclude<Data, Uint8Array>) => Data | Promise<Data>,
  [folder, target]: readonly [string, string],
): Promise<void> {
  await Deno.mkdir(join(target, "onnx"), { recursive: true });
  const initializers = [];
  for (const { data, ...value } of graph.initializers) {
    initializers.push({ ...value, data: data instanceof Uint8Array ? data : await dataOf(data) });
  }
  await Deno.writeFile(join(target, "onnx", file), encodeGraph({ ...graph, initializers }));
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".json")) await Deno.copyFile(join(folder, name), join(target, name));
  }
}

/** Writes the export of a checkpoint in fp32, weights inside: `onnx/model.onnx`. */
export async function exportForHub(folder: string, target: string): Promise<void> {
  const config = parseConfig(await Deno.readTextFile(join(folder, "config.json")));
  const bytes = await Deno.readFile(join(folder, "model.safetensors"));
  const graph = hubGraph(config, weightsIn(parseSafetensors(bytes, "model.safetensors")), false);
  const inside = (at: { offset: number; length: number }) =>
    bytes.subarray(at.offset, at.offset + at.length);
  await writeExport(graph, "model.onnx", inside, [folder, target]);
}

/** Writes that of a quantised copy, weights apart: `onnx/model_q4.onnx` and `onnx/model_q4.onnx_data`. */
export async function exportQuantized(
  folder: string,
  copy: QuantizedCopy,
  target: string,
): Promise<void> {
  const location = "model_q4.onnx_data";
  await Deno.mkdir(join(target, "onnx"), { recursive: true });
  using file = await Deno.create(join(target, "onnx", location));
  let end = 0;
  const graph = hubGraph(copy.config, weightsIn(copy.tensors), true);
  await writeExport(graph, "model_q4.onnx", async (stored) => {
    const bytes = bytesOf(copy.files, stored), { length } = bytes, offset = end;
    for (let at = 0; at < length;) at += await file.write(bytes.subarray(at));
    end += length;
    return { location, offset, length };
  }, [folder, target]);
}
