/**
 * Linear layers in whatever form their weights have.
 *
 * @module
 */

import type { Builder } from "./builder.ts";

/**
 * `y = x Wᵀ + b`, W `[out, in]` as checkpoints store it.
 *
 * @param b The graph.
 * @param x Input `[…, in]`.
 * @param name Name of W in the checkpoint.
 * @param out Number of outputs.
 * @param input Number of inputs.
 * @param bias Name of b `[out]`; default: none.
 * @param output Name of the result; default: a fresh one.
 */
export function linear(
  b: Builder,
  x: string,
  name: string,
  out: number,
  input: number,
  { bias, output }: { bias?: string; output?: string } = {},
): string {
  const outputs = output === undefined || bias !== undefined ? {} : { outputs: [output] };
  const product = b.op("FusedMatMul", [x, b.weight(name, [out, input])], {
    domain: "com.microsoft",
    attributes: { transB: { int: 1 } },
    ...outputs,
  });
  if (bias === undefined) return product;
  return b.op(
    "Add",
    [product, b.weight(bias, [out])],
    output === undefined ? {} : { outputs: [output] },
  );
}
