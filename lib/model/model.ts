/**
 * A loaded language model: it maps mixtures of embeddings to logits and knows nothing of methods.
 *
 * @module
 */

import type { DecoderConfig } from "../graph/mod.ts";
import type { DeviceAttempt } from "../runtime/mod.ts";
import type { KvCache } from "./cache.ts";
import type { ChatOptions, Message } from "./chat.ts";
import type { GenerationDefaults } from "./config.ts";
import type { NextToken } from "./next_token.ts";
import type { KvFormat } from "./slabs.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A loaded language model. Dispose it when done (`await using model = await loadModel(…)`). */
export interface Model extends AsyncDisposable {
  /** The id it was loaded by. */
  readonly id: string;
  /** First 16 hex digits of a SHA-256 over the configuration, tensor table and sampled weights. */
  readonly fingerprint: string;
  /** Device that it runs on, such as "cpu". */
  readonly device: string;
  /** What was tried to choose the device. */
  readonly attempts: readonly DeviceAttempt[];
  /** Threads within an operator; undefined: one per physical core. */
  readonly threads?: number | undefined;
  /** Number format that it computes with. */
  readonly dtype: string;
  /** Number format of its keys and values. */
  readonly kv: KvFormat;
  /** Longest context, prompt and answer together, in tokens. */
  readonly maxLength: number;
  /** Shape of the network. */
  readonly config: DecoderConfig;
  /** Text to ids and back. */
  readonly tokenizer: Tokenizer;
  /** Sampler settings that the checkpoint recommends. */
  readonly defaults: GenerationDefaults;
  /** What else it recommends and is not followed, in sentences; absent where there is nothing. */
  readonly notes?: readonly string[];
  /** First 16 hex digits of the SHA-256 of its chat template; absent where it has none. */
  readonly template?: string;
  /** Bytes of the weights in the dtype in use, and of keys and values per token of a slot. */
  readonly memory: { readonly weightsBytes: number; readonly kvBytesPerToken: number };
  /**
   * Renders a conversation by the model's chat template.
   *
   * @throws {TypeError} Where the model has no template.
   */
  chat(messages: readonly Message[], options?: ChatOptions): string;
  /**
   * Opens a KV cache.
   *
   * @param shape Number of slots, and positions of each (at most `maxLength`).
   */
  openCache(shape: { readonly slots: number; readonly length: number }): KvCache;
  /**
   * Opens what finds the most probable tokens of rows of logits and their softmax. Absent with small
   * vocabularies, of up to 1024 tokens, where decoding does so itself.
   */
  openNextToken?(): NextToken;
  /**
   * Rows of the embedding table in float32, as the checkpoint stores them: a factor that the model
   * applies to all of them, as Gemma does, is left out. Absent where there is no such table, as in
   * ONNX exports.
   *
   * @param ids Token ids.
   * @returns The rows `[D]`, in that order.
   */
  embeddings?(ids: ArrayLike<number>): Float32Array[];
}
