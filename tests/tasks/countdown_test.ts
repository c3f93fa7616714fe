import { createHash } from "node:crypto";
import { assert, assertEquals } from "@std/assert";
import { countdown, type CountdownProblem } from "../../lib/tasks/mod.ts";
import { promptDigest } from "./_sha256.ts";

const task = countdown();

Deno.test("countdown() words the held-out problems as published", async () => {
  // SHA-256 of the `prompt` fields of countdown-tiny's test_problems.jsonl, joined by line feeds.
  assertEquals(
    await promptDigest(task),
    "622f09a0b38ab05f2ddca043cc0412c97d8f4e357a240e7d6636f45bb5ae59f5",
  );
});

Deno.test("countdown() asks one user message", async () => {
  const [, , problem] = await task.problems();
  assertEquals(problem && task.prompt(problem), [{
    role: "user",
    content: "Using the numbers [13, 24, 6], create an equation that equals 66.",
  }]);
});

Deno.test("countdown() recommends the settings of countdown-tiny", () => {
  assertEquals(task.defaults, { temperature: 0.6, topP: 0.95, maxNewTokens: 128 });
});

// ── grading ─────────────────────────────────────────────────────────────────────────────────────

const PROBLEM: CountdownProblem = { id: "mine", numbers: [13, 24, 6], target: 66 };
const TWICE: CountdownProblem = { id: "twice", numbers: [7, 7, 9], target: 14 };
const FRACTION: CountdownProblem = { id: "fraction", numbers: [3, 3, 8, 8], target: 24 };

const RIGHT: Record<string, [answer: string, problem?: CountdownProblem]> = {
  "the published form": ["(24 - 13) * 6"],
  "another order": ["6 * (24 - 13)"],
  "no spaces": ["(24-13)*6"],
  "many spaces and line ends": [" ( 24\n-\t13 )  *  6 "],
  "more parentheses than needed": ["((((24) - (13)))) * ((6))"],
  "Unicode operators": ["(24 − 13) × 6"],
  "a minus sign before a factor": ["-(13 - 24) * 6"],
  "the right target after it": ["(24 - 13) * 6 = 66"],
  "the right target after it, unspaced": ["(24-13)*6=66"],
  "a fraction on the way": ["8 / (3 - 8 / 3)", FRACTION],
  "an inexact division that cancels": ["1 / 3 * 6", { id: "", numbers: [1, 3, 6], target: 2 }],
  "a lone number": ["5", { id: "", numbers: [5], target: 5 }],
  "a division sign": ["7 ÷ 7 + 9", { ...TWICE, target: 10 }],
};

for (const [name, [answer, problem = PROBLEM]] of Object.entries(RIGHT)) {
  Deno.test(`countdown().grade() accepts ${name}`, () => {
    assertEquals(task.grade(problem, `so\n</think>\n<answer>${answer}</answer><|im_end|>`), {
      correct: true,
      extracted: answer.trim(),
      reason: `the answer equals ${problem.target}`,
    });
  });
}

const WRONG: Record<string, [answer: string, reason: string, problem?: CountdownProblem]> = {
  "another value": ["24 + 13 + 6", "equals 43, not 66"],
  "a fraction": ["24 / 13 + 6", "equals 102/13, not 66"],
  "a value that only rounds to the target": [
    "100001 / 100000",
    "equals 100001/100000, not 1",
    { id: "", numbers: [100001, 100000], target: 1 },
  ],
  "a negative target": ["(13 - 24) * 6", "equals -66, not 66"],
  "a number used twice": ["(24 - 13) * 6 + 6 - 6", "uses 6 too often"],
  "a number given twice and used three times": ["7 + 7 + 9 + 7", "uses 7 too often", TWICE],
  "a number given twice and used once": ["7 + 9", "does not use 7", TWICE],
  "a missing number": ["24 - 13", "does not use 6"],
  "a number not given": ["6 * 11", "uses 11, which is not given"],
  "digits run together": ["2413 - 6", "uses 2413, which is not given"],
  "the target alone": ["66", "uses 66, which is not given"],
  "a division by zero": ["7 / (9 - 7 - 7 + 5)", "divides by zero", TWICE],
  "a wrong target after it": ["(24 - 13) * 6 = 67", "does not say '= 66'"],
  "a target in another form": ["(24 - 13) * 6 = 66.0", "does not say '= 66'"],
  "an equals sign without target": ["(24 - 13) * 6 =", "does not say '= 66'"],
  "two equals signs": ["(24 - 13) * 6 = 66 = 66", "has more than one '='"],
  "the target before it": ["66 = (24 - 13) * 6", "uses 66, which is not given"],
  "the right target after a wrong expression": ["24 + 13 + 6 = 66", "equals 43, not 66"],
  "an empty answer": ["", "is unfinished"],
  "words": ["twenty-four", "has 't', no arithmetic"],
  "html": ["<b>(24 - 13) * 6</b>", "has '<', no arithmetic"],
  "an html entity": ["(24 - 13) &times; 6", "has '&', no arithmetic"],
  "code": ["globalThis.pwned = 1", "has 'g', no arithmetic"],
  "a name of the prototype": ["__proto__", "has '_', no arithmetic"],
  "an open parenthesis": ["(24 - 13 * 6", "is unfinished"],
};

for (const [name, [answer, reason, problem = PROBLEM]] of Object.entries(WRONG)) {
  Deno.test(`countdown().grade() refuses ${name}`, () => {
    assertEquals(task.grade(problem, `<answer>${answer}</answer>`), {
      correct: false,
      extracted: answer,
      reason: `the answer ${reason}`,
    });
  });
}

