/**
 * Loads a model, uses it once and tells how far the process's peak memory rose: a process of its own,
 * since a peak never falls.
 */

import { type Dtype, forward, loadModel } from "@moi/moi/model";

const peak = () =>
  1024 * Number(/VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status"))![1]);

const [folder, dtype, cacheDir] = Deno.args as [string, Dtype, string];
await using _warm = await loadModel("votes-tiny");
const before = peak();
await using model = await loadModel(folder, { dtype, cacheDir, maxLength: 64 });
await forward(model, [1, 2, 3]);
const { weightsBytes } = model.memory;
Deno.stdout.writeSync(
  new TextEncoder().encode(JSON.stringify({ rise: peak() - before, weightsBytes })),
);
