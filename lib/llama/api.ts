/**
 * The C API of llama.cpp and ggml by Deno FFI: the functions that are called, and the structs that they take.
 *
 * Structs change between releases, so the layouts are those of one, v0.4.0, whose libraries the npm packages
 * `@node-llama-cpp/…` of {@linkcode PACKAGE_VERSION} hold. What is opened must say that it is that version, and its
 * default parameters must read, by these layouts, as they were there.
 *
 * Source: `llama.h`, `ggml.h`, `ggml-backend.h`, `ggml-cpu.h`.
 *
 * @module
 */

import { cString } from "../runtime/api.ts";
import { type Struct, struct, structIn, type View } from "../runtime/structs.ts";

/** Version of the npm packages. */
export const PACKAGE_VERSION = "3.21.1";
/** What `llama_version` says in them. */
export const LLAMA_VERSION = "0.4.0";

/** `llama_batch`. */
export const BATCH: Struct<
  "n_tokens" | "token" | "embd" | "pos" | "n_seq_id" | "seq_id" | "logits"
> = struct({
  ...{ n_tokens: "u32", token: "u64", embd: "u64", pos: "u64", n_seq_id: "u64", seq_id: "u64" },
  logits: "u64",
});

/** `llama_model_params`. */
const MODEL = struct({
  ...{ devices: "u64", tensor_buft_overrides: "u64", n_gpu_layers: "u32", split_mode: "u32" },
  ...{ load_mode: "u32", own: "u32", main_gpu: "u32", tensor_split: "u64" },
  ...{ progress_callback: "u64", progress_callback_user_data: "u64", kv_overrides: "u64" },
  ...{
    vocab_only: "u8",
    check_tensors: "u8",
    use_extra_bufts: "u8",
    no_host: "u8",
    no_alloc: "u8",
  },
  last: "u8",
});

/** `llama_context_params`. */
const CONTEXT = struct({
  ...{ n_ctx: "u32", n_batch: "u32", n_ubatch: "u32", n_seq_max: "u32", n_rs_seq: "u32" },
  ...{ n_outputs_max: "u32", own: "u32", n_threads: "u32", n_threads_batch: "u32" },
  ...{ ctx_type: "u32", rope_scaling_type: "u32", pooling_type: "u32", attention_type: "u32" },
  flash_attn_type: "u32",
  rope_and_yarn: ["u32", 8],
  ...{ cb_eval: "u64", cb_eval_user_data: "u64", type_k: "u32", type_v: "u32" },
  ...{ abort_callback: "u64", abort_callback_data: "u64" },
  ...{ embeddings: "u8", offload_kqv: "u8", no_perf: "u8", op_offload: "u8", swa_full: "u8" },
  ...{ kv_unified: "u8", samplers: "u64", n_samplers: "u64", ctx_other: "u64" },
});

/** Default parameters as they are in that version: were a layout another, they would read otherwise. */
const DEFAULTS = {
  model: { n_gpu_layers: 2 ** 32 - 1, split_mode: 1, vocab_only: 0, use_extra_bufts: 1 },
  context: {
    ...{ n_ctx: 512, n_batch: 2048, n_ubatch: 512, n_seq_max: 1, n_outputs_max: 0 },
    ...{ n_threads: 4, n_threads_batch: 4, flash_attn_type: 2 ** 32 - 1, type_k: 1, type_v: 1 },
    ...{ abort_callback: 0, offload_kqv: 1, no_perf: 1, op_offload: 1, swa_full: 1, kv_unified: 0 },
  },
} as const;

const i = "i32", p = "pointer", b = "buffer", z = "usize", none = "void", yes = "bool";

/** How a struct is handed over: by its words alone. */
const words = ({ size }: Pick<Struct<string>, "size">) => ({
  struct: Array.from({ length: size / 8 }, () => "u64" as const),
});

/** A function that runs on a thread of its own, under another name. */
const later = <const T extends object>(name: string, call: T) =>
  ({ ...call, name, nonblocking: true }) as const;

const LOAD = { parameters: [b, words(MODEL)], result: p } as const;
const DECODE = { parameters: [p, words(BATCH)], result: i } as const;
const LLAMA = {
  llama_version: { parameters: [], result: p },
  llama_backend_init: { parameters: [], result: none },
  llama_log_set: { parameters: [p, p], result: none },
  llama_model_default_params: { parameters: [], result: words(MODEL) },
  llama_context_default_params: { parameters: [], result: words(CONTEXT) },
  loadLater: later("llama_model_load_from_file", LOAD),
  llama_model_free: { parameters: [p], result: none },
  llama_model_get_vocab: { parameters: [p], result: p },
  llama_model_n_embd_inp: { parameters: [p], result: i },
  llama_model_rope_type: { parameters: [p], result: i },
  llama_model_has_encoder: { parameters: [p], result: yes },
  llama_model_has_decoder: { parameters: [p], result: yes },
  llama_model_is_recurrent: { parameters: [p], result: yes },
  llama_model_is_hybrid: { parameters: [p], result: yes },
  llama_model_is_diffusion: { parameters: [p], result: yes },
  llama_vocab_n_tokens: { parameters: [p], result: i },
  llama_vocab_is_eog: { parameters: [p, i], result: yes },
  llama_vocab_get_attr: { parameters: [p, i], result: i },
  llama_tokenize: { parameters: [p, b, i, b, i, yes, yes], result: i },
  llama_detokenize: { parameters: [p, b, i, b, i, yes, yes], result: i },
  llama_max_parallel_sequences: { parameters: [], result: z },
  initLater: later("llama_init_from_model", { parameters: [p, words(CONTEXT)], result: p }),
  llama_free: { parameters: [p], result: none },
  llama_attach_threadpool: { parameters: [p, p, p], result: none },
  llama_get_memory: { parameters: [p], result: p },
  llama_memory_seq_rm: { parameters: [p, i, i, i], result: yes },
  llama_memory_seq_cp: { parameters: [p, i, i, i, i], result: none },
  decodeLater: later("llama_decode", DECODE),
  llama_decode: DECODE,
  llama_get_logits: { parameters: [p], result: p },
} as const;

