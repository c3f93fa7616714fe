/**
 * Runs a study: everything that is missing, in batches, each run stored when it is finished.
 *
 * @module
 */

import { checkNumber, checkOptions } from "../_check.ts";
import { generateBatch } from "../decode/mod.ts";
import type { Progress } from "../model/mod.ts";
import { defaultSignal, runtimeVersion } from "../runtime/mod.ts";
import { type Grade, type Measure, measured, type Problem } from "../tasks/mod.ts";
import manifest from "../../deno.json" with { type: "json" };
import { type StudyRuns, withPlanned } from "./partial.ts";
import { checkStored, planStudy, type Study } from "./plan.ts";
import type { Run } from "./run.ts";
import { openStore } from "./store.ts";

/** Options of {@linkcode runStudy}. */
export interface RunOptions {
  /** File that keeps the runs. Default: none, the runs are only returned. */
  readonly store?: string | URL;
  /** Rows decoded at once. Default: as for `generateBatch`. */
  readonly slots?: number;
  /**
   * Stops between two steps; what is finished is kept and returned. Default: in a notebook the stop
   * button, in a program Ctrl-C once `interruptSignal` has been asked for.
   */
  readonly signal?: AbortSignal;
  /** Called after every run, with the accuracy or the mean score so far. */
  readonly onProgress?: (progress: Progress) => void;
}

/** Programs that are graded at once, while decoding goes on. */
const GRADERS = 2;

const keyOf = (problem: string, method: string, repeat: number) =>
  JSON.stringify([problem, method, repeat]);

/** Accuracy so far of the first method and of the best other one. */
function liveAccuracy(methods: readonly string[]) {
  const counts = new Map(methods.map((method) => [method, { n: 0, correct: 0 }]));
  return (run: Run): string => {
    const count = counts.get(run.method) ?? { n: 0, correct: 0 };
    counts.set(run.method, {
      n: count.n + 1,
      correct: count.correct + (run.grade.correct ? 1 : 0),
    });
    const rates = [...counts].filter(([, { n }]) => n > 0)
      .map(([method, { n, correct }]) => ({ method, rate: correct / n }));
    const best = rates.slice(1).sort((a, b) => b.rate - a.rate).slice(0, 1);
    return [...rates.slice(0, 1), ...best]
      .map(({ method, rate }) => `${method} ${(100 * rate).toFixed(1)} %`).join(", best ");
  };
}

/** Mean score so far of the first method, and of the one whose mean is lowest or highest. */
function liveScore(methods: readonly string[], measure: Measure) {
  const sums = new Map(methods.map((method) => [method, { n: 0, sum: 0 }]));
  return ({ method, grade: { score } }: Run): string => {
    const { n, sum } = sums.get(method) ?? { n: 0, sum: 0 };
    if (score !== undefined) sums.set(method, { n: n + 1, sum: sum + score });
    const means = [...sums].filter(([, { n }]) => n > 0)
      .map(([method, { n, sum }]) => ({ method, mean: sum / n }));
    const isLower = measure.better === "lower";
    const ahead = means.slice(1).sort((a, b) => isLower ? a.mean - b.mean : b.mean - a.mean);
    const texts = [...means.slice(0, 1), ...ahead.slice(0, 1)]
      .map(({ method, mean }) => `${method} ${measured(measure, mean)}`);
    return `${measure.name}: ${texts.join(isLower ? ", lowest " : ", highest ")}`;
  };
}

/**
 * Runs a study, or finishes one that was stopped.
 *
 * All methods and repeats of a problem are decoded side by side; they share one prefill and draw the
 * same random numbers. A run's text does not depend on what else is in the batch, so a study that
 * was stopped, killed or extended gives the same runs as one that was not.
 *
 * @param study Model, task, methods, repeats, sampler settings, seed. Settings that are left out come
 * from the task, then from the model.
 * @param options Where to keep the runs, how to stop, how to watch.
 * @returns All finished runs of this study, those already stored included, problem by problem; and
 * under `planned` how many there were to be: fewer are there where the study was stopped.
 * @throws {TypeError} Where an option is unknown or of the wrong kind.
 * @throws {RangeError} Where an option is outside its rule or a prompt does not fit the context.
 * @throws {Error} Where the store holds runs of another study, or cannot be written.
 *
 * @example Two methods on three problems
 * ```ts
 * import { moi, standard } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { runStudy } from "@moi/moi/study";
 * import { votes } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 *
 * await using model = await loadModel("votes-tiny");
 * const runs = await runStudy({
 *   model,
 *   task: votes({ limit: 3 }),
 *   methods: { standard: standard(), moi: moi({ beta: 0.25 }) },
 * });
 * assertEquals(runs.length, 6);
 * ```
 */
