/**
 * How long a step of the whole decode loop takes: `generateBatch` with a method that looks at the
 * clock.
 */

import { generateBatch, type Method } from "../../lib/decode/mod.ts";
import type { Model } from "../../lib/model/mod.ts";
import { promptOf } from "./prompts.ts";

/** What is decoded. */
export interface Decoding {
  /** Rows, of one prompt. */
  readonly batch: number;
  /** Tokens of the prompt. */
  readonly context: number;
  /** Steps that are timed. */
  readonly steps: number;
  readonly method: Method;
  readonly topK: number;
}

/** The first steps have the other rows' admission between them. */
const UNTIMED = 2;

/** A method that calls back at each of its steps. */
function watched(method: Method, onStep: () => void): Method {
  return {
    ...method,
    step(distribution, token, state) {
      onStep();
      return method.step(distribution, token, state);
    },
  };
}

/** Decodes at temperature 1 and calls back as often as the first row samples: `steps + 3` times. */
export async function decodeWatched(
  model: Model,
  { batch, context, steps, method, topK }: Decoding,
  onStep: () => void,
): Promise<void> {
  const prompt = promptOf(context, model.config.vocabularySize);
  const requests = Array.from({ length: batch }, (_, row) => ({
    prompt,
    method: row === 0 ? watched(method, onStep) : method,
    maxNewTokens: steps + UNTIMED + 1,
    ignoreEos: true,
    temperature: 1,
    topK,
    topP: 1,
    seed: row,
  }));
  // deno-lint-ignore no-unused-vars -- what is generated does not matter
  for await (const done of generateBatch(model, requests, { slots: batch }));
}

/** Milliseconds of each step, from one sample of the first row to its next. */
export async function stepTimes(
  model: Model,
  decoding: Decoding,
  now: () => number = () => performance.now(),
): Promise<number[]> {
  const times: number[] = [];
  await decodeWatched(model, decoding, () => times.push(now()));
  return times.slice(UNTIMED + 1).map((time, i) => time - times[UNTIMED + i]!);
}
