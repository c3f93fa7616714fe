/** Phases: where a method acts, for any markers, and that it is standard decoding elsewhere. */

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  directMixture,
  generate,
  knowsMarkers,
  linearMixture,
  type Method,
  METHODS,
  moi,
  type PhaseOptions,
  softThinking,
  standard,
  type Step,
} from "@moi/moi/decode";
import { trackThinking } from "../../lib/decode/phase.ts";
import { ids, mockModel, VOCABULARY, writes } from "../_mock_model.ts";
import { seeded } from "../_random.ts";
import { contextOf } from "./methods/_distributions.ts";

/** The mock model's markers: one token each, several, and the same token with more before it. */
const MARKERS = [
  { open: "<end>", close: "." },
  { open: "ab", close: "cde" },
  { open: "<end>", close: "<end>." },
] as const;

/** Whether each token of a text is fed as a mixture, by looking at the text alone. */
function expectedPhase(
  prompt: string,
  text: string,
  phase: string,
  markers = MARKERS[0] as {
    open: string;
    close: string;
  },
): boolean[] {
  const all = ids(prompt + text), open = ids(markers.open), close = ids(markers.close);
  const ends = (at: number, marker: readonly number[]) =>
    marker.length <= at && marker.every((id, i) => id === all[at - marker.length + i]);
  const inside = [false];
  for (let at = 1; at <= all.length; at++) {
    inside.push(ends(at, close) ? false : ends(at, open) ? true : inside[at - 1]!);
  }
  const wanted = phase === "thinking";
  return all.map((_, i) => inside[i] === wanted && inside[i + 1] === wanted)
    .slice(ids(prompt).length);
}

async function traced(prompt: string, method: Method, script: string): Promise<Step[]> {
  const flat = writes(script, ids(prompt).length);
  const { trace } = await generate(
    mockModel({ logits: (history) => flat(history).map((logit) => logit / 250) }),
    ids(prompt),
    { method, temperature: 0, maxNewTokens: script.length, trace: true, ignoreEos: true },
  );
  return trace!;
}

for (const markers of MARKERS) {
  Deno.test(`phases act between ${markers.open} and ${markers.close}, which are fed alone`, async () => {
    const scripts = [
      "xy",
      "x<end>yz.w",
      "abxycdez",
      "aabcdcdexab",
      "..<end><end>x.y<end>.z",
      "cde",
    ];
    for (const prompt of ["x", "x<end>", "ab", "x<end>y.", "abcde", "abcdeab", "<end>.<end>"]) {
      for (const script of scripts) {
        for (const phase of ["thinking", "answer"] as const) {
          // greedy decoding has nothing of its own to mix
          const method = linearMixture({ weight: 0.5, prior: "model", phase, markers });
          const steps = await traced(prompt, method, script);
          const text = steps.map(({ token }) => mockModel().tokenizer.decode([token])).join("");
          assertEquals(
            steps.map(({ mixture }) => mixture.ids.length > 1),
            expectedPhase(prompt, text, phase, markers),
            `${prompt} ${text} ${phase}`,
          );
        }
      }
    }
  });
}

Deno.test("every method is standard decoding outside of its phase", async () => {
  const random = seeded(91);
  for (const [name, { make }] of Object.entries(METHODS)) {
    for (let round = 0; round < 8; round++) {
      const options = { seed: random.below(1000), maxNewTokens: 24, ignoreEos: true };
      const run = async (prompt: string, method: Method) => {
        const { timing: _, ...rest } = await generate(mockModel(), prompt, { ...options, method });
        return rest;
      };
      // "<end>" opens the thoughts, and "zzzz" never closes them, nor opens them
      const open = { open: "<end>", close: "zzzz" }, never = { open: "zzzz", close: "<end>" };
      const plain = await run("a<end>b", standard() as Method);
      assertEquals(await run("a<end>b", make({ phase: "answer", markers: open })), plain, name);
      assertEquals(await run("a<end>b", make({ phase: "thinking", markers: never })), plain, name);
    }
  }
});

Deno.test("a setting of the answer that is undefined is the run's own", async () => {
  const markers = { open: "<end>", close: "." };
  const texts = async (answer: object, settings: object) => {
    const method = softThinking({ markers, topN: 1, answer });
    const seeds = Array.from({ length: 12 }, (_, seed) => seed);
    return await Promise.all(seeds.map(async (seed) => {
      const options = { method, seed, maxNewTokens: 24, ignoreEos: true, ...settings };
      return (await generate(mockModel(), "a<end>b", options)).text;
    }));
  };
  const nothing = { temperature: undefined, repetitionPenalty: undefined, topP: undefined };
  const own = { temperature: 0.4, repetitionPenalty: 9, logitBias: { [ids(".")[0]!]: 3 } };
  assertEquals(await texts({ topK: 30, ...nothing }, own), await texts({ topK: 30 }, own));
  // and what is switched off is off, as if the run had not had it
  const off = await texts({ temperature: 1, repetitionPenalty: 1 }, own);
  assertNotEquals(off, await texts({ topK: 30 }, own));
});

