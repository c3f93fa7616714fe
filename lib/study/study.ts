/**
 * Runs a study: everything that is missing, in batches, each run stored when it is finished.
 *
 * @module
 */

import {
  anything,
  boolean,
  callable,
  checkOptions,
  number,
  refusal,
  type Rules,
  signal,
} from "../_check.ts";
import { given } from "../_given.ts";
import { generateBatch } from "../decode/mod.ts";
import type { Progress } from "../model/mod.ts";
import { displayedAs } from "../runtime/jupyter.ts";
import { defaultSignal } from "../runtime/mod.ts";
import { type Grade, type Measure, measured, type Problem } from "../tasks/mod.ts";
import { versionsOf } from "./_digest.ts";
import { checkStored, checkVerdicts } from "./identity.ts";
import { sizeText, type StudyRuns, withPlanned } from "./partial.ts";
import { type Plan, planStudy, type Study } from "./plan.ts";
import { type AskedProblem, askedProblem, keepProblems } from "./problems.ts";
import { keyOf, type Run, verdictOf } from "./run.ts";
import { openStore } from "./store.ts";

/** Options of {@linkcode runStudy}. */
export interface RunOptions {
  /** File that keeps the runs, made with its folder where it is missing. Default: none, the runs are only returned. */
  readonly store?: string | URL;
  /** Rows decoded at once. Default: as for `generateBatch`. */
  readonly slots?: number;
  /**
   * Whether runs keep entropies and mixtures of their tokens, for pages that show them: 3 to 30 bytes a token, see
   * {@linkcode Run.trace}. Nothing else depends on it, and runs that are there already stay as they are. Default:
   * false.
   */
  readonly traces?: boolean;
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

/**
 * What the runs so far say: the mean of the first method, and of the one that is ahead of the others; and
 * the number of runs that nothing can judge, which are left out of accuracies.
 */
function live(methods: readonly string[], measure: Measure | undefined): (run: Run) => string {
  const sums = new Map(methods.map((method) => [method, { n: 0, sum: 0 }]));
  const isLower = measure?.better === "lower";
  const ahead = measure === undefined ? "best" : isLower ? "lowest" : "highest";
  const text = (mean: number) => measure ? measured(measure, mean) : `${(100 * mean).toFixed(1)} %`;
  let ungradable = 0;
  return (run) => {
    const verdict = verdictOf(run), { n, sum } = sums.get(run.method) ?? { n: 0, sum: 0 };
    const isJudged = measure !== undefined || verdict !== "ungradable";
    const value = measure ? run.grade.score : isJudged ? Number(verdict === "right") : undefined;
    if (value !== undefined) sums.set(run.method, { n: n + 1, sum: sum + value });
    if (!isJudged) ungradable++;
    const means = [...sums].map(([method, { n, sum }]) => ({ method, mean: sum / n }));
    const there = (some: typeof means) => some.filter(({ mean }) => !Number.isNaN(mean));
    const others = there(means.slice(1))
      .sort((a, b) => isLower ? a.mean - b.mean : b.mean - a.mean);
    const texts = [...there(means.slice(0, 1)), ...others.slice(0, 1)]
      .map(({ method, mean }) => `${method} ${text(mean)}`).join(`, ${ahead} `);
    return [
      ...(measure ? [`${measure.name}: ${texts}`] : texts === "" ? [] : [texts]),
      ...(ungradable > 0 ? [`${ungradable} ungradable`] : []),
    ].join(", ");
  };
}

const RUN_RULES: Rules<RunOptions> = {
  store: anything, // checked where it is opened
  slots: number({ min: 1, integer: true }),
  traces: boolean,
  signal,
  onProgress: callable,
};

/** The problems of a study as they are kept beside its runs. */
const askedOf = <P extends Problem>({ problems }: Plan<P>): ReadonlyMap<string, AskedProblem> =>
  new Map([...problems].map(([id, { problem, worded }]) => [id, askedProblem(problem, worded)]));

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
 * Of a study with a `shard` only that part is run, into a file that holds nothing else; every run is the one that
 * the whole study has. Beside the file stands what was asked, which {@linkcode readProblems} reads.
 *
 * @param study Model, task, methods, repeats, sampler settings, chat variables, seed. Settings that
 * are left out or `undefined` come from the task, then from the model.
 * @returns All finished runs of this study, those already stored included: problem by problem, repeat
 * by repeat, and methods in the order in which the study names them; and under `planned` how many there were
 * to be: fewer are there where the study was stopped.
 * @throws {RangeError} Where a prompt does not fit the context.
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
  checkOptions("run the study", options, RUN_RULES);
  const plan = await planStudy(study);
  const { model, task, methods, repeats = 1 } = study, { measure } = task;
  const { store, signal: stop = defaultSignal(), onProgress, slots, traces = false } = options;
  if (traces && model.remote) {
    const rule = `be left out, as ${model.device} does not tell what is mixed at each step`;
    throw new TypeError(refusal("run the study", "traces", rule, traces));
  }
  using file = store === undefined ? undefined : await openStore(store);
  const stored = file?.runs ?? [], where = String(store);
  const rendered = checkStored(plan, stored, where);
  const wanted = new Map(plan.runs.map((run) => [keyOf(run), run]));
  const taken = stored.filter((run) => wanted.has(keyOf(run)));
  const finished = new Map(
    (await checkVerdicts(plan, task, taken, where, stop)).map((run): [string, Run] => {
      const key = keyOf(run);
      return [key, { ...run, parameters: wanted.get(key)!.parameters }];
    }),
  );
  if (store !== undefined) await keepProblems(store, askedOf(plan));
  const missing = [...wanted].filter(([key]) => !finished.has(key));
  const keys = Object.keys(methods), total = plan.runs.length;
  const size = { problems: plan.problems.size, methods: keys, repeats, runs: total };
  const shard = plan.shard && { ...plan.shard, runs: total, of: plan.whole.length };
  const inOrder = () => [...wanted.keys()].flatMap((key) => finished.get(key) ?? []);
  const sayOf = live(keys, measure);
  const otherwise = `the prompts of ${rendered} stored runs were rendered otherwise (a date?)`;
  let note = [inOrder().map(sayOf).at(-1) ?? "", rendered > 0 ? otherwise : ""]
    .filter((part) => part !== "").join(", ");
  const report = () => onProgress?.({ label: task.name, done: finished.size, total, note });
  report();