export async function runStudy<P extends Problem>(
  study: Study<P>,
  options: RunOptions = {},
): Promise<StudyRuns> {
  const verb = "run the study";
  checkOptions(verb, options, ["store", "slots", "signal", "onProgress"]);
  if (options.slots !== undefined) {
    checkNumber(verb, "slots", options.slots, { min: 1, integer: true });
  }
  const { model, task, methods } = study;
  const { store, signal = defaultSignal(), onProgress, slots } = options;
  const plan = await planStudy(study);
  using file = store === undefined ? undefined : await openStore(store);
  const stored = file?.runs ?? [];
  checkStored(plan, stored, String(store));

  const finished = new Map(
    stored.map((run) => [keyOf(run.problem, run.method, run.repeat), run]),
  );
  const keyed = plan.runs.map((run) => ({
    ...run,
    key: keyOf(run.problem.id, run.method, run.repeat),
  }));
  const missing = keyed.filter(({ key }) => !finished.has(key));
  const { measure } = task;
  const live = measure
    ? liveScore(Object.keys(methods), measure)
    : liveAccuracy(Object.keys(methods));
  const total = keyed.length;
  let done = total - missing.length, note = "";
  for (const { key } of keyed) {
    const run = finished.get(key);
    if (run) note = live(run);
  }
  const report = () => onProgress?.({ label: task.name, done, total, note });
  report();

  const { maxNewTokens, ...sampler } = plan.sampler;
  const requests = missing.map(({ method, seed, tokens }) => ({
    prompt: tokens,
    method: methods[method]!,
    seed,
    maxNewTokens,
    ...sampler,
  }));
  const versions = {
    moi: manifest.version,
    onnxruntime: runtimeVersion,
    deno: Deno.version.deno,
  };
  const grading = new Set<Promise<void>>(); // programs that are being run
  const batch = { ...(signal ? { signal } : {}), ...(slots ? { slots } : {}) };
  for await (const { index, generation } of generateBatch(model, requests, batch)) {
    if (generation.finishReason === "aborted") continue;
    const { key, problem, method, repeat, seed, prompt } = missing[index]!;
    const { text, tokens, finishReason, promptTokens, mixing, timing } = generation;
    const keep = (grade: Grade) => {
      const run: Run = {
        study: plan.study,
        model: plan.model,
        device: plan.device,
        dtype: plan.dtype,
        task: plan.task,
        problem: problem.id,
        method,
        parameters: plan.parameters[method]!,
        repeat,
        studySeed: plan.studySeed,
        seed,
        sampler: plan.sampler,
        prompt,
        promptTokens,
        tokens,
        text,
        finishReason,
        grade,
        ...(measure ? { measure } : {}),
        mixing,
        timing,
        versions,
      };
      file?.append(run);
      finished.set(key, run);
      note = live(run);
      done++;
      report();
    };
    if (grading.size >= GRADERS) await Promise.race(grading);
    const verdict = task.grade(problem, text);
    if (!(verdict instanceof Promise)) {
      keep(verdict);
      continue;
    }
    const own: Promise<void> = verdict.then(keep).finally(() => grading.delete(own));
    own.catch(() => {}); // thrown where it is awaited
    grading.add(own);
  }
  await Promise.all(grading);
  const runs = keyed.flatMap(({ key }) => finished.get(key) ?? []);
  const { repeats = 1 } = study, keys = Object.keys(methods);
  const problems = total / (keys.length * repeats);
  return withPlanned(runs, { problems, methods: keys, repeats, runs: total });
}
