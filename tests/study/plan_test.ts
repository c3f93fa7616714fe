import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { moi, standard } from "@moi/moi/decode";
import { planStudy, runSeed, type Study } from "@moi/moi/study";
import { BOS, ids, mockModel } from "../_mock_model.ts";
import { type Letters, letters } from "./_letters.ts";

const model = mockModel({ maxLength: 16 });
const METHODS = { standard: standard(), half: moi({ beta: 0.5 }) };

/** A plan of letters, with whatever is to differ. */
function plan(study: Partial<Study<Letters>> = {}) {
  return planStudy({ model, task: letters(), methods: METHODS, ...study });
}

Deno.test("planStudy() crosses problems, repeats and methods, problem by problem", async () => {
  const { runs } = await plan({ task: letters({ count: 2 }), repeats: 2 });
  assertEquals(runs.map(({ problem, repeat, method }) => [problem, repeat, method]), [
    ["letters-0", 0, "standard"],
    ["letters-0", 0, "half"],
    ["letters-0", 1, "standard"],
    ["letters-0", 1, "half"],
    ["letters-1", 0, "standard"],
    ["letters-1", 0, "half"],
    ["letters-1", 1, "standard"],
    ["letters-1", 1, "half"],
  ]);
});

Deno.test("planStudy() gives methods the same seed, repeats and problems others", async () => {
  const { runs } = await plan({ repeats: 3 });
  const seeds = Map.groupBy(runs, ({ problem, repeat }) => `${problem} ${repeat}`);
  for (const own of seeds.values()) {
    assertEquals(own.length, 2);
    assertEquals(own[0]!.seed, own[1]!.seed);
  }
  assertEquals(new Set(runs.map(({ seed }) => seed)).size, 4 * 3);
});

Deno.test("planStudy() takes its seeds from the study's", async () => {
  const seeds = async (seed?: number) =>
    (await plan(seed === undefined ? {} : { seed })).runs.map((run) => run.seed);
  assertEquals(await seeds(), await seeds(0));
  assertEquals(await seeds(2 ** 53 - 1), await seeds(2 ** 53 - 1));
  const one = await seeds(1), two = await seeds(2);
  assert(one.every((seed) => !two.includes(seed)));
});

Deno.test("runSeed() is the top 53 bits of a SHA-256", async () => {
  const text = new TextEncoder().encode(JSON.stringify([7, "p", 2]));
  const digest = new DataView(await crypto.subtle.digest("SHA-256", text));
  assertEquals(runSeed(7, "p", 2), Number(digest.getBigUint64(0) >> 11n));
});

Deno.test("runSeed() makes safe integers that do not repeat", () => {
  const seeds = new Set<number>();
  for (let problem = 0; problem < 2000; problem++) {
    for (const repeat of [0, 1]) seeds.add(runSeed(0, `p${problem}`, repeat));
  }
  assertEquals(seeds.size, 4000);
  assert([...seeds].every((seed) => Number.isSafeInteger(seed) && seed >= 0));
  assert(Math.max(...seeds) > 0.99 * 2 ** 53);
});

Deno.test("runSeed() keeps the parts of its key apart", () => {
  const seeds = [runSeed(1, "1", 1), runSeed(11, "", 1), runSeed(1, "11", 0), runSeed(1, "1,1", 0)];
  assertEquals(new Set(seeds).size, 4);
});

Deno.test("planStudy() encodes the prompt and digests its tokens", async () => {
  const { runs, problems } = await plan();
  for (const { problem: id, prompt } of runs) {
    const { problem, tokens } = problems.get(id)!;
    assertEquals(tokens, [BOS, ...ids(problem.letters)]);
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(tokens.join()));
    const hex = Array.from(new Uint8Array(digest, 0, 8), (b) => b.toString(16).padStart(2, "0"));
    assertEquals(prompt, hex.join(""));
  }
  const chat = letters({ prompt: ({ letters }) => [{ role: "user", content: letters }] });
  const [first] = (await plan({ task: chat })).problems.values();
  assertEquals(first!.tokens, [BOS, ...ids("a.")]);
});

Deno.test("planStudy() takes the study's settings, then the task's, then the model's", async () => {
  const own = mockModel({ defaults: { temperature: 0.1, topK: 11, topP: 0.5, maxNewTokens: 9 } });
  const task = letters({ defaults: { temperature: 0.2, maxNewTokens: 8 } });
  const settings = async (study: Partial<Study<Letters>>) => (await plan(study)).runs[0]!.sampler;
  const none = { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 256 };
  assertEquals(await settings({}), none);
  const models = { ...none, temperature: 0.1, topK: 11, topP: 0.5, maxNewTokens: 9 };
  assertEquals(await settings({ model: own }), models);
  const tasks = { ...models, temperature: 0.2, maxNewTokens: 8 };
  assertEquals(await settings({ model: own, task }), tasks);
  const all = { temperature: 0, topK: 0, topP: 1, minP: 0.3, maxNewTokens: 3 };
  assertEquals(await settings({ model: own, task, ...all }), all);
});

Deno.test("planStudy() of a limit takes the first problems", async () => {
  const problems = async (limit: number) => [...(await plan({ limit })).problems.keys()];
  assertEquals(await problems(2), ["letters-0", "letters-1"]);
  assertEquals((await problems(99)).length, 4);
  assertEquals((await problems(Infinity)).length, 4);
});

