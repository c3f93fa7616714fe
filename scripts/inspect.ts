/** `deno task inspect`: what a model is, what it needs, and whether it loads. */

import manifest from "../deno.json" with { type: "json" };
import {
  type DecoderConfig,
  type Dtype,
  estimateMemory,
  loadModel,
  type LoadOptions,
  type Model,
  parseConfig,
  progressBar,
  quality,
  tableOf,
} from "../mod.ts";
import { counted } from "../lib/_counted.ts";
import { type GgufHeader, readHeader } from "../lib/model/gguf/header.ts";
import { isGguf } from "../lib/model/gguf/split.ts";
import { asksLlama } from "../lib/model/load.ts";
import { type DeviceCheck, DTYPES, kvBytesPerToken, type KvFormat } from "../lib/model/mod.ts";
import { placeOf } from "../lib/model/place.ts";
import { openSource } from "../lib/model/sources/mod.ts";
import { tryInChild } from "./_child.ts";
import { type Arguments, command, given, print, visible } from "./_cli.ts";
import { devicesText } from "./_devices.ts";
import { gib, textOf } from "./_table.ts";
import { loadedText } from "./_tasks.ts";

const USAGE = `
Prints what a model is: architecture, parameters, memory by number format, tokenizer, special tokens,
chat template, and whether it loads.

usage: deno task inspect ID|FOLDER|config.json [options]
       deno task inspect --devices

A file named …json is read as config.json alone: nothing is loaded. Of a GGUF file that llama.cpp reads
its header is printed, and the load is tried in a process of its own, as a damaged file may end it.

  --length N     tokens of context in the memory table (default: at most 8192)
  --slots N      sequences at once in the memory table (default: 1)
  --dtype NAME   number format to load (default: auto)
  --engine NAME  auto, onnxruntime, llama.cpp (default: auto)
  --device NAME  auto, cpu, webgpu, cuda, vulkan, metal (default: auto)
  --quality      also compares the load with fp32: KL and top-1 agreement on built-in prompts
  --no-load      does not load
  --in-process   loads what llama.cpp reads in this process
  --devices      instead of a model: the GPUs of this machine, and on which devices sessions start
  -h, --help     this text

example: deno task inspect votes-tiny
`;

function count(value: number): string {
  if (value < 1e6) return `${value}`;
  return value < 1e9 ? `${(value / 1e6).toFixed(1)} M` : `${(value / 1e9).toFixed(2)} B`;
}

/** Text with its escapes, its lines indented. */
const indented = (text: string) =>
  visible(JSON.stringify(text).slice(1, -1)).replaceAll("\\n", "\n  ");

/** What a config says, and the memory of its weights: in every number format, or as they are stored. */
function describe(
  config: DecoderConfig,
  args: Arguments,
  weights: readonly { readonly dtype: string; readonly bytes: number }[],
  { parameters, types, format = "fp32" }: {
    readonly parameters?: number;
    readonly types?: string;
    readonly format?: KvFormat;
  } = {},
): string {
  const { architecture, layers, hiddenSize, heads, kvHeads, headDim, vocabularySize } = config;
  const { maxPositions, longestPositions = maxPositions } = config;
  const length = args.number("length") ?? Math.min(maxPositions, 8192);
  const slots = args.number("slots") ?? 1, perToken = kvBytesPerToken(config, format);
  const kv = perToken * slots * length;
  const memory = tableOf(weights.map((one) => ({ ...one, kv, together: one.bytes + kv })), [
    { heading: "dtype", of: "dtype", width: 8 },
    { heading: "weights", of: "bytes", as: gib, width: 10 },
    { heading: "KV cache", of: "kv", as: gib, width: 10 },
    { heading: "together", of: "together", as: gib, width: 10 },
  ], {
    title: `memory for ${counted(slots, "sequence")} of ${length} tokens ` +
      `(${gib(perToken)} of keys and values per token${format === "fp32" ? "" : ` in ${format}`})`,
  });
  const more = longestPositions > maxPositions ? `, ${longestPositions} when asked for` : "";
  return [
    `architecture  ${architecture}: ${layers} layers (${config.kv.length} with attention), hidden ${hiddenSize}, ` +
    `${heads} heads of ${headDim} (${kvHeads} for keys and values)`,
    `vocabulary    ${vocabularySize}${
      config.tiedEmbeddings ? ", head tied to the embeddings" : ""
    }`,
    `context       ${maxPositions} tokens${more}`,
    parameters === undefined
      ? "parameters    as an ONNX export stores them"
      : `parameters    ${count(parameters)}`,
    ...(types === undefined ? [] : [`stored as     ${types}`]),
    "",
    textOf(memory),
    "",
  ].join("\n");
}

