/**
 * Settings, from where they are asked for to where they act: what is recorded is what ran, for every
 * sampler setting, whoever recommends otherwise.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  generate,
  generateBatch,
  type GenerateOptions,
  type Generation,
  mergedSampler,
  type Method,
  moi,
  predictEffect,
  type Sampler,
  SAMPLER_FIELDS,
  samplerOf,
  standard,
  stream,
} from "@moi/moi/decode";
import { planStudy, readRuns, runStudy } from "@moi/moi/study";
import { ids, mockModel } from "../_mock_model.ts";
import { letters, withStore } from "./_letters.ts";

type Some = Partial<Sampler> & { readonly maxNewTokens?: number };

/** Every setting: switched on, at another value, and off. */
const VALUES: {
  readonly [K in keyof Required<Sampler>]: readonly [
    on: Sampler[K],
    other: Sampler[K],
    off: Sampler[K],
  ];
} = {
  temperature: [0.3, 0, 1],
  topK: [2, 5, 0],
  topP: [0.4, 0.8, 1],
  minP: [0.5, 0.2, 0],
  typicalP: [0.3, 0.7, 1],
  topNSigma: [0.5, 1, 0],
  epsilonCutoff: [0.2, 0.05, 0],
  etaCutoff: [0.5, 0.1, 0],
  entropyTemperature: [{ base: 0.5, theta: 3 }, { base: 0.9, theta: 1 }, undefined],
  repetitionPenalty: [4, 1.5, 1],
  presencePenalty: [6, 1, 0],
  frequencyPenalty: [6, 1, 0],
  logitBias: [{ 7: 9 }, { 8: 5, 9: 5 }, {}],
  allowedTokens: [ids("abc"), ids("xyz"), undefined],
  order: ["temperature-last", "temperature-last", "temperature-first"],
};

/** A method that keeps the sampler that the engine told it of. */
function watching(): Method & { readonly seen: (Sampler | undefined)[] } {
  const seen: (Sampler | undefined)[] = [], own = standard();
  return {
    ...own,
    seen,
    init: (context) => {
      seen.push(context.sampler);
      return own.init(context);
    },
  };
}

/** What each way of decoding makes of options: the recorded settings, those seen, and the tokens. */
interface Used {
  readonly recorded: Some;
  readonly seen: Sampler;
  readonly tokens: readonly number[];
}
const SEED = 3, LENGTH = 24, PROMPT = "abca";
const WAYS: Record<string, (recommended: Some, asked: Some) => Promise<Used>> = {
  async generate(recommended, asked) {
    const model = mockModel({ defaults: recommended }), method = watching();
    const made = await generate(model, PROMPT, { ...asked, method, seed: SEED, ignoreEos: true });
    return { recorded: made.sampler, seen: method.seen[0]!, tokens: made.tokens };
  },
  async generateBatch(recommended, asked) {
    const model = mockModel({ defaults: recommended }), method = watching();
    const request = { ...asked, prompt: PROMPT, method, seed: SEED, ignoreEos: true };
    const made: Generation[] = [];
    for await (const { generation } of generateBatch(model, [request])) made.push(generation);
    return { recorded: made[0]!.sampler, seen: method.seen[0]!, tokens: made[0]!.tokens };
  },
  async runStudy(recommended, asked) {
    return await studied(mockModel({ defaults: recommended, eos: [] }), undefined, asked);
  },
  async "runStudy of a task that recommends"(recommended, asked) {
    return await studied(mockModel({ eos: [] }), recommended, asked);
  },
};

async function studied(
  model: ReturnType<typeof mockModel>,
  defaults: Some | undefined,
  asked: Some,
): Promise<Used> {
  const method = watching();
  const task = letters({ count: 1, prompt: () => PROMPT, ...(defaults ? { defaults } : {}) });
  const study = { model, task, methods: { standard: method }, ...asked };
  const [run] = await runStudy(study), plan = await planStudy(study);
  assertEquals(plan.runs[0]!.sampler, run!.sampler);
  // the recorded settings are all that it takes to have the text once more
  const again = await generate(mockModel({ defaults: model.defaults, eos: [] }), PROMPT, {
    ...{ ...run!.sampler, seed: run!.seed },
  });
  assertEquals(again.tokens, run!.tokens);
  return { recorded: run!.sampler, seen: method.seen[0]!, tokens: run!.tokens };
}

