/**
 * llama.cpp by Deno FFI: GGUF files of about 150 architectures, on processors and on GPUs by Vulkan, Metal or CUDA.
 *
 * `loadModel(…, { engine: "llama.cpp" })` is how it is used. The libraries are prebuilt ones of an npm package for the
 * platform, which is fetched on first use ({@linkcode packageOf}). Nothing here knows about mixtures: a context is fed
 * token ids or embeddings, and gives logits. What llama.cpp answers by ending the process is refused before.
 *
 * ```text
 * openLlama(device) ──▶ loadLlamaModel(path) ──▶ LlamaModel.openContext() ──▶ Context.decode(places, input)
 *    library.ts             model.ts                                              context.ts
 * ```
 *
 * What it needs beside the package: for "vulkan" the Vulkan loader (libvulkan1 on Linux) and a GPU with its driver, for
 * "cuda" NVIDIA's driver and CUDA 13's libcudart and libcublas, for "metal" an Apple chip. On Linux x64 "cpu" is tested
 * and "vulkan" on an emulated GPU; nothing else has been run.
 *
 * @module
 */

export { LLAMA_VERSION, PACKAGE_VERSION } from "./api.ts";
export { type LlamaDevice, packageOf } from "./library.ts";
