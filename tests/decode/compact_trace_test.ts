/** Compact traces tell what whole traces tell, to their precision, and nothing of what is no trace. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  type CompactTrace,
  directMixture,
  generate,
  generateBatch,
  type Generation,
  linearMixture,
  type Method,
  moi,
  notesOf,
  openBatch,
  selar,
  standard,
  type Step,
  stream,
} from "@moi/moi/decode";
import { loadModel, type Model } from "@moi/moi/model";
import { wideCheckpoint } from "../golden/golden.ts";
import { EOS, ids, mockModel, VOCABULARY } from "../_mock_model.ts";

const METHODS: readonly Method[] = [
  standard(),
  moi({ beta: 0.25 }),
  directMixture(),
  linearMixture({ prior: "model", weight: 0.7 }),
  selar({ threshold: 0 }), // weights below 0 and above 1
];

/** Half a unit of a weight or an entropy. */
const HALF = { weight: 0.5 / 8192 + 1e-9, entropy: 0.5 / 65535 + 1e-9 };

/** The others of a step's mixture that are to be noted. */
function othersOf({ mixture, token }: Step): [number, number][] {
  const all = Array.from(mixture.ids, (id, k): [number, number] => [id, mixture.weights[k]!])
    .filter(([id, weight]) => id !== token && Math.abs(weight) >= 0.02)
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a)).slice(0, 3);
  return all.sort(([, a], [, b]) => b - a);
}

/** Compares notes with whole steps of the same text; gives the number of noted mixtures. */
function compared(model: Model, { compact, text }: Generation, { trace, tokens }: Generation) {
  const notes = notesOf(compact)!;
  assertEquals(notes.length, tokens.length);
  assertEquals(notes.reduce((sum, { length }) => sum + length, 0), text.length);
  for (const [i, note] of notes.entries()) {
    const step = trace![i]!, others = othersOf(step);
    assertAlmostEquals(note.entropy, step.entropy, HALF.entropy);
    assertAlmostEquals(note.offSampleMass, step.offSampleMass, HALF.weight);
    assertEquals(note.others?.length ?? 0, others.length, `step ${i}`);
    if (others.length === 0) continue;
    const at = Array.from(step.mixture.ids).indexOf(step.token);
    assertAlmostEquals(note.own!, step.mixture.weights[at] ?? 0, HALF.weight);
    for (const [k, [id, weight]] of others.entries()) {
      assertAlmostEquals(note.others![k]!.weight, weight, HALF.weight);
      assertEquals(note.others![k]!.text, model.tokenizer.decode([id]));
    }
  }
  return notes.filter(({ others }) => others).length;
}

/** Each method's generation with compact and with whole steps. */
async function both(model: Model, maxNewTokens: number, temperature: number) {
  const made = new Map<string, Generation>();
  const traces = ["compact", { top: 1 }] as const;
  const shared = { prompt: [3, 4, 5], maxNewTokens, seed: 5, ignoreEos: true };
  const requests = METHODS.flatMap((method) =>
    traces.map((trace) => ({ method, trace, temperature, ...shared }))
  );
  for await (const { index, generation } of generateBatch(model, requests)) {
    made.set(`${index}`, generation);
  }
  return METHODS.map((_, i) => [made.get(`${2 * i}`)!, made.get(`${2 * i + 1}`)!] as const);
}

Deno.test("a compact trace says what the steps say, in listed mixtures", async () => {
  const model = mockModel(); // tokens that are half of a character among them
  const pairs = await both(model, 40, 1);
  const noted = pairs.map(([compact, whole]) => {
    assertEquals([compact.text, compact.trace], [whole.text, undefined]);
    assertEquals(compact.tokens, whole.tokens);
    return compared(model, compact, whole);
  });
  assertEquals(noted[0], 0);
  assert(noted.slice(1).every((count) => count > 5), `${noted}`);
  const [[plain]] = pairs as [[Generation, Generation]];
  assertEquals(Object.keys(plain.compact!), ["entropy", "lengths"]);
});