const CASES = SAMPLER_FIELDS.flatMap((field) => {
  const [on, other, off] = VALUES[field];
  const cases: [what: string, recommended: unknown, asked: unknown, runs: unknown][] = [
    ["asked", undefined, on, on],
    ["recommended", on, undefined, on],
    ["asked otherwise than recommended", on, other, other],
    ["switched off where it is recommended", on, off, off === undefined ? on : off],
    ["switched off where nothing is", undefined, off, off],
  ];
  return cases.map((own) => [field, ...own] as const);
});
const isOff = (field: keyof Sampler, value: unknown) =>
  value === undefined || Deno.inspect(value) === Deno.inspect(VALUES[field][2]);

for (const [way, use] of Object.entries(WAYS)) {
  Deno.test(`${way}: what is recorded is what ran, for every sampler setting`, async () => {
    let texts = 0;
    for (const [field, what, recommended, asked, runs] of CASES) {
      const where = `${field} ${what}`, budget = { maxNewTokens: LENGTH };
      // seen beside a truncation of its own kind: temperature 1 and no cut are what is off
      const found = await use({ ...budget, [field]: recommended }, { [field]: asked });
      const plain = await use(budget, isOff(field, runs) ? {} : { [field]: runs });
      assertEquals(found.tokens, plain.tokens, where);
      const { maxNewTokens, ...sampler } = found.recorded;
      assertEquals([samplerOf(sampler), maxNewTokens], [samplerOf(found.seen), LENGTH], where);
      const told = found.recorded[field];
      if (isOff(field, runs)) assert(isOff(field, told), where);
      else assertEquals(told, runs as typeof told, where);
      if (what.startsWith("switched off where it is") && recommended !== runs) {
        assertEquals(told, runs as typeof told, `${where}: it is told`);
        const on = await use({ ...budget, [field]: recommended }, {});
        if (String(on.tokens) !== String(found.tokens)) texts++;
      }
    }
    assert(texts >= 9, `${texts} settings made another text`); // the check can see them
  });
}

Deno.test("a penalty of 1 is what was asked, on a checkpoint that recommends another", async () => {
  const model = mockModel({
    maxLength: 32,
    defaults: { repetitionPenalty: 50, topK: 3, topP: 0.5 },
  });
  const methods = { standard: standard(), half: moi({ beta: 0.5 }) };
  const off = { repetitionPenalty: 1, topK: 0, topP: 1, minP: 0, temperature: 1 };
  await withStore(async (store) => {
    const own = { task: letters(), methods, maxNewTokens: 12 };
    const runs = await runStudy({ ...own, model, ...off }, { store });
    const plain = await runStudy({ ...own, model: mockModel({ maxLength: 32 }) });
    assertEquals(runs.map(({ text }) => text), plain.map(({ text }) => text));
    assertEquals(runs[0]!.sampler, { ...off, maxNewTokens: 12 });
    assertEquals((await readRuns(store))[0]!.sampler, runs[0]!.sampler);
    const penalised = await runStudy({ ...own, model });
    assert(penalised.some(({ text }, i) => text !== runs[i]!.text));
    await assertRejects(
      () => runStudy({ ...own, model }, { store }),
      Error,
      "(topK: 0 there, 3 here; topP: 1 there, 0.5 here; repetitionPenalty: 1 there, 50 here)",
    );
  });
});

Deno.test("a checkpoint that recommends greedy decoding is greedy unless a temperature is asked for", async () => {
  const model = mockModel({ defaults: { temperature: 0, topP: 0.9 } });
  const runs = (asked: Some, defaults?: Some) =>
    runStudy({
      ...{ model, methods: { standard: standard() }, maxNewTokens: 8, repeats: 3, ...asked },
      task: letters({ count: 1, ...(defaults ? { defaults } : {}) }),
    });
  const different = async (asked: Some, defaults?: Some) =>
    new Set((await runs(asked, defaults)).map(({ text }) => text)).size;
  assertEquals(await different({}), 1);
  assertEquals(await different({ topP: 1 }), 1);
  assertEquals(await different({ temperature: undefined } as object), 1);
  assert(await different({ temperature: 1 }) > 1);
  assert(await different({}, { temperature: 1 }) > 1); // the task is asked before the model
  assertEquals((await runs({}))[0]!.sampler.temperature, 0);
  assertEquals((await generate(model, "ab", { maxNewTokens: 4 })).sampler.temperature, 0);
});

