/**
 * The README's table of what runs and what is tested, made from the code: architectures from the
 * graphs, formats and devices from the loader, "tested" from the checkpoints that the tests run.
 *
 * usage: deno run --allow-read --allow-write scripts/features.ts (rewrites the table in README.md)
 *
 * @module
 */

import { ARCHITECTURES } from "../lib/graph/mod.ts";
import { DTYPES } from "../lib/model/mod.ts";

const README = new URL("../README.md", import.meta.url);
const CASES = new URL("../tests/golden/architectures.json", import.meta.url);
const START = "<!-- features -->\n\n", END = "\n<!-- /features -->";

/** Architectures that tests/model/device_test.ts runs on WebGPU. */
const ON_WEBGPU = ["qwen3"];

/** The table, as Markdown. */
export function featureTable(): string {
  const { cases } = JSON.parse(Deno.readTextFileSync(CASES)) as {
    cases: { config: { model_type: string } }[];
  };
  const tested = new Set(cases.map(({ config }) => config.model_type));
  const rows = Object.keys(ARCHITECTURES).map((name) => {
    const cpu = tested.has(name) ? "tested" : "untested";
    const cells = [...DTYPES.map(() => cpu), ON_WEBGPU.includes(name) ? "tested" : "untested"];
    return `| \`${name}\` | ${cells.join(" | ")} |`;
  });
  const header = ["`model_type`", ...DTYPES.map((dtype) => `cpu ${dtype}`), "webgpu fp32"];
  return [
    `| ${header.join(" | ")} |`,
    `| ${header.map(() => "---").join(" | ")} |`,
    ...rows,
    "",
  ].join("\n");
}

/** README.md with the table in its place. */
export function withFeatures(readme: string): string {
  const start = readme.indexOf(START), end = readme.indexOf(END);
  if (start < 0 || end < start) throw new Error("Cannot place the table as README.md has no marks");
  return readme.slice(0, start + START.length) + featureTable() + readme.slice(end);
}

if (import.meta.main) {
  await Deno.writeTextFile(README, withFeatures(await Deno.readTextFile(README)));
}
