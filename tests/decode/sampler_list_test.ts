/** A sampler as a list of transforms: in every way of decoding, recorded, and what settings stand for. */

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  allowedTokens,
  distributionOf,
  generate,
  generateBatch,
  logitBias,
  minP,
  moi,
  repetitionPenalty,
  type Sampler,
  samplerOf,
  softThinking,
  standard,
  stream,
  temperature,
  topK,
  topP,
  type Transform,
  transformsOf,
  typicalP,
} from "@moi/moi/decode";
import { planStudy, readRuns, runStudy } from "@moi/moi/study";
import { chainOf } from "../../lib/decode/sampler.ts";
import { mockModel } from "../_mock_model.ts";
import { seeded } from "../_random.ts";
import { letters, withStore } from "../study/_letters.ts";
import { saidBy } from "./methods/_distributions.ts";
import { openOf } from "./_open.ts";

/** No token twice in a row: a transform of one's own. */
const noEcho: Transform = {
  name: "noEcho",
  map: (logits, { generated }) => logits.map((l, id) => id === generated.at(-1) ? -Infinity : l),
};
const LIST = [repetitionPenalty(1.1), temperature(4), topP(0.95), noEcho];
const OPTIONS = { sampler: LIST, maxNewTokens: 60, ignoreEos: true, seed: 5 };

const SETTINGS: readonly Partial<Sampler>[] = [
  {},
  { temperature: 0 },
  { temperature: 0.6, topK: 5, topP: 0.9, minP: 0.05 },
  { topP: 0.7, temperature: 2, order: "temperature-last" },
  { typicalP: 0.7, etaCutoff: 0.1, repetitionPenalty: 1.3, presencePenalty: 0.4 },
  { entropyTemperature: { base: 0.8, theta: 1 }, topNSigma: 2, logitBias: { 3: 2 } },
  { allowedTokens: [4, 5, 6], epsilonCutoff: 0.1, frequencyPenalty: 0.3 },
];

Deno.test("settings give what the list that they stand for gives, bit for bit", async () => {
  const random = seeded(3), history = { prompt: [1, 4], generated: [3, 3, 9] };
  for (const settings of SETTINGS) {
    const sampler = samplerOf(settings), list = transformsOf(sampler);
    for (let i = 0; i < 20; i++) {
      const logits = Float32Array.from({ length: 20 }, () => 2 * random.normal());
      const of = (own: typeof sampler | Transform[]) =>
        saidBy(distributionOf(logits, own, i, history));
      assertEquals(of(list), of(sampler));
    }
    const options = { maxNewTokens: 20, ignoreEos: true, seed: 5, method: moi({ beta: 0.5 }) };
    const { tokens } = await generate(mockModel(), "ab", { ...options, ...settings });
    const listed = await generate(mockModel(), "ab", { ...options, sampler: list });
    assertEquals(listed.tokens, tokens);
  }
});

Deno.test("one's own transform works in every way of decoding, and one seed gives one text", async () => {
  const { tokens, sampler } = await generate(mockModel(), "ab", OPTIONS);
  assert(tokens.every((id, i) => id !== tokens[i - 1]));
  const steps = await Array.fromAsync(stream(mockModel(), "ab", OPTIONS));
  assertEquals(steps.map(({ token }) => token), tokens);
  const requests = [{ prompt: "ab", temperature: 2 }, { prompt: "ab", ...OPTIONS }];
  for await (const { index, generation } of generateBatch(mockModel(), requests)) {
    if (index === 1) assertEquals(generation.tokens, tokens);
  }
  const without = await generate(mockModel(), "ab", { ...OPTIONS, sampler: LIST.slice(1, 3) });
  assert(without.tokens.some((id, i) => id === without.tokens[i - 1]), "nothing to see");
  assertEquals(sampler, {
    ...{ temperature: 4, topK: 0, topP: 0.95, minP: 0, maxNewTokens: 60 },
    transforms: [
      { name: "repetitionPenalty", parameters: { penalty: 1.1 } },
      { name: "temperature", parameters: { temperature: 4 } },
      { name: "topP", parameters: { mass: 0.95 } },
      { name: "noEcho", parameters: {} },
    ],
  });
});

