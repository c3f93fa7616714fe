/**
 * Rows into figures.
 *
 * A figure is a value: plain plotly JSON (`{ data, layout }`), computed by a pure function from the
 * rows of a study, so it can be tested, stored and changed like any other value. A table is one, too.
 * Showing them is a separate step. Three rules hold for all of them:
 *
 * - every gain has its interval, and every figure states its N;
 * - text from models, data sets and users is escaped;
 * - nothing is fetched: plotly.js travels with the page.
 *
 * Options that are unknown or of the wrong kind are a TypeError, those outside their rule a RangeError.
 *
 * | To see | Use |
 * | --- | --- |
 * | how much a method gains, and at which β | {@linkcode plotGains}, of numeric scores {@linkcode plotScores} |
 * | whether mixing could act at all | {@linkcode plotMixing}, {@linkcode plotEffect} |
 * | which problems changed hands, and how | {@linkcode plotFlips} |
 * | where in a text the model was uncertain | {@linkcode plotTrace} |
 * | whether a mixture is a better input than the token | {@linkcode plotLosses}, {@linkcode lossTable} |
 * | what stands inside the layers | {@linkcode plotLens}, {@linkcode plotSuperposition}, {@linkcode plotSurvival}, {@linkcode plotPatching} |
 * | what one step was fed | {@linkcode plotMixture} |
 * | a study beside the paper | {@linkcode compareWithPaper} |
 * | all of a study | {@linkcode studyReport}, {@linkcode gainsTable}; as a page with every sample {@linkcode reportPage} |
 * | a table of one's own | {@linkcode tableOf} |
 *
 * | Where | Use |
 * | --- | --- |
 * | in a notebook | the last value of a cell, or {@linkcode show} |
 * | on a page that works without a network | {@linkcode toHtml} |
 * | in a paper, a README | {@linkcode toSvg}, {@linkcode toPng}; of tables {@linkcode toLatex}, {@linkcode toMarkdown} |
 * | in pandas or R | {@linkcode toCsv}: tables, rows, runs |
 * | in a terminal | {@linkcode toText} |
 *
 * @example From runs to a file
 * ```ts
 * import { plotMixing, toSvg } from "@moi/moi/plot";
 * import { assertStringIncludes } from "@std/assert";
 * const figure = plotMixing([
 *   { method: "standard", problem: "1", mixing: { meanEntropy: 0.21, meanOffSampleMass: 0 } },
 *   { method: "moi, β = 1", problem: "1", mixing: { meanEntropy: 0.2, meanOffSampleMass: 0.13 } },
 * ]);
 * const svg = await toSvg(figure); // Deno.writeTextFile("mixing.svg", svg)
 * assertStringIncludes(svg, "N = 2 runs of 1 problem");
 * ```
 *
 * @module
 */

// What a figure is, and what a table is
export * from "./figure.ts";
export { type Column, isTable, type Table, tableOf, type Tabular, type Value } from "./table.ts";
export { type Tables, tablesOf } from "./tables.ts";

// Figures
export * from "./effect.ts";
export * from "./flips.ts";
export * from "./lens.ts";
export * from "./patching.ts";
export * from "./superposition.ts";
export { type GainLike, plotGains, type PlotGainsOptions } from "./gains.ts";
export { plotLosses, type PlotLossesOptions } from "./losses.ts";
export * from "./mixing.ts";
export * from "./mixture.ts";
export * from "./scores.ts";
export { plotTrace, type PlotTraceOptions, type StepLike, type TracedLike } from "./trace.ts";

// Tables, and everything about a study
export * from "./compare_with_paper.ts";
export * from "./gains_table.ts";
export { lossTable } from "./losses.ts";
export { studyReport, type StudyReportOptions, studyTables } from "./report.ts";
export { type ReportedStudy, reportPage, type ReportPageOptions } from "./report_page.ts";
export { scoreTable, type ScoreTableOptions } from "./score_table.ts";

// Where they go
export * from "./csv.ts";
export { initPlots, show, type Shown } from "./display.ts";
export * from "./html.ts";
export * from "./latex.ts";
export * from "./markdown.ts";
export * from "./text.ts";
export { toPng, type ToPngOptions } from "./png.ts";
export { toSvg, type ToSvgOptions } from "./svg.ts";
export { escapeHtml } from "../_escape.ts";
