/** Functions that are called or asserted about: HumanEval, MBPP, LiveCodeBench's calls, EvalPlus. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type CodeTask,
  humanEval,
  liveCodeBench,
  mbpp,
  type Problem,
} from "../../lib/tasks/mod.ts";
import { taskOn } from "./_rows.ts";

const fenced = (code: string) => `Here:\n\`\`\`python\n${code}\n\`\`\`\n`;

/** Grades texts, and compares the beginning of each verdict. */
async function come<P extends Problem>(
  { task, problems }: { task: CodeTask<P>; problems: P[] },
  texts: readonly (readonly [text: string, verdict: string])[],
) {
  for (const [text, verdict] of texts) {
    const { correct, reason = "" } = await task.grade(problems[0]!, text);
    assertEquals(
      [correct, reason.slice(0, verdict.length)],
      [verdict.startsWith("pass"), verdict],
      text,
    );
  }
}

const DOUBLE = {
  task_id: "T/0",
  prompt: 'def double(x):\n    """2x"""\n',
  test: "def check(candidate):\n    assert candidate(2) == 4\n",
  entry_point: "double",
};

const SUM_START = "class Solution:\n    def total(self, a: List[int]) -> int:\n        ";
const SUM_CODE = `${SUM_START}return sum(a)\n`;

/** LiveCodeBench with one problem: a method that sums. */
const sumTask = () =>
  taskOn([{
    question_content: "Sum.",
    starter_code: SUM_START,
    public_test_cases: [{ input: "[1, 2]", output: "3", testtype: "functional" }],
  }], (source) => liveCodeBench({ source }));

Deno.test("a completion ends at the benchmark's stop texts, prose or a fence", async () => {
  const plain = await taskOn([DOUBLE], (source) => humanEval({ source, prompt: "plain" }));
  const body = "    return 2 * x\n";
  await come(plain, [
    [body, "pass"],
    [`${body}\n\ndef triple(x):\n    return 3 *`, "pass"],
    [`${body}\ndef double(x):\n    """again`, "pass"],
    [`${body}\nclass A:\n    def`, "pass"],
    [`${body}\n# Test\nassert double(2`, "pass"],
    [`${body}\nif __name__ == "__main__":\n    print(double(`, "pass"],
    [`${body}\nprint(double(input()))`, "pass"],
    [`${body}\n@decorator\ndef f`, "pass"],
    [`${body}\nThis function doubles its argument.\n`, "pass"],
    [`${body}\nDone\n`, "pass"],
    [`${body}\`\`\`\n\nExample:\n\`\`\`python\nprint(double(1))\n\`\`\`\n`, "pass"],
    [`${body}\`\`\``, "pass"],
    [`\n\n${body}\nexit(`, "pass"],
    ["\treturn 2 * x\n\nEnd", "error"], // tabs after the spaces of the docstring
    ['    s = """\ntext\n"""\n    return 2 * x\nEnd', "pass"],
    ["    y = max(\n        x,\n        x\n)\n    return 2 * y\n\nEnd", "pass"],
    ["    y = x\n\n    # comment\n\n    return 2 * y\n\n# End", "pass"],
    [`def double(x):\n${body}\n\ndef triple(x):\n    return 3 *`, "pass"],
    [`from typing import List\n\ndef double(x):\n${body}\n\nprint(double(`, "pass"],
    [`def double(x):\n${body}\nThis doubles.`, "pass"],
    [fenced(`def double(x):\n${body}`), "pass"],
    ["    return x\n\ndef double(x):\n    return 2 * x\n", "wrong answer"],
    ["    return helper(x)\n\ndef helper(x):\n    return 2 * x\n", "error: NameError"],
    ["", "wrong answer"],
  ]);
  const chat = await taskOn([DOUBLE], (source) => humanEval({ source }));
  await come(chat, [
    [`${body}\nThat is all.`, "pass"],
    [`def double(x):\n${body}\nThat is all.`, "pass"],
    [fenced(body), "pass"],
    [fenced(`from __future__ import annotations\ndef double(x: Nope):\n${body}`), "pass"],
    [fenced(`def double(x):\n${body}\nprint(double(2))`), "pass"],
    // authors' harnesses run an answer under another name than __main__
    [
      fenced(
        `def double(x):\n${body}\nif __name__ == "__main__":\n    print(double(int(input())))`,
      ),
      "pass",
    ],
    [
      fenced(`import sys\nsys.stderr.write("x")\nprint("x" * 3_000_000)\ndef double(x):\n${body}`),
      "pass",
    ],
  ]);
});

