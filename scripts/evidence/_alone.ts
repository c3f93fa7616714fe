/** A study as a program of its own: its plan, the real model, and how long it took. @module */

import { interruptSignal, loadModel, type Model } from "../../mod.ts";
import { print, say } from "../_cli.ts";
import { type Plan, planOf, planPath } from "./_plan.ts";

const FILE = "smollm2-135m-instruct.Q4_1.gguf";

/**
 * Runs a study on the model in the folder `MOI_REAL_MODEL`, which `bash scripts/real_model.sh FOLDER` fills.
 * Two threads; what is finished is kept.
 */
export async function alone<Settings>(
  name: string,
  study: (model: Model, plan: Plan<Settings>) => Promise<unknown>,
): Promise<void> {
  const folder = Deno.env.get("MOI_REAL_MODEL");
  if (!folder) throw new TypeError("Cannot run a study as MOI_REAL_MODEL must name a folder");
  const started = performance.now(), signal = interruptSignal();
  await using model = await loadModel(`${folder}/${FILE}`, { dtype: "fp32", threads: 2 });
  say(`${name}: ${model.dtype} on ${model.device}`);
  await study(model, await planOf<Settings>(planPath(name)));
  if (signal.aborted) Deno.exitCode = 130;
  print(`\nwall time ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
}
