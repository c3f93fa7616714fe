/** `deno task evidence`: runs a pre-registered study, and prints its tables. */

import { loadModel, type LoadOptions, type Model } from "../mod.ts";
import { command, print } from "./_cli.ts";
import { type Plan, planOf, planPath } from "./evidence/_plan.ts";
import { losses, pilot } from "./evidence/losses.ts";
import { repetition } from "./evidence/repetition.ts";
import { sums } from "./evidence/sums.ts";
import { superposition } from "./evidence/superposition.ts";
import { temperature } from "./evidence/temperature.ts";

const USAGE = `
Runs a pre-registered study as its plan says, and prints its tables: scripts/evidence/plans/NAME.json
is the plan, scripts/evidence/NAME.md what was found. What was computed is kept in runs/evidence: a
study that was stopped goes on from there, and one that is done prints its tables again.

usage: deno task evidence NAME [options]

  losses               is a mixture a better input than the token that it replaces?
  sums                 are sums right more often where mixtures are fed back?
  temperature          do mixtures do anything that another temperature does not?
  repetition           do texts repeat themselves less, and are they still as likely?
  superposition        does a mixture stay a superposition inside, or collapse to one token?
  pilot                the first on pairs of questions of GSM8K, which --source names

  --model ID           default: SmolLM2-135M-Instruct in the folder that MOI_REAL_MODEL names
                       (bash scripts/real_model.sh FOLDER)
  --plan FILE          another plan of the same study
  --source FILE        questions: one JSON object a line, each with a question or a prompt
  -h, --help           this text
`;

/** A study: how its model is loaded, and how it runs as a plan says. */
const study = <Settings>(
  run: (model: Model, plan: Plan<Settings>) => Promise<unknown>,
  load: LoadOptions = {},
) => ({ load, run: async (model: Model, path: string) => run(model, await planOf(path)) });

const STUDIES: Readonly<Record<string, ReturnType<typeof study>>> = {
  losses: study(losses),
  sums: study(sums, { dtype: "fp32" }),
  temperature: study(temperature, { dtype: "fp32" }),
  repetition: study(repetition, { dtype: "fp32" }),
  superposition: study(superposition),
};

/** The real model, as it is built into the plans. */
function realModel(): string {
  const folder = Deno.env.get("MOI_REAL_MODEL");
  if (folder) return `${folder}/smollm2-135m-instruct.Q4_1.gguf`;
  const how = "MOI_REAL_MODEL names no folder (bash scripts/real_model.sh FOLDER)";
  throw new TypeError(`Cannot run the study as --model names none, and ${how}`);
}

/** Questions of a file. */
async function questionsOf(path: string | undefined): Promise<string[]> {
  if (path === undefined) throw new TypeError("Cannot run the pilot as --source must name a file");
  const lines = (await Deno.readTextFile(path)).trim().split("\n").map((line) => JSON.parse(line));
  return lines.map(({ question, prompt }) => question ?? prompt);
}

await command(USAGE, { values: ["model", "plan", "source"], words: true }, async (args) => {
  const name = args.one("run a study", "its name"), started = performance.now();
  const known = Object.hasOwn(STUDIES, name) ? STUDIES[name] : undefined;
  if (!known && name !== "pilot") {
    throw new RangeError(`Cannot run a study named "${name}"; see --help`);
  }
  const questions = name === "pilot" ? await questionsOf(args.value("source")) : undefined;
  await using model = await loadModel(args.value("model") ?? realModel(), known?.load);
  if (questions) await pilot(model, questions);
  else await known!.run(model, args.value("plan") ?? planPath(name));
  print(`\nwall time ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
});
