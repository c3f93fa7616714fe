/** Losses of teacher-forced inputs, against independent forward passes. */

import { assertAlmostEquals, assertEquals, assertGreater, assertRejects } from "@std/assert";
import {
  directMixture,
  entropyOf,
  generate,
  type Input,
  inputLoss,
  type InputLossOptions,
  linearMixture,
  moi,
  multiplex,
  randomMixture,
  softmax,
  standard,
} from "@moi/moi/decode";
import { forward, loadModel, type Model } from "@moi/moi/model";
import { wideCheckpoint } from "../golden/golden.ts";
import { needing, REAL_MODEL } from "../_needing.ts";
import { seeded } from "../_random.ts";

/** −ln p of the next token after each input from `from` on. */
async function surprises(
  model: Model,
  inputs: readonly Input[],
  tokens: readonly number[],
  from: number,
): Promise<number[]> {
  const logits = await forward(model, inputs.slice(0, tokens.length - 1));
  return logits.slice(from).map((row, i) => -Math.log(softmax(row)[tokens[from + i + 1]!]!));
}

/** The paper's mixture from the logits before a token, written out. */
function mixtureOf(logits: Float32Array, token: number, beta: number): Input {
  const p = softmax(logits), H = entropyOf(p) / Math.log(p.length);
  const weights = Array.from(
    p,
    (value, id) => (H * value + (id === token ? beta + 1 - H : 0)) / (beta + 1),
  );
  return { ids: [...weights.keys()], weights };
}

function almost(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  assertEquals(actual.length, expected.length);
  actual.forEach((value, i) => assertAlmostEquals(value, expected[i]!, tolerance));
}

const drawn = (vocabulary: number, length: number) => {
  const random = seeded(5);
  return Array.from({ length }, () => 3 + random.below(vocabulary - 3));
};

Deno.test("inputLoss() gives what forward passes of tokens and of mixtures give", async () => {
  await using wide = await wideCheckpoint(3001);
  for (const [id, length] of [["votes-tiny", 12], [wide.path, 140]] as const) {
    await using model = await loadModel(id); // 140: longer than a window of positions
    const tokens = drawn(id === "votes-tiny" ? 20 : 3001, length), from = 5, beta = 0.25;
    const methods = { moi: moi({ beta }), standard: standard() };
    const [loss] = await inputLoss(model, [tokens], { methods, context: from });
    const logits = await forward(model, tokens);
    almost(loss!.base, await surprises(model, tokens, tokens, from), 2e-5);
    const mixed = tokens.map((token, i) =>
      i < from ? token : mixtureOf(logits[i - 1]!, token, beta)
    );
    almost(loss!.losses.moi!, await surprises(model, mixed, tokens, from), 2e-5);
    assertEquals(loss!.losses.standard, loss!.base);
    const entropies = logits.slice(from - 1, -2).map((row) => entropyOf(softmax(row)));
    almost(loss!.entropy, entropies.map((own) => own / Math.log(logits[0]!.length)), 1e-5);
    assertEquals(loss!.from, from);
  }
});

Deno.test("nothing mixed is nothing changed, bit for bit, in both loops", async () => {
  await using wide = await wideCheckpoint(3001);
  for (const id of ["votes-tiny", "countdown-tiny-baseline", wide.path]) {
    await using model = await loadModel(id);
    const texts = [drawn(16, 12), drawn(16, 9)];
    for (const loop of ["open", "closed"] as const) {
      const methods = { token: moi({ beta: Infinity }), moi: moi({ beta: 0 }), same: standard() };
      for (const loss of await inputLoss(model, texts, { methods, context: 3, loop })) {
        assertEquals(loss.losses.token, loss.base);
        assertEquals(loss.losses.same, loss.base);
        assertGreater(Math.max(...loss.offSampleMass.moi!), 0);
        assertEquals(loss.offSampleMass.token, loss.base.map(() => 0));
      }
    }
  }
});

Deno.test("in the closed loop a mixture is made of what the mixtures before it made", async () => {
  await using model = await loadModel("votes-tiny");
  const tokens = drawn(20, 10), from = 4, beta = 0;
  const options = { methods: { moi: moi({ beta }) }, context: from };
  const inputs: Input[] = tokens.slice(0, from);
  for (const token of tokens.slice(from)) {
    inputs.push(mixtureOf((await forward(model, inputs)).at(-1)!, token, beta));
  }
  const [closed] = await inputLoss(model, [tokens], { ...options, loop: "closed" });
  const [open] = await inputLoss(model, [tokens], options);
  almost(closed!.losses.moi!, await surprises(model, inputs, tokens, from), 2e-5);
  almost(closed!.base, open!.base, 2e-5);
  assertAlmostEquals(closed!.losses.moi![0]!, open!.losses.moi![0]!, 2e-5);
  assertGreater(Math.abs(closed!.losses.moi![2]! - open!.losses.moi![2]!), 1e-4);
});

