/** `deno task generate`: one answer, as it is decoded. @module */

import {
  directMixture,
  interruptSignal,
  linearMixture,
  loadModel,
  type Method,
  moi,
  type MoiOptions,
  randomMixture,
  standard,
  type Step,
  stream,
} from "../mod.ts";
import { type Arguments, command, given, numbers, print, visible } from "./_cli.ts";
import { loadOptions, samplerOptions, SHARED_VALUES } from "./_tasks.ts";

const USAGE = `
Answers a prompt and prints the text as it is decoded.

usage: deno task generate -- "prompt" [options]

  --model ID            countdown-tiny, votes-tiny, or a folder (default: countdown-tiny)
  --method NAME         standard, moi, direct, linear, random (default: moi if --beta is given)
  --beta B              β of moi and random (default: 1); Infinity is standard decoding
  --preset NAME         paper or mixinputs-0.1.1 (default: paper)
  --weight L            λ of linear (default: 0.5)
  --raw                 continue the text as it is, without the chat template
  --ids                 the prompt is token ids, as in "1 26 23": for models without a tokenizer
  --dtype NAME          auto, fp32, fp16, int8, int4 (default: auto)
  --kv NAME             keys and values: fp32, int8 (default: fp32)
  --device NAME         auto, cpu, webgpu, cuda (default: auto)
  --revision R          branch, tag or commit of a model on the hub
  --trace               print a line per token: what was sampled, what was fed back
  --seed N              (default: 0)
  --temperature T       (default: the model's)    --top-p P   --top-k K   --min-p P
  --max-new-tokens N    (default: the model's)
  --threads N           threads within an operator
  -h, --help            this text
`;

const VALUES = ["model", "method", "beta", "preset", "weight", ...SHARED_VALUES];

function methodOf(args: Arguments): Method {
  const beta = args.number("beta"), weight = args.number("weight"), preset = args.value("preset");
  const name = args.value("method") ??
    (beta === undefined && preset === undefined ? "standard" : "moi");
  const takes: Record<string, string[]> = {
    standard: [],
    moi: ["beta", "preset"],
    direct: [],
    linear: ["weight"],
    random: ["beta"],
  };
  const own = Object.hasOwn(takes, name) ? takes[name] : undefined;
  if (own === undefined) {
    throw new RangeError(
      `Cannot generate as '--method' must be one of ${
        Object.keys(takes).join(", ")
      }: current value is "${name}"`,
    );
  }
  for (const option of ["beta", "weight", "preset"]) {
    if (args.value(option) !== undefined && !own.includes(option)) {
      throw new TypeError(`Cannot generate as the method ${name} takes no --${option}`);
    }
  }
  switch (name) {
    case "moi":
      return moi(given({ beta, preset: preset as MoiOptions["preset"] }));
    case "direct":
      return directMixture();
    case "linear":
      return linearMixture(given({ weight }));
    case "random":
      return randomMixture(given({ beta }));
    default:
      return standard();
  }
}

const fixed = (value: number) => value.toFixed(3).padStart(6);

function traceLine({ index, token, text, entropy, probability, offSampleMass, candidates }: Step) {
  const shown = visible(JSON.stringify(text)).padEnd(14);
  const top = candidates.slice(0, 4)
    .map((c) => `${visible(JSON.stringify(c.text))} ${c.probability.toFixed(2)}`);
  return `${String(index).padStart(4)} ${String(token).padStart(6)}  ${shown} ${
    fixed(probability)
  } ${fixed(entropy)} ${fixed(offSampleMass)}  ${top.join("  ")}`;
}

await command(USAGE, { values: VALUES, flags: ["raw", "ids", "trace"] }, async (args) => {
  const [prompt, ...more] = args.rest;
  if (prompt === undefined || more.length > 0) {
    throw new TypeError("Cannot generate as one prompt must be given, in quotes; see --help");
  }
  const method = methodOf(args);
  const id = args.value("model") ?? "countdown-tiny";
  await using model = await loadModel(id, loadOptions(args));
  const asked = args.flag("ids")
    ? numbers("ids", prompt.trim().replaceAll(/\s+/g, ","))
    : args.flag("raw")
    ? prompt
    : [{ role: "user", content: prompt }];
  const steps: Step[] = [];
  const options = {
    method,
    signal: interruptSignal(),
    ...samplerOptions(args),
  };
  for await (const step of stream(model, asked, options)) {
    steps.push(step);
    if (!model.tokenizer.eosTokenIds.includes(step.token)) print(visible(step.text));
  }
  print("\n");
  if (args.flag("trace")) {
    print("\nstep  token  text            p(y)      H    off  most probable\n");
    for (const step of steps) print(`${traceLine(step)}\n`);
    const mean = (of: (step: Step) => number) =>
      steps.reduce((sum, step) => sum + of(step), 0) / Math.max(1, steps.length);
    print(
      `\nmean H ${mean((s) => s.entropy).toFixed(4)}, mean off-sample mass ${
        mean((s) => s.offSampleMass).toFixed(4)
      }, ${steps.length} tokens, ${method.name}\n`,
    );
  }
});
