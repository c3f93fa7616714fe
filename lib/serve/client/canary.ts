/**
 * Whether a server mixes, found out before the first text that is to be mixed: a server without the plugin
 * answers a request with a β as if it had none, and a sweep on it would find nothing and say so.
 *
 * Of one prompt, at a temperature at which three seeds give three texts (a model that is certain of all
 * tokens has such temperatures, too): with each seed, β = ∞ must be standard decoding, token by token, and
 * of β = ¼, 4 and ∞ every two must differ with some seed. A server that ignores β, knows only whether there
 * is one, or drops the seed, fails at every temperature; one failure by chance, as of numbers that
 * depend on what else is in a batch, is made good by the next temperature.
 *
 * @module
 */

import { moi, samplerOf, standard } from "../../decode/mod.ts";
import type { RemoteText, TextRequest } from "../../model/mod.ts";

/** Temperatures, from the first on. */
const TEMPERATURES = [1, 2, 4, 8];
const SEEDS = [11, 12, 13];

/** New tokens of each text. */
export const CANARY_TOKENS = 48;

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
  seen: `this server ignores the seed or the temperature: at ${TEMPERATURES.join(", ")}, ` +
    "other seeds gave the same text",
  remedy: "use a server that honours 'seed' and 'temperature'",
};

/** Texts with one seed each. */
type TextsOf = (beta: number | undefined) => Promise<string[]>;

const areDistinct = (texts: readonly string[]) => new Set(texts).size === texts.length;
const differ = (a: readonly string[], b: readonly string[]) =>
  a.some((text, seed) => text !== b[seed]);

/** The fault that shows at one temperature; undefined where there is none. */
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
 * @param request A request that it is to answer; its prompt is used.
 * @returns What speaks against it; undefined: nothing.
 */
export async function canary(
  textOf: (request: TextRequest) => Promise<RemoteText>,
  request: TextRequest,
): Promise<Fault | undefined> {
  let fault: Fault | undefined;
  for (const temperature of TEMPERATURES) {
    const sampler = { ...samplerOf({ temperature }) };
    const textsOf: TextsOf = async (beta) => {
      const { name, parameters = {} } = beta === undefined ? standard() : moi({ beta });
      const texts: string[] = [];
      for (const seed of SEEDS.map((seed) => 100 * temperature + seed)) { // one after the other: numbers may depend on what else is in a batch
        const { prompt } = request, method = { name, parameters };
        const asked = { prompt, method, sampler, seed, stop: [], ignoreEos: true };
        const { tokens, text } = await textOf({ ...asked, maxNewTokens: CANARY_TOKENS });
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
