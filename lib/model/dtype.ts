/**
 * Number formats of a model's weights.
 *
 * On the CPU activations, norms and routers are float32 in every format; keys and values as `kv` says. On a
 * GPU activations have the format of keys and values: float16 where the GPU computes in it and the weights
 * are not asked for in fp32 (what that costs: `graph/half.ts`), while mixtures, norms' sums, a router's choice
 * and everything from the logits on stay float32. Inputs of quantised layers are not rounded there.
 *
 * - `fp32`: fp16 and bf16 checkpoints are widened when the session starts, which is exact; those in
 *   float64 are rounded.
 * - `fp16`: matrices are rounded to fp16 first and then widened: the numbers of an fp16 load, at the
 *   cost of fp32, since CPUs have no fp16 matrix product here; on GPUs they stay fp16.
 * - `int8`, `int4`: linear layers are block-quantised, 32 weights a scale, symmetric (see
 *   `graph/quantize.ts`), and on the CPU their inputs are rounded to int8 in the same way, which makes one
 *   sequence's numbers independent of what else is in the batch. GPUs have other kernels for one row than
 *   for several, so that there a row's last bits depend on the batch; records say so. The head has 8 bits in both; the
 *   embedding rows that a mixture lists are not quantised.
 * - `native`, of GGUF files: the integers, scales and minima of their blocks, none rounded anew, inputs
 *   as above; embedding rows in float32, which is exact. `int8` and `int4` of such a file take blocks of
 *   no more bits as they are, and quantise the others.
 *
 * In these three, what a mixture has on the whole of a large vocabulary is multiplied on the CPU with a copy
 * of the table in 8 bits, and its weights are rounded to int8 likewise (see `dense.ts`); in `fp32` and
 * `fp16` with the table's own numbers.
 *
 * @module
 */

import {
  type Graph,
  type Node,
  type Target,
  tensorBytes,
  type TensorType,
  typeNamed,
  type Weights,
  wholeName,
} from "../graph/mod.ts";
import { elements } from "../runtime/mod.ts";

/** Number formats of every model, by name. */
export const DTYPES = ["fp32", "fp16", "int8", "int4"] as const;

/** Name of a number format of every model. */
export type CommonDtype = (typeof DTYPES)[number];

/** Name of a number format; "native" is for GGUF files. */
export type Dtype = (typeof DTYPES)[number] | "native";

/**
 * The number format that "auto" stands for: the most exact of fp32, int8 and int4 whose weights
 * take at most half of the free bytes, so that caches, the system and a second load have room; int4
 * where none does.
 */
export function autoDtype(parameters: number, free: number): CommonDtype {
  const BYTES = { fp32: 4, int8: 1.125 } as const; // a scale of 4 bytes per 32 weights
  for (const dtype of ["fp32", "int8"] as const) {
    if (parameters * BYTES[dtype] <= free / 2) return dtype;
  }
  return "int4";
}

/**
 * The same on a GPU: the most exact that has room; fp32 where activations are in it, else fp16.
 *
 * @param hasRoom Whether a number format has room there.
 */
export function autoDtypeOn(
  activations: Target["activations"],
  hasRoom: (dtype: CommonDtype) => boolean,
): CommonDtype {
  const exact = activations === "float16" ? "fp16" : "fp32";
  return ([exact, "int8"] as const).find(hasRoom) ?? "int4";
}

/** Bytes of memory that are free, or Infinity where asking is not permitted. */
export function freeMemory(): number {
  try {
    return Deno.systemMemoryInfo().available;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return Infinity;
    throw error;
  }
}

/** Bits of a linear layer's weights `[out, in]` in a quantised load; the head always has 8. */
export function bitsOf(
  dtype: "int8" | "int4",
  [out]: readonly number[],
  vocabularySize: number,
): 4 | 8 {
  return out === vocabularySize ? 8 : dtype === "int4" ? 4 : 8;
}

/** The same weights with every matrix rounded to fp16 before use. */
export function roundedToHalf({ names, find }: Weights): Weights {
  return {
    names,
    find(name, dims, use) {
      const weight = find(name, dims, use);
      const isExact = !weight || weight.dims.length < 2 || weight.type === "float16";
      return isExact ? weight : { ...weight, roundTo: "float16" };
    },
  };
}

/**
 * Weights of a graph: how many numbers, and how many bytes they take once the session runs.
 *
 * @param activations Number format that float32 ones are converted to. Default: "float32".
 */
export function weightsOf(
  { nodes, initializers }: Graph,
  activations: Target["activations"] = "float32",
): { readonly parameters: number; readonly bytes: number } {
  const uses = nodes.flatMap((node) => node.inputs.map((input) => ({ input, node })));
  const consumers = Map.groupBy(uses, ({ input }) => input);
  /** The type at the end of conversions that follow one another. */
  const lastType = ({ op, outputs, attributes: { to } }: Node): TensorType | undefined => {
    if (op !== "Cast") return undefined;
    const next = consumers.get(outputs[0]!) ?? [];
    const type = next.map(({ node }) => lastType(node)).find((found) => found) ??
      typeNamed(to?.int);
    return type === "float32" ? activations : type;
  };
  const inParts = new Set(
    initializers.filter(({ name }) => wholeName(name) !== name).map(({ name }) => wholeName(name)),
  );
  let parameters = 0, bytes = 0;
  for (const { name, type, dims, data } of initializers) {
    if (data instanceof Uint8Array) continue;
    const count = elements(dims), users = consumers.get(name) ?? [];
    const ops = new Set(users.map(({ node }) => node.op));
    const types = users.map(({ node }) => lastType(node));
    if (!inParts.has(name)) parameters += count; // else its parts are
    for (const type of new Set(types)) { // converted when the session starts
      if (type) bytes += tensorBytes({ type, dims });
    }
    if (!ops.has("Cast") || ops.size > 1) bytes += tensorBytes({ type, dims });
  }
  return { parameters, bytes };
}
