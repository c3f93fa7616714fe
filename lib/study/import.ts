/**
 * Other people's result files as runs, so that they can be graded again and compared in pairs.
 *
 * Three formats are known by their content: results of the released MoI code (a JSON list that begins
 * with its accuracy), samples of lm-evaluation-harness (`--log_samples`, one JSON object a line; 0.4.0 to
 * 0.4.13), and logs of inspect (JSON or `.eval`; 0.3.100 to 0.3.285). Each may be packed with gzip or
 * Zstandard. What a file does not say is absent from its runs: no tokens, so that no ratio of lengths is
 * given, no seed, no evidence of mixing.
 *
 * Where a file has several verdicts on a text, one is taken, by name or by a rule, and the others are
 * told beside it. What is no verdict (NaN, a score of 7, one value for several texts) leaves its run
 * `ungradable` until it is graded again.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename } from "node:path";
import { isZip, unpacked } from "../_archive.ts";
import { checkOptions, refusal } from "../_check.ts";
import { parseJson, textIn } from "../_json.ts";
import type { Grade, Problem } from "../tasks/mod.ts";
import { fault, type Found, isObject, VERB } from "./import/_found.ts";
import { inspect, logOf } from "./import/inspect.ts";
import { type Line, lmEval } from "./import/lm_eval.ts";
import { released } from "./import/released.ts";
import type { ImportedRun, Run } from "./run.ts";

/** Where a file comes from. */
export type ImportFormat = "released" | "lm-eval" | "inspect";

/** Which verdict of a file was taken. */
export interface TakenVerdict {
  /** Its name. */
  readonly taken: string;
  /** The names of all that there are. */
  readonly of: readonly string[];
}

/** What a file holds. */
export interface Imported {
  /** Where it comes from. */
  readonly format: ImportFormat;
  /** Name of the task, as far as it is known: "aime" and "countdown" of released results. */
  readonly task: string;
  /** One run a generated text, with the verdict that the file gives, and nothing that it does not tell. */
  readonly runs: readonly ImportedRun[];
  /** The problems as far as the file tells: question, answer, numbers and target. */
  readonly problems: readonly Problem[];
  /** Number of right answers that the file itself claims, where it does. */
  readonly claimed?: number;
  /** Which `filter` and `metric`, or which `scorer`, gave the verdicts, where the format has them. */
  readonly verdicts?: Readonly<Record<string, TakenVerdict>>;
  /**
   * Results that are no runs, by why: `errored` ended with an error and have no whole text, `missing` were
   * planned, or have a line of another filter, and are not in the file. Empty where there are none.
   */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** Options of {@linkcode importRuns}. */
export interface ImportOptions {
  /** Key of the method in the runs. Default: "imported". */
  readonly method?: string;
  /** Filter of lm-evaluation-harness whose lines count. Default: the first of the file. */
  readonly filter?: string;
  /**
   * Metric of lm-evaluation-harness that is the verdict. Default: exact_match, acc, math_verify, pass@1,
   * or else the first that gives verdicts.
   */
  readonly metric?: string;
  /**
   * Scorer of inspect that gives the verdict; "name.value" where it gives several. Default: the first that
   * gives verdicts.
   */
  readonly scorer?: string;
}

/** Options that only one format has. */
const OPTIONS_OF = { filter: "lm-eval", metric: "lm-eval", scorer: "inspect" } as const;

/** Largest file, in bytes. */
const LARGEST = 2 ** 30;

const sha = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

function parse(text: string, where: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return fault(where, "be valid JSON");
  }
}

/** The objects of some lines, with their numbers; undefined where the first is not one by itself. */
function linesOf(text: string): Line[] | undefined {
  const [first = ""] = /[^\s\ufeff][^\r\n]*/.exec(text) ?? [];
  try {
    parseJson(first);
  } catch {
    return undefined;
  }
  return text.split(/\r\n|\n|\r/).flatMap((line, i): Line[] => {
    if (/^[\s\ufeff]*$/.test(line)) return [];
    const where = `line ${i + 1}`, row = parse(line, where);
    return [{ number: i + 1, row: isObject(row) ? row : fault(where, "be an object") }];
  });
}