Deno.test("a text is an answer after its prompt, alone and among others", async () => {
  await using model = await loadModel("votes-tiny");
  const prompt = [1, 26], { tokens } = await generate(model, prompt, { seed: 3, maxNewTokens: 12 });
  const methods = { random: randomMixture(), many: multiplex(), direct: directMixture() };
  const options: InputLossOptions = { methods, context: 2, seed: 7 };
  const whole = await inputLoss(model, [[...prompt, ...tokens]], options);
  const answer = { prompt, answer: [...tokens] };
  assertEquals(await inputLoss(model, [answer], options), whole);
  const text = { prompt: model.tokenizer.decode(prompt), answer: model.tokenizer.decode(tokens) };
  assertEquals((await inputLoss(model, [text], options))[0]!.base.length > 0, true);
  const [first] = await inputLoss(model, [answer, drawn(20, 30)], options);
  assertEquals(first, whole[0]);
});

Deno.test("the sampler shapes what is mixed, not what is measured", async () => {
  await using model = await loadModel("votes-tiny");
  const tokens = drawn(20, 12), methods = { direct: directMixture(), half: linearMixture() };
  const at = (temperature: number) =>
    inputLoss(model, [tokens], { methods, context: 3, temperature });
  const [[one], [cold], [greedy]] = await Promise.all([at(1), at(0.3), at(0)]);
  assertEquals(cold!.base, one!.base);
  assertGreater(one!.entropy[0]!, cold!.entropy[0]!);
  assertEquals(greedy!.entropy.every((own) => own === 0), true);
  assertGreater(Math.abs(cold!.losses.direct![1]! - one!.losses.direct![1]!), 1e-4);
});

Deno.test("inputLoss() stops within a text, which it then leaves out", async () => {
  await using model = await loadModel("votes-tiny");
  for (const loop of ["open", "closed"] as const) {
    const stop = new AbortController(), own = moi();
    let steps = 0;
    const step: typeof own.step = (...fed) => {
      if (++steps === 5) stop.abort();
      return own.step(...fed);
    };
    const texts = [drawn(20, 8), drawn(20, 240)];
    const options = { methods: { moi: { ...own, step } }, context: 5, loop, signal: stop.signal };
    assertEquals((await inputLoss(model, texts, options)).length, 1);
    assertEquals(steps < 200, true);
  }
});

Deno.test("inputLoss() stops between texts, and refuses what it cannot measure", async () => {
  await using model = await loadModel("votes-tiny");
  const stop = new AbortController(), methods = { moi: moi() }, seen: number[] = [];
  const texts = [drawn(20, 8), drawn(20, 9), drawn(20, 10)];
  const found = await inputLoss(model, texts, {
    ...{ methods, context: 3, signal: stop.signal },
    onProgress({ done }) {
      seen.push(done);
      if (done === 2) stop.abort();
    },
  });
  assertEquals([found.length, ...seen], [2, 1, 2]);
  const refused = (texts: unknown, options: object, why: string) =>
    assertRejects(
      () => inputLoss(model, texts as [], { methods, ...options } as InputLossOptions),
      Error,
      why,
    );
  await refused([[1, 2, 3]], { context: 2 }, "two tokens or more");
  await refused([{ prompt: [], answer: [1, 2, 3] }], {}, "of one token at least");
  await refused("a text", {}, "'texts' must be a list");
  await refused([null], {}, "'texts[0]' must be a text, token ids, or an answer after its prompt");
  await refused([{ prompt: [1] }], {}, "'texts[0].answer' must be a text or token ids");
  await refused([{ prompt: [1], answer: [3, 4], context: 2 }], {}, "'context' is not an option");
  await refused(texts, { signal: 5 }, "'signal' must be an AbortSignal");
  await refused(texts, { onProgress: 5 }, "'onProgress' must be a function");
  await refused([[1, 999_999]], { context: 1 }, "current value is 999999");
  await refused(texts, { methods: [moi()] }, "'methods' must be an object");
  await refused(texts, { methods: { moi: {} } }, "methods.moi");
  await refused(texts, { loop: "both" }, "'loop'");
  await refused(texts, { betas: [1] }, "betas");
});

needing(REAL_MODEL)("β → ∞ changes no loss of a real model, and a large mixture does", async () => {
  await using model = await loadModel(
    `${Deno.env.get("MOI_REAL_MODEL")}/smollm2-135m-instruct.Q4_1.gguf`,
    { maxLength: 128 },
  );
  const text = "The sun is a star. It gives light and warmth to the planets that go around it.";
  const methods = { token: moi({ beta: Infinity }), direct: directMixture() };
  const [loss] = await inputLoss(model, [text], { methods, context: 4 });
  assertEquals(loss!.losses.token, loss!.base);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
  assertGreater(mean(loss!.losses.direct!), mean(loss!.base) + 1);
});
