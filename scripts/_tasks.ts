/** Models and tasks by the names that command lines use. */

import {
  type Grade,
  knowsMarkers,
  type LoadOptions,
  type Method,
  METHODS,
  type Model,
  type Problem,
  type Run,
  type Sampler,
  systemPrompt,
  type Task,
  TASKS,
  type Tokenizer,
} from "../mod.ts";
import { refusal } from "../lib/_check.ts";
import { type Arguments, given, numbers } from "./_cli.ts";

/** Those that are swept unless told otherwise: a sensitivity check, and a null control. */
export const SWEPT = ["votes-tiny", "countdown-tiny-baseline"] as const;

/** Names of the options that {@linkcode taskOf} reads. */
export const TASK_VALUES = [
  ...["task", "source", "split", "config", "prompt", "grading", "system", "problems", "limit"],
] as const;

/** What the usage texts say of them. */
export const TASK_USAGE = `  --task NAME           ${
  Object.keys(TASKS).join(", ").replace(/, gpq/, ",\n                        gpq")
}
  --source S            file, address or 'org/name' of a data set on the hub, for those that
                        need one; --split NAME, --config NAME choose within a data set
  --prompt NAME         plain, boxed, paper, as the task has them (default: the task's own)
  --grading NAME        last, or released: the rule of the released MoI code (default: last)
  --system TEXT         system prompt (default: what the model's family needs)
  --problems N          first N problems, also --limit N`;

/** Any task. */
export type AnyTask = Task<Problem, Grade | Promise<Grade>>;

/** The task that is asked for, with the options that stored runs tell of where none are given. */
export function taskOf(
  name: string,
  args: Arguments,
  model: string,
  problems?: number,
  recorded?: Run["taskParameters"],
): AnyTask {
  const known = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined;
  if (known === undefined) {
    const names = Object.keys(TASKS), rule = `be one of ${names.join(", ")}`;
    throw new RangeError(refusal("find the task", "--task", rule, name, names));
  }
  const limit = args.number("problems") ?? args.number("limit") ?? problems;
  const source = args.value("source"), fromFile = known.needsSource || source !== undefined;
  if (known.needsSource && source === undefined) {
    const rule = "must name a file, an address or a data set on the hub";
    throw new TypeError(`Cannot make ${name} as '--source' ${rule}`);
  }
  const system = fromFile && recorded === undefined ? systemPrompt(model) : undefined;
  const texts = ["split", "config", "prompt", "grading"].map((name) => [name, args.value(name)]);
  const options = given({
    ...{ limit, source, ...Object.fromEntries(texts), system: args.value("system") ?? system },
  });
  // not every option is recorded as it is given: then those that every task has alike
  const stored = Object.entries(recorded ?? {}).filter(([, value]) => value !== null);
  const alike = stored.filter(([name]) => ["prompt", "grading", "system"].includes(name));
  for (const some of [stored, alike]) {
    if (some.length === 0) continue;
    try {
      return known.make({ ...Object.fromEntries(some), ...options });
    } catch {
      // the next is tried, and what is wrong with the options given is said by the last one
    }
  }
  return known.make(options);
}

/** Settings of the sampler and of a run that are numbers, and what command lines call them. */
const NUMBERS = {
  ...{ seed: "seed", maxNewTokens: "max-new-tokens", temperature: "temperature" },
  ...{ topP: "top-p", topK: "top-k", minP: "min-p", typicalP: "typical-p" },
  ...{ topNSigma: "top-n-sigma", epsilonCutoff: "epsilon", etaCutoff: "eta" },
  ...{ repetitionPenalty: "repetition-penalty", presencePenalty: "presence-penalty" },
  frequencyPenalty: "frequency-penalty",
};

const LOAD_NAMES = ["engine", "device", "dtype", "kv", "revision"] as const;

/** Names of the options that {@linkcode loadOptions} reads. */
export const LOAD_VALUES: readonly string[] = ["threads", ...LOAD_NAMES];

/** Names of the options that {@linkcode loadOptions} and {@linkcode samplerOptions} read. */
export const SHARED_VALUES: readonly string[] = [
  ...[...LOAD_VALUES, "edt", "order"],
  ...Object.values(NUMBERS),
];

/** What the usage texts say of those of a load. */
export const LOAD_USAGE =
  `  --engine NAME         auto, onnxruntime, llama.cpp (default: auto, llama.cpp for those GGUF
                        files and devices that ONNX Runtime does not know)
  --device NAME         auto, cpu, webgpu, cuda, vulkan, metal (default: auto)
  --dtype NAME          auto, fp32, fp16, int8, int4, native (default: auto)
  --kv NAME             keys and values: fp32, fp16, int8 (default: fp32, on a GPU and by
                        llama.cpp fp16)
  --threads N           threads within an operator (default: one a core, of tiny models one)
  --revision R          branch, tag or commit of a model on the hub (default: main)`;

/** What the usage texts say of variables of the chat template. */
export const TEMPLATE_USAGE = `  --chat-template-kwargs JSON
                        variables of the chat template, as in '{"enable_thinking": false}'`;

/** Options of `loadModel` that command lines share. */
export function loadOptions(args: Arguments): LoadOptions {
  return given({
    threads: args.number("threads"),
    ...Object.fromEntries(LOAD_NAMES.map((name) => [name, args.value(name)])),
  });
}

/** How a model was loaded, in a few words. */
export function loadedText({ dtype, device, versions = {} }: Model): string {
  const version = versions["llama.cpp"];
  return `${dtype} on ${device}${version === undefined ? "" : ` by llama.cpp ${version}`}`;
}

/** What the usage texts say of them. */
export const SAMPLER_USAGE =
  `  --temperature T       --top-p P   --top-k K   --min-p P   --typical-p P   --top-n-sigma N
  --epsilon E --eta E   cutoffs of the probability
  --edt BASE,THETA      entropy-dependent temperature
  --repetition-penalty R    --presence-penalty R   --frequency-penalty R
  --order NAME          temperature-first or temperature-last (default: temperature-first)
                        (defaults: of a task its own, else what the model recommends, else
                        temperature 1 and no cutoff)`;

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
  const numbers = Object.entries(NUMBERS).map(([option, name]) => [option, args.number(name)]);
  return given({
    ...Object.fromEntries(numbers) as Record<keyof typeof NUMBERS, number | undefined>,
    entropyTemperature: edtOf(args.value("edt")),
    order: args.value("order") as Sampler["order"],
  });
}

/** A method by name, acting at every token where the model has no markers of thoughts. */
export function methodFor(tokenizer: Tokenizer, name: string, options: object = {}): Method {
  const phase = knowsMarkers(tokenizer) ? {} : { phase: "all" } as const;
  return METHODS[name]!.make({ ...phase, ...options });
}
