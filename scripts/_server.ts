/** Models behind servers on command lines: how one is opened, and what a study on it takes. */

import {
  loadModel,
  type Method,
  type Model,
  samplerOf,
  serverModel,
  type Shard,
  tableOf,
} from "../mod.ts";
import { gib } from "../lib/_gib.ts";
import { type Arguments, commandLine, given, print, say } from "./_cli.ts";
import {
  bandwidthOf,
  costOf,
  duration,
  gainText,
  sizeOf,
  sizeText,
  tokensText,
} from "./_dry_run.ts";
import { textOf } from "./_table.ts";
import { LOAD_VALUES, loadOptions } from "./_tasks.ts";

/** Names of the options that {@linkcode openModel} reads. */
export const SERVER_VALUES = ["server", "tokenizer", "key", "gpus"] as const;

/** What the usage texts say of them. */
export const SERVER_USAGE =
  `  --server URL          asks a server instead of loading the model here: deno task serve, vLLM
                        with the plugin moi-vllm, or for standard decoding any of OpenAI's kind
  --tokenizer ID        where tokenizer and template are, if not under the model's name: an
                        embedded name, a folder, a name on the hub; none sends texts as they are
  --key TEXT            the server's API key (default: MOI_SERVER_KEY, else none)`;

/** Refuses options that go only with a server, or not with one. */
export function checkServer(args: Arguments): void {
  const isServed = args.value("server") !== undefined, isDry = args.flag("dry-run");
  const refuse = (names: readonly string[], why: string) => {
    const name = names.find((name) => args.value(name) !== undefined);
    if (name !== undefined) throw new TypeError(`Cannot use --${name} ${why}`);
  };
  if (!isDry) refuse(["bandwidth"], "without --dry-run");
  if (!isServed) return refuse(SERVER_VALUES, "without --server");
  refuse(LOAD_VALUES, "with --server: that is the server's to choose");
  if (!isDry) refuse(["gpus"], "without --dry-run");
  else if (args.value("model") === undefined) {
    throw new TypeError("Cannot sweep as --model must be given with --dry-run --server");
  }
}

/** Opens a model: behind the server that is named (there its only one unless it is named), else here. */
export async function openModel(id: string | undefined, args: Arguments): Promise<Model> {
  const url = args.value("server"), tokenizer = args.value("tokenizer");
  if (url === undefined) return await loadModel(id!, loadOptions(args));
  const key = args.value("key") ?? (Deno.env.get("MOI_SERVER_KEY") || undefined);
  return await serverModel({
    ...{ url, onRetry: (note) => say(note) },
    ...given({ model: id, key, concurrency: args.number("slots") }),
    ...given({ tokenizer: tokenizer === "none" ? null : tokenizer }),
  });
}

/** The methods without those that the model's server does not know, unless these are all that mix. */
export function knownMethods(
  { remote, device }: Model,
  methods: Readonly<Record<string, Method>>,
): Record<string, Method> {
  const isKnown = ({ name, parameters = {} }: Method) => {
    const method = { name, parameters }, sampler = { ...samplerOf() };
    const rest = { maxNewTokens: 1, stop: [], seed: 0, ignoreEos: false };
    try {
      remote?.check({ prompt: [0], method, sampler, ...rest });
      return true;
    } catch {
      return false;
    }
  };
  const { known = [], unknown = [] } = Object.groupBy(
    Object.entries(methods),
    ([, method]) => isKnown(method) ? "known" : "unknown",
  );
  if (unknown.length === 0 || known.length < 2) return { ...methods };
  say(`${unknown.map(([key]) => key).join(", ")}: left out, as ${device} does not know them`);
  return Object.fromEntries(known);
}

/** Texts asked for at once, as rows of the table. */
const AT_ONCE = [32, 64, 128, 256];

/** Bytes a second of one GPU unless it is said: an H100 SXM's by its data sheet, in GB/s. */
const H100 = 3350;

