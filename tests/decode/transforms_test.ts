/** The sampler's chain against a recomputation that follows the rules word by word. */

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Distribution,
  distributionOf,
  generate,
  generateBatch,
  type History,
  mergedSampler,
  moi,
  type Request,
  type Sampler,
  samplerOf,
  standard,
} from "@moi/moi/decode";
import { loadModel } from "@moi/moi/model";
import { saidBy } from "./methods/_distributions.ts";
import { openOf } from "./_open.ts";
import { mockModel, VOCABULARY } from "../_mock_model.ts";
import { type Random, seeded } from "../_random.ts";

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const entropy = (p: readonly number[]) => -sum(p.map((v) => v > 0 ? v * Math.log(v) : 0));

/** A distribution as a map from token to probability; tokens that are cut are absent. */
type Kept = Map<number, number>;

function normalized(kept: Kept): Kept {
  const total = sum([...kept.values()]);
  return new Map([...kept].map(([id, p]) => [id, p / total]));
}

function softmaxOf(logits: readonly number[], temperature: number): Kept {
  const best = Math.max(...logits);
  const weights = logits.map((l) => Math.exp((l - best) / temperature));
  return normalized(new Map(weights.map((w, id) => [id, w] as const).filter(([, w]) => w > 0)));
}

const byProbability = (kept: Kept) => [...kept].sort(([a, p], [b, q]) => q - p || a - b);

/** The documented chain, one rule after the other, each renormalised. */
function reference(raw: Float32Array, sampler: Sampler, { prompt, generated }: History): Kept {
  let l = Array.from(raw);
  const { repetitionPenalty: r = 1, presencePenalty = 0, frequencyPenalty = 0 } = sampler;
  const seen = new Set([...prompt, ...generated]);
  l = l.map((v, id) => seen.has(id) ? v > 0 ? v / r : v * r : v);
  l = l.map((v, id) => {
    const count = generated.filter((token) => token === id).length;
    return v - (count > 0 ? presencePenalty : 0) - count * frequencyPenalty;
  });
  l = l.map((v, id) => v + (sampler.logitBias?.[id] ?? 0));
  l = l.map((v, id) => sampler.allowedTokens?.includes(id) ?? true ? v : -Infinity);
  if (sampler.topNSigma) {
    const finite = l.filter(Number.isFinite), mean = sum(finite) / finite.length;
    const sigma = Math.sqrt(sum(finite.map((v) => (v - mean) ** 2)) / finite.length);
    l = l.map((v) => v >= Math.max(...finite) - sampler.topNSigma! * sigma ? v : -Infinity);
  }
  let T = sampler.temperature;
  if (sampler.entropyTemperature) {
    const { base, theta } = sampler.entropyTemperature;
    T *= base ** (theta / entropy([...softmaxOf(l, 1).values()]));
  }
  if (T === 0) return new Map([[l.indexOf(Math.max(...l)), 1]]);
  const last = sampler.order === "temperature-last";
  let kept = softmaxOf(l, last ? 1 : T);
  if (sampler.topK > 0) kept = new Map(byProbability(kept).slice(0, sampler.topK));
  kept = normalized(kept);
  if (sampler.topP < 1) {
    let mass = 0;
    kept = new Map(
      byProbability(kept).filter(([, p]) => {
        const before = mass;
        mass += p;
        return before < sampler.topP;
      }),
    );
  }
  kept = normalized(kept);
  const most = () => Math.max(...kept.values());
  kept = new Map([...kept].filter(([, p]) => p >= sampler.minP * most()));
  kept = normalized(kept);
  if (sampler.typicalP !== undefined) {
    const H = entropy([...kept.values()]);
    const distance = ([, p]: [number, number]) => Math.abs(-Math.log(p) - H);
    const order = byProbability(kept).sort((a, b) => distance(a) - distance(b));
    let mass = 0, farthest = 0;
    for (const entry of order) {
      if (mass >= sampler.typicalP) break;
      mass += entry[1];
      farthest = distance(entry);
    }
    kept = normalized(new Map([...kept].filter((entry) => distance(entry) <= farthest)));
  }
  for (
    const [cut, least] of [
      [sampler.epsilonCutoff, (e: number) => e],
      [
        sampler.etaCutoff,
        (e: number) => Math.min(e, Math.sqrt(e) * Math.exp(-entropy([...kept.values()]))),
      ],
    ] as const
  ) {
    if (cut === undefined) continue;
    const bound = Math.min(least(cut), most());
    kept = normalized(new Map([...kept].filter(([, p]) => p >= bound)));
  }
  return last
    ? normalized(
      new Map([...kept.keys()].map((id) => [id, Math.exp((l[id]! - Math.max(...l)) / T)])),
    )
    : kept;
}

