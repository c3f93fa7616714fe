/**
 * A GGUF file as a model of llama.cpp.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { type Llama, type LlamaDevice, openLlama } from "../../llama/library.ts";
import { llamaTokenizer } from "./tokenizer.ts";
import { adapters } from "../../runtime/mod.ts";
import { busyCores } from "../busy.ts";
import { refusal } from "../../_check.ts";
import { gib } from "../../_gib.ts";
import { given } from "../../_given.ts";
import { type Attempt, SMALL_BYTES } from "../auto.ts";
import { fingerprint } from "../checkpoint.ts";
import { deviceNotes } from "../device_notes.ts";
import { freeMemory } from "../dtype.ts";
import { samplingOf } from "../gguf/config.ts";
import { shapeOf } from "../gguf/shape.ts";
import { checkSound } from "../gguf/sound.ts";
import { isGguf, openGguf, partNames } from "../gguf/split.ts";
import { namedTokens } from "../gguf/tokenizer.ts";
import { lengthOf } from "../length.ts";
import { startLlama } from "./engine.ts";
import { kvBytesPerToken } from "../memory.ts";
import { checkId } from "../mixture.ts";
import { createModel, type Model } from "../model.ts";
import type { Progress } from "../progress.ts";
import { cacheRoom } from "../room.ts";
import { wordsOf } from "../words.ts";

/** What a load is asked for: options of `loadModel`. */
export interface LlamaLoad {
  readonly id: string;
  readonly device: "auto" | LlamaDevice;
  readonly kv: "fp32" | "fp16";
  readonly maxLength: number | undefined;
  readonly threads: number | undefined;
  readonly attempts: readonly Attempt[];
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Part of what is free on GPUs that weights may take. */
const WEIGHTS_SHARE = 0.9;

const freeOn = ({ gpus }: Llama) => gpus.reduce((sum, gpu) => sum + gpu.free(), 0);

/** Why weights have no room on GPUs; undefined where they have, or nobody knows. */
function noRoom(llama: Llama, bytes: number): string | undefined {
  const free = freeOn(llama);
  if (free === 0 || bytes <= WEIGHTS_SHARE * free) return undefined;
  return `its weights need ${gib(bytes)} and ${gib(free)} are free there`;
}

/** Opens the libraries for the GPU where there is one with room, else for the processor. */
async function chooseLlama(bytes: number, attempts: Attempt[]): Promise<Llama> {
  const device = Deno.build.os === "darwin" ? "metal" : "vulkan";
  const refuse = (why: string) => attempts.push({ engine: "llama.cpp", device, why });
  const adapter = adapters().find((one) => one.device === "webgpu" && one.chosen); // the same drivers
  if (bytes < SMALL_BYTES) refuse("the model is small");
  else if (!adapter) refuse("there is no GPU for it");
  else if (adapter.kind === "emulated") refuse(`${adapter.name} is an emulator on the CPU`);
  else {
    try {
      const llama = await openLlama(device), why = noRoom(llama, bytes);
      if (why === undefined) return llama;
      refuse(why);
    } catch (error) {
      refuse((error as Error).message);
    }
  }
  return await openLlama("cpu");
}

/**
 * Threads where nobody says: one for small models, else one per core that is not busy, of many half as many. They
 * spin while they wait for one another, so that beside a busy process each more makes a step slower by far.
 */
function usualThreads(bytes: number): number {
  const cores = navigator.hardwareConcurrency, busy = Math.round(busyCores() ?? 0);
  if (bytes < SMALL_BYTES) return 1;
  return Math.max(1, Math.min(cores > 4 ? Math.floor(cores / 2) : cores, cores - busy));
}

/**
 * Loads a GGUF file by llama.cpp.
 *
 * @param place The file, of a split one any part.
 * @throws {SyntaxError} Where the file is damaged, or llama.cpp cannot use it.
 */
export async function loadLlama(
  place: string,
  { id, device, kv, maxLength: asked, threads, signal, onProgress, ...known }: LlamaLoad,
): Promise<Model> {
  if (!isGguf(place)) {
    const rule = "be 'onnxruntime' for what is no GGUF file: llama.cpp reads those alone";
    throw new RangeError(refusal("load the model", "engine", rule, "llama.cpp"));
  }
  await using scope = new AsyncDisposableStack();
  const { gguf, files } = scope.use(openGguf(place)), attempts = [...known.attempts];
  checkSound(gguf);
  const config = shapeOf(gguf), maxLength = lengthOf(config, asked);
  const weightsBytes = gguf.tensors.values().reduce((sum, { length }) => sum + length, 0);
  const llama = await (device === "auto" ? chooseLlama(weightsBytes, attempts) : openLlama(device));
  const why = llama.device === "cpu"
    ? weightsBytes > freeMemory() &&
      `its weights need ${gib(weightsBytes)} and ${gib(freeMemory())} are free`
    : noRoom(llama, weightsBytes);
  if (why) throw new RangeError(`Cannot load the model on ${llama.device} as ${why}`);
  attempts.push({ engine: "llama.cpp", device: llama.device });

  const { type, offset, length, part = 0 } = gguf.tensors.get("token_embd.weight")!;
  const table = {
    ...{ type, rows: config.vocabularySize, width: config.hiddenSize },
    bytes: new Uint8Array(files[part]!.buffer, offset, length),
  };
  const gathered = gguf.tensors.has("output.weight") ? ["token_embd.weight"] : []; // else it is the head as well
  const matrices = [...gguf.tensors].filter(([name, { dims }]) =>
    dims.length > 1 && !gathered.includes(name)
  );
  const label = `load ${id}`, total = 100;
  const { engine, model, read } = await startLlama(llama, {
    path: join(dirname(place), partNames(basename(place))[0]!),
    ...{ table, types: new Set(matrices.map(([, { type }]) => type)), kv, signal },
    ...{ maxPositions: config.maxPositions, bytes: kvBytesPerToken(config, kv) },
    free: () => llama.device === "cpu" ? freeMemory() : freeOn(llama),
    threads: threads ?? usualThreads(weightsBytes),
    onProgress: (part) => onProgress?.({ label, done: Math.floor(part * (total - 1)), total }),
  });
  scope.use(engine);
  const contents = new Map<string, Record<string, unknown>>([
    ["generation_config.json", samplingOf(gguf)],
    ["tokenizer_config.json", namedTokens(gguf)],
  ]);
  const words = await wordsOf({
    json: (name) => Promise.resolve(contents.get(name)),
    text: () => Promise.resolve(undefined),
  });
  const tokenizer = llamaTokenizer(llama, model, config.vocabularySize, gguf);
  const free = freeOn(llama);
  const notes = [...deviceNotes(engine), ...words.notes ?? []];
  onProgress?.({ label, done: total, total, ...given({ note: notes[0] }) });
  const owned = scope.move();
  return createModel({
    ...{ id, config, kv, maxLength, ...words, tokenizer, dtype: "native", attempts },
    ...given({ notes: notes.length > 0 ? notes : undefined }),
    fingerprint: fingerprint(JSON.stringify(config), {
      files: Object.fromEntries(files.entries()),
    }),
    memory: {
      ...{ weightsBytes, kvBytesPerToken: kvBytesPerToken(config, kv) },
      ...given({ cacheBytes: cacheRoom(free > 0 ? free : undefined) }),
    },
    embeddings: (ids) =>
      Array.from(ids, (id) => {
        checkId("a token", id, config.vocabularySize);
        const row = new Float32Array(config.hiddenSize);
        read(id, row);
        return row;
      }),
    engine: { ...engine, [Symbol.asyncDispose]: () => owned.disposeAsync() },
  });
}
