/**
 * From an id to a model that decodes.
 *
 * @module
 */

import type { DecoderConfig, RopedConfig } from "../graph/mod.ts";
import { type Adapter, adapters, type Device, nextSignal } from "../runtime/mod.ts";
import { defaultCacheDir } from "../_cache_home.ts";
import { boolean, checkOptions, number, oneOf, refusal, type Rules } from "../_check.ts";
import { given } from "../_given.ts";
import { chooseDevice } from "./auto.ts";
import { deviceNotes } from "./device_notes.ts";
import { type Dtype, DTYPES } from "./dtype.ts";
import type { KvFormat } from "./engine.ts";
import { DATASET_RULES, type DatasetOptions } from "./hub.ts";
import { kvBytesPerToken } from "./memory.ts";
import { createModel, type Model } from "./model.ts";
import { startEngine } from "./onnx_engine.ts";
import { placeOf } from "./place.ts";
import { openSource } from "./sources/mod.ts";
import { formatError, kvFormatOf, targetOf } from "./target.ts";
import type { Source } from "./sources/source.ts";
import { wordsOf } from "./words.ts";

/** Options of {@linkcode loadModel}; a revision is refused for folders and embedded models. */
export interface LoadOptions extends DatasetOptions {
  /**
   * Where to run. Default: "auto", the device on which a step of the model's shape is fastest, by a trial of
   * two seconds each that is kept in the cache folder; the CPU where there is no GPU, only an emulated one, or
   * the model is small. What was tried is in `model.attempts`. What each device needs: see `lib/runtime/mod.ts`.
   */
  readonly device?: "auto" | Device;
  /**
   * Number format of the weights, of those in `dtype.ts`. Default: "auto", the blocks of a GGUF
   * file as they are ("native"), else on the CPU the most exact of fp32, int8 and int4 whose weights take at
   * most half of the free memory, on a GPU the most exact of fp16, int8 and int4 that has room. What is in
   * use is in `model.dtype`.
   */
  readonly dtype?: "auto" | Dtype;
  /**
   * Number format of keys and values. On the CPU "fp32" (default), "fp16" for half of the memory, or "int8" for a
   * quarter: what they change, and when they are faster and slower, is described in `kv.ts`. On a GPU that of
   * everything between operators: "fp16" (default where it computes in that and `dtype` is not "fp32") or "fp32".
   */
  readonly kv?: KvFormat;
  /**
   * Longest context in tokens. Default: what the model was made for, but at most 131,072. More than that
   * may be asked for where the scaling of its rotary frequencies reaches further (see `graph/rope.ts`).
   */
  readonly maxLength?: number;
  /**
   * Threads within an operator. Default: 1 for models below 64 MB of weights, where handing work
   * to a second thread costs more than it saves, else one per physical core, but no more than query
   * heads: the runtime shares the positions of one long sequence among more threads than that, and
   * sums them in another order than in a batch.
   */
  readonly threads?: number;
  /**
   * Whether threads spin while they wait within a step: faster on an idle machine, slower on a
   * shared one. Default: whether less than half of the cores are busy when loading starts.
   */
  readonly spinning?: boolean;
  /**
   * Where fetched files and quantised weights are kept. Default: `moi` in the user's cache folder,
   * and for models of the hub the cache that Hugging Face's tools share.
   */
  readonly cacheDir?: string;
}

const RULES: Rules<LoadOptions> = {
  device: oneOf("auto", "cpu", "webgpu", "cuda"),
  dtype: oneOf("auto", ...DTYPES, "native"),
  kv: oneOf("fp32", "fp16", "int8"),
  maxLength: number({ min: 1, integer: true }),
  threads: number({ min: 1, max: 1024, integer: true }),
  spinning: boolean,
  ...DATASET_RULES,
};

/** Longest context unless asked for: rotary tables of a million positions take seconds and 512 MiB. */
const USUAL_LENGTH = 2 ** 17;

/** Largest number of cosines and sines: 512 MiB, a million positions of a head of 128. */
const MAX_ROTARY = 2 ** 27;

const fail = (name: string, rule: string, value: unknown): never => {
  throw new RangeError(refusal("load the model", name, rule, value));
};

/**
 * Longest context. Default: what the model was made for, within reason; with longrope what its list
 * for short contexts serves, since a longer context changes the numbers of short ones.
 */
function lengthOf(config: DecoderConfig, asked: number | undefined): number {
  const { maxPositions, longestPositions = maxPositions, headDim } = config;
  const { scaling } = (config as Partial<RopedConfig>).rope ?? {};
  const short = scaling?.type === "longrope" ? scaling.originalPositions : Infinity;
  const length = asked ?? Math.min(maxPositions, short, USUAL_LENGTH);
  if (length > longestPositions) {
    const why = longestPositions > maxPositions
      ? " times its linear scaling"
      : scaling?.type === "dynamic"
      ? ": beyond it, its dynamic scaling changes with every token"
      : "";
    const rule = `be at most ${longestPositions}, the context the model was made for${why}`;
    fail("maxLength", rule, length);
  }
  if (length * headDim > MAX_ROTARY) {
    fail("maxLength", `be at most ${MAX_ROTARY / headDim}, so that the rotary tables fit`, length);
  }
  return length;
}

