/** What a sweep would cost, printed before anything runs. */

import {
  type DecoderConfig,
  estimateStudy,
  type Message,
  minimumDetectableGain,
  parseConfig,
  tableOf,
  TASKS,
} from "../mod.ts";
import { downloadModel } from "../lib/model/mod.ts";
import { measuredBandwidth, type StudySize } from "../lib/study/mod.ts";
import { checkNumber } from "../lib/_check.ts";
import { gib } from "../lib/_gib.ts";
import { type Shard, shardOf, shardText } from "../lib/study/shard.ts";
import { readHeader } from "../lib/model/gguf/header.ts";
import { isGguf } from "../lib/model/gguf/split.ts";
import { asksLlama } from "../lib/model/load.ts";
import { placeOf } from "../lib/model/place.ts";
import { configText } from "../lib/model/sources/mod.ts";
import { type Arguments, given, print } from "./_cli.ts";
import { textOf } from "./_table.ts";
import { type AnyTask, loadOptions, taskOf } from "./_tasks.ts";

/** Problems of benchmarks whose source is not at hand. */
const KNOWN: Readonly<Record<string, number>> = {
  ...{ gsm8k: 1319, math500: 500, aime: 90, amc: 83, gpqaDiamond: 198 },
  ...{ humanEval: 164, mbpp: 257, liveCodeBench: 511 },
};
/** Tokens of a prompt where it is not at hand; characters of a token where there is no tokenizer. */
const USUAL_PROMPT = 200, CHARACTERS = 4;

/** What is known of a model before it is loaded. */
interface Known {
  readonly config: DecoderConfig;
  /** Bytes of its weights, of a file that llama.cpp reads as they are. */
  readonly stored?: number;
}

/**
 * Shape of a model: of a folder, a GGUF file or an embedded model as `loadModel` finds them, or of the
 * hub, from its `config.json` alone; and of a file that llama.cpp reads the bytes of its weights.
 */
async function shapeOf(id: string, args: Arguments): Promise<Known> {
  const { revision, ...options } = loadOptions(args), { engine = "auto" } = options;
  const isThere = await Deno.stat(id).then(() => true, () => false);
  if (!isThere && isGguf(id) && !id.startsWith("file:")) {
    throw new Deno.errors.NotFound(
      `Cannot tell the shape of ${id} as there is no such file; one of the hub must be downloaded ` +
        "first: its shape is in the file itself",
    );
  }
  const place = await placeOf(
    id,
    given({ revision }),
    (id, options) => downloadModel(id, { ...options, files: ["config.json"] }),
  );
  const ofHeader = () => {
    const { config, bytes } = readHeader(place);
    return { config, stored: bytes };
  };
  if (isGguf(place) && asksLlama(options)) return ofHeader();
  try {
    return { config: parseConfig(await configText(place)) };
  } catch (error) {
    if (!isGguf(place) || engine !== "auto" || !(error instanceof SyntaxError)) throw error;
    return ofHeader();
  }
}

/**
 * Number of problems, how many of them are in the shard, mean length of their prompts, and how these are
 * known.
 */
async function problemsOf(
  task: AnyTask | undefined,
  name: string,
  shard: Shard | undefined,
  limit = Infinity,
) {
  if (!task) {
    const count = Math.min(KNOWN[name] ?? 100, limit), tokens = USUAL_PROMPT;
    const how = `no source: ${count} problems and prompts of ${tokens} tokens assumed`;
    return { count, share: Math.ceil(count / (shard?.count ?? 1)), tokens, how };
  }
  const problems = await task.problems(), count = problems.length;
  const isOwn = (id: string) => !shard || shardOf(id, shard.count) === shard.index;
  const share = problems.filter(({ id }) => isOwn(id)).length;
  const textOf = (prompt: string | readonly Message[]) =>
    typeof prompt === "string" ? prompt : prompt.map(({ content }) => content).join("\n");
  const length = problems.reduce((sum, problem) => sum + textOf(task.prompt(problem)).length, 0);
  const tokens = Math.max(1, length / Math.max(1, count) / CHARACTERS);
  const how = `prompts of ${tokens.toFixed(0)} tokens, at ${CHARACTERS} characters a token`;
  return { count, share, tokens, how };
}

export function duration(seconds: number): string {
  const units = [[86400, "days"], [3600, "hours"], [60, "minutes"], [1, "seconds"]] as const;
  const [size, name] = units.find(([size]) => seconds >= 2 * size) ?? [1, "seconds"];
  return `${(seconds / size).toFixed(1)} ${name}`;
}

