/** Two models compared in pairs: the same problems, the same random numbers, one method. */

import { countdown, gains, gainsTable, loadModel, plotGains, runStudy, standard } from "@moi/moi";

const methods = { standard: standard() }, task = countdown({ limit: 30 }), runs = [];
for (const id of ["countdown-tiny-baseline", "countdown-tiny"]) {
  await using model = await loadModel(id);
  runs.push(...await runStudy({ model, task, methods }));
}

export const rows = gains(runs, { by: "model", baseline: runs[0]!.model });
export const table = gainsTable(rows);
export const figure = plotGains(rows, { title: "Two models" });
