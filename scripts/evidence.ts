/** `deno task evidence`: runs a pre-registered study, and prints its tables. */

import { loadModel } from "../mod.ts";
import { command, print } from "./_cli.ts";
import { planOf, planPath } from "./evidence/_plan.ts";
import { losses, type LossSettings, pilot } from "./evidence/losses.ts";
import { superposition, type SuperpositionSettings } from "./evidence/superposition.ts";

const USAGE = `
Runs a pre-registered study as its plan says, and prints its tables: scripts/evidence/plans/NAME.json
is the plan, scripts/evidence/NAME.md what was found. What was computed is kept in runs/evidence: a
study that was stopped goes on from there, and one that is done prints its tables again.

usage: deno task evidence NAME [options]

  losses               is a mixture a better input than the token that it replaces?
  pilot                the same on pairs of questions of GSM8K, which --source names
  superposition        does a mixture stay a superposition inside, or collapse to one token?

  --model ID           default: SmolLM2-135M-Instruct in the folder that MOI_REAL_MODEL names
                       (bash scripts/real_model.sh FOLDER)
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

await command(USAGE, { values: ["model", "plan", "source"], words: true }, async (args) => {
  const name = args.one("run a study", "its name"), started = performance.now();
  if (!["losses", "pilot", "superposition"].includes(name)) {
    throw new RangeError(`Cannot run a study named "${name}"; see --help`);
  }
  const questions = name === "pilot" ? await questionsOf(args.value("source")) : undefined;
  await using model = await loadModel(args.value("model") ?? realModel());
  if (questions) await pilot(model, questions);
  else if (name === "superposition") {
    const path = args.value("plan") ?? planPath(name);
    await superposition(model, await planOf<SuperpositionSettings>(path));
  } else await losses(model, await planOf<LossSettings>(args.value("plan") ?? planPath(name)));
  print(`\nwall time ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
});