Deno.test("an answer that exits before its tests have run is wrong", async () => {
  const chat = await taskOn([DOUBLE], (source) => humanEval({ source }));
  const right = "def double(x):\n    return 2 * x\n";
  await come(
    chat,
    [
      [fenced(`${right}import sys\nsys.exit()`), "exit: exit code 0"],
      [fenced(`${right}exit(0)`), "exit: exit code 0"],
      [fenced(`${right}raise SystemExit`), "exit: exit code 0"],
      [fenced(`${right}import os\nos._exit(0)`), "exit: exit code 0"],
      [fenced("def double(x):\n    quit()"), "exit: exit code 0"],
      [fenced("def double(x):\n    import os; os._exit(3)"), "exit: exit code 3"],
      [fenced("def double(x): return double(x)"), "error: RecursionError"],
      [fenced("def double(x):\n    while True: pass"), "time: took more than 10000 ms"],
    ].slice(0, 7) as [string, string][],
  );
  const rows = [{
    task_id: 1,
    text: "Add.",
    test_list: ["assert add(1, 2) == 3", "assert add(2, 2) == 4"],
  }];
  const task = await taskOn(rows, (source) => mbpp({ source }));
  await come(task, [
    [fenced("def add(a, b): return a + b\nexit()"), "exit: exit code 0"],
    [fenced("def add(a, b): return 3"), "wrong answer: AssertionError in test 2 of 2"],
    [fenced("def add(a, b): return a + b"), "pass: 2 tests"],
  ]);
  const calls = await sumTask(), code = SUM_CODE;
  await come(calls, [
    [fenced(code), "pass: 1 test"],
    [
      fenced(`${code}\nif __name__ == "__main__":\n    print(Solution().total(eval(input())))`),
      "pass: 1 test",
    ],
    [fenced(`from __future__ import annotations\n${code}`), "pass: 1 test"],
    [fenced(`${code}exit()`), "exit: exit code 0"],
    [fenced(code.replace("sum(a)", "exit()")), "exit: exit code 0 in test 1 of 1"],
    [
      fenced(
        code.replace("sum(a)", "pow(a[0], 1, 7) + self.deep(2000)") +
          "\n    @cache\n    def deep(self, n): return 2 if n == 0 else self.deep(n - 1)",
      ),
      "pass: 1 test",
    ],
  ]);
});

Deno.test("MBPP's completions end at its stop texts, and prose is left out", async () => {
  const rows = [{ task_id: 1, text: "Add.", test_list: ["assert add(1, 2) == 3"] }];
  const plain = await taskOn(rows, (source) => mbpp({ source, prompt: "plain" }));
  const code = "def add(a, b):\n    return a + b\n";
  await come(plain, [
    [code, "pass"],
    [`${code}[DONE]\nYou are an expert`, "pass"],
    [`${code}\nassert add(1, 2) == 4`, "pass"],
    [`${code}\n"""\nNext task`, "pass"],
    [`${code}\nclass A:\n    def`, "pass"],
    [`${code}\nprint(add(1,`, "pass"],
    [`${code}\nif __name__`, "pass"],
    [`${code}\ndef sub(a, b):\n    return (a`, "pass"],
    [`${code}\nThis adds two numbers.\n`, "pass"],
    [`${code}\`\`\`\nmore`, "pass"],
    [`${code}\`\`\`\n\nExample:\n\`\`\`python\nprint(add(1, 2))\n\`\`\`\n`, "pass"],
    [fenced(code), "pass"],
    [`import math\n\n${code}`, "pass"],
    [`class A: pass\n\n${code}`, "pass"],
  ]);
  const chat = await taskOn(rows, (source) => mbpp({ source }));
  await come(chat, [
    [`${code}\nThis adds two numbers.`, "pass"],
    [`${code}\`\`\`\nThis adds.`, "pass"], // where the prompt has begun the block
    [`\`\`\`python\n${code}\nprint(add(1`, "pass"], // cut off in the block, after the function
    ["```python\ndef add(a, b):\n    return (a", "error: SyntaxError"],
  ]);
});

