/**
 * Other people's result files as runs, so that they can be graded again and compared in pairs.
 *
 * Three formats are known by their content: results of the released MoI code (a JSON list that begins
 * with its accuracy), samples of lm-evaluation-harness (`--log_samples`, one JSON object a line), and
 * logs of inspect (JSON). What a file does not say is left empty: no tokens, so that no ratio of lengths
 * is given, and no evidence of mixing.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename } from "node:path";
import { checkOptions, refusal } from "../_check.ts";
import type { Grade, Problem } from "../tasks/mod.ts";
import type { Run } from "./run.ts";

/** Where a file comes from. */
export type ImportFormat = "released" | "lm-eval" | "inspect";

/** What a file holds. */
export interface Imported {
  /** Where it comes from. */
  readonly format: ImportFormat;
  /** Name of the task, as far as it is known: "aime" and "countdown" of released results. */
  readonly task: string;
  /** One run a result, with the verdict that the file gives. */
  readonly runs: readonly Run[];
  /** The problems as far as the file tells: question, answer, numbers and target. */
  readonly problems: readonly Problem[];
  /** Number of right answers that the file itself claims, where it does. */
  readonly claimed?: number;
}

/** Options of {@linkcode importRuns}. */
export interface ImportOptions {
  /** Key of the method in the runs. Default: "imported". */
  readonly method?: string;
}

const VERB = "import runs";
/** Largest file, in bytes. */
const LARGEST = 2 ** 30;

const sha = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;

function fault(where: string, rule: string): never {
  throw new SyntaxError(`Cannot ${VERB} as ${where} must ${rule}`);
}

/** A result, before it becomes a run. */
interface Result {
  readonly problem: Problem;
  readonly repeat: number;
  readonly prompt: string;
  readonly text: string;
  readonly grade: Grade;
  readonly truncated?: boolean;
}

/** What a format's reader finds. */
interface Found {
  readonly format: ImportFormat;
  readonly task: string;
  readonly model: string;
  readonly sampler: { readonly temperature: number; readonly topP: number };
  readonly results: readonly Result[];
  readonly claimed?: number;
}

const UNKNOWN = { temperature: NaN, topP: 1 };

/** Results of the released code: `[{accuracy, total, correct}, {question, gold, predicted, pred_solution}…]`. */
function released(list: readonly unknown[], name: string): Found {
  const [head, ...rows] = list as readonly Json[];
  const [model = "unknown", , ...numbers] = name.replace(/\.json$/, "").split("=");
  const [topP, temperature] = numbers.slice(-2).map(Number);
  const results = rows.map((row, i): Result => {
    const where = `item ${i + 1}`,
      text = row?.pred_solution,
      prompt = row?.question,
      gold = row?.gold;
    if (typeof text !== "string" || typeof prompt !== "string") {
      fault(where, "have a question and a pred_solution");
    }
    const predicted = row!.predicted === null ? null : textOf(row!.predicted) ?? null;
    const id = `${i}`;
    const problem: Problem = isObject(gold)
      ? { id, numbers: gold.numbers, target: gold.target }
      : { id, question: prompt, answer: textOf(gold) ?? fault(where, "have a gold answer") };
    const correct = !isObject(gold) && predicted !== null && Number(predicted) === Number(gold);
    return {
      problem,
      ...{ repeat: 0, prompt: prompt as string, text: text as string },
      grade: { correct, extracted: predicted },
    };
  });
  const isCountdown = results.some(({ problem }) => "numbers" in problem);
  return {
    format: "released",
    task: isCountdown ? "countdown" : "aime",
    model,
    sampler: { temperature: temperature ?? NaN, topP: topP ?? 1 },
    results,
    ...(typeof head?.correct === "number" ? { claimed: head.correct } : {}),
  };
}

/** The metric of a sample that says whether it is right. */
const METRICS = ["exact_match", "acc", "math_verify", "pass@1", "pass_at_1", "acc_norm", "score"];

