/**
 * What a GPU is held to, on the one that this process finds; prints what it found as a line of JSON.
 *
 * usage: _vulkan_process.ts NAME
 */

import {
  fixedMass,
  generate,
  generateBatch,
  type Generation,
  moi,
  standard,
} from "@moi/moi/decode";
import { forward, type Input, loadModel, type Model } from "@moi/moi/model";
import { betaGrid, runStudy } from "@moi/moi/study";
import { spreadTokens } from "../../../lib/model/spread.ts";
import { maxDifference } from "../../golden/golden.ts";
import { caseOf, pathOf } from "../../golden/llama.ts";
import { letters } from "../../study/_letters.ts";
import { mixtureOf } from "../_device_walk.ts";

/** What it found. */
export interface VulkanResult {
  readonly device: string;
  readonly attempts: readonly unknown[];
  readonly isBatchExact: boolean;
  /** Positions whose logits by ids are not those by their rows, to the bit. */
  readonly rowsOff: number;
  /** Largest difference of logits from the CPU. */
  readonly fromCpu: number;
  /** Parts of a walk through slots that differ where it is walked again. */
  readonly walkOff: number;
  /** Copies of a slot that differ from it. */
  readonly copiesOff: number;
  /** Texts that are not those alone, in 8 and in 16 slots; of how many. */
  readonly textsOff: readonly number[];
  readonly texts: number;
  /** Methods of a sweep and its runs, and runs whose text is not that of each alone. */
  readonly sweep: readonly [methods: number, runs: number, off: number];
  readonly seconds: readonly number[];
}

/** Lengths of prompts: those of the check at a load, as others need kernels that take long to compile. */
const LENGTHS = [12, 9, 10] as const;

const told = ({ tokens, mixing }: Generation) => JSON.stringify({ tokens, mixing });

if (import.meta.main) {
  const [name] = Deno.args as [string], { ids } = caseOf(name);
  const options = { engine: "llama.cpp", kv: "fp32", threads: 1 } as const;
  const seconds: number[] = [];
  const lap = () => void seconds.push(Number((performance.now() / 1000).toFixed(1)));
  await using model = await loadModel(pathOf(name), { ...options, device: "vulkan" });
  lap();
  await using host = await loadModel(pathOf(name), { ...options, device: "cpu" });
  const V = model.config.vocabularySize;

  const isSame = (one: Float32Array, other: Float32Array) =>
    one.every((value, i) => Object.is(value, other[i]));
  const some = ids.slice(0, LENGTHS[0]), rows = some.map((id) => ({ ids: [id], weights: [1] }));
  const [plain, same] = [await forward(model, some), await forward(model, rows)];
  const rowsOff = plain.filter((row, i) => !isSame(row, same[i]!)).length;
  const here = await forward(host, some);
  let fromCpu = Math.max(...plain.map((row, i) => maxDifference(row, here[i]!)));
  lap();

  const [mixed, other] = [mixtureOf(3, V), mixtureOf(20, V)];
  /** A slot, what is copied from it, and one that is filled anew, in steps beside one another. */
  const walk = async (of: Model) => {
    using cache = of.openCache({ slots: 10, length: 40 });
    const found: Float32Array[] = [];
    const step = async (inputs: readonly Input[], positions: readonly number[]) => {
      const logits = await cache.step(inputs, positions);
      for (const row of inputs.keys()) found.push(logits.slice(row * V, (row + 1) * V));
    };
    const [a, b, c] = LENGTHS;
    found.push(await cache.prefill(9, 0, ids.slice(0, a), "last"));
    for (const slot of [0, 2, 8]) await cache.copy(9, slot, a); // of the second run, too
    await cache.prefill(1, 0, ids.slice(3, 3 + a), "last");
    found.push(await cache.prefill(1, 0, ids.slice(5, 5 + b), "last")); // shorter than what was there
    for (const slot of [3, 4, 5, 6, 7]) {
      await cache.prefill(slot, 0, ids.slice(slot, slot + c), "last");
    }
    await step([mixed, other, mixed], [a, b, a]);
    await step([ids[3]!, mixed, ids[3]!, other, mixed, mixed, other, mixed, ids[4]!], [
      ...[a + 1, b + 1, a + 1, c, c, c, c, c, a],
    ]);
    await step([mixed], [a + 2]);
    await cache.copy(0, 1, a);
    await step([mixed, mixed], [a, a]);
    return found;
  };
  const [walked, again, due] = [await walk(model), await walk(model), await walk(host)];
  const walkOff = walked.filter((row, i) => !isSame(row, again[i]!)).length;
  // the slot, its copies, and both once more where positions are written over
  const [first, , third] = walked.slice(2), copies = [first!, third!, ...walked.slice(-2)];
  const copiesOff = copies.filter((row) => !isSame(row, first!)).length;
  fromCpu = Math.max(fromCpu, ...walked.map((row, i) => maxDifference(row, due[i]!)));
  lap();

  const methods = [moi({ beta: 0.25 }), standard(), moi({ beta: 1, topK: 3 }), fixedMass()];
  const requests = spreadTokens(9, 20).map((from, seed) => ({
    ...{ prompt: ids.slice(from, from + LENGTHS[seed % 3]!), method: methods[seed % 4]!, seed },
    ...{ maxNewTokens: 2 + seed % 4, temperature: 1, topK: 0, topP: 1, ignoreEos: true },
  }));
  const alone: string[] = [];
  for (const { prompt, ...rest } of requests) alone.push(told(await generate(model, prompt, rest)));
  const textsOff: number[] = [];
  for (const slots of [8, 16]) {
    const found: string[] = [];
    for await (const { index, generation } of generateBatch(model, requests, { slots })) {
      found[index] = told(generation);
    }
    textsOff.push(found.filter((text, i) => text !== alone[i]).length);
  }
  lap();

  const asked = { maxNewTokens: 5, temperature: 1, topK: 0, topP: 1 };
  const sweep = betaGrid({ betas: [0.25, 1, 4], controls: false });
  const task = letters({ prompt: ({ letters }) => `${letters}abcdefghi`.slice(0, LENGTHS[1]) });
  const runs = await runStudy({ model, task, methods: sweep, ...asked });
  const problems = await task.problems();
  let sweepOff = 0;
  for (const { problem, method, seed, text } of runs.slice(0, 5)) {
    const own = task.prompt(problems.find(({ id }) => id === problem)!) as string;
    const same = await generate(model, own, { ...asked, method: sweep[method]!, seed });
    if (same.text !== text) sweepOff++;
  }
  lap();
  const result: VulkanResult = {
    ...{
      device: model.device,
      attempts: model.attempts ?? [],
      rowsOff,
      fromCpu,
      walkOff,
      copiesOff,
    },
    ...{ isBatchExact: model.checked!.isBatchExact, textsOff, texts: requests.length, seconds },
    sweep: [Object.keys(sweep).length, runs.length, sweepOff],
  };
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(result)}\n`));
}
