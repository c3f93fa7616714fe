/**
 * Whether a server mixes, found out before the first text that is to be mixed: a server without the plugin
 * answers a request with a β as if it had none, and a sweep on it would find nothing and say so.
 *
 * Of one prompt, where three seeds give three texts: with each seed, β = ∞ must be standard decoding, token
 * by token, and of β = ¼, 4 and ∞ every two must differ with some seed. The prompt is a text without sense at
 * temperature 2, the most that vLLM takes, where also a model is uncertain that is certain of all tokens of
 * its own task (mean H 0.53 over 12 such texts, of `countdown-tiny-baseline` in vLLM; 8 of its own prompts
 * have 0.07 there and 0.03 at temperature 1). A server that ignores β, knows only whether there is one, or
 * drops the seed, fails with every prompt; one failure by chance, as of numbers that depend on what
 * else is in a batch, is made good by the next prompt.
 *
 * @module
 */

import { moi, samplerOf, standard } from "../../decode/mod.ts";
import type { RemoteText, TextRequest } from "../../model/mod.ts";

/** What is tried, one after the other: texts, else the prompt of the request, and temperatures. */
const TRIALS: readonly { readonly text?: string; readonly temperature: number }[] = [
  { text: "k9y z02 i 5e0k7p3 n91 5l4ddojo7a a hr", temperature: 2 },
  { text: "ub 71w q c48 xo2 6 vtz m3 0gj9 sf dp 5e", temperature: 2 },
  { text: "3 hm y7 a0fz rr 29 kq wl6 b8 x1ce 4 tn", temperature: 1 },
  { temperature: 2 },
  { temperature: 1 },
];
const SEEDS = [11, 12, 13];

/** New tokens of each text. */
export const CANARY_TOKENS = 32;

/** What speaks against a server, and what to do about it. */
export interface Fault {
  readonly seen: string;
  readonly remedy: string;
}

const IGNORES: Fault = {
  seen: "this server ignores β: β = ¼, 4 and ∞ gave the same texts",
  remedy: "start vLLM with the moi-vllm plugin (VLLM_PLUGINS=moi), or use `deno task serve`",
};
const SEEDLESS: Fault = {
  seen: "this server ignores the seed: one seed gave two texts with standard decoding",
  remedy: "use a server that honours 'seed', or one that is not busy with others' requests",
};
const UNEQUAL: Fault = {
  seen: "this server's β = ∞ is not standard decoding: one seed gave two texts",
  remedy: "update the server's plugin, or use `deno task serve`",
};
const CONSTANT: Fault = {
  seen: "this server ignores the seed or the temperature: other seeds gave the same text",
  remedy: "use a server that honours 'seed' and 'temperature'",
};

/** Texts with one seed each. */
type TextsOf = (beta: number | undefined) => Promise<string[]>;

const areDistinct = (texts: readonly string[]) => new Set(texts).size === texts.length;
const differ = (a: readonly string[], b: readonly string[]) =>
  a.some((text, seed) => text !== b[seed]);

/** The fault that shows with one prompt; undefined where there is none. */
async function faultOf(textsOf: TextsOf): Promise<Fault | undefined> {
  const plain = await textsOf(undefined);
  if (!areDistinct(plain)) return CONSTANT;
  const infinite = await textsOf(Infinity);
  if (differ(infinite, plain)) return differ(plain, await textsOf(undefined)) ? SEEDLESS : UNEQUAL;
  const most = await textsOf(0.25), less = await textsOf(4);
  const mixes = differ(most, infinite) && differ(less, infinite) && differ(most, less);
  return mixes ? undefined : IGNORES;
}

/**
 * Looks whether a server mixes as it is told.
 *
 * @param textOf Asks it.
 * @param own Prompt of a request that it is to answer.
 * @param promptOf Prompt of a text.
 * @returns What speaks against it; undefined: nothing.
 */
export async function canary(
  textOf: (request: TextRequest) => Promise<RemoteText>,
  own: readonly number[],
  promptOf: (text: string) => readonly number[],
): Promise<Fault | undefined> {
  let fault: Fault | undefined;
  for (const [trial, { text, temperature }] of TRIALS.entries()) {
    const made = text === undefined ? own : promptOf(text), prompt = made.length > 0 ? made : own;
    const sampler = { ...samplerOf({ temperature }) };
    const textsOf: TextsOf = async (beta) => {
      const { name, parameters = {} } = beta === undefined ? standard() : moi({ beta });
      const texts: string[] = [];
      for (const seed of SEEDS) { // one after the other: numbers may depend on what else is in a batch
        const method = { name, parameters }, more = { stop: [], ignoreEos: true };
        const request = { prompt, method, sampler, seed: 100 * trial + seed, ...more };
        const { tokens, text } = await textOf({ ...request, maxNewTokens: CANARY_TOKENS });
        texts.push(tokens.length > 0 ? tokens.join(",") : text);
      }
      return texts;
    };
    const now = await faultOf(textsOf);
    if (now === undefined) return undefined;
    if (fault === undefined || fault === CONSTANT || now !== CONSTANT) fault = now;
  }
  return fault;
}
