/**
 * Which device a model is loaded on where nobody says: the one on which a step of its shape is fastest.
 *
 * @module
 */

import { join } from "node:path";
import { ARCHITECTURES, type DecoderConfig } from "../graph/mod.ts";
import {
  type Adapter,
  adapters,
  type Device,
  deviceError,
  runtimeVersion,
} from "../runtime/mod.ts";
import { replaceFile } from "../_cache_home.ts";
import { isObject } from "../_check.ts";
import { sha256 } from "../_sha256.ts";
import { autoDtype, autoDtypeOn, type Dtype, freeMemory } from "./dtype.ts";
import type { LlamaDevice } from "../llama/mod.ts";
import type { EngineName, KvFormat } from "./engine.ts";
import { estimateMemory } from "./memory.ts";
import { noRoomOn } from "./room.ts";
import { formatError, kvFormatOf, targetOf } from "./target.ts";
import { trialStep } from "./trial.ts";

/** What became of a device that could be used. */
export interface Attempt {
  /** The engine; absent: ONNX Runtime. */
  readonly engine?: EngineName;
  /** The device. */
  readonly device: "auto" | Device | LlamaDevice;
  /** Number format of the trial. */
  readonly dtype?: Dtype;
  /** Milliseconds of a step of 8 rows, of the head and the first layers alone; absent where none was tried. */
  readonly ms?: number;
  /** Why it was not tried, or what went wrong. */
  readonly why?: string;
}

/** What a choice depends on. */
export interface ChoiceOptions {
  readonly dtype: "auto" | Dtype;
  readonly kv: KvFormat | undefined;
  readonly maxLength: number;
  readonly cacheDir: string;
  /** Ends it between two trials. */
  readonly signal?: AbortSignal | undefined;
  /** Called before each trial. */
  readonly onTrial?: (device: Device) => void;
}

/** Bytes of weights below which a step is over on the CPU before a GPU has begun. */
export const SMALL_BYTES = 64e6;

/** Devices beside the CPU. */
const GPUS = ["cuda", "webgpu"] as const;

/** Whether a text is a choice that was kept. */
function parseAttempts(text: string): Attempt[] | undefined {
  try {
    const attempts = JSON.parse(text);
    const isAttempt = (value: unknown) => isObject(value) && typeof value.device === "string";
    return Array.isArray(attempts) && attempts.every(isAttempt) ? attempts : undefined;
  } catch {
    return undefined;
  }
}

/** The fastest; the CPU where nothing was tried. */
function fastest(attempts: readonly Attempt[]): Device {
  const timed = attempts.filter(({ ms }) => ms !== undefined);
  return (timed.sort((a, b) => a.ms! - b.ms!)[0]?.device ?? "cpu") as Device; // of those that were timed here
}

/**
 * Chooses a device by a trial of each on which the model has room, about two seconds long. What came of it is kept
 * in the cache folder by machine and shape of the model.
 */
export async function chooseDevice(
  config: DecoderConfig,
  { dtype: asked, kv, maxLength, cacheDir, signal, onTrial }: ChoiceOptions,
  find: () => readonly Adapter[] = adapters,
): Promise<{ readonly device: Device; readonly attempts: readonly Attempt[] }> {
  const attempts: Attempt[] = [], candidates: { device: Device; dtype: Dtype; kv: KvFormat }[] = [];
  const none = (why: string) => (
    { device: "cpu" as const, attempts: GPUS.map((device) => ({ device, why })) }
  );
  if (!Object.hasOwn(ARCHITECTURES, config.architecture)) {
    return none("its graph is not built here");
  }
  const { parameters, weightsBytes } = estimateMemory(config, { dtype: "int8", length: 1 });
  if (weightsBytes < SMALL_BYTES) return none("the model is small");
  const found = find();
  const shown = asked === "native" ? "int4" : asked; // blocks of a file are much like it
  for (const device of GPUS) {
    const adapter = found.find((one) => one.device === device && one.chosen);
    const refuse = (why: string) => attempts.push({ device, why });
    if (!adapter) refuse("there is no GPU for it");
    else if (adapter.kind === "emulated") refuse(`${adapter.name} is an emulator on the CPU`);
    else {
      const format = kvFormatOf(device, asked, kv, adapter);
      const target = targetOf(device, format), why = noRoomOn(adapter, config, target, maxLength);
      const dtype = shown === "auto"
        ? autoDtypeOn(target.activations, (dtype) => why(dtype) === undefined)
        : shown;
      const error = formatError(device, dtype, format, adapter) ?? why(dtype) ??
        await deviceError(device);
      if (error) refuse(error);
      else candidates.push({ device, dtype, kv: format });
    }
  }
  if (candidates.length === 0) return { device: "cpu", attempts };
  candidates.push({
    device: "cpu",
    dtype: shown === "auto" ? autoDtype(parameters, freeMemory()) : shown,
    kv: kv ?? "fp32",
  });

  const machine = [found, navigator.hardwareConcurrency, runtimeVersion].map((part) =>
    JSON.stringify(part, (key, value) => key === "free" ? undefined : value)
  );
  const key = JSON.stringify([machine, config, candidates, attempts]);
  const name = sha256(key, 32);
  const path = join(cacheDir, "devices", `${name}.json`);
  const kept = parseAttempts(await Deno.readTextFile(path).catch(() => ""));
  if (kept) return { device: fastest(kept), attempts: kept };
  let hasFailed = false;
  for (const { device, dtype, kv } of candidates) {
    signal?.throwIfAborted();
    onTrial?.(device);
    try {
      attempts.push({ device, dtype, ms: await trialStep(config, device, dtype, kv) });
    } catch (error) {
      attempts.push({ device, dtype, why: (error as Error).message });
      hasFailed = true;
    }
  }
  if (!hasFailed) { // what failed may pass: the next load tries again
    await replaceFile(path, (part) => Deno.writeTextFile(part, JSON.stringify(attempts)))
      .catch(() => {});
  }
  return { device: fastest(attempts), attempts };
}
