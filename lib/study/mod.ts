/**
 * Studies: methods × problems × repeats, one stored line per run, resumable at any time.
 *
 * {@linkcode runStudy} makes the runs, {@linkcode readRuns} reads them back. The same call again
 * finishes what is missing; more methods, problems or repeats may be added to a file, but its runs
 * always share model, task, sampler, chat variables and seed, and a problem keeps its prompt and its gold
 * answer: otherwise the file is refused, saying what differs.
 *
 * {@linkcode paperTable1} and its like are the published numbers, to be laid beside one's own.
 * {@linkcode importRuns} reads result files of other tools, {@linkcode regrade} grades texts again.
 *
 * @module
 */

export {
  type Imported,
  type ImportFormat,
  type ImportOptions,
  importRuns,
  regrade,
  type TakenVerdict,
} from "./import.ts";
export {
  isShareOf,
  PAPER_TASKS,
  type PaperEntry,
  type PaperGain,
  paperGains,
  type PaperMethod,
  paperNotes,
  type PaperRuns,
  paperTable1,
  paperTableA4,
  type PaperTask,
} from "./paper.ts";
export {
  estimateStudy,
  measuredBandwidth,
  type StudyEstimate,
  type StudySize,
} from "./estimate.ts";
export { joinStudies } from "./join.ts"; // other samplers in one table
export { betaGrid, type BetaGridOptions } from "./grid.ts";
export { regradedRun, wordingOf } from "./identity.ts";
export { type Plan, type PlannedRun, planStudy, runSeed, type Study } from "./plan.ts";
export { type ImportedRun, type Run, type Verdict, verdictOf } from "./run.ts";
export { openStore, type Place, readRuns, type Store } from "./store.ts";
export {
  completePairs,
  partialOf,
  type PartialStudy,
  partialText,
  type Planned,
  plannedOf,
  type StudyRuns,
  withPlanned,
} from "./partial.ts";
export { type RunOptions, runStudy } from "./study.ts";