/** The same from config.json alone. */
function describeConfig(config: DecoderConfig, args: Arguments): string {
  const options = given({ length: args.number("length"), slots: args.number("slots") });
  const of = (dtype: Dtype) => estimateMemory(config, { dtype, ...options });
  const weights = DTYPES.map((dtype) => ({ dtype, bytes: of(dtype).weightsBytes }));
  return describe(config, args, weights, { parameters: of("fp32").parameters });
}

/** The same of a GGUF file that llama.cpp reads, from its header alone. */
function describeHeader({ config, parameters, bytes, types }: GgufHeader, args: Arguments): string {
  const shares = types.map((one) =>
    `${one.type} ${gib(one.bytes)} in ${counted(one.tensors, "tensor")}`
  );
  const known = { parameters, types: shares.join(", "), format: "fp16" } as const;
  return describe(config, args, [{ dtype: "native", bytes }], known);
}

const MESSAGES = [{ role: "user", content: "What is 17 + 25?" }];

function describeText(model: Model): string {
  const { tokenizer } = model;
  const lines: string[] = [];
  try {
    const sample = "What is 17 + 25?", ids = tokenizer.encode(sample);
    lines.push(`tokenizer     ${JSON.stringify(sample)} is ${ids.length} tokens: ${ids.join(" ")}`);
    const ends = tokenizer.eosTokenIds.map((id) => `${id} ${indented(tokenizer.decode([id]))}`);
    lines.push(`end of text   ${ends.join(", ") || "none"}`);
  } catch (error) {
    lines.push(`tokenizer     none: ${(error as Error).message}`);
  }
  try {
    lines.push("chat template", `  ${indented(model.chat(MESSAGES))}`);
  } catch (error) {
    lines.push(`chat template none: ${(error as Error).message}`);
  }
  const defaults = Object.entries(model.defaults).map(([name, value]) => `${name} ${value}`);
  lines.push(`recommended   ${defaults.join(", ") || "nothing"}`);
  for (const note of model.notes ?? []) lines.push(`note          ${note}`);
  return lines.join("\n");
}

/** Prompts of ids, where the model has no tokenizer, or of text. */
function prompts(model: Model): number[][] {
  const { vocabularySize } = model.config;
  try {
    const texts = [
      "The capital of France is",
      "def fibonacci(n):",
      "Using the numbers [12, 11, 8], create an equation that equals 36.",
    ];
    const asked = texts.map((content) => model.chat([{ role: "user", content }]));
    const all = asked.map((text) => model.tokenizer.encode(text));
    return all.filter((ids) => ids.length <= model.maxLength);
  } catch {
    const id = (row: number, i: number) => (i * 7919 + row * 104729 + 31) % vocabularySize;
    return [0, 1, 2, 3].map((row) => Array.from({ length: 32 }, (_, i) => id(row, i)));
  }
}

/** What a device was found to compute. */
function checkText({ chunk, worst, isBatchExact }: DeviceCheck): string {
  const distance = worst?.toExponential(1);
  return `prompts in chunks of ${chunk}` +
    (distance === undefined ? "" : `, attention within ${distance} of the CPU's`) +
    `; a row ${isBatchExact ? "is the same alone and in a batch" : "depends on its batch"}`;
}

const OPTIONS = {
  values: ["length", "slots", "dtype", "engine", "device"],
  flags: ["quality", "no-load", "devices", "in-process"],
  words: true,
};

/** Refuses what says nothing about devices. */
function checkDevicesAlone(args: Arguments): void {
  const options = [
    ...OPTIONS.values.filter((name) => args.value(name) !== undefined),
    ...OPTIONS.flags.filter((name) => name !== "devices" && args.flag(name)),
  ];
  const [other] = [...args.rest, ...options.map((name) => `--${name}`)];
  if (other === undefined) return;
  throw new TypeError(
    `Cannot list devices as nothing else may be given: current value is ${other}`,
  );
}

