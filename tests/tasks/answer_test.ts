import { assertEquals } from "@std/assert";
import { lastAnswer } from "../../lib/tasks/mod.ts";

const CASES: Record<string, [text: string, answer: string | null]> = {
  "finds a lone answer": ["<answer>x</answer>", "x"],
  "trims white space and line ends": ["<answer>\n x \t</answer>", "x"],
  "returns the last of several answers": ["<answer>x</answer> or <answer>y</answer>!", "y"],
  "skips an answer that is still open": ["<answer>x</answer> or <answer>y", "x"],
  "starts afresh at a nested tag": ["<answer>x <answer>y</answer>", "y"],
  "ignores a stray closing tag after it": ["<answer>x</answer> </answer>", "x"],
  "ignores a stray closing tag before it": ["</answer><answer>x</answer>", "x"],
  "finds an empty answer": ["<answer></answer>", ""],
  "keeps other tags": ["<answer><b>x</b></answer>", "<b>x</b>"],
  "finds an answer before the end of turn": ["</think>\n<answer> x </answer><|im_end|>", "x"],
  "leaves out an answer in thoughts": ["<answer>x</answer></think>", null],
  "leaves out an answer in thoughts that stay open": ["<think><answer>x</answer>", null],
  "returns null without tags": ["x", null],
  "returns null for an empty text": ["", null],
  "returns null for an open tag alone": ["<answer>x", null],
  "returns null for a closing tag alone": ["x</answer>", null],
  "returns null for tags in the wrong order": ["</answer>x<answer>", null],
  "returns null for tags in capitals": ["<ANSWER>x</ANSWER>", null],
  "returns null for tags with attributes": ['<answer id="1">x</answer>', null],
};

for (const [name, [text, answer]] of Object.entries(CASES)) {
  Deno.test(`lastAnswer() ${name}`, () => assertEquals(lastAnswer(text), answer));
}

Deno.test("lastAnswer() takes linear time on a huge text", () => {
  const opened = "<answer>".repeat(500_000);
  assertEquals(lastAnswer(opened), null);
  assertEquals(lastAnswer(`${opened}x${"</answer>".repeat(500_000)}`), "x");
});
