/** A task of one's own takes a few lines. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  choiceTask,
  lastAnswer,
  mathTask,
  numberTask,
  type Problem,
  type Task,
} from "../../lib/tasks/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

// a benchmark on problems of a file: 1 line each
const svamp = numberTask({ name: "svamp", maxNewTokens: 1024 });
const mmlu = choiceTask({ name: "mmlu", maxNewTokens: 4096 });

// [begin]
interface Sum extends Problem {
  readonly terms: readonly [number, number];
}
const sums: Task<Sum> = {
  name: "sums",
  defaults: { temperature: 0.6, maxNewTokens: 64 },
  problems: () => [1, 2, 3].map((n) => ({ id: `sums-${n}`, terms: [n, 2 * n] })),
  prompt: ({ terms: [a, b] }) => `What is ${a} + ${b}? Put the answer in <answer> tags.`,
  grade({ terms: [a, b] }, text) {
    const extracted = lastAnswer(text);
    return { correct: extracted === `${a + b}`, extracted };
  },
};
// [end]

Deno.test("a task of one's own takes at most 15 lines, and grades", async () => {
  const source = await Deno.readTextFile(new URL(import.meta.url));
  const lines = source.split("// [begin]\n")[1]!.split("// [end]")[0]!.trim().split("\n");
  assert(lines.length <= 15, `${lines.length} lines`);
  const [, problem] = await sums.problems();
  assertEquals(sums.grade(problem!, "<answer>6</answer>").correct, true);
});

Deno.test("numberTask() and choiceTask() make benchmarks of a name, a budget and a kind", async () => {
  const row = '{"question":"1 + 1?","choices":["1","2"],"answer":"2"}\n';
  await using folder = await temporaryFolder({ "rows.jsonl": row });
  const source = `${folder.path}/rows.jsonl`;
  const number = svamp({ source, limit: 1 }), choice = mmlu({ source, prompt: "paper" });
  const [one] = await number.problems(), [other] = await choice.problems();
  assertEquals([number.name, choice.name], ["svamp", "mmlu"]);
  assertEquals(number.defaults, { temperature: 0.6, topP: 0.95, maxNewTokens: 1024 });
  assertEquals(number.parameters, { prompt: "boxed", grading: "last" });
  assertEquals([one!.id, other!.id, other!.answer], ["svamp/0", "mmlu/0", "B"]);
  assertEquals(number.grade(one!, "It is 2.").correct, true);
  assertEquals(choice.grade(other!, "(A)").correct, false);
});

Deno.test("numberTask() and its like refuse what is no name and budget", () => {
  for (const make of [numberTask, mathTask, choiceTask]) {
    const of = (task: unknown) => () => make(task as { name: string; maxNewTokens: number });
    assertThrows(of({ nam: "x", maxNewTokens: 1 }), TypeError, "'nam' is not an option");
    assertThrows(of({ maxNewTokens: 1 }), TypeError, "'task.name' must be a string");
    assertThrows(of({ name: "x" }), TypeError, "'task.maxNewTokens' must be an integer");
    assertThrows(of({ name: "x", maxNewTokens: 0 }), RangeError, "'task.maxNewTokens'");
    assertThrows(of("svamp"), TypeError, "'task' must be a name and a token budget");
  }
});
