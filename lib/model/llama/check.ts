/**
 * What is found of a model of llama.cpp when it is loaded: whether embeddings of tokens are as good as their ids, and
 * with how many rows at once a row's numbers do not depend on the others.
 *
 * @module
 */

import { PREFILL_CHUNK } from "../cache.ts";
import type { CacheShape, DeviceCheck, KvCache } from "../engine.ts";
import type { RowRule } from "./cache.ts";
import { type Input, oneToken } from "../mixture.ts";
import { spreadToken, spreadTokens } from "../spread.ts";

/** Opens a cache with embeddings multiplied by a factor, and rows by a rule. */
export type OpenTrial = (factor: number, rows: RowRule, shape: CacheShape) => KvCache;

/** Tokens of a prompt, as many as a GPU takes rows, so that few kernels are compiled; and steps after it. */
const PROMPT = 8, STEPS = 2;
/** Rows of a batch. */
const ROWS = 5;
/** A prompt on a GPU is longer than one of llama.cpp's buffers, as kernels differ by length. */
const LONG_PROMPT = 260;
/** Rows of a run on a GPU. */
const GPU_ROWS = 8;

const isSame = (a: Float32Array, b: Float32Array) => a.every((value, i) => Object.is(value, b[i]));

/** What the factor of embeddings depends on. */
export interface FactorOptions {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  /** Longest context that the model was made for. */
  readonly maxPositions: number;
}

/**
 * The factor that embeddings of tokens need to be as good as their ids, bit for bit: 1, or √D, as Gemma's do.
 *
 * @throws {SyntaxError} Where neither is: the model takes more of a token than its embedding.
 */
export async function embeddingFactor(
  open: OpenTrial,
  { vocabularySize, hiddenSize, maxPositions }: FactorOptions,
): Promise<number> {
  if (maxPositions < PROMPT + STEPS) {
    throw new SyntaxError(
      `Cannot load the model by llama.cpp as it must have at least ${
        PROMPT + STEPS
      } positions: it has ${maxPositions}`,
    );
  }
  const ids = spreadTokens(PROMPT, vocabularySize);
  const logitsOf = async (inputs: readonly Input[], factor: number) => {
    using cache = open(factor, { multiple: 1, most: 1 }, { slots: 1, length: PROMPT });
    return await cache.prefill(0, 0, inputs, "all");
  };
  const due = await logitsOf(ids, 1);
  for (const factor of [1, Math.fround(Math.sqrt(hiddenSize))]) {
    if (isSame(await logitsOf(ids.map(oneToken), factor), due)) return factor;
  }
  throw new SyntaxError(
    "Cannot load the model by llama.cpp as the embedding of a token does not give the logits of its id: its layers " +
      "take the token itself beside it, as those of Gemma 3n do, so that no mixture can be fed",
  );
}

/** Rows by the types of the matrices, on the processor: kernels of several rows sum as those of one, or else. */
const MULTIPLES: Readonly<Record<string, number>> = {
  ...{ Q4_0: 1, Q4_1: 1, Q8_0: 1, F32: 2, F16: 2, BF16: 2 },
};
const OTHERS = 4;

/** The rule to begin with. */
function firstRule(types: Iterable<string>, isOnGpu: boolean): RowRule {
  if (isOnGpu) return { multiple: GPU_ROWS, most: GPU_ROWS };
  return {
    multiple: Math.max(1, ...[...types].map((type) => MULTIPLES[type] ?? OTHERS)),
    most: Infinity,
  };
}

/** Whether rows are the same alone, in some and in all, bit for bit; they share a prompt, of which each has a part. */
async function isExact(
  open: (shape: CacheShape) => KvCache,
  vocabularySize: number,
  longest: number,
): Promise<boolean> {
  const lengthOf = (row: number) => row === 1 ? longest : PROMPT - row;
  using cache = open({ slots: ROWS + 1, length: longest + STEPS });
  await cache.prefill(ROWS, 0, spreadTokens(longest, vocabularySize), "last");
  const inputOf = (row: number, step: number): Input => {
    const ids = [0, 1, 2].map((k) => spreadToken(7 * row + 3 * step + k + 1, vocabularySize));
    return ids.length === new Set(ids).size ? { ids, weights: [0.5, 0.3, 0.2] } : ids[0]!;
  };
  /** Logits of each row after each step. */
  const stepsOf = async (...rows: readonly number[]): Promise<Float32Array[][]> => {
    for (const [slot, row] of rows.entries()) await cache.copy(ROWS, slot, lengthOf(row));
    const found: Float32Array[][] = rows.map(() => []);
    for (let step = 0; step < STEPS; step++) {
      const inputs = rows.map((row) => inputOf(row, step));
      const logits = await cache.step(inputs, rows.map((row) => lengthOf(row) + step));
      found.forEach((own, slot) =>
        own.push(logits.slice(slot * vocabularySize, (slot + 1) * vocabularySize))
      );
    }
    return found;
  };
  const alone = [...await stepsOf(0), ...await stepsOf(1)];
  for (const others of [[], [2], [2, 3, 4]]) {
    const together = await stepsOf(0, 1, ...others);
    const isEqual = alone.every((own, row) =>
      own.every((logits, step) => isSame(logits, together[row]![step]!))
    );
    if (!isEqual) return false;
  }
  return true;
}

/** What a rule of rows depends on. */
export interface RowOptions {
  /** Types of the matrices. */
  readonly types: Iterable<string>;
  readonly isOnGpu: boolean;
  /** Whether the GPU is one that the CPU emulates: long prompts take minutes there. */
  readonly isEmulated: boolean;
  readonly vocabularySize: number;
  /** Longest context that the model was made for. */
  readonly maxPositions: number;
}

/** The number of rows with which a row does not depend on its batch, and whether there is one. */
export async function rowRule(
  open: OpenTrial,
  factor: number,
  { types, isOnGpu, isEmulated, vocabularySize, maxPositions }: RowOptions,
): Promise<{ readonly rows: RowRule; readonly checked: DeviceCheck }> {
  const usual = isOnGpu && !isEmulated ? LONG_PROMPT : PROMPT;
  const longest = Math.min(usual, maxPositions - STEPS), first = firstRule(types, isOnGpu);
  const found = (rows: RowRule, isBatchExact: boolean) => ({
    ...{ rows, checked: { chunk: PREFILL_CHUNK, isBatchExact } },
  });
  for (const rows of isOnGpu ? [first] : [first, { multiple: 8, most: 8 }]) {
    if (await isExact((shape) => open(factor, rows, shape), vocabularySize, longest)) {
      return found(rows, true);
    }
  }
  return found(first, false);
}