/** Samples of lm-evaluation-harness: `doc_id, doc, target, arguments, resps, filtered_resps` and metrics. */
function lmEval(rows: readonly Json[], name: string): Found {
  const results = rows.flatMap((row, i): Result[] => {
    const where = `line ${i + 1}`, id = textOf(row.doc_id) ?? fault(where, "have a doc_id");
    const metric = METRICS.find((metric) =>
      typeof row[metric] === "number" || typeof row[metric] === "boolean"
    );
    if (metric === undefined) fault(where, `have one of ${METRICS.join(", ")}`);
    const flat = (value: unknown): unknown[] =>
      Array.isArray(value) ? value.flatMap(flat) : [value];
    const texts = flat(row.resps).filter((text) => typeof text === "string") as string[];
    if (texts.length === 0) fault(where, "have generated texts in resps");
    const filtered = flat(row.filtered_resps), doc = isObject(row.doc) ? row.doc : {};
    const prompt = JSON.stringify(row.arguments ?? doc);
    return texts.map((text, repeat) => ({
      problem: { ...doc, id, answer: textOf(row.target) ?? "" },
      ...{ repeat, prompt, text },
      grade: {
        correct: Number(row[metric!]) >= 1,
        extracted: textOf(filtered[repeat] ?? filtered[0]) ?? null,
      },
    }));
  });
  const task = /^samples_(.+?)_\d{4}-/.exec(name)?.[1] ?? "unknown";
  return { format: "lm-eval", task, model: "unknown", sampler: UNKNOWN, results };
}

/** A log of inspect: `{ eval, samples: [{ id, epoch, input, target, output, scores }] }`. */
function inspect(log: Json): Found {
  const own = isObject(log.eval) ? log.eval : {},
    config = isObject(log.plan) ? log.plan.config : undefined;
  const results = (log.samples as readonly Json[]).map((sample, i): Result => {
    const where = `sample ${i}`, id = textOf(sample?.id) ?? fault(where, "have an id");
    const output = isObject(sample.output) ? sample.output : fault(where, "have an output");
    const [choice] = Array.isArray(output.choices) ? output.choices as Json[] : [];
    const message = isObject(choice?.message) ? choice.message.content : undefined;
    const text = textOf(output.completion) ?? textOf(message) ?? fault(where, "have a completion");
    const [score] = isObject(sample.scores) ? Object.values(sample.scores) as Json[] : [];
    if (!isObject(score)) fault(where, "have a score");
    const { value } = score as Json;
    return {
      problem: { id, question: textOf(sample.input) ?? "", answer: textOf(sample.target) ?? "" },
      repeat: typeof sample.epoch === "number" ? sample.epoch - 1 : 0,
      prompt: JSON.stringify(sample.input ?? ""),
      text,
      grade: {
        correct: value === "C" || value === 1 || value === true,
        extracted: textOf((score as Json).answer) ?? null,
      },
      truncated: choice?.stop_reason === "max_tokens",
    };
  });
  const temperature = isObject(config) && typeof config.temperature === "number"
    ? config.temperature
    : NaN;
  return {
    format: "inspect",
    task: textOf(own.task) ?? "unknown",
    model: textOf(own.model) ?? "unknown",
    sampler: { temperature, topP: 1 },
    results,
  };
}

/** Reads a file by what it holds. */
function found(text: string, name: string): Found {
  const first = text.trimStart()[0];
  const parse = (part: string, where: string): unknown => {
    try {
      return JSON.parse(part);
    } catch {
      return fault(where, "be valid JSON");
    }
  };
  if (first === "[") {
    const list = parse(text, name) as readonly unknown[];
    if (isObject(list[0]) && "accuracy" in list[0]) return released(list, name);
    fault(name, "begin with the accuracy, as results of the released code do");
  }
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const whole = lines.length > 1 && lines[0]!.trim() !== "{" ? undefined : parse(text, name);
  if (isObject(whole) && Array.isArray(whole.samples)) return inspect(whole);
  const rows =
    (isObject(whole) && lines.length > 1
      ? [whole]
      : lines.map((line, i) => parse(line, `line ${i + 1}`)))
      .map((row, i) => isObject(row) ? row : fault(`line ${i + 1}`, "be an object"));
  if (rows[0] && "doc_id" in rows[0]) return lmEval(rows, name);
  return fault(
    name,
    "be results of the released MoI code, samples of lm-evaluation-harness or a log of inspect",
  );
}

