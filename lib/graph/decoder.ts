/**
 * The parts of a decoder between the mixture and the logits: norms, feed-forward, the head on the rows
 * that are asked for. Attention has a file of its own.
 *
 * Dimensions: B slots, S positions fed at once, D hidden size, V vocabulary, R rows of logits.
 *
 * @module
 */

import { type Builder, MICROSOFT } from "./builder.ts";
import type { DecoderConfig } from "./config.ts";
import { linear, projections } from "./linear.ts";
import { TABLE_PART } from "./mixture.ts";
import { PORTS } from "./ports.ts";

/** RMSNorm over the last axis: `x / √(mean(x²) + ε) · w`. */
export function rmsNorm(b: Builder, x: string, name: string, size: number, eps: number): string {
  const attributes = { epsilon: { float: eps }, axis: { int: -1 }, stash_type: { int: 1 } };
  return b.op("SimplifiedLayerNormalization", [x, b.weight(name, [size])], { attributes });
}

/** Adds to the residual stream and normalizes: both results are used. */
export function addAndNorm(
  b: Builder,
  residual: string,
  x: string,
  name: string,
  size: number,
  eps: number,
): { normed: string; residual: string } {
  const normed = `${name}.normed`, sum = `${name}.residual`;
  b.op("SkipSimplifiedLayerNormalization", [residual, x, b.weight(name, [size])], {
    ...MICROSOFT,
    attributes: { epsilon: { float: eps } },
    outputs: [normed, "", "", sum],
  });
  return { normed, residual: sum };
}

/** Options of {@linkcode gatedMlp}. */
export interface MlpOptions {
  /** Whether the three layers have biases; default false. */
  readonly bias?: boolean;
  /** Activation of the gate; default "silu". "gelu_tanh" is GELU by its tanh approximation. */
  readonly activation?: "silu" | "gelu_tanh";
}

/** `down(act(gate(x)) · up(x))`. */
export function gatedMlp(
  b: Builder,
  x: string,
  prefix: string,
  { hiddenSize, intermediateSize }: Pick<DecoderConfig, "hiddenSize" | "intermediateSize">,
  { bias = false, activation = "silu" }: MlpOptions = {},
): string {
  const project = projections(b, prefix, bias ? ["gate", "up", "down"] : []);
  const gate = project(x, "gate", intermediateSize, hiddenSize);
  const up = project(x, "up", intermediateSize, hiddenSize);
  const activated = activation === "silu"
    ? b.op("QuickGelu", [gate], { ...MICROSOFT, attributes: { alpha: { float: 1 } } })
    : b.op("Gelu", [gate], { attributes: { approximate: { text: "tanh" } } });
  return project(b.op("Mul", [activated, up]), "down", hiddenSize, intermediateSize);
}

/** Logits of the rows that are asked for; `softcap` c bounds them, `c · tanh(logits / c)`. */
export function head(
  b: Builder,
  x: string,
  table: string,
  { vocabularySize, hiddenSize }: DecoderConfig,
  softcap?: number,
): void {
  const rows = b.input(PORTS.rows, "int64", ["R"]);
  const flat = b.op("Reshape", [x, b.integers([-1, hiddenSize])]); // [B·S, D]
  const picked = b.op("Gather", [flat, rows], { attributes: { axis: { int: 0 } } }); // [R, D]
  const part = 64 * Math.ceil(TABLE_PART / (64 * hiddenSize)); // whole blocks of the kernel
  const output = softcap === undefined ? { output: PORTS.logits } : {};
  const options = { rows: part, leading: 1, ...output } as const;
  const logits = linear(b, picked, table, vocabularySize, hiddenSize, options);
  if (softcap !== undefined) {
    const cap = b.floats("logit_softcap", Float32Array.of(softcap), []);
    const bounded = b.op("Tanh", [b.op("Div", [logits, cap])]);
    b.op("Mul", [bounded, cap], { outputs: [PORTS.logits] });
  }
  b.output(PORTS.logits, "float32", ["R", vocabularySize]);
}