function compare(found: Distribution, expected: Kept, tolerance: number, where: string): void {
  const ids = found.ids.filter((_, k) => found.probabilities[k]! > 0);
  assertEquals(ids, [...expected.keys()].sort((a, b) => a - b), where);
  for (const [k, id] of found.ids.entries()) {
    assertAlmostEquals(found.probabilities[k]!, expected.get(id) ?? 0, tolerance, where);
  }
}

/** Settings of every kind, alone and together. */
const SETTINGS: readonly Partial<Sampler>[] = [
  { typicalP: 0.6 },
  { typicalP: 0.95, temperature: 0.7 },
  { topNSigma: 1 },
  { topNSigma: 0.5, temperature: 3 },
  { epsilonCutoff: 0.03 },
  { etaCutoff: 0.1 },
  { entropyTemperature: { base: 0.8, theta: 1 } },
  { entropyTemperature: { base: 0.5, theta: 0.4 }, topP: 0.9 },
  { repetitionPenalty: 1.3 },
  { presencePenalty: 0.7, frequencyPenalty: 0.2 },
  { presencePenalty: -1 },
  { logitBias: { 0: 2, 3: -4 } },
  { allowedTokens: [1, 4, 2] },
  { order: "temperature-last", topP: 0.7, temperature: 2 },
  { order: "temperature-last", minP: 0.2, topK: 5, temperature: 0.3 },
  { temperature: 0, repetitionPenalty: 2, logitBias: { 1: 1 } },
  {
    ...{ temperature: 1.4, topK: 9, topP: 0.95, minP: 0.02, typicalP: 0.9, epsilonCutoff: 0.01 },
    ...{ etaCutoff: 0.02, repetitionPenalty: 1.1, frequencyPenalty: 0.3, logitBias: { 2: 1 } },
  },
];

/** A row with all that is awkward: ties, −∞, one dominant token. */
function row(random: Random, size: number): Float32Array<ArrayBuffer> {
  const kind = random.below(5);
  return Float32Array.from({ length: size }, (_, id) => {
    if (kind === 0) return random.below(3); // ties
    if (kind === 1 && id % 4 === 3) return -Infinity;
    if (kind === 2) return id === 1 ? 50 : random.normal();
    if (kind === 3) return 1; // flat
    return 3 * random.normal();
  });
}

Deno.test("every setting, alone and together, does what its rule says", () => {
  const random = seeded(11);
  for (const settings of SETTINGS) {
    const sampler = samplerOf(settings);
    for (let round = 0; round < 40; round++) {
      const size = 5 + random.below(20), raw = row(random, size);
      if (settings.allowedTokens?.every((id) => raw[id] === -Infinity)) continue;
      const list = () => Array.from({ length: random.below(6) }, () => random.below(size));
      const history = { prompt: list(), generated: list() };
      const found = distributionOf(raw, sampler, 0, history);
      compare(
        found,
        reference(raw, sampler, history),
        1e-9,
        Deno.inspect({ settings, raw, history }),
      );
      assertAlmostEquals(found.entropy, entropy(found.probabilities), 1e-9);
    }
  }
});

Deno.test("plain settings are the same with the new ones beside them at their defaults", () => {
  const random = seeded(5);
  const off: Partial<Sampler> = {
    ...{ typicalP: 1, topNSigma: 0, epsilonCutoff: 0, etaCutoff: 0, repetitionPenalty: 1 },
    ...{ presencePenalty: 0, frequencyPenalty: 0, order: "temperature-first" },
  };
  for (const settings of [{}, { topP: 0.8 }, { topK: 3, temperature: 0.5 }, { minP: 0.3 }]) {
    assertEquals(samplerOf({ ...settings, ...off }), samplerOf(settings));
    const raw = row(random, 12);
    assertEquals(
      saidBy(distributionOf(raw, samplerOf({ ...settings, ...off }))),
      saidBy(distributionOf(raw, samplerOf(settings))),
    );
  }
});

Deno.test("the order of temperature and cuts matters, by hand", () => {
  const raw = Float32Array.from([0.5, 0.3, 0.2], Math.log);
  // first: squared and renormalised, 25/38, 9/38, 4/38; 0.7 needs two tokens, so does 0.5 need one
  const first = distributionOf(raw, samplerOf({ temperature: 0.5, topP: 0.6 }));
  assertEquals(first.ids, [0]);
  // last: 0.5 + 0.3 reach 0.6 at temperature 1, then 25 : 9
  const last = distributionOf(
    raw,
    samplerOf({ temperature: 0.5, topP: 0.6, order: "temperature-last" }),
  );
  assertEquals(last.ids, [0, 1]);
  assertAlmostEquals(last.probabilities[0]!, 25 / 34, 1e-7);
});

