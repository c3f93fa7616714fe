/**
 * From an id to a model that decodes.
 *
 * @module
 */

import { createHash } from "node:crypto";
import {
  ARCHITECTURES,
  type DecoderConfig,
  encodeGraph,
  type Graph,
  int8Kv,
  namesIn,
  type RopedConfig,
  SMALL_VOCABULARY,
  type Weights,
  wholeMixtureGraph,
} from "../graph/mod.ts";
import { createSession, defaultSignal, type Device, type MappedFile } from "../runtime/mod.ts";
import { checkNumber, checkOptions, refusal } from "../_check.ts";
import { openCache } from "./cache.ts";
import { chatTemplate } from "./chat.ts";
import {
  eosTokenIds,
  generationDefaults,
  generationNotes,
  headed,
  parseConfig,
  parseObject,
} from "./config.ts";
import { type Dtype, DTYPES, freeMemory, type Prepared, prepareWeights } from "./dtype.ts";
import { defaultCacheDir } from "./embedded.ts";
import { embeddingRows } from "./embeddings.ts";
import { isGguf, modelFiles, requiredText } from "./files.ts";
import { checkUsed } from "./gguf/checkpoint.ts";
import { calibrateKv } from "./kv.ts";
import { lazySession } from "./lazy_session.ts";
import { estimateMemory, kvBytesPerToken } from "./memory.ts";
import type { Model } from "./model.ts";
import { nextTokenSource } from "./next_token.ts";
import { openExport } from "./onnx_export.ts";
import type { Progress } from "./progress.ts";
import { createCopier, deviceSlabs, hostSlabs, KV_TYPES, type KvFormat } from "./slabs.ts";
import { placeOf } from "./source.ts";
import { createTokenizer, missingTokenizer } from "./tokenizer.ts";
import { fingerprint } from "./weights.ts";

/** Options of {@linkcode loadModel}. */
export interface LoadOptions {
  /**
   * Where to run. Default: "auto", which is the CPU: nothing else has been measured faster. "webgpu"
   * decodes in fp32 with the cache on the device, one sequence after the other; tested on a software
   * driver only. "cuda" is tried where its libraries are there, and untested.
   */
  readonly device?: "auto" | Device;
  /**
   * Number format of the weights. Default: "auto", the blocks of a GGUF file as they are ("native"),
   * else the most exact of fp32, int8 and int4 whose weights take at most half of the free memory. The
   * formats are described in `dtype.ts`; what is
   * in use is in `model.dtype`.
   */
  readonly dtype?: "auto" | Dtype;
  /**
   * Number format of keys and values, on the CPU: "fp32" (default), or "int8" for a quarter of the
   * memory. What "int8" changes, and when it is faster and slower, is described in `kv.ts`.
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
   * Whether threads spin while they wait for one another within a step: faster on an idle machine,
   * slower on a shared one. Default: whether less than half of the cores are busy when loading starts.
   */
  readonly spinning?: boolean;
  /** Branch, tag or commit on the hub. Default: "main"; refused for folders and embedded models. */
  readonly revision?: string;
  /** Token for the hub. Default: `HF_TOKEN`, or what `hf auth login` has stored. */
  readonly token?: string;
  /**
   * Where fetched files and quantised weights are kept. Default: `moi` in the user's cache folder,
   * and for models of the hub the cache that Hugging Face's tools share.
   */
  readonly cacheDir?: string;
  /** Whether the network must not be used. Default: false, or what `HF_HUB_OFFLINE` says. */
  readonly offline?: boolean;
  /** Called with the steps of loading, and with the bytes of a download. */
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the loading. */
  readonly signal?: AbortSignal;
}

const OPTIONS = [
  "device",
  "dtype",
  "kv",
  "maxLength",
  "threads",
  "spinning",
  "revision",
  "token",
  "cacheDir",
  "offline",
  "onProgress",
  "signal",
] as const satisfies (keyof LoadOptions)[];

/** Devices that models run on. */
const LOAD_DEVICES: readonly string[] = ["auto", "cpu", "webgpu", "cuda"];

/** Size of weights below which one thread is fastest. */
const ONE_THREAD_BYTES = 64e6;

/** Longest context unless asked for: rotary tables of a million positions take seconds and 512 MiB. */
const USUAL_LENGTH = 2 ** 17;

