/**
 * Linear layers in whatever form their weights have.
 *
 * @module
 */

import type { Builder, OpOptions } from "./builder.ts";

/**
 * How MatMulNBits computes. 4 rounds its input to int8, a scale per 32 numbers, and sums integers: a
 * row's result does not depend on the other rows, bit for bit, which 0 (float32) does not give
 * (differences of 1e-5 between a sequence alone and in a batch, measured on AVX-512). It costs nothing
 * measurable beside int4 weights and doubles the small error of int8 ones; and it is the fast path.
 */
const ACCURACY_LEVEL = 4;

/** Options of {@linkcode linear}. */
export interface LinearOptions {
  /** Name of b `[out]`; default: none. */
  readonly bias?: string;
  /** Name of the result; default: a fresh one. */
  readonly output?: string;
  /** Whether W stays as it is in a quantised load, as that of a router must; default: false. */
  readonly exact?: boolean;
  /** Rows of W in a product, where it is not quantised; default: all. */
  readonly rows?: number;
}

/**
 * `y = x Wᵀ + b`, W `[out, in]` as checkpoints store it, or its quantised copy.
 *
 * @param b The graph.
 * @param x Input `[…, in]`.
 * @param name Name of W in the checkpoint.
 * @param out Number of outputs.
 * @param input Number of inputs.
 */
export function linear(
  b: Builder,
  x: string,
  name: string,
  out: number,
  input: number,
  { bias, output, exact = false, rows = out }: LinearOptions = {},
): string {
  const named = output === undefined ? {} : { outputs: [output] };
  const product = multiply(b, x, name, [out, input], exact, rows, bias === undefined ? named : {});
  return bias === undefined ? product : b.op("Add", [product, b.weight(bias, [out])], named);
}

function multiply(
  b: Builder,
  x: string,
  name: string,
  dims: readonly [out: number, input: number],
  exact: boolean,
  rows: number,
  outputs: OpOptions,
): string {
  const domain = "com.microsoft", quantized = exact ? undefined : b.quantized(name, dims);
  if (!quantized) {
    const attributes = { transB: { int: 1 } }, out = dims[0];
    const product = (weight: string, outputs: OpOptions) =>
      b.op("FusedMatMul", [x, weight], { domain, attributes, ...outputs });
    if (rows >= out) return product(b.weight(name, dims), outputs);
    const parts: string[] = [];
    for (let first = 0; first < out; first += rows) {
      const range = { first, rows: Math.min(rows, out - first) };
      parts.push(product(b.weight(name, dims, range), {}));
    }
    return b.op("Concat", parts, { attributes: { axis: { int: -1 } }, ...outputs });
  }
  const attributes = {
    N: { int: dims[0] },
    K: { int: dims[1] },
    bits: { int: quantized.bits },
    block_size: { int: quantized.blockSize },
    accuracy_level: { int: ACCURACY_LEVEL },
  };
  return b.op("MatMulNBits", [x, ...quantized.inputs], { domain, attributes, ...outputs });
}
