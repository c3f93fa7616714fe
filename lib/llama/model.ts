/**
 * A model that llama.cpp has loaded, and its contexts.
 *
 * @module
 */

import { cString } from "../runtime/api.ts";
import { type Calls, contextParameters, modelParameters } from "./api.ts";
import { type Context, type ContextOptions, openContext } from "./context.ts";
import { checkNumber } from "../_check.ts";
import { inOrder } from "../_in_order.ts";
import type { Llama } from "./library.ts";
import { flagReader, withErrors } from "./log.ts";

/** A number of threads of the processor; a pool of them where there is more than one. */
export interface Threads extends Disposable {
  readonly count: number;
  readonly pool: Deno.PointerValue;
}

/** What a load is asked for. */
export interface LlamaOptions {
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
  /** The vocabulary; refused once the model is disposed. */
  readonly vocabulary: Deno.PointerValue;
  /** Opens a context: keys and values, and what computes with them. */
  openContext(options: ContextOptions): Promise<Context>;
}

/** Rotations by three axes: positions of embeddings are four numbers then. */
const MANY_AXES = [8, 40];

/** One load at a time, so that each is told its own errors. */
const oneLoad = inOrder();

/** Why a model of a kind cannot be stepped with embeddings; undefined where it can. */
function refusalOf(call: Calls, model: Deno.PointerValue): string | undefined {
  if (call.llama_model_has_encoder(model) || !call.llama_model_has_decoder(model)) {
    return "it has an encoder, and only decoders are stepped here";
  }
  if (call.llama_model_is_diffusion(model)) return "it makes its text by diffusion, not by tokens";
  return call.llama_model_is_recurrent(model) || call.llama_model_is_hybrid(model)
    ? "it keeps a recurrent state, which cannot be cut back to where rows share a prompt"
    : undefined;
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
  const { bytes, view } = modelParameters(call);
  const file = cString(path), devices = new BigUint64Array(new ArrayBuffer(8)); // none, and the end
  view.write("n_gpu_layers", isOnGpu ? 2 ** 31 - 1 : 0);
  if (!isOnGpu) view.write("devices", Deno.UnsafePointer.of(devices));
  let failure: { readonly error: unknown } | undefined;
  const progress = Deno.UnsafeCallback.threadSafe(
    { parameters: ["f32", "pointer"], result: "bool" } as const,
    (part) => {
      try {
        if (!failure) onProgress?.(part);
      } catch (error) {
        failure = { error }; // thrown once the load has ended, as nothing passes through C
      }
      return !isEnded();
    },
  );
  view.write("progress_callback", progress.pointer);
  const held = [file, devices];
  const isEnded = () => failure !== undefined || signal?.aborted === true;
  const load = () => call.loadLater(file, bytes);
  const { result: pointer, errors } = await oneLoad(() => withErrors(call, load, () => !isEnded()));
  held.length = 0; // until here they were read
  progress.close();
  const why = pointer === null ? undefined : refusalOf(call, pointer);
  if (pointer !== null && (isEnded() || why !== undefined)) call.llama_model_free(pointer);
  if (failure) throw failure.error;
  signal?.throwIfAborted();
  if (why !== undefined) throw new SyntaxError(`Cannot load the model by llama.cpp as ${why}`);
  if (pointer === null) {
    throw new SyntaxError(`Cannot load the model as llama.cpp refuses ${path}: ${errors}`);
  }
  const vocabulary = call.llama_model_get_vocab(pointer);
  const vocabularySize = call.llama_vocab_n_tokens(vocabulary);
  const hiddenSize = call.llama_model_n_embd_inp(pointer);
  const axes = MANY_AXES.includes(call.llama_model_rope_type(pointer)) ? 4 : 1;
  let contexts = 0, disposed = false;
  const free = () => {
    if (disposed && contexts === 0) call.llama_model_free(pointer); // contexts go first
  };
  const left = () => {
    contexts--;
    free();
  };
  return {
    vocabularySize,
    hiddenSize,
    get vocabulary() {
      if (disposed) throw new Error("Cannot use the vocabulary as the model is disposed");
      return vocabulary;
    },
    async openContext(options) {
      if (disposed) throw new Error("Cannot open a context as the model is disposed");
      const { sequences, length, batch, kv } = options, params = contextParameters(call);
      const verb = "open a context";
      checkNumber(verb, "sequences", sequences, { min: 1, integer: true }); // llama.cpp knows the most
      const longest = Math.floor((2 ** 31 - 1) / sequences);
      checkNumber(verb, "length", length, { min: 1, max: longest, integer: true });
      checkNumber(verb, "batch", batch, { min: sequences, max: 2 ** 31 - 1, integer: true }); // each may ask for logits
      const stop = new Uint8Array(new ArrayBuffer(2)); // a flag, and the end of what strlen reads
      const type = { fp32: 0, fp16: 1 }[kv], { count } = threads;
      const values = {
        ...{ n_ctx: sequences * length, n_batch: batch, n_ubatch: batch, n_seq_max: sequences },
        ...{ n_threads: count, n_threads_batch: count, type_k: type, type_v: type },
        ...{ flash_attn_type: 0, kv_unified: 0, offload_kqv: +isOnGpu, op_offload: +isOnGpu },
        ...{ abort_callback: flagReader(), abort_callback_data: Deno.UnsafePointer.of(stop) },
      };
      for (const [name, value] of Object.entries(values)) {
        params.view.write(name as keyof typeof values, value);
      }
      contexts++;
      try {
        const made = await withErrors(call, () => call.initLater(pointer, params.bytes));
        if (made.result === null) {
          throw new Error(`Cannot open a cache as llama.cpp refuses: ${made.errors}`);
        }
        if (call.llama_get_memory(made.result) === null) {
          call.llama_free(made.result);
          throw new SyntaxError(
            "Cannot open a context as the model keeps no keys and values: it embeds texts, and makes none",
          );
        }
        if (threads.pool && !isOnGpu) call.llama_attach_threadpool(made.result, threads.pool, null);
        const own = { call, pointer: made.result, isOnGpu, stop, axes, hiddenSize, vocabularySize };
        return openContext(own, options, left);
      } catch (error) {
        left();
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
