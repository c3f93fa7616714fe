/**
 * Sampler settings: shorthand for a list of transforms.
 *
 * They compile to it in this order, which is that of Hugging Face transformers and vLLM:
 *
 * ```text
 * logits → padding rows masked → repetition, presence and frequency penalty → logit bias
 *        → allowed tokens → top-nσ → temperature (or entropy-dependent temperature) → softmax
 *        → top-k → top-p → min-p → typical-p → ε cutoff → η cutoff → renormalisation → one draw
 * ```
 *
 * Every cut looks at what the one before has left, renormalised. With "temperature-last", llama.cpp's
 * place for it, the cuts look at the distribution at temperature 1 and the temperature is applied to
 * what they keep. A setting at its default costs nothing. With a large vocabulary the runtime computes
 * lists of a temperature followed by top-k, top-p and min-p; others take the row through TypeScript, in
 * float64, that row alone.
 *
 * @module
 */

import {
  anything,
  checkNumber,
  checkOptions,
  isObject,
  number,
  objectOf,
  oneOf,
  refusal,
  type Rule,
  type Rules,
} from "../_check.ts";
import * as T from "./transforms.ts";

/**
 * Sampler settings: the first four explicit, the others absent where they are off. The transforms of the same
 * names say more, and where they come from.
 */
export interface Sampler {
  /** Softmax temperature; 0 takes the most probable token (the lowest id among equals). */
  readonly temperature: number;
  /** Number of most probable tokens kept; 0 keeps all. */
  readonly topK: number;
  /** Smallest set of most probable tokens with at least this mass is kept; 1 keeps all. */
  readonly topP: number;
  /** Tokens with at least this share of the largest probability are kept; 0 keeps all. */
  readonly minP: number;
  /** Mass of the tokens whose surprisal is nearest to the entropy; 1 keeps all. Default: 1. */
  readonly typicalP?: number;
  /** Standard deviations below the largest logit that are kept; 0 keeps all. Default: 0. */
  readonly topNSigma?: number;
  /** Least probability that is kept; 0 keeps all. Default: 0. */
  readonly epsilonCutoff?: number;
  /** η of the least probability, `min(η, √η · e^−H)`; 0 keeps all. Default: 0. */
  readonly etaCutoff?: number;
  /**
   * Multiplies the temperature by `base^(theta / H)`, H the entropy of `softmax(logits)` in nats: near
   * 1 where the model is uncertain, near 0 where it is certain. Default: none.
   */
  readonly entropyTemperature?: {
    /** N of the paper, above 0, at most 1; it uses 0.8. */
    readonly base: number;
    /** θ of the paper, at least 0. */
    readonly theta: number;
  };
  /** Divides positive logits of tokens in prompt and text, multiplies negative ones. Default: 1, off. */
  readonly repetitionPenalty?: number;
  /** Subtracted from the logit of every token in the text, the prompt left out. Default: 0. */
  readonly presencePenalty?: number;
  /** Subtracted once for every time that a token is in the text, the prompt left out. Default: 0. */
  readonly frequencyPenalty?: number;
  /** Added to logits, by token id. Default: nothing. */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** The only tokens that may be sampled. Default: all. */
  readonly allowedTokens?: readonly number[];
  /** Where the temperature is applied. Default: "temperature-first". */
  readonly order?: "temperature-first" | "temperature-last";
}

/** The rules of token ids, of which there are `size`. */
function tokenRules(size: number): { readonly [K in "logitBias" | "allowedTokens"]: Rule } {
  const id = { min: 0, max: size - 1, integer: true };
  return {
    logitBias(verb, name, bias) {
      if (typeof bias !== "object" || bias === null) {
        throw new TypeError(refusal(verb, name, "map token ids to numbers", bias));
      }
      for (const [token, value] of Object.entries(bias)) {
        checkNumber(verb, `${name}.${token}`, value, {});
        const own = Number(token);
        checkNumber(verb, name, own, id);
        if (`${own}` === token) continue; // "01", "1e0" and "" name no token
        throw new RangeError(refusal(verb, name, "name token ids as in 17", token));
      }
    },
    allowedTokens(verb, name, tokens) {
      if (!Array.isArray(tokens) || tokens.length === 0) {
        throw new TypeError(refusal(verb, name, "be a list of at least one token id", tokens));
      }
      if (tokens.length > size) {
        const rule = `be a list of at most ${size} token ids, all that there are`;
        throw new RangeError(refusal(verb, name, rule, tokens.length));
      }
      for (const token of tokens) checkNumber(verb, name, token, id);
    },
  };
}