Deno.test("a list is the whole sampler, whatever task and model recommend", async () => {
  const model = mockModel({ defaults: { repetitionPenalty: 50, topK: 1, maxNewTokens: 7 } });
  const { tokens, sampler } = await generate(model, "ab", { sampler: [], ignoreEos: true });
  const plain = await generate(mockModel(), "ab", { maxNewTokens: 7, ignoreEos: true });
  assertEquals([tokens, sampler.maxNewTokens], [plain.tokens, 7]);
  const said = "'topP' must be left out beside 'sampler', a list of transforms";
  await assertRejects(() => generate(model, "ab", { ...OPTIONS, topP: 0.9 }), TypeError, said);
  const study = { model, task: letters({ defaults: { topP: 0.5 } }), methods: { a: standard() } };
  await assertRejects(() => runStudy({ ...study, sampler: [], topP: 0.9 }), TypeError, said);
  assertEquals((await planStudy({ ...study, sampler: [] })).runs[0]!.sampler.topP, 1);
  const markers = { open: "<end>", close: "." };
  const method = softThinking({ markers, answer: { temperature: 0 } });
  await assertRejects(
    () => generate(model, "ab", { ...OPTIONS, method }),
    TypeError,
    "'answer' must be left out where the run's sampler is a list",
  );
});

Deno.test("a list runs in the order in which it is written", () => {
  const logits = Float32Array.from([0.5, 0.3, 0.2], Math.log);
  const kept = (...list: Transform[]) => distributionOf(logits, list).ids;
  assertEquals(kept(temperature(0.5), topP(0.6)), [0]); // 25/38 reach it
  assertEquals(kept(topP(0.6), temperature(0.5)), [0, 1]);
  assertEquals(kept(topK(2), topP(0.6)), [0]); // 5/8 reach it
  assertEquals(kept(topP(0.6), topK(1)), [0]);
  assertEquals(kept(typicalP(0.2), temperature(0)), [1]); // the nearest to the entropy
  assertEquals(kept(minP(0.5), topP(0.6)), [0]); // 5/8 reach it
  assertEquals(kept(minP(0.5), topP(0.7)), [0, 1]);
  const swap: Transform = {
    name: "swap",
    map: (l) => l.map((own) => own === -Infinity ? 0 : -Infinity),
  };
  assertEquals(kept(temperature(0), swap), [1, 2]); // what is greedy is changed as well
  assertEquals(kept(temperature(0), swap, temperature(0)), [1]);
  const halved: Transform = { name: "halved", map: (l) => l.map((logit) => logit / 2) };
  const last = distributionOf(logits, [temperature(0.5), topK(2), halved]);
  assertAlmostEquals(last.probabilities[0]!, 5 / 8, 1e-7);
  assertEquals(last.temperature, 0.5);
});

Deno.test("a transform that is none, or gives no logits, is refused by name", async () => {
  const refused: [unknown, string][] = [
    ["hot", "'sampler' must be a list of transforms"],
    [[{ name: "mine" }], "'sampler[0]' must have a name and a function 'map'"],
    [[topP(0.9), () => 1], "'sampler[1]' must have a name"],
    [[{ ...noEcho, parameters: { ids: [1] } }], "'sampler[0].parameters' must be an object of"],
    [[{ ...noEcho, keep: { most: 1 } }], "a function 'map', which is all that it does"],
  ];
  for (const [sampler, said] of refused) {
    const options = { sampler } as object;
    await assertRejects(() => generate(mockModel(), "a", options), TypeError, said);
  }
  for (const list of [[logitBias({ 3: 1 })], [allowedTokens([0, 3])]]) {
    const of = () => distributionOf(new Float32Array(3), list);
    assertThrows(of, RangeError, "must name tokens from 0 to 2: current value is");
  }
  for (const [value, size] of [[NaN, 3], [Infinity, 3], [0, 2], [-Infinity, 3]] as const) {
    const bad: Transform = { name: "bad", map: () => new Float64Array(size).fill(value) };
    assertThrows(
      () => distributionOf(new Float32Array(3), [bad]),
      RangeError,
      "the transform 'bad' must give 3 logits",
    );
  }
  assertThrows(() => topP(0), RangeError, "'topP' must be a number greater than 0");
  assertThrows(() => temperature(-1), RangeError, "'temperature' must be a number at least 0");
});

