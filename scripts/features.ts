/**
 * The tables in the documentation that are made from the code: what runs and what is tested
 * (architectures from the graphs, formats from the loader, "tested" and "emulated" from the lists by which
 * the tests run) in `lib/model/mod.ts`, and the methods in `lib/decode/mod.ts`.
 *
 * usage: deno run --allow-read --allow-write scripts/features.ts (rewrites the tables in their files)
 */

import { type AboutMethod, METHODS } from "../lib/decode/mod.ts";
import { ARCHITECTURES } from "../lib/graph/mod.ts";
import { DTYPES } from "../lib/model/mod.ts";
import { caseOf, CASES } from "../tests/golden/architectures.ts";
import { RUNS } from "../tests/model/_device_matrix.ts";

/** A table of rows whose fields are the headings. What stands in them is Markdown already. */
function table(rows: readonly Readonly<Record<string, string>>[]): string {
  const headings = Object.keys(rows[0]!), rule = headings.map(() => "---");
  return [headings, rule, ...rows.map((row) => Object.values(row))]
    .map((line) => `| ${line.join(" | ")} |\n`).join("");
}

/** The architectures of golden cases. */
const architecturesOf = (names: readonly string[]): ReadonlySet<unknown> =>
  new Set(names.map((name) => caseOf(name).config.model_type));

/** The table of what runs: a GPU is emulated in `tests/model/device_test.ts`, and no test has one for CUDA. */
export function featureTable(): string {
  const tested = architecturesOf(CASES.map(({ name }) => name)), runs = Object.values(RUNS).flat();
  const emulated = DTYPES.map((dtype) => {
    const names = runs.filter((run) => run.dtype === dtype).map(({ name }) => name);
    return [`webgpu ${dtype}`, architecturesOf(names)] as const;
  });
  return table(
    Object.keys(ARCHITECTURES).map((name) => ({
      "`model_type`": `\`${name}\``,
      [`cpu ${DTYPES.join(", ")}`]: tested.has(name) ? "tested" : "untested",
      ...Object.fromEntries(
        emulated.map(([column, names]) => [column, names.has(name) ? "emulated" : "not run"]),
      ),
      "cuda": "not run",
    })),
  );
}

/** A method's knobs as it has them when nothing is said. */
function defaultsOf({ make }: AboutMethod): string {
  const knobs = Object.entries(make().parameters ?? {})
    .map(([name, value]) => `\`${name}\` ${value ?? "none"}`);
  return knobs.length === 0 ? "–" : knobs.join(", ");
}

/** The table of methods. */
export function methodTable(): string {
  return table(
    Object.entries(METHODS).map(([name, about]) => ({
      "method": `\`${name}\``,
      "next input": about.input,
      "random": about.randomness,
      "acts": about.gate,
      "defaults": defaultsOf(about),
      "source": about.source,
      "reference code": about.licence,
    })),
  );
}

/** The tables and the files in which each stands, in the comment at the top, between two marks that are shown nowhere. */
export const TABLES = [
  { name: "features", make: featureTable, file: new URL("../lib/model/mod.ts", import.meta.url) },
  { name: "methods", make: methodTable, file: new URL("../lib/decode/mod.ts", import.meta.url) },
] as const;

/** A file's text with a table in its place. */
export function withTable(text: string, name: string, table: string): string {
  const before = ` * [//]: # (${name})\n *\n`, after = ` *\n * [//]: # (/${name})`;
  const start = text.indexOf(before), end = text.indexOf(after);
  if (start < 0 || end < start) {
    throw new Error(`Cannot place the table as the file has no marks for ${name}`);
  }
  const lines = table.trimEnd().split("\n").map((line) => ` * ${line}\n`);
  return text.slice(0, start + before.length) + lines.join("") + text.slice(end);
}

if (import.meta.main) {
  for (const { name, make, file } of TABLES) {
    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, withTable(text, name, make()));
  }
}
