/** `deno task report`: tables and a page from stored runs. */

import {
  completePairs,
  joinStudies,
  readProblems,
  readRuns,
  type ReportedStudy,
  type Run,
} from "../mod.ts";
import type { AskedProblem } from "../lib/study/mod.ts";
import { studyTables } from "../lib/plot/mod.ts";
import { studyName } from "../lib/plot/report.ts";
import { command, print, say } from "./_cli.ts";
import { type Compared, EXPORTS, EXPORTS_USAGE, writeExports } from "./_exports.ts";
import { commandsOf, writePage } from "./_made_by.ts";
import { textOf } from "./_table.ts";

const USAGE = `
Prints the table of stored runs and writes a self-contained page.

usage: deno task report FILE.jsonl… [options]

Files of one model and task whose methods have other keys, such as standard decoding at lower
temperatures, are joined in one table. Of the others, those at temperature 0 become the greedy
line of a table.

  --baseline KEY   method that the others are measured against (default: standard)
  --out FILE       page to write (default: report.html)${EXPORTS_USAGE}
  -h, --help       this text

example, after deno task sweep: deno task report runs/votes-tiny-votes*.jsonl --out votes.html
`;

const FAMILIES = ["standard", "moi", "directMixture", "linearMixture", "randomMixture"];

/**
 * Families in their order and knobs rising, as a table wants them; else the order of the study, by name
 * where a file of an earlier release does not tell it.
 */
function byMethod(a: Run, b: Run): number {
  const family = ({ parameters }: Run) => {
    const at = FAMILIES.indexOf(String(parameters.name));
    return at < 0 ? FAMILIES.length : at;
  };
  const knob = ({ parameters, sampler }: Run) =>
    Number(parameters.beta ?? parameters.weight ?? parameters.matchBeta ?? 0) ||
    -(sampler?.temperature ?? 0);
  const first = family(a), isKnown = first < FAMILIES.length;
  const byName = a.problemFields ? 0 : a.method < b.method ? -1 : Number(a.method > b.method);
  return first - family(b) || (isKnown ? knob(a) - knob(b) || 0 : 0) || byName;
}

const isGreedy = (runs: readonly Run[]) => runs[0]!.sampler.temperature === 0;

/** Files of this release tell the order of their study. */
const inOrder = (runs: Run[]) =>
  runs.every((run) => run.problemFields) ? runs : runs.sort(byMethod);

/** A file's runs, and what they answer. */
interface Stored {
  readonly path: string;
  readonly runs: Run[];
  readonly problems: ReadonlyMap<string, AskedProblem>;
}

/** Whether two files can stand in one table: the same model and task, and no method in both. */
function isBeside(a: Stored, b: Stored): boolean {
  const of = ({ runs: [run] }: Stored) => JSON.stringify([run!.model, run!.task, run!.dtype]);
  const keys = new Set(a.runs.map(({ method }) => method));
  return of(a) === of(b) && b.runs.every(({ method }) => !keys.has(method));
}

/** Files that can stand in one table are joined to the first that has the baseline. */
function joined(stored: readonly Stored[], baseline: string): Stored[] {
  const hasBaseline = ({ runs }: Stored) => runs.some(({ method }) => method === baseline);
  const studies: Stored[] = [];
  for (const one of stored.toSorted((a, b) => Number(hasBaseline(b)) - Number(hasBaseline(a)))) {
    const at = studies.findIndex((study) => isBeside(study, one));
    if (at < 0) studies.push(one);
    else {
      const { path, runs, problems } = studies[at]!;
      const asked = new Map([...one.problems, ...problems]);
      studies[at] = { path, runs: joinStudies([runs, one.runs]), problems: asked };
    }
  }
  return studies;
}

await command(USAGE, { values: ["baseline", "out", ...EXPORTS], words: true }, async (args) => {
  if (args.rest.length === 0) throw new TypeError("Cannot report as no file is named; see --help");
  const baseline = args.value("baseline") ?? "standard";
  const stored = await Promise.all(args.rest.map(async (path) => ({
    path,
    runs: inOrder(await readRuns(path)),
    problems: await readProblems(path),
  })));
  for (const { path, runs } of stored) {
    if (runs.length === 0) throw new RangeError(`Cannot report as ${path} holds no runs`);
  }
  const all = joined(stored, baseline), mixed = all.filter(({ runs }) => !isGreedy(runs));
  const studies = mixed.length > 0 ? mixed : all;
  const reports: (Compared & { page: ReportedStudy })[] = [];
  for (const { path, runs, problems } of studies) {
    const judged = completePairs(runs);
    const left = new Set(runs.map((run) => run.problem)).size -
      new Set(judged.map((run) => run.problem)).size;
    if (left > 0) {
      const what = left === 1 ? "1 problem is" : `${left} problems are`;
      say(`${path}: ${what} left out, as some runs are missing`);
    }
    const { model, task } = runs[0]!;
    const isOfIt = ([run]: readonly Run[]) => run!.model === model && run!.task === task;
    const greedy = mixed.length === 0
      ? undefined
      : all.find((other) => isGreedy(other.runs) && isOfIt(other.runs));
    const name = studyName(runs);
    print(`\n${name}\n${textOf(studyTables(judged, { baseline }))}\n`);
    const commands = await commandsOf(path);
    const page = { runs, problems, baseline, commands, ...(greedy ? { greedy: greedy.runs } : {}) };
    reports.push({ name, runs: judged, page });
  }
  const out = args.value("out") ?? "report.html";
  await writePage(out, "report", reports.map(({ page }) => page), "Mixture of Inputs");
  await writeExports(args, reports, baseline);
});