const GGML = {
  ggml_backend_load_all_from_path: { parameters: [b], result: none },
  ggml_backend_reg_count: { parameters: [], result: z },
  ggml_backend_dev_count: { parameters: [], result: z },
  ggml_backend_dev_get: { parameters: [z], result: p },
} as const;

/** `ggml_init_params`. */
export const INIT: Struct<"mem_size" | "mem_buffer" | "no_alloc"> = struct({
  ...{ mem_size: "u64", mem_buffer: "u64", no_alloc: "u8" },
});
/** `ggml_type_traits`. */
export const TRAITS: Struct<"name" | "numbers" | "bytes" | "to_float"> = struct({
  ...{ name: "u64", numbers: "u64", interleave: "u64", bytes: "u64", is_quantized: "u8" },
  to_float: "u64",
});
/** `ggml_threadpool_params`. */
export const POOL: Struct<"n_threads" | "poll"> = struct({
  ...{ cpumask: ["u8", 512], n_threads: "u32", prio: "u32", poll: "u32", strict_cpu: "u8" },
  paused: "u8",
});

const BASE = {
  ggml_backend_dev_name: { parameters: [p], result: p },
  ggml_backend_dev_description: { parameters: [p], result: p },
  ggml_backend_dev_type: { parameters: [p], result: i },
  ggml_backend_dev_memory: { parameters: [p, b, b], result: none },
  ggml_backend_dev_backend_reg: { parameters: [p], result: p },
  ggml_backend_dev_init: { parameters: [p, p], result: p },
  ggml_backend_reg_name: { parameters: [p], result: p },
  ggml_backend_reg_get_proc_address: { parameters: [p, b], result: p },
  ggml_backend_free: { parameters: [p], result: none },
  ggml_backend_buffer_free: { parameters: [p], result: none },
  ggml_backend_alloc_ctx_tensors: { parameters: [p, p], result: p },
  ggml_backend_tensor_set: { parameters: [p, b, z, z], result: none },
  ggml_backend_tensor_get: { parameters: [p, b, z, z], result: none },
  computeLater: later("ggml_backend_graph_compute", { parameters: [p, p], result: i }),
  ggml_init: { parameters: [words(INIT)], result: p },
  ggml_free: { parameters: [p], result: none },
  ggml_new_tensor_2d: { parameters: [p, i, "i64", "i64"], result: p },
  ggml_mul_mat: { parameters: [p, p, p], result: p },
  ggml_new_graph: { parameters: [p], result: p },
  ggml_build_forward_expand: { parameters: [p, p], result: none },
  ggml_get_type_traits: { parameters: [i], result: p },
  ggml_quantize_chunk: { parameters: [i, b, b, "i64", "i64", "i64", p], result: z },
  ggml_threadpool_params_init: { parameters: [p, i], result: none },
} as const;

/** The functions of the three libraries. */
export type Calls = ReturnType<typeof openCalls>;

/** Opens the libraries by their paths. */
export function openCalls(
  paths: { readonly llama: string; readonly ggml: string; readonly base: string },
) {
  return {
    ...Deno.dlopen(paths.llama, LLAMA).symbols,
    ...Deno.dlopen(paths.ggml, GGML).symbols,
    ...Deno.dlopen(paths.base, BASE).symbols,
  };
}

/** A C text; empty where there is none. */
export const textAt = (pointer: Deno.PointerValue): string =>
  pointer === null ? "" : new Deno.UnsafePointerView(pointer).getCString();

/** Parameters that are handed over by value. */
export interface Parameters<Name extends string> {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: View<Name>;
}

function parametersOf<Name extends string>(
  layout: Struct<Name>,
  bytes: Uint8Array,
): Parameters<Name> {
  const own = bytes.slice(); // a struct of its own buffer
  return { bytes: own, view: structIn(layout, own.buffer) };
}

/** Default parameters of a model. */
export const modelParameters = (call: Calls): Parameters<keyof typeof MODEL.fields> =>
  parametersOf(MODEL, call.llama_model_default_params());

/** Default parameters of a context. */
export const contextParameters = (call: Calls): Parameters<keyof typeof CONTEXT.fields> =>
  parametersOf(CONTEXT, call.llama_context_default_params());

/** Refuses libraries of another version, or whose structs are laid out otherwise. */
export function checkLayout(call: Calls): void {
  const version = textAt(call.llama_version());
  if (!version.startsWith(LLAMA_VERSION)) {
    throw new Error(
      `Cannot open llama.cpp as its version must be ${LLAMA_VERSION}, whose structs are known: it is ${version}`,
    );
  }
  const differing = <Name extends string>(
    { view }: Parameters<Name>,
    defaults: Readonly<Partial<Record<Name, number>>>,
  ) => (Object.keys(defaults) as Name[]).filter((name) => view.number(name) !== defaults[name]);
  const wrong = [
    ...differing(modelParameters(call), DEFAULTS.model),
    ...differing(contextParameters(call), DEFAULTS.context),
  ];
  if (wrong.length === 0) return;
  throw new Error(
    `Cannot open llama.cpp as its structs are laid out otherwise than in ${LLAMA_VERSION}: ${
      wrong.join(", ")
    }`,
  );
}

export { cString };
