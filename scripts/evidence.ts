/** `deno task evidence`: runs a pre-registered study, and prints its tables. */

import { hint } from "../lib/_near.ts";
import { type Dtype, loadModel, type Model } from "../lib/model/mod.ts";
import { type Arguments, command, print } from "./_cli.ts";
import { type Plan, planOf, planPath } from "./evidence/_plan.ts";
import { decisions } from "./evidence/decisions.ts";
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
  decisions            does MoI gain more where a model that reasons is less certain?
  pilot                the first on pairs of questions of GSM8K, which --source names

  --model ID           default: SmolLM2-135M-Instruct in the folder that MOI_REAL_MODEL names
                       (bash scripts/real_model.sh FOLDER)
  --dtype TYPE         default: fp32, as the plans say; native: as the file's blocks are
  --plan FILE          another plan of the same study
  --source FILE        questions: one JSON object a line, each with a question or a prompt
  -h, --help           this text
`;

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

/** A study of the real model, or of the one that is named. */
const ofModel =
  (run: (model: Model, path: string, args: Arguments) => Promise<unknown>) =>
  async (path: string, args: Arguments) => {
    const dtype = (args.value("dtype") ?? "fp32") as Dtype; // checked where it is loaded
    await using model = await loadModel(args.value("model") ?? realModel(), { dtype });
    await run(model, path, args);
  };

/** The same, as a plan says. */
const planned = <Settings>(run: (model: Model, plan: Plan<Settings>) => Promise<unknown>) =>
  ofModel(async (model, path) => run(model, await planOf(path)));

const STUDIES: Readonly<Record<string, (path: string, args: Arguments) => Promise<unknown>>> = {
  losses: planned(losses),
  sums: planned(sums),
  temperature: planned(temperature),
  repetition: planned(repetition),
  superposition: planned(superposition),
  async decisions(path, args) {
    for (const name of ["model", "dtype"]) {
      if (args.value(name) === undefined) continue;
      throw new TypeError(`Cannot run decisions with --${name}: its plan names its models`);
    }
    await decisions(await planOf(path));
  },
  pilot: ofModel(async (model, _path, args) =>
    pilot(model, await questionsOf(args.value("source")))
  ),
};

const OPTIONS = ["model", "dtype", "plan", "source"];

await command(USAGE, { values: OPTIONS, words: true }, async (args) => {
  const name = args.one("run a study", "its name"), started = performance.now();
  if (!Object.hasOwn(STUDIES, name)) {
    throw new RangeError(
      `Cannot run a study named "${name}"${hint(name, Object.keys(STUDIES))}; see --help`,
    );
  }
  await STUDIES[name]!(args.value("plan") ?? planPath(name), args);
  print(`\nwall time ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
});
