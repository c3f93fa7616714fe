/** What a method may return, and what is refused by its name: the mixtures of one's own methods. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  distributionOf,
  generate,
  generateBatch,
  type Method,
  METHODS,
  type Mixture,
  moi,
  predictEffect,
  samplerOf,
  stream,
} from "@moi/moi/decode";
import { checkMixture, loadModel } from "@moi/moi/model";
import { runStudy } from "@moi/moi/study";
import { letters } from "../study/_letters.ts";
import { ids, mockModel, VOCABULARY } from "../_mock_model.ts";
import { seeded } from "../_random.ts";

/** A method that feeds the same mixture after every token. */
const always = (input: unknown): Method => ({
  name: "mine",
  init: () => undefined,
  step: () => ({ input: input as Mixture, state: undefined }),
});

const prompt = ids("<bos>ab");
const V = VOCABULARY;
const one = (size: number, weight = 1 / size) => new Array<number>(size).fill(weight);
const range = (size: number) => Array.from({ length: size }, (_, i) => i);

const SUM = "'weights' must sum to 1 (or it be 'scaled'): current value is ";
const WEIGHT = "'weights' must be finite and at least 0 (or it be 'signed'): current value is ";
const ID = `'ids' must be integers from 0 to ${V - 1}: current value is `;
const SIZE = "it must have at least one id and as many weights: current value is ";

/** A mixture, and how the message goes on after "Cannot feed the mixture of the method 'mine' as ". */
const REFUSED: readonly (readonly [unknown, string])[] = [
  [{ ids: [4, 5], weights: [0.9, 0.9] }, `${SUM}1.8`],
  [{ ids: [4], weights: [2] }, `${SUM}2`],
  [{ ids: [4], weights: [0.5] }, `${SUM}0.5`],
  [{ ids: [4, 5], weights: [0, 0] }, `${SUM}0`],
  [{ ids: [4, 5], weights: [0.5, 0.50001] }, `${SUM}1.00001`],
  [{ ids: [4, 5, 6], weights: [0.3, 0.3, 0.3] }, `${SUM}0.9`],
  [{ ids: Int32Array.of(4, 5), weights: Float32Array.of(0.5, 0.4) }, `${SUM}0.900000006`],
  [{ ids: [4, 5], weights: [2, -0.5], signed: true }, `${SUM}1.5`],
  [{ ids: range(V), weights: one(V, 1.1 / V) }, `${SUM}1.1`],
  [{ ids: [4, 4], weights: [0.5, 0.5] }, "'ids' must differ: current value is token 4 twice"],
  [{ ids: [7, 4, 7], weights: one(3) }, "'ids' must differ: current value is token 7 twice"],
  [
    { ids: [...range(12), 3], weights: one(13) },
    "'ids' must differ: current value is token 3 twice",
  ],
  [{ ids: [4, 4], weights: [0.5, 0.5], signed: true }, "'ids' must differ"],
  [{ ids: [4, 4], weights: [0.5, 0.5], scaled: true }, "'ids' must differ"],
  [{ ids: [4, 5], weights: [1.5, -0.5] }, `${WEIGHT}-0.5`],
  [{ ids: [4, 5], weights: [NaN, 1] }, `${WEIGHT}NaN`],
  [{ ids: [4, 5], weights: [Infinity, 0] }, `${WEIGHT}Infinity`],
  [
    { ids: [4, 5], weights: [Infinity, 0], signed: true },
    "'weights' must be finite: current value",
  ],
  [{ ids: [4, 5], weights: ["0.5", 0.5] }, `${WEIGHT}"0.5"`],
  [{ ids: [4, V], weights: [0.5, 0.5] }, `${ID}${V}`],
  [{ ids: [-1], weights: [1] }, `${ID}-1`],
  [{ ids: [4.5], weights: [1] }, `${ID}4.5`],
  [{ ids: ["4"], weights: [1] }, `${ID}"4"`],
  [{ ids: [], weights: [] }, `${SIZE}0 ids and 0 weights`],
  [{ ids: [4, 5], weights: [1] }, `${SIZE}2 ids and 1 weights`],
  [{ ids: [4] }, SIZE],
  [undefined, `${SIZE}undefined`],
  [{ ids: [4], weights: [0.5], dense: { weight: 0.4, probabilities: dense() } }, `${SUM}0.9`],
  [
    { ids: [4], weights: [0.5], dense: { weight: 0.5, probabilities: dense(2) } },
    "'dense.probabilities' must be at least 0 and sum to 1: current value is 2",
  ],
  [
    { ids: [4], weights: [0.5], dense: { weight: 0.5, probabilities: Float32Array.of(2, -1) } },
    "'dense.probabilities' must be at least 0 and sum to 1: current value is NaN",
  ],
  [{ ids: [4], weights: [2], dense: { weight: -1, probabilities: dense() } }, `${WEIGHT}-1`],
];

function dense(sum = 1): Float32Array {
  return new Float32Array(V).fill(sum / V);
}

Deno.test("generate() refuses what is no mixture, with the method's name and what was found", async () => {
  for (const [input, message] of REFUSED) {
    const told = `Cannot feed the mixture of the method 'mine' as ${message}`;
    await assertRejects(
      () => generate(mockModel(), prompt, { method: always(input), maxNewTokens: 3 }),
      message.startsWith("it must") ? Error : RangeError,
      told,
    );
  }
});