Deno.test("the block that defines the function counts, with what it needs", async () => {
  const rows = [{ task_id: 1, text: "Add.", test_list: ["assert set([add(1, 2)]) == set([3])"] }];
  const mb = await taskOn(rows, (source) => mbpp({ source }));
  const he = await taskOn([DOUBLE], (source) => humanEval({ source }));
  const py = (code: string) => `\`\`\`python\n${code}\n\`\`\`\n`;
  const add = "def add(a, b):\n    return a + b";
  await come(mb, [
    [py(add) + "Usage:\n" + py("print(add(1, 2))"), "pass"],
    [py(add) + "Tests:\n" + py("assert add(1, 2) == 4"), "pass"],
    [py(add) + py("result = add(1, 2)\nprint(result)") + "Output:\n```\n3\n```\n", "pass"],
    [py(add) + py("import unittest\nclass T(unittest.TestCase):\n    def add(self): pass"), "pass"],
    [py("def add(a, b): return a") + "Better:\n" + py(add), "pass"],
    [py(add) + "Or:\n" + py("def add(a, b): return a"), "wrong answer"], // the last that defines it
    [py("def plus(a, b):\n    return a + b") + py("def add(a, b):\n    return plus(a, b)"), "pass"],
    [
      py("import operator") + py("def plus(a, b):\n    return operator.add(a, b)") +
      py("def add(a, b):\n    return plus(a, b)") + py("print(add(int(input()), 1))"),
      "pass",
    ],
    [
      py("K = 0") + py("from math import *") + py("def add(a, b):\n    return floor(a + b) + K"),
      "pass",
    ],
    [py("a = int(input())\nprint(a)") + py(add), "pass"], // binds a itself
    [py("this is = no Python") + py(add) + py("print(add("), "pass"],
    [py(add) + "```python\nprint(add(1,", "pass"],
    [`${add}\n\nExample:\n${py("print(add(1, 2))")}`, "pass"],
    [py("add = lambda a, b: a + b") + py("print(add(1, 2))"), "pass"],
    [py("def plus(a, b):\n    return a + b"), "error: NameError: name 'add'"],
    ["```\n" + add + "\n```\n" + py("print(add(1, 2))"), "pass"],
  ]);
  await come(he, [
    [
      py("def double(x):\n    return 2 * x") + py("print(double(2))\nassert double(2) == 5"),
      "pass",
    ],
    [py("    return 2 * x") + py("print(double(2))"), "pass"],
    [py("    return 2 * x"), "pass"],
  ]);
  const calls = await sumTask(), code = SUM_CODE;
  await come(calls, [
    [py(code) + py("print(Solution().total([1]))\nassert False"), "pass"],
    [py("def plus(a): return sum(a)") + py(code.replace("sum(a)", "plus(a)")), "pass"],
    [py(code) + py("class Solution:\n    def other(self): pass"), "pass"],
  ]);
});

Deno.test("blocks stand in lists, and between longer fences and tildes", async () => {
  const rows = [{ task_id: 1, text: "Add.", test_list: ["assert add(1, 2) == 3"] }];
  const mb = await taskOn(rows, (source) => mbpp({ source }));
  const lines = (indent: string) => `${indent}def add(a, b):\n\n${indent}    return a + b\n`;
  await come(mb, [
    [`1. Here:\n   \`\`\`python\n${lines("   ")}   \`\`\`\n2. Done.`, "pass"],
    [`- Here:\n\n    \`\`\`python\n${lines("    ")}    \`\`\`\n`, "pass"],
    [`\t\`\`\`python\n${lines("\t")}\t\`\`\`\n`, "pass"],
    [`1. Here:\n   \`\`\`python\n${lines("")}\`\`\`\n`, "pass"],
    [`1. Here:\n   \`\`\`python\n${lines("   ")}`, "pass"], // cut off
    [`\`\`\`python\n${lines("    ")}\`\`\`\n`, "pass"],
    [`~~~python\n${lines("")}~~~\n`, "pass"],
    [`~~~~\n${lines("")}~~~~\nThat is all.`, "pass"],
    [`\`\`\`\`python\n${lines("")}\`\`\`\`\nThat is all.`, "pass"],
    [
      `\`\`\`\`python\ndef add(a, b):\n    """\n\`\`\`\nadd(1, 2)\n\`\`\`\n    """\n    return a + b\n\`\`\`\`\n`,
      "pass",
    ],
    [
      `\`\`\`python\ndef add(a, b):\n    """\n    \`\`\`python\n    add(1, 2)\n    \`\`\`\n    """\n    return a + b\n\`\`\`\n`,
      "pass",
    ],
  ]);
  const he = await taskOn([DOUBLE], (source) => humanEval({ source }));
  await come(he, [[
    "1. So:\n   ```python\n   def double(x):\n       return 2 * x\n   ```",
    "pass",
  ]]);
  const row = {
    question_content: "Double it.",
    public_test_cases: [{ input: "2", output: "4", testtype: "stdin" }],
  };
  const lcb = await taskOn([row], (source) => liveCodeBench({ source }));
  await come(lcb, [
    ["1. So:\n   ```python\n   for x in [int(input())]:\n       print(2 * x)\n   ```", "pass"],
    ["~~~py\nprint(2 * int(input()))\n~~~", "pass"],
    ["```python\nprint(2 * int(input()))\n```\n```python\nprint(5)\n```", "wrong answer"], // the last
  ]);
});

