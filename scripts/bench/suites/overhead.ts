/**
 * What JavaScript and the foreign calls add to a step beyond the runtime's own work.
 *
 * The two functions that run a graph are replaced by ones that also look at the clock. A step's time
 * less the time inside them is what JavaScript takes; both are of the same step, so that the noise of
 * the graph's own time drops out. To that comes, for each call, what a call costs: the whole time of
 * an empty graph by the same path, which is more than the call itself.
 */

import { moi, standard } from "../../../lib/decode/mod.ts";
import { encodeGraph } from "../../../lib/graph/mod.ts";
import { loadModel, type Model } from "../../../lib/model/mod.ts";
import { ort } from "../../../lib/runtime/api.ts";
import { createSession, tensor } from "../../../lib/runtime/mod.ts";
import type { Bench } from "../bench.ts";
import { digits, medianTime, type Place, quantile, summary } from "../rows.ts";
import { decodeWatched } from "../steps.ts";

/** Milliseconds inside runs, and how many there were, since the start. */
interface Counts {
  ms: number;
  blocking: number;
  background: number;
}

/** Counts runs until it is disposed. */
function countRuns(): Counts & Disposable {
  const { call, callAsync } = ort();
  const { RunWithBinding: blocking } = call, { RunWithBinding: background } = callAsync;
  const counts = {
    ms: 0,
    blocking: 0,
    background: 0,
    [Symbol.dispose]() {
      Object.assign(call, { RunWithBinding: blocking });
      Object.assign(callAsync, { RunWithBinding: background });
    },
  };
  Object.assign(call, {
    RunWithBinding(...args: Parameters<typeof blocking>) {
      const begin = performance.now();
      blocking(...args);
      counts.ms += performance.now() - begin;
      counts.blocking++;
    },
  });
  Object.assign(callAsync, {
    async RunWithBinding(...args: Parameters<typeof background>) {
      const begin = performance.now();
      await background(...args);
      counts.ms += performance.now() - begin;
      counts.background++;
    },
  });
  return counts;
}

/** Milliseconds that a run of an empty graph takes, by both paths. */
async function callCosts(): Promise<{ blocking: number; background: number }> {
  const vector = { type: "float32", dims: [1] } as const;
  using session = await createSession(
    encodeGraph({
      nodes: [{ op: "Identity", domain: "", inputs: ["x"], outputs: ["y"], attributes: {} }],
      initializers: [],
      inputs: [{ name: "x", ...vector }],
      outputs: [{ name: "y", ...vector }],
    }),
    { threads: 1 },
  );
  using x = tensor(new Float32Array(1), [1]);
  using y = tensor(new Float32Array(1), [1]);
  using binding = session.bind({ x }, { y });
  const blocking = await medianTime(500, binding.run);
  return { blocking, background: await medianTime(500, binding.runAsync) };
}

/** Times of a step, ms. */
interface StepTimes {
  readonly whole: number;
  /** Outside of runs. */
  readonly js: number;
  /** What calling the runs costs. */
  readonly calls: number;
}

/** Medians of rounds: microseconds per step, or per row of several. */
async function measure(bench: Bench, model: Model, place: Place, topK: number): Promise<void> {
  const costs = await callCosts();
  for (const [name, method] of [["standard", standard()], ["MoI", moi({ beta: 1 })]] as const) {
    for (const batch of [1, 32]) {
      const steps = place.dtype === "fp32" ? 96 : batch === 1 ? 24 : 8;
      const rounds: StepTimes[] = [];
      for (let round = -1; round < bench.rounds; round++) {
        using counts = countRuns();
        const timed: StepTimes[] = [];
        let before = { ...counts, at: performance.now() };
        await decodeWatched(model, { batch, context: 64, steps, method, topK }, () => {
          const now = { ...counts, at: performance.now() }, whole = now.at - before.at;
          const calls = (now.blocking - before.blocking) * costs.blocking +
            (now.background - before.background) * costs.background;
          timed.push({ whole, js: whole - (now.ms - before.ms), calls });
          before = now;
        });
        const own = timed.slice(-steps); // the steps before admit rows
        const median = (of: keyof StepTimes) => quantile(own.map((step) => step[of]), 0.5);
        if (round < 0) continue;
        rounds.push({ whole: median("whole"), js: median("js"), calls: median("calls") });
      }
      const micros = (of: (step: StepTimes) => number) =>
        summary(rounds.map((step) => 1e3 * of(step) / batch));
      const js = micros(({ js }) => js), calls = micros(({ calls }) => calls);
      const whole = quantile(rounds.map(({ whole }) => whole), 0.5);
      const what = `JS and FFI of a ${batch > 1 ? "row" : "step"}, ${name}`;
      bench.row({
        ...{ suite: "overhead", what: topK > 0 ? `${what}, top ${topK}` : what },
        ...{ ...place, batch, context: 64, unit: "µs", ...micros(({ js, calls }) => js + calls) },
        target: { atMost: batch > 1 ? 10 : 150 },
        detail: `JS ${digits(js.median)}, calls ${digits(calls.median)}; step ${digits(whole)} ms`,
      });
    }
  }
}

export async function overhead(bench: Bench): Promise<void> {
  {
    await using model = await loadModel("countdown-tiny");
    await measure(bench, model, { model: "countdown-tiny", dtype: "fp32" }, 0);
  }
  const { name } = await bench.checkpoint("qwen3-0.6b");
  await using model = await bench.load("qwen3-0.6b", "int4", { maxLength: 1024 });
  await measure(bench, model, { model: name, dtype: "int4" }, 50);
}
