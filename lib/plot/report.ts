/** A study as a piece of a page: settings, table, curve, activity, problems won and lost. @module */

import { anything, checkOptions, listOf, type Rules, text } from "../_check.ts";
import { escapeHtml } from "../_escape.ts";
import { accuracy, gains, scoreGains } from "../stats/mod.ts";
import type { ImportedRun, Run } from "../study/mod.ts";
import { controlNote } from "../tasks/mod.ts";
import { displayable } from "./display.ts";
import { percent } from "./_format.ts";
import type { Figure, Html } from "./figure.ts";
import { plotFlips } from "./flips.ts";
import { plotGains } from "./gains.ts";
import { plotMixing } from "./mixing.ts";
import { plotScores } from "./scores.ts";
import { scoreTable } from "./score_table.ts";
import { gainsTable } from "./gains_table.ts";
import type { Tables } from "./tables.ts";

/** Options of {@linkcode studyReport}. */
export interface StudyReportOptions {
  /** Key of the method that the others are measured against. Default: "standard". */
  readonly baseline?: string;
  /** Runs of the same model and task at temperature 0, for a line that tells what greedy gets. */
  readonly greedy?: readonly (Run | ImportedRun)[];
}

const RULES: Rules<StudyReportOptions> = { baseline: text, greedy: listOf(anything) };

/** What the study of some runs is called: model and task, "votes-tiny on votes". */
export function studyName([run]: readonly (Run | ImportedRun)[]): string {
  return run === undefined ? "" : `${run.model.split("@")[0]} on ${run.task}`;
}

/** Every setting that the runs of a study share; those of other tools tell few. */
function settings(runs: readonly (Run | ImportedRun)[]): string {
  const { sampler = {}, device, dtype, versions, model, task, studySeed, chat } = runs[0]!;
  const options = Object.entries(runs[0]!.taskParameters ?? {})
    .map(([name, value]) => `${name} ${value}`);
  const named = [...new Set(runs.flatMap(({ parameters }) => parameters.preset ?? []))];
  const { maxNewTokens, ...shown } = sampler;
  const temperatures = new Map(
    runs.filter((run) => run.sampler?.temperature !== sampler.temperature)
      .map((run) => [run.method, run.sampler?.temperature]),
  );
  const truncated = runs.filter((run) => run.finishReason === "length").length;
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${model} on ${task}${options.length > 0 ? ` (${options.join(", ")})` : ""}`,
    ...(studySeed === undefined ? [] : [`seed ${studySeed}`]),
    ...(named.length > 0 ? [`preset ${named.join(", ")}`] : []),
    ...(chat ? [`chat variables ${JSON.stringify(chat)}`] : []),
    ...(Object.keys(shown).length > 0
      ? [Object.entries(shown).map(([name, value]) => setting(name, value)).join(", ")]
      : []),
    ...[...temperatures].map(([method, own]) => `${method} at temperature ${own ?? "unknown"}`),
    ...(maxNewTokens === undefined ? [] : [
      `at most ${maxNewTokens} new tokens (${truncated} of ${runs.length} runs reached the limit)`,
    ]),
    ...(dtype === undefined ? [] : [`${dtype} on ${device}`]),
    software.join(", "),
  ].join("; ");
}

/** Settings whose names are written as in papers, and those that 0 turns off. */
const WRITTEN: Readonly<Record<string, string>> = { topK: "top-k", topP: "top-p", minP: "min-p" };
const OFF_AT_ZERO = ["topK", "minP"];

/** A setting of the sampler in words. */
function setting(name: string, value: unknown): string {
  const told = value === 0 && OFF_AT_ZERO.includes(name) ? "off" : JSON.stringify(value);
  return `${WRITTEN[name] ?? name} ${told}`;
}

/**
 * What there is to see of a study.
 *
 * @returns Heading, settings, table, gains over β, mixing activity, and the problems won and lost by
 * the primary comparison, or else by the method with the largest gain; for `toHtml` or `show`.
 * @throws {RangeError} Where the runs are none, of several studies, or incomplete.
 */
export function studyReport(
  runs: readonly (Run | ImportedRun)[],
  options: StudyReportOptions = {},
): (Figure | Html)[] {
  const { parts, compared, baseline } = reportOf(runs, options);
  const flips = compared === undefined ? [] : [plotFlips(runs, { method: compared, baseline })];
  return displayable([...parts, ...flips]);
}

/** What there is to see of a study but for its samples, and the comparison that these begin with. */
export interface Report {
  readonly parts: readonly (Figure | Html)[];
  readonly baseline: string;
  /** Key of the method of the primary comparison, else of the largest gain; undefined: there is none. */
  readonly compared: string | undefined;
}

/** See {@linkcode studyReport}. */
export function reportOf(
  runs: readonly (Run | ImportedRun)[],
  options: StudyReportOptions = {},
): Report {
  checkOptions("report", options, RULES);
  const { baseline = "standard", greedy = [] } = options;
  const { rows, scores, digits, tables } = judgedOf(runs, baseline);
  if ((rows ?? scores)!.length === 0) {
    return { parts: tables.slice(0, 1), baseline, compared: undefined };
  }
  const best = rows?.find((row) => row.isPrimary) ??
    rows?.filter((row) => !row.isBaseline).sort((a, b) => b.gain - a.gain)[0];
  const { task } = runs[0]!, name = studyName(runs);
  const texts = [settings(runs)];
  const note = controlNote(task);
  if (note !== undefined) texts.push(note);
  if (greedy.length > 0) {
    const { mean, low, high, n } = accuracy(greedy, { method: baseline });
    texts.push(
      `Greedy decoding (temperature 0) on the same task: ${percent(mean)} ` +
        `[${percent(low)}, ${percent(high)}], N = ${n}.`,
    );
  }
  const paragraphs = texts.map((text) => `<p>${escapeHtml(text)}</p>`).join("\n");
  const parts = [
    { html: `<h2>${escapeHtml(name)}</h2>${paragraphs}`, text: [name, ...texts].join("\n") },
    ...(rows ? tables.slice(0, 1) : []),
    ...(scores ? [tables.at(-1)!, plotScores(scores, digits)] : []),
    ...(rows ? [plotGains(rows, { title: `Gain over ${baseline}: ${name}`, baseline })] : []),
    ...(runs.some(({ mixing }) => mixing !== undefined)
      ? [plotMixing(runs, { title: `Was there anything to mix? ${name}` })]
      : []),
  ];
  return { parts, baseline, compared: best?.method };
}

/**
 * The tables of a study: gains in accuracy, scores where its task gives them, or both.
 *
 * @throws {RangeError} As {@linkcode studyReport}.
 */
export function studyTables(
  runs: readonly (Run | ImportedRun)[],
  { baseline = "standard" }: Pick<StudyReportOptions, "baseline"> = {},
): Tables[] {
  return judgedOf(runs, baseline).tables;
}

/** Rows of gains, unless the task measures something else; of scores, where runs have them; their tables. */
export function judgedOf(runs: readonly (Run | ImportedRun)[], baseline: string) {
  const isScored = runs.length > 0 && runs.every(({ grade }) => grade.score !== undefined);
  const isMeasured = isScored && runs[0]!.measure !== undefined;
  const rows = isMeasured ? undefined : gains(runs, { baseline });
  const scores = isScored ? scoreGains(runs, { baseline }) : undefined;
  const digits = isMeasured ? {} : { digits: 4 };
  const tables = [rows && gainsTable(rows), scores && scoreTable(scores, digits)];
  return { rows, scores, digits, tables: tables.filter((table) => table !== undefined) };
}
