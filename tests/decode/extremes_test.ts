/** No chain of sampler settings makes a distribution of anything but probabilities. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type Distribution, distributionOf, type Sampler, samplerOf } from "@moi/moi/decode";
import { openOf } from "./_open.ts";
import { seeded } from "../_random.ts";

const V = 12, NONE = -Infinity;
const ROWS: Readonly<Record<string, (id: number, V: number) => number>> = {
  "all equal": () => 3,
  "all equal and huge": () => 1e30,
  "all equal and very negative": () => -1e30,
  "as a model has them": (id) => 5 * Math.sin(7 * id),
  "all but equal": (id) => 1 + id * 1e-7,
  "half of them −∞": (id) => id % 2 ? NONE : id,
  "one finite": (id) => id === 7 ? -4 : NONE,
  "two finite and equal": (id) => id === 2 || id === 9 ? 0.5 : NONE,
  "one far above": (id) => id === 3 ? 1e4 : 0,
  "huge and far apart": (id) => (id % 3 - 1) * 1e37,
  "a smooth fall": (id) => -id,
  "subnormal": (id) => id * 1e-44,
};
const TEMPERATURES = [0, 1e-30, 1e-6, 1e-5, 1e-4, 1e-3, 0.3, 1, 1e3, 1e6, 1e30];
const CUTS: readonly Partial<Sampler>[] = [
  {},
  { topK: 1 },
  { topK: 3 },
  { topP: 1e-9 },
  { topP: Number.MIN_VALUE },
  { topP: 0.5 },
  { topP: 1 - 2 ** -53 },
  { minP: 1 },
  { minP: 1e-300 },
  { typicalP: 1e-9 },
  { typicalP: Number.MIN_VALUE },
  { typicalP: 0.5 },
  { typicalP: 1 - 2 ** -53 },
  { topNSigma: 1e-9 },
  { topNSigma: 1e9 },
  { epsilonCutoff: 1 },
  { epsilonCutoff: 1e-9 },
  { etaCutoff: 1 },
  { etaCutoff: 1e-300 },
  { entropyTemperature: { base: 1e-9, theta: 1e9 } },
  { entropyTemperature: { base: 0.8, theta: 1 } },
  { repetitionPenalty: 1e-6 },
  { repetitionPenalty: 1e6 },
  { presencePenalty: 1e6, frequencyPenalty: -1e6 },
  { logitBias: { 1: 1e6, 2: -1e6 } },
  { allowedTokens: [0, 2, 7, 9] },
];
const ORDERS = ["temperature-first", "temperature-last"] as const;
const HISTORY = { prompt: [0, 7], generated: [7, 2, 2] };

function check({ ids, probabilities, entropy, normalizedEntropy }: Distribution, V: number) {
  assert(ids.length > 0 && ids.length === probabilities.length);
  let sum = 0;
  for (const [k, p] of probabilities.entries()) {
    assert(p >= 0 && p <= 1 && (k === 0 || ids[k]! > ids[k - 1]!));
    sum += p;
  }
  assertAlmostEquals(sum, 1, 1e-9);
  assert(entropy >= 0 && entropy <= Math.log(V) + 1e-6, `entropy ${entropy}`);
  assert(normalizedEntropy >= 0 && normalizedEntropy <= 1 + 1e-6);
}

function checkDraws(distribution: Distribution) {
  for (const u of [0, 0.5, 1 - 2 ** -53]) {
    const p = distribution.probability(distribution.draw(u));
    assert(p > 0, `drew a token of probability ${p}`);
  }
}

Deno.test("every pair of settings at its extremes, in both orders, at every temperature", () => {
  for (const [name, of] of Object.entries(ROWS)) {
    const logits = Float32Array.from({ length: V }, (_, id) => of(id, V));
    for (const [i, one] of CUTS.entries()) {
      for (const other of CUTS.slice(i)) {
        for (const order of ORDERS) {
          for (const temperature of TEMPERATURES) {
            const sampler = samplerOf({ ...one, ...other, order, temperature });
            const what = `${name}, ${Deno.inspect(sampler)}`;
            try {
              const made = distributionOf(logits, sampler, 1, HISTORY);
              check(made, V);
              checkDraws(made);
            } catch (error) {
              throw new Error(what, { cause: error });
            }
          }
        }
      }
    }
  }
});

Deno.test("many settings at once at their extremes", () => {
  const { pick } = seeded(44);
  for (let i = 0; i < 5000; i++) {
    const logits = Float32Array.from({ length: V }, (_, id) => pick(Object.values(ROWS))(id, V));
    if (!logits.some((l) => l > NONE)) continue;
    const settings: Partial<Sampler> = Object.assign(
      {},
      ...Array.from({ length: 6 }, () => pick(CUTS)),
    );
    if (settings.allowedTokens?.every((id) => logits[id] === NONE)) continue;
    const sampler = samplerOf({
      ...settings,
      order: pick(ORDERS),
      temperature: pick(TEMPERATURES),
    });
    try {
      const made = distributionOf(logits, sampler, 1, HISTORY);
      check(made, V);
      checkDraws(made);
    } catch (error) {
      throw new Error(`${Array.from(logits)} ${Deno.inspect(sampler)}`, { cause: error });
    }
  }
});

Deno.test("typical-p may cut the most probable token, and a low temperature then chooses among the rest", () => {
  const logits = new Float32Array([0.4, 0.15, 0.15, 0.15, 0.1499].map(Math.log));
  for (const temperature of [1e-3, 1e-6, 1e-30]) {
    const sampler = samplerOf({ typicalP: 0.5, temperature, order: "temperature-last" });
    const { ids, probabilities } = distributionOf(logits, sampler);
    assertEquals([...ids], [1, 2, 3, 4]);
    const least = Math.exp(Math.log(0.1499 / 0.15) / temperature);
    [1, 1, 1, least].forEach((w, k) =>
      assertAlmostEquals(probabilities[k]!, w / (3 + least), 1e-4)
    );
  }
});

Deno.test("a large vocabulary survives the same rows, settings and temperatures", async () => {
  const V = 1500;
  await using distributions = openOf(V, 1);
  const logits = new Float32Array(V);
  const plain = CUTS.filter((cut) =>
    samplerOf(cut) && "topK topP minP".includes(Object.keys(cut)[0] ?? "")
  );
  for (const [name, of] of Object.entries(ROWS)) {
    logits.set(Float32Array.from({ length: V }, (_, id) => of(id, V)));
    for (const cut of [...plain, { typicalP: 0.5 }, { typicalP: 0.5, topP: 0.9 }]) {
      for (const temperature of TEMPERATURES) {
        for (const order of ORDERS) {
          const sampler = samplerOf({ ...cut, temperature, order });
          try {
            const [made] = await distributions.of(logits, [{ sampler, step: 1, history: HISTORY }]);
            check(made!, V);
            checkDraws(made!);
          } catch (error) {
            throw new Error(`${name}, ${Deno.inspect(sampler)}`, { cause: error });
          }
        }
      }
    }
  }
});
