/**
 * GGUF metadata as the configuration files of a Hugging Face folder.
 *
 * @module
 */

import type { Gguf, GgufValue } from "./parse.ts";

/** A JSON object. */
export type Json = Record<string, unknown>;

/** Architectures whose tensors and metadata are understood. */
export const GGUF_ARCHITECTURES = ["llama", "qwen2", "qwen3"] as const;

function fail(key: string, rule: string, value: unknown): never {
  throw new SyntaxError(
    `Cannot load the GGUF file as '${key}' must ${rule}: current value is ${
      value === undefined ? "missing" : JSON.stringify(value)
    }`,
  );
}

/** Metadata read with its kind checked. */
export interface Metadata {
  number(key: string): number | undefined;
  integer(key: string): number;
  text(key: string): string | undefined;
  flag(key: string): boolean | undefined;
  texts(key: string): readonly string[];
  numbers(key: string): ArrayLike<number> | undefined;
}

/** Reads metadata. */
export function metadataOf({ metadata }: Pick<Gguf, "metadata">): Metadata {
  const of = <T extends GgufValue>(
    key: string,
    rule: string,
    is: (value: GgufValue) => boolean,
  ) => {
    const value = metadata.get(key);
    if (value === undefined || is(value)) return value as T | undefined;
    return fail(key, rule, value);
  };
  const number = (key: string) => of<number>(key, "be a number", (v) => typeof v === "number");
  return {
    number,
    integer(key) {
      const value = number(key);
      return value !== undefined && Number.isSafeInteger(value) && value >= 0
        ? value
        : fail(key, "be an integer from 0", value);
    },
    text: (key) => of<string>(key, "be a text", (v) => typeof v === "string"),
    flag: (key) => of<boolean>(key, "be true or false", (v) => typeof v === "boolean"),
    texts: (key) =>
      of<readonly string[]>(
        key,
        "be a list of texts",
        (v) => Array.isArray(v) && v.every((one) => typeof one === "string"),
      ) ??
        fail(key, "be a list of texts", undefined),
    numbers: (key) =>
      of<ArrayLike<number>>(
        key,
        "be a list of numbers",
        (v) => typeof v === "object" && !Array.isArray(v),
      ),
  };
}

/** A float32 as the decimal that was meant: 1e-5 and not 9.999999747378752e-6. */
const decimal = (value: number) => Number(value.toPrecision(6));

function ropeScaling(m: Metadata, arch: string, tensors: Gguf["tensors"]): Json | null {
  if (tensors.has("rope_freqs.weight")) {
    fail(
      "rope_freqs.weight",
      "not be there (Llama 3's scaled frequencies): load the safetensors",
      "there",
    );
  }
  const type = m.text(`${arch}.rope.scaling.type`) ?? "none",
    factor = m.number(`${arch}.rope.scaling.factor`);
  if (type === "none") return null;
  if (factor === undefined) fail(`${arch}.rope.scaling.factor`, "be a number", factor);
  if (type === "linear") return { rope_type: "linear", factor };
  if (type === "yarn") {
    const original = m.integer(`${arch}.rope.scaling.original_context_length`);
    return { rope_type: "yarn", factor, original_max_position_embeddings: original };
  }
  return fail(`${arch}.rope.scaling.type`, "be none, linear or yarn", type);
}

/**
 * `config.json` of a GGUF file.
 *
 * @throws {SyntaxError} Where the architecture is another, or a field is missing or of the wrong kind.
 */
export function configOf(gguf: Gguf): Json {
  const m = metadataOf(gguf), { tensors } = gguf, arch = m.text("general.architecture");
  if (!(GGUF_ARCHITECTURES as readonly (string | undefined)[]).includes(arch)) {
    const known = GGUF_ARCHITECTURES.join(", ");
    fail("general.architecture", `be one of ${known} (load other models from safetensors)`, arch);
  }
  const heads = m.integer(`${arch}.attention.head_count`),
    hidden = m.integer(`${arch}.embedding_length`);
  const kv = m.number(`${arch}.attention.head_count_kv`) ?? heads;
  const vocabulary = m.texts("tokenizer.ggml.tokens").length;
  const rows = tensors.get("token_embd.weight")?.dims[0];
  if (rows !== vocabulary) {
    fail("tokenizer.ggml.tokens", `be as many as token_embd.weight has rows, ${rows}`, vocabulary);
  }
  const experts = m.number(`${arch}.expert_count`) ?? 0;
  if (experts > 0) {
    fail(`${arch}.expert_count`, "be 0 (mixtures of experts: load the safetensors)", experts);
  }
  const headDim = m.number(`${arch}.attention.key_length`) ?? hidden / heads;
  const rotary = m.number(`${arch}.rope.dimension_count`) ?? headDim;
  if (rotary !== headDim) {
    fail(`${arch}.rope.dimension_count`, `be ${headDim}, a whole head`, rotary);
  }
  return {
    model_type: arch,
    hidden_act: "silu",
    hidden_size: hidden,
    intermediate_size: m.integer(`${arch}.feed_forward_length`),
    num_hidden_layers: m.integer(`${arch}.block_count`),
    num_attention_heads: heads,
    num_key_value_heads: kv,
    head_dim: headDim,
    max_position_embeddings: m.integer(`${arch}.context_length`),
    rms_norm_eps: decimal(
      m.number(`${arch}.attention.layer_norm_rms_epsilon`) ??
        fail(`${arch}.attention.layer_norm_rms_epsilon`, "be a number", undefined),
    ),
    rope_theta: decimal(m.number(`${arch}.rope.freq_base`) ?? 10000),
    rope_scaling: ropeScaling(m, arch!, tensors),
    tie_word_embeddings: !tensors.has("output.weight"),
    attention_bias: arch === "llama" && tensors.has("blk.0.attn_q.bias"),
    mlp_bias: false,
    use_sliding_window: false,
    vocab_size: vocabulary,
    eos_token_id: eosOf(m),
  };
}

/** Ids that end a text. */
export function eosOf(m: Metadata): number[] {
  const ids = ["eos", "eot", "eom"].map((name) => m.number(`tokenizer.ggml.${name}_token_id`))
    .filter((id) => id !== undefined);
  return [...new Set(ids)];
}
