/** What the tests of the soft methods share: thinking with the mock model, and valid mixtures. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  type Distribution,
  distributionOf,
  generate,
  type GenerateOptions,
  type Method,
  type MethodContext,
  type Mixture,
  samplerOf,
  type Step,
} from "@moi/moi/decode";
import { openOf } from "../_open.ts";
import type { Need } from "../../../lib/decode/method.ts";
import { ids, type MockModel, mockModel, VOCABULARY } from "../../_mock_model.ts";
import { seeded } from "../../_random.ts";
import { contextOf, likeliest, saidBy, samples } from "./_distributions.ts";

export { dense } from "./_distributions.ts";

/** Markers that the mock model knows: one token opens the thoughts, two close them. */
export const MARKERS = { open: "<end>", close: ". " } as const;
/** The same with one token that closes. */
export const SHORT = { open: "<end>", close: "." } as const;

/** A context with the mock's tokenizer. */
export function thinkingContext(vocabularySize: number, seed = 0): MethodContext {
  const prompt = ids(`a${MARKERS.open}`), { tokenizer } = mockModel();
  return { ...contextOf(vocabularySize, seed), prompt, tokenizer };
}

/** Logits of `ln p` for a few letters, everything else impossible. */
export function letters(p: Record<string, number>): number[] {
  const logits = new Array<number>(VOCABULARY).fill(-Infinity);
  for (const [letter, value] of Object.entries(p)) logits[ids(letter)[0]!] = Math.log(value);
  return logits;
}

/** A model whose i-th new token has these logits, the last for ever. */
export function scripted(script: readonly number[][], promptLength: number): MockModel {
  return mockModel({
    logits: (history) => script[Math.min(history.length - promptLength, script.length - 1)]!,
  });
}

/** All steps of a generation. */
export async function traced(
  model: MockModel,
  prompt: string | readonly number[],
  options: GenerateOptions,
): Promise<Step[]> {
  const generation = await generate(model, prompt, { ...options, trace: true });
  return generation.trace!;
}

/** Fails unless the weights are a distribution over tokens of the vocabulary, each named once. */
export function assertMixture({ ids, weights, dense, signed }: Mixture, size: number): void {
  const list = Array.from(ids);
  assert(signed === undefined);
  assertEquals(weights.length, list.length);
  assertEquals(new Set(list).size, list.length);
  assert(list.length > 0);
  for (const id of list) assert(Number.isInteger(id) && id >= 0 && id < size, `id ${id}`);
  let sum = dense?.weight ?? 0;
  for (const weight of Array.from(weights)) {
    assert(weight >= 0 && Number.isFinite(weight), `weight ${weight}`);
    sum += weight;
  }
  assertAlmostEquals(sum, 1, 1e-12);
  if (!dense) return;
  assertEquals(dense.probabilities.length, size);
  assert(dense.weight >= 0 && dense.probabilities.every((p) => p >= 0 && p <= 1));
  assertAlmostEquals(dense.probabilities.reduce((a, b) => a + b, 0), 1, 1e-4);
}

/** Every distribution of a large vocabulary: flat and peaked, truncated or not, also with zeros. */
export async function largeDistributions(needs: readonly Need[] = []): Promise<Distribution[]> {
  const size = 3000, random = seeded(77), made: Distribution[] = [];
  await using distributions = openOf(size);
  for (const scale of [0, 1, 8]) {
    for (
      const settings of [{}, { temperature: 0.6 }, { topK: 30, topP: 0.95 }, { topP: 0.9 }, {
        temperature: 0,
      }]
    ) {
      for (const zeros of [false, true]) {
        const logits = Float32Array.from({ length: size }, () => scale * random.normal());
        if (zeros) logits.forEach((_, id) => id % 3 === 0 && (logits[id] = -Infinity));
        const wanted = { sampler: samplerOf(settings), step: made.length, needs };
        made.push(...await distributions.of(logits, [wanted]));
      }
    }
  }
  return made;
}

const EDGES: readonly Float32Array[] = [
  new Float32Array([0]),
  new Float32Array([0, 0]),
  new Float32Array([-Infinity, 0]),
  new Float32Array([0, -Infinity, 0, -Infinity]),
  new Float32Array([-1e30, 1e30, 0]),
  new Float32Array(40),
];

/** Tests what holds for every distribution. */
export function testMixtures(name: string, method: Method): void {
  const check = (distribution: Distribution, token: number) => {
    const { vocabularySize } = distribution;
    const step = (own: unknown, forced?: boolean) => method.step(distribution, token, own, forced);
    const state = method.init(contextOf(vocabularySize));
    const first = step(state), second = step(first.state), again = step(state);
    for (const { input, token: recorded = token } of [first, second]) {
      assertMixture(input, vocabularySize);
      assert(recorded >= 0 && recorded < vocabularySize);
    }
    assertEquals(again, first);
    assertMixture(step(first.state, true).input, vocabularySize);
  };

  Deno.test(`${name} makes valid mixtures of 400 random distributions`, () => {
    for (const { distribution, token } of samples(400, 3)) check(distribution, token);
  });

  Deno.test(`${name} makes valid mixtures of zeros, ties, one token and two`, () => {
    for (const logits of EDGES) {
      for (const settings of [{}, { topK: 1 }, { topP: 0.5 }, { temperature: 0 }]) {
        const distribution = distributionOf(logits, samplerOf(settings), 5);
        check(distribution, distribution.ids[distribution.probabilities.findIndex((p) => p > 0)]!);
      }
    }
  });

  Deno.test(`${name} makes valid mixtures of a large vocabulary`, async () => {
    for (const distribution of await largeDistributions(method.needs)) {
      const token = likeliest(distribution, 1)[0]!;
      check(distribution, token);
    }
  });

  Deno.test(`${name} leaves the distribution as it is`, () => {
    for (const { distribution, token } of samples(20, 4)) {
      const before = saidBy(distribution);
      check(distribution, token);
      assertEquals(saidBy(distribution), before);
    }
  });
}

/** The mixture and the recorded token of a method's first step. */
export function firstStep<S>(
  method: Method<S>,
  distribution: Distribution,
  token: number,
  seed = 0,
) {
  const state = method.init(thinkingContext(distribution.vocabularySize, seed));
  return method.step(distribution, token, state);
}

/** Ids by descending value, the lower id first among equals. */
export function descending(values: readonly number[]): number[] {
  return [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b);
}

/** Fails where two lists differ by more than 1e-6. */
export function assertClose(actual: readonly number[], expected: readonly number[]): void {
  assertEquals(actual.length, expected.length);
  expected.forEach((value, i) => assertAlmostEquals(actual[i]!, value, 1e-6));
}
