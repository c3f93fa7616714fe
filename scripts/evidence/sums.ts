/** Study B: are sums right more often where mixtures are fed back? */

import { gains, gainsTable, type Model, type Run, runStudy } from "../../mod.ts";
import type { ImportedRun } from "../../lib/study/mod.ts";
import { given, print } from "../_cli.ts";
import { textOf } from "../_table.ts";
import { foundFolder, methodsOf, type Plan, type WrittenMethod } from "./_plan.ts";
import { oneShotSums, sumProblems, type SumSettings } from "./_sums.ts";

/** Settings of the plan. */
export interface SumStudySettings extends SumSettings {
  readonly seed: number;
  readonly methods: Readonly<Record<string, WrittenMethod>>;
  readonly primary?: string;
  readonly temperature: number;
  readonly topP: number;
  readonly maxNewTokens: number;
  readonly slots: number;
}

/** The runs of the study, or of its first problems at another temperature: each in a file of its own. */
export async function runsOf(model: Model, settings: SumStudySettings): Promise<Run[]> {
  const { seed, primary, temperature, topP, maxNewTokens, slots } = settings;
  return await runStudy({
    ...{ model, seed, temperature, topP, maxNewTokens },
    ...{ task: oneShotSums(settings), methods: methodsOf(settings.methods) },
    ...given({ primary }),
  }, { slots, store: `${foundFolder()}/sums-t${temperature}.jsonl` });
}

/**
 * Runs with their pair of summands as the problem: the same pair comes in many prompts, which are then repeats
 * of one problem.
 */
function byPair(runs: readonly Run[], settings: SumSettings): ImportedRun[] {
  const pairs = new Map(
    sumProblems(settings).map(({ id, left, right }, repeat) => [
      id,
      { problem: `${left} + ${right}`, repeat },
    ]),
  );
  return runs.map(({ prompt: _, wording: __, problemFields: ___, ...run }) => (
    { ...run, ...pairs.get(run.problem)! }
  ));
}

/** Runs the study; its runs are kept in `runs/evidence`. */
export async function sums(
  model: Model,
  { settings }: Plan<SumStudySettings>,
): Promise<void> {
  const runs = await runsOf(model, settings);
  print(`\n${textOf(gainsTable(gains(runs)))}\n`);
  const clustered = gains(byPair(runs, settings));
  print(`\nThe same, pairs of summands as problems\n\n${textOf(gainsTable(clustered))}\n`);
}