  // the file's own names, so that all of its runs have the same ones
  const names = stored[0] && { study: stored[0].study, model: stored[0].model };
  const declared = given({ primary: stored[0]?.primary });
  const versions = versionsOf(model);
  const requests = missing.map(([, { problem, method, seed }]) => ({
    ...{ prompt: plan.problems.get(problem)!.tokens, method: methods[method]!, seed },
    ...plan.settings,
    ...(traces ? { trace: "compact" as const } : {}),
  }));
  const grading = new Set<Promise<void>>(); // programs that are being run
  const batch = given({ signal: stop, slots });
  for await (const { index, generation } of generateBatch(model, requests, batch)) {
    if (generation.finishReason === "aborted") continue;
    const [key, planned] = missing[index]!;
    const { problem, place } = plan.problems.get(planned.problem)!;
    const { text, tokens, finishReason, promptTokens, mixing, timing, compact } = generation;
    const keep = (grade: Grade) => {
      const run: Run = {
        ...{ ...planned, ...names, ...declared },
        ...{ promptTokens, tokens, text, finishReason, grade },
        ...{ ...given({ measure, trace: compact }), mixing, timing, versions },
      };
      file?.append(run, [place, keys.indexOf(run.method)], shard);
      finished.set(key, run);
      note = sayOf(run);
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
  const runs = withPlanned(inOrder(), size);
  return displayedAs(runs, () => ({ "text/plain": sizeText(runs, size) }));
}
