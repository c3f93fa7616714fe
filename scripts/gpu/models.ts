/** Models on the device that is tried, and the numbers that they are held to. */

import {
  forward,
  type Input,
  loadModel,
  type LoadOptions,
  type Model,
} from "../../lib/model/mod.ts";
import type { Part } from "./part.ts";

/** Number formats of checkpoints, the most used first. */
export const FORMATS = ["fp32", "fp16", "int4", "int8"] as const;

/** Name of one of {@linkcode FORMATS}. */
export type FormatName = (typeof FORMATS)[number];

/**
 * How far logits may be from the reference's, in standard deviations of its logits. In fp32 at every
 * position; elsewhere at 19 of 20, as a mixture of experts that is rounded chooses another expert now
 * and then. CUDA computes in fp16 whatever the format of the weights is.
 */
export function limitOf(device: string, dtype: FormatName): number {
  return dtype === "fp32" && device !== "cuda" ? 2e-4 : 5e-2;
}

/** Why something was refused before it began; undefined where it was an error. */
export function refused(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof RangeError && message.startsWith("Cannot load") ? message : undefined;
}

/** Loads a model on the device of a part. */
export function loadOn(
  { device, folder }: Part,
  id: string | URL,
  options: Omit<LoadOptions, "device" | "cacheDir">,
): Promise<Model> {
  return loadModel(id, { ...options, device: device as "cpu", cacheDir: `${folder}/cache` });
}

/** Logits `[positions · V]` of the same weights on the CPU. */
export async function onCpu(
  { folder }: Part,
  id: string | URL,
  options: Omit<LoadOptions, "device" | "cacheDir">,
  inputs: readonly Input[],
): Promise<Float32Array> {
  await using model = await loadModel(id, {
    ...options,
    device: "cpu",
    cacheDir: `${folder}/cache`,
  });
  return joined(await forward(model, inputs));
}

/** Rows one after the other. */
export function joined(rows: readonly ArrayLike<number>[]): Float32Array {
  const size = rows[0]?.length ?? 0, all = new Float32Array(rows.length * size);
  rows.forEach((row, i) => all.set(row, i * size));
  return all;
}

/** Standard deviation of numbers. */
function spread(values: Float32Array): number {
  let sum = 0, squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  return Math.sqrt(squares / values.length - mean * mean);
}

/**
 * The largest difference at each position, in standard deviations of what is expected; Infinity
 * where a number is NaN or there are not as many as expected.
 */
export function errorsOf(found: Float32Array, expected: Float32Array, size: number): number[] {
  const unit = spread(expected), errors = new Array<number>(expected.length / size).fill(0);
  expected.forEach((value, i) => {
    const error = Math.abs(value - (found[i] ?? NaN)) / unit, at = Math.floor(i / size);
    if (!(error <= errors[at]!)) errors[at] = Number.isNaN(error) ? Infinity : error;
  });
  return found.length === expected.length ? errors : errors.fill(Infinity);
}

/** Whether errors are within a limit: all of them in fp32, 19 of 20 elsewhere. */
export function within(errors: readonly number[], limit: number, dtype: FormatName): boolean {
  const far = errors.filter((error) => !(error <= limit)).length;
  return dtype === "fp32" ? far === 0 : far <= errors.length / 20;
}