Deno.test("countdown().grade() takes the last complete answer", () => {
  const [right, wrong] = ["<answer>(24 - 13) * 6</answer>", "<answer>24 + 13</answer>"];
  assertEquals(task.grade(PROBLEM, wrong + right).correct, true);
  assertEquals(task.grade(PROBLEM, right + wrong).correct, false);
  assertEquals(task.grade(PROBLEM, `${right} or <answer>24 + 13`).correct, true);
});

Deno.test("countdown().grade() refuses a text without answer", () => {
  for (const text of ["", "(24 - 13) * 6", "<answer>(24 - 13) * 6", "</answer><answer>"]) {
    assertEquals(task.grade(PROBLEM, text), {
      correct: false,
      extracted: null,
      reason: "no complete answer tag",
    });
  }
});

Deno.test("countdown().grade() bounds the length of an answer", () => {
  const [open, close] = ["(".repeat(10_000), ")".repeat(10_000)];
  for (const huge of [`${open}24${close}`, "9".repeat(5_000_000), "=".repeat(1_000_000), open]) {
    assertEquals(task.grade(PROBLEM, `<answer>${huge}</answer>`), {
      correct: false,
      extracted: null,
      reason: "the answer is longer than 1000 characters",
    });
  }
});

Deno.test("countdown().grade() bounds the nesting of an answer", () => {
  const answer = `${"(".repeat(400)}24${")".repeat(400)}`;
  assertEquals(
    task.grade(PROBLEM, `<answer>${answer}</answer>`).reason,
    "the answer is nested deeper than 64",
  );
});

// ── problems ────────────────────────────────────────────────────────────────────────────────────

interface Term {
  readonly value: number;
  readonly text: string;
}

/** An expression for the target by the recipe's rule, or null: every order of every pair is tried. */
function solve(terms: readonly Term[], target: number): string | null {
  if (terms.length === 1) return terms[0]!.value === target ? terms[0]!.text : null;
  for (const a of terms) {
    for (const b of terms) {
      if (a === b) continue;
      const rest = terms.filter((term) => term !== a && term !== b);
      const values: [string, number][] = [["+", a.value + b.value], ["-", a.value - b.value]];
      if (a.value * b.value <= 200) values.push(["*", a.value * b.value]);
      if (b.value > 1) values.push(["/", a.value / b.value]);
      for (const [operator, value] of values) {
        if (value < 1 || !Number.isInteger(value)) continue;
        const found = solve(
          [...rest, { value, text: `(${a.text} ${operator} ${b.text})` }],
          target,
        );
        if (found !== null) return found;
      }
    }
  }
  return null;
}

function solution({ numbers, target }: CountdownProblem): string | null {
  return solve(numbers.map((value) => ({ value, text: `${value}` })), target);
}

function tuple({ numbers }: CountdownProblem): string {
  return `(${numbers.toSorted((a, b) => a - b).join(", ")})`;
}

/** Whether the numbers were kept out of training. */
function isHeldOut(problem: CountdownProblem): boolean {
  const digest = createHash("md5").update(tuple(problem)).digest("hex");
  return BigInt(`0x${digest}`) % 10n === 0n;
}

const keys = (problems: readonly CountdownProblem[]) =>
  new Set(problems.map((problem) => `${tuple(problem)} ${problem.target}`));

function generated(count: number, seed: number): Promise<CountdownProblem[]> {
  return Promise.resolve(countdown({ source: "generated", count, seed }).problems());
}

function assertRule(problem: CountdownProblem): void {
  const { numbers, target } = problem;
  const largest = numbers.length === 3 ? 25 : 12;
  const about = JSON.stringify(problem);
  assert(numbers.length === 3 || numbers.length === 4, about);
  assert(numbers.every((n) => Number.isInteger(n) && n >= 1 && n <= largest), about);
  assert(Number.isInteger(target) && target >= 10 && target <= 99, about);
  assert(!numbers.includes(target), about);
  assert(isHeldOut(problem), about);
  const answer = solution(problem);
  assert(answer !== null, about);
  assert(task.grade(problem, `<answer>${answer}</answer>`).correct, about);
}

Deno.test("countdown() holds out problems by the rule", async () => {
  const problems = await task.problems();
  problems.forEach(assertRule);
  assertEquals(keys(problems).size, 1000);
  assertEquals(problems.filter(({ numbers }) => numbers.length === 4).length, 100);
});

Deno.test("countdown() generates problems by the rule", async () => {
  for (let seed = 0; seed < 200; seed++) (await generated(2, seed)).forEach(assertRule);
});

Deno.test("countdown() generates up to 1000 problems, none twice and none held out", async () => {
  const problems = await generated(1000, 3);
  const [made, heldOut] = [keys(problems), keys(await task.problems())];
  assertEquals(made.size, 1000);
  assertEquals(made.intersection(heldOut).size, 0);
  const four = problems.filter(({ numbers }) => numbers.length === 4).length;
  assert(four > 85 && four < 155, `${four} of 1000 have four numbers`); // 120 ± 10
});

Deno.test("countdown() generates the same problem of a seed in every version", async () => {
  assertEquals(await generated(2, 7), [
    { id: "countdown-seed7-0000", numbers: [3, 17, 18], target: 37 },
    { id: "countdown-seed7-0001", numbers: [23, 22, 16], target: 61 },
  ]);
});
