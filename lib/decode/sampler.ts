/**
 * Sampler settings: a chain of transforms from logits to the distribution that is sampled from.
 *
 * The order, with `order: "temperature-first"` (that of Hugging Face transformers and vLLM):
 *
 * ```text
 * logits → padding rows masked → repetition, presence and frequency penalty → logit bias
 *        → allowed tokens → top-nσ → temperature (or entropy-dependent temperature) → softmax
 *        → top-k → top-p → min-p → typical-p → ε cutoff → η cutoff → renormalisation → one draw
 * ```
 *
 * Every cut looks at what the one before has left, renormalised. With "temperature-last", llama.cpp's
 * place for it, the cuts look at the distribution at temperature 1 and the temperature is applied to
 * what they keep.
 *
 * Each transform is a pure function of its own in `transforms.ts`. A setting at its default costs
 * nothing; the first four settings are computed by the runtime with large vocabularies, the others
 * take the row through TypeScript, in float64, that row alone.
 *
 * @module
 */

import { checkNumber, checkOptions, refusal } from "../_check.ts";

/** Sampler settings: the first four explicit, the others absent where they are off. */
export interface Sampler {
  /** Softmax temperature; 0 takes the most probable token (the lowest id among equals). */
  readonly temperature: number;
  /** Number of most probable tokens kept; 0 keeps all. */
  readonly topK: number;
  /** Smallest set of most probable tokens with at least this mass is kept; 1 keeps all. */
  readonly topP: number;
  /** Tokens with at least this share of the largest probability are kept; 0 keeps all. */
  readonly minP: number;
  /**
   * Tokens whose surprisal is nearest to the entropy are kept, up to this mass; 1 keeps all. Source:
   * locally typical sampling, arXiv 2202.00666. Default: 1.
   */
  readonly typicalP?: number;
  /**
   * Tokens whose logit is within this number of standard deviations of the largest are kept, whatever
   * the temperature; 0 keeps all. Source: top-nσ, arXiv 2411.07641. Default: 0.
   */
  readonly topNSigma?: number;
  /** Tokens of at least this probability are kept; 0 keeps all. Source: arXiv 2210.15191. Default: 0. */
  readonly epsilonCutoff?: number;
  /**
   * Tokens of at least `min(η, √η · e^−H)` are kept, H the entropy in nats; 0 keeps all. Source:
   * arXiv 2210.15191. Default: 0.
   */
  readonly etaCutoff?: number;
  /**
   * Multiplies the temperature by `base^(theta / H)`, H the entropy of `softmax(logits)` in nats: near
   * 1 where the model is uncertain, near 0 where it is certain. Source: EDT, arXiv 2403.14541.
   * Default: none.
   */
  readonly entropyTemperature?: {
    /** N of the paper, above 0, at most 1; it uses 0.8. */
    readonly base: number;
    /** θ of the paper, at least 0. */
    readonly theta: number;
  };
  /**
   * Divides positive logits of tokens in prompt and text, and multiplies negative ones; 1 is off.
   * Source: CTRL (arXiv 1909.05858), as in Hugging Face transformers. Default: 1.
   */
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

/** Every setting at its default. */
const OFF = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  typicalP: 1,
  topNSigma: 0,
  epsilonCutoff: 0,
  etaCutoff: 0,
  entropyTemperature: undefined,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  logitBias: undefined,
  allowedTokens: undefined,
  order: "temperature-first",
} as const satisfies Record<keyof Sampler, unknown>;

/** Names of all settings. */
export const SAMPLER_FIELDS = Object.keys(OFF) as (keyof Sampler)[];

/** The settings that are told also where they are off. */
const EXPLICIT: readonly string[] = ["temperature", "topK", "topP", "minP"];

/** Whether a setting does nothing: it is left out, at its default, or a bias of no token. */
function isOff(name: keyof Sampler, value: unknown): boolean {
  return value === undefined || value === OFF[name] ||
    (name === "logitBias" && value !== null && Object.keys(value).length === 0);
}

/** Bounds of the settings that are numbers. */
const RULES = {
  temperature: { min: 0 },
  topK: { min: 0, integer: true },
  topP: { min: 0, max: 1, exclusiveMin: true },
  minP: { min: 0, max: 1 },
  typicalP: { min: 0, max: 1, exclusiveMin: true },
  topNSigma: { min: 0 },
  epsilonCutoff: { min: 0, max: 1 },
  etaCutoff: { min: 0, max: 1 },
  repetitionPenalty: { min: 0, exclusiveMin: true },
  presencePenalty: {},
  frequencyPenalty: {},
} as const;

