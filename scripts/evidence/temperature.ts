/** Study C: do mixtures do anything that another temperature does not? */

import {
  gains,
  gainsTable,
  holm,
  joinStudies,
  type Model,
  type Run,
  tableOf,
  tuneThenTest,
} from "../../mod.ts";
import { bare, estimate } from "../../lib/plot/_format.ts";
import { print } from "../_cli.ts";
import { textOf } from "../_table.ts";
import type { Plan } from "./_plan.ts";
import { runsOf, type SumStudySettings } from "./sums.ts";

/** Settings of the plan. */
interface TemperatureSettings extends Omit<SumStudySettings, "temperature"> {
  readonly temperatures: readonly number[];
  readonly splitSeed: number;
}

/** Runs whose methods are named with their temperature; what the study of sums declared is not declared here. */
const cellsOf = (runs: readonly Run[], temperature: number): Run[] =>
  runs.map(({ primary: _, ...run }) => ({ ...run, method: `${run.method} T ${temperature}` }));

/** Each method against standard decoding at its own temperature; Holm over all of these. */
function withinTable(cells: readonly (readonly Run[])[]) {
  const rows = cells.flatMap((runs) => {
    const [{ method: baseline } = { method: "" }] = runs;
    return gains(runs, { baseline }).filter(({ isBaseline }) => !isBaseline);
  });
  const adjusted = holm(rows.map(({ p }) => p));
  const lines = rows.map((row, i) => ({
    ...{ method: row.method, against: row.baseline, p: row.p.toPrecision(2) },
    gain: estimate(bare)(row.gain, row.low, row.high),
    ...{ holm: adjusted[i]!.toPrecision(2), pairs: `${row.won}/${row.lost}` },
    ...{ cut: bare(row.cut / row.n), entropy: row.mixing.meanEntropy.toFixed(3) },
    mass: row.mixing.meanOffSampleMass.toFixed(3),
  }));
  return tableOf(lines, [
    { heading: "method", of: "method" },
    { heading: "against", of: "against" },
    { heading: "gain [95 %]", of: "gain" },
    { heading: "p", of: "p" },
    { heading: "Holm", of: "holm" },
    { heading: "won/lost", of: "pairs" },
    { heading: "cut %", of: "cut" },
    { heading: "H", of: "entropy" },
    { heading: "mass", of: "mass" },
  ]);
}

/** Runs the study; its runs are kept in `runs/evidence`, beside those of the study of sums. */
export async function temperature(
  model: Model,
  { settings }: Plan<TemperatureSettings>,
): Promise<void> {
  const { temperatures, splitSeed } = settings, keys = Object.keys(settings.methods);
  const cells: Run[][] = [];
  for (const temperature of temperatures) {
    cells.push(cellsOf(await runsOf(model, { ...settings, temperature }), temperature));
  }
  print(`\n## Within each temperature\n\n${textOf(withinTable(cells))}\n`);
  const joined = joinStudies(cells);
  const rows = gains(joined, { baseline: `standard T ${temperatures[0]}` });
  const columns = temperatures.map((temperature) => ({
    heading: `T ${temperature}`,
    of: `${temperature}`,
    as: (cell: string) => cell,
  }));
  const cellOf = (key: string, temperature: number) => {
    const row = rows.find(({ method }) => method === `${key} T ${temperature}`)!;
    const { accuracy, accuracyLow, accuracyHigh } = row;
    return estimate(bare)(accuracy, accuracyLow, accuracyHigh);
  };
  const table = keys.map((method) => ({
    method,
    ...Object.fromEntries(temperatures.map((one) => [one, cellOf(method, one)])),
  } as Record<string, string>));
  print(
    `\n## Accuracy, %\n\n${textOf(tableOf(table, [{ heading: "", of: "method" }, ...columns]))}\n`,
  );
  const at = (key: string) => temperatures.map((one) => `${key} T ${one}`);
  const [standard, ...others] = keys;
  const tuned = tuneThenTest(joined, {
    families: { standard: at(standard!), moi: others.flatMap(at) },
    seed: splitSeed,
  });
  const chosen = tuned.choices.map(({ chosen }) => JSON.stringify(chosen)).join(", ");
  print(`\n## Chosen on one half, judged on the other\n\n${chosen}\n\n`);
  print(`${textOf(gainsTable(tuned.rows))}\n${tuned.warnings.join("\n")}\n`);
  print(`naive: ${JSON.stringify(tuned.naive)}\n`);
}
