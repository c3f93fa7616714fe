/**
 * The files of a study's shards as one file.
 *
 * Runs are joined by problem, method and repeat. They must be of one study, by the rules by which `runStudy`
 * continues a file; a run that is there twice is kept once, where both have the same text, tokens and verdict
 * (timings, versions and the last digits of what was measured may differ), and is refused where they have not.
 * The merged file is the one that a single process would have written, in the order of the study.
 *
 * @module
 */

import { anything, boolean, checkOptions, refusal, type Rules, shown } from "../_check.ts";
import { canonical } from "./_digest.ts";
import { changedField, differenceOf, type Known, valuesOf } from "./identity.ts";
import { keyOf, type PlannedRun, type Run, type Scalars } from "./run.ts";
import { type AskedProblem, keepProblems, readProblems } from "./problems.ts";
import { shardOf, type ShardRecord } from "./shard.ts";
import { inOrder, type Line, readLines, rewrite, runsOf } from "./store.ts";

const VERB = "merge runs";

/** Options of {@linkcode mergeRuns}. */
export interface MergeOptions {
  /**
   * File to write, made with its folder, whole or not at all. Where it is there already, its runs are joined
   * to the others, so that none is lost. Default: none, the runs are only returned.
   */
  readonly out?: string | URL;
  /** Whether runs may be missing. Default: no. */
  readonly partial?: boolean;
}

const RULES: Rules<MergeOptions> = {
  out: anything, // checked where it is opened
  partial: boolean,
};

/** What {@linkcode mergeRuns} made. */
export interface Merged {
  /** The runs in the order of their study, as `readRuns` gives them. */
  readonly runs: readonly Run[];
  /** Number of runs that were there again, and left out. */
  readonly duplicates: number;
  /** Number of runs that the study has, as far as the files tell. */
  readonly planned: number;
  /** What is missing, in words: "90 of 96 runs: 3 of 9 in shard 3 of 4". Absent where nothing is. */
  readonly missing?: string;
}

/** A file with its lines. */
interface Source {
  readonly name: string;
  readonly lines: readonly Line[];
}

/** What came of a run: two runs that differ in it are not the same. */
const OUTCOME = ["seed", "text", "tokens", "finishReason", "grade"] as const;

function checkSame(run: Run, earlier: Run, name: string): void {
  const other = OUTCOME.find((field) => canonical(run[field]) !== canonical(earlier[field]));
  if (other === undefined) return;
  const { problem, method, repeat } = run;
  throw new Error(
    `Cannot ${VERB} as ${name} has another ${other} of problem '${problem}', method '${method}', ` +
      `repeat ${repeat}: ${shown(run[other])} there, ${shown(earlier[other])} before`,
  );
}

/** Refuses runs of another study than those before them, saying what differs. */
function checkStudy(run: Run, known: Known, name: string): void {
  const refuse = (what: string): never => {
    throw new Error(`Cannot ${VERB} as those of ${name} have another ${what}`);
  };
  const difference = differenceOf(run, known), same = known.problems.get(run.problem);
  if (difference) refuse(`${difference.what}: ${valuesOf(difference, ["there", "before"])}`);
  const field = same && changedField(run, same);
  if (field !== undefined) refuse(`'${field}' of problem '${run.problem}'`);
}

/** The lines of all files, each run once, in the order of the study. */
function joined(sources: readonly Source[]): { lines: readonly Line[]; duplicates: number } {
  const lines = new Map<string, Line>();
  const methods = new Map<string, Scalars>(), problems = new Map<string, PlannedRun>();
  let any: Run | undefined, duplicates = 0;
  for (const { name, lines: own } of sources) {
    for (const { run, place } of own) {
      any ??= run;
      checkStudy(run, { any, methods, problems, isChat: () => true }, name);
      if (!methods.has(run.method)) methods.set(run.method, run.parameters ?? {});
      if (!problems.has(run.problem)) problems.set(run.problem, run);
      const key = keyOf(run), earlier = lines.get(key);
      if (earlier) {
        checkSame(run, earlier.run, name);
        duplicates++;
        continue;
      }
      const { study, model } = any; // of all runs the same, whatever folder the model lay in
      lines.set(key, { run: { ...run, study, model }, place, shard: undefined });
    }
  }
  return { lines: inOrder([...lines.values()]), duplicates };
}

/** The largest record of each shard, by how many shards there are and by its number. */
function recordsOf(sources: readonly Source[]): Map<number, Map<number, ShardRecord>> {
  const records = new Map<number, Map<number, ShardRecord>>();
  for (const shard of sources.flatMap(({ lines }) => lines.flatMap(({ shard }) => shard ?? []))) {
    const own = records.get(shard.count) ?? new Map<number, ShardRecord>();
    records.set(shard.count, own);
    if (shard.runs > (own.get(shard.index)?.runs ?? 0)) own.set(shard.index, shard);
  }
  return records;
}

/** The numbers from 1 to a count that are not among some, in words: "1, 4–7". A file may tell any count. */
function gapsIn(numbers: Iterable<number>, count: number): string {
  const ends = [...numbers].sort((a, b) => a - b).concat(count + 1);
  return ends.flatMap((end, i) => {
    const first = (ends[i - 1] ?? 0) + 1, last = end - 1;
    return first > last ? [] : first === last ? `${first}` : `${first}–${last}`;
  }).join(", ");
}

