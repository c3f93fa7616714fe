/**
 * A study as a piece of a page: settings, table, curve, activity, problems won and lost.
 *
 * @module
 */

import { anything, checkOptions, listOf, type Rules, text } from "../_check.ts";
import { escapeHtml } from "../_escape.ts";
import { accuracy, gains, scoreGains } from "../stats/mod.ts";
import type { Run } from "../study/mod.ts";
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

/** Options of {@linkcode studyReport}. */
export interface StudyReportOptions {
  /** Key of the method that the others are measured against. Default: "standard". */
  readonly baseline?: string;
  /** Runs of the same model and task at temperature 0, for a line that tells what greedy gets. */
  readonly greedy?: readonly Run[];
}

const RULES: Rules<StudyReportOptions> = { baseline: text, greedy: listOf(anything) };

function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}

/** Every setting that the runs of a study share. */
function settings(runs: readonly Run[]): string {
  const { sampler, device, dtype, versions, model, task, studySeed, chat } = runs[0]!;
  const options = Object.entries(runs[0]!.taskParameters ?? {})
    .map(([name, value]) => `${name} ${value}`);
  const presets = new Set(runs.map(({ parameters }) => parameters.preset ?? ""));
  const named = [...presets].filter((preset) => preset !== "");
  const { temperature, topK, topP, minP, maxNewTokens, ...more } = sampler;
  const others = Object.entries(more).map(([name, value]) => `, ${name} ${JSON.stringify(value)}`);
  const temperatures = new Map(
    runs.filter((run) => run.sampler.temperature !== temperature)
      .map((run) => [run.method, run.sampler.temperature]),
  );
  const truncated = runs.filter((run) => run.finishReason === "length").length;
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${model} on ${task}${options.length > 0 ? ` (${options.join(", ")})` : ""}`,
    `seed ${studySeed}`,
    ...(named.length > 0 ? [`preset ${named.join(", ")}`] : []),
    ...(chat ? [`chat variables ${JSON.stringify(chat)}`] : []),
    `temperature ${temperature}, top-k ${topK || "off"}, top-p ${topP}, min-p ${minP || "off"}${
      others.join("")
    }`,
    ...[...temperatures].map(([method, own]) => `${method} at temperature ${own}`),
    `at most ${maxNewTokens} new tokens (${truncated} of ${runs.length} runs reached the limit)`,
    `${dtype} on ${device}`,
    software.join(", "),
  ].join("; ");
}

/**
 * What there is to see of a study.
 *
 * @param runs Runs of one study.
 * @param options Baseline, runs of greedy decoding.
 * @returns Heading, settings, table, gains over β, mixing activity, and the problems won and lost by
 * the primary comparison, or else by the method with the largest gain; for `toHtml` or `show`.
 * @throws {RangeError} Where the runs are none, of several studies, or incomplete.
 *
 * @example
 * ```ts
 * import { betaGrid, loadModel, runStudy, studyReport, votes } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const methods = betaGrid({ betas: [1], controls: false });
 * const runs = await runStudy({ model, task: votes({ limit: 5 }), methods });
 * assertEquals(studyReport(runs).length, 5);
 * ```
 */
export function studyReport(
  runs: readonly Run[],
  options: StudyReportOptions = {},
): (Figure | Html)[] {
  checkOptions("report", options, RULES);
  const { baseline = "standard", greedy = [] } = options;
  const rows = gains(runs, { baseline });
  if (rows.length === 0) return displayable([gainsTable(rows)]);
  const isScored = runs.every(({ grade }) => grade.score !== undefined);
  const isMeasured = isScored && runs[0]!.measure !== undefined;
  const digits = isMeasured ? {} : { digits: 4 };
  const scores = isScored ? scoreGains(runs, { baseline }) : undefined;
  const others = rows.filter(({ method }) => method !== baseline);
  const best = others.find((row) => row.isPrimary) ??
    others.toSorted((a, b) => b.gain - a.gain)[0];
  const { model, task } = runs[0]!;
  const name = `${model.split("@")[0]} on ${task}`;
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
  return displayable([
    {
      html: `<h2>${escapeHtml(name)}</h2>${texts.map(paragraph).join("\n")}`,
      text: [name, ...texts].join("\n"),
    },
    ...(isMeasured ? [] : [gainsTable(rows)]),
    ...(scores ? [scoreTable(scores, digits), plotScores(scores, digits)] : []),
    ...(isMeasured ? [] : [plotGains(rows, { title: `Gain over ${baseline}: ${name}`, baseline })]),
    plotMixing(runs, { title: `Was there anything to mix? ${name}` }),
    ...(best && !isMeasured ? [plotFlips(runs, { method: best.method, baseline })] : []),
  ]);
}
