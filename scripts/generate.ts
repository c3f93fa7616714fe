/** `deno task generate`: an answer, or a conversation, as it is decoded. */

import {
  generate,
  type Generation,
  interruptSignal,
  type Message,
  type Method,
  METHODS,
  type Model,
  type Prompt,
  stream,
  type Tokenizer,
} from "../mod.ts";
import { refusal } from "../lib/_check.ts";
import { promptTokens } from "../lib/decode/mod.ts";
import { answerJson, ending, traceText } from "./_answer.ts";
import { type Arguments, command, given, numbers, print, say, visible } from "./_cli.ts";
import { converse, stdinLines } from "./_conversation.ts";
import { checkServer, openModel, SERVER_USAGE } from "./_server.ts";
import { LOAD_USAGE, methodFor, TEMPLATE_USAGE } from "./_tasks.ts";
import { SAMPLER_USAGE, samplerOptions, SHARED_VALUES } from "./_tasks.ts";

const USAGE = `
Answers a prompt and prints the text as it is decoded, and on stderr why it ended.

usage: deno task generate -- "prompt" [options]
       deno task generate -- - [options]         the prompt is all of stdin
       deno task generate -- --chat [options]    a conversation: each line of stdin is a turn

  --model ID            countdown-tiny, votes-tiny, a folder, a file or a name on the hub
                        (default: countdown-tiny)
  --method NAME         any that the README lists, as in moi, softThinking, swiReasoning
                        (default: moi if --beta is given, else standard)
  --beta B              β of moi and random (default: 1); Infinity is standard decoding
  --preset NAME         paper or mixinputs-0.1.1 (default: paper)
  --weight L            λ of linear (default: 0.5)
  --system TEXT         system message before the prompt (default: what the template has)
${TEMPLATE_USAGE}
  --chat                a conversation, also in a pipe; a prompt that is given is its first turn.
                        Ctrl-C ends an answer, and at the prompt the conversation, as Ctrl-D does.
                        Turn k, from 0, is drawn with seed N + k
  --raw                 continue the text as it is, without the chat template
  --ids                 the prompt is token ids, as in "1 26 23": for models without a tokenizer
${LOAD_USAGE}
${SERVER_USAGE}
  --json                prints one line of JSON in place of the text, of a conversation one a
                        turn: text, tokens, why it ended, what was mixed, and what it ran with
  --trace               a line per token: what was sampled, what was fed back; in JSON all of it
  --seed N              (default: 0)
  --max-new-tokens N    (default: what the context holds, at most 4096; of a server what its model
                        recommends, else 256)
${SAMPLER_USAGE}
  -h, --help            this text

examples:
  deno task generate -- "Using the numbers [12, 11, 8], create an equation that equals 36." --beta 1
  echo "1: a b a c" | deno task generate -- - --model votes-tiny --method softThinking --trace
`;

const VALUES = [
  ...["model", "method", "beta", "preset", "weight", "system", "chat-template-kwargs"],
  ...["server", "tokenizer", "key", ...SHARED_VALUES],
];
const FLAGS = ["chat", "raw", "ids", "json", "trace"];

/** Most new tokens where none are asked for: what a model recommends may cut its own answers. */
const MOST_TOKENS = 4096;

/** What a terminal shows where it waits for a line. */
const PROMPT = new TextEncoder().encode("> ");

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
    const names = Object.keys(METHODS), rule = `be one of ${names.join(", ")}`;
    const known = [...names, ...Object.keys(SHORT)];
    throw new RangeError(refusal("generate", "--method", rule, asked, known));
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

/** Options that need the chat template, which --raw and --ids leave out. */
const OF_TEMPLATE = ["system", "chat-template-kwargs", "chat"];

/** Refuses options that contradict each other. */
function checkTogether(args: Arguments): void {
  const isGiven = (name: string) =>
    FLAGS.includes(name) ? args.flag(name) : args.value(name) !== undefined;
  const refuse = (name: string, other: string, why: string) => {
    if (!isGiven(name) || !isGiven(other)) return;
    throw new TypeError(`Cannot use --${name} with --${other}: ${why}`);
  };
  refuse("raw", "ids", "the prompt is either text or ids");
  for (const other of ["raw", "ids"]) {
    const why = "that takes the prompt as it is, without the chat template";
    for (const name of OF_TEMPLATE) refuse(name, other, why);
  }
  refuse("trace", "server", "a server does not tell what is mixed at each token");
}