/** Reads a file by what it holds. */
function found(bytes: Uint8Array<ArrayBuffer>, name: string, options: ImportOptions): Found {
  if (isZip(bytes)) return inspect(logOf(bytes, name), options);
  let text: string;
  try {
    text = textIn(unpacked(bytes, LARGEST));
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new RangeError(`Cannot ${VERB} as ${name} must have at most 1 GiB`, { cause });
    }
    const what = cause instanceof TypeError
      ? "be UTF-8 text"
      : `be whole: ${(cause as Error).message}`;
    return fault(name, what);
  }
  if (text.trimStart().startsWith("version https://git-lfs")) {
    fault(name, "hold results: it is a pointer of Git LFS, and `git lfs pull` brings the file");
  }
  const known = (whole: unknown): Found | undefined => {
    if (Array.isArray(whole)) {
      if (isObject(whole[0]) && "accuracy" in whole[0]) return released(whole, name);
      if (whole.length > 0 && whole.every((row) => isObject(row) && "doc_id" in row)) {
        return lmEval(whole.map((row, i) => ({ number: i + 1, row })), name, options);
      }
      return fault(name, "begin with the accuracy, as results of the released code do");
    }
    if (isObject(whole) && Array.isArray(whole.samples)) return inspect(whole, options);
    if (isObject(whole) && isObject(whole.eval) && "status" in whole) {
      return fault(name, "have samples: it is the header of a log of inspect alone");
    }
    if (isObject(whole) && isObject(whole.results) && "n-shot" in whole) {
      return fault(name, "have samples: lm-evaluation-harness writes them with --log_samples");
    }
    return undefined;
  };
  const start = text.trimStart()[0], lines = start === "[" ? undefined : linesOf(text);
  if (lines === undefined || lines.length === 0) { // one value over many lines, or none
    const whole = known(parse(text, name));
    if (whole) return whole;
  } else if (lines.length === 1) {
    const whole = known(lines[0]!.row);
    if (whole) return whole;
  }
  if (lines?.[0] && "doc_id" in lines[0].row) return lmEval(lines, name, options);
  return fault(
    name,
    "be results of the released MoI code, samples of lm-evaluation-harness or a log of inspect",
  );
}

/**
 * Reads a result file of another tool.
 *
 * Of lm-evaluation-harness one filter counts, so that a document is one run; its repeats are one run each,
 * `ungradable`, as the file has one verdict for them together. Samples of inspect that ended with an error
 * are left out and counted.
 *
 * @param path Path of the file.
 * @param options Key of the method; filter, metric or scorer.
 * @returns Runs with the file's own verdicts, the problems it tells of, and what it claims.
 * @throws {SyntaxError} Where it is of no known format or damaged, naming the place, or holds
 * log-likelihoods in place of texts.
 * @throws {RangeError} Where it is larger than 1 GiB, or has no such filter, metric or scorer.
 * @throws {TypeError} Where an option is unknown, or of another format.
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
 * assertEquals(runs[0]?.tokens, undefined); // the file has none
 * await Deno.remove(path);
 * ```
 */
