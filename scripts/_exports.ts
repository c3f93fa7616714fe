/** What `deno task report` writes beside the page: tables for pandas, a README, a paper; figures as pictures. */

import { dirname } from "node:path";
import { type Figure, plotGains, plotScores, type Run } from "../mod.ts";
import { toCsv, toLatex, toMarkdown, toSvg } from "../mod.ts";
import { DEFAULT_SIZE, heightOf } from "../lib/plot/_plotly.ts";
import { paintSvg } from "../lib/plot/png.ts";
import { judgedOf } from "../lib/plot/report.ts";
import { type Arguments, print } from "./_cli.ts";

/** Their flags, each of which names a file. */
export const EXPORTS = ["csv", "md", "tex", "svg", "png"] as const;

export const EXPORTS_USAGE = `
  --csv FILE       also writes the rows of all studies, a line a method, for pandas or R
  --md FILE        … their tables as Markdown
  --tex FILE       … their tables as LaTeX, with booktabs
  --svg FILE       … their gains as one SVG
  --png FILE       … their gains as one PNG, of two pixels a point`;

/** A study with what is compared in it. */
export interface Compared {
  /** What it is called: "votes-tiny on votes". */
  readonly name: string;
  /** Its runs, of the problems that all methods finished. */
  readonly runs: readonly Run[];
}

/** What is written of each study. */
function contentOf({ name, runs }: Compared, baseline: string) {
  const { rows, scores, digits, tables } = judgedOf(runs, baseline), { model, task } = runs[0]!;
  return {
    rows: (rows ?? scores)!.map((row) => ({ model, task, ...row })),
    tables: tables.flatMap((own) => own.tables)
      .map((table, i) => i === 0 ? { ...table, title: name } : table),
    figure: rows
      ? plotGains(rows, { baseline, title: `Gain over ${baseline}: ${name}` })
      : plotScores(scores!, { ...digits, subtitle: name }),
  };
}

/** Figures below one another, as SVG. */
async function stacked(figures: readonly Figure[]): Promise<string> {
  const { width } = DEFAULT_SIZE;
  let all = 0;
  const placed = await Array.fromAsync(figures, async (figure) => {
    const height = heightOf(figure), y = all;
    all += height;
    const svg = await toSvg(figure, { width, height });
    return svg.replace("<svg", `<svg y="${y}"`);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${all}" ` +
    `viewBox="0 0 ${width} ${all}">${placed.join("\n")}</svg>\n`;
}

/** Writes the files that are asked for, in folders that need not be there, and says where they are. */
export async function writeExports(
  args: Arguments,
  studies: readonly Compared[],
  baseline: string,
): Promise<void> {
  if (EXPORTS.every((name) => args.value(name) === undefined)) return;
  const contents = studies.map((study) => contentOf(study, baseline));
  const tables = contents.flatMap((content) => content.tables);
  const picture = () => stacked(contents.map(({ figure }) => figure));
  const written: Readonly<Record<typeof EXPORTS[number], () => Written | Promise<Written>>> = {
    csv: () => toCsv(contents.flatMap(({ rows }) => rows)),
    md: () => `${toMarkdown(tables)}\n`,
    tex: () => `${toLatex(tables)}\n`,
    svg: picture,
    png: async () => await paintSvg(await picture(), 2),
  };
  for (const name of EXPORTS) {
    const path = args.value(name);
    if (path === undefined) continue;
    const content = await written[name]();
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeFile(path, typeof content === "string" ? encoder.encode(content) : content);
    print(`${name}: ${path}\n`);
  }
}

type Written = string | Uint8Array;

const encoder = new TextEncoder();