/** What there is to know of a setting: where it does nothing, its rule, and its transform. */
interface Setting {
  readonly off: unknown;
  readonly rule: Rule;
  readonly make?: (value: never) => T.Transform;
}

/** A setting that is the one number of a transform. */
const one = (name: keyof typeof T.BOUNDS, off: number): Setting => ({
  ...{ off, rule: number(T.BOUNDS[name]), make: T[name] },
});

const { logitBias, allowedTokens } = tokenRules(Infinity);

const SETTINGS: { readonly [Name in keyof Required<Sampler>]: Setting } = {
  temperature: one("temperature", 1),
  topK: one("topK", 0),
  topP: one("topP", 1),
  minP: one("minP", 0),
  typicalP: one("typicalP", 1),
  topNSigma: one("topNSigma", 0),
  epsilonCutoff: one("epsilonCutoff", 0),
  etaCutoff: one("etaCutoff", 0),
  entropyTemperature: {
    off: undefined,
    rule: objectOf(
      {
        base: number({ min: 0, max: 1, exclusiveMin: true }),
        theta: number({ min: 0 }),
      },
      "have a base and a theta",
      false,
    ),
    make: T.entropyTemperature,
  },
  repetitionPenalty: one("repetitionPenalty", 1),
  presencePenalty: { off: 0, rule: number() },
  frequencyPenalty: { off: 0, rule: number() },
  logitBias: { off: undefined, rule: logitBias, make: T.logitBias },
  allowedTokens: { off: undefined, rule: allowedTokens, make: T.allowedTokens },
  order: { off: "temperature-first", rule: oneOf("temperature-first", "temperature-last") },
};

/** Names of all settings. */
export const SAMPLER_FIELDS = Object.keys(SETTINGS) as (keyof Sampler)[];

const RULES = Object.fromEntries(
  SAMPLER_FIELDS.map((name) => [name, SETTINGS[name].rule]),
) as Rules<Sampler>;

/** Whether a setting does nothing: it is left out, at its default, or a bias of no token. */
function isOff(name: keyof Sampler, value: unknown): boolean {
  return value === undefined || value === SETTINGS[name].off ||
    (name === "logitBias" && value !== null && Object.keys(value).length === 0);
}

/** Settings that are checked when they are resolved: what options that extend them say of them. */
export const SAMPLER_RULES = Object.fromEntries(
  SAMPLER_FIELDS.map((name) => [name, anything]),
) as Rules<Sampler>;

/**
 * Checks sampler settings and fills in what is left out.
 *
 * @param settings Settings; default: temperature 1, everything else off. Those beside the first four
 * are left out of the result where they are off.
 *
 * @example A negative temperature is refused
 * ```ts
 * import { samplerOf } from "@moi/moi/decode";
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => samplerOf({ temperature: -1 }), RangeError, "at least 0: current value is -1");
 * ```
 */
export function samplerOf(settings: Partial<Sampler> = {}): Sampler {
  if (!isObject(settings)) {
    throw new TypeError(refusal("sample", "settings", "be an object", settings));
  }
  checkOptions<Partial<Sampler>>("sample", settings, RULES);
  const { temperature = 1, topK = 0, topP = 1, minP = 0, ...more } = settings;
  const on = Object.entries(more).filter(([name, value]) => !isOff(name as keyof Sampler, value));
  return { temperature, topK, topP, minP, ...Object.fromEntries(on) };
}

