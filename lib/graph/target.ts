/**
 * What a graph is built for: the form of an operator depends on the device that runs it.
 *
 * @module
 */

import type { OnnxType } from "./onnx.ts";

/** The forms that a device computes. */
export interface Target {
  /**
   * Product with a matrix `[out, in]` that is not quantised: one operator, or a transposition, which is folded
   * when the session starts, and a product: WebGPU has no kernel for the one.
   */
  readonly linear: "fused" | "transposed";
  /** Number format of what passes between operators, and of keys and values. */
  readonly activations: "float32" | "float16";
  /**
   * How MatMulNBits computes. 4 rounds its input to int8, a scale per 32 numbers, and sums integers: a
   * row's result does not depend on the other rows, bit for bit, which 0 (in the number format of the
   * activations) does not give on the CPU (differences of 1e-5 between a sequence alone and in a batch,
   * measured on AVX-512). There it costs nothing measurable beside int4 weights and doubles the small
   * error of int8 ones; and it is the fast path.
   */
  readonly accuracy: 0 | 4;
  /** Number formats of tables whose rows can be gathered; others are converted as a whole. Default: all. */
  readonly gathers?: readonly OnnxType[];
  /** Whether the runtime packs a matrix while it holds the original, so that a table is multiplied in parts. */
  readonly packs: boolean;
}

/** The CPU: everything in float32. */
export const CPU_TARGET: Target = {
  linear: "fused",
  activations: "float32",
  accuracy: 4,
  packs: true,
};
