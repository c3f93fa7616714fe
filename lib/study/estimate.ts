/**
 * What a study will cost, before anything runs: tokens, time and memory, from `config.json` alone.
 *
 * Time is a lower bound, that of the memory bus: a step reads all weights, and what all sequences have cached.
 *
 *     seconds ≥ Σ over steps (weights + slots · kv(position)) / bandwidth
 *     steps   = ⌈runs / slots⌉ · new tokens
 *
 * Arithmetic comes on top where many sequences are decoded at once, and so does the reading of prompts.
 *
 * @module
 */

import { anything, checkNumber, checkOptions, number, oneOf, type Rules } from "../_check.ts";
import type { DecoderConfig } from "../graph/mod.ts";
import { type Dtype, estimateMemory, kvBytesPerToken, type KvFormat } from "../model/mod.ts";

/** Size of a study. */
export interface StudySize {
  /** The model's shape, from `parseConfig`. */
  readonly config: DecoderConfig;
  /** Number of problems. */
  readonly problems: number;
  /** Tokens of a prompt, on average. */
  readonly promptTokens: number;
  /** New tokens of a run, at most. */
  readonly maxNewTokens: number;
  /** New tokens of a run, on average. Default: `maxNewTokens`. */
  readonly meanNewTokens?: number;
  /** Number of methods, baseline and controls included. */
  readonly methods: number;
  /** Runs of each problem and method. Default: 1. */
  readonly repeats?: number;
  /** Sequences decoded at once. Default: 32. */
  readonly slots?: number;
  /** Number format of the weights. Default: "fp32". */
  readonly dtype?: Dtype;
  /** Bytes of the weights, where they are known. Default: those of `dtype`. */
  readonly weightsBytes?: number;
  /** Number format of keys and values. Default: "fp32". */
  readonly kv?: KvFormat;
  /** Bytes a second that the device reads. Default: {@linkcode measuredBandwidth}. */
  readonly bandwidth?: number;
}

const NEEDED = ["problems", "promptTokens", "maxNewTokens", "methods"] as const;

const whole = number({ min: 1, integer: true });

const RULES: Rules<StudySize> = {
  ...{ problems: whole, maxNewTokens: whole, methods: whole, repeats: whole, slots: whole },
  config: anything,
  promptTokens: number({ min: 1 }),
  meanNewTokens: number({ min: 0 }),
  dtype: anything, // checked with the memory
  weightsBytes: number({ min: 1 }),
  kv: oneOf("fp32", "fp16", "int8"),
  bandwidth: number({ min: 0, exclusiveMin: true }),
};

/** What a study will cost. */
export interface StudyEstimate {
  /** Problems × methods × repeats. */
  readonly runs: number;
  /** Tokens of prompts, each read once for all its runs. */
  readonly promptTokens: number;
  /** New tokens. */
  readonly newTokens: number;
  /** Bytes of weights. */
  readonly weightsBytes: number;
  /** Bytes of keys and values of all slots. */
  readonly kvBytes: number;
  /** Steps of decoding. */
  readonly steps: number;
  /** Bytes a second that were assumed. */
  readonly bandwidth: number;
  /** Lower bound of the time, in seconds. */
  readonly seconds: number;
}

/**
 * Bytes a second that this machine's memory moves: the fastest of five copies of 128 MiB, both
 * directions counted.
 */
export function measuredBandwidth(): number {
  const from = new Uint8Array(2 ** 27).fill(1), to = new Uint8Array(from.length);
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    to.set(from);
    best = Math.max(best, 2 * from.length / (performance.now() - start) * 1000);
  }
  return best;
}

/**
 * Estimates a study.
 *
 * @example Twice the repeats, twice the time
 * ```ts
 * import { loadModel } from "@moi/moi/model";
 * import { estimateStudy } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const { config } = model, lengths = { promptTokens: 20, maxNewTokens: 30 };
 * const size = { config, ...lengths, problems: 64, methods: 4, bandwidth: 1e10 };
 * const once = estimateStudy(size), twice = estimateStudy({ ...size, repeats: 2 });
 * assertEquals([twice.runs, twice.seconds], [2 * once.runs, 2 * once.seconds]);
 * ```
 */
export function estimateStudy(size: StudySize): StudyEstimate {
  const verb = "estimate the study";
  checkOptions(verb, size, RULES);
  for (const name of NEEDED) RULES[name](verb, name, size[name]);
  const { config, problems, promptTokens, maxNewTokens, methods, repeats = 1, slots = 32 } = size;
  const { meanNewTokens = maxNewTokens, dtype = "fp32", bandwidth = measuredBandwidth() } = size;
  const { weightsBytes = estimateMemory(config, { dtype }).weightsBytes, kv = "fp32" } = size;
  checkNumber(verb, "meanNewTokens", meanNewTokens, { min: 0, max: maxNewTokens });

  const runs = problems * methods * repeats, rows = Math.min(slots, runs);
  const length = Math.min(config.maxPositions, Math.ceil(promptTokens) + maxNewTokens);
  const perToken = kvBytesPerToken(config, kv), kvBytes = perToken * rows * length;
  const steps = Math.ceil(runs / rows) * Math.ceil(meanNewTokens);
  const meanPosition = Math.min(length, promptTokens + meanNewTokens / 2);
  const seconds = steps * (weightsBytes + rows * meanPosition * perToken) / bandwidth;
  return {
    runs,
    promptTokens: problems * promptTokens,
    newTokens: runs * meanNewTokens,
    ...{ weightsBytes, kvBytes, steps, bandwidth, seconds },
  };
}
