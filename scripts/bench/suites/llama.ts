/**
 * Both engines of this toolkit on one GGUF file, llama.cpp over ONNX Runtime: what loading takes, a prompt,
 * steps of mixtures alone and in batches, and what mixing the whole vocabulary costs in each.
 *
 * Both take the same inputs in the same process through the same `KvCache`, both have threads that live on
 * between runs, and the rows are of caches: what samples above them is the same. They differ in their kernels
 * and in keys and values, which each keeps as it does by default: in float32, and llama.cpp in float16.
 *
 * With one thread times are processor times, which other processes lengthen little. With two they are those of a
 * clock: threads of llama.cpp spin while they wait for one another, so that a step beside a busy process takes many
 * times as long. What was disturbed is measured again, and a row says how busy others still were at the most.
 *
 * The real model is SmolLM2-135M-Instruct (Q4_1), which `scripts/real_model.sh DIR` gets; `MOI_REAL_MODEL=DIR`
 * names its folder.
 */

import { join } from "node:path";
import { type Input, loadModel, type LoadOptions, type Model } from "../../../lib/model/mod.ts";
import type { Bench } from "../bench.ts";
import { promptOf } from "../prompts.ts";
import {
  besideOthers,
  clocked,
  digits,
  medianTime,
  paired,
  processed,
  processorNow,
  ratioOf,
  type Row,
} from "../rows.ts";
import { makeModel } from "../weights.ts";
import { measured, type Memory } from "./memory.ts";
import { mixingCost } from "./methods.ts";

/** A file, and where its rows belong. */
interface File {
  readonly suite: string;
  readonly model: string;
  readonly path: string;
  readonly cacheDir: string;
  readonly batches: readonly number[];
}

/** Tokens of the longer prompt, and entries of a mixture. */
const LONG = 1024, ENTRIES = 64;
/** Times that a disturbed measurement is made again, and how long to wait before. */
const TRIES = 40, WAIT_MS = 500;
/** Part of a core that others may take of those that are needed. */
const MOST_BUSY = 0.1;

/** Measures while enough cores are free, else throws; keeps how busy others were at the most. */
function quietly(threads: number, { quick }: Bench) {
  const most = navigator.hardwareConcurrency - threads + MOST_BUSY;
  const quiet = {
    busiest: 0,
    measure: (work: () => Promise<number>) => async (): Promise<number> => {
      const isStrict = threads > 1 && !quick;
      for (let tries = 1;; tries++) {
        const { value, busy } = await besideOthers(work);
        if (!isStrict || !(busy > most)) {
          quiet.busiest = Math.max(quiet.busiest, busy);
          return value;
        }
        if (tries === TRIES) throw new Error(`other processes keep ${digits(busy)} cores busy`);
        await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      }
    },
  };
  return quiet;
}

/** Some row's mixture of many tokens. */
function mixtureOf(row: number, vocabularySize: number): Input {
  return {
    ids: promptOf(ENTRIES, vocabularySize, 31 * row),
    weights: Array(ENTRIES).fill(1 / ENTRIES),
  };
}

/** Opens a batch after a prompt; milliseconds of its steps, the median of some. */
async function openSteps(model: Model, batch: number, context: number, clock: typeof clocked) {
  const STEPS = 12, { vocabularySize } = model.config;
  const cache = model.openCache({ slots: batch, length: context + STEPS });
  await cache.prefill(0, 0, promptOf(context, vocabularySize), "last");
  for (let row = 1; row < batch; row++) await cache.copy(0, row, context);
  const inputs = Array.from({ length: batch }, (_, row) => mixtureOf(row, vocabularySize));
  return {
    times: () =>
      medianTime(STEPS, (i) => cache.step(inputs, Array(batch).fill(context + i)), clock),
    [Symbol.dispose]: () => cache[Symbol.dispose](),
  };
}

/** Milliseconds that a prompt takes. */
async function prefillTime(model: Model, clock: typeof clocked): Promise<number> {
  using cache = model.openCache({ slots: 1, length: LONG });
  const prompt = promptOf(LONG, model.config.vocabularySize);
  return await clock(() => cache.prefill(0, 0, prompt, "last"));
}

const optionsOf = (cacheDir: string, threads?: number) => {
  const common = { device: "cpu", ...(threads && { threads }) } as const;
  return {
    onnx: { ...common, engine: "onnxruntime", dtype: "native", cacheDir },
    llama: { ...common, engine: "llama.cpp" },
  } as const satisfies Record<string, LoadOptions>;
};