/** Which shards lack how many of `lacking` runs. */
function shardsWithout(
  records: ReadonlyMap<number, ShardRecord>,
  count: number,
  lines: readonly Line[],
  lacking: number,
): string[] {
  const found = Map.groupBy(lines, ({ run }) => shardOf(run.problem, count));
  const partial = [...records.values()].toSorted((a, b) => a.index - b.index)
    .map(({ index, runs }) => ({ index, runs, there: found.get(index)?.length ?? 0 }))
    .filter(({ runs, there }) => there < runs);
  const known = partial.reduce((sum, { runs, there }) => sum + runs - there, 0);
  const absent = gapsIn(found.keys(), count);
  const some = `${/\D/.test(absent) ? "shards" : "shard"} ${absent}`;
  return [
    ...(lacking > known && absent !== "" ? [`none of ${some} of ${count}`] : []),
    ...partial.map(({ index, runs, there }) => `${there} of ${runs} of shard ${index} of ${count}`),
  ];
}

/** How many runs the study has, and which are missing: by what the lines of shards tell, and by its grid. */
function absence(sources: readonly Source[], lines: readonly Line[]) {
  const records = recordsOf(sources);
  const distinct = (of: (run: Run) => unknown) => new Set(lines.map(({ run }) => of(run))).size;
  const grid = distinct(({ problem }) => problem) * distinct(({ method }) => method) *
    distinct(({ repeat }) => repeat);
  const told = [...records.values()].flatMap((own) => [...own.values()].map(({ of }) => of));
  const planned = told.reduce((most, of) => Math.max(most, of), grid);
  const lacking = planned - lines.length;
  if (lacking === 0) return { planned };
  const which = [...records].flatMap(([count, own]) => shardsWithout(own, count, lines, lacking));
  const words = which.length > 0
    ? which.join("; ")
    : "not every method has every problem and repeat";
  return { planned, missing: `${lines.length} of ${planned} runs: ${words}` };
}

/** What the studies of some files asked; of a problem that several have the first counts. */
async function problemsOf(files: readonly (string | URL)[]): Promise<Map<string, AskedProblem>> {
  const problems = new Map<string, AskedProblem>();
  for (const file of files) {
    for (const [id, asked] of await readProblems(file)) {
      if (!problems.has(id)) problems.set(id, asked);
    }
  }
  return problems;
}

/**
 * Joins files of one study, such as those of its shards, and writes them as one.
 *
 * What is missing is known from the lines of shards, which tell the size of their shard and of the study, and
 * from the grid of the methods, problems and repeats that are there. A torn last line is passed over, as in
 * {@linkcode readRuns}. A file without any run does no harm: a shard can be without problems. What was asked, which
 * stands beside the files, is joined beside `out`.
 *
 * @param files Paths or file URLs; of a run that several have, the first counts.
 * @throws {Error} Where a file holds runs of another study or another result of the same run, saying what
 * differs, where runs are missing and `partial` is not set, or where `out` cannot be written.
 * @throws {SyntaxError} Where a line is no run, naming it.
 *
 * @example Two shards, merged
 * ```ts
 * import { loadModel, mergeRuns, runStudy, standard, votes } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const study = { model, task: votes({ limit: 4 }), methods: { standard: standard() } };
 * const folder = await Deno.makeTempDir();
 * const files = [1, 2].map((index) => `${folder}/${index}.jsonl`);
 * for (const [i, store] of files.entries()) {
 *   await runStudy({ ...study, shard: { index: i + 1, count: 2 } }, { store });
 * }
 * const { runs } = await mergeRuns(files, { out: `${folder}/all.jsonl` });
 * assertEquals(runs.map(({ text }) => text), (await runStudy(study)).map(({ text }) => text));
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function mergeRuns(
  files: readonly (string | URL)[],
  options: MergeOptions = {},
): Promise<Merged> {
  checkOptions(VERB, options, RULES);
  const { out, partial = false } = options;
  if (!Array.isArray(files) || files.length === 0) {
    throw new TypeError(refusal(VERB, "files", "name one file at least", files));
  }
  const sources: Source[] = [];
  for (const file of files) sources.push({ name: `${file}`, lines: await readLines(file) });
  const merge = (own: readonly Line[]) => {
    const all = own.length > 0 ? [...sources, { name: `${out}`, lines: own }] : sources;
    const { lines, duplicates } = joined(all);
    if (lines.length === 0) throw new Error(`Cannot ${VERB} as no file holds one`);
    const found = absence(all, lines);
    if (found.missing === undefined || partial) return { lines, duplicates, ...found };
    throw new Error(
      `Cannot ${VERB} as there are ${found.missing}; finish them, or allow it by 'partial'`,
    );
  };
  let merged: ReturnType<typeof merge> | undefined;
  if (out === undefined) merged = merge([]);
  else {
    const problems = await problemsOf(files);
    await rewrite(out, async (own) => {
      merged = merge(own);
      await keepProblems(out, problems);
      return merged.lines;
    });
  }
  const { lines, ...rest } = merged!;
  return { runs: runsOf(lines), ...rest };
}
