/**
 * What an export is, as far as its nodes tell.
 *
 * @module
 */

import { MICROSOFT } from "../builder.ts";
import type { KvLayer } from "../config.ts";
import type { Node } from "../onnx.ts";
import type { Surgery } from "./surgery.ts";
import { refuse } from "./walk.ts";

/** What an export turned out to be. */
export interface GraftFacts {
  /** Width of the embedding, D. */
  readonly hiddenSize: number;
  /** Width of the logits, V. */
  readonly vocabularySize: number;
  /** Query heads, where the graph says so. */
  readonly heads: number | undefined;
  /** Layers that have a cache, in order. */
  readonly kv: readonly KvLayer[];
  /** Positions of its rotary tables; Infinity where there are none. */
  readonly maxPositions: number;
  /** "in place": GroupQueryAttention on one buffer; "concatenated": the past is copied every step. */
  readonly cache: "in place" | "concatenated";
  /** Type of the export's cache and activations. */
  readonly activations: "float32" | "float16";
  /** Number format of the weights. */
  readonly dtype: "fp32" | "fp16" | "int8" | "int4";
  /** Whether activations are rounded to int8, so that rows of a batch may differ in the last digits. */
  readonly quantizedActivations: boolean;
  /** Whether some product scales the activations of all positions together. */
  readonly dynamicScales: boolean;
  /** Whether the export gives logits of the last position alone. */
  readonly lastLogitsOnly: boolean;
  /** Bytes of the constants in use. */
  readonly weightsBytes: number;
}

/** Positions that rotary tables have: the fewest of any node's. */
export function rotaryPositions(s: Surgery): number {
  let fewest = Infinity;
  for (const { op, domain, inputs } of s.nodes) {
    const index = op === "GroupQueryAttention" ? 7 : op === "RotaryEmbedding" ? 2 : undefined;
    if (index === undefined) continue;
    const shape = s.shapeOf(inputs[domain === MICROSOFT.domain ? index : 1] ?? "");
    fewest = Math.min(fewest, shape?.[0] ?? Infinity);
  }
  return fewest;
}

/** How the products of a graph hold and round their numbers. */
export function numberFormat(
  nodes: readonly Node[],
  activations: GraftFacts["activations"],
): Pick<GraftFacts, "dtype" | "quantizedActivations" | "dynamicScales"> {
  const blocks = nodes.filter(({ op }) => op === "MatMulNBits");
  const bits = new Set(blocks.map(({ attributes }) => attributes.bits?.int ?? 4));
  const other = [...bits].find((value) => value !== 4 && value !== 8);
  if (other !== undefined) refuse("MatMulNBits", "have 4 or 8 bits", other);
  const dynamic = nodes.some(({ op }) => /^(DynamicQuantize|MatMulInteger|QLinear|QMoE)/.test(op));
  const LEVEL_INT8 = 4;
  const isRounded = blocks.some(({ attributes }) => attributes.accuracy_level?.int === LEVEL_INT8);
  const plain = activations === "float16" ? "fp16" : "fp32";
  return {
    dtype: bits.has(4) ? "int4" : bits.has(8) || dynamic ? "int8" : plain,
    quantizedActivations: isRounded || dynamic,
    dynamicScales: dynamic,
  };
}