/** Loading and peak memory, each in a process of its own. */
async function compareLoads(
  bench: Bench,
  { path, cacheDir, batches: _, ...place }: File,
): Promise<void> {
  const { onnx, llama } = optionsOf(cacheDir, 1), told: Memory[][] = [[], []];
  const seconds = (options: LoadOptions, who: number) => async () => {
    const own = await measured(path, options);
    told[who]!.push(own);
    return own.seconds;
  };
  const pair = await paired(bench.rounds, seconds(onnx, 0), seconds(llama, 1));
  const row = (what: string, more: Omit<Row, "what" | "suite" | "model">) =>
    bench.row({ what: `llama.cpp / ONNX Runtime, ${what}`, ...place, threads: 1, ...more });
  row("load", {
    ...ratioOf(pair),
    detail: `${digits(pair.b.median)} / ${digits(pair.a.median)} s`,
  });
  if (Deno.build.os !== "linux") return; // it is read from /proc
  const [a, b] = told.map((all) => Math.max(...all.map(({ peak }) => peak)) / 1e6) as [
    number,
    number,
  ];
  const peak = { median: b / a, low: b / a, high: b / a };
  const detail = `${b.toFixed(0)} / ${a.toFixed(0)} MB`;
  row("peak memory", { context: LONG, unit: "×", ...peak, detail });
}

/** Prompts, steps and mixing with some threads. */
async function compareSteps(bench: Bench, file: File, threads: number): Promise<void> {
  const { path, cacheDir, batches, ...place } = file, asked = optionsOf(cacheDir, threads);
  const maxLength = LONG + 256, clock = threads === 1 ? processed : clocked;
  await using onnx = await loadModel(path, { ...asked.onnx, maxLength, spinning: true });
  await using llama = await loadModel(path, { ...asked.llama, maxLength });
  const row = async (
    what: string,
    where: Pick<Row, "batch" | "context">,
    times: readonly [onnx: () => Promise<number>, llama: () => Promise<number>],
  ) => {
    const quiet = quietly(threads, bench), [a, b] = times.map(quiet.measure);
    const { detail, ...ratio } = ratioOf(await paired(bench.rounds, a!, b!));
    const said = `${detail}, others ${digits(quiet.busiest)} cores`;
    bench.row({
      ...{ what: `llama.cpp / ONNX Runtime, ${what}`, ...place, ...where, threads },
      ...{ ...ratio, detail: said },
    });
  };
  for (const context of bench.quick ? [64] : [64, LONG]) {
    for (const batch of bench.quick ? [1, 8] : batches) {
      using own = await openSteps(onnx, batch, context, clock);
      using other = await openSteps(llama, batch, context, clock);
      await row("a step", { batch, context }, [own.times, other.times]);
    }
  }
  if (!bench.quick) {
    const prompts = [() => prefillTime(onnx, clock), () => prefillTime(llama, clock)] as const;
    await row("a prompt", { batch: 1, context: LONG }, prompts);
  }
  if (threads > 1) return;
  for (const [name, model] of [["ONNX Runtime", onnx], ["llama.cpp", llama]] as const) {
    const what = `MoI whole vocabulary / standard, ${name}`, batch = 8;
    const pair = await mixingCost(bench, model, batch, 0, processorNow);
    bench.row({ what, ...place, batch, context: 64, threads, ...ratioOf(pair) });
  }
}

async function compare(bench: Bench, file: File): Promise<void> {
  try {
    await compareLoads(bench, file);
  } catch (error) {
    bench.note(`llama.cpp was not measured: ${(error as Error).message}`);
    return;
  }
  for (const threads of [1, 2]) {
    await compareSteps(bench, file, threads).catch(({ message }: Error) =>
      bench.note(`${file.model} with ${threads} threads was not measured further: ${message}`)
    );
  }
}

/** A real file. */
export async function gguf(bench: Bench): Promise<void> {
  const folder = Deno.env.get("MOI_REAL_MODEL");
  if (folder === undefined) {
    bench.note("gguf was not measured: MOI_REAL_MODEL names no folder");
    return;
  }
  const path = join(folder, "smollm2-135m-instruct.Q4_1.gguf"), cacheDir = join(folder, "cache");
  const batches = [1, 8, 32];
  await compare(bench, { suite: "gguf", model: "SmolLM2-135M Q4_1", path, cacheDir, batches });
}

/** Random Q4_0 blocks in the shape of Qwen3-0.6B. */
export async function llama(bench: Bench): Promise<void> {
  const shape = bench.quick ? "small" : "0.6b", cacheDir = join(bench.folder, "cache");
  const { id: path } = await makeModel(bench.folder, shape, "int4");
  const model = `qwen3-${shape} Q4_0`, batches = [1, 8];
  await compare(bench, { suite: "llama", model, path, cacheDir, batches });
}
