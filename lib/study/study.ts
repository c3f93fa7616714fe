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
import { checkStored, checkVerdicts } from "./identity.ts";
import { type StudyRuns, withPlanned } from "./partial.ts";
import { planStudy, type Study } from "./plan.ts";
import { type Run, verdictOf } from "./run.ts";
import { openStore, type Place } from "./store.ts";

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

/**
 * Accuracy so far of the first method and of the best other one, and the number of runs that nothing
 * can judge: these are left out of it.
 */
function liveAccuracy(methods: readonly string[]) {
  const counts = new Map(methods.map((method) => [method, { n: 0, right: 0 }]));
  let ungradable = 0;
  return (run: Run): string => {
    const verdict = verdictOf(run), count = counts.get(run.method) ?? { n: 0, right: 0 };
    if (verdict === "ungradable") ungradable++;
    else {
      const right = count.right + (verdict === "right" ? 1 : 0);
      counts.set(run.method, { n: count.n + 1, right });
    }
    const rates = [...counts].map(([method, { n, right }]) => ({ method, rate: right / n }));
    const first = rates.slice(0, 1).filter(({ rate }) => !Number.isNaN(rate));
    const best = rates.slice(1).filter(({ rate }) => !Number.isNaN(rate))
      .sort((a, b) => b.rate - a.rate).slice(0, 1);
    const shown = [...first, ...best]
      .map(({ method, rate }) => `${method} ${(100 * rate).toFixed(1)} %`).join(", best ");
    const apart = ungradable > 0 ? `${ungradable} ungradable` : "";
    return [shown, apart].filter((part) => part !== "").join(", ");
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
 * A file is continued by the same study alone: model, number format, device, task with its options,
 * sampler, chat variables, seed, and of every problem the prompt as it is worded and all fields, the
 * gold answer among them. More methods, problems and repeats may be added. Where a stored run does not
 * tell how it was graded, its text is graded again, and the file is refused where the verdict differs.
 *
 * @param study Model, task, methods, repeats, sampler settings, chat variables, seed. Settings that
 * are left out or `undefined` come from the task, then from the model.
 * @param options Where to keep the runs, how to stop, how to watch.
 * @returns All finished runs of this study, those already stored included: problem by problem, repeat
 * by repeat, and methods in the order in which the study names them; and under `planned` how many there were
 * to be: fewer are there where the study was stopped.
 * @throws {TypeError} Where an option is unknown or of the wrong kind.
 * @throws {RangeError} Where an option is outside its rule or a prompt does not fit the context.
 * @throws {Error} Where the store holds runs of another study, saying what differs, or cannot be
 * written.
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
  const asked = await planStudy(study);
  using file = store === undefined ? undefined : await openStore(store);
  const stored = file?.runs ?? [], where = String(store);
  const rendered = checkStored(asked, stored, where);
  // the file's own names, so that all of its runs have the same ones
  const plan = {
    ...asked,
    ...(stored[0] && { study: stored[0].study, model: stored[0].model }),
    primary: asked.primary ?? stored[0]?.primary,
  };
  const keyed = plan.runs.map((run) => ({
    ...run,
    key: keyOf(run.problem.id, run.method, run.repeat),
  }));
  const wanted = new Set(keyed.map(({ key }) => key));
  const taken = stored.filter((run) => wanted.has(keyOf(run.problem, run.method, run.repeat)));
  const finished = new Map(
    (await checkVerdicts(plan, task, taken, where, signal)).map((run): [string, Run] => [
      keyOf(run.problem, run.method, run.repeat),
      { ...run, parameters: plan.parameters[run.method]! },
    ]),
  );
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
  if (rendered > 0) {
    const otherwise = `the prompts of ${rendered} stored runs were rendered otherwise (a date?)`;
    note = note === "" ? otherwise : `${note}, ${otherwise}`;
  }
  const report = () => onProgress?.({ label: task.name, done, total, note });
  report();

  const requests = missing.map(({ method, seed, tokens }) => ({
    prompt: tokens,
    method: methods[method]!,
    seed,
    ...plan.settings,
  }));
  const places = new Map(
    [...new Set(plan.runs.map(({ problem }) => problem.id))].map((id, i) => [id, i]),
  );
  const methodOrder = Object.keys(methods);
  const place = ({ problem, method }: Run): Place => [
    places.get(problem)!,
    methodOrder.indexOf(method),
  ];
  const versions = {
    moi: manifest.version,
    onnxruntime: runtimeVersion,
    deno: Deno.version.deno,
  };
  const grading = new Set<Promise<void>>(); // programs that are being run
  const batch = { ...(signal ? { signal } : {}), ...(slots ? { slots } : {}) };
  for await (const { index, generation } of generateBatch(model, requests, batch)) {
    if (generation.finishReason === "aborted") continue;
    const { key, problem, method, repeat, seed, prompt, wording, fields, isChat } = missing[index]!;
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
        wording,
        ...(plan.template !== undefined && isChat ? { template: plan.template } : {}),
        problemFields: fields,
        ...(plan.namesOptions ? { taskParameters: plan.taskParameters } : {}),
        ...(plan.primary === undefined ? {} : { primary: plan.primary }),
        ...(Object.keys(plan.chat).length > 0 ? { chat: plan.chat } : {}),
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
      file?.append(run, place(run));
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
