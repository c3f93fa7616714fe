/**
 * Samples of lm-evaluation-harness (`--log_samples`), a line per document and filter:
 *
 *     { doc_id, doc, target, arguments, resps, filtered_resps, filter, metrics, <metric>: … }
 *
 * Checked on files of version 0.4.13, and against what the code of 0.4.0, 0.4.2, 0.4.3, 0.4.5, 0.4.7 and
 * 0.4.8 writes: up to 0.4.2 the file is one list, up to 0.4.5 lines have no `filter` and `metrics`.
 * Log-likelihoods are pairs of numbers, and of texts from 0.4.3 on.
 *
 * @module
 */

import { isObject } from "../../_check.ts";
import { answersOf, chosen, fault, type Found, gradeOf, grouped, isVerdict } from "./_found.ts";
import { type Json, leftOut, type Line, numbersIn, type Result, textOf } from "./_found.ts";

/** Metrics that say whether a sample is right, in the order in which they are looked for. */
const METRICS = ["exact_match", "acc", "math_verify", "pass@1", "pass_at_1", "acc_norm", "score"];

/** Fields of a line that are no metric. */
const FIELDS = new Set([
  ...["doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"],
  ...["doc_hash", "prompt_hash", "target_hash", "schema_version", "index", "task_name"],
]);

/** What the harness's regular expressions give where they find nothing. */
const NOTHING = "[invalid]";

/**
 * The filter of each line. Where none is named, a line of a document that was there before, with the same
 * responses, is of the next filter: "1", "2" and so on.
 */
function filtersOf(lines: readonly Line[]): Map<Line, string> {
  const named = lines.some(({ row }) => row.filter !== undefined);
  const earlier = new Map<string, string[]>();
  const passes = lines.map((line) => {
    if (named) return textOf(line.row.filter) ?? "none";
    const id = textOf(line.row.doc_id) ?? "", resps = JSON.stringify(line.row.resps);
    const own = earlier.get(id);
    if (!own) earlier.set(id, [resps]);
    else if (own[0] === resps) own.push(resps);
    return String(earlier.get(id)!.length);
  });
  const several = passes.some((pass) => pass === "2");
  return new Map(lines.map((line, i) => [line, named || several ? passes[i]! : "none"]));
}

const isNumber = (value: unknown) =>
  typeof value === "number" ||
  (typeof value === "string" &&
    /^-?(\d{1,400}(\.\d{1,400})?(e[+-]?\d{1,4})?|inf|nan)$/.test(value));

const isGreedy = (value: unknown) =>
  typeof value === "boolean" || value === "True" || value === "False";

/** Whether a response is a log-likelihood: a pair with whether it is the greedy choice, or alone. */
function isLikelihood(response: unknown): boolean {
  if (Array.isArray(response)) {
    return response.length === 2 && isNumber(response[0]) && isGreedy(response[1]);
  }
  if (typeof response === "number") return true;
  return typeof response === "string" &&
    /^(-\d{1,400}\.\d{1,400}|\(-?[\d.]{1,400}(e-?\d{1,4})?, (True|False)\))$/.test(response);
}

/** Second argument of each request: settings of a generation, or the text whose likelihood is asked for. */
function secondArguments(row: Json): unknown[] {
  const own = row.arguments;
  const requests = Array.isArray(own) ? own : isObject(own) ? Object.values(own) : [];
  return requests.map((request) =>
    Array.isArray(request) ? request[1] : isObject(request) ? request.arg_1 : undefined
  );
}

/** The responses to each request of a document. */
function requestsOf(row: Json): unknown[][] {
  const resps = Array.isArray(row.resps) ? row.resps : [];
  if (resps.length > 0 && resps.every((one) => !Array.isArray(one))) return [resps];
  return resps.map((one) => Array.isArray(one) ? one : [one]);
}

/** Refuses log-likelihoods: they are no texts. */
function checkGenerated({ row, number }: Line): void {
  const seconds = secondArguments(row);
  if (seconds.some(isObject)) return; // settings of a generation
  const areLikelihoods = seconds.some((second) => typeof second === "string") ||
    requestsOf(row).some((own) => isLikelihood(own) || own.some(isLikelihood));
  if (!areLikelihoods) return;
  fault(
    `line ${number}`,
    "have generated texts in resps: it has log-likelihoods (of an output_type multiple_choice or " +
      "loglikelihood), of which there is no text to read",
  );
}

