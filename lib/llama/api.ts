/**
 * The C API of llama.cpp and ggml by Deno FFI: the functions that are called, and the structs that they take.
 *
 * Structs change between releases, so the layouts are those of one, whose libraries the npm packages
 * `@node-llama-cpp/…` hold. What is opened must say that it is that version, and its default parameters must read,
 * by these layouts, as they were there.
 *
 * Source: `llama.h`, `ggml.h`, `ggml-backend.h`, `ggml-cpu.h`.
 *
 * @module
 */

import { type Struct, struct, structIn, type View } from "../runtime/structs.ts";

/** Version of the npm packages. */
export const PACKAGE_VERSION = "3.21.1";
/** What `llama_version` says in them. */
export const LLAMA_VERSION = "0.4.0";

/** `llama_batch`. */
export const BATCH = struct({
  ...{ n_tokens: "u32", token: "u64", embd: "u64", pos: "u64", n_seq_id: "u64", seq_id: "u64" },
  logits: "u64",
});
/** `ggml_threadpool_params`. */
export const POOL = struct({
  ...{ cpumask: ["u8", 512], n_threads: "u32", prio: "u32", poll: "u32" },
  ...{ strict_cpu: "u8", paused: "u8" },
});
/** `llama_model_params`. */
const MODEL = struct({
  ...{ devices: "u64", tensor_buft_overrides: "u64", n_gpu_layers: "u32", split_mode: "u32" },
  ...{ load_mode: "u32", own: "u32", main_gpu: "u32", tensor_split: "u64" },
  ...{ progress_callback: "u64", progress_callback_user_data: "u64", kv_overrides: "u64" },
  ...{ vocab_only: "u8", check_tensors: "u8", use_extra_bufts: "u8", others: ["u8", 3] },
});
/** `llama_context_params`. */
const CONTEXT = struct({
  ...{ n_ctx: "u32", n_batch: "u32", n_ubatch: "u32", n_seq_max: "u32", n_rs_seq: "u32" },
  ...{ n_outputs_max: "u32", own: "u32", n_threads: "u32", n_threads_batch: "u32" },
  ...{ kinds: ["u32", 4], flash_attn_type: "u32", rope_and_yarn: ["u32", 8] },
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

/** Parameters and result of the functions of each library, and the name of one that runs on another thread. */
const TABLES = {
  llama: {
    llama_version: [[], p],
    llama_backend_init: [[], none],
    llama_log_set: [[p, p], none],
    llama_model_default_params: [[], words(MODEL)],
    llama_context_default_params: [[], words(CONTEXT)],
    loadLater: [[b, words(MODEL)], p, "llama_model_load_from_file"],
    llama_model_free: [[p], none],
    llama_model_get_vocab: [[p], p],
    llama_model_n_embd_inp: [[p], i],
    llama_model_rope_type: [[p], i],
    llama_model_has_encoder: [[p], yes],
    llama_model_has_decoder: [[p], yes],
    llama_model_is_recurrent: [[p], yes],
    llama_model_is_hybrid: [[p], yes],
    llama_model_is_diffusion: [[p], yes],
    llama_vocab_n_tokens: [[p], i],
    llama_vocab_is_eog: [[p, i], yes],
    llama_tokenize: [[p, b, i, b, i, yes, yes], i],
    llama_detokenize: [[p, b, i, b, i, yes, yes], i],
    llama_token_to_piece: [[p, i, b, i, i, yes], i],
    initLater: [[p, words(CONTEXT)], p, "llama_init_from_model"],
    llama_free: [[p], none],
    llama_attach_threadpool: [[p, p, p], none],
    llama_get_memory: [[p], p],
    llama_memory_seq_rm: [[p, i, i, i], yes],
    llama_memory_seq_cp: [[p, i, i, i, i], none],
    decodeLater: [[p, words(BATCH)], i, "llama_decode"],
    waitLater: [[p], none, "llama_synchronize"],
    llama_get_logits: [[p], p],
  },
  ggml: {
    ggml_backend_load_all_from_path: [[b], none],
    ggml_backend_reg_count: [[], z],
    ggml_backend_dev_count: [[], z],
    ggml_backend_dev_get: [[z], p],
  },
  base: {
    ggml_backend_dev_description: [[p], p],
    ggml_backend_dev_memory: [[p, b, b], none],
    ggml_backend_dev_backend_reg: [[p], p],
    ggml_backend_reg_name: [[p], p],
    ggml_backend_reg_get_proc_address: [[p, b], p],
    ggml_threadpool_params_init: [[p, i], none],
  },
} as const;

type Row = readonly [readonly Deno.NativeType[], Deno.NativeResultType, string?];
type Definition<R> = R extends readonly [
  infer P extends readonly Deno.NativeType[],
  infer T extends Deno.NativeResultType,
  string,
] ? { parameters: P; result: T; nonblocking: true }
  : R extends
    readonly [infer P extends readonly Deno.NativeType[], infer T extends Deno.NativeResultType]
    ? { parameters: P; result: T }
  : never;
type Calling<T> = Deno.StaticForeignLibraryInterface<
  { [Name in keyof T]: Definition<T[Name]> }
>;

/** The functions of the three libraries. */
export type Calls =
  & Calling<(typeof TABLES)["llama"]>
  & Calling<(typeof TABLES)["ggml"]>
  & Calling<(typeof TABLES)["base"]>;

/** Opens the libraries by their paths. */
export function openCalls(paths: Readonly<Record<keyof typeof TABLES, string>>): Calls {
  const libraries = Object.entries(TABLES).map(([name, table]) => {
    const definitions = Object.entries<Row>(table).map(([own, [parameters, result, later]]) => [
      own,
      { parameters, result, ...(later && { name: later, nonblocking: true }) },
    ]);
    return Deno.dlopen(paths[name as keyof typeof TABLES], Object.fromEntries(definitions)).symbols;
  });
  return Object.assign({}, ...libraries);
}

/** A C text; empty where there is none. */
export const textAt = (pointer: Deno.PointerValue): string =>
  pointer === null ? "" : new Deno.UnsafePointerView(pointer).getCString();

/** Parameters that are handed over by value, from the defaults. */
function parametersOf<Name extends string>(layout: Struct<Name>, defaults: Uint8Array) {
  const bytes = defaults.slice();
  return { bytes, view: structIn(layout, bytes.buffer) };
}

/** Default parameters of a model. */
export const modelParameters = (call: Calls) =>
  parametersOf(MODEL, call.llama_model_default_params());

/** Default parameters of a context. */
export const contextParameters = (call: Calls) =>
  parametersOf(CONTEXT, call.llama_context_default_params());

/** Refuses libraries of another version, or whose structs are laid out otherwise. */
export function checkLayout(call: Calls): void {
  const version = textAt(call.llama_version()), known = LLAMA_VERSION;
  const refuse = (why: string) => new Error(`Cannot open llama.cpp as its ${why}`);
  if (!version.startsWith(known)) {
    throw refuse(`version must be ${known}, whose structs are known: it is ${version}`);
  }
  const differing = <Name extends string>(
    { number }: View<Name>,
    defaults: Readonly<Partial<Record<Name, number>>>,
  ) => (Object.keys(defaults) as Name[]).filter((name) => number(name) !== defaults[name]);
  const wrong = [
    ...differing(modelParameters(call).view, DEFAULTS.model),
    ...differing(contextParameters(call).view, DEFAULTS.context),
  ];
  if (wrong.length > 0) throw refuse(`structs are laid out otherwise than in ${known}: ${wrong}`);
}
