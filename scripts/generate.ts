/** `deno task generate`: one answer, as it is decoded. */

import {
  type Generation,
  interruptSignal,
  loadModel,
  type Method,
  METHODS,
  type Model,
  type Prompt,
  type Step,
  stream,
  type Tokenizer,
} from "../mod.ts";
import { promptTokens } from "../lib/decode/mod.ts";
import { type Arguments, command, numbers, print, say, visible } from "./_cli.ts";
import { LOAD_USAGE, loadOptions, methodFor } from "./_tasks.ts";
import { SAMPLER_USAGE, samplerOptions, SHARED_VALUES } from "./_tasks.ts";

const USAGE = `
Answers a prompt and prints the text as it is decoded, and on stderr why it ended.

usage: deno task generate -- "prompt" [options]
       deno task generate -- - [options]         the prompt is read from stdin

  --model ID            countdown-tiny, votes-tiny, a folder, a file or a name on the hub
                        (default: countdown-tiny)
  --method NAME         any that the README lists, as in moi, softThinking, swiReasoning
                        (default: moi if --beta is given, else standard)
  --beta B              β of moi and random (default: 1); Infinity is standard decoding
  --preset NAME         paper or mixinputs-0.1.1 (default: paper)
  --weight L            λ of linear (default: 0.5)
  --chat JSON           variables of the chat template, as in '{"enable_thinking": false}'
  --raw                 continue the text as it is, without the chat template
  --ids                 the prompt is token ids, as in "1 26 23": for models without a tokenizer
${LOAD_USAGE}
  --trace               print a line per token: what was sampled, what was fed back
  --seed N              (default: 0)
  --max-new-tokens N    (default: what the context holds, at most 4096)
${SAMPLER_USAGE}
  -h, --help            this text
`;

const VALUES = ["model", "method", "beta", "preset", "weight", "chat", ...SHARED_VALUES];
/** Most new tokens where none are asked for: what a model recommends may cut its own answers. */
const MOST_TOKENS = 4096;

/** Short names of methods, as studies call them, and the options that each takes. */
const SHORT: Readonly<Record<string, string>> = {
  direct: "directMixture",
  linear: "linearMixture",
  random: "randomMixture",
};
const TAKES: Readonly<Record<string, readonly string[]>> = {
  moi: ["beta", "preset"],
  randomMixture: ["beta"],
  linearMixture: ["weight"],
};

/** The method that is asked for; methods for thoughts always act where the model has no markers. */
function methodOf(args: Arguments): (tokenizer: Tokenizer) => Method {
  const given = ["beta", "preset", "weight"].filter((name) => args.value(name) !== undefined);
  const asked = args.value("method") ??
    (given.includes("beta") || given.includes("preset") ? "moi" : "standard");
  const name = SHORT[asked] ?? asked;
  if (!Object.hasOwn(METHODS, name)) {
    const rule = `must be one of ${Object.keys(METHODS).join(", ")}: current value is "${asked}"`;
    throw new RangeError(`Cannot generate as '--method' ${rule}`);
  }
  for (const option of given) {
    if (!TAKES[name]?.includes(option)) {
      throw new TypeError(`Cannot generate as the method ${asked} takes no --${option}`);
    }
  }
  const options = Object.fromEntries(given.map((option) => [
    option,
    option === "preset" ? args.value(option) : args.number(option),
  ]));
  return (tokenizer) => methodFor(tokenizer, name, options);
}

/** The prompt itself, or stdin without its last line break. */
async function promptText(given: string): Promise<string> {
  if (given !== "-") return given;
  const bytes = new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r?\n$/, "");
  } catch {
    throw new TypeError("Cannot generate as the prompt from stdin must be UTF-8");
  }
  if (text === "") throw new TypeError("Cannot generate as stdin holds no prompt");
  return text;
}

/** Why a generation ended, in a line. */
function ending(model: Model, generation: Generation): string {
  const { finishReason, promptTokens, tokens, trace } = generation;
  const count = `${tokens.length} ${tokens.length === 1 ? "token" : "tokens"}`;
  if (finishReason === "aborted") return `interrupted after ${count}`;
  if (finishReason === "stop") {
    return `${trace?.at(-1)?.end ? "end of text" : "ended by the method"} after ${count}`;
  }
  return promptTokens + tokens.length > model.maxLength
    ? `cut after ${count}, as the context of ${model.maxLength} is full`
    : `cut after ${count}, as --max-new-tokens is ${tokens.length}`;
}

const fixed = (value: number) => value.toFixed(3).padStart(6);

function traceLine(step: Step, tokenizer: Tokenizer) {
  const { index, token, entropy, probability, offSampleMass, candidates, event } = step;
  const shown = visible(JSON.stringify(tokenizer.decode([token]))).padEnd(14);
  const top = candidates.slice(0, 4)
    .map((c) => `${visible(JSON.stringify(c.text))} ${c.probability.toFixed(2)}`);
  const figures = [probability, entropy, offSampleMass].map(fixed).join(" ");
  const place = `${String(index).padStart(4)} ${String(token).padStart(6)}  ${shown}`;
  return `${place} ${figures}  ${top.join("  ")}${event === undefined ? "" : `  [${event}]`}`;
}

await command(USAGE, { values: VALUES, flags: ["raw", "ids", "trace"] }, async (args) => {
  const given = args.one("generate", "one prompt, in quotes,");
  const chosen = methodOf(args), chat = args.object("chat"), prompt = await promptText(given);
  const id = args.value("model") ?? "countdown-tiny";
  await using model = await loadModel(id, loadOptions(args));
  const method = chosen(model.tokenizer);
  const asked: Prompt = args.flag("ids")
    ? numbers("ids", prompt.trim().replaceAll(/\s+/g, ","))
    : args.flag("raw")
    ? prompt
    : [{ role: "user", content: prompt }];
  const steps: Step[] = [];
  const length = promptTokens(model, asked, chat).length;
  const most = Math.max(1, Math.min(MOST_TOKENS, model.maxLength - length + 1));
  const options = {
    ...{ method, signal: interruptSignal(), maxNewTokens: most },
    ...samplerOptions(args),
    ...(chat && { chat }),
  };
  const run = stream(model, asked, options);
  let next = await run.next();
  for (; !next.done; next = await run.next()) {
    steps.push(next.value);
    print(visible(next.value.text));
  }
  print("\n");
  say(`[${ending(model, next.value)}]`);
  if (args.flag("trace")) {
    print("\nstep  token  text            p(y)      H    off  most probable\n");
    for (const step of steps) print(`${traceLine(step, model.tokenizer)}\n`);
    const mean = (of: (step: Step) => number) =>
      (steps.reduce((sum, step) => sum + of(step), 0) / Math.max(1, steps.length)).toFixed(4);
    const entropy = mean((step) => step.entropy), mass = mean((step) => step.offSampleMass);
    const what = `${steps.length} tokens, ${method.name}`;
    print(`\nmean H ${entropy}, mean off-sample mass ${mass}, ${what}\n`);
  }
});
