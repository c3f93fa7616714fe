/**
 * llama.cpp by Deno FFI: GGUF files of about 150 architectures, on processors and on GPUs by Vulkan, Metal or CUDA.
 *
 * The libraries are prebuilt ones of an npm package for the platform, which is fetched on first use (see
 * `library.ts`). Nothing here knows about mixtures: a context is fed token ids or embeddings, and gives logits. What
 * llama.cpp answers by ending the process is refused before.
 *
 * ```text
 * openLlama(device) ──▶ loadLlamaModel(path) ──▶ LlamaModel.openContext() ──▶ Context.decode(places, input)
 * ```
 *
 * @module
 */

export { type Calls, INIT, LLAMA_VERSION, PACKAGE_VERSION, textAt, TRAITS } from "./api.ts";
export type { Context, ContextOptions, Place } from "./context.ts";
export { type Llama, type LlamaDevice, openLlama, packageOf, type Unit } from "./library.ts";
export { type LlamaModel, type LlamaOptions, loadLlamaModel } from "./model.ts";
export { cpuFunction, startThreads, type Threads } from "./pool.ts";
