/**
 * From an id to a model: checkpoint files, tokenizer, chat template, KV cache.
 *
 * A model maps mixtures of token embeddings to logits. Its only state are the caches that callers
 * open on it. Two seams hold it together: a {@linkcode Source} is what files are (a checkpoint's folder,
 * a GGUF file, an ONNX export; {@linkcode openSource} tells them apart, and a new format is a file in
 * `sources/`), an {@linkcode Engine} is what computes logits (ONNX Runtime, or one of your own, see
 * {@linkcode createModel}), or a server that is asked for whole texts ({@linkcode Remote}); of that
 * {@linkcode readWords} reads tokenizer and template without weights. Controls ship inside the package: `votes-tiny`, a sensitivity check, whose only error is the
 * noise of its own draws; `countdown-tiny-baseline`, a null control that never saw a mixture; and
 * `countdown-tiny`, its twin that did.
 *
 * Checkpoints in Hugging Face format load as they are, one file or sharded, without Python or
 * conversion: the ONNX graph is built here and runs on the library inside `npm:onnxruntime-node`,
 * through its C API, with the KV cache updated in place. What a checkpoint recommends and is not
 * followed stands in `model.notes`. Chat templates are rendered as jinja2 renders them, or refused by
 * name; `chat: { enable_thinking: false }` gives variables to them. The logits of every family below
 * are compared with those of transformers 4.57 in float32:
 *
 * [//]: # (features)
 *
 * | `model_type` | cpu fp32, fp16, int8, int4 | webgpu fp32 | webgpu fp16 | webgpu int8 | webgpu int4 | cuda |
 * | --- | --- | --- | --- | --- | --- | --- |
 * | `gemma3` | tested | emulated | emulated | emulated | emulated | not run |
 * | `gemma3_text` | tested | emulated | emulated | emulated | emulated | not run |
 * | `llama` | tested | emulated | emulated | emulated | emulated | not run |
 * | `mistral` | tested | emulated | emulated | emulated | emulated | not run |
 * | `nemotron-nas` | tested | emulated | emulated | emulated | emulated | not run |
 * | `olmo2` | tested | emulated | emulated | emulated | emulated | not run |
 * | `phi3` | tested | emulated | emulated | emulated | emulated | not run |
 * | `qwen2` | tested | emulated | emulated | emulated | emulated | not run |
 * | `qwen3` | tested | emulated | emulated | emulated | emulated | not run |
 * | `qwen3_moe` | tested | emulated | emulated | emulated | emulated | not run |
 *
 * [//]: # (/features)
 *
 * "emulated": on a GPU that the CPU emulates, SwiftShader for fp32 and int8 and lavapipe for fp16 and int4
 * with fp16 between operators; in fp32 within 4e-5 of transformers, in fp16 within 0.11 of logits up to 15.
 *
 * - **Formats.** `fp32` widens fp16 and bf16 checkpoints, exactly. `int8` and `int4` quantise linear
 *   layers here (blocks of 32, symmetric, the bytes of ONNX Runtime's own rule; 8 bits for the head;
 *   embedding rows stay), once, into the cache folder. `fp16` on the CPU is rounded weights computed
 *   in fp32. `auto` takes the most exact of fp32, int8, int4 whose weights need at most half of the
 *   free memory, on a GPU the most exact of fp16, int8, int4 that has room. `deno task inspect ID --dtype int4 --quality` prints the KL divergence from fp32; on
 *   `countdown-tiny`, int4 has a mean of 0.04 nats and int8 of 0.0006.
 * - **Memory.** {@linkcode estimateMemory} needs `config.json` alone; a load that cannot fit is refused
 *   with the numbers. Weights of the paper's models, and keys and values of one sequence of 8192
 *   tokens, in GiB:
 *
 *   | model                        | parameters | fp32  | int8 | int4 | KV  |
 *   | ---------------------------- | ---------- | ----- | ---- | ---- | --- |
 *   | QwQ-32B, DAPO-Qwen-32B       | 32.76 B    | 120.6 | 35.0 | 20.4 | 4.0 |
 *   | Llama-3.3-Nemotron-Super-49B | 49.87 B    | 183.8 | 53.1 | 30.9 | 3.1 |
 *   | Gemma-3-27B (text)           | 27.01 B    | 103.2 | 30.9 | 19.0 | 7.8 |
 *
 * - **GGUF.** On ONNX Runtime architectures `llama`, `qwen2`, `qwen3`, `gemma3`, `phi3` and `olmo2`; F32, F16, BF16,
 *   Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and Q2_K to Q6_K; a file of another architecture or type, or with metadata whose
 *   meaning is not known there, goes to llama.cpp. Every count and offset of the header is checked. `auto` is `native`:
 *   the integers, scales and minima of the blocks go to the runtime as they are, none rounded anew; as
 *   in llama.cpp the inputs of a layer are rounded to int8. On SmolLM2-135M (Q4_1) that is a mean KL
 *   of 0.0062 nats from the same weights in fp32, at most 0.042, with 96.8 % equal most probable
 *   tokens (501 positions). `int8` and `int4` take blocks of no more bits as they are and quantise the
 *   others; `fp32` computes with the exact numbers of the blocks, those of the Python package `gguf`
 *   bit for bit. Vocabularies: byte-level ones whose cut is known (`gpt-2`, `smollm`, `llama-bpe`,
 *   `qwen2`), an unknown one is refused; and SentencePiece. Converted weights are cached once; the
 *   file itself stays where it is and is needed at each load.
 * - **llama.cpp**, `engine: "llama.cpp"` or by itself where ONNX Runtime does not support a GGUF file (`model.attempts`
 *   says why): about 150 architectures, all types of blocks, processors and GPUs (see `lib/llama/mod.ts`). In batches
 *   on a CPU ONNX Runtime is the faster one, for a single sequence of a Q4_1 file llama.cpp.
 *
 *   | engine       | device        | types                                            |                   |
 *   | ------------ | ------------- | ------------------------------------------------ | ----------------- |
 *   | ONNX Runtime | cpu           | the thirteen above                               | tested            |
 *   | ONNX Runtime | webgpu        | Q4_1                                             | emulated          |
 *   | ONNX Runtime | cuda          |                                                  | not run           |
 *   | llama.cpp    | cpu           | those, Q1_0, Q2_0, IQ1 to IQ4, TQ, MXFP4, NVFP4  | tested            |
 *   | llama.cpp    | vulkan        | F32, Q4_1                                        | emulated          |
 *   | llama.cpp    | metal, cuda   |                                                  | not run           |
 *
 *   The embedding of a mixture is made here and fed in place of a token's. At each load an id and its embedding must
 *   give the same logits, bit for bit, else the model is refused, as Gemma 3n is, whose layers take the id as well; and
 *   rows must be the same alone and in a batch: steps are padded to the number of rows with which they are (1, 2 or 4
 *   by type, always 8 on a GPU). For that flash attention is off. Recurrent models, encoders and damaged headers are
 *   refused, before llama.cpp would end the process; `deno task inspect` tries a file in a process of its own. A sum
 *   over a large vocabulary is a product on the device with the table in float32, or in 8 bits where the file has
 *   blocks. Texts are cut into tokens by llama.cpp, and end where the file says.
 * - **ONNX exports.** A folder or hub model with `onnx/model*.onnx` and no safetensors
 *   (onnx-community, onnxruntime-genai, Optimum layouts) is cut at its embedding, so that the mixture
 *   is its input; the files stay as they are. On load, a one-entry mixture must give the export's own
 *   logits, else it is refused with the difference. Exports whose attention is not GroupQueryAttention
 *   copy their past at every step; with a large vocabulary they gather one embedding row per mixture
 *   entry: use `topK` there.
 * - **Rotary scaling.** A yarn checkpoint may be used up to its original context times its factor.
 *   Phi-3 with longrope uses one list of factors per load: that for short contexts unless `maxLength`
 *   goes beyond them.
 * - **Hub.** The cache is the one that Python's `huggingface_hub` uses; downloads resume, are checked
 *   against their size and SHA-256, and a pinned `revision` that is complete makes no request.
 *   `HF_TOKEN`, `HF_HOME`, `HF_ENDPOINT`, `HF_HUB_OFFLINE` are followed; `deno task download ID`
 *   fetches without loading.
 * - **Devices.** `device: "auto"` takes the device on which a step of the model's shape is fastest, by a
 *   short trial that is kept (`model.attempts`); "webgpu" and "cuda" by name. On a GPU the whole batch
 *   advances in one run, in place; inputs, keys and values, logits and softmax stay there, the most probable
 *   tokens and two numbers a row come back, and runs are recorded and played back where the device has all
 *   operators. Those it lacks run on the CPU and stand in `model.fallenBack` (experts, heads whose width is no
 *   multiple of 16). At each load the device's attention is compared with the CPU's, prompts longer than a
 *   kernel's fault are cut into chunks that it computes rightly, and `model.checked` says so, and whether a row
 *   depends on its batch. What each device needs and where it has run: "Devices" in `lib/runtime/mod.ts`.
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

export type { Attempt } from "./auto.ts";
export { defaultCacheDir } from "../_cache_home.ts";
export { PREFILL_CHUNK } from "./cache.ts";
export type { ChatOptions, ChatTemplate, Message } from "./chat.ts";
export type { Checkpoint, Encoded, Packed, Packing } from "./checkpoint.ts";
export { type GenerationDefaults, parseConfig } from "./config.ts";
export { type Dtype, DTYPES } from "./dtype.ts";
export {
  type CacheShape,
  type DeviceCheck,
  type Engine,
  type EngineName,
  KV_TYPES,
  type KvCache,
  type KvFormat,
  type Layers,
  type Patch,
  type StreamCache,
} from "./engine.ts";
export type { ExternalData } from "./external.ts";
export { dequantize } from "./gguf/blocks.ts";
export {
  type Gguf,
  GGUF_TENSOR_TYPES,
  GGUF_TYPES,
  type GgufTensor,
  type GgufTensorType,
  type GgufType,
  type GgufValue,
  parseGguf,
} from "./gguf/parse.ts";
export { EMBEDDED, embeddedFolder, type EmbeddedOptions } from "./embedded.ts";
export { forward, type Inside, type InsideOptions, logitLens } from "./forward.ts";
export { type DatasetOptions, downloadDataset } from "./hub.ts";
export { insideOf } from "./inside.ts";
export { downloadModel, type DownloadOptions } from "./download.ts";
export type { LogitRows } from "./logit_rows.ts";
export { loadModel, type LoadOptions } from "./load.ts";
export {
  checkMixture,
  type Held,
  type HeldProbabilities,
  type Input,
  kept,
  type Listed,
  mixed,
  type Mixture,
  offSampleMass,
  oneToken,
  probabilityIn,
  trusted,
  type Weighted,
} from "./mixture.ts";
export {
  estimateMemory,
  kvBytesPerToken,
  type MemoryEstimate,
  type MemoryOptions,
} from "./memory.ts";
export { createModel, type Model, type ModelParts } from "./model.ts";
export type { Progress } from "./progress.ts";
export {
  hidePadding,
  type NextToken,
  type NextTokens,
  SHORTLIST,
  type Softmax,
  type TopTokens,
} from "./next_token.ts";
export { type Quality, quality } from "./quality.ts";
export type { Remote, RemoteText, TextRequest } from "./remote.ts";
export { parseSafetensors } from "./safetensors.ts";
export { checkpointSource } from "./sources/checkpoint.ts";
export { openSource } from "./sources/mod.ts";
export type { ModelFiles, Prepared, PrepareRequest, Source } from "./sources/source.ts";
export { createTokenizer, type PieceDecoder, pieceDecoder, type Tokenizer } from "./tokenizer.ts";
export { withStandIns } from "./stand_ins.ts";
export { readWords, type Words } from "./words.ts";
export type { DecoderConfig } from "../graph/mod.ts";
