/** moi() with β as a function of the step. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type BetaContext,
  distributionOf,
  generate,
  type Method,
  moi,
  samplerOf,
} from "@moi/moi/decode";
import { ids, mockModel, writes } from "../../_mock_model.ts";
import { mixtureOf, samples } from "./_distributions.ts";

const MARKERS = { open: "<end>", close: "." } as const;

Deno.test("moi() with a constant function is moi() with the number, bit for bit", () => {
  for (const sample of samples(200, 91)) {
    for (const beta of [0, 0.5, 4, Infinity]) {
      for (const preset of ["paper", "mixinputs-0.1.1"] as const) {
        assertEquals(
          mixtureOf(moi({ beta: () => beta, preset }), sample),
          mixtureOf(moi({ beta, preset }), sample),
        );
      }
    }
  }
});

Deno.test("moi() with a function uses what it gives at each step", () => {
  for (const sample of samples(100, 92)) {
    const { step } = sample.distribution;
    assertEquals(
      mixtureOf(moi({ beta: ({ step }) => step / 7 }), sample),
      mixtureOf(moi({ beta: step / 7 }), sample),
    );
  }
});

Deno.test("moi() tells the function step, H as it takes it, token and probability", () => {
  for (const sample of samples(100, 93)) {
    const { distribution, token } = sample;
    const seen: BetaContext[] = [];
    const note = (context: BetaContext) => (seen.push(context), 1);
    mixtureOf(moi({ beta: note }), sample);
    const probability = distribution.probabilities[distribution.ids.indexOf(token)]!;
    const { step, normalizedEntropy } = distribution;
    assertEquals(seen, [{
      step,
      normalizedEntropy: Math.min(1, normalizedEntropy),
      token,
      probability,
      thinking: undefined,
    }]);
  }
  const flat = distributionOf(new Float32Array(40), samplerOf({ topK: 2 }));
  const seen: BetaContext[] = [];
  const note = (context: BetaContext) => (seen.push(context), 1);
  mixtureOf(moi({ beta: note, preset: "mixinputs-0.1.1" }), { distribution: flat, token: 30 });
  assertEquals("probability" in seen[0]!, false); // a token that cannot be drawn
  assert(Math.abs(seen[0]!.normalizedEntropy - 1) < 1e-12);
});

Deno.test("moi() tells the function which tokens are thoughts", async () => {
  const thoughts = async (prompt: string, script: string, options = {}) => {
    const seen: (boolean | undefined)[] = [];
    const note = ({ thinking }: BetaContext) => (seen.push(thinking), 1);
    await generate(mockModel({ logits: writes(script, ids(prompt).length) }), ids(prompt), {
      method: moi({ beta: note, ...options }),
      maxNewTokens: ids(script).length,
    });
    return seen;
  };
  const markers = MARKERS;
  assertEquals(await thoughts("x", "a<end>b.c", { markers }), [false, false, true, false, false]);
  assertEquals(await thoughts("x<end>", "ab.c", { markers }), [true, true, false, false]);
  assertEquals(await thoughts("x<end>", "ab.c"), Array(4).fill(undefined));
  // in a phase it is asked there alone
  const phased = { markers, phase: "thinking" };
  assertEquals(new Set(await thoughts("x", "a<end>bc.d", phased)), new Set([true]));
  assertEquals(
    new Set(await thoughts("x", "a<end>bc.d", { ...phased, phase: "answer" })),
    new Set([false]),
  );
});

Deno.test("moi() with a function of the phase is moi() in that phase", async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const run = async (method: Method) => {
      const { timing: _, ...rest } = await generate(mockModel(), "a<end>b", {
        method,
        seed,
        maxNewTokens: 40,
        ignoreEos: true,
        trace: true,
      });
      return rest;
    };
    const beta = ({ thinking }: BetaContext) => thinking ? 0.5 : Infinity;
    assertEquals(
      await run(moi({ beta, markers: MARKERS })),
      await run(moi({ beta: 0.5, phase: "thinking", markers: MARKERS })),
    );
  }
});

Deno.test("moi() records the name of a function", () => {
  const recorded = (beta: () => number) => moi({ beta }).parameters?.beta;
  function warmUp() {
    return 1;
  }
  assertEquals(recorded(warmUp), "warmUp");
  const named = () => 2;
  assertEquals(recorded(named), "named");
  assertEquals(recorded(() => 1), "schedule");
  assertEquals(moi({ beta: () => 1 }).parameters?.beta, "schedule");
});

const BAD: [unknown, typeof RangeError | typeof TypeError, string][] = [
  [-1, RangeError, "a number at least 0: current value is -1"],
  [NaN, RangeError, "a number at least 0: current value is NaN"],
  [undefined, TypeError, "a number at least 0: current value is undefined"],
  ["1", TypeError, `a number at least 0: current value is "1"`],
  [Promise.resolve(1), TypeError, "a number at least 0: current value is Promise"],
];
for (const [value, type, message] of BAD) {
  Deno.test(`moi() refuses ${Deno.inspect(value)} of its function, at that step`, async () => {
    const beta = ({ step }: BetaContext) => step === 4 ? value as number : 1;
    const sample = {
      distribution: distributionOf(new Float32Array(3), samplerOf(), 4),
      token: 0,
    };
    const sentence = `Cannot mix as 'beta at step 4' must be ${message}`;
    assertThrows(() => mixtureOf(moi({ beta }), sample), type, sentence);
    const long = { method: moi({ beta }), maxNewTokens: 9, ignoreEos: true };
    await assertRejects(() => generate(mockModel(), "a", long), type, sentence);
    await generate(mockModel(), "a", { ...long, maxNewTokens: 4 });
  });
}