Deno.test("a temperature leaves top-nσ's tokens as they are", () => {
  const random = seeded(8), raw = Float32Array.from({ length: 30 }, () => random.normal());
  const kept = [0.1, 1, 10].map((temperature) =>
    distributionOf(raw, samplerOf({ topNSigma: 1, temperature })).ids
  );
  assertEquals(kept[0], kept[1]);
  assertEquals(kept[1], kept[2]);
});

Deno.test("entropy-dependent temperature is told, and near 0 where the model is certain", () => {
  const edt = { base: 0.8, theta: 1 },
    sampler = samplerOf({ temperature: 2, entropyTemperature: edt });
  const flat = distributionOf(new Float32Array(4), sampler);
  assertAlmostEquals(flat.temperature!, 2 * 0.8 ** (1 / Math.log(4)), 1e-12);
  const sure = distributionOf(new Float32Array([200, 0, 0, 0]), sampler);
  assertEquals([sure.ids, sure.temperature], [[0], 0]);
});

Deno.test("what a method is told of the model is not what the sampler changed", () => {
  const raw = new Float32Array([2, 1, 0, -1]);
  const plain = distributionOf(raw, samplerOf());
  for (
    const settings of [{ logitBias: { 0: -9 } }, { allowedTokens: [1] }, { repetitionPenalty: 5 }]
  ) {
    const history = { prompt: [0], generated: [] };
    const found = distributionOf(raw, samplerOf(settings), 0, history);
    assertEquals(found.model().probabilities, plain.probabilities);
    assertEquals(found.untruncated().probabilities, plain.probabilities);
  }
});

Deno.test("settings that make no sense are refused", () => {
  const bad: readonly [object, string][] = [
    [{ typicalP: 0 }, "'typicalP'"],
    [{ topNSigma: -1 }, "'topNSigma'"],
    [{ repetitionPenalty: 0 }, "'repetitionPenalty'"],
    [{ entropyTemperature: { base: 2, theta: 1 } }, "'entropyTemperature.base'"],
    [{ entropyTemperature: { base: 0.5 } }, "'entropyTemperature.theta'"],
    [{ logitBias: { 1: Infinity } }, "'logitBias.1'"],
    [{ logitBias: { x: 1 } }, "'logitBias'"],
    ...["", "01", "1e0", " 1", "0x1", "-0", "1.0"].map((id): [object, string] => [
      { logitBias: { [id]: 1 } },
      "'logitBias' must name token ids",
    ]),
    [{ allowedTokens: [] }, "'allowedTokens'"],
    [{ allowedTokens: [-1] }, "'allowedTokens'"],
    [{ order: "last" }, "'order'"],
    [{ top_p: 0.9 }, "'top_p' is not an option"],
  ];
  for (const [settings, message] of bad) {
    assertThrows(() => samplerOf(settings as Partial<Sampler>), Error, message);
  }
  assertThrows(() => mergedSampler(4, { allowedTokens: [4] }), RangeError, "'allowedTokens'");
  assertThrows(() => mergedSampler(4, { logitBias: { 9: 1 } }), RangeError, "'logitBias'");
  const many = [1, 1, 1, 1, 1];
  assertThrows(() => mergedSampler(4, { allowedTokens: many }), RangeError, "at most 4 token ids");
  const masked = new Float32Array([1, -Infinity]);
  assertThrows(() => distributionOf(masked, samplerOf({ allowedTokens: [1] })), RangeError);
  const hidden = new Float32Array([1, NaN]);
  assertThrows(
    () => distributionOf(hidden, samplerOf({ allowedTokens: [0] })),
    RangeError,
    "finite",
  );
});

Deno.test("the most specific source decides each setting", () => {
  const sampler = mergedSampler(
    9,
    { temperature: 0.5 },
    undefined,
    { temperature: 1, topP: 0.9, repetitionPenalty: 1.1, maxNewTokens: 5 } as Partial<Sampler>,
    { topP: 0.5, topK: 3 },
  );
  const expected = { temperature: 0.5, topK: 3, topP: 0.9, minP: 0, repetitionPenalty: 1.1 };
  assertEquals(sampler, expected);
});

