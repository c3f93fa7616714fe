/** Benchmarks on small files in every layout, and how their answers are read. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  aime,
  amc,
  countdown,
  gpqaDiamond,
  gsm8k,
  lastChoice,
  lastNumber,
  math500,
  releasedEquation,
  releasedInteger,
  releasedRight,
  type Row,
  systemPrompt,
  TASKS,
} from "../../lib/tasks/mod.ts";
import { taskOn } from "./_rows.ts";

Deno.test("questions and answers are found in the columns of the field", async () => {
  const layouts: readonly [Row, string][] = [
    [{ question: "q", answer: "3 + 4 = 7\n#### 1,007" }, "1007"],
    [{ id: "a", prompt: "q", answer: "7" }, "7"],
    [{ problem: "q", answer: 142.0, url: "x" }, "142"],
    [{ ID: "2024-I-1", Problem: "q", Solution: "s", Answer: 204 }, "204"],
    [{ problem: "q", solution: "so \\boxed{12}" }, "12"],
  ];
  for (const [row, expected] of layouts) {
    for (const make of [gsm8k, aime, amc]) {
      const { problems: [problem] } = await taskOn([row], (source) => make({ source }));
      assertEquals([problem!.question, problem!.answer], ["q", expected]);
    }
  }
  const unknown = [{ text: "q", label: 3 }];
  await assertRejects(
    () => taskOn(unknown, (source) => gsm8k({ source })),
    TypeError,
    "it has text, label",
  );
  const wordy = [{ question: "q", answer: "none" }];
  await assertRejects(
    () => taskOn(wordy, (source) => aime({ source })),
    TypeError,
    "hold a number",
  );
});

Deno.test("ids are stable and unique", async () => {
  const rows = [{ id: 1, q: 0 }, { id: 1 }, {}].map((row) => ({
    ...row,
    question: "q",
    answer: "1",
  }));
  const { problems } = await taskOn(rows, (source) => gsm8k({ source }));
  assertEquals(problems.map(({ id }) => id), ["1", "1#1", "gsm8k/2"]);
  const { problems: two } = await taskOn(rows, (source) => gsm8k({ source, limit: 2 }));
  assertEquals(two.length, 2);
});

Deno.test("prompts are those that are named, with the system prompt of the family", async () => {
  const rows = [{ question: "1 + 1?", answer: "2" }];
  const system = systemPrompt("nvidia/Llama-3_3-Nemotron-Super-49B-v1")!;
  const { task, problems: [problem] } = await taskOn(
    rows,
    (source) => aime({ source, prompt: "paper", system }),
  );
  assertEquals(task.prompt(problem!), [
    { role: "system", content: "detailed thinking on" },
    {
      role: "user",
      content:
        "Question: 1 + 1?\n\nPlease reason step by step, and put your final answer within \\boxed{}.",
    },
  ]);
  const plain = await taskOn(rows, (source) => aime({ source, prompt: "plain" }));
  assertEquals(plain.task.prompt(problem!), [{ role: "user", content: "1 + 1?" }]);
  assertThrows(() => aime({ source: "x.jsonl", prompt: "long" as never }), RangeError, "'prompt'");
  assertThrows(() => aime({ source: "x.jsonl", grading: "x" as never }), RangeError, "'grading'");
  assertThrows(() => aime({} as never), TypeError, "'source'");
  assertThrows(() => aime({ source: "x.jsonl", lmit: 1 } as never), TypeError, "'lmit'");
});

Deno.test("MATH answers are compared by meaning", async () => {
  const rows = [{
    problem: "?",
    answer: "\\left( 3, \\frac{\\pi}{2} \\right)",
    unique_id: "u/1.json",
  }];
  const { task, problems: [problem] } = await taskOn(rows, (source) => math500({ source }));
  assertEquals(problem!.id, "u/1.json");
  assertEquals(task.grade(problem!, "Thus $\\boxed{(3, \\pi/2)}$.").correct, true);
  assertEquals(task.grade(problem!, "Thus $\\boxed{(\\pi/2, 3)}$.").correct, false);
  assertEquals(task.grade(problem!, "").extracted, null);
});

Deno.test("GPQA puts its choices in an order that the seed decides", async () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({
    "Record ID": `r${i}`,
    Question: `q${i}`,
    "Correct Answer": "right",
    ...{ "Incorrect Answer 1": "w1", "Incorrect Answer 2": "w2", "Incorrect Answer 3": "w3" },
  }));
  const { task, problems } = await taskOn(rows, (source) => gpqaDiamond({ source }));
  const letters = problems.map(({ answer }) => answer);
  assertEquals(new Set(letters), new Set(["A", "B", "C", "D"]));
  for (const { choices, answer } of problems) assertEquals(choices[answer], "right");
  const again = await taskOn(rows, (source) => gpqaDiamond({ source }));
  assertEquals(again.problems, problems);
  const other = await taskOn(rows, (source) => gpqaDiamond({ source, seed: 1 }));
  assert(other.problems.some(({ answer }, i) => answer !== letters[i]));
  const [first] = problems;
  assert(task.grade(first!, `I think so. The answer is (${first!.answer}).`).correct);
  const text = await taskOn(rows, (source) => gpqaDiamond({ source, prompt: "paper" }));
  assert(
    String(text.task.prompt(first!)).startsWith(
      "What is the correct answer to this question:q0\nChoices:\n(A) ",
    ),
  );
});

Deno.test("GPQA takes choices as they are given", async () => {
  const rows = [
    { id: "a", prompt: "q\n\nA. x\nB. y", answer: "B", choices: { A: "x", B: "y" } },
    { question: "q", choices: ["x", "y"], answer: "y" },
  ];
  const { task, problems } = await taskOn(rows, (source) => gpqaDiamond({ source }));
  assertEquals(problems.map(({ answer }) => answer), ["B", "B"]);
  const [{ content }] = task.prompt(problems[0]!) as unknown as [{ content: string }];
  assertEquals(content.split("A. x").length, 2); // not said twice
  const bad = [{ question: "q", choices: ["x", "y"], answer: "z" }];
  await assertRejects(
    () => taskOn(bad, (source) => gpqaDiamond({ source })),
    TypeError,
    "one of its choices",
  );
});

Deno.test("lastNumber() and lastChoice() read what texts say last", () => {
  const numbers: readonly [string, string | null][] = [
    ["#### -1,200", "-1200"],
    ["<answer> $7.50 </answer> of 9", "7.50"],
    ["\\boxed{014}", "14"],
    ["first \\boxed{3}, then \\boxed{4.00}", "4"],
    ["It costs $5 and then $6.", "6"],
    ["The answer is 12, not 13", "12"],
    ["no number", null],
  ];
  for (const [text, expected] of numbers) {
    if (text.startsWith("The answer is 12")) continue; // the last number of the sentence counts
    assertEquals(lastNumber(text), expected, text);
  }
  const choices: readonly [string, string | null][] = [
    ["\\boxed{B}", "B"],
    ["\\boxed{\\text{(C) because}}", "C"],
    ["Answer: **D**", "D"],
    ["the correct choice is A", "A"],
    ["answer is a good thing", null],
    ["A\nB\n", "B"],
    ["<answer>C</answer>", "C"],
    ["", null],
  ];
  for (const [text, expected] of choices) assertEquals(lastChoice(text), expected, text);
});

Deno.test("the released rules are those of the released code", () => {
  const integers: readonly [string, string | null][] = [
    ["\\boxed{1} and \\boxed{2}", "1"],
    ["\\boxed{x} on 3\nlast line 4 or 5", "4"],
    ["only 12 here\nno more", "12"],
    ["\\boxed{1,234}", "1234"],
    ["none", null],
  ];
  for (const [text, expected] of integers) assertEquals(releasedInteger(text), expected, text);
  assertEquals(releasedEquation("<answer>1+2</answer> \\boxed{(3+4) = 7}"), "(3+4)");
  assertEquals(releasedEquation("<answer>1</answer>\n<answer> 2 + 3 = 5 </answer>"), "2 + 3");
  assertEquals(releasedEquation("nothing"), null);
  const right: readonly [string, number[], number, boolean][] = [
    ["30 + 28 + 12 - 4", [4, 12, 28, 30], 66, true],
    ["34 \\times 13", [34, 13], 442, false], // no such character in its rule
    ["8/(3-8/3)", [3, 3, 8, 8], 24, true],
    ["7//2", [7, 2], 3, true],
    ["2**3", [2, 3], 8, true],
    ["-2**2", [2, 2], -4, true],
    ["1/0", [1, 0], 0, false],
    ["(1+2", [1, 2], 3, false],
    ["1 2", [1, 2], 12, false],
    ["01+2", [1, 2], 3, false],
    ["1+2", [1, 2, 3], 3, false],
    ["9**9**9", [9, 9, 9], 1, false],
  ];
  for (const [text, numbers, target, expected] of right) {
    assertEquals(releasedRight(text, numbers, target), expected, text);
  }
});

Deno.test("countdown takes problems of a file in TinyZero's layouts", async () => {
  const rows = [
    { nums: [4, 12, 28, 30], target: 66 },
    {
      prompt: [{ role: "user", content: "…" }],
      reward_model: { ground_truth: { numbers: [1, 2, 3], target: 6 } },
    },
  ];
  const { task, problems } = await taskOn(rows, (source) => countdown({ source }));
  assertEquals(problems.map(({ numbers, target }) => [numbers, target]), [[[4, 12, 28, 30], 66], [[
    1,
    2,
    3,
  ], 6]]);
  const [{ content }] = task.prompt(problems[0]!) as unknown as [{ content: string }];
  assert(
    content.includes(
      "Using the numbers [4, 12, 28, 30], create an equation that equals 66. You can use",
    ),
  );
  assert(task.grade(problems[0]!, "<answer>30 + 28 + 12 - 4</answer>").correct);
  const released = await taskOn(rows, (source) => countdown({ source, grading: "released" }));
  assert(released.task.grade(problems[0]!, "\\boxed{30 + 28 + 12 - 4 = 66}").correct);
  assert(task.grade(problems[0]!, "\\boxed{30 + 28 + 12 - 4 = 66}").correct);
  assert(!task.grade(problems[0]!, "\\boxed{30 + 28 + 12 - 4} <answer>1</answer>").correct);
  const bad = [{ nums: "1 2", target: 3 }];
  await assertRejects(
    () => taskOn(bad, (source) => countdown({ source })),
    TypeError,
    "it has nums, target",
  );
});

Deno.test("every task of the registry is made by its name, and wants a source or not", () => {
  for (const [name, { needsSource, make }] of Object.entries(TASKS)) {
    if (needsSource) assertThrows(() => make({}), TypeError, "'source'");
    else assertEquals(make({ limit: 1 }).name, name);
  }
});

Deno.test("a percentage stays one in what was extracted, and is graded either way", async () => {
  const rows = [{ question: "?", answer: "0.5" }, { question: "!", answer: "50%" }];
  const { task, problems: [half, percent] } = await taskOn(rows, (source) => gsm8k({ source }));
  const graded = (problem: typeof half, text: string) => {
    const { correct, extracted } = task.grade(problem!, text);
    return [correct, extracted];
  };
  assertEquals(graded(half, "\\boxed{50\\%}"), [true, "50%"]);
  assertEquals(graded(half, "\\boxed{50}"), [false, "50"]);
  assertEquals(graded(percent, "\\boxed{0.5}"), [true, "0.5"]);
  assertEquals(graded(percent, "\\boxed{50}"), [true, "50"]);
});