Deno.test("planStudy() waits for problems that take time", async () => {
  const task = letters({ problems: () => Promise.resolve([{ id: "x", letters: "a" }]) });
  assertEquals((await plan({ task })).runs.map(({ problem }) => problem), ["x", "x"]);
});

Deno.test("planStudy() names the model by the last part of its id", async () => {
  const named = async (id: string) => (await plan({ model: mockModel({ id }) })).runs[0]!.model;
  for (
    const id of ["tiny", "/models/tiny", "models/tiny//", "C:\\models\\tiny", "file:///m/tiny/"]
  ) {
    assert(/^tiny@[0-9a-f]{16}$/.test(await named(id)), await named(id));
  }
});

Deno.test("planStudy() has one fingerprint for what may share a file", async () => {
  const studyOf = async (study?: Partial<Study<Letters>>) => (await plan(study)).runs[0]!.study;
  const study = await studyOf();
  const more = { methods: { other: standard() }, repeats: 5, task: letters({ count: 9 }) };
  assertEquals(await studyOf(more), study);
  assertEquals(await studyOf({ limit: 1, temperature: 1, seed: 0 }), study);
  const others: Partial<Study<Letters>>[] = [
    { model: mockModel({ maxLength: 16, id: "other" }) },
    { model: { ...model, dtype: "int8" } },
    { model: { ...model, device: "cuda" } },
    { task: letters({ name: "numbers" }) },
    { seed: 1 },
    { temperature: 0.5 },
    { topK: 5 },
    { topP: 0.9 },
    { minP: 0.1 },
    { maxNewTokens: 5 },
  ];
  const studies = await Promise.all(others.map(studyOf));
  assertEquals(new Set([study, ...studies]).size, others.length + 1);
});

Deno.test("planStudy() records name and knobs of the methods", async () => {
  const { runs } = await plan({ methods: { ...METHODS, own: { ...standard(), name: "x" } } });
  const parameters = runs.map((run) => [run.method, run.parameters] as const);
  assertEquals(Object.fromEntries(parameters), {
    standard: { name: "standard" },
    half: { name: "moi", beta: 0.5, preset: "paper" },
    own: { name: "x" },
  });
});

Deno.test("planStudy() takes no notice of the methods' order", async () => {
  const { standard, half } = METHODS;
  const [a, b] = [await plan(), await plan({ methods: { half, standard } })];
  assertEquals(a.runs[0]!.study, b.runs[0]!.study);
  assertNotEquals(a.runs, b.runs);
});

const twice = letters({ problems: () => ["a", "b", "a"].map((id) => ({ id, letters: id })) });
const REFUSED: [string, object, typeof RangeError | typeof TypeError, string][] = [
  ["repeats 0", { repeats: 0 }, RangeError, "'repeats' must be an integer at least 1"],
  ["repeats 1.5", { repeats: 1.5 }, RangeError, "'repeats' must be an integer at least 1"],
  ["repeats '2'", { repeats: "2" }, TypeError, "'repeats' must be an integer at least 1"],
  ["seed -1", { seed: -1 }, RangeError, "'seed' must be an integer at least 0"],
  ["seed 2⁵³", { seed: 2 ** 53 }, RangeError, "'seed' must be an integer at least 0"],
  ["limit 0", { limit: 0 }, RangeError, "'limit' must be an integer at least 1"],
  ["limit 2.5", { limit: 2.5 }, RangeError, "'limit' must be an integer at least 1"],
  ["limit NaN", { limit: NaN }, RangeError, "'limit' must be an integer at least 1"],
  ["limit '3'", { limit: "3" }, TypeError, "'limit' must be an integer at least 1"],
  ["temperature -1", { temperature: -1 }, RangeError, "'temperature' must be a number at least 0"],
  ["topP 0", { topP: 0 }, RangeError, "'topP' must be a number greater than 0"],
  ["maxNewTokens 0", { maxNewTokens: 0 }, RangeError, "'maxNewTokens' must be an integer"],
  ["no methods", { methods: {} }, TypeError, "'methods' must name a method: current value is {}"],
  [
    "no method",
    { methods: { a: undefined } },
    TypeError,
    "'methods.a' must have a name and the functions",
  ],
  [
    "half a method",
    { methods: { a: { init() {} } } },
    TypeError,
    "'methods.a' must have a name and the func",
  ],
  ["no problems", { task: letters({ count: 0 }) }, TypeError, "'letters' has no problems"],
  ["two problems of one id", { task: twice }, TypeError, "two problems are a"],
  [
    "an id that is no text",
    {
      task: { ...letters(), problems: () => [{ id: 5, letters: "a" }] },
    },
    TypeError,
    "'problem.id' must be a string: current value is 5",
  ],
  ["an unknown option", { repeat: 3 }, TypeError, "'repeat' is not an option: known options are"],
];
for (const [what, study, type, sentence] of REFUSED) {
  Deno.test(`planStudy() refuses ${what}`, async () => {
    await assertRejects(() => plan(study), type, `as ${sentence}`);
  });
}

Deno.test("planStudy() refuses a prompt that leaves no room, naming the problem", async () => {
  const task = letters({ problems: () => [{ id: "long", letters: "abcdefghijklmno" }] });
  await assertRejects(
    () => plan({ task }),
    RangeError,
    "the prompt of 'long' must be shorter than the context of 16 tokens: current value is 16",
  );
  const short = letters({ problems: () => [{ id: "long", letters: "abcdefghijklmn" }] });
  assertEquals((await plan({ task: short })).problems.get("long")!.tokens.length, 15);
});
