/**
 * The README's tables that are made from the code: what runs and what is tested (architectures from
 * the graphs, formats and devices from the loader, "tested" from the checkpoints that the tests run),
 * and the methods.
 *
 * usage: deno run --allow-read --allow-write scripts/features.ts (rewrites the tables in README.md)
 *
 * @module
 */

import { type AboutMethod, METHODS } from "../lib/decode/mod.ts";
import { ARCHITECTURES } from "../lib/graph/mod.ts";
import { DTYPES } from "../lib/model/mod.ts";
import { tableMarkdown, tableOf } from "../lib/plot/table.ts";

const README = new URL("../README.md", import.meta.url);
const CASES = new URL("../tests/golden/architectures.json", import.meta.url);

/** Architectures that tests/model/device_test.ts runs on WebGPU. */
const ON_WEBGPU = ["qwen3"];

/** A table as Markdown, of rows whose fields are the headings. */
function table(rows: readonly Readonly<Record<string, string>>[]): string {
  const headings = Object.keys(rows[0]!);
  const columns = headings.map((heading) => ({ heading, of: heading, align: "left" as const }));
  return `${tableMarkdown(tableOf(rows, columns))}\n`;
}

/** The table of what runs. */
export function featureTable(): string {
  const { cases } = JSON.parse(Deno.readTextFileSync(CASES)) as {
    cases: { config: { model_type: string } }[];
  };
  const tested = new Set(cases.map(({ config }) => config.model_type));
  return table(
    Object.keys(ARCHITECTURES).map((name) => {
      const cpu = tested.has(name) ? "tested" : "untested";
      return {
        "`model_type`": `\`${name}\``,
        ...Object.fromEntries(DTYPES.map((dtype) => [`cpu ${dtype}`, cpu])),
        "webgpu fp32": ON_WEBGPU.includes(name) ? "tested" : "untested",
      };
    }),
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

/** The tables by the marks that they stand between. */
const TABLES = { features: featureTable, methods: methodTable } as const;

/** README.md with the tables in their places. */
export function withFeatures(readme: string): string {
  return Object.entries(TABLES).reduce((text, [name, made]) => {
    const before = `<!-- ${name} -->\n\n`, after = `\n<!-- /${name} -->`;
    const start = text.indexOf(before), end = text.indexOf(after);
    if (start < 0 || end < start) {
      throw new Error(`Cannot place the table as README.md has no marks for ${name}`);
    }
    return text.slice(0, start + before.length) + made() + text.slice(end);
  }, readme);
}

if (import.meta.main) {
  await Deno.writeTextFile(README, withFeatures(await Deno.readTextFile(README)));
}
