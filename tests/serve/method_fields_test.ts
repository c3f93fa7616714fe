/** Methods as flat fields, there and back. */

import { assertEquals, assertThrows } from "@std/assert";
import { METHODS, softThinking } from "@moi/moi/decode";
import { fieldsOf, methodOf } from "@moi/moi/serve";

Deno.test("every method comes back from its fields as it was, by way of JSON", () => {
  for (const [name, { make }] of Object.entries(METHODS)) {
    for (const phase of ["all", "thinking", "answer"] as const) {
      const method = make({ phase });
      const fields = JSON.parse(JSON.stringify(fieldsOf(method)));
      const again = methodOf(fields);
      assertEquals([again.name, again.parameters], [name, method.parameters]);
    }
  }
});

Deno.test("options that are objects go as knobs of their own", () => {
  const markers = { open: "<a>", close: "</a>" }, answer = { temperature: 0, topK: 3 };
  const method = softThinking({ phase: "thinking", markers, answer, coldStop: false });
  const fields = fieldsOf(method);
  assertEquals([fields.moi_open, fields.moi_answer_top_k], ["<a>", 3]);
  assertEquals(methodOf(fields).parameters, method.parameters);
  const cold = softThinking({ coldStop: { threshold: 0.2, length: 9 } });
  assertEquals(methodOf(fieldsOf(cold)).parameters, cold.parameters);
});

Deno.test("methodOf() refuses unknown methods and knobs, and values that are none", () => {
  const refused = (fields: Record<string, unknown>, message: string) =>
    assertThrows(() => methodOf(fields), Error, message);
  refused({ moi_method: "half" }, "'moi_method' must be one of standard, moi");
  refused({ moi_method: "__proto__" }, "'moi_method' must be one of");
  refused({ moi_method: 3 }, "'moi_method' must be one of");
  refused({ moi_betta: 1 }, "betta");
  refused({ moi_method: "standard", moi_beta: 1 }, "beta");
  refused({ moi_beta: "1" }, "'beta' must be a number");
  refused({ moi_beta: null }, "'moi_beta' must be a text, a number, true or false");
  refused({ moi_beta: [1] }, "'moi_beta' must be a text, a number, true or false");
  refused({ moi_preset: "papers" }, "'preset' must be 'paper' or");
  refused({ beta: 1 }, "'beta' must begin with moi_");
  refused({ moi_topK: 3 }, "'moi_topK' must be left out, as moi takes moi_beta, moi_preset");
  refused({ moi_method: "moi", moi__beta: 3 }, "'moi__beta' must be left out");
});
