/**
 * Linear layers in whatever form their weights have.
 *
 * @module
 */

import {
  type Builder,
  MICROSOFT,
  type OpOptions,
  type QuantizedInputs,
  type Range,
} from "./builder.ts";

/** `x Wᵀ` of W `[out, in]`, in the form that the graph's device has. */
function product(b: Builder, x: string, weight: string, outputs: OpOptions = {}): string {
  if (b.target.linear === "transposed") {
    return b.op("MatMul", [x, b.op("Transpose", [weight])], outputs);
  }
  const attributes = { transB: { int: 1 } };
  return b.op("FusedMatMul", [x, weight], { ...MICROSOFT, attributes, ...outputs });
}

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
  /** Dimensions of x before the last; default: 2. */
  readonly leading?: 1 | 2;
}

/**
 * What minima add to a product: `Σ_blocks m · Σ_{i in block} x_i`, a product of the sums of x over
 * blocks. MatMulNBits itself takes such minima as zero points that are no integers, and then unpacks
 * the whole matrix in every run (20 to 40 times slower, measured); this costs a seventh.
 */
function ofMinima(b: Builder, x: string, minima: string, blockSize: number, leading: number) {
  const shape = [...Array(leading).fill(0), -1, blockSize];
  const blocks = b.op("Reshape", [x, b.integers(shape)]);
  const attributes = { keepdims: { int: 0 } };
  const sums = b.op("ReduceSum", [blocks, b.integers([-1])], { attributes });
  return product(b, sums, minima);
}

/** `y = x Wᵀ + b`, W `[out, in]` by its name in the checkpoint, as stored there or its quantised copy. */
export function linear(
  b: Builder,
  x: string,
  name: string,
  out: number,
  input: number,
  { bias, output, exact = false, rows = out, leading = 2 }: LinearOptions = {},
): string {
  const named = output === undefined ? {} : { outputs: [output] };
  const outputs = bias === undefined ? named : {}, dims = [out, input] as const;
  const multiply = (outputs: OpOptions, range?: Range) =>
    product(b, x, b.weight(name, dims, range), outputs);
  const multiplyParts = () => {
    const parts = Array.from({ length: Math.ceil(out / rows) }, (_, i) => {
      const first = i * rows;
      return multiply({}, { first, rows: Math.min(rows, out - first) });
    });
    return b.op("Concat", parts, { attributes: { axis: { int: -1 } }, ...outputs });
  };
  const quantized = exact ? undefined : b.quantized(name, dims);
  const multiplied = quantized
    ? multiplyQuantized(b, x, quantized, dims, leading, outputs)
    : rows < out && b.target.packs
    ? multiplyParts()
    : multiply(outputs);
  return bias === undefined ? multiplied : b.op("Add", [multiplied, b.weight(bias, [out])], named);
}

/** The linear layers `${prefix}.${part}_proj`; `biased` tells which parts have a bias. */
export function projections(b: Builder, prefix: string, biased: string | readonly string[]) {
  return (x: string, part: string, out: number, input: number): string => {
    const name = `${prefix}.${part}_proj`;
    const bias = biased.includes(part) ? { bias: `${name}.bias` } : {};
    return linear(b, x, `${name}.weight`, out, input, bias);
  };
}

/** `x Wᵀ` of a quantised W `[out, in]`; the dimensions of x before the last are needed for minima. */
export function multiplyQuantized(
  b: Builder,
  x: string,
  { bits, blockSize, inputs, minima }: QuantizedInputs,
  [N, K]: readonly [out: number, input: number],
  leading: number,
  outputs: OpOptions = {},
): string {
  const attributes = {
    N: { int: N },
    K: { int: K },
    bits: { int: bits },
    block_size: { int: blockSize },
    accuracy_level: { int: b.target.accuracy },
  };
  const multiply = (outputs: OpOptions) =>
    b.op("MatMulNBits", [x, ...inputs], { ...MICROSOFT, attributes, ...outputs });
  if (minima === undefined) return multiply(outputs);
  return b.op("Add", [multiply({}), ofMinima(b, x, minima, blockSize, leading)], outputs);
}
