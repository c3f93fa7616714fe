/** Problems won and lost against the baseline, both texts side by side: what a gain is made of. @module */

import { checkOptions, number, type Rules, text } from "../_check.ts";
import { escapeHtml } from "../_escape.ts";
import { flips, type Pair } from "../stats/mod.ts";
import type { ImportedRun, Run } from "../study/mod.ts";
import { completePairs, partialOf, partialText } from "../study/partial.ts";
import { displayable } from "./display.ts";
import type { Html } from "./figure.ts";
import { cutTo, fixed } from "./_format.ts";

/** Options of {@linkcode plotFlips}. */
export interface PlotFlipsOptions {
  /** Key of the method that is compared. */
  readonly method: string;
  /** Key of the method that it is compared with. Default: "standard". */
  readonly baseline?: string;
  /** Largest number of won problems shown, and of lost ones. Default: 20. */
  readonly most?: number;
}

const RULES: Rules<PlotFlipsOptions> = {
  ...{ method: text, baseline: text },
  most: number({ min: 1, integer: true }),
};

/** Longest text and longest answer shown, in characters: what is beyond stands in the runs. */
const LONGEST = 20_000, LONGEST_ANSWER = 60;

/**
 * Shows the problems that two methods disagree on, won ones first. Each opens to the two texts, the
 * answers found in them and what the grader said.
 *
 * @param runs Runs of one study; of one that was stopped the problems that all methods finished.
 * @returns HTML that needs no script, with every text escaped, and its plain-text twin.
 * @throws {RangeError} If a method has no runs, or the two have not the same problems and repeats.
 *
 * @example What β = ¼ changes on three problems
 * ```ts
 * import { loadModel, moi, plotFlips, runStudy, standard, votes } from "@moi/moi";
 * import { assertStringIncludes } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const methods = { standard: standard(), moi: moi({ beta: 0.25 }) };
 * const runs = await runStudy({ model, task: votes({ limit: 3 }), methods });
 * assertStringIncludes(plotFlips(runs, { method: "moi" }).text, "of 3 pairs");
 * ```
 */
export function plotFlips(
  runs: readonly (Run | ImportedRun)[],
  options: PlotFlipsOptions,
): Html {
  checkOptions("plot flips", options, RULES);
  const { method, baseline = "standard", most = 20 } = options;
  const partial = partialOf(runs), part = partial ? ` (${partialText(partial)})` : "";
  const judged = partial ? completePairs(runs) : runs;
  const { won, lost, both, neither } = judged.length === 0 && partial
    ? { won: [], lost: [], both: 0, neither: 0 }
    : flips(judged, { baseline, method });
  const count = won.length + lost.length + both + neither;
  const summary = `${method} against ${baseline}: ${won.length} won, ${lost.length} lost of ` +
    `${count} pairs; both solve ${both}, neither ${neither}${part}`;
  const list = (title: string, pairs: readonly Pair<Run | ImportedRun>[]) => {
    const shown = pairs.slice(0, most);
    const heading = `${title}: ${pairs.length}` +
      (shown.length < pairs.length ? `, the first ${shown.length} shown` : "");
    return {
      html: `<p style="margin:10px 0 4px"><b>${escapeHtml(heading)}</b></p>` +
        shown.map((pair) => details(pair, baseline, method)).join("\n"),
      text: [heading, ...shown.map((pair) => `  ${line(pair, baseline, method)}`)].join("\n"),
    };
  };
  const parts = [list(`only ${method} is right`, won), list(`only ${baseline} is right`, lost)];
  return displayable({
    html: `<div style="font:13px sans-serif;overflow-wrap:anywhere">` +
      `<p>${escapeHtml(summary)}</p>${parts.map(({ html }) => html).join("\n")}</div>`,
    text: [summary, ...parts.map(({ text }) => text)].join("\n"),
  });
}

const nameOf = ({ problem, repeat }: Pair<Run | ImportedRun>) =>
  repeat === 0 ? problem : `${problem}, repeat ${repeat}`;

const answerOf = ({ grade }: Pick<Run, "grade">) =>
  cutTo(LONGEST_ANSWER, grade.extracted ?? "no answer");

function line(pair: Pair<Run | ImportedRun>, baseline: string, method: string): string {
  const side = (name: string, run: Pick<Run, "grade">) =>
    `${name}: ${JSON.stringify(answerOf(run))}`;
  return `${nameOf(pair)}  ${side(baseline, pair.baseline)}  ${side(method, pair.method)}`;
}

/** Two columns, or one where there is no place for two. */
const COLUMNS = "repeat(auto-fit,minmax(min(100%,300px),1fr))";

function details(pair: Pair<Run | ImportedRun>, baseline: string, method: string): string {
  return `<details style="margin:2px 0"><summary>${escapeHtml(nameOf(pair))} &nbsp; ${
    escapeHtml(answerOf(pair.baseline))
  } → ${escapeHtml(answerOf(pair.method))}</summary>` +
    `<div style="display:grid;grid-template-columns:${COLUMNS};gap:12px">${
      column(baseline, pair.baseline)
    }${column(method, pair.method)}</div></details>`;
}

function column(name: string, run: Run | ImportedRun): string {
  const { grade, tokens, finishReason, mixing, text } = run;
  const facts = [
    grade.correct ? "right" : "wrong",
    grade.reason ?? [],
    tokens?.length ? `${tokens.length} tokens` : [],
    finishReason === "length" ? "cut off" : [],
    mixing ? `off-sample mass ${fixed(mixing.meanOffSampleMass, 3)}` : [],
  ].flat().join(" · ");
  const shown = text.length > LONGEST
    ? `${text.slice(0, LONGEST)}… (${text.length - LONGEST} more characters)`
    : text;
  return `<div style="min-width:0"><div style="margin:4px 0"><b>${escapeHtml(name)}</b> ${
    escapeHtml(facts)
  }</div><pre style="white-space:pre-wrap;overflow-wrap:anywhere;margin:0;padding:8px;` +
    `background:color-mix(in srgb,currentColor 6%,transparent)">${escapeHtml(shown)}</pre></div>`;
}
