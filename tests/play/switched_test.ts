import { assert, assertEquals } from "@std/assert";
import { directMixture, generate, loadModel, type Method, moi, standard } from "../../mod.ts";
import { switched } from "../../lib/play/switched.ts";

Deno.test("switched() keeps what stands before a switch, bit by bit, and then is the other method", async () => {
  await using model = await loadModel("votes-tiny");
  const of = (method: Method) =>
    generate(model, [1, 26, 23], {
      method,
      seed: 3,
      trace: true,
      maxNewTokens: 24,
      ignoreEos: true,
    });
  const before = await of(moi({ beta: 0.25 }));
  for (const at of [0, 1, 7, 23]) {
    const parts = [{ from: 0, method: moi({ beta: 0.25 }) }, {
      from: at,
      method: moi({ beta: 8 }),
    }];
    const both = await of(switched(at === 0 ? parts.slice(1) : parts));
    const scheduled = await of(moi({ beta: ({ step }) => step < at ? 0.25 : 8 }));
    assertEquals(both.trace, scheduled.trace);
    assertEquals(both.trace!.slice(0, at), before.trace!.slice(0, at));
    assertEquals(both.tokens.slice(0, at + 1), before.tokens.slice(0, at + 1));
  }
});

Deno.test("switched() lets every method see all tokens", async () => {
  await using model = await loadModel("votes-tiny");
  const seen: number[][] = [[], []];
  const watched = (i: number) => ({
    ...standard(),
    init: () => 0,
    step(_: unknown, token: number, state: unknown) {
      seen[i]!.push(token);
      assertEquals(state, seen[i]!.length - 1);
      return { input: { ids: [token], weights: [1] }, state: seen[i]!.length };
    },
  });
  const method = switched([{ from: 0, method: watched(0) }, { from: 4, method: watched(1) }]);
  const { tokens } = await generate(model, [1], { method, maxNewTokens: 9, ignoreEos: true });
  assertEquals(seen, [tokens, tokens]);
});

Deno.test("switched() asks for what any of its methods needs", () => {
  const all = [moi(), directMixture(), moi({ prior: "model" })];
  const { needs } = switched(all.map((method, from) => ({ from, method })));
  for (const method of all) for (const need of method.needs ?? []) assert(needs!.includes(need));
});