/** Largest number of cosines and sines: 512 MiB, a million positions of a head of 128. */
const MAX_ROTARY = 2 ** 27;

function checkLoad(options: LoadOptions): void {
  checkOptions("load the model", options, OPTIONS);
  const { device = "auto", dtype = "auto", kv = "fp32", maxLength, threads, spinning } = options;
  const fail = (name: string, rule: string, value: unknown) => {
    throw new RangeError(refusal("load the model", name, rule, value));
  };
  if (!LOAD_DEVICES.includes(device)) {
    fail("device", `be ${LOAD_DEVICES.map((name) => `'${name}'`).join(", ")}`, device);
  }
  if (device !== "auto" && device !== "cpu" && dtype !== "auto" && dtype !== "fp32") {
    fail("dtype", `be 'auto' or 'fp32' on ${device}`, dtype);
  }
  if (dtype !== "auto" && dtype !== "native" && !DTYPES.includes(dtype)) {
    fail("dtype", "be 'auto', 'fp32', 'fp16', 'int8', 'int4' or 'native'", dtype);
  }
  if (!Object.hasOwn(KV_TYPES, kv)) fail("kv", "be 'fp32' or 'int8'", kv);
  if (kv !== "fp32" && device !== "auto" && device !== "cpu") {
    fail("kv", `be 'fp32' on ${device}`, kv);
  }
  if (spinning !== undefined && typeof spinning !== "boolean") {
    throw new TypeError(refusal("load the model", "spinning", "be true or false", spinning));
  }
  if (maxLength !== undefined) {
    checkNumber("load the model", "maxLength", maxLength, { min: 1, integer: true });
  }
  if (threads !== undefined) {
    checkNumber("load the model", "threads", threads, { min: 1, max: 1024, integer: true });
  }
}

/**
 * Default context: what the model was made for, within reason; with longrope what its list for short
 * contexts serves, since a longer context changes the numbers of short ones.
 */
function usualLength(config: DecoderConfig): number {
  const { rope } = config as Partial<RopedConfig>;
  const short = rope?.scaling.type === "longrope" ? rope.scaling.originalPositions : Infinity;
  return Math.min(config.maxPositions, short, USUAL_LENGTH);
}

