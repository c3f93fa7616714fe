/**
 * A model that llama.cpp has loaded, and its contexts.
 *
 * @module
 */

import { type Calls, contextParameters, cString, modelParameters } from "./api.ts";
import { type Context, type ContextOptions, openContext } from "./context.ts";
import type { Llama } from "./library.ts";
import { flagReader, withErrors } from "./log.ts";
import type { Threads } from "./pool.ts";

/** What a load is asked for. */
export interface LlamaOptions {
  /** Threads of the processor. */
  readonly threads: Threads;
  /** Called with the part that is loaded, from 0 to 1. */
  readonly onProgress?: ((part: number) => void) | undefined;
  /** Ends the load. */
  readonly signal?: AbortSignal | undefined;
}

/** A loaded model. */
export interface LlamaModel extends Disposable {
  /** Number of tokens, V. */
  readonly vocabularySize: number;
  /** Width of an embedding that it takes, D. */
  readonly hiddenSize: number;
  /** The vocabulary. */
  readonly vocabulary: Deno.PointerValue;
  /** Opens a context: keys and values, and what computes with them. */
  openContext(options: ContextOptions): Promise<Context>;
}

/** Rotations by three axes: positions of embeddings are four numbers then. */
const MANY_AXES = [8, 40];

/** Why a model of a kind cannot be stepped with embeddings; undefined where it can. */
function refusalOf(call: Calls, pointer: Deno.PointerValue): string | undefined {
  if (call.llama_model_has_encoder(pointer) || !call.llama_model_has_decoder(pointer)) {
    return "it has an encoder, and only decoders are stepped here";
  }
  if (call.llama_model_is_diffusion(pointer)) {
    return "it makes its text by diffusion, not token by token";
  }
  if (call.llama_model_is_recurrent(pointer) || call.llama_model_is_hybrid(pointer)) {
    return "it keeps a recurrent state, which cannot be cut back to where rows share a prompt";
  }
}

/**
 * Loads a model, on all GPUs of the libraries where they were opened for one.
 *
 * @param path A file whose header was found sound; of a split one its first part.
 * @throws {SyntaxError} Where llama.cpp refuses the file, or it is of a kind that cannot be used here.
 */
export async function loadLlamaModel(
  llama: Llama,
  path: string,
  { threads, onProgress, signal }: LlamaOptions,
): Promise<LlamaModel> {
  const { call, gpus } = llama, isOnGpu = gpus.length > 0;
  const { bytes, view } = modelParameters(call), devices = new BigUint64Array(new ArrayBuffer(8)); // none, and the end
  view.write("n_gpu_layers", isOnGpu ? 2 ** 31 - 1 : 0);
  if (!isOnGpu) view.write("devices", Deno.UnsafePointer.of(devices));
  using scope = new DisposableStack();
  const progress = scope.adopt(
    Deno.UnsafeCallback.threadSafe(
      { parameters: ["f32", "pointer"], result: "bool" } as const,
      (part) => {
        onProgress?.(part);
        return !signal?.aborted;
      },
    ),
    (callback) => callback.close(),
  );
  view.write("progress_callback", progress.pointer);
  const { result: pointer, errors } = await withErrors(
    call,
    async () => {
      const file = cString(path), loaded = await call.loadLater(file, bytes);
      return file.length > 0 ? loaded : null; // it lives as long as it is read
    },
  );
  signal?.throwIfAborted();
  if (pointer === null) {
    throw new SyntaxError(`Cannot load the model as llama.cpp refuses ${path}: ${plain(errors)}`);
  }
  const why = refusalOf(call, pointer);
  if (why !== undefined) {
    call.llama_model_free(pointer);
    throw new SyntaxError(`Cannot load the model by llama.cpp as ${why}`);
  }
  const vocabulary = call.llama_model_get_vocab(pointer);
  const vocabularySize = call.llama_vocab_n_tokens(vocabulary);
  const hiddenSize = call.llama_model_n_embd_inp(pointer);
  const axes = MANY_AXES.includes(call.llama_model_rope_type(pointer)) ? 4 : 1;
  let contexts = 0, disposed = false;
  const free = () => {
    if (disposed && contexts === 0) call.llama_model_free(pointer); // contexts go first
  };
  return {
    vocabularySize,
    hiddenSize,
    vocabulary,
    async openContext(options) {
      const { sequences, length, batch, kv } = options, params = contextParameters(call);
      const { write } = params.view, type = { fp32: 0, fp16: 1 }[kv];
      write("n_ctx", sequences * length);
      write("n_batch", batch);
      write("n_ubatch", batch);
      write("n_seq_max", sequences);
      write("n_threads", threads.count);
      write("n_threads_batch", threads.count);
      write("flash_attn_type", 0);
      write("kv_unified", 0);
      write("type_k", type);
      write("type_v", type);
      if (!isOnGpu) write("offload_kqv", 0);
      if (!isOnGpu) write("op_offload", 0);
      const stop = new Uint8Array(new ArrayBuffer(2)); // a flag, and the end of what strlen reads
      write("abort_callback", flagReader());
      write("abort_callback_data", Deno.UnsafePointer.of(stop));
      contexts++;
      try {
        const made = await withErrors(call, () => call.initLater(pointer, params.bytes));
        if (made.result === null) {
          throw new Error(`Cannot open a cache as llama.cpp refuses: ${plain(made.errors)}`);
        }
        if (threads.pool && !isOnGpu) call.llama_attach_threadpool(made.result, threads.pool, null);
        const own = { call, pointer: made.result, stop, axes, hiddenSize, vocabularySize };
        return openContext(own, options, () => {
          contexts--;
          free();
        });
      } catch (error) {
        contexts--;
        free();
        throw error;
      }
    },
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      free();
    },
  };
}

/** What llama.cpp says, in one line and without what a terminal would follow; it may quote a file. */
function plain(errors: string): string {
  // deno-lint-ignore no-control-regex
  return errors.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").trim() || "it does not say why";
}
