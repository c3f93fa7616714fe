/** One walk through all that a cache does, the same on every device, and what is compared of it. */

import { type Dtype, type Engine, type Input, type KvCache, openSource } from "@moi/moi/model";
import { startEngine } from "../../lib/model/onnx_engine.ts";
import { targetOf } from "../../lib/model/target.ts";
import { maxDifference } from "../golden/golden.ts";

/** Slots of a walk's cache. */
export const SLOTS = 4;

/** A mixture of tokens, spread over a vocabulary, whose weights fall. */
export function mixtureOf(count: number, vocabularySize: number): Input {
  const sum = count * (count + 1) / 2, stride = Math.max(1, Math.floor(vocabularySize / count));
  const ids = Array.from({ length: count }, (_, i) => (1 + i * stride) % vocabularySize);
  return { ids, weights: ids.map((_, i) => (count - i) / sum) };
}

/**
 * Logits of a prompt, then of steps of a ragged batch with mixtures of 3 and 20 tokens, of a refilled slot and of
 * copied ones.
 */
export async function walk(
  cache: KvCache,
  prompt: readonly number[],
  vocabularySize: number,
): Promise<Float32Array[]> {
  const whole = await cache.prefill(0, 0, prompt, "all"), n = prompt.length, half = n >> 1;
  await cache.prefill(2, 0, prompt.slice(0, half), "last");
  await cache.copy(2, 1, half);
  await cache.prefill(3, 0, prompt.slice(0, 5), "last");
  const token = prompt[3]!,
    few = mixtureOf(3, vocabularySize),
    many = mixtureOf(20, vocabularySize);
  const take = async (inputs: readonly Input[], positions: readonly number[]) =>
    (await cache.step(inputs, positions)).slice(0, inputs.length * vocabularySize);
  const steps = [
    await take([few, token, many, token], [n, half, half, 5]),
    await take([token, many, few, few], [n + 1, half + 1, half + 1, 6]),
    await take([few], [n + 2]), // the others rest
  ];
  await cache.copy(0, 3, n + 3);
  const refilled = await cache.prefill(1, 0, prompt.slice(2, 14), "all");
  const rest = await cache.prefill(3, n + 3, prompt.slice(0, 4), "last"); // after what was copied
  steps.push(await take([token, few, token, many], [n + 3, 12, half + 2, n + 7]));
  return [whole, ...steps, refilled, rest];
}

/** Largest difference of any two rows of logits. */
export const worstOf = (a: readonly Float32Array[], b: readonly Float32Array[]): number =>
  Math.max(...a.map((row, i) => maxDifference(row, b[i]!)));

/**
 * The CPU computing the graph that a GPU is given in fp32: of int8 and int4 with inputs that are not rounded, so
 * that all that differs is the order of sums.
 */
export async function referenceOf(
  path: string,
  { dtype, maxLength, cacheDir }: { dtype: Dtype; maxLength: number; cacheDir: string },
): Promise<Engine> {
  await using opening = new AsyncDisposableStack();
  const source = opening.use(await openSource(path, dtype));
  const target = targetOf("webgpu", "fp32");
  const request = { dtype, target, maxLength, cacheDir, label: "convert" };
  const prepared = opening.use(await source.prepare(request));
  const settings = { device: "cpu", kv: "fp32", maxLength, spinning: false } as const;
  const engine = opening.use(await startEngine(prepared, settings));
  const owned = opening.move();
  return { ...engine, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
