/**
 * Studies: methods × problems × repeats, one stored line per run, resumable at any time.
 *
 * ```text
 * study ──planStudy──▶ planned runs ──runStudy──▶ runs ──store──▶ lines ──readRuns──▶ runs ──▶ gains
 *   plan.ts               run.ts      study.ts            store.ts
 * ```
 *
 * A run is what was planned, which decides its text and verdict, and what came of it. Stored runs belong
 * to a study whose plan would make them again (`identity.ts`).
 *
 * {@linkcode runStudy} makes the runs, {@linkcode readRuns} reads them back, {@linkcode readProblems} what was
 * asked, which stands in a file beside them. The same call again
 * finishes what is missing; more methods, problems or repeats may be added to a file, but its runs
 * always share model, task, sampler, chat variables and seed, and a problem keeps its prompt and its gold
 * answer: otherwise the file is refused, saying what differs.
 *
 * A study that is too large for one machine is run in shards, a file each ({@linkcode Study}, `shard`), which
 * {@linkcode mergeRuns} joins: the file is the one that a single process would have written.
 *
 * A run is right, wrong, cut (at the token limit without a right answer) or ungradable (nothing can tell: a
 * code problem without tests, say); the last are left out with their partners and counted.
 *
 * {@linkcode paperTable1} and its like are the published numbers, to be laid beside one's own.
 * {@linkcode importRuns} reads result files of other tools, {@linkcode regrade} grades texts again.
 *
 * Options that are unknown or of the wrong kind are a TypeError, those outside their rule a RangeError.
 *
 * @module
 */

export { type Imported, type ImportOptions, importRuns } from "./import.ts";
export type { AboutFile } from "./import/_found.ts";
export { regrade, regradedRun } from "./regrade.ts";
export * from "./paper.ts";
export * from "./estimate.ts";
export { type Merged, type MergeOptions, mergeRuns } from "./merge.ts";
export { joinStudies } from "./join.ts"; // other samplers in one table
export { betaGrid, type BetaGridOptions } from "./grid.ts";
export { wordingOf } from "./_digest.ts";
export { type Plan, type PlannedProblem, planStudy, runSeed, type Study } from "./plan.ts";
export {
  type ImportedRun,
  type PlannedRun,
  type Run,
  type Scalars,
  type Verdict,
  verdictOf,
} from "./run.ts";
export { parseShard, type Shard, shardOf } from "./shard.ts";
export { type AskedProblem, askedProblem, readProblems } from "./problems.ts";
export { readRuns } from "./store.ts";
export * from "./partial.ts";
export { type RunOptions, runStudy } from "./study.ts";
