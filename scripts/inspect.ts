/** `deno task inspect`: what a model is, what it needs, and whether it loads. */

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
import { type DeviceCheck, DTYPES, kvBytesPerToken } from "../lib/model/mod.ts";
import { placeOf } from "../lib/model/place.ts";
import { openSource } from "../lib/model/sources/mod.ts";
import { type Arguments, command, given, print, visible } from "./_cli.ts";
import { devicesText } from "./_devices.ts";
import { gib, textOf } from "./_table.ts";

const USAGE = `
Prints what a model is: architecture, parameters, memory by number format, tokenizer, special tokens,
chat template, and whether it loads.

usage: deno task inspect ID|FOLDER|config.json [options]
       deno task inspect --devices

A file named …json is read as config.json alone: nothing is loaded.

  --length N     tokens of context in the memory table (default: at most 8192)
  --slots N      sequences at once in the memory table (default: 1)
  --dtype NAME   number format to load (default: auto)
  --device NAME  auto, cpu, webgpu, cuda (default: auto)
  --quality      also compares the load with fp32: KL and top-1 agreement on built-in prompts
  --no-load      does not load
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
  parameters?: number,
): string {
  const { architecture, layers, hiddenSize, heads, kvHeads, headDim, vocabularySize } = config;
  const { maxPositions, longestPositions = maxPositions } = config;
  const length = args.number("length") ?? Math.min(maxPositions, 8192);
  const slots = args.number("slots") ?? 1, perToken = kvBytesPerToken(config);
  const kv = perToken * slots * length;
  const memory = tableOf(weights.map((one) => ({ ...one, kv, together: one.bytes + kv })), [
    { heading: "dtype", of: "dtype", width: 8 },
    { heading: "weights", of: "bytes", as: gib, width: 10 },
    { heading: "KV cache", of: "kv", as: gib, width: 10 },
    { heading: "together", of: "together", as: gib, width: 10 },
  ], {
    title: `memory for ${counted(slots, "sequence")} of ${length} tokens ` +
      `(${gib(perToken)} of keys and values per token)`,
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
  return describe(config, args, weights, of("fp32").parameters);
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
  values: ["length", "slots", "dtype", "device"],
  flags: ["quality", "no-load", "devices"],
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
  const options: LoadOptions = {
    onProgress: bar.update,
    ...given({
      dtype: args.value("dtype") as LoadOptions["dtype"],
      device: args.value("device") as LoadOptions["device"],
    }),
  };
  const start = performance.now();
  using source = await openSource(await placeOf(id, options), options.dtype);
  const { config, stored } = source;
  print(stored ? describe(config, args, [stored]) : describeConfig(config, args));
  if (args.flag("no-load")) return;
  await using model = await loadModel({ ...source, id }, options); // named as it was asked for
  const seconds = ((performance.now() - start) / 1000).toFixed(2);
  print(`${describeText(model)}\n`);
  const { dtype, device, memory } = model, size = gib(memory.weightsBytes);
  print(`loads         ${dtype} on ${device} in ${seconds} s, ${size}\n`);
  for (const { device, dtype, ms, why } of model.attempts ?? []) {
    const outcome = ms === undefined ? why : `${ms.toFixed(2)} ms for a step of 8 rows, 2 layers`;
    print(`tried         ${device}${dtype ? ` in ${dtype}` : ""}: ${outcome}\n`);
  }
  if (model.checked) print(`checked       ${checkText(model.checked)}\n`);
  if (!args.flag("quality")) return;
  await using exact = await loadModel(id, { ...options, dtype: "fp32" });
  const { meanKl, maxKl, top1Agreement, positions } = await quality(model, exact, prompts(model));
  const mean = meanKl.toExponential(2), largest = maxKl.toExponential(2);
  print(
    `quality       KL(fp32 ‖ ${dtype}) mean ${mean}, largest ${largest} nats; ` +
      `top-1 agreement ${(100 * top1Agreement).toFixed(1)} % of ${positions} positions\n`,
  );
});
