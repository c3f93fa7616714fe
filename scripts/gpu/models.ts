/** Models on the device that is tried, and the numbers that they are held to. */

import { fileURLToPath } from "node:url";
import { CPU_TARGET } from "../../lib/graph/mod.ts";
import {
  type Dtype,
  type KvFormat,
  loadModel,
  type LoadOptions,
  type Model,
  openSource,
} from "../../lib/model/mod.ts";
import type { LlamaDevice } from "../../lib/llama/mod.ts";
import { startEngine } from "../../lib/model/onnx_engine.ts";
import { cardOf, onLlama } from "./card.ts";
import type { Check, Place } from "./found.ts";
import type { Part } from "./part.ts";

/** Number formats that go together. */
export interface Formats {
  /** Of the weights. */
  readonly dtype: Dtype;
  /** Of keys and values, and on a GPU of what passes between operators. */
  readonly kv: KvFormat;
}

const of = (kv: KvFormat, ...dtypes: Dtype[]): Formats[] => dtypes.map((dtype) => ({ dtype, kv }));

/** The formats that are tried on a device, the most used first. */
export function formatsOf(device: string): Formats[] {
  if (onLlama(device)) return of("fp32", "native").concat(of("fp16", "native"));
  if (device === "cpu") return of("fp32", "fp32", "fp16", "int4", "int8");
  const half = of("fp16", "fp16", "int4", "int8");
  if (device === "cuda") return half; // its attention computes in fp16 alone
  return [...of("fp32", "fp32"), ...half, ...of("fp32", "int4", "int8")];
}

/** Those of {@linkcode formatsOf} that the GPU computes. */
export function formatsOn({ device }: Part): Formats[] {
  const hasHalf = onLlama(device) !== undefined || (cardOf(device)?.half ?? true);
  return formatsOf(device).filter(({ kv }) => hasHalf || kv !== "fp16");
}

/**
 * How far logits may be from the reference's, in standard deviations of its logits; in fp32 at every
 * position, elsewhere at 19 of 20: a mixture of experts that is rounded chooses another expert now and
 * then, and so does an input that is rounded to int8, as on the CPU.
 */
export function limitOf({ device }: Part, { dtype, kv }: Formats): { limit: number; all: boolean } {
  const isExact = !onLlama(device) && kv === "fp32" &&
    (device !== "cpu" || dtype === "fp32" || dtype === "fp16");
  return isExact ? { limit: 2e-4, all: true } : { limit: 5e-2, all: false };
}

/** Why something was refused before it began; undefined where it was an error. */
export function refused(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof RangeError && message.startsWith("Cannot load") ? message : undefined;
}

/** What a load found out about the device: how it was checked, what runs on the CPU instead, notes. */
export function seen({ checked, fallenBack, notes = [], versions }: Model) {
  return { checked, fallenBack: Object.fromEntries(fallenBack ?? []), notes, versions };
}

/** Tells that something was refused, or that it failed. */
export function tellFailure({ tell }: Part, part: string, place: Place, error: unknown): void {
  const why = refused(error), detail = error instanceof Error ? error.message : String(error);
  tell(
    why === undefined
      ? { kind: "check", part, what: "runs", ...place, ok: false, detail }
      : { kind: "left out", what: part, why, ...place },
  );
}

/** Loads a model on the device of a part. */
export function loadOn(
  { device, folder }: Part,
  id: string | URL,
  options: Formats & Pick<LoadOptions, "maxLength">,
): Promise<Model> {
  const llama = onLlama(device);
  return loadModel(
    id,
    llama === undefined
      ? { ...options, engine: "onnxruntime", device: device as "cpu", cacheDir: `${folder}/cache` }
      : { ...options, engine: "llama.cpp", device: llama as LlamaDevice },
  );
}

/**
 * Logits `[positions · V]` of the same weights on the CPU, in float32: linear layers of integers
 * without the rounding of their inputs that is usual there, since GPUs have none.
 */
export async function onCpu(
  { device, folder }: Part,
  id: string | URL,
  { dtype, maxLength }: { readonly dtype: Dtype; readonly maxLength: number },
  ids: readonly number[],
): Promise<Float32Array> {
  const target = device === "cpu" ? CPU_TARGET : { ...CPU_TARGET, accuracy: 0 as const };
  using source = await openSource(id instanceof URL ? fileURLToPath(id) : id, dtype);
  const cacheDir = `${folder}/cache`, label = "convert";
  using prepared = await source.prepare({ dtype, target, maxLength, cacheDir, label });
  const settings = { device: "cpu", kv: "fp32", maxLength, spinning: false } as const;
  await using engine = await startEngine(prepared, settings);
  using cache = engine.openCache({ slots: 1, length: ids.length });
  return await cache.prefill(0, 0, ids, "all");
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

/** Errors against a limit, as a check has them. */
export function held(
  errors: readonly number[],
  { limit, all }: { readonly limit: number; readonly all: boolean },
): Pick<Check, "ok" | "worst" | "limit" | "detail"> {
  const far = errors.filter((error) => !(error <= limit)).length;
  return {
    ok: all ? far === 0 : far <= errors.length / 20,
    ...{ worst: Math.min(Number.MAX_VALUE, errors.reduce((a, b) => Math.max(a, b), 0)), limit },
    ...(far > 0 && { detail: `${far} of ${errors.length} positions beyond` }),
  };
}