/** Refuses weights that free memory cannot hold, naming formats that would fit. */
function checkFits(config: DecoderConfig, dtype: Dtype, free: number): void {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const bytes = (dtype: Dtype) => estimateMemory(config, { dtype, length: 1 }).weightsBytes;
  if (bytes(dtype) <= free) return;
  const fitting = DTYPES.filter((other) => bytes(other) <= free)
    .map((other) => `${other} needs ${gib(bytes(other))}`);
  throw new RangeError(
    `Cannot load the model as its weights in ${dtype} need ${gib(bytes(dtype))} and ${
      gib(free)
    } are free: ${fitting.join(", ") || "no number format would fit"}`,
  );
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

/** How to get what a device needs, where ONNX Runtime says that it is missing. */
const HINTS: Readonly<Record<string, string>> = {
  cuda:
    "its libraries come with the install script of npm:onnxruntime-node (Linux x64, CUDA 12): " +
    "run 'npm install onnxruntime-node' and put the libonnxruntime_providers_*.so files beside the library",
  webgpu: "it needs a GPU driver with Vulkan, Metal or Direct3D 12",
};

/**
 * Does work that reads mapped files once, such as starting a session that copies them, without
 * letting what it has read pile up in memory.
 */
async function forgetting<T>(files: readonly MappedFile[], work: () => Promise<T>): Promise<T> {
  const EVERY_MS = 20;
  const forget = () => files.forEach((file) => file.forget());
  const timer = setInterval(forget, EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    forget();
  }
}

/** First 16 hex digits of a chat template's SHA-256. */
function digestOf(template: unknown): string | undefined {
  if (template === undefined || template === null) return undefined;
  return createHash("sha256").update(JSON.stringify(template)).digest("hex").slice(0, 16);
}

/**
 * Loads a model.
 *
 * The graph is built here from the checkpoint's own files, with a mixture of embeddings as its
 * input; the weights are mapped, not read into the JavaScript heap.
 *
 * @param id "votes-tiny", "countdown-tiny-baseline" or "countdown-tiny" (embedded), or a folder (path or
 * file URL) in Hugging Face format: `config.json`, `model.safetensors`, and usually `generation_config.json`,
 * `tokenizer.json`, `tokenizer_config.json`; or a GGUF file (of a split one any part), or a folder with
 * one and nothing else. A folder without `model.safetensors` and its index may
 * hold an ONNX export instead (`onnx/model*.onnx` or `model*.onnx`; `dtype` chooses among several):
 * it is cut at its embedding, and refused where it then gives other logits than before. A checkpoint
 * wins where both are there. Where there is no folder of that name, "org/name" (or "org/name/file.gguf") is
 * downloaded from the Hugging Face Hub, as {@linkcode downloadModel} does.
 * @param options Device, dtype, longest context, threads.
 * @returns The model.
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
export async function loadModel(id: string | URL, options: LoadOptions = {}): Promise<Model> {
  checkLoad(options);
  const { onProgress, signal = defaultSignal() } = options, idle = isIdle();
  const name = id instanceof URL ? id.pathname : id;
  const report = (done: number, note?: string) =>
    onProgress?.({
      label: `load ${name}`,
      done,
      total: 3,
      ...(note === undefined ? {} : { note }),
    });
  report(0);
  const place = await placeOf(id, signal ? { ...options, signal } : options),
    files = modelFiles(place);
  const configText = await requiredText(files, "config.json", place);
  using opening = new DisposableStack();
  const exported = isGguf(place) ? undefined : await openExport(place, configText, options.dtype);
  if (exported) opening.use(exported);
  const { kv = "fp32" } = options;
  if (exported && kv !== "fp32") {
    throw new RangeError(refusal("load the model", "kv", "be 'fp32' for an ONNX export", kv));
  }
  const stated = exported?.config ?? parseConfig(configText);
  const json = parseObject(configText, "config.json");
  const generation = await files.json("generation_config.json") ?? {};
  const definition = await files.json("tokenizer.json");
  const tokenizerConfig = await files.json("tokenizer_config.json") ?? {};
  const templateFile = await files.text("chat_template.jinja") ??
    (await files.json("chat_template.json") as { chat_template?: unknown } | undefined)
      ?.chat_template; // where processors of earlier releases keep it
  const chatConfig = templateFile === undefined
    ? tokenizerConfig
    : { ...tokenizerConfig, chat_template: templateFile };
  const template = digestOf(chatConfig.chat_template);
  const defaults = generationDefaults(generation), notes = generationNotes(generation);
  const eos = eosTokenIds(generation, json);
  const tokenizer = definition === undefined
    ? missingTokenizer(eos)
    : createTokenizer(definition, tokenizerConfig, eos);
  const maxLength = options.maxLength ?? usualLength(stated);
  const { longestPositions = stated.maxPositions } = stated;
  if (maxLength > longestPositions) {
    const { rope } = stated as Partial<RopedConfig>;
    const why = longestPositions > stated.maxPositions
      ? "the context the model was made for times its linear scaling"
      : rope?.scaling.type === "dynamic"
      ? "the context the model was made for: beyond it, its dynamic scaling changes with every token"
      : "the context the model was made for";
    const rule = `be at most ${longestPositions}, ${why}`;
    throw new RangeError(refusal("load the model", "maxLength", rule, maxLength));
  }
  if (maxLength * stated.headDim > MAX_ROTARY) {
    const rule = `be at most ${MAX_ROTARY / stated.headDim}, so that the rotary tables fit`;
    throw new RangeError(refusal("load the model", "maxLength", rule, maxLength));
  }
  signal?.throwIfAborted();
  report(1);

  const device = options.device === undefined || options.device === "auto" ? "cpu" : options.device;
  const asked = device === "cpu" ? options.dtype ?? "auto" : "fp32";
  const checkpoint = exported ?? await files.weights();
  let prepared: Prepared | undefined;
  const close = () => {
    prepared?.[Symbol.dispose]();
    checkpoint[Symbol.dispose]();
  };
  try {
    const hasHead = checkpoint.weights.has(namesIn(checkpoint.weights)("lm_head.weight"));
    const config = exported ? stated : headed(stated, configText, hasHead);
    const build = (weights: Weights) =>
      ARCHITECTURES[config.architecture]!.graph(config, weights, maxLength);
    const digest = await fingerprint(configText, checkpoint);
    if (!exported) {
      const plain = build(checkpoint.weights); // refuses a checkpoint that is not what its config says
      if (isGguf(place)) checkUsed(plain, checkpoint);
      checkFits(config, asked === "auto" || asked === "native" ? "int4" : asked, freeMemory());
      prepared = await prepareWeights(checkpoint, plain, build, {
        dtype: asked,
        vocabularySize: config.vocabularySize,
        fingerprint: digest,
        cacheDir: options.cacheDir ?? defaultCacheDir(),
        label: `convert ${name}`,
        ...(onProgress ? { onProgress } : {}),
        ...(signal ? { signal } : {}),
      });
    }
    const source = exported ?? prepared!;
    const { dtype, graph, data, bytes: weightsBytes } = source;
    report(2);
    signal?.throwIfAborted();
    const most = navigator.hardwareConcurrency > config.heads ? config.heads : undefined;
    const threads = options.threads ?? (weightsBytes < ONE_THREAD_BYTES ? 1 : most);
    const { spinning = idle } = options;
    const starting = { ...data, spinning, ...(threads === undefined ? {} : { threads }) };
    const start = (graph: Graph | Uint8Array<ArrayBuffer>) =>
      forgetting(
        Object.values(data.externalData ?? {}),
        () =>
          createSession(graph instanceof Uint8Array ? graph : encodeGraph(graph), {
            ...starting,
            device,
          }),
      ).catch((cause) => {
        if (!Object.hasOwn(HINTS, device)) throw cause;
        throw new Error(
          `Cannot load the model on ${device}: ${cause.message.trim()}; ${HINTS[device]}`,
          {
            cause,
          },
        );
      });
    let running = graph;
    if (kv === "int8" && !(graph instanceof Uint8Array)) {
      await using exact = await start(graph);
      running = int8Kv(graph, config.kv, await calibrateKv(exact, config, maxLength));
      signal?.throwIfAborted();
    }
    const session = await start(running);
    const copier = session.deviceAllocator === null ? undefined : await createCopier(device);
    const isLarge = config.vocabularySize > SMALL_VOCABULARY;
    const table = graph instanceof Uint8Array || !isLarge
      ? undefined
      : lazySession(() => wholeMixtureGraph(graph), starting);
    const nextToken = isLarge ? nextTokenSource(config.vocabularySize, threads) : undefined;
    const rows = embeddingRows(checkpoint, config);
    let disposed = false;
    const model: Model = {
      id: String(id),
      fingerprint: digest,
      device: session.device,
      attempts: session.attempts,
      threads,
      dtype,
      kv,
      maxLength,
      config,
      tokenizer,
      defaults,
      ...(notes.length > 0 ? { notes } : {}),
      memory: { weightsBytes, kvBytesPerToken: kvBytesPerToken(config, kv) },
      chat: chatTemplate(chatConfig),
      ...(template === undefined ? {} : { template }),
      openCache({ slots, length }) {
        if (disposed) throw new Error("Cannot open a cache as the model is disposed");
        checkNumber("open a cache", "slots", slots, { min: 1, integer: true });
        checkNumber("open a cache", "length", length, { min: 1, max: maxLength, integer: true });
        const slabs = copier
          ? deviceSlabs(session, copier, config, slots, length)
          : hostSlabs(config, slots, length, kv);
        return openCache(session, config, slabs, { slots, length }, table);
      },
      ...(nextToken && {
        openNextToken() {
          if (disposed) throw new Error("Cannot look at logits as the model is disposed");
          return nextToken.open();
        },
      }),
      ...(rows && {
        embeddings(ids) {
          if (disposed) throw new Error("Cannot read embeddings as the model is disposed");
          return rows(ids);
        },
      }),
      async [Symbol.asyncDispose]() {
        disposed = true;
        await table?.[Symbol.asyncDispose]();
        await nextToken?.[Symbol.asyncDispose]();
        await copier?.[Symbol.asyncDispose]();
        await session[Symbol.asyncDispose](); // runs in flight read the mapped weights
        close();
      },
    };
    try {
      await exported?.check(model);
    } catch (error) {
      await model[Symbol.asyncDispose]();
      throw error;
    }
    report(3, notes[0]);
    opening.move(); // the model disposes it
    return model;
  } catch (error) {
    close();
    throw error;
  }
}
