import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  distributionOf,
  generate,
  generateBatch,
  samplerOf,
  selar,
  standard,
  type Step,
} from "@moi/moi/decode";
import { isMathSymbol } from "../../../lib/decode/methods/math_symbol.ts";
import { certain, ids, mockModel, VOCABULARY } from "../../_mock_model.ts";
import { contextOf, dense, denseOf, mixtureOf, samples } from "./_distributions.ts";

/** The paper's h = e + λ·Ĥ·(e − e_top) over embeddings that are unit vectors. */
function recomputed(p: readonly number[], k: number, strength: number) {
  const order = [...p.keys()].sort((a, b) => p[b]! - p[a]! || a - b).slice(0, k);
  const mass = order.reduce((sum, id) => sum + p[id]!, 0);
  const e = p.map((q, id) => order.includes(id) ? q / mass : 0);
  const base = Math.log(Math.min(k, p.length));
  const nats = -e.reduce((sum, q) => q > 0 ? sum + q * Math.log(q) : sum, 0);
  const H = base > 0 ? nats / base : 0;
  const h = e.map((q, id) => q + strength * H * (q - (id === order[0] ? 1 : 0)));
  return { H, h };
}

Deno.test("selar() is the paper's equation above the gate, and the token below", () => {
  let soft = 0, hard = 0, negative = 0;
  for (const sample of samples(400, 61)) {
    const { distribution, token } = sample, p = denseOf(distribution);
    for (const [topK, threshold, strength] of [[3, 0.5, 1], [2, 0.2, 0], [9, 0.7, 2.5]] as const) {
      const input = mixtureOf(selar({ topK, threshold, strength }), sample);
      const { H, h } = recomputed(p, topK, strength);
      if (Math.abs(H - threshold) < 1e-9) continue;
      const expected = H > threshold ? h : p.map((_, id) => id === token ? 1 : 0);
      dense(input, p.length).forEach((w, id) => assertAlmostEquals(w, expected[id]!, 1e-9));
      H > threshold ? soft++ : hard++;
      if (Array.from(input.weights).some((w) => w < 0)) {
        negative++;
        assertEquals(input.signed, true);
      }
    }
  }
  assert(soft > 100 && hard > 100 && negative > 50, `${soft} ${hard} ${negative}`);
});

Deno.test("selar() is soft exactly at its threshold", () => {
  const distribution = distributionOf(new Float32Array(2), samplerOf());
  const { input } = selar({ topK: 2, threshold: 1 }).step(distribution, 0, () => false);
  assertEquals(input.ids.length, 2);
});

Deno.test("selar() with a threshold above 1 is standard(), and with strength 0 pushes nothing", () => {
  for (const sample of samples(100, 62)) {
    assertEquals(mixtureOf(selar({ threshold: 1.01 }), sample), mixtureOf(standard(), sample));
    const { weights } = mixtureOf(selar({ threshold: 0, strength: 0 }), sample);
    assert(Array.from(weights).every((w) => w >= 0));
  }
});

Deno.test("selar() feeds mathematical symbols alone, by the text of the token", () => {
  const { tokenizer } = mockModel(),
    distribution = distributionOf(new Float32Array(33), samplerOf());
  const method = selar(), context = { ...contextOf(VOCABULARY), tokenizer };
  let looked = 0;
  const state = method.init({
    ...context,
    tokenizer: { ...tokenizer, decode: (ids) => (looked++, tokenizer.decode(ids)) },
  });
  const fed = (text: string) => method.step(distribution, ids(text)[0]!, state).input.ids.length;
  for (let round = 0; round < 3; round++) {
    assertEquals([fed("a"), fed("."), fed("<end>"), fed(" ")], [1, 3, 3, 3]);
  }
  assertEquals(looked, 4);
});

Deno.test("isMathSymbol() knows digits, letters, operators and LaTeX", () => {
  const symbols = [
    "1",
    " 42",
    "٣",
    "x",
    " π",
    "+",
    " =",
    "<=",
    "≥",
    "(",
    ")}",
    "$",
    "\\frac",
    " \\n",
    "^",
    "\\",
  ];
  const words = [
    "",
    " ",
    "\n",
    "the",
    " is",
    ".",
    ",",
    "!",
    "x1",
    "<12>",
    "</think>",
    "é",
    "的",
    "\ufffd",
    "12a",
  ];
  for (const text of symbols) assert(isMathSymbol(text), text);
  for (const text of words) assert(!isMathSymbol(text), text);
});

/** Steps of every request. */
async function traces(prompts: readonly string[]): Promise<Step[][]> {
  const logits = (history: readonly { ids: ArrayLike<number> }[]) =>
    history[1]!.ids[0] === ids(".")[0] ? new Array(VOCABULARY).fill(0) : certain(ids(" ")[0]!);
  const requests = prompts.map((prompt, seed) => ({
    prompt,
    seed,
    method: selar(),
    maxNewTokens: 6,
    trace: true,
    ignoreEos: true,
  }));
  const all: Step[][] = [];
  for await (const { index, generation } of generateBatch(mockModel({ logits }), requests)) {
    all[index] = generation.trace!;
  }
  return all;
}

Deno.test("selar() of one row above the gate leaves the rows beside it alone", async () => {
  const { decode } = mockModel().tokenizer;
  const all = await traces([".", " ", ".", " ", " ", "."]);
  for (const [row, steps] of all.entries()) {
    const uncertain = [0, 2, 5].includes(row);
    for (const { mixture, event, token } of steps) {
      const soft = uncertain && !isMathSymbol(decode([token]));
      assertEquals([mixture.ids.length, event ?? ""], soft ? [3, "soft"] : [1, ""]);
      assertEquals(mixture.signed ?? false, soft);
      if (!soft) assertEquals(mixture, { ids: [token], weights: [1] });
    }
  }
  assert(all.flat().some(({ event }) => event === "soft"));
  assertEquals(all[0], (await traces(["."]))[0]);
});

Deno.test("selar() runs on the model's side with its negative weights", async () => {
  const { trace } = await generate(
    mockModel({ logits: () => new Array(VOCABULARY).fill(0) }),
    "a",
    {
      method: selar(),
      maxNewTokens: 20,
      trace: true,
      ignoreEos: true,
    },
  );
  const soft = trace!.filter(({ event }) => event === "soft");
  assert(soft.length > 0);
  for (const { mixture } of soft) assertAlmostEquals(mixture.weights[0]!, -1 / 3, 1e-12);
});

Deno.test("selar() records its knobs", () => {
  assertEquals({ ...selar().parameters }, { topK: 3, threshold: 0.5, strength: 1 });
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ topK: 1 }, RangeError, "'topK' must be an integer at least 2: current value is 1"],
  [{ topK: 2.5 }, RangeError, "'topK' must be an integer at least 2"],
  [{ threshold: -1 }, RangeError, "'threshold' must be a number at least 0"],
  [{ threshold: NaN }, RangeError, "'threshold' must be a number at least 0"],
  [{ strength: -1 }, RangeError, "'strength' must be a number at least 0"],
  [{ strength: "1" }, TypeError, "'strength' must be a number at least 0"],
  [{ phase: "x" }, RangeError, "'phase' must be"],
  [{ k: 3 }, TypeError, "'k' is not an option: known options are topK, threshold, strength"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`selar() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => selar(options), type, `Cannot mix as ${sentence}`);
  });
}
