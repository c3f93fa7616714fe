/**
 * The fields of a checkpoint's `config.json`, read by name and checked.
 *
 * Every field is read by the architecture that uses it, is known to change no output, or is refused
 * by name. `null` means absent, as it does in transformers. An unknown field passes unless its name
 * speaks of arithmetic ({@linkcode ARITHMETIC}): configs carry remarks of many tools.
 *
 * @module
 */

import { isObject, shown } from "../_check.ts";

/** A parsed JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** Refuses a field of config.json. */
export function refuseField(name: string, rule: string, value: unknown): never {
  const why = `'${name}' in config.json must ${rule}: current value is ${shown(value)}`;
  throw new SyntaxError(`Cannot load the model as ${why}`);
}

/** Fields that change nothing in what a model computes when it decodes. */
const INERT = new Set([
  "_attn_implementation",
  "add_cross_attention",
  "architectures",
  "attn_implementation",
  "attention_dropout",
  "bos_token_id",
  "cache_implementation",
  "cross_attention_hidden_size",
  "dtype",
  "embd_pdrop",
  "eos_token_id",
  "head_dtype",
  "initializer_range",
  "max_window_layers",
  "model_type",
  "output_attentions",
  "output_hidden_states",
  "output_router_logits",
  "pad_token_id",
  "pretraining_tp",
  "pruned_heads",
  "resid_pdrop",
  "router_aux_loss_coef",
  "sep_token_id",
  "torch_dtype",
  "transformers_version",
  "use_cache",
]);

/** Options of other architectures, and the value at which they do nothing. */
const NEUTRAL: Json = {
  attention_multiplier: 1,
  chunk_size_feed_forward: 0,
  embedding_multiplier: 1,
  full_attn_mod: 1,
  interpolate_factor: 1,
  logit_scale: 1,
  logits_scaling: 1,
  partial_rotary_factor: 1,
  residual_multiplier: 1,
  rope_ratio: 1,
};

/** Words in the name of an unknown field that make it an option which must not be dropped. */
const ARITHMETIC =
  /attn|attention|rope|rotary|norm|bias|scal|multiplier|cap|clip|window|layer|block|expert|moe|router|act|residual|logit|mask|position|head|mlp|ffn|feed_forward|embed|sink|quant|alibi|sparse|parallel|tie|kv|qk|query|lora|adapter/;

/** Bounds of a size; default: 1 to 2²⁴. */
type SizeRule = { readonly min?: number; readonly max?: number };

/** Reads fields and remembers which: see {@linkcode fieldsOf}. */
export type Fields = ReturnType<typeof fieldsOf>;

/**
 * Starts reading an object; `path` is its name within config.json, where it is not the whole file,
 * `defaults` the values of fields that it leaves out. What has none there must be stated, but for flags.
 */
export function fieldsOf(json: Json, path?: string, defaults: Json = {}) {
  const read = new Set<string>();
  /** Refuses a field. */
  const refuse = (name: string, rule: string, value: unknown): never =>
    refuseField(path === undefined ? name : `${path}.${name}`, rule, value);
  /** Whether it is there, be it null. */
  const has = (name: string): boolean => Object.hasOwn(json, name);
  /** The value as it is; undefined where absent or null. */
  const take = (name: string): unknown => {
    read.add(name);
    return (has(name) ? json[name] : undefined) ?? defaults[name];
  };
  /** An integer. */
  const size = (name: string, { min = 1, max = 1 << 24 }: SizeRule = {}): number => {
    const value = take(name);
    const valid = typeof value === "number" && Number.isInteger(value) && value >= min &&
      value <= max;
    return valid ? value : refuse(name, `be an integer from ${min} to ${max}`, value);
  };
  /** An integer, or undefined where absent. */
  const optionalSize = (name: string, rule?: SizeRule): number | undefined =>
    take(name) === undefined ? undefined : size(name, rule);
  /** The fields of an object. */
  const object = (name: string): Json => {
    const value = take(name);
    return isObject(value) ? value : refuse(name, "be an object", value);
  };
  /** A positive number. */
  const positive = (name: string): number => {
    const value = take(name);
    const valid = typeof value === "number" && value > 0 && value < Infinity;
    return valid ? value : refuse(name, "be a positive number", value);
  };
  /** A positive number, or undefined where absent. */
  const optionalPositive = (name: string): number | undefined =>
    take(name) === undefined ? undefined : positive(name);
  /** True or false; false where absent. */
  const flag = (name: string): boolean => {
    const value = take(name) ?? false;
    return typeof value === "boolean" ? value : refuse(name, "be true or false", value);
  };
  /** Refuses any value but one; absent is as good. */
  const only = (name: string, expected: unknown): void => {
    const value = take(name) ?? expected;
    if (value !== expected) refuse(name, `be ${shown(expected)}`, value);
  };
  /** Lets fields pass unread. */
  const skip = (...names: string[]): void => names.forEach((name) => read.add(name));
  /** Refuses what was not read and may matter; with `strict`, whatever was not read. */
  const done = ({ strict = false }: { readonly strict?: boolean } = {}): void => {
    for (const [name, value] of Object.entries(json)) {
      if (read.has(name) || value === null) continue;
      if (strict) refuse(name, "be left out, as nothing here implements it", value);
      const off = value === false || value === "" ||
        (typeof value === "object" && Object.keys(value as object).length === 0);
      if (off || INERT.has(name)) continue;
      const isOption = Object.hasOwn(NEUTRAL, name);
      if (isOption ? value === NEUTRAL[name] : !ARITHMETIC.test(name)) continue;
      const neutral = isOption ? ` or ${shown(NEUTRAL[name])}` : "";
      refuse(name, `be left out${neutral}, as this architecture does not implement it`, value);
    }
  };
  return {
    ...{ has, take, size, optionalSize, object, positive, optionalPositive, flag, only },
    ...{ skip, refuse, done },
  };
}