Deno.test("penalties see prompt and text of their own row alone, in any batch", async () => {
  const model = mockModel();
  const settings: readonly Partial<Sampler>[] = [
    { repetitionPenalty: 3 },
    { presencePenalty: 4 },
    { frequencyPenalty: 2, temperature: 0 },
    { typicalP: 0.5, order: "temperature-last" },
    {},
  ];
  const requests = settings.flatMap((own, i): Request[] =>
    [standard(), moi({ beta: 0.5 })].map((method) => ({
      ...{ prompt: [3, 4, 5 + i], method, maxNewTokens: 12, seed: i, ignoreEos: true },
      ...own,
    }))
  );
  const batch: number[][] = [];
  for await (const { index, generation } of generateBatch(model, requests)) {
    batch[index] = generation.tokens;
  }
  for (const [i, request] of requests.entries()) {
    const { prompt, ...options } = request;
    assertEquals((await generate(model, prompt, options)).tokens, batch[i]!);
  }
  // a penalty that nothing survives: no token comes twice
  const never = await generate(model, [3], {
    ...{ presencePenalty: 1e6, maxNewTokens: VOCABULARY, ignoreEos: true },
  });
  assertEquals(new Set(never.tokens).size, VOCABULARY);
});

Deno.test("β → ∞ is standard decoding bit for bit under every setting", async () => {
  await using model = await loadModel("votes-tiny");
  for (const settings of SETTINGS) {
    const options = { ...settings, maxNewTokens: 8, seed: 4, trace: true, ignoreEos: true };
    const plain = await generate(model, [1, 26, 3], options);
    const mixed = await generate(model, [1, 26, 3], {
      ...options,
      method: moi({ beta: Infinity }),
    });
    assertEquals({ ...mixed, timing: 0 }, { ...plain, timing: 0 });
  }
});

Deno.test("rows that stand for no token are never sampled", async () => {
  const hot = Array.from({ length: VOCABULARY }, (_, id) => id >= 20 ? 9 : 0); // padding wins
  const model = mockModel({ logits: () => hot });
  const padded = { ...model, tokenizer: { ...model.tokenizer, size: 20 } };
  const options = { maxNewTokens: 40, ignoreEos: true, trace: true };
  for (const settings of [{}, { temperature: 0 }, { topK: 3 }, { typicalP: 0.9 }]) {
    const { tokens, trace } = await generate(padded, [3], { ...options, ...settings });
    assert(tokens.every((id) => id < 20), "a padding row was sampled");
    for (const { mixture } of trace!) assert(Array.from(mixture.ids).every((id) => id < 20));
  }
  const { tokens } = await generate(model, [3], options);
  assert(tokens.some((id) => id >= 20), "nothing was masked: the test shows nothing");
});

Deno.test("with a large vocabulary every setting gives what it gives with a small one", async () => {
  const V = 1500, random = seeded(21), rows = SETTINGS.length;
  const logits = Float32Array.from({ length: rows * V }, () => 2 * random.normal());
  const raw = logits.slice();
  const history = { prompt: [1, 2, 700], generated: [3, 3, 1400] };
  await using distributions = openOf(V, 1, V - 7);
  const found = await distributions.of(
    logits,
    SETTINGS.map((settings) => ({ sampler: samplerOf(settings), step: 0, history })),
  );
  for (const [i, settings] of SETTINGS.entries()) {
    const own = raw.slice(i * V, (i + 1) * V).fill(-Infinity, V - 7);
    const where = Deno.inspect(settings), sampler = samplerOf(settings), one = found[i]!;
    const all = one.mixture(1, 0).dense?.probabilities;
    compare(one, reference(own, sampler, history), all ? 1e-7 : 1e-9, where);
    assert(!one.ids.some((id, k) => id >= V - 7 && one.probabilities[k]! > 0), where);
    if (all) {
      const total = all.reduce((a, b) => a + b, 0);
      assertAlmostEquals(total, 1, 1e-5, where);
    }
  }
});

Deno.test("a study records every setting that is on", async () => {
  const { planStudy } = await import("@moi/moi/study");
  const { votes } = await import("@moi/moi/tasks");
  await using model = await loadModel("votes-tiny");
  const study = { model, task: votes({ limit: 1 }), methods: { standard: standard() } };
  const planned = async (more = {}) => (await planStudy({ ...study, ...more })).runs[0]!;
  const plain = await planned(), off = await planned({ typicalP: 1 });
  const on = await planned({ typicalP: 0.9 });
  assertEquals(plain.study, off.study);
  assert(plain.study !== on.study);
  assertEquals(on.sampler.typicalP, 0.9);
  await assertRejects(() => planStudy({ ...study, typical: 1 } as never), TypeError, "'typical'");
});
