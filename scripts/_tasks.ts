/** Models and tasks by the names that command lines use. @module */

import {
  countdown,
  type LoadOptions,
  type Problem,
  type Sampler,
  type Task,
  votes,
} from "../mod.ts";
import { type Arguments, given, numbers } from "./_cli.ts";

/** The embedded models and the task that each was trained for. */
export const CONTROLS: Readonly<Record<string, string>> = {
  "votes-tiny": "votes",
  "countdown-tiny": "countdown",
};

/** Names of tasks. */
export const TASKS = ["votes", "countdown"] as const;

/** A task by its name. */
export function taskOf(name: string, limit: number | undefined): Task<Problem> {
  const options = limit === undefined ? {} : { limit };
  // the engine hands a task its own problems only
  if (name === "votes") return votes(options) as unknown as Task<Problem>;
  if (name === "countdown") return countdown(options) as unknown as Task<Problem>;
  throw new RangeError(
    `Cannot find the task as '--task' must be one of ${
      TASKS.join(", ")
    }: current value is "${name}"`,
  );
}

/** Names of the options that {@linkcode loadOptions} and {@linkcode samplerOptions} read. */
export const SHARED_VALUES = [
  ...["threads", "dtype", "kv", "device", "revision"],
  ...["seed", "temperature", "top-p", "top-k", "min-p", "max-new-tokens"],
  ...["typical-p", "top-n-sigma", "epsilon", "eta", "edt", "order"],
  ...["repetition-penalty", "presence-penalty", "frequency-penalty"],
] as const;

/** Options of `loadModel` that command lines share. */
export function loadOptions(args: Arguments): LoadOptions {
  return given({
    threads: args.number("threads"),
    dtype: args.value("dtype") as LoadOptions["dtype"],
    kv: args.value("kv") as LoadOptions["kv"],
    device: args.value("device") as LoadOptions["device"],
    revision: args.value("revision"),
  });
}

/** What the usage texts say of them. */
export const SAMPLER_USAGE =
  `  --temperature T       --top-p P   --top-k K   --min-p P   --typical-p P   --top-n-sigma N
  --epsilon E --eta E   cutoffs of the probability
  --edt BASE,THETA      entropy-dependent temperature
  --repetition-penalty R    --presence-penalty R   --frequency-penalty R
  --order NAME          temperature-first or temperature-last (default: temperature-first)`;

function edtOf(text: string | undefined): Sampler["entropyTemperature"] {
  if (text === undefined) return undefined;
  const [base, theta, ...more] = numbers("edt", text);
  if (base !== undefined && theta !== undefined && more.length === 0) return { base, theta };
  throw new TypeError(
    `Cannot read --edt as it must be two numbers, as in 0.8,1: current value is "${text}"`,
  );
}

/** Seed, sampler settings and token budget that command lines share. */
export function samplerOptions(args: Arguments) {
  return given({
    seed: args.number("seed"),
    temperature: args.number("temperature"),
    topP: args.number("top-p"),
    topK: args.number("top-k"),
    minP: args.number("min-p"),
    typicalP: args.number("typical-p"),
    topNSigma: args.number("top-n-sigma"),
    epsilonCutoff: args.number("epsilon"),
    etaCutoff: args.number("eta"),
    entropyTemperature: edtOf(args.value("edt")),
    repetitionPenalty: args.number("repetition-penalty"),
    presencePenalty: args.number("presence-penalty"),
    frequencyPenalty: args.number("frequency-penalty"),
    order: args.value("order") as Sampler["order"],
    maxNewTokens: args.number("max-new-tokens"),
  });
}
