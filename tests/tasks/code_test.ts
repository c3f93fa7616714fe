/** HumanEval, MBPP and LiveCodeBench on small files in their layouts. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { humanEval, liveCodeBench, mbpp } from "../../lib/tasks/mod.ts";
import { answerOf } from "../../lib/tasks/code.ts";
import { compareOutputs } from "../../lib/tasks/output.ts";
import { taskOn } from "./_rows.ts";

const block = (code: string) => `Here:\n\`\`\`python\n${code}\n\`\`\`\n`;

Deno.test("answerOf() takes the last Python block", () => {
  const cases: readonly [string, string][] = [
    ["```python\na\n```\n```python\nb\n```", "b\n"],
    ["```python\na\n```\nOutput:\n```\n42\n```", "a\n"],
    ["```\na\n```", "a\n"],
    ["<think>\n```python\nno\n```\n</think>\n```py\nyes\n```", "yes\n"],
    ["```python\ncut off", "cut off"],
    ["    return 1", "    return 1"],
  ];
  for (const [text, expected] of cases) assertEquals(answerOf(text).code, expected);
});

const DOUBLE = {
  task_id: "T/0",
  prompt:
    'from typing import List\n\n\ndef double(xs: List[int]) -> List[int]:\n    """Doubles."""\n',
  canonical_solution: "    return [2 * x for x in xs]\n",
  test: "def check(candidate):\n    assert candidate([1, 2]) == [2, 4]\n",
  entry_point: "double",
};

Deno.test("HumanEval takes whole functions and bodies, right and wrong", async () => {
  const { task, problems: [problem] } = await taskOn([DOUBLE], (source) => humanEval({ source }));
  assertEquals([problem!.id, problem!.entryPoint], ["T/0", "double"]);
  const whole = "def double(xs: List[int]):\n    return [x + x for x in xs]"; // without its import
  const grades = [
    DOUBLE.canonical_solution,
    block(whole),
    block("def double(xs): return xs"),
    "    retrun xs\n",
  ];
  const found = await Promise.all(grades.map((text) => task.grade(problem!, text)));
  assertEquals(found.map(({ correct }) => correct), [true, true, false, false]);
  assertEquals(found.map(({ reason }) => reason!.split(":")[0]), [
    "pass",
    "pass",
    "wrong answer",
    "error",
  ]);
  const exported = { id: "e/0", prompt: DOUBLE.prompt, answer: DOUBLE };
  const other = await taskOn([exported], (source) => humanEval({ source, prompt: "plain" }));
  assertEquals([other.problems[0]!.id, other.task.prompt(other.problems[0]!)], [
    "T/0",
    DOUBLE.prompt,
  ]);
  await assertRejects(
    () => taskOn([{ text: "x" }], (source) => humanEval({ source })),
    TypeError,
    "it has text",
  );
  assertThrows(() => humanEval({ source: "x.jsonl", timeMs: 0 }), RangeError, "'timeMs'");
});

Deno.test("MBPP runs its assertions after the program", async () => {
  const rows = [
    {
      task_id: 2,
      text: "Add.",
      test_list: ["assert add(1, 2) == K"],
      test_setup_code: "K = 3",
      code: "…",
    },
    {
      id: "m/1",
      prompt: "Root.",
      answer: { test_list: ["assert root(4) == math.sqrt(4)"], test_import: ["import math"] },
    },
  ];
  const { task, problems } = await taskOn(rows, (source) => mbpp({ source }));
  assertEquals(problems.map(({ id }) => id), ["2", "m/1"]);
  assert((await task.grade(problems[0]!, block("def add(a, b): return a + b"))).correct);
  assert((await task.grade(problems[1]!, block("def root(x): return x ** 0.5"))).correct);
  assert(!(await task.grade(problems[0]!, block("def add(a, b): return a"))).correct);
  assert(!(await task.grade(problems[0]!, block("import sys; sys.exit()"))).correct);
});

/** base64 of zlib of a pickled text: one test that wants 6 for 3; and of a pickled dictionary. */
const PICKLED =
  "eJxrYJlqwwABPRbR1UqZeQWlJUpWCkrGMXlKOgpK+aUlUAEziEBJanFJSWVBKkiouCQlM0+pNnaKHgCV2RRM";