Deno.test("undefined is the same as absent, wherever settings are given", async () => {
  const model = mockModel({ defaults: { topK: 4, repetitionPenalty: 2, maxNewTokens: 9 } });
  const nothing = Object.fromEntries(
    [...SAMPLER_FIELDS, "maxNewTokens", "seed", "stop", "ignoreEos", "signal", "trace", "method"]
      .map((name) => [name, undefined]),
  ) as GenerateOptions;
  const bare = ({ timing: _, ...own }: Generation) => own;
  const expected = bare(await generate(model, "ab"));
  assertEquals(bare(await generate(model, "ab", nothing)), expected);
  const streamed: number[] = [];
  for await (const { token } of stream(model, "ab", nothing)) streamed.push(token);
  assertEquals(streamed, expected.tokens);
  for await (const { generation } of generateBatch(model, [{ prompt: "ab", ...nothing }])) {
    assertEquals(bare(generation), expected);
  }
  const settings = Object.fromEntries(SAMPLER_FIELDS.map((name) => [name, undefined]));
  const own = { model, task: letters({ defaults: settings }), methods: { standard: standard() } };
  const names = ["maxNewTokens", "seed", "repeats", "limit", "chat"];
  const more = { ...settings, ...Object.fromEntries(names.map((name) => [name, undefined])) };
  const texts = async (study: object) =>
    (await runStudy({ ...own, ...study }, { signal: undefined, slots: undefined } as object))
      .map(({ text, sampler }) => [text, sampler]);
  assertEquals(await texts(more), await texts({}));
  assertEquals(samplerOf(settings as Partial<Sampler>), samplerOf());
  assertEquals(mergedSampler(9, undefined, settings as Partial<Sampler>, {}), samplerOf());
});

Deno.test("a batch's signal ends requests whose own is undefined", async () => {
  const request = { prompt: "ab", signal: undefined } as object as { prompt: string };
  const batch = generateBatch(mockModel(), [request], { signal: AbortSignal.abort() });
  for await (const { generation } of batch) assertEquals(generation.finishReason, "aborted");
});

Deno.test("predictEffect() takes settings as generate() does", async () => {
  const own = mockModel({ defaults: { temperature: 0 } });
  const model = {
    ...own,
    openCache: (shape: { slots: number; length: number }) => {
      const cache = own.openCache(shape);
      return {
        ...cache,
        prefill: async (slot: number, from: number, inputs: never, logits: "last" | "all") => {
          const last = await cache.prefill(slot, from, inputs, "last");
          if (logits === "last") return last;
          const all = new Float32Array((inputs as []).length * last.length);
          return all;
        },
      };
    },
  };
  const seen = watching();
  await predictEffect(
    model as typeof own,
    ["ab"],
    seen,
    { tokens: 2, method: undefined } as object,
  );
  assertEquals(seen.seen[0]!.temperature, 0);
  await predictEffect(model as typeof own, ["ab"], seen, { tokens: 2, temperature: 0.7, topK: 3 });
  assertEquals([seen.seen[1]!.temperature, seen.seen[1]!.topK], [0.7, 3]);
});

Deno.test("settings of a wrong name or kind are refused, wherever they come from", async () => {
  const own = { model: mockModel(), methods: { standard: standard() } };
  for (const name of ["top_p", "topp", "temp", "do_sample", "__proto__x", "toString"]) {
    const unknown = { [name]: 0.5 };
    assertThrows(() => samplerOf(unknown), TypeError, `'${name}' is not an option`);
    await assertRejects(() => generate(own.model, "a", unknown), TypeError, `'${name}' is not`);
    await assertRejects(() => runStudy({ ...own, task: letters(), ...unknown }), TypeError, name);
    await assertRejects(
      () => runStudy({ ...own, task: letters({ defaults: unknown }) }),
      TypeError,
      `'${name}' is not an option`,
    );
  }
  for (const settings of [null, 5, "hot"]) {
    assertThrows(() => samplerOf(settings as never), TypeError, "'settings' must be an object");
  }
  for (const name of [...SAMPLER_FIELDS, "maxNewTokens", "seed", "repeats", "limit"]) {
    const nothing = { ...own, task: letters(), [name]: null };
    const refused = await runStudy(nothing).then(() => undefined, (error) => error);
    assert(refused instanceof TypeError && refused.message.includes(`'${name}' must`), name);
  }
});
