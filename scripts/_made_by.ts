/**
 * Which command made a file of runs: kept beside it, one command a line, and told on every page.
 */

import { basename, dirname, extname, join } from "node:path";
import { type ReportedStudy, reportPage } from "../mod.ts";
import { commandsPart } from "../lib/plot/report_page.ts";
import { commandLine, print, say } from "./_cli.ts";

/** Where the commands of a file are kept: `runs/a.jsonl` has `runs/a.command.txt`. */
function besideOf(file: string): string {
  return join(dirname(file), `${basename(file, extname(file))}.command.txt`);
}

/** The commands that made a file, in their order; none where nobody kept them. */
export async function commandsOf(file: string): Promise<string[]> {
  const text = await Deno.readTextFile(besideOf(file)).catch(() => "");
  return text.split(/\r?\n/).filter((line) => line.trim() !== "");
}

/** Keeps the command that is running, and those that made what it reads, beside the file that it makes, once. */
export async function keepCommand(
  file: string,
  name: string,
  earlier: readonly string[] = [],
): Promise<void> {
  const kept = await commandsOf(file);
  const added = [...new Set([...earlier, commandLine(name)])].filter((one) => !kept.includes(one));
  if (added.length === 0) return;
  await Deno.writeTextFile(besideOf(file), `${added.join("\n")}\n`, { append: true });
}

/** Most pages that are kept beside one another. */
const PAGES = 10_000;

/**
 * Makes room for a page: one that another command made is kept under another name, `report-1.html`, or takes
 * the name of an earlier page of the command that is running. So there is one page of each command.
 */
async function keptAside(page: string, command: string): Promise<string | undefined> {
  const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);
  const made = commandsPart([command]).html;
  const isOwn = async (path: string) => (await Deno.readTextFile(path)).includes(made);
  if (!await isThere(page) || await isOwn(page)) return undefined;
  const ending = extname(page), stem = page.slice(0, page.length - ending.length);
  for (let n = 1; n < PAGES; n++) {
    const other = `${stem}-${n}${ending}`;
    if (await isThere(other) && !await isOwn(other)) continue;
    await Deno.rename(page, other);
    return other;
  }
  throw new Error(`Cannot write ${page} as ${PAGES} pages are kept beside it`);
}

/** Writes the page that a command makes, in a folder that need not be there; an earlier command's page is kept. */
export async function writePage(
  page: string,
  name: string,
  studies: readonly ReportedStudy[],
  title: string,
): Promise<void> {
  const command = commandLine(name);
  const text = await reportPage(studies, { title, command });
  await Deno.mkdir(dirname(page), { recursive: true });
  const earlier = await keptAside(page, command);
  if (earlier !== undefined) say(`the report of an earlier command is now ${earlier}`);
  await Deno.writeTextFile(page, text);
  print(`\nreport: ${page}\n`);
}
