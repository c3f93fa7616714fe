/** Runs the same prompt, mixtures and slots on a device and on the CPU; prints the differences. */

import { loadModel } from "@moi/moi/model";

const [id, device] = Deno.args as [string, "webgpu"];

async function run(device: "cpu" | "webgpu") {
  await using model = await loadModel(id!, { device });
  const { vocabularySize } = model.config;
  using cache = model.openCache({ slots: 3, length: 64 });
  const logits: number[][] = [];
  const prompt = [1, 26, 23, 8, 25, 17, 18, 22, 20];
  logits.push([...await cache.prefill(0, 0, prompt, "last")]);
  await cache.copy(0, 1, prompt.length); // a copied slot goes on as the original
  await cache.copy(0, 2, prompt.length);
  const mixture = { ids: [5, 9, 12], weights: [0.3, 0.5, 0.2] };
  for (let t = 0; t < 3; t++) {
    const at = prompt.length + t; // ragged: the third row is stepped once only
    const inputs = t === 0 ? [mixture, 12, 12] : [mixture, 11 + t];
    const step = await cache.step(inputs, inputs.map(() => at));
    logits.push([...step.subarray(0, inputs.length * vocabularySize)]);
  }
  logits.push([...await cache.prefill(2, 0, prompt.slice(3), "all")]); // a refilled slot
  return { device: model.device, logits };
}

const host = await run("cpu"), there = await run(device!);
const worst = host.logits.map((row, i) =>
  row.reduce((most, value, j) => Math.max(most, Math.abs(value - there.logits[i]![j]!)), 0)
);
Deno.stdout.writeSync(
  new TextEncoder().encode(JSON.stringify({ device: there.device, worst }) + "\n"),
);