Deno.test("a phase that lasts for the whole text is the method without phases", async () => {
  const open = { open: "<end>", close: "zzzz" }, never = { open: "zzzz", close: "<end>z" };
  for (const [name, { make }] of Object.entries(METHODS)) {
    const run = async (method: Method, seed: number) => {
      const options = { method, seed, maxNewTokens: 24, ignoreEos: true };
      const { timing: _, ...rest } = await generate(mockModel(), "a<end>b", options);
      return rest;
    };
    for (const seed of [1, 2, 3]) {
      // in the phase "all" this method mixes no markers in
      const own = name === "swiReasoning" ? { markers: open } : {};
      const all = await run(make({ phase: "all", ...own }), seed);
      assert(!all.text.includes("zzzz"));
      assertEquals(await run(make({ phase: "thinking", markers: open }), seed), all, name);
      if (name === "swiReasoning") continue;
      assertEquals(await run(make({ phase: "answer", markers: never }), seed), all, name);
    }
  }
});

Deno.test("phases are recorded, with markers that are not the usual ones", () => {
  const base = { prior: "sampler", topK: 0 };
  const recorded = (options: PhaseOptions) => ({ ...directMixture(options).parameters });
  assertEquals(recorded({}), base);
  assertEquals(recorded({ phase: "all", markers: MARKERS[0] }), base);
  assertEquals(recorded({ phase: "answer" }), { ...base, phase: "answer" });
  const usual = { open: "<think>", close: "</think>" };
  assertEquals(recorded({ phase: "thinking", markers: usual }), { ...base, phase: "thinking" });
  assertEquals(recorded({ phase: "thinking", markers: MARKERS[0] }), {
    ...base,
    phase: "thinking",
    ...MARKERS[0],
  });
});

Deno.test("a phase keeps what a method needs of its distributions", () => {
  assertEquals(directMixture({ prior: "model", phase: "thinking" }).needs, ["model"]);
  assertEquals(moi({ preset: "mixinputs-0.1.1", phase: "answer" }).needs, []);
});

Deno.test("a phase is refused where the tokenizer does not know its markers", () => {
  const { tokenizer } = mockModel(), bare = contextOf(VOCABULARY);
  for (const context of [bare, { ...bare, tokenizer }]) {
    const message = "'markers' must be texts that the model's tokenizer knows";
    assertThrows(() => moi({ phase: "thinking" }).init(context), RangeError, message);
    assertThrows(() => trackThinking(context), RangeError, message);
    assertEquals(knowsMarkers(context.tokenizer), false);
    moi().init(context);
  }
  assertEquals(MARKERS.map((markers) => knowsMarkers(tokenizer, markers)), [true, true, true]);
  moi({ phase: "thinking", markers: MARKERS[0] }).init({ ...bare, tokenizer });
});

Deno.test("a prompt that opens the thoughts starts within them, and a closed one outside", () => {
  const { tokenizer } = mockModel();
  const inside = (prompt: string, markers = MARKERS[0] as { open: string; close: string }) =>
    trackThinking({ ...contextOf(VOCABULARY), tokenizer, prompt: ids(prompt) }, markers)
      .start.inside;
  assertEquals(["a", "<end>", "a<end> ", "<end>a.", ".<end>"].map((p) => inside(p)), [
    false,
    true,
    true,
    false,
    true,
  ]);
  assert(inside("xabcd", MARKERS[1]));
  assert(!inside("xabcde", MARKERS[1]));
});

Deno.test("a batch of phases on one prompt differ from one another", async () => {
  const texts = [];
  for (const phase of ["all", "thinking", "answer"] as const) {
    const method = directMixture({ phase, markers: MARKERS[0] });
    const { tokens } = await generate(mockModel(), "a<end>b", {
      method,
      seed: 4,
      maxNewTokens: 40,
      ignoreEos: true,
    });
    texts.push(tokens.join());
  }
  assertNotEquals(texts[0], texts[2]);
  assertNotEquals(texts[1], texts[2]);
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ phase: "thoughts" }, RangeError, "'phase' must be 'all', 'thinking' or 'answer'"],
  [{ markers: {} }, TypeError, "'markers.open' must be a text that is not empty"],
  [{ markers: { open: "a", close: "" } }, TypeError, "'markers.close' must be a text"],
  [{ markers: { open: "a", close: "b", mid: "c" } }, TypeError, "'mid' is not an option"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`every method refuses ${Deno.inspect(options)}`, () => {
    for (const [name, { make }] of Object.entries(METHODS)) {
      if (name === "standard") continue;
      assertThrows(() => make(options as PhaseOptions), type, `Cannot mix as ${sentence}`);
    }
  });
}