/** The generated texts of a document; null for one that is missing. */
function textsOf({ row, number }: Line): (string | null)[] {
  const where = `line ${number}`, requests = requestsOf(row);
  if (requests.length > 1) {
    return fault(where, `have one request a document, not ${requests.length}`);
  }
  const texts = requests.flat(2).filter((one): one is string | null =>
    typeof one === "string" || one === null
  );
  return texts.length > 0 ? texts : fault(where, "have generated texts in resps");
}

/** Names of the metrics of some lines, those that give verdicts first. */
function metricsOf(lines: readonly Line[]): string[] {
  const values = grouped(lines.flatMap(({ row }) => {
    const named = Array.isArray(row.metrics)
      ? row.metrics.filter((name) => typeof name === "string")
      : Object.keys(row).filter((name) => !FIELDS.has(name));
    return named.map((name) => [name, row[name]] as const);
  }));
  const isScalar = (value: unknown) => typeof value === "number" || typeof value === "boolean";
  // Where no line has a number for any, all that are named count: runs are then not gradable as stored.
  const given = [...values].filter(([, own]) => own.some(isScalar));
  const names = (given.length > 0 ? given : [...values]).map(([name]) => name);
  const giveVerdicts = (name: string) =>
    values.get(name)!.every((value) => value === null || value === undefined || isVerdict(value));
  const rank = (name: string) => {
    if (!giveVerdicts(name)) return 1000;
    const at = METRICS.indexOf(name);
    return at < 0 ? 100 : at;
  };
  return names.sort((a, b) => rank(a) - rank(b)); // stable: the file's order among equals
}

/** Sampler settings of a request. */
const SETTINGS = {
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  maxNewTokens: "max_gen_toks",
};

/** Reads the samples of a task. */
export function lmEval(
  lines: readonly Line[],
  name: string,
  choice: { readonly filter?: string; readonly metric?: string },
): Found {
  lines.forEach(checkGenerated);
  const filterOf = filtersOf(lines), filters = [...new Set(filterOf.values())];
  const filter = chosen("filter", choice.filter, filters);
  const own = lines.filter((line) => filterOf.get(line) === filter);
  const metrics = metricsOf(own);
  if (metrics.length === 0) {
    return fault(`line ${own[0]!.number}`, `have one of ${METRICS.join(", ")}, or another metric`);
  }
  const metric = chosen("metric", choice.metric, metrics); // of which a value may be missing
  const label = filters.length > 1 ? `${metric} of ${filter}` : metric;
  const seen = new Map<string, number>();
  let errored = 0;
  const results = own.flatMap((line): Result[] => {
    const { row, number } = line, where = `line ${number}`;
    const id = textOf(row.doc_id) ?? fault(where, "have a doc_id");
    const earlier = seen.get(id);
    if (earlier !== undefined) {
      return fault(where, `not repeat document ${id} of line ${earlier}: a file holds one task`);
    }
    seen.set(id, number);
    const texts = textsOf(line);
    const filtered = Array.isArray(row.filtered_resps) ? row.filtered_resps.flat(2) : [];
    const doc = isObject(row.doc) ? row.doc : {};
    const problem = { ...doc, id, ...answersOf(row.target, textOf(doc.answer)) };
    return texts.flatMap((text, repeat): Result[] => {
      if (text === null) {
        errored++;
        return [];
      }
      if (texts.length > 1) {
        const reason = `${label} is one verdict for ${texts.length} texts`;
        const grade = { correct: false, ungradable: true, extracted: null, reason } as const;
        return [{ problem, repeat, text, grade }];
      }
      const answer = textOf(filtered[0]) ?? null;
      const extracted = answer === NOTHING ? null : answer;
      return [{ problem, repeat, text, grade: gradeOf(row[metric], label, extracted) }];
    });
  });
  const all = new Set(lines.map(({ row }) => textOf(row.doc_id))).size;
  const second = secondArguments(own[0]!.row).find(isObject);
  return {
    format: "lm-eval",
    task: /^samples_(.+?)_\d{4}-/.exec(name)?.[1] ?? "unknown",
    model: "unknown",
    sampler: second ? numbersIn(second, SETTINGS) : {},
    results,
    verdicts: {
      filter: { taken: filter, of: filters },
      metric: { taken: metric, of: metrics },
    },
    leftOut: leftOut({ errored, missing: all - seen.size }),
  };
}
