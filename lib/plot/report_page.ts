/** A page that a reviewer can audit: what was run, what came out, and every sample. @module */

import { anything, checkOptions, kind, listOf, refusal, type Rules, text } from "../_check.ts";
import { escapeHtml } from "../_escape.ts";
import { given } from "../_given.ts";
import compactTraceCode from "../decode/compact_trace.ts" with { type: "text" };
import { completePairs, partialOf } from "../study/partial.ts";
import type { AskedProblem } from "../study/problems.ts";
import type { ImportedRun, Run } from "../study/run.ts";
import type { Html } from "./figure.ts";
import { toHtml } from "./html.ts";
import coloursCss from "./page/colours.css" with { type: "text" };
import reportCss from "./page/report.css" with { type: "text" };
import sampleDataCode from "./page/sample_data.ts" with { type: "text" };
import samplesCode from "./page/samples.ts" with { type: "text" };
import { scriptOf } from "./page/script.ts";
import tokensCss from "./page/tokens.css" with { type: "text" };
import tokenListCode from "./page/token_list.ts" with { type: "text" };
import tokensCode from "./page/tokens.ts" with { type: "text" };
import unpackedCode from "./page/unpacked.ts" with { type: "text" };
import virtualListCode from "./page/virtual_list.ts" with { type: "text" };
import { reportOf, studyName, type StudyReportOptions } from "./report.ts";
import { type SampledStudy, samplesHtml } from "./_samples.ts";

/** A study on a page. */
export interface ReportedStudy extends StudyReportOptions {
  /** Its runs; what some methods have not finished is left out of tables, and shown among the samples. */
  readonly runs: readonly (Run | ImportedRun)[];
  /** Its problems by id: what was asked, and what is right. Default: nobody kept them. */
  readonly problems?: ReadonlyMap<string, AskedProblem>;
  /** The commands that made it. Default: not told. */
  readonly commands?: readonly string[];
}

/** Options of {@linkcode reportPage}. */
export interface ReportPageOptions {
  /** Title of the page. Default: "Report". */
  readonly title?: string;
  /** The command that makes the page. Default: not told. */
  readonly command?: string;
}

const RULES: Rules<ReportPageOptions> = { title: text, command: text };
const STUDY_RULES: Rules<ReportedStudy> = {
  runs: listOf(anything),
  problems: kind("be a Map of problems by their ids", (value) => value instanceof Map),
  commands: listOf(text),
  ...{ baseline: text, greedy: listOf(anything) },
};

/** What a page says of the commands that made its runs, or itself. */
export function commandsPart(commands: readonly string[]): Html {
  const lines = commands.map((command) => `<code>${escapeHtml(command)}</code>`);
  return {
    html: `<p class="moi-command">Made by ${lines.join("<br>")}</p>`,
    text: `Made by ${commands.join("\n")}`,
  };
}

/** The samples, and the code that shows them. */
function samplesPart(studies: readonly SampledStudy[]): Html {
  const script = scriptOf(
    ...[compactTraceCode, tokensCode, tokenListCode, virtualListCode, unpackedCode],
    ...[sampleDataCode, samplesCode],
  );
  const count = studies.reduce((sum, { runs }) => sum + runs.length, 0);
  return {
    html: `<style>${coloursCss}${tokensCss}${reportCss}</style>${
      samplesHtml(studies)
    }<script>(() => {${script}})();</script>`,
    text: `[${count} samples]`,
  };
}

/**
 * Makes the page of one study or several: their settings, tables and figures, and all their samples, which can be
 * searched and compared in pairs, token by token where studies kept traces. It opens without a network; texts from
 * models, data sets and users are text in it. It is at most 30 MB long: long texts are cut in the middle where there
 * are too many of them, and the page says so.
 *
 * @throws {RangeError} Where there is no study, or one has no problem that all of its methods finished, or is several.
 *
 * @example
 * ```ts
 * import { loadModel, moi, reportPage, runStudy, standard, votes } from "@moi/moi";
 * import { assertStringIncludes } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const methods = { standard: standard(), moi: moi({ beta: 0.25 }) };
 * const runs = await runStudy({ model, task: votes({ limit: 3 }), methods });
 * const page = await reportPage([{ runs }], { title: "Three polls" }); // Deno.writeTextFile("report.html", page)
 * assertStringIncludes(page, "<h1>Three polls</h1>");
 * ```
 */
export async function reportPage(
  studies: readonly ReportedStudy[],
  options: ReportPageOptions = {},
): Promise<string> {
  const verb = "make a report", { title = "Report", command } = options;
  checkOptions(verb, options, RULES);
  listOf(anything)(verb, "studies", studies);
  if (studies.length === 0) {
    throw new RangeError(refusal(verb, "studies", "hold a study at least", studies));
  }
  const reported = studies.map((study) => {
    checkOptions(verb, study, STUDY_RULES);
    const { runs, problems, commands = [], ...more } = study, finished = completePairs(runs);
    if (finished.length === 0 && !partialOf(runs)) {
      const rule = "hold a problem that every method has finished";
      throw new RangeError(refusal(verb, "runs", rule, runs));
    }
    const { parts, baseline, compared } = reportOf(finished, given(more));
    const made = commands.length > 0 ? [commandsPart(commands)] : [];
    return {
      parts: [...parts, ...made],
      samples: { name: studyName(runs), runs, problems, baseline, compared },
    };
  });
  const all = [
    ...(command === undefined ? [] : [commandsPart([command])]),
    ...reported.flatMap(({ parts }) => parts),
    samplesPart(reported.map(({ samples }) => samples)),
  ];
  return await toHtml(all, { title });
}