export async function importRuns(path: string, options: ImportOptions = {}): Promise<Imported> {
  checkOptions(VERB, options, ["method", "filter", "metric", "scorer"]);
  const { method = "imported" } = options;
  if (typeof path !== "string") throw new TypeError(refusal(VERB, "path", "be a path", path));
  if ((await Deno.stat(path)).size > LARGEST) {
    throw new RangeError(`Cannot ${VERB} as ${path} must have at most 1 GiB`);
  }
  const own = found(await Deno.readFile(path), basename(path), options);
  const { format, task, model, sampler, results, claimed, verdicts, leftOut } = own;
  for (const [option, needed] of Object.entries(OPTIONS_OF)) {
    if (options[option as keyof typeof OPTIONS_OF] !== undefined && format !== needed) {
      throw new TypeError(
        `Cannot ${VERB} as '${option}' chooses within files of ${needed}: ${
          basename(path)
        } is of ${format}`,
      );
    }
  }
  const problems = new Map(results.map(({ problem }) => [problem.id, problem]));
  const study = sha(JSON.stringify([format, task, [...problems.keys()].sort()]));
  const runs = results.map(({ problem, repeat, text, grade, cut }): ImportedRun => ({
    study,
    model,
    task,
    problem: problem.id,
    method,
    parameters: { name: method },
    repeat,
    text,
    finishReason: cut ? "length" : "stop",
    grade,
    versions: { imported: format },
    ...(Object.keys(sampler).length > 0 ? { sampler } : {}),
  }));
  return {
    format,
    task,
    runs,
    problems: [...problems.values()],
    leftOut,
    ...(verdicts === undefined ? {} : { verdicts }),
    ...(claimed === undefined ? {} : { claimed }),
  };
}

/** Columns of a question, as files name them. */
const QUESTIONS = ["question", "problem", "prompt", "Question", "Problem", "query"];

/** The words of a problem's question, without differences of spaces and forms of letters. */
function wordsOf(problem: Problem): string {
  const text = QUESTIONS.map((name) => problem[name]).find((one) => typeof one === "string");
  return typeof text === "string" ? text.normalize("NFKC").replace(/\s+/g, " ").trim() : "";
}

/**
 * The problem that each id of a file stands for: the one that asks the same, or else that of the same id,
 * where it does not ask something else, or else the only one whose question is within the file's.
 */
function matched<P extends Problem>(
  told: readonly Problem[],
  problems: readonly P[],
): Map<string, P> {
  const byId = new Map(problems.map((problem) => [problem.id, problem]));
  const found = new Map(byId);
  const asked = problems.map((problem) => ({ problem, words: wordsOf(problem) }));
  const byWords = Map.groupBy(asked, ({ words }) => words), others: Problem[] = [];
  const taken = new Set<P>();
  for (const problem of told) {
    const words = wordsOf(problem), sameId = byId.get(problem.id);
    if (words === "") continue;
    const same = byWords.get(words) ?? [], own = sameId ? wordsOf(sameId) : "";
    const [only, another] = same.length > 0 || sameId
      ? same
      : asked.filter((one) => one.words !== "" && words.includes(one.words));
    if (only && !another) {
      if (taken.has(only.problem)) others.push(problem);
      taken.add(only.problem);
      found.set(problem.id, only.problem);
    } else if (own !== "" && !words.includes(own) && !own.includes(words)) others.push(problem);
  }
  if (others.length === 0) return found;
  throw new RangeError(
    `Cannot grade again as the problems must be those that the texts answer: ${others.length} of ${told.length} ask something else, such as '${
      others[0]!.id
    }'. The source or its split is another`,
  );
}

/**
 * The same runs with new verdicts.
 *
 * @param runs Runs, imported ones as well; why they ended is kept.
 * @param problems Their problems.
 * @param grade Grades a text.
 * @param told The problems as the runs' file tells them, see {@linkcode Imported}. Tools number their rows
 * in their own way; so a problem is known by its question, where the file tells it, and else by its id.
 * Default: none, so that the ids count.
 * @returns The runs, of the problems' ids.
 * @throws {RangeError} Where a run's problem is not among them, or asks something else than in `told`.
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
export async function regrade<
  P extends Problem,
  R extends Pick<Run, "problem" | "text" | "grade">,
>(
  runs: readonly R[],
  problems: readonly P[],
  grade: (problem: P, text: string) => Grade | Promise<Grade>,
  told: readonly Problem[] = [],
): Promise<R[]> {
  const byId = matched(told, problems), out: R[] = [];
  for (const run of runs) {
    const problem = byId.get(run.problem);
    if (!problem) {
      throw new RangeError(
        `Cannot grade again as the problems must hold '${run.problem}': they are ${problems.length}, of ${runs.length} runs`,
      );
    }
    out.push({ ...run, problem: problem.id, grade: await grade(problem, run.text) });
  }
  return out;
}
