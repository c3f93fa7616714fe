/**
 * From an id to a model: checkpoint files, tokenizer, chat template, KV cache.
 *
 * A model maps mixtures of token embeddings to logits. Its only state are the caches that callers
 * open on it. Controls ship inside the package: `votes-tiny`, a sensitivity check, whose only error is the
 * noise of its own draws; `countdown-tiny-baseline`, a null control that never saw a mixture; and
 * `countdown-tiny`, its twin that did.
 *
 * @example Logits after a chat prompt
 * ```ts
 * import { forward, loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("countdown-tiny");
 * const prompt = model.chat([{
 *   role: "user",
 *   content: "Using the numbers [12, 11, 8], create an equation that equals 36.",
 * }]);
 * const ids = model.tokenizer.encode(prompt);
 * const logits = await forward(model, ids);
 * assertEquals(logits.length, ids.length);
 * assertEquals(logits[0]!.length, model.config.vocabularySize);
 * ```
 *
 * @module
 */

export { type KvCache, PREFILL_CHUNK } from "./cache.ts";
export type { ChatOptions, ChatTemplate, Message } from "./chat.ts";
export { type GenerationDefaults, parseConfig } from "./config.ts";
export { autoDtype, type Dtype, DTYPES } from "./dtype.ts";
export { dequantize } from "./gguf/blocks.ts";
export {
  type Gguf,
  GGUF_TYPES,
  type GgufTensor,
  type GgufType,
  type GgufValue,
  parseGguf,
} from "./gguf/parse.ts";
export { speaking } from "./speaking.ts";
export { defaultCacheDir, EMBEDDED, embeddedFolder, type EmbeddedOptions } from "./embedded.ts";
export { forward } from "./forward.ts";
export { hubCacheDir } from "./_hub_cache.ts";
export {
  type DatasetOptions,
  downloadDataset,
  downloadModel,
  type DownloadOptions,
  type HubFile,
  hubFiles,
  type HubListing,
  type HubOptions,
} from "./hub.ts";
export { loadModel, type LoadOptions } from "./load.ts";
export {
  checkMixture,
  type Input,
  kept,
  mixed,
  type Mixture,
  offSampleMass,
  oneToken,
  trusted,
  type Weighted,
} from "./mixture.ts";
export {
  estimateMemory,
  kvBytesPerToken,
  type MemoryEstimate,
  type MemoryOptions,
} from "./memory.ts";
export type { Model } from "./model.ts";
export type { Progress } from "./progress.ts";
export { klDivergence, type Quality, quality } from "./quality.ts";
export {
  type NextToken,
  type NextTokens,
  SHORTLIST,
  type Softmax,
  type TopTokens,
} from "./next_token.ts";
export { parseSafetensors } from "./safetensors.ts";
export { KV_TYPES, type KvFormat } from "./slabs.ts";
export { createTokenizer, type PieceDecoder, pieceDecoder, type Tokenizer } from "./tokenizer.ts";
export { parseIndex } from "./weights.ts";
export type { DecoderConfig } from "../graph/mod.ts";