/** How large a study is that a command asks for, and how that is known. */
export async function sizeOf(
  id: string,
  name: string,
  methods: number,
  args: Arguments,
  shard: Shard | undefined,
) {
  const hasSource = !TASKS[name]?.needsSource || args.value("source") !== undefined;
  const limit = args.number("problems") ?? args.number("limit");
  const task = hasSource ? taskOf(name, args, id, 500) : undefined;
  const { defaults } = task ?? TASKS[name]!.make({ source: "problems.jsonl" });
  const repeats = args.number("repeats") ?? 1;
  const maxNewTokens = args.number("max-new-tokens") ?? defaults?.maxNewTokens ?? 256;
  const shape = await shapeOf(id, args), usual = shape.stored === undefined ? "fp32" : "fp16";
  const kv = loadOptions(args).kv ?? usual;
  const part = shard ? `${shardText(shard)} of ${id} on ${name}` : `${id} on ${name}`;
  const known = { part, shard, ...shape, kv, methods, repeats, maxNewTokens };
  return { ...known, ...await problemsOf(task, name, shard, limit) };
}

type Size = Awaited<ReturnType<typeof sizeOf>>;

/** What a study, or its shard, consists of. */
export function sizeText({ part, share, count, shard, methods, repeats }: Size): string {
  const problems = shard ? `${share} of ${count} problems` : `${count} problems`;
  const runs = share * methods * repeats, what = runs === 0 ? ": nothing to do" : ` = ${runs} runs`;
  return `${part}: ${problems} × ${methods} methods × ${repeats} repeats${what}`;
}

/** Its tokens. */
export function tokensText(
  { maxNewTokens }: Size,
  { promptTokens, newTokens }: { readonly promptTokens: number; readonly newTokens: number },
): string {
  const prompts = Math.round(promptTokens);
  return `tokens        ${prompts} of prompts, up to ${newTokens} new (${maxNewTokens} a run)`;
}

/** What it costs, with so many texts at once, in a number format, at so many bytes a second. */
export function costOf(
  { config, stored, kv, share, tokens, maxNewTokens, methods, repeats }: Size,
  how: Required<Pick<StudySize, "slots" | "dtype" | "bandwidth">>,
) {
  const known = { config, kv, ...given({ weightsBytes: stored }) };
  const size = { problems: share, promptTokens: tokens, maxNewTokens, methods, repeats };
  return estimateStudy({ ...known, ...size, ...how });
}

/** What the whole study could find. */
export function gainText({ count, repeats, methods, shard }: Size): string {
  const discordance = 0.2, comparisons = Math.max(1, methods - 1);
  const gain = minimumDetectableGain({ problems: count, repeats, discordance, comparisons });
  return `smallest gain that ${shard ? "the whole" : "such a"} study finds with 80 % power: ` +
    `${(100 * gain).toFixed(1)} points ` +
    `(if ${100 * discordance} % of pairs disagree, over ${comparisons} comparisons)`;
}

/** GB/s that are told, if any are. */
export function bandwidthOf(args: Arguments): number | undefined {
  const rule = { min: 0, exclusiveMin: true }, told = args.number("bandwidth");
  if (told === undefined) return undefined;
  return checkNumber("estimate the study", "--bandwidth", told, rule);
}

/**
 * Prints tokens, memory and time of a study with so many methods, or of one of its shards, and what the whole
 * study could find.
 */
export async function dryRun(
  id: string,
  name: string,
  methods: number,
  args: Arguments,
  shard: Shard | undefined,
): Promise<void> {
  const size = await sizeOf(id, name, methods, args, shard);
  const { share, how, repeats } = size;
  const told = bandwidthOf(args), title = sizeText(size);
  if (share === 0) {
    print(`${title}\n`);
    return;
  }
  const bandwidth = told === undefined ? measuredBandwidth() : 1e9 * told;
  const slots = Math.min(args.number("slots") ?? 64, share * methods * repeats);
  const isStored = size.stored !== undefined;
  const rows = (isStored ? ["fp32"] as const : ["fp32", "int8", "int4"] as const).map((dtype) => {
    const cost = costOf(size, { slots, dtype, bandwidth });
    const together = cost.weightsBytes + cost.kvBytes;
    return { ...cost, dtype: isStored ? "native" : dtype, together };
  });
  const table = tableOf(rows, [
    { heading: "dtype", of: "dtype", width: 8 },
    { heading: "weights", of: "weightsBytes", as: gib, width: 13 },
    { heading: `KV of ${slots}`, of: "kvBytes", as: gib, width: 13 },
    { heading: "together", of: "together", as: gib, width: 13 },
    { heading: "time, at least", of: "seconds", as: duration, width: 13 },
  ]);
  const rate = (bandwidth / 1e9).toFixed(0);
  const source = told === undefined
    ? "measured here by copying; --bandwidth tells another"
    : "given";
  print([
    title,
    how,
    tokensText(size, rows[0]!),
    textOf(table),
    ...(isStored ? ["KV: by llama.cpp, which adds up to 255 positions to those of each text"] : []),
    `time: every step reads weights, keys and values once, at ${rate} GB/s (${source}), ` +
    "all runs at full length; arithmetic and prompts come on top",
    gainText(size),
    "",
  ].join("\n"));
}