/** The prompt that is given; all of stdin for "-", without its last line break; none where stdin is a conversation. */
async function promptText(args: Arguments): Promise<string | undefined> {
  if (args.flag("chat") && args.rest.length === 0) return undefined;
  const prompt = args.one("generate", "one prompt, in quotes,");
  if (prompt === "") throw new TypeError("Cannot generate as the prompt is empty");
  if (prompt !== "-") return prompt;
  if (args.flag("chat")) {
    throw new TypeError("Cannot use - with --chat: stdin holds the turns of the conversation");
  }
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

/** Refuses messages for a model that has no template, or whose template leaves the system message out. */
function checkTemplate(model: Model, system: string | undefined): void {
  if (model.remote) return; // it may have one of its own
  if (model.template === undefined) {
    throw new TypeError(
      `Cannot answer as ${model.id} has no chat template: --raw continues a text as it is`,
    );
  }
  if (system === undefined) return;
  const text = model.chat([{ role: "system", content: system }, { role: "user", content: "x" }]);
  if (!text.includes(system.trim())) {
    throw new TypeError(`Cannot use --system as the template of ${model.id} leaves it out`);
  }
}

/** What answers prompts as the arguments say, and tells of it. */
function answering(model: Model, method: Method, args: Arguments) {
  const chat = args.object("chat-template-kwargs"), settings = samplerOptions(args);
  const isQuiet = args.flag("json"), first = settings.seed ?? 0;
  const write = (text: string) => isQuiet || print(visible(text));
  const text = async (prompt: Prompt, seed: number, signal: AbortSignal): Promise<Generation> => {
    const known = { method, signal, ...settings, seed, ...given({ chat }) };
    if (model.remote) {
      const generation = await generate(model, prompt, known);
      write(generation.text);
      return generation;
    }
    const { maxLength } = model, { length } = promptTokens(model, prompt, chat);
    const room = maxLength - length + 1;
    if (args.flag("chat") && room < 1) {
      const why = `has ${length} tokens, and the context holds ${maxLength}: start another one`;
      throw new RangeError(`Cannot go on as the conversation ${why}`);
    }
    const most = Math.max(1, Math.min(MOST_TOKENS, room));
    const run = stream(model, prompt, { maxNewTokens: most, ...known });
    let next = await run.next();
    for (; !next.done; next = await run.next()) write(next.value.text);
    return next.value;
  };
  return async (prompt: Prompt, turn: number, signal: AbortSignal): Promise<Generation> => {
    const seed = first + turn, generation = await text(prompt, seed, signal);
    const { trace: _, ...untraced } = generation, isTraced = args.flag("trace");
    write("\n");
    say(`[${ending(model, generation)}]`);
    const of = { model, method, seed, ...given({ chat }) };
    if (isQuiet) print(`${answerJson(isTraced ? generation : untraced, of)}\n`);
    else if (isTraced) print(traceText(generation, method, model.tokenizer));
    return generation;
  };
}

await command(USAGE, { values: VALUES, flags: FLAGS, words: true }, async (args) => {
  checkTogether(args);
  checkServer(args);
  const chosen = methodOf(args), isChat = args.flag("chat"), system = args.value("system");
  args.object("chat-template-kwargs"); // refused before a model is loaded
  const prompt = await promptText(args), isMessages = !args.flag("ids") && !args.flag("raw");
  const id = args.value("model") ?? (args.value("server") ? undefined : "countdown-tiny");
  await using model = await openModel(id, args);
  if (isMessages) checkTemplate(model, system);
  const answer = answering(model, chosen(model.tokenizer), args);
  const messages: Message[] = [
    ...(system === undefined ? [] : [{ role: "system", content: system }]),
    ...(prompt === undefined ? [] : [{ role: "user", content: prompt }]),
  ];
  if (isChat) {
    const isTerminal = Deno.stdin.isTerminal();
    if (isTerminal) say("a line a turn; Ctrl-C ends an answer, Ctrl-D the conversation");
    const ready = () => void (isTerminal && Deno.stderr.writeSync(PROMPT));
    const how = await converse(stdinLines(), messages, { answer, signal: interruptSignal, ready });
    if (isTerminal) say("");
    if (how === "interrupted") Deno.exitCode = 130;
    return;
  }
  const asked: Prompt = args.flag("ids")
    ? numbers("ids", prompt!.trim().replaceAll(/\s+/g, ","))
    : isMessages
    ? messages
    : prompt!;
  const { finishReason } = await answer(asked, 0, interruptSignal());
  if (finishReason === "aborted") Deno.exitCode = 130;
});
