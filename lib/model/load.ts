/**
 * From an id to a model that decodes.
 *
 * @module
 */

import { ARCHITECTURES, encodeGraph } from "../graph/mod.ts";
import { createSession, type Device, elements } from "../runtime/mod.ts";
import { checkNumber, checkOptions, refusal } from "../_check.ts";
import { openCache } from "./cache.ts";
import { chatTemplate } from "./chat.ts";
import { eosTokenIds, generationDefaults, parseConfig, parseObject } from "./config.ts";
import { readOptional, readText } from "./folder.ts";
import type { Model } from "./model.ts";
import type { Progress } from "./progress.ts";
import { hostSlabs } from "./slabs.ts";
import { folderOf } from "./source.ts";
import { createTokenizer, missingTokenizer } from "./tokenizer.ts";
import { fingerprint, openWeights } from "./weights.ts";

/** Options of {@linkcode loadModel}. */
export interface LoadOptions {
  /** Where to run. Default: "auto". This version decodes on the CPU; other devices are refused. */
  readonly device?: "auto" | Device;
  /** Number format. Default: "auto". This version computes in fp32; others are refused. */
  readonly dtype?: "auto" | "fp32" | "fp16" | "int8" | "int4";
  /** Longest context in tokens. Default: what the model was made for. */
  readonly maxLength?: number;
  /**
   * Threads within an operator. Default: 1 for models below 64 MB of weights, where handing work
   * to a second thread costs more than it saves, else one per physical core.
   */
  readonly threads?: number;
  /** Revision on the hub; refused for folders and embedded models. */
  readonly revision?: string;
  /** Where fetched files are kept. Default: `moi` in the user's cache folder. */
  readonly cacheDir?: string;
  /** Whether the network must not be used. Default: false. */
  readonly offline?: boolean;
  /** Called with the steps of loading. */
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the loading. */
  readonly signal?: AbortSignal;
}

const OPTIONS = [
  "device",
  "dtype",
  "maxLength",
  "threads",
  "revision",
  "cacheDir",
  "offline",
  "onProgress",
  "signal",
] as const satisfies (keyof LoadOptions)[];

/** Size of weights below which one thread is fastest. */
const ONE_THREAD_BYTES = 64e6;

/** Largest number of cosines and sines: 512 MiB, a million positions of a head of 128. */
const MAX_ROTARY = 2 ** 27;

function checkLoad(options: LoadOptions): void {
  checkOptions("load the model", options, OPTIONS);
  const { device = "auto", dtype = "auto", maxLength, threads, revision } = options;
  const fail = (name: string, rule: string, value: unknown) => {
    throw new RangeError(refusal("load the model", name, rule, value));
  };
  if (!["auto", "cpu"].includes(device)) fail("device", "be 'auto' or 'cpu'", device);
  if (!["auto", "fp32"].includes(dtype)) fail("dtype", "be 'auto' or 'fp32'", dtype);
  if (revision !== undefined) fail("revision", "be left out for a local model", revision);
  if (maxLength !== undefined) {
    checkNumber("load the model", "maxLength", maxLength, { min: 1, integer: true });
  }
  if (threads !== undefined) {
    checkNumber("load the model", "threads", threads, { min: 1, max: 1024, integer: true });
  }
}

/**
 * Loads a model.
 *
 * The graph is built here from the checkpoint's own files, with a mixture of embeddings as its
 * input; the weights are mapped, not read into the JavaScript heap.
 *
 * @param id "votes-tiny" or "countdown-tiny" (embedded), or a folder (path or file URL) in Hugging
 * Face format: `config.json`, `model.safetensors`, and usually `generation_config.json`,
 * `tokenizer.json`, `tokenizer_config.json`.
 * @param options Device, dtype, longest context, threads.
 * @returns The model.
 * @throws {RangeError} Where an option is outside its rule.
 * @throws {SyntaxError} Where a file is malformed or asks for what is not implemented.
 * @throws {Deno.errors.NotFound} Where a file is missing.
 *
 * @example The positive control
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
  const { onProgress, signal } = options;
  const report = (done: number) =>
    onProgress?.({ label: `load ${id instanceof URL ? id.pathname : id}`, done, total: 3 });
  report(0);
  const folder = await folderOf(id, options);
  const configText = await readText(folder, "config.json");
  const config = parseConfig(configText);
  const json = parseObject(configText, "config.json");
  const generationText = await readOptional(folder, "generation_config.json");
  const generation = parseObject(generationText ?? "{}", "generation_config.json");
  const tokenizerText = await readOptional(folder, "tokenizer.json");
  const tokenizerConfigText = await readOptional(folder, "tokenizer_config.json") ?? "{}";
  const tokenizerConfig = parseObject(tokenizerConfigText, "tokenizer_config.json");
  const eos = eosTokenIds(generation, json);
  const tokenizer = tokenizerText === undefined
    ? missingTokenizer(eos)
    : createTokenizer(parseObject(tokenizerText, "tokenizer.json"), tokenizerConfig, eos);
  const maxLength = options.maxLength ?? config.maxPositions;
  if (maxLength > config.maxPositions) {
    const rule = `be at most ${config.maxPositions}, the context the model was made for`;
    throw new RangeError(refusal("load the model", "maxLength", rule, maxLength));
  }
  if (maxLength * config.headDim > MAX_ROTARY) {
    const rule = `be at most ${MAX_ROTARY / config.headDim}, so that the rotary tables fit`;
    throw new RangeError(refusal("load the model", "maxLength", rule, maxLength));
  }
  signal?.throwIfAborted();
  report(1);

  const checkpoint = openWeights(folder);
  try {
    const graph = ARCHITECTURES[config.architecture]!(config, checkpoint.weights, maxLength);
    report(2);
    const used = graph.initializers.filter(({ data }) => !(data instanceof Uint8Array));
    const weightsBytes = used.reduce((sum, { dims }) => sum + 4 * elements(dims), 0);
    const threads = options.threads ?? (weightsBytes < ONE_THREAD_BYTES ? 1 : undefined);
    const session = await createSession(encodeGraph(graph), {
      device: "cpu",
      externalData: checkpoint.files,
      ...(threads === undefined ? {} : { threads }),
    });
    const digest = await fingerprint(configText, checkpoint);
    report(3);
    const kvFloats = config.kv.reduce((sum, { kvHeads, headDim }) => sum + kvHeads * headDim, 0);
    let disposed = false;
    return {
      id: String(id),
      fingerprint: digest,
      device: session.device,
      attempts: session.attempts,
      dtype: "fp32",
      maxLength,
      config,
      tokenizer,
      defaults: generationDefaults(generation),
      memory: { weightsBytes, kvBytesPerToken: 4 * 2 * kvFloats },
      chat: chatTemplate(tokenizerConfig),
      openCache({ slots, length }) {
        if (disposed) throw new Error("Cannot open a cache as the model is disposed");
        checkNumber("open a cache", "slots", slots, { min: 1, integer: true });
        checkNumber("open a cache", "length", length, { min: 1, max: maxLength, integer: true });
        const slabs = hostSlabs(config, slots, length);
        return openCache(session, config.vocabularySize, slabs, { slots, length });
      },
      async [Symbol.asyncDispose]() {
        disposed = true;
        await session[Symbol.asyncDispose](); // runs in flight read the mapped weights
        checkpoint[Symbol.dispose]();
      },
    };
  } catch (error) {
    checkpoint[Symbol.dispose]();
    throw error;
  }
}
