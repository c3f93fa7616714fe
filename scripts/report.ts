/** `deno task report`: tables and a page from stored runs. */

import {
  completePairs,
  type Figure,
  type GainRow,
  gains,
  gainsTable,
  type Html,
  joinStudies,
  plotGains,
  readRuns,
  type Run,
  studyReport,
  toSvg,
} from "../mod.ts";
import { command, print, say } from "./_cli.ts";
import { commandsOf, commandsPart, writePage } from "./_made_by.ts";

const USAGE = `
Prints the table of stored runs and writes a self-contained page.

usage: deno task report FILE.jsonl… [options]

Files of one model and task whose methods have other keys, such as standard decoding at lower
temperatures, are joined in one table. Of the others, those at temperature 0 become the greedy
line of a table.

  --baseline KEY   method that the others are measured against (default: standard)
  --out FILE       page to write (default: report.html)
  --svg FILE       also writes the gains of all studies as one SVG
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

const WIDTH = 900, HEIGHT = 420;

/** Pictures below one another. */
function stacked(pictures: readonly { readonly svg: string; readonly height: number }[]): string {
  let all = 0;
  const placed = pictures.map(({ svg, height }) => {
    all += height;
    return svg.replace("<svg", `<svg y="${all - height}"`);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${all}" ` +
    `viewBox="0 0 ${WIDTH} ${all}">${placed.join("\n")}</svg>\n`;
}

const isGreedy = (runs: readonly Run[]) => runs[0]!.sampler.temperature === 0;

/** Files of this release tell the order of their study. */
const inOrder = (runs: Run[]) =>
  runs.every((run) => run.problemFields) ? runs : runs.sort(byMethod);

/** A file's runs. */
type Stored = { readonly path: string; readonly runs: Run[] };

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
      const { path, runs } = studies[at]!;
      studies[at] = { path, runs: joinStudies([runs, one.runs]) };
    }
  }
  return studies;
}

await command(USAGE, { values: ["baseline", "out", "svg"], words: true }, async (args) => {
  if (args.rest.length === 0) throw new TypeError("Cannot report as no file is named; see --help");
  const baseline = args.value("baseline") ?? "standard";
  const stored = await Promise.all(args.rest.map(async (path) => ({
    path,
    runs: inOrder(await readRuns(path)),
  })));
  for (const { path, runs } of stored) {
    if (runs.length === 0) throw new RangeError(`Cannot report as ${path} holds no runs`);
  }
  const all = joined(stored, baseline), mixed = all.filter(({ runs }) => !isGreedy(runs));
  const studies = mixed.length > 0 ? mixed : all;
  const reports: { name: string; rows: GainRow[]; parts: (Figure | Html)[] }[] = [];
  for (const { path, runs } of studies) {
    const judged = completePairs(runs);
    const left = new Set(runs.map((run) => run.problem)).size -
      new Set(judged.map((run) => run.problem)).size;
    if (left > 0) say(`${path}: ${left} problems are left out, some of their runs are missing`);
    const { model, task } = runs[0]!;
    const isOfIt = ([run]: readonly Run[]) => run!.model === model && run!.task === task;
    const greedy = mixed.length === 0
      ? undefined
      : all.find((other) => isGreedy(other.runs) && isOfIt(other.runs));
    const name = `${model.split("@")[0]} on ${task}`;
    const rows = gains(judged, { baseline });
    print(`\n${name}\n${gainsTable(rows).text}\n`);
    const commands = await commandsOf(path);
    const parts = [
      ...studyReport(judged, { baseline, ...(greedy ? { greedy: greedy.runs } : {}) }),
      ...(commands.length > 0 ? [commandsPart(commands)] : []),
    ];
    reports.push({ name, rows, parts });
  }
  const out = args.value("out") ?? "report.html";
  await writePage(out, "report", reports.flatMap(({ parts }) => parts), "Mixture of Inputs");
  const svg = args.value("svg");
  if (svg !== undefined) {
    const pictures = await Array.fromAsync(reports, async ({ name, rows }) => {
      const figure = plotGains(rows, { baseline, title: `Gain over ${baseline}: ${name}` });
      const height = Number(figure.layout?.height ?? HEIGHT);
      return { svg: await toSvg(figure, { width: WIDTH, height }), height };
    });
    await Deno.writeTextFile(svg, stacked(pictures));
    print(`picture: ${svg}\n`);
  }
});