Deno.test("stream(), generateBatch(), runStudy() and predictEffect() refuse it as well", async () => {
  const method = always({ ids: [4, 5], weights: [0.9, 0.9] }), told = `'mine' as ${SUM}1.8`;
  const refused = (work: () => Promise<unknown>) => assertRejects(work, RangeError, told);
  await refused(() => Array.fromAsync(stream(mockModel(), prompt, { method })));
  await refused(() =>
    Array.fromAsync(generateBatch(mockModel(), [{ prompt }, { prompt, method }]))
  );
  const study = { model: mockModel({ maxLength: 32 }), task: letters(), methods: { method } };
  await refused(() => runStudy({ ...study, maxNewTokens: 3 }));
  await using model = await loadModel("votes-tiny");
  await refused(() => predictEffect(model, [[1]], method, { tokens: 3 }));
});

const TAKEN: readonly (readonly [string, Mixture])[] = [
  ["a token", { ids: [4], weights: [1] }],
  ["ids in any order", { ids: [9, 4, 7], weights: [0.2, 0.3, 0.5] }],
  ["twelve ids in any order", { ids: [9, 4, 7, 3, 1, 0, 2, 5, 6, 8, 11, 10], weights: one(12) }],
  ["a weight of zero", { ids: [4, 5], weights: [1, 0] }],
  ["a rounding of doubles", { ids: [4, 5, 6], weights: [0.1, 0.2, 0.7] }],
  ["an error below 1e-6", { ids: [4, 5], weights: [0.5, 0.5000009] }],
  ["float32", { ids: Int32Array.from(range(V)), weights: new Float32Array(V).fill(1 / V) }],
  ["negative weights, signed", { ids: [4, 5], weights: [1.5, -0.5], signed: true }],
  ["another sum, scaled", { ids: [4, 5], weights: [0.9, 0.9], scaled: true }],
  ["both", { ids: [4, 5], weights: [-2, 0.5], signed: true, scaled: true }],
];

Deno.test("generate() takes every mixture", async () => {
  for (const [name, input] of TAKEN) {
    const options = { method: always(input), maxNewTokens: 3, ignoreEos: true, trace: true };
    const { trace } = await generate(mockModel(), prompt, options);
    assertEquals(trace![0]!.mixture, {
      ...input,
      ids: Array.from(input.ids),
      weights: Array.from(input.weights),
    }, name);
  }
});

Deno.test("checkMixture() lets float32 round a whole vocabulary, and no more", () => {
  const { next: random } = seeded(5);
  for (const size of [10, 1000, 150_000]) {
    const raw = Float32Array.from({ length: size }, () => random());
    const sum = raw.reduce((a, b) => a + b, 0);
    const weights = raw.map((w) => Math.fround(w / Math.fround(sum)));
    checkMixture({ ids: range(size), weights }, size, "a test");
    let error: unknown;
    try {
      checkMixture({ ids: range(size), weights: weights.map((w) => 1.02 * w) }, size, "a test");
    } catch (caught) {
      error = caught;
    }
    assert(error instanceof RangeError, `${size}`);
  }
});

Deno.test("every method here returns mixtures, whatever the distribution and the token", () => {
  const { next: random } = seeded(11);
  for (const [name, { make }] of Object.entries(METHODS)) {
    const method = make({
      ...(name === "moi" ? { preset: "mixinputs-0.1.1" } : {}),
      ...phase(name),
    });
    for (let round = 0; round < 40; round++) {
      const V = [2, 30, 300][round % 3]!, scale = [0.1, 3, 30][Math.floor(round / 3) % 3]!;
      const logits = Float32Array.from({ length: V }, () => scale * (random() - 0.5));
      const settings = [{}, { topK: 5 }, { topP: 0.8, temperature: 0.6 }, {
        minP: 0.1,
      }][round % 4]!;
      let state = method.init({ vocabularySize: V, prompt: [1], uniform: () => random() });
      for (let step = 0; step < 4; step++) {
        const distribution = distributionOf(logits, samplerOf(settings), step);
        const token = round % 5 === 0
          ? Math.floor(random() * V)
          : distribution.ids[Math.floor(random() * distribution.ids.length)]!;
        const made = method.step(distribution, token, state);
        state = made.state;
        checkMixture(made.input, V, `the method '${name}'`);
      }
    }
  }
});

/** Methods for thoughts act all the time, as there are no markers here. */
function phase(name: string) {
  return ["standard", "multiplex"].includes(name) ? {} : { phase: "all" } as const;
}

Deno.test("moi({ shrink: true }) loses weight as the released code does, and says so", () => {
  const distribution = distributionOf(Float32Array.of(3, 2, 1, 0), samplerOf());
  const method = moi({ shrink: true, topK: 2, prior: "model" });
  const lost = method.step(distribution, 3, undefined).input;
  assertEquals(lost.scaled, true);
  assert(lost.weights[2]! < 1);
  const kept = method.step(distribution, 0, undefined).input;
  assertEquals(kept.scaled, undefined);
  assertAlmostEquals(Array.from(kept.weights).reduce((a, b) => a + b), 1, 1e-12);
});
