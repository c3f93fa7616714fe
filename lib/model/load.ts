/**
 * From an id to a model that decodes.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ARCHITECTURES, encodeGraph, type Weights } from "../graph/mod.ts";
import { createSession, type Device, elements, mapFile, type Memory } from "../runtime/mod.ts";
import { checkNumber, checkOptions, refusal } from "../_check.ts";
import { openCache } from "./cache.ts";
import { chatTemplate } from "./chat.ts";
import { eosTokenIds, generationDefaults, parseConfig, parseObject } from "./config.ts";
import { EMBEDDED, embeddedFolder } from "./embedded.ts";
import type { Model } from "./model.ts";
import type { Progress } from "./progress.ts";
import { parseSafetensors } from "./safetensors.ts";
import { createTokenizer, missingTokenizer } from "./tokenizer.ts";

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

async function folderOf(id: string | URL, options: LoadOptions): Promise<string> {
  if (id instanceof URL) {
    if (id.protocol === "file:") return fileURLToPath(id);
    throw new RangeError(refusal("load the model", "id", "be a file URL", id.href));
  }
  if (EMBEDDED.includes(id)) return await embeddedFolder(id, options);
  if (id.startsWith("file:")) return fileURLToPath(id);
  const found = await Deno.stat(id).catch(() => undefined);
  if (!found?.isDirectory) {
    throw new Deno.errors.NotFound(refusal(
      "load the model",
      "id",
      `be ${EMBEDDED.map((name) => `'${name}'`).join(", ")} or a folder with config.json and ` +
        "model.safetensors (this version downloads nothing and reads no .gguf file)",
      id,
    ));
  }
  return id;
}

async function readText(folder: string, file: string): Promise<string> {
  try {
    return await Deno.readTextFile(join(folder, file));
  } catch (cause) {
    throw new Deno.errors.NotFound(
      `Cannot load the model as ${join(folder, file)} cannot be read`,
      {
        cause,
      },
    );
  }
}

async function readOptional(folder: string, file: string): Promise<string | undefined> {
  const exists = await Deno.stat(join(folder, file)).catch(() => undefined);
  return exists ? await readText(folder, file) : undefined;
}

function openWeights(folder: string): { memory: Memory; weights: Weights } {
  const file = "model.safetensors", path = join(folder, file);
  let memory: Memory;
  try {
    memory = mapFile(path);
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw new Deno.errors.NotFound(`Cannot load the model as ${path} cannot be read`, { cause });
  }
  try {
    return { memory, weights: parseSafetensors(new Uint8Array(memory.buffer), file) };
  } catch (error) {
    memory[Symbol.dispose]();
    throw error;
  }
}

/** A digest that tells checkpoints apart without reading all of a large one. */
async function fingerprint(config: string, memory: Memory): Promise<string> {
  const SAMPLES = 64, SAMPLE = 4096;
  const file = new Uint8Array(memory.buffer);
  const stride = Math.max(SAMPLE, Math.floor(file.length / SAMPLES));
  const parts = [new TextEncoder().encode(`${config}${file.length}`)];
  for (let at = 0; at < file.length; at += stride) parts.push(file.slice(at, at + SAMPLE));
  parts.push(file.slice(-SAMPLE));
  const digest = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
  return Array.from(new Uint8Array(digest, 0, 8), (b) => b.toString(16).padStart(2, "0")).join("");
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

  const { memory, weights } = openWeights(folder);
  try {
    const graph = ARCHITECTURES[config.architecture]!(config, weights, maxLength);
    report(2);
    const threads = options.threads ?? (memory.byteLength < ONE_THREAD_BYTES ? 1 : undefined);
    const session = await createSession(encodeGraph(graph), {
      device: "cpu",
      externalData: { "model.safetensors": memory },
      ...(threads === undefined ? {} : { threads }),
    });
    const digest = await fingerprint(configText, memory);
    report(3);
    const used = graph.initializers.filter(({ data }) => !(data instanceof Uint8Array));
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
      memory: {
        weightsBytes: used.reduce((sum, { dims }) => sum + 4 * elements(dims), 0),
        kvBytesPerToken: 4 * 2 * config.layers * config.kvHeads * config.headDim,
      },
      chat: chatTemplate(tokenizerConfig),
      openCache({ slots, length }) {
        if (disposed) throw new Error("Cannot open a cache as the model is disposed");
        checkNumber("open a cache", "slots", slots, { min: 1, integer: true });
        checkNumber("open a cache", "length", length, { min: 1, max: maxLength, integer: true });
        return openCache(session, config, slots, length);
      },
      async [Symbol.asyncDispose]() {
        disposed = true;
        await session[Symbol.asyncDispose](); // runs in flight read the mapped weights
        memory[Symbol.dispose]();
      },
    };
  } catch (error) {
    memory[Symbol.dispose]();
    throw error;
  }
}