/** The GPU that a device uses; undefined where none is known. */
function adapterOf(device: Device): Adapter | undefined {
  if (device === "cpu") return undefined;
  return adapters().find((one) => one.device === device && one.chosen);
}

/** Part of the free memory of a GPU that keys and values may take. */
const CACHE_SHARE = 0.8;

/** Bytes of a GPU for keys and values, once the weights are there; undefined where it does not say what is free. */
function cacheRoom(adapter: Adapter | undefined): number | undefined {
  const free = adapter?.memory?.free;
  return free === undefined ? undefined : Math.floor(CACHE_SHARE * free);
}

/** Whether less than half of the cores were busy in the last minute; false where that is not known. */
function isIdle(): boolean {
  try {
    return Deno.build.os !== "windows" && Deno.loadavg()[0]! < navigator.hardwareConcurrency / 2;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}

/**
 * Loads a model.
 *
 * The graph is built here from the checkpoint's own files, with a mixture of embeddings as its
 * input; the weights are mapped, not read into the JavaScript heap.
 *
 * @param id "votes-tiny", "countdown-tiny-baseline" or another embedded model, or a folder (path or
 * file URL) in Hugging Face format: `config.json`, `model.safetensors`, and usually `generation_config.json`,
 * `tokenizer.json`, `tokenizer_config.json`; or a GGUF file (of a split one any part), or a folder with
 * one and nothing else. A folder without `model.safetensors` and its index may
 * hold an ONNX export instead (`onnx/model*.onnx` or `model*.onnx`; `dtype` chooses among several):
 * it is cut at its embedding, and refused where it then gives other logits than before. A checkpoint
 * wins where both are there. Where there is no folder of that name, "org/name" (or "org/name/file.gguf") is
 * downloaded from the Hugging Face Hub, as {@linkcode downloadModel} does.
 * A {@linkcode Source} of one's own, such as {@linkcode checkpointSource} makes over tensors of another
 * file format, is loaded as well, and disposed with the model.
 * @throws {RangeError} Where an option is outside its rule.
 * @throws {SyntaxError} Where a file is malformed or asks for what is not implemented.
 * @throws {Deno.errors.NotFound} Where a file is missing.
 *
 * @example A control
 * ```ts
 * import { loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * assertEquals(model.config.vocabularySize, 30);
 * assertEquals(model.device, "cpu");
 * ```
 */
export async function loadModel(
  id: string | URL | Source,
  options: LoadOptions = {},
): Promise<Model> {
  checkOptions("load the model", options, RULES);
  const { device: askedDevice = "auto", maxLength: askedLength, ...others } = options;
  const { kv: askedKv, threads, spinning = isIdle(), ...places } = others;
  const { dtype = "auto", cacheDir = defaultCacheDir(), onProgress } = places;
  const signal = places.signal ?? nextSignal();
  const isSource = typeof id === "object" && id !== null && "prepare" in id;
  const name = isSource ? id.id : id instanceof URL ? id.pathname : id;
  const report = (done: number, note?: string) =>
    onProgress?.({ label: `load ${name}`, done, total: 3, ...(note ? { note } : {}) });
  await using opening = new AsyncDisposableStack();

  report(0);
  const source = opening.use(
    isSource ? id : await openSource(await placeOf(id, given({ ...places, signal })), dtype),
  );
  const words = await wordsOf(source.files);
  const maxLength = lengthOf(source.config, askedLength), isExport = source.stored !== undefined;
  signal?.throwIfAborted();
  const { device, attempts } = askedDevice !== "auto"
    ? { device: askedDevice, attempts: undefined }
    : isExport
    ? { device: "cpu" as const, attempts: undefined }
    : await chooseDevice(source.config, {
      ...{ dtype, kv: askedKv, maxLength, cacheDir, signal },
      onTrial: (device) => report(0, `trying a step on ${device}`),
    });
  const adapter = adapterOf(device);
  const kv = isExport ? askedKv ?? "fp32" : kvFormatOf(device, dtype, askedKv, adapter);
  const formats = isExport ? undefined : formatError(device, dtype, kv, adapter);
  if (formats) throw new RangeError(formats);
  report(1);
  const prepared = opening.use(
    await source.prepare({
      ...{
        dtype,
        target: targetOf(device, kv),
        adapter,
        maxLength,
        cacheDir,
        label: `convert ${name}`,
        onProgress,
        signal,
      },
    }),
  );
  report(2);
  signal?.throwIfAborted();
  const settings = { device, kv, maxLength, threads, spinning, signal } as const;
  const engine = opening.use(await startEngine(prepared, settings));
  await source.check?.({ openCache: engine.openCache, maxLength });
  const notes = [...deviceNotes(engine), ...words.notes ?? []];
  report(3, notes[0]);

  const owned = opening.move();
  const { config, fingerprint, embeddings, bytes: weightsBytes } = prepared;
  return createModel({
    id: isSource ? id.id : String(id),
    ...words,
    ...{ config, fingerprint, dtype: prepared.dtype, kv, maxLength },
    ...given({ attempts, notes: notes.length > 0 ? notes : undefined }),
    ...(embeddings && { embeddings }),
    memory: {
      ...{ weightsBytes, kvBytesPerToken: kvBytesPerToken(config, kv) },
      ...given({ cacheBytes: cacheRoom(adapterOf(device)) }),
    },
    engine: { ...engine, [Symbol.asyncDispose]: () => owned.disposeAsync() },
  });
}
