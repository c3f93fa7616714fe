import { assertEquals, assertThrows } from "@std/assert";
import { checkOptions, number, objectOf, oneOf, refusal, type Rules } from "../lib/_check.ts";
import { hint, nearest } from "../lib/_near.ts";

const OPTIONS = ["method", "maxNewTokens", "temperature", "topK", "topP", "seed", "signal"];

/** What is written, and what is meant: by letters that were missed, doubled, swapped, or by form. */
const NEAR: readonly (readonly [string, string])[] = [
  ["maxTokens", "maxNewTokens"],
  ["max_new_tokens", "maxNewTokens"],
  ["max-new-tokens", "maxNewTokens"],
  ["temprature", "temperature"],
  ["temperatuer", "temperature"],
  ["temp", "temperature"],
  ["TEMPERATURE", "temperature"],
  ["top_k", "topK"],
  ["topp", "topP"],
  ["methods", "method"],
  ["seeds", "seed"],
  ["sgnial", "signal"],
];
for (const [written, meant] of NEAR) {
  Deno.test(`nearest() takes ${written} for ${meant}`, () => {
    assertEquals(nearest(written, OPTIONS), meant);
  });
}

Deno.test("nearest() takes nothing for what is far, short, long or no name", () => {
  const far = [
    "stop",
    "beta",
    "x",
    "to",
    "me",
    "",
    "   ",
    "constructor",
    "日本語",
    "s".repeat(1e6),
  ];
  for (const name of [...far, undefined, null, 3, NaN, {}, ["seed"]]) {
    assertEquals(nearest(name, OPTIONS), undefined, String(name).slice(0, 20));
  }
  assertEquals(nearest("seed", []), undefined);
  assertEquals(nearest("fp8", ["fp32", "fp16", "int8"]), undefined);
});

Deno.test("nearest() of several is the nearest, and of these the first", () => {
  assertEquals(nearest("soft", ["gumbelSoftThinking", "softThinking", "softmax"]), "softmax");
  assertEquals(nearest("abcx", ["abcy", "abcz"]), "abcy");
  assertEquals(nearest("top-p", ["top-k", "top-p"]), "top-p");
});

Deno.test("hint() quotes the name, which may be anyone's", () => {
  assertEquals(hint("moi_1", ["standard", "moi-1"]), ' (did you mean "moi-1"?)');
  assertEquals(hint('my "one\n', ['my "one"\n']), ' (did you mean "my \\"one\\"\\n"?)');
  assertEquals(hint("far", ["standard"]), "");
});

Deno.test("refusals of options, fields and values say what was meant, and else what they said", () => {
  interface Options {
    seed?: number;
    order?: string;
    trace?: { top?: number };
  }
  const rules: Rules<Options> = {
    seed: number(),
    order: oneOf("temperature-first", "temperature-last"),
    trace: objectOf({ top: number() }),
  };
  const message = (options: object) =>
    assertThrows(() => checkOptions<Options>("run", options, rules), Error).message;
  assertEquals(
    message({ sede: 1 }),
    "Cannot run as 'sede' is not an option: known options are seed, order, trace " +
      '(did you mean "seed"?)',
  );
  assertEquals(
    message({ other: 1 }),
    "Cannot run as 'other' is not an option: known options are seed, order, trace",
  );
  assertEquals(
    message({ order: "temperature_first" }),
    "Cannot run as 'order' must be 'temperature-first' or 'temperature-last': current value is " +
      '"temperature_first" (did you mean "temperature-first"?)',
  );
  assertEquals(
    message({ trace: { tpo: 1 } }),
    "Cannot run as 'tpo' is not an option: known options are top (did you mean \"top\"?)",
  );
  assertEquals(
    refusal("find", "task", "be one of votes, gsm8k", "gsm8", ["votes", "gsm8k"]),
    `Cannot find as 'task' must be one of votes, gsm8k: current value is "gsm8" (did you mean "gsm8k"?)`,
  );
});
