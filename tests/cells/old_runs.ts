/** Old runs plotted: a file that a study kept, read again. */

import { completePairs, gains, gainsTable, plotGains, plotMixing, readRuns } from "@moi/moi";

const file = Deno.env.get("RUNS") ?? "runs/votes-tiny-votes.jsonl"; // edit me
const runs = completePairs(await readRuns(file));

export const rows = gains(runs);
export const table = gainsTable(rows);
export const figure = plotGains(rows, {
  title: `${runs.length} runs of ${file.split("/").at(-1)}`,
});
export const mixing = plotMixing(runs);
