/**
 * Keys and values in int8: a quarter of the memory of a cache.
 *
 * A number is `scale · int8`, and one beyond `127 · scale` is cut off. The scales of channels are
 * constants of the graph, so they are found when a model is loaded: it is run once with keys and
 * values in fp32 on tokens from all over its vocabulary. What a single channel holds then is too
 * little to go by, since texts use some channels up to six times as much; the largest number of a
 * whole head leaves the small channels too few steps. A channel gets the geometric mean of the two,
 * and half as much again.
 *
 * Keys are cached as they are rotated. Over the positions a rotation moves a pair of channels into one
 * another and keeps its length, so both take the pair's length for their largest number: what is found
 * at the first positions holds at all of them.
 *
 * Measured, KL(fp32 ‖ int8 keys and values) in nats and agreement on the most probable token, beside
 * those of int8 weights:
 *
 * | model                 | int8 keys and values | int8 weights    |
 * | --------------------- | -------------------- | --------------- |
 * | SmolLM2-135M-Instruct | 0.0041, 97.0 %       | 0.0047, 96.2 %  |
 * | countdown-tiny        | 0.0004, 99.4 %       | 0.0001, 99.8 %  |
 * | votes-tiny            | 0.0020, 99.5 %       | 0.0004, 98.8 %  |
 *
 * On 400 problems the accuracy of the last two changed by at most one point in any of three methods,
 * in both directions. On the shape of Qwen3-0.6B with int4 weights and one thread a step takes 0.95,
 * 0.75 and 0.55 of the time at 64, 1024 and 4096 tokens of context (of eight rows 0.8, 0.55 and 0.45);
 * but 128 tokens of a prompt take 1.1, 1.6 and 2.4 of the time after 0, 1024 and 4096 others. So it
 * pays for long answers, not for long prompts. Loading takes 2 s more there: a session starts twice.
 *
 * `fp16` has half of the memory on the CPU and is nearly exact (KL 1.5e-6 nats on SmolLM2-135M, `halfKv`), but no
 * faster: on 8 layers of that shape a step of one row takes 0.96, 1.05 and 1.5 of the time at 64, 1024 and
 * 4096 tokens of context, of eight rows 1.2 at 1024 (interleaved, on a busy machine).
 *
 * @module
 */

import { type DecoderConfig, KV_PARTS, type KvScales, type RopedConfig } from "../graph/mod.ts";
import type { Session } from "../runtime/mod.ts";
import { openCache, PREFILL_CHUNK } from "./cache.ts";
import { hostSlabs } from "./slabs.ts";
import { spreadTokens } from "./spread.ts";

/** Largest int8. */
const STEPS = 127;
/** What scales leave room for, over what was met. */
const HEADROOM = 1.5;

/**
 * Scale of each channel of a head with these numbers `[positions, headDim]`, of whose first channels so many
 * are rotated, channel i with `i + rotated / 2`.
 */
export function channelScales(
  rows: Float32Array,
  headDim: number,
  rotated: number,
): Float32Array<ArrayBuffer> {
  const squares = new Float64Array(headDim), half = rotated / 2;
  for (let at = 0; at < rows.length; at += headDim) {
    for (let i = 0; i < headDim; i++) {
      const other = i < half ? i + half : i < rotated ? i - half : undefined;
      const square = rows[at + i]! ** 2 + (other === undefined ? 0 : rows[at + other]! ** 2);
      squares[i] = Math.max(squares[i]!, square);
    }
  }
  const largest = squares.reduce((a, b) => Math.max(a, b));
  // a channel of a head that is 0 throughout needs a scale as well
  return Float32Array.from(
    squares,
    (square) => HEADROOM / STEPS * ((square * largest) ** 0.25 || 1),
  );
}

/**
 * Scales of keys and values, from a session with these in fp32; the same for the same model, whatever was
 * run before.
 */
export async function calibrateKv(
  session: Session,
  config: DecoderConfig,
  maxLength: number,
): Promise<KvScales> {
  const length = Math.min(PREFILL_CHUNK, maxLength), { kv, vocabularySize } = config;
  const slabs = hostSlabs(config, 1, length);
  using cache = openCache(session, config, slabs, { slots: 1, length });
  await cache.prefill(0, 0, spreadTokens(length, vocabularySize), "last");
  const { rope } = config as Partial<RopedConfig>; // others rotate all of a head
  const found = new Map<string, Float32Array<ArrayBuffer>>();
  let byte = 0;
  for (const { layer, kvHeads, headDim } of kv) {
    for (const part of KV_PARTS) {
      const scales = new Float32Array(kvHeads * headDim), rotated = rope?.dims ?? headDim;
      for (let head = 0; head < kvHeads; head++) {
        const rows = new Float32Array(slabs.buffer, byte, length * headDim);
        byte += rows.byteLength;
        const own = channelScales(rows, headDim, part === "key" ? rotated : 0);
        scales.set(own, head * headDim);
      }
      found.set(`${layer} ${part}`, scales);
    }
  }
  return (layer, part) => found.get(`${layer} ${part}`)!;
}
