/**
 * Tiny random models of every architecture with the logits of transformers: architectures.json, written
 * by architectures.py. The weights are made here from the case's seed, bit for bit as they were there.
 */

import { encodeSafetensors, randomNumbers, type StoredTensor } from "./golden.ts";
import { type TemporaryFolder, temporaryFolder } from "../_temporary.ts";

/** A tensor: its name, shape, and a and b of its elements a + b · (u − ½), u uniform in [0, 1). */
export type RandomTensor = readonly [name: string, shape: readonly number[], a: number, b: number];

/** One model and what transformers computes with it. */
export interface ArchitectureCase {
  readonly name: string;
  readonly seed: number;
  readonly dtype: "float32" | "bfloat16" | "float16";
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: readonly RandomTensor[];
  readonly input_ids: readonly number[];
  /** Longest context to load it for. */
  readonly max_length: number;
  /** Float32 `[positions, V]` in base64. */
  readonly logits: string;
}

const text = await Deno.readTextFile(new URL("architectures.json", import.meta.url));

/** All cases. */
export const CASES: readonly ArchitectureCase[] = JSON.parse(text).cases;

/** The case of a name. */
export function caseOf(name: string): ArchitectureCase {
  const found = CASES.find((value) => value.name === name);
  if (!found) throw new Error(`internal: no case ${name}`);
  return found;
}

/** The reference's logits, `[positions, V]`. */
export function logitsOf({ logits }: ArchitectureCase): Float32Array<ArrayBuffer> {
  return new Float32Array(Uint8Array.fromBase64(logits).buffer);
}

/** Upper halves of float32, to the nearest, ties to even. */
function bfloat16(values: Float32Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer);
  return Uint16Array.from(bits, (b) => (b + 0x7fff + ((b >>> 16) & 1)) >>> 16);
}

/** Tensors of a case as they are stored. */
export function tensorsOf(
  { seed, dtype, tensors }: Pick<ArchitectureCase, "seed" | "dtype" | "tensors">,
): Record<string, StoredTensor> {
  const random = randomNumbers(seed);
  return Object.fromEntries(tensors.map(([name, shape, a, b]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length }, () => a + b * (random() - 0.5));
    const stored = dtype === "float32"
      ? { dtype: "F32", shape, data: values }
      : dtype === "float16"
      ? { dtype: "F16", shape, data: new Float16Array(values) }
      : { dtype: "BF16", shape, data: bfloat16(values) };
    return [name, stored];
  }));
}

/** A case as a folder in Hugging Face format, with changed fields of config.json and other files. */
export function checkpointOf(
  value: Omit<ArchitectureCase, "input_ids" | "logits">,
  config: Readonly<Record<string, unknown>> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<TemporaryFolder> {
  return temporaryFolder({
    "config.json": JSON.stringify({ ...value.config, ...config }),
    "model.safetensors": encodeSafetensors(tensorsOf(value)),
    ...files,
  });
}