function checkLists({ entropyTemperature, logitBias, allowedTokens, order }: Partial<Sampler>) {
  const verb = "sample";
  if (entropyTemperature !== undefined) {
    if (typeof entropyTemperature !== "object" || entropyTemperature === null) {
      const rule = "have a base and a theta";
      throw new TypeError(refusal(verb, "entropyTemperature", rule, entropyTemperature));
    }
    checkOptions(verb, entropyTemperature, ["base", "theta"]);
    const { base, theta } = entropyTemperature;
    checkNumber(verb, "entropyTemperature.base", base, { min: 0, max: 1, exclusiveMin: true });
    checkNumber(verb, "entropyTemperature.theta", theta, { min: 0 });
  }
  if (logitBias !== undefined) {
    if (typeof logitBias !== "object" || logitBias === null) {
      throw new TypeError(refusal(verb, "logitBias", "map token ids to numbers", logitBias));
    }
    for (const [id, bias] of Object.entries(logitBias)) {
      checkNumber(verb, `logitBias.${id}`, bias, {});
      checkNumber(verb, "logitBias", Number(id), { min: 0, integer: true });
    }
  }
  if (allowedTokens !== undefined) {
    if (!Array.isArray(allowedTokens) || allowedTokens.length === 0) {
      const rule = "be a list of at least one token id";
      throw new TypeError(refusal(verb, "allowedTokens", rule, allowedTokens));
    }
    for (const id of allowedTokens) {
      checkNumber(verb, "allowedTokens", id, { min: 0, integer: true });
    }
  }
  if (order !== undefined && order !== "temperature-first" && order !== "temperature-last") {
    const rule = 'be "temperature-first" or "temperature-last"';
    throw new TypeError(refusal(verb, "order", rule, order));
  }
}

/**
 * Checks sampler settings and fills in what is left out.
 *
 * @param settings Settings; default: temperature 1, everything else off. Those beside the first four
 * are left out of the result where they are off.
 * @throws {TypeError} Where a setting is unknown or of the wrong kind.
 * @throws {RangeError} Where a setting is outside its rule.
 *
 * @example A negative temperature is refused
 * ```ts
 * import { samplerOf } from "@moi/moi/decode";
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => samplerOf({ temperature: -1 }), RangeError, "at least 0: current value is -1");
 * ```
 */
export function samplerOf(settings: Partial<Sampler> = {}): Sampler {
  if (typeof settings !== "object" || settings === null) {
    throw new TypeError(refusal("sample", "settings", "be an object", settings));
  }
  checkOptions("sample", settings, SAMPLER_FIELDS);
  for (const [name, rule] of Object.entries(RULES)) {
    const value = settings[name as keyof typeof RULES];
    if (value !== undefined) checkNumber("sample", name, value, rule);
  }
  checkLists(settings);
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
 * @throws {TypeError} Where a setting is of the wrong kind.
 * @throws {RangeError} Where one is outside its rule, or names a token that there is not.
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
  const named = SAMPLER_FIELDS.map((name) => {
    const values = sources.map((source) => source?.[name]).filter((own) => own !== undefined);
    return { name, values };
  }).filter(({ values }) => values.length > 0);
  const asked = Object.fromEntries(named.map(({ name, values }) => [name, values[0]]));
  const sampler = samplerOf(asked);
  const rule = { min: 0, max: vocabularySize - 1, integer: true };
  for (const id of sampler.allowedTokens ?? []) checkNumber("sample", "allowedTokens", id, rule);
  for (const id of Object.keys(sampler.logitBias ?? {})) {
    checkNumber("sample", "logitBias", Number(id), rule);
  }
  const told = named.filter(({ name, values }) =>
    !EXPLICIT.includes(name) && values.some((value) => !isOff(name, value))
  );
  const { temperature, topK, topP, minP } = sampler;
  const more = told.map(({ name }) => [name, asked[name]]);
  return { temperature, topK, topP, minP, ...Object.fromEntries(more) };
}

/** Whether a sampler has none but the four settings that the runtime computes. */
export function isPlain(sampler: Sampler): boolean {
  return sampler.typicalP === undefined && sampler.topNSigma === undefined &&
    sampler.epsilonCutoff === undefined && sampler.etaCutoff === undefined &&
    sampler.entropyTemperature === undefined && sampler.repetitionPenalty === undefined &&
    sampler.presencePenalty === undefined && sampler.frequencyPenalty === undefined &&
    sampler.logitBias === undefined && sampler.allowedTokens === undefined &&
    sampler.order === undefined;
}
