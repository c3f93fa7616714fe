/**
 * Whether a device computes what the CPU does: asked when a model is loaded, before it is trusted.
 *
 * Kernels of attention have been wrong on some drivers for prompts of 32 and more positions, and right for
 * shorter ones. So the beginning of the model, up to its first attention, runs on both: a prompt in one
 * piece of a full chunk and one after it, then in shorter chunks until they agree, and steps of a batch.
 * Then the whole model takes steps, alone and with others in a batch, which are recorded and played back.
 *
 * @module
 */

import type { DecoderConfig, FirstAttention } from "../graph/mod.ts";
import type { Session } from "../runtime/mod.ts";
import { openCache, PREFILL_CHUNK } from "./cache.ts";
import type { DeviceCheck, KvCache } from "./engine.ts";
import type { Input } from "./mixture.ts";
import type { Slabs } from "./slabs.ts";
import { spreadToken, spreadTokens } from "./spread.ts";

/** Lengths of chunks that are tried. */
const CHUNKS = [PREFILL_CHUNK, 24, 8] as const;
/** Positions after the first chunk. */
const REST = 40;
/** Steps after the prompt: enough that runs are recorded and played back. */
const STEPS = 6;
/** Rows of a batch. */
const SLOTS = 5;
/** Largest difference, as a share of the largest number: of float32 sums, of float16. */
const TOLERANCE = { float32: 1e-3, float16: 3e-2 } as const;

/** A session of the beginning of a model, and memory for its cache. */
export interface Probe {
  readonly session: Session;
  slabs(slots: number, length: number): Slabs;
}

/** The beginning of a model as it is run on a device and on the CPU. */
export interface ProbeCase extends Pick<FirstAttention, "width"> {
  readonly device: Probe;
  readonly host: Probe;
}

/** The largest difference of numbers, as a share of a scale, by default the largest of those that are due. */
function differenceOf(
  found: Float32Array,
  due: Float32Array,
  scale = due.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6),
): number {
  let worst = 0;
  for (let k = 0; k < found.length; k++) {
    worst = Math.max(worst, Math.abs(found[k]! - due[k]!) / scale); // NaN, once there is one
  }
  return worst;
}

/** Compares a beginning of a model on a device, in chunks, with the CPU. */
async function compare(
  config: DecoderConfig,
  { width, device, host }: ProbeCase,
  chunk: number,
  maxLength: number,
) {
  const length = Math.min(PREFILL_CHUNK + REST, maxLength), { vocabularySize } = config;
  const steps = Math.min(STEPS, length - 1);
  const tokenAt = (i: number) => spreadToken(i, vocabularySize);
  const prompt: Input[] = spreadTokens(length - steps, vocabularySize);
  const mixture = { ids: [tokenAt(1), tokenAt(2), tokenAt(3)], weights: [0.5, 0.3, 0.2] };
  prompt[Math.floor(prompt.length / 2)] = mixture;
  const run = async ({ session, slabs }: Probe, chunk: number) => {
    const options = { slots: SLOTS, length, chunk, width };
    using cache = openCache(session, config, slabs(SLOTS, length), options);
    const rows = [await cache.prefill(0, 0, prompt, "all")];
    for (let slot = 1; slot < SLOTS; slot++) await cache.copy(0, slot, prompt.length);
    for (let step = 0; step < steps; step++) {
      const at = Array<number>(SLOTS).fill(prompt.length + step);
      const inputs = at.map((_, slot) => slot === 0 ? mixture : tokenAt(step + slot));
      rows.push((await cache.step(inputs, at)).slice(0, SLOTS * width));
    }
    return rows;
  };
  const due = await run(host, PREFILL_CHUNK), found = await run(device, chunk);
  const scale = due[0]!.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  return Math.max(...found.map((row, i) => differenceOf(row, due[i]!, scale)));
}

/**
 * Compares the beginnings of a model on a device with the CPU.
 *
 * @returns What was found; undefined where no chunk is computed rightly.
 */
export async function checkDevice(
  config: DecoderConfig,
  cases: readonly ProbeCase[],
  { type, maxLength }: { readonly type: keyof typeof TOLERANCE; readonly maxLength: number },
): Promise<Required<Omit<DeviceCheck, "isBatchExact">> | undefined> {
  let found = { chunk: CHUNKS[0] as number, worst: 0 };
  for (const one of cases) {
    for (const chunk of [...CHUNKS.filter((size) => size <= found.chunk), 0]) {
      if (chunk === 0) return undefined;
      const worst = await compare(config, one, chunk, maxLength);
      if (!(worst <= TOLERANCE[type])) continue;
      found = { chunk, worst: Math.max(worst, found.worst) };
      break;
    }
  }
  return found;
}

/**
 * Whether a row of a step of the whole model gets the same logits alone and in a batch, bit for bit; undefined where
 * logits are no numbers.
 *
 * @param cache Of as many slots as rows shall be compared.
 * @param type Number format by which a step is judged to be the same again, once it is played back.
 * @throws {Error} Where it is not.
 */
export async function checkBatch(
  cache: KvCache,
  { vocabularySize }: DecoderConfig,
  type: keyof typeof TOLERANCE,
): Promise<boolean | undefined> {
  const { slots } = cache, tokens = Array.from({ length: slots }, (_, i) => i % vocabularySize);
  const at = tokens.map(() => 1);
  for (let slot = 0; slot < slots; slot++) await cache.prefill(slot, 0, [tokens[slot]!], "last");
  const row = (logits: Float32Array) => logits.slice(0, vocabularySize);
  const batch = row(await cache.step(tokens, at)), alone = row(await cache.step([tokens[0]!], [1]));
  if (!batch.every((value) => Number.isFinite(value))) return undefined;
  let again = batch;
  for (let i = 1; i < STEPS; i++) again = row(await cache.step(tokens, at));
  if (!(differenceOf(again, batch) <= TOLERANCE[type])) {
    throw new Error("a step that is played back gives other logits than before");
  }
  return alone.every((value, i) => value === batch[i]);
}

/**
 * Positions of one prefill run of which a graph that is not known gives what it gives of few at once.
 *
 * @param open Opens a cache of one slot and so many positions, with a chunk.
 * @returns The longest such chunk.
 */
export async function longestChunk(
  open: (chunk: number, length: number) => KvCache,
  { vocabularySize }: DecoderConfig,
  { type, maxLength }: { readonly type: keyof typeof TOLERANCE; readonly maxLength: number },
): Promise<number> {
  const length = Math.min(PREFILL_CHUNK + REST, maxLength), last = CHUNKS.at(-1)!;
  const prompt = spreadTokens(length, vocabularySize);
  const logitsBy = async (chunk: number) => {
    using cache = open(chunk, length);
    return await cache.prefill(0, 0, prompt, "last");
  };
  const due = await logitsBy(last);
  for (const chunk of CHUNKS.slice(0, -1)) {
    if (differenceOf(await logitsBy(chunk), due) <= TOLERANCE[type]) return chunk;
  }
  return last;
}