Deno.test("MBPP's own markers are no code", async () => {
  const rows = [{ task_id: 1, text: "Add.", test_list: ["assert add(1, 2) == 3"] }];
  const code = "def add(a, b):\n    return a + b\n";
  for (const prompt of ["chat", "plain"] as const) {
    const task = await taskOn(rows, (source) => mbpp({ source, prompt }));
    await come(task, [
      [`[BEGIN]\n${code}[DONE]\n`, "pass"],
      [`[BEGIN]\n${code}[DONE]`, "pass"],
      [`[BEGIN]\n${code}`, "pass"],
      [`${code}[DONE]`, "pass"],
      [`${code}[/DONE]\n`, "pass"],
      [`${code.trim()} [DONE]`, "pass"],
      [`Sure:\n[BEGIN]\n${code}[DONE]\nThat is all.`, "pass"],
      [`[BEGIN]\n\`\`\`python\n${code}\`\`\`\n[DONE]`, "pass"],
      [`\`\`\`python\n[BEGIN]\n${code}[DONE]\n\`\`\``, "pass"],
      [`[PYTHON]\n${code}[/PYTHON]\n`, "pass"],
    ]);
  }
});

Deno.test("prose before a function is no code, and a cut statement is left out of a completion", async () => {
  const he = await taskOn([DOUBLE], (source) => humanEval({ source }));
  const whole = "def double(x):\n    return 2 * x\n";
  const prose = [
    [`Here is the solution:\n\n${whole}`, "pass"],
    [`Sure\n\n${whole}`, "pass"],
    [`Sure! Here it is.\n\nfrom typing import List\n\n${whole}\nThis doubles.`, "pass"],
    [`Here is the solution:\n\n${whole.replace("2 * x", "x")}`, "wrong answer"],
    [`K = 2\n${whole.replace("2", "K")}`, "pass"],
    ["Here is the body:\n\n    return 2 * x\n", "pass"],
  ] as const;
  await come(he, prose);
  const plain = await taskOn([DOUBLE], (source) => humanEval({ source, prompt: "plain" }));
  await come(plain, [
    ...prose,
    ["    return 2 * x\n\n    def inner(", "pass"],
    ["    return 2 * x\n    print(double(", "pass"],
    ["    return 2 * x\n    for y in", "pass"],
    ['    return 2 * x\n    s = """cut\noff', "pass"],
    ["    return 2 * x\n    if x:", "pass"],
    ["    retrun x\n    return 2 * x", "error: SyntaxError"],
  ]);
  const rows = [{ task_id: 1, text: "Add.", test_list: ["assert add(1, 2) == 3"] }];
  const add = "def add(a, b):\n    return a + b\n";
  const chat = await taskOn(rows, (source) => mbpp({ source }));
  await come(chat, [
    [`The function:\n${add}`, "pass"],
    [`The function:\n\n${add}\nIt adds.`, "pass"],
    ["import math\n\ndef add(a, b):\n    return (a", "error: SyntaxError"], // not NameError
    ["x = 1\n\ndef add(a, b)\n    return a + b", "error: SyntaxError"],
  ]);
  const cut = await taskOn(rows, (source) => mbpp({ source, prompt: "plain" }));
  await come(cut, [
    [`The function:\n${add}`, "pass"],
    [`${add}\n    def inner(`, "pass"],
    [`${add}\ndef sub(a, b):\n    return (a`, "pass"],
  ]);
});

Deno.test("values of calls are compared by Python's equality, an outer tuple as a list", async () => {
  const row = (output: string) => ({
    question_content: "It.",
    starter_code: "class Solution:\n    def it(self, a):\n        ",
    public_test_cases: [{ input: "1", output, testtype: "functional" }],
  });
  const grade = async (output: string, value: string, options = {}) => {
    const { task, problems } = await taskOn(
      [row(output)],
      (source) => liveCodeBench({ source, ...options }),
    );
    const text = fenced(`class Solution:\n    def it(self, a): return ${value}`);
    const { correct, reason } = await task.grade(problems[0]!, text);
    return `${correct} ${reason}`;
  };
  assertEquals(await grade("[1, 2]", "(1, 2)"), "true pass: 1 test");
  assert((await grade("[[1, 2]]", "[(1, 2)]")).startsWith("false wrong answer"));
  assertEquals(await grade("9007199254740993", "2**53 + 1"), "true pass: 1 test");
  assert((await grade("9007199254740993", "2**53")).startsWith("false"));
  assert(
    (await grade("0.33333", "1 / 3")).startsWith(
      "false wrong answer: AssertionError: got 0.333333",
    ),
  );
  assertEquals(
    await grade("[0.33333, 2]", "[1 / 3, 2]", { tolerance: 1e-5 }),
    "true pass: 1 test, only within the tolerance of 0.00001",
  );
  assert(
    (await grade("[0.33333, 2]", "[1 / 3, 2.000001]", { tolerance: 1e-5 })).startsWith("false"),
  );
});