/** Prints what is known of a model once it is loaded. */
async function describeLoaded(
  id: string,
  load: () => Promise<Model>,
  options: LoadOptions,
  args: Arguments,
): Promise<void> {
  const start = performance.now();
  await using model = await load();
  const seconds = ((performance.now() - start) / 1000).toFixed(2);
  print(`${describeText(model)}\n`);
  const { dtype, memory } = model, size = gib(memory.weightsBytes);
  print(`loads         ${loadedText(model)} in ${seconds} s, ${size}\n`);
  for (const { engine, device, dtype, ms, why = "taken" } of model.attempts ?? []) {
    const what = `${device}${dtype ? ` in ${dtype}` : ""}${engine ? ` by ${engine}` : ""}`;
    const outcome = ms === undefined ? why : `${ms.toFixed(2)} ms for a step of 8 rows, 2 layers`;
    print(`tried         ${what}: ${visible(outcome)}\n`);
  }
  if (model.checked) print(`checked       ${checkText(model.checked)}\n`);
  if (!args.flag("quality")) return;
  const others = model.versions?.onnxruntime === undefined
    ? { engine: "onnxruntime", device: "cpu" } as const // the exact numbers are its own
    : {};
  await using exact = await loadModel(id, { ...options, ...others, dtype: "fp32" });
  const { meanKl, maxKl, top1Agreement, positions } = await quality(model, exact, prompts(model));
  const mean = meanKl.toExponential(2), largest = maxKl.toExponential(2);
  print(
    `quality       KL(fp32 ‖ ${dtype}) mean ${mean}, largest ${largest} nats; ` +
      `top-1 agreement ${(100 * top1Agreement).toFixed(1)} % of ${positions} positions\n`,
  );
}

/** Prints what a model's files say, and loads it by ONNX Runtime. */
async function inspectSource(id: string, place: string, options: LoadOptions, args: Arguments) {
  using source = await openSource(place, options.dtype);
  const { config, stored } = source;
  print(stored ? describe(config, args, [stored]) : describeConfig(config, args));
  if (args.flag("no-load")) return;
  const load = () => loadModel({ ...source, id }, options); // named as it was asked for
  await describeLoaded(id, load, options, args);
}

/** Runs this command again in a process of its own, with what the task grants. */
async function inspectInChild(): Promise<void> {
  const own = Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args;
  const [, ...command] = manifest.tasks.inspect.command.split(" ");
  await tryInChild(
    [...command.slice(0, -1), "--quiet", import.meta.filename!, "--in-process", ...own],
    { env: { GGML_NO_BACKTRACE: "1" } }, // it would start a debugger
  );
}

/** Prints what the header of a GGUF file says, and tries the load in a process of its own. */
async function inspectHeader(id: string, place: string, options: LoadOptions, args: Arguments) {
  if (!args.flag("no-load") && !args.flag("in-process")) return await inspectInChild();
  print(describeHeader(readHeader(place), args));
  if (!args.flag("no-load")) await describeLoaded(id, () => loadModel(id, options), options, args);
}

await command(USAGE, OPTIONS, async (args) => {
  if (args.flag("devices")) {
    checkDevicesAlone(args);
    print(await devicesText());
    return;
  }
  const id = args.one("inspect", "one id or folder");
  if (id.endsWith(".json")) {
    print(describeConfig(parseConfig(await Deno.readTextFile(id)), args));
    return;
  }
  await using bar = progressBar({ label: id });
  const names = ["dtype", "engine", "device"];
  const options: LoadOptions = {
    onProgress: bar.update,
    ...given(Object.fromEntries(names.map((name) => [name, args.value(name)]))),
  };
  const place = await placeOf(id, options), all = [id, place, options, args] as const;
  if (isGguf(place) && (asksLlama(options) || args.flag("in-process"))) {
    return await inspectHeader(...all);
  }
  try {
    await inspectSource(...all);
  } catch (error) {
    const isOther = !isGguf(place) || (options.engine ?? "auto") !== "auto";
    if (isOther || !(error instanceof SyntaxError)) throw error;
    await inspectHeader(...all);
  }
});