Deno.test("settings and lists are read when they are used, whatever they were before", async () => {
  const logits = Float32Array.of(1, 2, 3),
    only0: Transform = { name: "only0", map: (l) => l.fill(-Infinity, 1) };
  const settings = { ...samplerOf() }, list: Transform[] = [temperature(1)];
  assertEquals(distributionOf(logits, settings).ids.length, 3);
  settings.topK = 1;
  assertEquals(distributionOf(logits, settings).ids, [2]);
  const before = await generate(mockModel(), "ab", { ...OPTIONS, sampler: list });
  list.push({ ...only0, factor: 1 } as Transform); // a stray field changes nothing
  const { tokens, sampler } = await generate(mockModel(), "ab", { ...OPTIONS, sampler: list });
  assertEquals([before.sampler, sampler].map((own) => own.transforms!.length), [1, 2]);
  assertEquals(tokens.slice(0, 2), [0, 0]);
});

Deno.test("a transform cannot change the logits that a method is shown", () => {
  const logits = Float32Array.of(1, 2, 3),
    fill: Transform = { name: "fill", map: (l) => l.fill(0) };
  assertEquals([...distributionOf(logits, [fill]).logits], [1, 2, 3]);
});

Deno.test("a temperature and the most probable tokens are left to the runtime, and give the same", async () => {
  const V = 1500, random = seeded(9);
  await using distributions = openOf(V, 1);
  const lists = [
    ...[[topP(0.9)], [temperature(0.6), topK(9), topP(0.7)], [topP(0.8), topK(100)], []],
    [temperature(0.5), topK(20), topK(5)],
  ];
  for (const list of lists) assert(chainOf(list).plain);
  for (const list of [[topP(0.9), temperature(0.6)], [noEcho]]) assert(!chainOf(list).plain);
  const logits = new Float32Array(lists.length * V);
  logits.forEach((_, i) => logits[i] = 2 * random.normal());
  const made = await distributions.of(logits, lists.map((sampler) => ({ sampler, step: 0 })));
  for (const [row, sampler] of lists.entries()) {
    const expected = distributionOf(logits.slice(row * V, (row + 1) * V), sampler);
    assertEquals(made[row]!.ids, expected.ids);
    for (const [k, p] of made[row]!.probabilities.entries()) {
      assertAlmostEquals(p, expected.probabilities[k]!, 1e-6);
    }
  }
});

Deno.test("a study keeps a list by names and knobs, and knows another one", async () => {
  const own = { model: mockModel({ maxLength: 32 }), task: letters(), methods: { a: standard() } };
  const study = { ...own, sampler: LIST, maxNewTokens: 8 };
  await withStore(async (store) => {
    const runs = await runStudy(study, { store });
    assertEquals(await readRuns(store), [...runs]);
    assertEquals(
      runs[0]!.sampler.transforms!.map(({ name }) => name),
      LIST.map(({ name }) => name),
    );
    assertEquals(await runStudy(study, { store }), runs); // nothing is missing
    for (
      const [sampler, said] of [
        [LIST.slice(1), '"penalty":1.1}},'],
        [[repetitionPenalty(1.2), ...LIST.slice(1)], '"penalty":1.2}},'],
      ] as const
    ) await assertRejects(() => runStudy({ ...study, sampler }, { store }), Error, said);
    const { temperature, topK, topP, minP } = runs[0]!.sampler;
    const settings = { ...own, temperature, topK, topP, minP, maxNewTokens: 8 };
    assert((await planStudy(settings)).runs[0]!.study !== runs[0]!.study);
  });
});
