/** Result files of other tools, small ones in their layouts, and hostile ones. */

import zlib from "node:zlib";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { gains } from "../../lib/stats/mod.ts";
import {
  type Imported,
  type ImportedRun,
  type ImportOptions,
  importRuns,
  regrade,
  type Run,
  verdictOf,
} from "../../lib/study/mod.ts";
import { asTold } from "../../lib/study/store.ts";
import { countdown } from "../../lib/tasks/mod.ts";
import { zipOf } from "../_zip.ts";
import { temporaryFolder } from "../_temporary.ts";

async function read(name: string, content: unknown, options: string | ImportOptions = {}) {
  const isFile = typeof content === "string" || content instanceof Uint8Array;
  await using folder = await temporaryFolder({
    [name]: isFile ? content : JSON.stringify(content),
  });
  const given = typeof options === "string" ? { method: options } : options;
  return await importRuns(`${folder.path}/${name}`, given);
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

/** A line of lm-evaluation-harness. */
const sample = (
  doc_id: number,
  filter: string | undefined,
  rest: Record<string, unknown> = {},
) => ({
  ...{ doc_id, doc: { question: `q${doc_id}` }, target: "4" },
  arguments: { gen_args_0: { arg_0: "prompt", arg_1: { until: ["\n"], temperature: 0 } } },
  ...{ resps: [[`text ${doc_id}`]], filtered_resps: ["4"] },
  ...(filter === undefined ? {} : { filter, metrics: ["exact_match"] }),
  ...{ doc_hash: "d", prompt_hash: "p", target_hash: "t", exact_match: 1, ...rest },
});
const lines = (rows: readonly unknown[], end = "\n") =>
  rows.map((row) => `${JSON.stringify(row)}${end}`).join("");
/** Document, text and verdict of each run. */
const seen = ({ runs }: Imported) =>
  runs.map((run) => [run.problem, run.repeat, run.text, verdictOf(run), run.grade.extracted]);

Deno.test("of lm-evaluation-harness one filter counts, the first or the named one", async () => {
  const rows = [
    ...[0, 1].map((id) =>
      sample(id, "strict-match", { exact_match: id, filtered_resps: ["[invalid]"] })
    ),
    ...[0, 1].map((id) => sample(id, "flexible-extract", { filtered_resps: [`${id}`] })),
  ];
  const strict = [["0", 0, "text 0", "wrong", null], ["1", 0, "text 1", "right", null]];
  const flexible = [["0", 0, "text 0", "right", "0"], ["1", 0, "text 1", "right", "1"]];
  const first = await read("samples_gsm8k_2025-05-20T10-00-00.1.jsonl", lines(rows));
  assertEquals(seen(first), strict);
  assertEquals(first.verdicts, {
    filter: { taken: "strict-match", of: ["strict-match", "flexible-extract"] },
    metric: { taken: "exact_match", of: ["exact_match"] },
  });
  assertEquals(first.runs[1]!.grade.reason, "exact_match of strict-match is 1");
  for (const order of [rows, rows.toReversed(), [0, 2, 1, 3].map((i) => rows[i]!)]) {
    const named = await read("x.jsonl", lines(order), { filter: "flexible-extract" });
    assertEquals(seen(named).sort(), flexible);
  }
  await assertRejects(
    () => read("x.jsonl", lines(rows), { filter: "none" }),
    RangeError,
    "'filter' must be one of 'strict-match', 'flexible-extract'",
  );
  // a filter that lacks a document says so
  const cut = await read("x.jsonl", lines(rows.slice(0, 3)), { filter: "flexible-extract" });
  assertEquals([cut.runs.length, cut.leftOut], [1, { missing: 1 }]);
});

Deno.test("files of early versions name no filter: each pass over the documents is one", async () => {
  const rows = [0, 1, 0, 1].map((id, i) => sample(id, undefined, { exact_match: Number(i > 1) }));
  for (const text of [lines(rows), JSON.stringify(rows, null, 2)]) { // 0.4.0 wrote a list
    const first = await read("x.jsonl", text),
      second = await read("x.jsonl", text, { filter: "2" });
    assertEquals(first.verdicts?.filter, { taken: "1", of: ["1", "2"] });
    assertEquals([first, second].map((own) => own.runs.map(({ grade }) => grade.correct)), [
      [false, false],
      [true, true],
    ]);
  }
  const other = [sample(0, undefined), sample(0, undefined, { resps: [["of another task"]] })];
  await assertRejects(
    () => read("x.jsonl", lines(other)),
    SyntaxError,
    "not repeat document 0 of line 1",
  );
  const twice = [sample(0, "none"), sample(1, "none"), sample(0, "none")];
  await assertRejects(() => read("x.jsonl", lines(twice)), SyntaxError, "line 3 must not repeat");
});

Deno.test("a metric is the verdict by name or rule, and what is none leaves runs ungradable", async () => {
  const verdict = async (own: Record<string, unknown>, options: ImportOptions = {}) => {
    const { exact_match: _, metrics: __, ...rest } = sample(0, "none");
    const metrics = Object.keys(own);
    const { runs } = await read("x.jsonl", lines([{ ...rest, metrics, ...own }]), options);
    return [verdictOf(runs[0]!), runs[0]!.grade.score];
  };
  assertEquals(await verdict({ exact_match: 1 }), ["right", undefined]);
  assertEquals(await verdict({ exact_match: 1.0, acc: 0 }), ["right", undefined]);
  assertEquals(await verdict({ exact_match: 1.0, acc: 0 }, { metric: "acc" }), [
    "wrong",
    undefined,
  ]);
  assertEquals(await verdict({ prompt_level_strict_acc: true, inst_level: [true] }), [
    "right",
    undefined,
  ]);
  assertEquals(await verdict({ bleu_max: 12.5, bleu_acc: 0 }), ["wrong", undefined]);
  assertEquals(await verdict({ "pass@1": 0.4 }), ["wrong", 0.4]);
  assertEquals(await verdict({ f1: 100 }), ["ungradable", 100]);
  assertEquals(await verdict({ f1: -1 }), ["ungradable", -1]);
  await assertRejects(
    () => verdict({ exact_match: 1, acc: 0 }, { metric: "f1" }),
    RangeError,
    "'metric' must be one of 'exact_match', 'acc'",
  );
  // a metric of no number is no verdict, but the texts can be graded again
  assertEquals(await verdict({ perplexity: [1, 2] }), ["ungradable", undefined]);
  assertEquals(await verdict({ exact_match: NaN }), ["ungradable", undefined]);
  await assertRejects(() => verdict({}), SyntaxError, "have one of exact_match");
});

Deno.test("repeats get no verdict of the filtered answer, and one by grading again", async () => {
  const rows = [
    sample(0, "none", { resps: [["a 4", "b 5", "c 4"]], filtered_resps: ["4"] }),
    sample(1, "none", { resps: [["d", null, "e 4"]], filtered_resps: [["4", "", "4"]] }),
  ];
  const imported = await read("x.jsonl", lines(rows));
  assertEquals(seen(imported), [
    ["0", 0, "a 4", "ungradable", null],
    ["0", 1, "b 5", "ungradable", null],
    ["0", 2, "c 4", "ungradable", null],
    ["1", 0, "d", "ungradable", null],
    ["1", 2, "e 4", "ungradable", null],
  ]);
  assertEquals(imported.leftOut, { errored: 1 });
  const again = await regrade(imported.runs, imported.problems, (_, text) => ({
    ...{ correct: text.endsWith("4"), extracted: text.at(-1)! },
  }));
  assertEquals(again.map(verdictOf), ["right", "wrong", "right", "wrong", "right"]);
});

Deno.test("log-likelihoods are refused by name, and texts that look like them are not", async () => {
  const settings = { until: ["\n"] };
  const of = (own: object) => lines([sample(0, "none", { acc: 1, ...own })]);
  const pair = (second: unknown) => ({ gen_args_0: { arg_0: "q", arg_1: second } });
  const likelihoods: object[] = [
    { resps: [[["-12.3", "False"]], [["-1.5e-05", "True"]]], arguments: {} }, // 0.4.3 and later
    { resps: [[[-12.3, false]], [[-1.5, true]]], arguments: [["q", " a"], ["q", " b"]] },
    { resps: [[-12.3, false], [-1.5, true]], arguments: [] },
    { resps: [["-12.3", "True"]], arguments: pair(" a") },
    { resps: [["(-12.3, False)"]], arguments: {} },
    { resps: [[["-inf", "False"]]], arguments: pair(" a") },
    { resps: [["-0.57"]], arguments: { gen_args_0: { arg_0: "q" } } }, // rolling
    { resps: [[-0.57]], arguments: [["q"]] },
    { resps: [["x"]], arguments: pair(" a") },
  ];
  for (const own of likelihoods) {
    await assertRejects(
      () => read("x.jsonl", of(own)),
      SyntaxError,
      "line 1 must have generated texts",
    );
    await assertRejects(() => read("x.jsonl", of(own)), SyntaxError, "log-likelihoods");
  }
  const texts = ["-0.57", "True", "(-1, False)", "nan", "", "[-1.5, true]"];
  for (const text of texts) {
    const { runs } = await read("x.jsonl", of({ resps: [[text]], arguments: pair(settings) }));
    assertEquals(runs.map((run) => run.text), [text]);
  }
  const two = of({ resps: [["a"], ["b"]], arguments: [["q", settings], ["r", settings]] });
  await assertRejects(() => read("x.jsonl", two), SyntaxError, "one request a document, not 2");
});

Deno.test("what Python writes, byte order marks, line ends and packing are read", async () => {
  const good = [sample(0, "none"), sample(1, "none")];
  const plain = seen(await read("x.jsonl", lines(good)));
  const utf8 = new TextEncoder().encode(lines(good));
  const forms: (string | Uint8Array)[] = [
    `\ufeff${lines(good)}`,
    lines(good, "\r\n"),
    lines(good).trimEnd(),
    `\n\n${lines(good, "\n\n")}`,
    `\ufeff\n${lines(good)}`,
    zlib.gzipSync(utf8),
    zlib.zstdCompressSync(utf8),
  ];
  for (const form of forms) assertEquals(seen(await read("x.jsonl", form)), plain);

  const nan = lines([
    sample(0, "none", { exact_match: "@" }),
    sample(1, "none"),
    sample(2, "none"),
  ]);
  for (const value of ["NaN", "Infinity", "-Infinity", "null"]) {
    const { runs } = await read("x.jsonl", nan.replace('"@"', value));
    assertEquals(runs.map(verdictOf), ["ungradable", "right", "right"]);
    assertEquals(runs[0]!.grade.reason, "exact_match is missing");
  }
  const big = lines([sample(0, "none", { target: "@", doc: { n: "#" } })])
    .replace('"@"', "9007199254740993").replace('"#"', "0.1234567890123456789");
  const [problem] = (await read("x.jsonl", big)).problems;
  assertEquals([problem!.answer, problem!.n], ["9007199254740993", "0.1234567890123456789"]);

  const torn = `${lines(good)}\n${JSON.stringify(sample(2, "none")).slice(0, -9)}`;
  await assertRejects(() => read("x.jsonl", torn), SyntaxError, "line 4 must be valid JSON");
  await assertRejects(
    () => read("x.jsonl", zlib.gzipSync(utf8).subarray(0, 60)),
    SyntaxError,
    "be whole",
  );
  await assertRejects(() => read("x.jsonl", new Uint8Array([0x7b, 0xff])), SyntaxError, "UTF-8");
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
  await assertRejects(() => read("x.jsonl", pointer), SyntaxError, "Git LFS");
  await assertRejects(
    () => read("x.json", { results: {}, "n-shot": {} }),
    SyntaxError,
    "--log_samples",
  );
  await assertRejects(() => read("x.json", { eval: {}, status: "success" }), SyntaxError, "header");
});

/** A sample of inspect. */
const inspected = (id: number | string, epoch: number, rest: Record<string, unknown> = {}) => ({
  ...{
    id,
    epoch,
    input: "q",
    target: "4",
    messages: [],
    metadata: {},
    store: {},
    events: [{ e: 1 }],
  },
  output: {
    ...{ model: "m", completion: "ANSWER: 4", usage: { input_tokens: 3 } },
    choices: [{ message: { role: "assistant", content: "ANSWER: 4" }, stop_reason: "stop" }],
  },
  scores: { match: { value: "C", answer: "4", history: [] } },
  ...rest,
});
const logWith = (samples: readonly unknown[], rest: object = {}) => ({
  ...{ version: 2, status: "success", eval: { task: "sums", model: "org/m" } },
  ...{ plan: { config: { temperature: 0.5, max_tokens: 100 } }, samples, ...rest },
});
const failed = inspected(9, 1, {
  error: { message: "ConnectionError()", traceback: "…" },
  ...{ output: { model: "m", choices: [], completion: "" }, scores: {} },
});

Deno.test("samples of inspect that ended with an error are left out and counted", async () => {
  const { runs, leftOut } = await read("x.json", logWith([failed, inspected(1, 1), failed]));
  assertEquals([runs.map(({ problem }) => problem), leftOut], [["1"], { errored: 2 }]);
  const empty = inspected(2, 1, { output: { choices: [], completion: "" }, scores: {} });
  const none = inspected(3, 1, { output: undefined });
  const scored = inspected(4, 1, { error: { message: "x" } }); // score_on_error
  const more = await read("x.json", logWith([inspected(1, 1), empty, none, scored]));
  assertEquals([more.runs.length, more.leftOut], [1, { errored: 3 }]);
  const stopped = logWith([inspected(1, 1), failed], { results: { total_samples: 5 } });
  assertEquals((await read("x.json", stopped)).leftOut, { errored: 1, missing: 3 });
  await assertRejects(
    () => read("x.json", logWith([failed])),
    SyntaxError,
    "every one ended with an error",
  );
  await assertRejects(
    () => read("x.json", logWith([])),
    SyntaxError,
    "the log must have an output",
  );
});

Deno.test("scores of inspect: letters, numbers, truth, what is missing, and several scorers", async () => {
  const verdict = async (scores: object, options: ImportOptions = {}) => {
    const text = JSON.stringify(logWith([inspected(1, 1, { scores })])).replaceAll('"@NaN"', "NaN");
    const { runs } = await read("x.json", text, options);
    return [verdictOf(runs[0]!), runs[0]!.grade.score];
  };
  const of = (value: unknown) => verdict({ own: { value } });
  const values: [unknown, string, number?][] = [
    ...[["C", "right"], ["I", "wrong"], ["N", "wrong"], ["P", "wrong", 0.5]] as [
      string,
      string,
      number?,
    ][],
    ...[[1, "right"], [1.0, "right"], [0, "wrong"], [true, "right"], [false, "wrong"]] as [
      number,
      string,
    ][],
    ...[[0.25, "wrong", 0.25], [7, "ungradable", 7], [-1, "ungradable", -1]] as [
      number,
      string,
      number,
    ][],
    ...[["@NaN", "ungradable"], ["yes", "ungradable"], [[1, 0], "ungradable"], [
      null,
      "ungradable",
    ]] as [
      unknown,
      string,
    ][],
  ];
  for (const [value, verdict, score] of values) {
    assertEquals(await of(value), [verdict, score], String(value));
  }
  const two = { rubric: { value: "@NaN" }, match: { value: "I" }, includes: { value: "C" } };
  assertEquals(await verdict(two), ["wrong", undefined]); // the first that gives verdicts
  assertEquals(await verdict(two, { scorer: "includes" }), ["right", undefined]);
  assertEquals(await verdict(two, { scorer: "rubric" }), ["ungradable", undefined]);
  const dict = { all: { value: { length: 12, style: 0, truth: 1 } } };
  assertEquals(await verdict(dict, { scorer: "all.truth" }), ["right", undefined]);
  assertEquals(await verdict(dict), ["wrong", undefined]);
  await assertRejects(
    () => verdict(two, { scorer: "exact" }),
    RangeError,
    "'scorer' must be one of 'match', 'includes', 'rubric'",
  );
  const some = logWith([
    inspected(1, 1),
    inspected(2, 1, { scores: {} }),
    inspected(3, 1, { scores: null }),
  ]);
  assertEquals((await read("x.json", some)).runs.map(verdictOf), [
    "right",
    "ungradable",
    "ungradable",
  ]);
});

Deno.test("texts, questions, targets and limits of inspect", async () => {
  const parts = [{ type: "reasoning", reasoning: "r" }, { type: "text", text: "a" }, {
    type: "text",
    text: "b",
  }];
  const choice = (stop_reason: string, content: unknown = "c") => ({
    message: { content },
    stop_reason,
  });
  const out = (output: object, rest: object = {}) => inspected(1, 1, { output, ...rest });
  const cases: [object, string, string][] = [
    [out({ choices: [choice("stop", parts)] }), "a\nb", "stop"],
    [out({ choices: [choice("max_tokens")], completion: "" }), "c", "length"],
    [out({ choices: [choice("model_length")], completion: "d" }), "d", "length"],
    [out({ choices: [choice("stop", "")], completion: "" }), "", "stop"],
    [out({ choices: [choice("stop")] }, { limit: { type: "token", limit: 10 } }), "c", "length"],
    [
      out({ choices: [choice("stop", "attachment://ab12")] }, { attachments: { ab12: "long" } }),
      "long",
      "stop",
    ],
  ];
  for (const [own, text, finish] of cases) {
    const { runs } = await read("x.json", logWith([own]));
    assertEquals([runs[0]!.text, runs[0]!.finishReason], [text, finish]);
  }
  const lost = logWith([out({ choices: [choice("stop", "attachment://ab12")] })]);
  await assertRejects(() => read("x.json", lost), SyntaxError, "have its attachment ab12");
  const input = [
    ...[{ role: "system", content: "s" }, { role: "user", content: "first" }],
    ...[{ role: "assistant", content: "a" }, {
      role: "user",
      content: [{ type: "text", text: "last" }],
    }],
  ];
  const { problems } = await read(
    "x.json",
    logWith([inspected("a/b", 1, { input, target: ["4", "four"] })]),
  );
  assertEquals(problems, [{ id: "a/b", question: "last", answer: "4", answers: ["4", "four"] }]);
  const twice = logWith([inspected(1, 1), inspected(1, 1)]);
  await assertRejects(
    () => read("x.json", twice),
    SyntaxError,
    "not repeat epoch 1 of '1' of sample 0",
  );
});

Deno.test("an .eval archive of inspect is read as its JSON is", async () => {
  const samples = [
    inspected(1, 1),
    failed,
    inspected("a/b", 1, { scores: { match: { value: "I" } } }),
  ];
  const { samples: _, ...header } = logWith([]), text = JSON.stringify;
  const wanted = await read("x.json", logWith(samples));
  for (const method of [0, 8, 93]) {
    const entries = [
      { name: "_journal/start.json", content: text({ ...header, status: "started" }), method },
      ...samples.map((own) => ({
        ...{ name: `samples/${own.id}_epoch_${own.epoch}.json`, content: text(own), method },
      })),
      { name: "_journal/summaries/1.json", content: "[]", method },
      { name: "summaries.json", content: "[]", method },
      { name: "samples/7_epoch_1/events/0.json", content: "[]", method }, // of a large sample
      { name: "header.json", content: text(header), method },
    ];
    assertEquals(await read("x.eval", zipOf(entries)), wanted);
    const running = entries.filter(({ name }) => name !== "header.json");
    assertEquals(seen(await read("x.eval", zipOf(running))), seen(wanted));
    const large = { name: "samples/7_epoch_1/sample.json", content: text(inspected(7, 1)), method };
    assertEquals((await read("x.eval", zipOf([...entries, large]))).runs.length, 3);
    const NaNs = text(inspected(1, 1)).replace('"C"', "NaN");
    const missing = [{ name: "header.json", content: "{}" }, {
      name: "samples/1_epoch_1.json",
      content: NaNs,
    }];
    assertEquals((await read("x.eval", zipOf(missing))).runs.map(verdictOf), ["ungradable"]);
  }
  const bad: [Uint8Array, string][] = [
    [
      zipOf([{ name: "header.json", content: "{}", method: 12 }]),
      "method 12, which is not read); `inspect log dump",
    ],
    [zipOf([{ name: "word/document.xml", content: "" }]), "no header.json"],
    [zipOf([{ name: "header.json", content: "{}" }]).subarray(0, 60), "damaged or cut"],
    [zipOf([{ name: "header.json", content: "{" }]), "cannot be read"],
  ];
  for (const [bytes, message] of bad) {
    await assertRejects(() => read("x.eval", bytes), SyntaxError, message);
  }
  const bomb = zipOf([{ name: "header.json", content: "{}", says: { size: 2 ** 32 - 1 } }, {
    ...{ name: "samples/1_epoch_1.json", content: "{}", says: { size: 2 ** 32 - 1 } },
  }]);
  await assertRejects(() => read("x.eval", bomb), RangeError, "4 GiB unpacked");
});

Deno.test("what a tool does not tell is absent, also after JSON, and never 0", async () => {
  const files: [string, unknown][] = [
    [NAME, countdownResults],
    ["x.jsonl", lines([sample(0, "none"), sample(1, "none", { exact_match: 0 })])],
    ["x.json", logWith([inspected(1, 1), inspected(2, 1)])],
  ];
  const fields = [
    "device",
    "dtype",
    "studySeed",
    "seed",
    "prompt",
    "promptTokens",
    "tokens",
    "mixing",
    "timing",
  ];
  for (const [name, content] of files) {
    const told = await Promise.all(["a", "b"].map((method) => read(name, content, method)));
    const runs = told.flatMap((own) => own.runs);
    for (const run of runs) for (const field of fields) assert(!(field in run), field);
    const stored = JSON.parse(JSON.stringify(runs)) as ImportedRun[];
    assertEquals(stored, runs as ImportedRun[]);
    const graded = stored.map((run) => ({ ...run, grade: { correct: true, extracted: "4" } }));
    for (const row of gains(graded, { baseline: "a" })) {
      const { meanTokens, tokensRatio, meanSeconds, mixing } = row;
      const numbers = [
        meanTokens,
        tokensRatio,
        meanSeconds,
        mixing.meanEntropy,
        mixing.meanOffSampleMass,
      ];
      assertEquals(numbers, Array(5).fill(NaN));
    }
  }
  const settings = await Promise.all(
    files.map(async ([name, own]) => (await read(name, own)).runs[0]!.sampler),
  );
  assertEquals(settings, [
    { temperature: 0.6, topP: 0.4 },
    { temperature: 0 },
    { temperature: 0.5, maxNewTokens: 100 },
  ]);
  assert(!("sampler" in (await read("x.json", countdownResults)).runs[0]!));
});

Deno.test("asTold() leaves out what earlier releases invented, and keeps what was measured", () => {
  const shared = { study: "s", problem: "1", text: "t", grade: { correct: true, extracted: "1" } };
  const old = {
    ...{ ...shared, device: "unknown", dtype: "unknown", studySeed: 0, seed: 0, prompt: "00" },
    ...{ sampler: { temperature: null, topP: 1, topK: 0, minP: 0, maxNewTokens: 0 } },
    ...{ promptTokens: 0, tokens: [], mixing: { meanEntropy: null, meanOffSampleMass: null } },
    ...{ timing: { prefillMs: null, decodeMs: null }, versions: { imported: "lm-eval" } },
  };
  assertEquals(asTold(old as never), { ...shared, versions: { imported: "lm-eval" } });
  const own = {
    ...{
      ...shared,
      device: "cpu",
      dtype: "fp32",
      studySeed: 0,
      seed: 0,
      prompt: "00",
      promptTokens: 3,
    },
    ...{ sampler: { temperature: 0, topP: 1, topK: 0, minP: 0, maxNewTokens: 9 }, tokens: [] },
    ...{ mixing: { meanEntropy: 0, meanOffSampleMass: 0 }, timing: { prefillMs: 0, decodeMs: 1 } },
    versions: { moi: "0.1.0" },
  };
  assertEquals(asTold(own as never), own);
  const half = { ...own, mixing: { meanEntropy: null, meanOffSampleMass: 0.5 } };
  assertEquals(asTold(half as unknown as Run).mixing, { meanOffSampleMass: 0.5 } as Run["mixing"]);
});

Deno.test("released results: integers are compared as such, and Countdown has no verdict until graded", async () => {
  const row = (gold: unknown, predicted: unknown) => ({
    question: "q",
    gold,
    predicted,
    pred_solution: "",
  });
  const pairs: [unknown, unknown, boolean][] = [
    ["204", 204, true],
    ["204", "204", true],
    ["204", "204.0", true],
    ["025", 25, true],
    ["0", "", false],
    ["0", " ", false],
    ["9007199254740993", "9007199254740992", false],
    ["9007199254740993", "9007199254740993", true],
    ["7", "seven", false],
    ["7", null, false],
  ];
  const head = { accuracy: 0, total: pairs.length, correct: 0 };
  const rows = pairs.map(([gold, predicted]) => row(gold, predicted));
  const { runs } = await read("x.json", [head, ...rows]);
  assertEquals(runs.map(({ grade }) => grade.correct), pairs.map(([, , right]) => right));
  const python = `\ufeff[{"accuracy": NaN, "total": 1}, ${
    JSON.stringify(row("7", "@")).replace('"@"', "NaN")
  }]`;
  assertEquals((await read("x.json", python)).runs[0]!.grade, { correct: false, extracted: null });
  const untold = await read(NAME, countdownResults);
  assertEquals(untold.runs.map(verdictOf), Array(3).fill("ungradable"));
});

Deno.test("a text that a limit cut stays cut when it is graded again", async () => {
  const choices = [{ message: { content: "no answer yet" }, stop_reason: "max_tokens" }];
  const { runs, problems } = await read(
    "x.json",
    logWith([inspected(1, 1, { output: { choices } })]),
  );
  const [again] = await regrade(runs, problems, () => ({ correct: false, extracted: null }));
  assertEquals([again!.finishReason, verdictOf(again!)], ["length", "cut"]);
});

Deno.test("options of another format are refused", async () => {
  const cases: [unknown, ImportOptions, string][] = [
    [lines([sample(0, "none")]), { scorer: "match" }, "'scorer' chooses within files of inspect"],
    [logWith([inspected(1, 1)]), { filter: "none" }, "'filter' chooses within files of lm-eval"],
    [countdownResults, { metric: "acc" }, "'metric' chooses within files of lm-eval"],
    [countdownResults, { filters: "none" } as ImportOptions, "'filters' is not an option"],
  ];
  for (const [content, options, message] of cases) {
    await assertRejects(() => read("x.json", content, options), TypeError, message);
  }
});

Deno.test("regrade() knows problems by their questions, where the file tells them", async () => {
  const rows = [0, 1].map((id) => sample(id, "none", { resps: [[`${id}`]] }));
  const { runs, problems } = await read("x.jsonl", lines(rows));
  /** Verdicts of "0" and "1" by a source whose answer to q0 is 0 and to q1 is 1. */
  const verdicts = async (own: readonly { id: string; question: string }[], told = problems) => {
    const grade = ({ question }: { question: string }, text: string) => ({
      correct: question.normalize("NFKC").includes(`q${text}`) || question === "",
      extracted: text,
    });
    return (await regrade(runs, own, grade, told)).map((run) => run.grade.correct);
  };
  const of = (ids: string, ...questions: string[]) =>
    questions.map((question, i) => ({ id: ids.split(" ")[i]!, question }));
  const right = [
    of("0 1", "q0", "q1"),
    of("0 1", "q1", "q0"), // in another order
    of("1 2", "q0", "q1"), // counted from 1
    of("gsm8k-0 gsm8k-1", "q0", "q1"),
    of("0 1", " q0\n", "q１"), // spaces and forms of letters
    of("0 1", "Question: q0", "q1?"), // worded otherwise
    of("0 1", "q0", ""), // not told
  ];
  for (const own of right) assertEquals(await verdicts(own), [true, true], JSON.stringify(own));
  const longer = problems.map((one) => ({
    ...one,
    question: `Solve this. ${one.question} Think.`,
  }));
  assertEquals(await verdicts(of("a b", "q0", "q1"), longer), [true, true]);
  const math = problems.map(({ question, ...rest }) => ({ ...rest, problem: question }));
  assertEquals(await verdicts(of("0 1", "q1", "q0"), math), [true, true]);
  assertEquals(await verdicts(of("0 1", "q1", "q0"), []), [false, false]); // ids alone
  await assertRejects(
    () => verdicts(of("0 1", "q0", "x")),
    RangeError,
    "1 of 2 ask something else, such as '1'",
  );
  const [again] = await regrade(runs, of("a b", "q0", "q1"), () => runs[0]!.grade, problems);
  assertEquals(again!.problem, "a"); // known by its id from now on
  const twice = problems.map((one) => ({ ...one, question: "q0" }));
  await assertRejects(
    () => verdicts(of("a b", "q0", "q1"), twice),
    RangeError,
    "1 of 2 ask something else",
  );
  await assertRejects(() => verdicts(of("a b", "x", "y")), RangeError, "must hold '0'");
  await assertRejects(() => verdicts(of("a b c", "q0", "q0", "q1")), RangeError, "must hold '0'"); // which?
});
