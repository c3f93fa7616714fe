/** What a model finds in rows of logits, held to float64. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { entropyOf, generate, softmax } from "@moi/moi/decode";
import { loadModel, SHORTLIST } from "@moi/moi/model";
import { nextTokenSource } from "../../lib/model/next_token.ts";
import { wideCheckpoint } from "../golden/golden.ts";
import { seeded } from "../_random.ts";

const V = 2001;

Deno.test("openNextToken() finds the most probable tokens, and the softmax at every temperature", async () => {
  await using source = nextTokenSource(V, 1);
  using next = source.open();
  const random = seeded(7), logits = Float32Array.from({ length: 3 * V }, () => random.normal());
  const wanted = [[], [0.5], [2, 1]];
  const found = await next.of(logits, wanted);
  for (const [i, { top, softmax: made }] of found.entries()) {
    const row = logits.subarray(i * V, (i + 1) * V);
    const order = [...row.keys()].sort((a, b) => row[b]! - row[a]! || a - b);
    assertEquals(Array.from(top.ids), order.slice(0, SHORTLIST));
    assertEquals(Array.from(top.logits), order.slice(0, SHORTLIST).map((id) => row[id]!));
    const more = await next.top(row, 500);
    assertEquals(Array.from(more.ids), order.slice(0, 500));
    assertEquals(made.map(({ temperature }) => temperature), wanted[i]!);
    for (const { temperature, probabilities, entropy } of made) {
      const expected = softmax(row, temperature);
      expected.forEach((p, id) => assertAlmostEquals(probabilities[id]!, p, 1e-6));
      assertAlmostEquals(entropy, entropyOf(expected), 1e-4);
    }
  }
});

Deno.test("a model opens its own, any number at once, until it is disposed; a small one has none", async () => {
  await using small = await loadModel("votes-tiny");
  assertEquals(small.openNextToken, undefined);
  await using folder = await wideCheckpoint(V);
  const model = await loadModel(folder.path);
  const options = { maxNewTokens: 6, ignoreEos: true };
  const alone = await generate(model, [3], options);
  const both = await Promise.all([1, 2].map(() => generate(model, [3], options)));
  for (const { tokens } of both) assertEquals(tokens, alone.tokens);
  {
    using a = model.openNextToken!(), b = model.openNextToken!();
    const rows = [0, 1].map((n) => Float32Array.from({ length: V }, (_, id) => -Math.abs(id - n)));
    const [[x], [y]] = await Promise.all([a.of(rows[0]!, [[]]), b.of(rows[1]!, [[]])]);
    assertEquals([x!.top.ids[0], y!.top.ids[0]], [0, 1]);
  }
  const message = `'tokens' must be an integer at least 1 and at most ${V}`;
  for (const tokens of [0, V + 1, 1.5]) {
    assertThrows(() => model.openNextToken!(tokens), RangeError, message);
  }
  await model[Symbol.asyncDispose]();
  assertThrows(() => model.openNextToken!(), Error, "as the model is disposed");
  assert(alone.tokens.length === 6);
});
