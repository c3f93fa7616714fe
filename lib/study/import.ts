/**
 * Other people's result files as runs, so that they can be graded again and compared in pairs.
 *
 * Formats are known by their content:
 *
 * - results of the released MoI code: a JSON list that begins with its accuracy;
 * - samples of lm-evaluation-harness (`--log_samples`, one JSON object a line; 0.4.0 to 0.4.13);
 * - logs of inspect (JSON or `.eval`; 0.3.100 to 0.3.285);
 * - plain lines `{ "id": …, "text": … }` ({@linkcode AboutFile.format} "plain"), lines of one id being its repeats;
 * - outputs of batches of OpenAI's API, which `vllm run-batch` writes, too ("openai-batch").
 *
 * Each may be packed with gzip or Zstandard. The last two have texts alone: their ids must be those of the
 * task's problems (a data set's own, or `gsm8k/0` and so on by its rows), and {@linkcode regrade} refuses
 * others. What a file does not say is absent from its runs: no tokens, so that no ratio of lengths is given,
 * no seed, no evidence of mixing.
 *
 * Where a file has several verdicts on a text, one is taken, by name or by a rule, and the others are
 * told beside it. What is no verdict (NaN, a score of 7, one value for several texts) leaves its run
 * `ungradable` until it is graded again.
 *
 * @module
 */

import { basename } from "node:path";
import { isZip, unpacked } from "../_archive.ts";
import { checkOptions, isObject, refusal, type Rules, text } from "../_check.ts";
import { parseJson, textIn } from "../_json.ts";
import { sha256 } from "../_sha256.ts";
import type { Problem } from "../tasks/mod.ts";
import { type AboutFile, fault, type Found, type Line, VERB } from "./import/_found.ts";
import { inspect, logOf } from "./import/inspect.ts";
import { lmEval } from "./import/lm_eval.ts";
import { openAiBatch } from "./import/openai_batch.ts";
import { plain } from "./import/plain.ts";
import { released } from "./import/released.ts";
import type { ImportedRun } from "./run.ts";

/** What a file holds. */
export interface Imported extends AboutFile {
  /** One run a generated text, with the verdict that the file gives, and nothing that it does not tell. */
  readonly runs: readonly ImportedRun[];
  /** The problems as far as the file tells: question, answer, numbers and target. */
  readonly problems: readonly Problem[];
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

const RULES: Rules<ImportOptions> = { method: text, filter: text, metric: text, scorer: text };

/** Options that only one format has. */
const OPTIONS_OF = { filter: "lm-eval", metric: "lm-eval", scorer: "inspect" } as const;

/** Largest file, in bytes. */
const LARGEST = 2 ** 30;

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
  let content: string;
  try {
    content = textIn(unpacked(bytes, LARGEST));
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new RangeError(`Cannot ${VERB} as ${name} must have at most 1 GiB`, { cause });
    }
    const what = cause instanceof TypeError
      ? "be UTF-8 text"
      : `be whole: ${(cause as Error).message}`;
    return fault(name, what);
  }
  if (content.trimStart().startsWith("version https://git-lfs")) {
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
  const lines = content.trimStart()[0] === "[" ? undefined : linesOf(content);
  if (lines === undefined || lines.length === 0) { // one value over many lines, or none
    const whole = known(parse(content, name));
    if (whole) return whole;
  } else if (lines.length === 1) {
    const whole = known(lines[0]!.row);
    if (whole) return whole;
  }
  const first = lines?.[0]?.row ?? {};
  if ("doc_id" in first) return lmEval(lines!, name, options);
  if ("custom_id" in first) return openAiBatch(lines!, name);
  if ("id" in first && "text" in first) return plain(lines!, name);
  return fault(
    name,
    "be results of the released MoI code, samples of lm-evaluation-harness, a log of inspect, " +
      "lines with id and text, or the output of a batch of OpenAI's API",
  );
}

/**
 * Reads a result file of another tool.
 *
 * Of lm-evaluation-harness one filter counts, so that a document is one run; its repeats are one run each,
 * `ungradable`, as the file has one verdict for them together. Samples of inspect and requests of a batch that
 * ended with an error, and plain lines whose text is null, are left out and counted. Runs of files without
 * verdicts are `ungradable` until they are graded.
 *
 * @throws {SyntaxError} Where it is of no known format or damaged, naming the place, or holds
 * log-likelihoods in place of texts.
 * @throws {RangeError} Where it is larger than 1 GiB, or has no such filter, metric or scorer.
 * @throws {TypeError} Where an option is of another format.
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
  checkOptions(VERB, options, RULES);
  const { method = "imported" } = options;
  if (typeof path !== "string") throw new TypeError(refusal(VERB, "path", "be a path", path));
  if ((await Deno.stat(path)).size > LARGEST) {
    throw new RangeError(`Cannot ${VERB} as ${path} must have at most 1 GiB`);
  }
  const name = basename(path);
  const { model, sampler, results, ...about } = found(await Deno.readFile(path), name, options);
  const { format, task } = about;
  for (const [option, needed] of Object.entries(OPTIONS_OF)) {
    if (options[option as keyof typeof OPTIONS_OF] !== undefined && format !== needed) {
      throw new TypeError(
        `Cannot ${VERB} as '${option}' chooses within files of ${needed}: ${name} is of ${format}`,
      );
    }
  }
  const problems = new Map(results.map(({ problem }) => [problem.id, problem]));
  const study = sha256(JSON.stringify([format, task, [...problems.keys()].sort()]));
  const parameters = { name: method }, versions = { imported: format };
  const settings = Object.keys(sampler).length > 0 ? { sampler } : {};
  const runs = results.map(({ problem: { id }, repeat, text, grade, cut }): ImportedRun => ({
    ...{ study, model, task, problem: id, method, parameters, repeat, text },
    ...{ finishReason: cut ? "length" : "stop", grade, versions, ...settings },
  }));
  return { ...about, runs, problems: [...problems.values()] };
}