/**
 * Sampler settings from several places, the first that has one deciding: a request, a task, a model.
 * Other fields of these are passed over, and `undefined` is the same as nothing. A setting that is
 * switched off where a later place has it on stays in the result at its default, so that the result
 * merged with the same places once more is the same again.
 *
 * @param vocabularySize Tokens that settings may name, V.
 * @param sources From the most to the least specific.
 * @throws {RangeError} Where one names a token that there is not.
 *
 * @example No penalty, whatever the model recommends
 * ```ts
 * import { mergedSampler } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * const recommended = { repetitionPenalty: 1.1, topK: 20 };
 * const { repetitionPenalty, topK } = mergedSampler(9, { repetitionPenalty: 1 }, recommended);
 * assertEquals([repetitionPenalty, topK], [1, 20]);
 * ```
 */
export function mergedSampler(
  vocabularySize: number,
  ...sources: readonly (Partial<Sampler> | undefined)[]
): Sampler {
  const first = (name: keyof Sampler) =>
    sources.find((source) => source?.[name] !== undefined)?.[name];
  const asked = SAMPLER_FIELDS.map((name) => [name, first(name)] as const)
    .filter(([, own]) => own !== undefined);
  const { temperature, topK, topP, minP, ...on } = samplerOf(Object.fromEntries(asked));
  for (const [name, rule] of Object.entries(tokenRules(vocabularySize))) {
    const own = on[name as keyof typeof on];
    if (own !== undefined) rule("sample", name, own);
  }
  const told = asked.filter(([name]) => sources.some((source) => !isOff(name, source?.[name])));
  return { temperature, topK, topP, minP, ...Object.fromEntries(told) };
}

/**
 * The transforms that checked settings stand for.
 *
 * @example
 * ```ts
 * import { samplerOf, transformsOf } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * const list = transformsOf(samplerOf({ topP: 0.9, temperature: 0.6, repetitionPenalty: 1.1 }));
 * assertEquals(list.map(({ name }) => name), ["repetitionPenalty", "temperature", "topP"]);
 * ```
 */
export function transformsOf(settings: Sampler): T.Transform[] {
  const made = (...names: (keyof Sampler)[]) =>
    names.filter((name) => !isOff(name, settings[name]))
      .map((name) => SETTINGS[name].make!(settings[name] as never));
  const { temperature, presencePenalty = 0, frequencyPenalty = 0, order } = settings;
  const counts = presencePenalty === 0 && frequencyPenalty === 0
    ? []
    : [T.countPenalty(presencePenalty, frequencyPenalty)];
  const maps = [
    ...made("repetitionPenalty"),
    ...counts,
    ...made("logitBias", "allowedTokens", "topNSigma"),
  ];
  const cuts = made("topK", "topP", "minP", "typicalP", "epsilonCutoff", "etaCutoff");
  return order === "temperature-last" && temperature > 0
    ? [...maps, ...cuts, ...made("entropyTemperature"), T.temperature(temperature)]
    : [...maps, ...made("entropyTemperature", "temperature"), ...cuts];
}

/** A sampler: settings, or the list of transforms itself. */
export type Sampling = Sampler | readonly T.Transform[];

/** A sampler ready to run. */
export interface Chain {
  /** All of its transforms. */
  readonly transforms: readonly T.Transform[];
  /**
   * A temperature and then the most probable tokens, where it is no more than that: the runtime can
   * compute it.
   */
  readonly plain?: { readonly temperature: number; readonly ranks: readonly T.RankTransform[] };
}

/** The chain of a sampler as it is now; a list may be written on afterwards. */
export function chainOf(sampler: Sampling): Chain {
  const transforms = "temperature" in sampler ? transformsOf(sampler) : [...sampler];
  T.checkTransforms(transforms);
  const [first] = transforms, temperature = first && "heat" in first ? first.factor : undefined;
  const ranks = temperature === undefined ? transforms : transforms.slice(1);
  const isPlain = ranks.every((one): one is T.RankTransform => "keep" in one);
  return {
    transforms,
    ...(isPlain ? { plain: { temperature: temperature ?? 1, ranks } } : {}),
  };
}
