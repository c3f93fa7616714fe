/** `deno task report`: tables and a page from stored runs. @module */

import {
  finishedProblems,
  gains,
  gainsTable,
  plotGains,
  readRuns,
  type Run,
  studyReport,
  toHtml,
  toSvg,
} from "../mod.ts";
import { command, print, say } from "./_cli.ts";

const USAGE = `
Prints the table of stored runs and writes a self-contained page.

usage: deno task report FILE.jsonl… [options]

Files of one model and task at temperature 0 become the greedy line of the others.

  --baseline KEY   method that the others are measured against (default: standard)
  --out FILE       page to write (default: report.html)
  --svg FILE       also writes the gains of the first study as SVG
  -h, --help       this text
`;

const isGreedy = (runs: readonly Run[]) => runs[0]!.sampler.temperature === 0;

await command(USAGE, { values: ["baseline", "out", "svg"] }, async (args) => {
  if (args.rest.length === 0) throw new TypeError("Cannot report as no file is named; see --help");
  const baseline = args.value("baseline") ?? "standard";
  const stored = await Promise.all(args.rest.map(async (path) => ({
    path,
    runs: await readRuns(path),
  })));
  for (const { path, runs } of stored) {
    if (runs.length === 0) throw new RangeError(`Cannot report as ${path} holds no runs`);
  }
  const mixed = stored.filter(({ runs }) => !isGreedy(runs));
  const studies = mixed.length > 0 ? mixed : stored;
  const reports = studies.map(({ path, runs }) => {
    const judged = finishedProblems(runs);
    const left = new Set(runs.map((run) => run.problem)).size -
      new Set(judged.map((run) => run.problem)).size;
    if (left > 0) say(`${path}: ${left} problems are left out, some of their runs are missing`);
    const { model, task } = runs[0]!;
    const greedy = mixed.length === 0
      ? undefined
      : stored.find((other) =>
        isGreedy(other.runs) && other.runs[0]!.model === model && other.runs[0]!.task === task
      );
    const name = `${model.split("@")[0]} on ${task}`;
    const rows = gains(judged, { baseline });
    print(`\n${name}\n${gainsTable(rows).text}\n`);
    const parts = studyReport(judged, { baseline, ...(greedy ? { greedy: greedy.runs } : {}) });
    return { name, rows, parts };
  });
  const out = args.value("out") ?? "report.html";
  const page = await toHtml(reports.flatMap(({ parts }) => parts), { title: "Mixture of Inputs" });
  await Deno.writeTextFile(out, page);
  print(`\nreport: ${out}\n`);
  const svg = args.value("svg");
  if (svg !== undefined) {
    const { name, rows } = reports[0]!;
    const figure = plotGains(rows, { baseline, title: `Gain over ${baseline}: ${name}` });
    await Deno.writeTextFile(svg, await toSvg(figure));
    print(`picture: ${svg}\n`);
  }
});