Deno.test("a compact trace says what the steps say, in dense mixtures", async () => {
  await using folder = await wideCheckpoint(3001);
  await using model = await loadModel(folder.path);
  const pairs = await both(model, 12, 0.15);
  const noted = pairs.map(([compact, whole]) => compared(model, compact, whole));
  assert(noted.slice(1).every((count) => count > 0), `${noted}`);
});

Deno.test("an end-of-text token is told, and has no text", async () => {
  const model = mockModel({ logits: (history) => scripted(history.length) });
  const scripted = (at: number) =>
    Array.from({ length: VOCABULARY }, (_, id) => id === (at > 2 ? EOS : ids("a")[0]) ? 0 : -1000);
  const { text, compact } = await generate(model, [0], { trace: "compact", maxNewTokens: 9 });
  assertEquals([text, compact?.end], ["aa", true]);
  const notes = notesOf(compact)!;
  assertEquals(notes.map(({ length }) => length), [1, 1, 0]);
  assertEquals(notes.map(({ end }) => end), [undefined, undefined, true]);
});

Deno.test("a batch that stays open makes compact traces, a stream does not", async () => {
  const model = mockModel();
  await using batch = openBatch(model, { slots: 1, length: 32 });
  let told = "";
  const request = { prompt: ids("abc"), trace: "compact" as const, maxNewTokens: 8 };
  const { compact, text, tokens } = await batch.add(request, ({ text }) => told += text);
  assertEquals([notesOf(compact)?.length, told], [tokens.length, text]);
  await assertRejects(
    () => stream(model, ids("abc"), { trace: "compact" }).next(),
    TypeError,
    "Cannot stream as 'trace' must be of whole steps",
  );
});

/** Bytes in base64. */
const base64 = (...bytes: number[]) => Uint8Array.from(bytes).toBase64();

const TRACE: CompactTrace = {
  entropy: base64(255, 255, 0, 128, 0, 0),
  lengths: base64(255, 255, 4, 0, 130),
  mass: base64(0, 16, 0, 224, 0, 0),
  mixtures: base64(0, 1, 0, 16, 0, 0, 16, 1, 2, 0, 0, 129, 0, 0, 8, 0, 0, 248),
  names: ["a", "b"],
};

Deno.test("notesOf() reads bytes as they are documented", () => {
  assertEquals(notesOf(TRACE), [
    { length: 514, entropy: 1, offSampleMass: 0.5, own: 0.5, others: [{ text: "a", weight: 0.5 }] },
    {
      ...{ length: 0, entropy: 32768 / 65535, offSampleMass: -1, own: 0 },
      others: [{ text: "b", weight: 0.25 }, { text: "a", weight: -0.25 }],
    },
    { length: 130, entropy: 0, offSampleMass: 0 },
  ]);
  assertEquals(notesOf({ entropy: "", lengths: "" }), []);
});

Deno.test("notesOf() reads nothing of what is damaged", () => {
  const broken: Record<string, unknown>[] = [
    { entropy: 7 },
    { entropy: "?" },
    { entropy: base64(1, 2, 3) },
    { entropy: base64(1, 2) },
    { lengths: base64(1, 2) },
    { lengths: base64(1, 2, 3, 4) },
    { lengths: base64(1, 2, 255) },
    { mass: base64(1) },
    { mass: {} },
    { mixtures: base64(9) },
    { mixtures: base64(0, 1, 0, 16, 0, 0) },
    { mixtures: base64(0, 1, 0, 16, 2, 0, 16) },
    { mixtures: base64(0, 1, 0, 16, 0, 0, 16, 0, 1) }, // the same token once more
    { mixtures: base64(255, 255, 255, 255, 255, 255, 255, 255, 255, 255) },
    { names: ["a"] },
    { names: "ab".split("").map(() => 7) },
    { names: null },
  ];
  for (const part of broken) assertEquals(notesOf({ ...TRACE, ...part }), undefined);
  for (const trace of [undefined, null, 7, "x", [], {}, { entropy: "" }]) {
    assertEquals(notesOf(trace), undefined);
  }
});
