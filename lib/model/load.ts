/**
 * From an id to a model that decodes.
 *
 * @module
 */

import { type Adapter, adapters, type Device, nextSignal } from "../runtime/mod.ts";
import { defaultCacheDir } from "../_cache_home.ts";
import { boolean, checkOptions, number, oneOf, refusal, type Rules } from "../_check.ts";
import { given } from "../_given.ts";
import type { LlamaDevice } from "../llama/mod.ts";
import { type Attempt, chooseDevice } from "./auto.ts";
import { busyCores } from "./busy.ts";
import { deviceNotes } from "./device_notes.ts";
import { type Dtype, DTYPES } from "./dtype.ts";
import type { EngineName, KvFormat } from "./engine.ts";
import { isGguf } from "./gguf/split.ts";
import { lengthOf } from "./length.ts";
import { loadLlama } from "./llama/load.ts";
import { DATASET_RULES, type DatasetOptions } from "./hub.ts";
import { kvBytesPerToken } from "./memory.ts";
import { createModel, type Model } from "./model.ts";
import { startEngine } from "./onnx_engine.ts";
import { placeOf } from "./place.ts";
import { cacheRoom } from "./room.ts";
import { openSource } from "./sources/mod.ts";
import { formatError, kvFormatOf, targetOf } from "./target.ts";
import type { Source } from "./sources/source.ts";
import { wordsOf } from "./words.ts";

/** Options of {@linkcode loadModel}; a revision is refused for folders and embedded models. */
export interface LoadOptions extends DatasetOptions {
  /**
   * What computes. Default: "auto", ONNX Runtime where it supports the file and the device, else for GGUF files
   * llama.cpp (see `lib/llama/mod.ts`); why is in `model.attempts`.
   */
  readonly engine?: "auto" | EngineName;
  /**
   * Where to run. Default: "auto", the device on which a step of the model's shape is fastest, by a trial of
   * two seconds each that is kept in the cache folder; the CPU where there is no GPU, only an emulated one, or
   * the model is small. With llama.cpp a GPU that has room for the weights, else the CPU. What was tried is in
   * `model.attempts`. What each device needs: see `lib/runtime/mod.ts` for "webgpu" and "cuda", and
   * `lib/llama/library.ts` for llama.cpp's "vulkan", "metal" and "cuda".
   */
  readonly device?: "auto" | Device | LlamaDevice;
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
   * With llama.cpp "fp16" (default) or "fp32".
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
   * sums them in another order than in a batch. With llama.cpp 1 or one per core, of more than 4 half as many.
   */
  readonly threads?: number;
  /**
   * Whether threads spin while they wait within a step: faster on an idle machine, slower on a
   * shared one. Default: whether less than half of the cores are busy when loading starts. Refused with llama.cpp,
   * whose threads always do.
   */
  readonly spinning?: boolean;
  /**
   * Where fetched files and quantised weights are kept. Default: `moi` in the user's cache folder,
   * and for models of the hub the cache that Hugging Face's tools share.
   */
  readonly cacheDir?: string;
}

const RULES: Rules<LoadOptions> = {
  engine: oneOf("auto", "onnxruntime", "llama.cpp"),
  device: oneOf("auto", "cpu", "webgpu", "cuda", "vulkan", "metal"),
  dtype: oneOf("auto", ...DTYPES, "native"),
  kv: oneOf("fp32", "fp16", "int8"),
  maxLength: number({ min: 1, integer: true }),
  threads: number({ min: 1, max: 1024, integer: true }),
  spinning: boolean,
  ...DATASET_RULES,
};

/** The GPU that a device uses; undefined where none is known. */
function adapterOf(device: Device): Adapter | undefined {
  if (device === "cpu") return undefined;
  return adapters().find((one) => one.device === device && one.chosen);
}

/** Whether less than half of the cores were busy in the last minute; false where that is not known. */
const isIdle = () => (busyCores() ?? Infinity) < navigator.hardwareConcurrency / 2;

/** Stages of a load on ONNX Runtime: found, opened, converted, started. */
const STAGES = 3;

/** Devices of llama.cpp alone, and of ONNX Runtime alone. */
const LLAMA_DEVICES = ["vulkan", "metal"], ONNX_DEVICES = ["webgpu"];

/** Whether options can be meant for llama.cpp alone. */
export const asksLlama = ({ engine, device = "auto" }: LoadOptions): boolean =>
  engine === "llama.cpp" || LLAMA_DEVICES.includes(device);