Deno.test("tests that import what the sandbox lacks are not gradable, whatever the answer", async () => {
  const plus = {
    ...DOUBLE,
    test:
      "import resource\nimport numpy as np\n\ndef check(candidate):\n    assert np.allclose(candidate(2), 4)\n",
  };
  const he = await taskOn([plus], (source) => humanEval({ source, offline: true }));
  for (const text of ["    return 2 * x\n", "    return x\n", "    retrun x\n", ""]) {
    const { correct, ungradable, reason } = await he.task.grade(he.problems[0]!, text);
    assertEquals([correct, ungradable], [false, true]);
    assertEquals(reason, "not gradable: its tests cannot run: no module 'resource' in the sandbox");
  }
  const rows = [
    { task_id: 1, text: "It.", test_imports: ["import tkinter"], test_list: ["assert f(1) == 1"] },
    { task_id: 2, text: "It.", test_list: [] },
    {
      task_id: 3,
      text: "It.",
      test_imports: ["import math"],
      test_list: ["assert f(1) == math.floor(1.5)"],
    },
    {
      task_id: 4,
      text: "It.",
      test_list: ["assert f(1) == 1"],
      test: "import json\nassert f(json.loads('2')) == 2",
    },
  ];
  const { task, problems } = await taskOn(rows, (source) => mbpp({ source, offline: true }));
  const text = fenced("def f(x): return x");
  const reasons = await Promise.all(problems.map(async (one) => {
    const { ungradable, reason } = await task.grade(one, text);
    return [ungradable, reason];
  }));
  assertEquals(reasons, [
    [true, "not gradable: its tests cannot run: no module 'tkinter' in the sandbox"],
    [true, "not gradable: the row has no tests"],
    [undefined, "pass: 1 test"],
    [undefined, "pass: 2 tests"],
  ]);
  const half = await task.grade(problems[3]!, fenced("def f(x): return 1"));
  assertEquals(half.reason, "wrong answer: AssertionError in test 2 of 2");
  const resource = await task.grade(problems[2]!, fenced("import resource\ndef f(x): return x"));
  assertEquals([resource.ungradable, resource.reason], [
    true,
    "not gradable: the sandbox has no module 'resource'",
  ]);
});

Deno.test("rows that cannot be judged are refused, or not gradable", async () => {
  await assertRejects(
    () => taskOn([{ ...DOUBLE, test: "assert double(2) == 4" }], (source) => humanEval({ source })),
    TypeError,
    "defines check(candidate)",
  );
  const mixed = {
    question_content: "?",
    starter_code: "",
    public_test_cases: [{ input: "1", output: "1", testtype: "functional" }],
  };
  await assertRejects(
    () => taskOn([mixed], (source) => liveCodeBench({ source })),
    TypeError,
    "testtype",
  );
  const stdin = { // a class in the starter does not make a program a function
    question_content: "?",
    starter_code: "class Solution:\n    def f(self): pass",
    public_test_cases: [{ input: "1", output: "1", testtype: "stdin" }],
  };
  const { task, problems } = await taskOn([
    { ...stdin, question_id: "a" },
    { question_id: "b", question_content: "?", public_test_cases: "[]", private_test_cases: "" },
  ], (source) => liveCodeBench({ source }));
  assertEquals(problems.map(({ method }) => method), ["", ""]);
  assert((await task.grade(problems[0]!, fenced("print(input())"))).correct);
  const none = await task.grade(problems[1]!, fenced("print(1)"));
  assertEquals([none.correct, none.ungradable, none.reason], [
    false,
    true,
    "not gradable: the row has no tests",
  ]);
});

Deno.test("what decides prompts and verdicts is told", () => {
  const source = "none.jsonl";
  const shared = { system: null, timeMs: 10_000, memoryMb: 512 };
  assertEquals(humanEval({ source }).parameters, { prompt: "chat", ...shared });
  assertEquals(mbpp({ source, prompt: "plain", timeMs: 3000, system: "Be brief." }).parameters, {
    ...{ prompt: "plain", system: "Be brief.", timeMs: 3000, memoryMb: 512 },
  });
});
