/** Tokens that a method forces: what it learns of them, and what becomes of them. */

import { assertEquals } from "@std/assert";
import { generate, type Method, oneToken } from "@moi/moi/decode";
import { inPhase } from "../../lib/decode/phase.ts";
import { ids, mockModel, writes } from "../_mock_model.ts";

const [A, B, DOT] = ids("ab.") as [number, number, number];

/** Records "b" for every token, and forces a full stop after the third; notes what it is told. */
function stubborn(told: [number, boolean | undefined][]): Method<number> {
  return {
    name: "stubborn",
    init: () => 0,
    step(_distribution, token, count, forced) {
      told.push([token, forced]);
      return {
        input: { ids: [A, B], weights: [0.5, 0.5] },
        token: B,
        state: count + 1,
        ...(count === 2 ? { force: [DOT] } : {}),
      };
    },
  };
}

Deno.test("a forced token is recorded and fed alone, and the method is told", async () => {
  const told: [number, boolean | undefined][] = [];
  const { text, trace } = await generate(mockModel({ logits: writes("aaaaaaaa") }), ids("x"), {
    method: stubborn(told),
    maxNewTokens: 5,
    trace: true,
  });
  assertEquals(text, "bbb.b");
  assertEquals(told, [[A, false], [A, false], [A, false], [DOT, true], [A, false]]);
  assertEquals(trace!.map(({ mixture }) => mixture), [
    ...new Array(3).fill({ ids: [A, B], weights: [0.5, 0.5] }),
    oneToken(DOT),
    { ids: [A, B], weights: [0.5, 0.5] },
  ]);
});

Deno.test("a forced marker ends the phase, whatever the method would record", async () => {
  for (const forcedEnds of [true, false]) {
    const told: [number, boolean | undefined][] = [];
    const markers = { open: "<end>", close: "." };
    const method = inPhase(stubborn(told), { phase: "thinking", markers, forcedEnds });
    const model = mockModel({ logits: writes("aaaaaaaa", 2) });
    const { text } = await generate(model, ids("x<end>"), { method, maxNewTokens: 6 });
    assertEquals(text, forcedEnds ? "bbb.aa" : "bbb.bb");
    assertEquals(told.length, forcedEnds ? 4 : 6);
  }
});