/** Refuses what llama.cpp does not take; the rest. */
function llamaOptions({ dtype, kv = "fp16", device = "auto", spinning, threads }: LoadOptions) {
  const refuse = (name: string, rule: string, value: unknown): never => {
    const message = refusal("load the model", name, `${rule} with llama.cpp`, value);
    throw new RangeError(message);
  };
  if (dtype !== undefined && dtype !== "auto" && dtype !== "native") {
    refuse("dtype", "be 'auto' or 'native'", dtype);
  }
  if (ONNX_DEVICES.includes(device)) {
    refuse("device", "be 'auto', 'cpu', 'vulkan', 'metal' or 'cuda'", device);
  }
  if (spinning !== undefined) refuse("spinning", "be left out", spinning);
  const cores = navigator.hardwareConcurrency; // its threads spin until all have done their part
  if (threads !== undefined && threads > cores) refuse("threads", `be at most ${cores}`, threads);
  if (kv === "int8") return refuse("kv", "be 'fp16' or 'fp32'", kv);
  return { device: device as "auto" | LlamaDevice, kv };
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
  const { engine = "auto", device = "auto", maxLength, threads, onProgress } = options;
  const signal = options.signal ?? nextSignal();
  const checkDevice = (why: string) => {
    if (engine === "llama.cpp" || !asksLlama(options)) return;
    const rule = `be 'auto', 'cpu', 'webgpu' or 'cuda' ${why}`;
    throw new RangeError(refusal("load the model", "device", rule, device));
  };
  if (engine === "onnxruntime") checkDevice("with ONNX Runtime");
  const isSource = typeof id === "object" && id !== null && "prepare" in id;
  const named = isSource ? id.id : String(id);
  onProgress?.({ label: `load ${named}`, done: 0, total: STAGES });
  const place = isSource ? id : await placeOf(id, given({ ...options, signal }));
  if (isSource || !isGguf(place as string)) checkDevice("for what is no GGUF file");
  const byLlama = async (attempts: readonly Attempt[]) => {
    const known = { ...llamaOptions(options), ...{ id: named, maxLength, threads, attempts } };
    return await loadLlama(place as string, { ...known, onProgress, signal });
  };
  if (isSource && asksLlama(options)) {
    const rule = "be 'onnxruntime' for a source: llama.cpp reads GGUF files alone";
    throw new RangeError(refusal("load the model", "engine", rule, engine));
  }
  if (asksLlama(options)) return await byLlama([]);
  try {
    return await loadOnnx(named, place, options, signal);
  } catch (error) {
    const canBeOther = engine === "auto" && typeof place === "string" && isGguf(place);
    const isUnsupported = error instanceof SyntaxError || device === "cuda"; // the file, or the device
    if (!canBeOther || !isUnsupported || signal?.aborted) throw error;
    const why = (error as Error).message;
    return await byLlama([{ engine: "onnxruntime", device, why }]).catch((cause) => {
      if (signal?.aborted) throw cause;
      throw new SyntaxError(`${why}; and by llama.cpp: ${(cause as Error).message}`, { cause });
    });
  }
}

/** Loads a model on ONNX Runtime. */
async function loadOnnx(
  named: string,
  place: string | Source,
  options: LoadOptions,
  signal: AbortSignal | undefined,
): Promise<Model> {
  const { device: asked = "auto", maxLength: askedLength, ...others } = options;
  const askedDevice = asked as "auto" | Device; // those of llama.cpp do not come here
  const { kv: askedKv, threads, spinning = isIdle(), ...places } = others;
  const { dtype = "auto", cacheDir = defaultCacheDir(), onProgress } = places;
  const report = (done: number, note?: string) =>
    onProgress?.({ label: `load ${named}`, done, total: STAGES, ...(note ? { note } : {}) });
  await using opening = new AsyncDisposableStack();

  const source = opening.use(typeof place === "string" ? await openSource(place, dtype) : place);
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
        label: `convert ${named}`,
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
  report(STAGES, notes[0]);

  const owned = opening.move();
  const { config, fingerprint, embeddings, bytes: weightsBytes } = prepared;
  return createModel({
    id: named,
    ...words,
    ...{ config, fingerprint, dtype: prepared.dtype, kv, maxLength },
    ...given({ attempts, notes: notes.length > 0 ? notes : undefined }),
    ...(embeddings && { embeddings }),
    memory: {
      ...{ weightsBytes, kvBytesPerToken: kvBytesPerToken(config, kv) },
      ...given({ cacheBytes: cacheRoom(adapterOf(device)?.memory?.free) }),
    },
    engine: { ...engine, [Symbol.asyncDispose]: () => owned.disposeAsync() },
  });
}
