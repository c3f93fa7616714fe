/**
 * A loaded language model: it maps mixtures of embeddings to logits and knows nothing of methods.
 *
 * @module
 */

import type { DecoderConfig } from "../graph/mod.ts";
import { checkNumber } from "../_check.ts";
import { given } from "../_given.ts";
import { type ChatOptions, chatTemplate, type Message } from "./chat.ts";
import type { Attempt } from "./auto.ts";
import type { GenerationDefaults } from "./config.ts";
import type { CacheShape, Engine, KvCache, KvFormat } from "./engine.ts";
import type { NextToken } from "./next_token.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A loaded language model. Dispose it when done (`await using model = await loadModel(…)`). */
export interface Model extends
  AsyncDisposable,
  Pick<
    Engine,
    "device" | "threads" | "fallenBack" | "checked" | "versions" | "remote" | "layers"
  > {
  /** The id it was loaded by. */
  readonly id: string;
  /** First 16 hex digits of a SHA-256 over the configuration, tensor table and sampled weights. */
  readonly fingerprint: string;
  /** What was tried before engine and device were chosen; absent where ONNX Runtime has the device that was asked for. */
  readonly attempts?: readonly Attempt[];
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
  /**
   * What should be known, in sentences: what the device does otherwise than the CPU, and what else the checkpoint
   * recommends and is not followed. Absent where there is nothing.
   */
  readonly notes?: readonly string[];
  /** First 16 hex digits of the SHA-256 of its chat template; absent where it has none. */
  readonly template?: string;
  /**
   * Bytes of the weights in the dtype in use, of keys and values per token of a slot, and of what keys and values of a
   * batch may take; absent where no device says: 2 GiB.
   */
  readonly memory: {
    readonly weightsBytes: number;
    readonly kvBytesPerToken: number;
    readonly cacheBytes?: number;
  };
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
  openCache(shape: CacheShape): KvCache;
  /**
   * Opens what finds the most probable tokens of rows of logits and their softmax. Absent with small
   * vocabularies, of up to 1024 tokens, where decoding does so itself.
   *
   * @param tokens Number of tokens that there are: nothing is found beyond. Default: all of the vocabulary.
   */
  openNextToken?(tokens?: number): NextToken;
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

/** What a model is made of: what it must know, what it may, and what computes its logits. */
export type ModelParts =
  & Pick<Model, "id" | "maxLength" | "config" | "tokenizer">
  & Partial<
    Omit<
      Model,
      "openCache" | "openNextToken" | keyof Omit<Engine, "openCache" | "openNextToken">
    >
  >
  & { readonly engine: Engine };

/**
 * Makes a model over an engine of any kind; disposing it disposes the engine.
 *
 * @param parts The engine, the tokenizer and what is known. Defaults: no chat template, no recommended
 * settings, fp32, sizes of 0, and the id in place of a fingerprint.
 * @returns A model with which `generate` and `runStudy` work as with a loaded one.
 *
 * @example An engine that always finds the next letter most probable
 * ```ts
 * import { createModel, forward, type KvCache, loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using votes = await loadModel("votes-tiny");
 * const { config, tokenizer, maxLength } = votes, V = config.vocabularySize;
 * const after = (input: unknown) =>
 *   Float32Array.from({ length: V }, (_, id) => id === (Number(input) + 1) % V ? 9 : 0);
 * const openCache = (shape: { slots: number; length: number }): KvCache => ({
 *   ...shape,
 *   prefill: (_slot, _from, inputs) => Promise.resolve(after(inputs.at(-1))),
 *   step: (inputs) => Promise.resolve(after(inputs[0])),
 *   copy: () => Promise.resolve(),
 *   [Symbol.dispose]() {},
 * });
 * const engine = { device: "mine", openCache, [Symbol.asyncDispose]: () => Promise.resolve() };
 * await using model = createModel({ id: "alphabet", config, tokenizer, maxLength, engine });
 * assertEquals((await forward(model, [3]))[0]![4], 9);
 * ```
 */
export function createModel({ engine, ...known }: ModelParts): Model {
  const { embeddings, maxLength, config: { vocabularySize } } = known;
  let disposed = false;
  const checkUse = (verb: string) => {
    if (disposed) throw new Error(`Cannot ${verb} as the model is disposed`);
  };
  const checkedShape = ({ slots, length }: CacheShape): CacheShape => {
    checkUse("open a cache");
    checkNumber("open a cache", "slots", slots, { min: 1, integer: true });
    checkNumber("open a cache", "length", length, { min: 1, max: maxLength, integer: true });
    return { slots, length };
  };
  return {
    fingerprint: known.id,
    dtype: "fp32",
    kv: "fp32",
    defaults: {},
    memory: { weightsBytes: 0, kvBytesPerToken: 0 },
    chat: chatTemplate({}),
    ...known,
    device: engine.device,
    threads: engine.threads,
    ...given({ fallenBack: engine.fallenBack, checked: engine.checked }),
    ...given({ versions: engine.versions, remote: engine.remote }),
    openCache: (shape) => engine.openCache(checkedShape(shape)),
    ...(engine.layers && {
      layers: {
        openCache: (shape, patches) => engine.layers!.openCache(checkedShape(shape), patches),
        read(streams) {
          checkUse("read a stream");
          return engine.layers!.read(streams);
        },
      },
    }),
    ...(engine.openNextToken && {
      openNextToken(tokens = vocabularySize) {
        checkUse("look at logits");
        const range = { min: 1, max: vocabularySize, integer: true };
        checkNumber("look at logits", "tokens", tokens, range);
        return engine.openNextToken!(tokens);
      },
    }),
    ...(embeddings && {
      embeddings(ids) {
        checkUse("read embeddings");
        return embeddings(ids);
      },
    }),
    async [Symbol.asyncDispose]() {
      disposed = true;
      await engine[Symbol.asyncDispose]();
    },
  };
}