const DICTIONARY = "eJxrYJnKxQABtVN6GBOneDMW6wEALJIEpA==";

Deno.test("LiveCodeBench runs programs on stdin, public and private tests", async () => {
  const row = {
    question_id: "abc1",
    question_content: "Double it.",
    starter_code: "",
    public_test_cases: JSON.stringify([{ input: "2\n", output: "4\n", testtype: "stdin" }]),
    private_test_cases: PICKLED,
    metadata: "{}",
  };
  const { task, problems: [problem] } = await taskOn([row], (source) => liveCodeBench({ source }));
  assertEquals([problem!.id, problem!.cases.length, problem!.samplesOnly], ["abc1", 2, false]);
  const right = await task.grade(problem!, block("print(2 * int(input()))"));
  assertEquals([right.correct, right.reason], [true, "pass: 2 tests"]);
  const lucky = await task.grade(problem!, block("input(); print(4)"));
  assertEquals([lucky.correct, lucky.reason], [false, "wrong answer in test 2 of 2"]);
  const bad = { ...row, private_test_cases: DICTIONARY };
  await assertRejects(
    () => taskOn([bad], (source) => liveCodeBench({ source })),
    SyntaxError,
    "compressed pickle",
  );
  const cut = { ...row, private_test_cases: PICKLED.slice(0, 40) };
  await assertRejects(() => taskOn([cut], (source) => liveCodeBench({ source })), SyntaxError);
});

Deno.test("LiveCodeBench calls methods", async () => {
  const row = {
    question_content: "Sum.",
    starter_code: "class Solution:\n    def total(self, a: List[int], b: int) -> int:\n        ",
    public_test_cases: [{ input: "[1, 2]\n3", output: "6", testtype: "functional" }],
    metadata: '{"func_name": "total"}',
  };
  const { task, problems: [problem] } = await taskOn([row], (source) => liveCodeBench({ source }));
  const code =
    "class Solution:\n    def total(self, a: List[int], b: int) -> int:\n        return sum(a) + b";
  assert((await task.grade(problem!, block(code))).correct);
  const wrong = await task.grade(problem!, block(code.replace("+ b", "")));
  assertEquals([wrong.correct, wrong.reason!.split(":")[0]], [false, "wrong answer"]);
});

Deno.test("without tests an answer is not gradable; what the statement's examples say is told", async () => {
  const stdin =
    "Double.\n\nSample Input 1\n\n2\n\nSample Output 1\n\n4\n\nSample Input 2\n\n5\n\nSample Output 2\n\n10";
  const call = "Sum.\n\nExample 1:\n\nInput: a = [1,2], deep = true\nOutput: [3]\n";
  const rows = [
    { id: "a", prompt: stdin, answer: { starter_code: "" } },
    {
      id: "b",
      prompt: call,
      answer: { starter_code: "class Solution:\n    def total(self, a, deep):\n" },
    },
  ];
  const { task, problems } = await taskOn(rows, (source) => liveCodeBench({ source }));
  assertEquals(problems.map(({ cases }) => cases.length), [2, 1]);
  const first = await task.grade(problems[0]!, block("print(int(input()) * 2)"));
  assertEquals([first.correct, first.ungradable, first.reason], [
    ...[false, true],
    "not gradable: the row has no tests (its statement's examples: pass: 2 tests)",
  ]);
  const code =
    "class Solution:\n    def total(self, a, deep):\n        return [sum(a)] if deep else a";
  const second = await task.grade(problems[1]!, block(code));
  assertEquals([second.ungradable, second.reason!.includes("pass: 1 test")], [true, true]);
  await assertRejects(
    () => taskOn([{ prompt: "no examples" }], (source) => liveCodeBench({ source })),
    TypeError,
    "statement with examples",
  );
});

Deno.test("compareOutputs() compares lines, and numbers by their value", () => {
  assert(compareOutputs("1 2\n3\n", " 1 2 \n3") === "same");
  assert(compareOutputs("0.50", "0.5") === "same");
  assert(compareOutputs("1\n2", "1") !== "same");
  assert(compareOutputs("Yes", "YES") !== "same");
  assert(compareOutputs("1 2", "12") !== "same");
});
