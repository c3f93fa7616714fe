/** Studies on vLLM with the plugin, against those of this process. */

import { assert, assertEquals } from "@std/assert";
import {
  directMixture,
  generateBatch,
  linearMixture,
  type Method,
  moi,
  type Request,
  standard,
} from "@moi/moi/decode";
import { loadModel } from "@moi/moi/model";
import { serverModel } from "@moi/moi/serve";
import { gains } from "@moi/moi/stats";
import { readRuns, runStudy } from "@moi/moi/study";
import { votes } from "@moi/moi/tasks";
import { startServer } from "../scripts/vllm/_vllm.ts";
import { withStore } from "../study/_letters.ts";
import { needing, VLLM } from "../_needing.ts";

const test = needing(VLLM);

/** Methods that mix also where the most probable token is taken, and two that do not. */
const METHODS: readonly Method[] = [
  standard(),
  moi({ beta: Infinity }),
  moi({ beta: 0.25, preset: "mixinputs-0.1.1" }),
  moi({ beta: 0.5, prior: "model" }),
  directMixture({ prior: "model", topK: 4 }),
  linearMixture({ weight: 0.7, prior: "model" }),
];

/** Problems of the sweep. */
const PROBLEMS = 500;

test("vLLM with the plugin is a model of a study, and finds the gains of this process", async (t) => {
  await using here = await loadModel("votes-tiny");
  await using server = await startServer("votes-tiny", ["--max-model-len", "256"]);
  const { url } = server;
  await using model = await serverModel({ url });
  assertEquals([model.device, model.fingerprint], ["vllm 0.32.0", here.fingerprint]);
  assertEquals(model.versions, { server: "vllm 0.32.0", plugin: "moi-vllm 0.1.0" });

  await t.step("greedy texts are token-equal", async () => {
    const task = votes({ limit: 12 }), problems = await task.problems();
    const requests: Request[] = METHODS.flatMap((method) =>
      problems.map((problem) => ({
        ...{ prompt: task.prompt(problem), method, temperature: 0, stop: [" b b"] },
      }))
    );
    const all = async (of: typeof here) =>
      (await Array.fromAsync(generateBatch(of, requests)))
        .toSorted((a, b) => a.index - b.index)
        .map(({ generation: { text, tokens, finishReason } }) => ({ text, tokens, finishReason }));
    assertEquals(await all(model), await all(here));
  });

  await t.step(
    `gains of ${PROBLEMS} problems lie within the intervals of this process`,
    async () => {
      const methods = {
        ...{ "standard": standard(), "moi-0.25": moi({ beta: 0.25 }) },
        ...{ "moi-1": moi({ beta: 1 }), "moi-8": moi({ beta: 8 }) },
      };
      const study = { task: votes({ limit: PROBLEMS }), methods };
      const near = gains(await runStudy({ model: here, ...study }), { baseline: "standard" });
      await withStore(async (store) => {
        const runs = await runStudy({ model, ...study }, { store });
        assertEquals(runs.length, 4 * PROBLEMS);
        assert(runs.every(({ versions }) => versions.plugin === "moi-vllm 0.1.0"));
        const far = gains(runs, { baseline: "standard" });
        for (const [i, row] of far.entries()) {
          const { method, gain, mixing } = row, { low, high } = near[i]!;
          assert(gain >= low && gain <= high, `${method}: ${gain} outside of [${low}, ${high}]`);
          const off = Math.abs(mixing.meanOffSampleMass - near[i]!.mixing.meanOffSampleMass);
          assert(off < 0.01, `${method}: ${off}`);
        }
        // the stored study goes on where it was, and asks for nothing
        assertEquals((await runStudy({ model, ...study }, { store })).length, runs.length);
        assertEquals((await readRuns(store)).length, runs.length);
      });
    },
  );
});