/** The arguments of this command without some options that have values, and without flags. */
function without(values: readonly string[], flags: readonly string[]): string[] {
  const args = [...Deno.args], named = (name: string) => `--${name}`;
  return args.filter((arg, i) => {
    const isValue = i > 0 && values.map(named).includes(args[i - 1]!);
    return !isValue && !flags.map(named).includes(arg) &&
      !values.some((name) => arg === named(name) || arg.startsWith(`${named(name)}=`));
  });
}

/** Prints what a study on a server takes, which need not exist: tokens, hours, and the two commands. */
export async function dryServerRun(
  id: string,
  name: string,
  methods: number,
  args: Arguments,
  shard: Shard | undefined,
): Promise<void> {
  const size = await sizeOf(args.value("tokenizer") ?? id, name, methods, args, shard);
  if (size.stored !== undefined) {
    const rule = "must name a folder or a model of the hub, whose config.json tells its shape";
    throw new TypeError(`Cannot tell what a server needs as --tokenizer ${rule}: ${id} has none`);
  }
  const { share, repeats, how, maxNewTokens, config, tokens } = size;
  if (share === 0) {
    print(`${sizeText(size)}\n`);
    return;
  }
  const gpus = args.number("gpus") ?? 1, each = bandwidthOf(args) ?? H100;
  const asked = args.number("slots") ?? AT_ONCE[0]!, runs = share * methods * repeats;
  const rows = [...new Set([...AT_ONCE, asked])].filter((slots) => slots === asked || slots <= runs)
    .sort((a, b) => a - b).map((slots) => {
      // numbers of bf16 have half of the bytes of fp32: the same as twice the bandwidth
      const cost = costOf(size, { slots, dtype: "fp32", bandwidth: 2 * gpus * each * 1e9 });
      const weights = cost.weightsBytes / 2, kv = cost.kvBytes / 2;
      return { ...cost, slots, weights, kv, gpu: (weights + kv) / gpus };
    });
  const table = tableOf(rows, [
    { heading: "at once", of: "slots", width: 8 },
    { heading: "weights", of: "weights", as: gib, width: 12 },
    { heading: "KV", of: "kv", as: gib, width: 12 },
    { heading: "each GPU", of: "gpu", as: gib, width: 12 },
    { heading: "time, at least", of: "seconds", as: duration, width: 15 },
  ]);
  const length = Math.min(config.maxPositions, Math.ceil(1.5 * tokens) + maxNewTokens);
  const server = args.value("server")!, url = server === "none" ? "http://localhost:8000" : server;
  const others = without([...SERVER_VALUES, "model", "bandwidth", "slots"], ["dry-run"]);
  const tokenizer = args.value("tokenizer");
  const own = ["--server", url, "--model", id, "--slots", `${asked}`];
  print([
    `${sizeText(size)}, by a server on ${gpus} GPUs`,
    how,
    tokensText(size, rows[0]!),
    textOf(table),
    `time: every step reads weights, keys and values once, all of them in bf16, at ${gpus} × ${each} GB/s ` +
    `(${
      args.value("bandwidth") === undefined ? "an H100 SXM's data sheet; --bandwidth" : "given"
    }), ` +
    "all runs at full length, and so many at once to the end; arithmetic, prompts, the traffic between " +
    "GPUs and the mixing itself come on top, and were measured on no GPU",
    gainText(size),
    `server: VLLM_PLUGINS=moi vllm serve ${id} --tensor-parallel-size ${gpus} --max-model-len ${length} ` +
    `--max-num-seqs ${asked} --generation-config vllm`,
    `study:  ${
      commandLine("sweep", [...own, ...(tokenizer ? ["--tokenizer", tokenizer] : []), ...others])
    }`,
    ...(args.value("methods") === undefined
      ? ["left out of the grid: what the server does not know (moi-vllm: the random controls)"]
      : []),
    "",
  ].join("\n"));
}