/**
 * Reads a result file of another tool.
 *
 * @param path Path of the file.
 * @param options Key of the method.
 * @returns Runs with the file's own verdicts, the problems it tells of, and what it claims.
 * @throws {SyntaxError} Where it is of no known format or damaged, naming the place.
 * @throws {RangeError} Where it is larger than 1 GiB.
 *
 * @example Two results of the released code
 * ```ts
 * import { importRuns } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * const path = await Deno.makeTempFile({ suffix: "=0.8=0.6.json" });
 * const row = { question: "1 + 1?", gold: "2", predicted: 2, pred_solution: "\\boxed{2}" };
 * await Deno.writeTextFile(path, JSON.stringify([{ accuracy: 1, total: 1, correct: 1 }, row]));
 * const { format, runs, claimed } = await importRuns(path);
 * assertEquals([format, runs.length, runs[0]?.grade.correct, claimed], ["released", 1, true, 1]);
 * await Deno.remove(path);
 * ```
 */
export async function importRuns(path: string, options: ImportOptions = {}): Promise<Imported> {
  checkOptions(VERB, options, ["method"]);
  const { method = "imported" } = options;
  if (typeof path !== "string") throw new TypeError(refusal(VERB, "path", "be a path", path));
  if ((await Deno.stat(path)).size > LARGEST) {
    throw new RangeError(`Cannot ${VERB} as ${path} must have at most 1 GiB`);
  }
  const text = await Deno.readTextFile(path), name = basename(path);
  const { format, task, model, sampler, results, claimed } = found(text, name);
  const problems = new Map(results.map(({ problem }) => [problem.id, problem]));
  const study = sha(JSON.stringify([format, task, results.map(({ problem }) => problem.id)]));
  const runs = results.map(({ problem, repeat, prompt, text, grade, truncated }): Run => ({
    study,
    model,
    device: "unknown",
    dtype: "unknown",
    task,
    problem: problem.id,
    method,
    parameters: { name: method },
    ...{ repeat, studySeed: 0, seed: 0 },
    sampler: { ...sampler, topK: 0, minP: 0, maxNewTokens: 0 },
    prompt: sha(prompt),
    ...{ promptTokens: 0, tokens: [], text },
    finishReason: truncated ? "length" : "stop",
    grade,
    mixing: { meanEntropy: NaN, meanOffSampleMass: NaN },
    timing: { prefillMs: NaN, decodeMs: NaN },
    versions: { imported: format },
  }));
  return {
    format,
    task,
    runs,
    problems: [...problems.values()],
    ...(claimed === undefined ? {} : { claimed }),
  };
}

/**
 * The same runs with new verdicts.
 *
 * @param runs Runs.
 * @param problems Their problems, by id.
 * @param grade Grades a text.
 * @throws {RangeError} Where a run's problem is not among them.
 *
 * @example Strict grading
 * ```ts
 * import { regrade, type Run } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * const run = { problem: "1", text: "2", grade: { correct: true, extracted: "2" } } as Run;
 * const [again] = await regrade([run], [{ id: "1", answer: "3" }], ({ answer }, text) => ({
 *   correct: text === answer,
 *   extracted: text,
 * }));
 * assertEquals(again?.grade.correct, false);
 * ```
 */
export async function regrade<P extends Problem>(
  runs: readonly Run[],
  problems: readonly P[],
  grade: (problem: P, text: string) => Grade | Promise<Grade>,
): Promise<Run[]> {
  const byId = new Map(problems.map((problem) => [problem.id, problem]));
  const out: Run[] = [];
  for (const run of runs) {
    const problem = byId.get(run.problem);
    if (!problem) {
      throw new RangeError(
        `Cannot grade again as the problems must hold '${run.problem}': they are ${byId.size}, of ${runs.length} runs`,
      );
    }
    out.push({ ...run, grade: await grade(problem, run.text) });
  }
  return out;
}
