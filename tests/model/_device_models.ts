/** Random models that are larger than the golden ones, with heads of 16, of which emulators compile attention once. */

import type { TemporaryFolder } from "../_temporary.ts";
import { type ArchitectureCase, checkpointOf, tensorsOf } from "../golden/architectures.ts";
import { temporaryFolder } from "../_temporary.ts";
import { byteLevel } from "./_byte_level.ts";
import { randomBlocks } from "./gguf/_blocks.ts";
import { ggufOf } from "./gguf/_convert.ts";

/** Number format of stored weights. */
export type Stored = ArchitectureCase["dtype"];

/** Longest context of these models. */
export const LENGTH = 384;
/** Rows of the large vocabulary, of which a tokenizer has the first 266 only. */
export const VOCABULARY = 3000;

/** A random Llama with a vocabulary of so many tokens. */
function llama(vocabulary: number, dtype: Stored) {
  const D = 64, inner = 96, q = 4 * 16, kv = 2 * 16, layers = 2;
  const linear = (name: string, out: number, input: number) =>
    [`${name}.weight`, [out, input], 0, Math.sqrt(12 / input)] as const;
  const norm = (name: string) => [`${name}.weight`, [D], 1, 0.2] as const;
  const layer = (i: number) => {
    const at = `model.layers.${i}`;
    return [
      norm(`${at}.input_layernorm`),
      norm(`${at}.post_attention_layernorm`),
      linear(`${at}.self_attn.q_proj`, q, D),
      linear(`${at}.self_attn.k_proj`, kv, D),
      linear(`${at}.self_attn.v_proj`, kv, D),
      linear(`${at}.self_attn.o_proj`, D, q),
      linear(`${at}.mlp.gate_proj`, inner, D),
      linear(`${at}.mlp.up_proj`, inner, D),
      linear(`${at}.mlp.down_proj`, D, inner),
    ];
  };
  const config = {
    ...{ model_type: "llama", hidden_size: D, intermediate_size: inner, num_hidden_layers: layers },
    ...{ num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, vocab_size: vocabulary },
    ...{ max_position_embeddings: LENGTH, rms_norm_eps: 1e-5, rope_theta: 10_000 },
    ...{ eos_token_id: 265, torch_dtype: dtype },
  };
  const tensors = [
    ["model.embed_tokens.weight", [vocabulary, D], 0, 3.4] as const,
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
    norm("model.norm"),
    ["lm_head.weight", [vocabulary, D], 0, 1.2] as const,
  ];
  return { name: `llama of ${vocabulary}`, seed: 17, dtype, config, tensors, max_length: LENGTH };
}

/** A model with a large vocabulary, whose tokenizer has fewer tokens, or with a small one and no tokenizer. */
export function randomModel(
  size: "large" | "small",
  dtype: Stored = "float32",
): Promise<TemporaryFolder> {
  if (size === "small") return checkpointOf(llama(48, dtype));
  const { definition, config } = byteLevel();
  return checkpointOf(llama(VOCABULARY, dtype), {}, {
    "tokenizer.json": JSON.stringify(definition),
    "tokenizer_config.json": JSON.stringify(config),
  });
}

/** A model of random blocks of 32 numbers, as a GGUF file. */
export async function blockModel(
  type: "Q4_0" | "Q4_1" | "Q8_0",
): Promise<TemporaryFolder & { readonly file: string }> {
  const { config, ...value } = llama(48, "float32");
  const file = ggufOf(config, tensorsOf(value), { blocks: randomBlocks(type) });
  const folder = await temporaryFolder({ "model.gguf": file });
  return { ...folder, path: folder.path, file: `${folder.path}/model.gguf` };
}
