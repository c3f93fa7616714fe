/**
 * Fifteen architectures by llama.cpp against transformers, by ids and with mixtures, and three files that are refused.
 */

import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { forward, type Input, loadModel, type LoadOptions } from "@moi/moi/model";
import {
  CASES,
  type LlamaCase,
  type LlamaLogits,
  numbersOf,
  pathOf,
  REFUSED,
} from "../../golden/llama.ts";
import { maxDifference } from "../../golden/golden.ts";
import { temporaryFolder } from "../../_temporary.ts";
import { putTogether, takeApart } from "../gguf/_damaged.ts";

const ENGINE = { engine: "llama.cpp", device: "cpu", threads: 1 } as const;

/** The inputs of a case that holds mixtures. */
function mixedOf({ ids, mixtures }: LlamaCase): Input[] {
  const inputs: Input[] = [...ids];
  for (const { position, ids, weights } of mixtures) inputs[position] = { ids, weights };
  return inputs;
}

/** Logits at the positions that a case tells, by ids and with mixtures. */
async function logitsOf(value: LlamaCase, options: LoadOptions): Promise<readonly Float32Array[]> {
  await using model = await loadModel(pathOf(value.name), { ...ENGINE, ...options });
  const rows = async (inputs: readonly Input[], positions: readonly number[]) => {
    const all = await forward(model, inputs), V = model.config.vocabularySize;
    const found = new Float32Array(positions.length * V);
    positions.forEach((position, i) => found.set(all[position]!, i * V));
    return found;
  };
  return [
    await rows(value.ids, value.positions),
    await rows(mixedOf(value), value.mixed_positions),
  ];
}

const worstOf = ([plain, mixed]: readonly Float32Array[], due: LlamaLogits) =>
  Math.max(
    maxDifference(plain!, numbersOf(due.logits)),
    maxDifference(mixed!, numbersOf(due.mixed)),
  );

/** Largest differences that are taken for the same. */
const MOST = {
  exact: 1e-4, // 2.1e-5
  gelu: 1e-3, // from GELU in float16: 5.8e-5, and 4.9e-4 where one of them falls on the other side
  fp16: 5e-2, // 4.0e-2, of logits that reach 38
};

Deno.test("there are fifteen cases of as many architectures", () => {
  assertEquals(new Set(CASES.map(({ name }) => name)).size, 15);
});

for (const value of CASES) {
  Deno.test(`${value.name} by llama.cpp gives transformers' logits, of mixtures too`, async () => {
    const { half_gelu: half } = value;
    const exact = await logitsOf(value, { kv: "fp32" });
    assertLess(worstOf(exact, half ?? value), half ? MOST.gelu : MOST.exact);
    const rounded = await logitsOf(value, {});
    assertLess(worstOf(rounded, half ?? value), MOST.fp16);
    assert(maxDifference(exact[0]!, rounded[0]!) > 0); // keys and values are in float16 by default
  });
}

const REASONS: Readonly<Record<string, string>> = {
  gemma3n: "its layers take the token itself beside it, as those of Gemma 3n do",
  mamba: "it keeps a recurrent state, which cannot be cut back",
  glm4: "'general.architecture' must take rows of embeddings",
};

Deno.test("models to which no mixture can be fed are refused with the reason", async () => {
  assertEquals([...REFUSED].sort(), Object.keys(REASONS).sort());
  for (const name of REFUSED) {
    const path = pathOf(name);
    const own = await assertRejects(() => loadModel(path, ENGINE), SyntaxError, "Cannot load the");
    assert((own as Error).message.includes(REASONS[name]!), (own as Error).message);
    // with both engines tried, both say why
    const { message } = await assertRejects(() => loadModel(path), SyntaxError) as Error;
    assert(message.includes(`; and by llama.cpp: ${(own as Error).message}`), message);
    assert(message.startsWith("Cannot load the GGUF file as 'general.architecture'"), message);
  }
});

Deno.test("a model that embeds texts is refused, where it would end the process", async () => {
  const raw = takeApart(await Deno.readFile(pathOf("gemma3"))), arch = "gemma-embedding";
  const encoder = new TextEncoder(), decoder = new TextDecoder();
  const entries = raw.entries.map((entry) => {
    const key = decoder.decode(entry.key).replace(/^gemma3\./, `${arch}.`);
    const length = new Uint8Array(BigUint64Array.of(BigInt(arch.length)).buffer);
    const value = key === "general.architecture"
      ? Uint8Array.of(...length, ...encoder.encode(arch))
      : entry.value;
    return { ...entry, key: encoder.encode(key), value };
  });
  const file = putTogether({ entries, tensors: raw.tensors });
  await using folder = await temporaryFolder({ "x.gguf": file });
  const load = () => loadModel(`${folder.path}/x.gguf`, ENGINE);
  await assertRejects(load, SyntaxError, "it embeds texts, and makes none");
});
