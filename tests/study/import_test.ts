/** Result files of other tools, small ones in their layouts, and hostile ones. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { gains } from "../../lib/stats/mod.ts";
import { importRuns, regrade } from "../../lib/study/mod.ts";
import { countdown } from "../../lib/tasks/mod.ts";

async function read(name: string, content: unknown, method?: string) {
  const folder = await Deno.makeTempDir();
  try {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    await Deno.writeTextFile(`${folder}/${name}`, text);
    return await importRuns(`${folder}/${name}`, method === undefined ? {} : { method });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const countdownResults = [
  { accuracy: 2 / 3, total: 3, correct: 2 },
  ...[
    ["\\boxed{30 + 28 + 12 - 4}", "30 + 28 + 12 - 4"],
    ["<answer>30 + 28 + 12 - 4 = 66</answer>", "30 + 28 + 12 - 4"],
    ["\\boxed{30 \\times 2}", "30 \\times 2"],
  ].map(([pred_solution, predicted]) => ({
    question: "<|im_start|>user …",
    gold: { numbers: [4, 12, 28, 30], target: 66 },
    predicted,
    pred_solution,
  })),
];
const NAME = "Some-49B=tinyzero-Countdown-Tasks-4=0.4=0.6.json";

Deno.test("importRuns() reads results of the released code", async () => {
  const { format, task, runs, problems, claimed } = await read(NAME, countdownResults, "a");
  assertEquals([format, task, claimed], ["released", "countdown", 2]);
  assertEquals(runs.map(({ model, method }) => [model, method]), Array(3).fill(["Some-49B", "a"]));
  assertEquals([runs[0]!.sampler?.temperature, runs[0]!.sampler?.topP], [0.6, 0.4]);
  assertEquals(problems[0], { id: "0", numbers: [4, 12, 28, 30], target: 66 });
  const { grade } = countdown({ source: "x.jsonl", grading: "released" });
  const again = await regrade(runs, problems as never, grade);
  assertEquals(again.map((run) => run.grade.correct), [true, true, false]);
});

Deno.test("importRuns() takes the verdicts of released AIME results", async () => {
  const row = (gold: string, predicted: number | null) => ({
    ...{ question: "Question: …", gold, predicted, pred_solution: `\\boxed{${predicted}}` },
  });
  const { task, runs, problems } = await read("QwQ-32B=aimo-validation-aime=0.8=0.6.json", [
    { accuracy: 0.5, total: 3, correct: 1 },
    ...[row("204", 204), row("25", 26), row("7", null)],
  ]);
  assertEquals(task, "aime");
  assertEquals(runs.map(({ grade }) => grade.correct), [true, false, false]);
  assertEquals(problems.map(({ answer }) => answer), ["204", "25", "7"]);
});

Deno.test("importRuns() reads samples of lm-evaluation-harness", async () => {
  const line = (doc_id: number, right: number, resps: unknown) =>
    JSON.stringify({
      ...{ doc_id, doc: { question: "q" }, target: "4", arguments: [["prompt", {}]], resps },
      ...{ filtered_resps: ["4"], exact_match: right },
    });
  const text = [line(0, 1, [["it is 4"]]), line(1, 0, [["5", "6"]])].join("\n");
  const { format, task, runs } = await read("samples_gsm8k_cot_2025-05-20T10-00-00.jsonl", text);
  assertEquals([format, task], ["lm-eval", "gsm8k_cot"]);
  assertEquals(runs.map(({ problem, repeat, text }) => [problem, repeat, text]), [
    ["0", 0, "it is 4"],
    ["1", 0, "5"],
    ["1", 1, "6"],
  ]);
  assertEquals(runs.map(({ grade }) => grade.correct), [true, false, false]);
  const one = await read("samples.jsonl", line(0, 1, [["4"]])); // one line alone
  assertEquals(one.runs.length, 1);
});

Deno.test("importRuns() reads logs of inspect", async () => {
  const sample = (id: number, epoch: number, value: unknown, stop_reason = "stop") => ({
    ...{ id, epoch, input: "q", target: "4" },
    output: { completion: "ANSWER: 4", choices: [{ stop_reason }] },
    scores: { match: { value, answer: "4" } },
  });
  const log = {
    eval: { task: "arithmetic", model: "org/model" },
    plan: { config: { temperature: 0.5 } },
    samples: [sample(1, 1, "C"), sample(1, 2, "I", "max_tokens"), sample(2, 1, 1)],
  };
  for (const text of [JSON.stringify(log), JSON.stringify(log, null, 2)]) {
    const { format, task, runs } = await read("log.json", text);
    assertEquals([format, task, runs[0]!.model], ["inspect", "arithmetic", "org/model"]);
    assertEquals(
      runs.map(({ repeat, finishReason, grade }) => [repeat, finishReason, grade.correct]),
      [
        [0, "stop", true],
        [1, "length", false],
        [0, "stop", true],
      ],
    );
  }
});

Deno.test("imported runs are compared in pairs, and what is not known stays unknown", async () => {
  const a = await read(NAME, countdownResults, "a");
  const worse = countdownResults.map((row, i) => i === 1 ? { ...row, pred_solution: "no" } : row);
  const b = await read(NAME, worse, "b");
  assertEquals(a.runs[0]!.study, b.runs[0]!.study);
  const { grade } = countdown({ source: "x.jsonl", grading: "released" });
  const runs = [
    ...await regrade(a.runs, a.problems as never, grade),
    ...await regrade(b.runs, b.problems as never, grade),
  ];
  const row = gains(runs, { baseline: "a" })[1]!;
  assertEquals([row.won, row.lost], [0, 1]);
  assert(Number.isNaN(row.mixing.meanEntropy) && Number.isNaN(row.tokensRatio));
});

Deno.test("importRuns() refuses what it does not know, naming the place", async () => {
  const bad: readonly [unknown, string][] = [
    ["", "valid JSON"],
    ["{", "valid JSON"],
    ["[1, 2]", "begin with the accuracy"],
    [[{ accuracy: 1 }, { question: "q" }], "item 1 must have a question and a pred_solution"],
    [[{ accuracy: 1 }, null], "item 1 must have"],
    ['{"doc_id":1}', "line 1 must have one of exact_match"],
    ['{"doc_id":1,"acc":1}', "have generated texts"],
    ['{"doc_id":1,"acc":1,"resps":[["a"]]}\nno', "line 2 must be valid JSON"],
    [{ samples: [{ id: 1 }] }, "sample 0 must have an output"],
    [{ samples: [{ id: 1, output: { completion: "x" } }] }, "sample 0 must have a score"],
    [{ other: 1 }, "must be results of the released MoI code"],
  ];
  for (const [content, message] of bad) {
    await assertRejects(() => read("x.json", content), SyntaxError, message);
  }
  await assertRejects(
    () => regrade([{ problem: "9" }] as never, [], () => null as never),
    RangeError,
    "'9'",
  );
});
