import { assertEquals } from "@std/assert";
import { scriptOf } from "../../../lib/plot/page/script.ts";
import tokens from "../../../lib/plot/page/tokens.ts" with { type: "text" };
import { heat, told, visible } from "../../../lib/plot/page/tokens.ts";

Deno.test("scriptOf() is a script that says what the module says", () => {
  const script = scriptOf(tokens, `import { heat } from "./tokens.ts";\nexport const own = 1;\n`);
  const made = new Function(`"use strict"; ${script}; return { heat, told, visible, own };`)();
  const token = {
    ...{
      text: "a\n",
      name: '"a\\n"',
      entropy: 0.5,
      probability: 0.25,
      offSampleMass: 0.1,
      norm: 0.9,
    },
    ...{ candidates: [["b", 0.75]] as const, mixture: [["b", 0.1]] as const, event: "soft" },
  };
  assertEquals(made.own, 1);
  assertEquals([0, 0.3, 2].map(made.heat), [0, 0.3, 2].map(heat));
  assertEquals(made.told(token), told(token));
  assertEquals(made.visible(token), visible(token));
});
