/** A transform of one's own: no token twice in a row, before the temperature and the nucleus. */

import { gains, gainsTable, loadModel, plotGains, runStudy, standard, votes } from "@moi/moi";
import { temperature, topP, type Transform } from "@moi/moi";

const noEcho: Transform = {
  name: "noEcho",
  map: (logits, { generated }) => logits.map((l, id) => id === generated.at(-1) ? -Infinity : l),
};

await using model = await loadModel("votes-tiny");
const study = { model, task: votes({ limit: 30 }), methods: { standard: standard() } };
const plain = await runStudy({ ...study, sampler: [temperature(0.8), topP(0.95)] });
const changed = await runStudy({ ...study, sampler: [noEcho, temperature(0.8), topP(0.95)] });

const by = ({ sampler }: typeof plain[number]) => sampler.transforms![0]!.name;
export const rows = gains([...plain, ...changed], { by, baseline: "temperature" });
export const table = gainsTable(rows);
export const figure = plotGains(rows, { title: "A transform of one's own, beside none" });
