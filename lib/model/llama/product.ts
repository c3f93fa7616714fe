/**
 * Sums over the whole vocabulary: a product of weights with the table of embeddings, by a graph of ggml on the device.
 *
 * The table is kept there by columns: in float32 where the file has floats, else in 8 bits with 32 tokens a scale.
 *
 * @module
 */

import type { Llama } from "../../llama/library.ts";
import type { Threads } from "../../llama/model.ts";
import { cpuFunction } from "./threads.ts";
import type { ReadRow } from "./rows.ts";
import { struct, structIn } from "../../runtime/structs.ts";

/** A table, and how it is kept. */
export interface ProductOptions {
  readonly read: ReadRow;
  /** Number of tokens, V. */
  readonly rows: number;
  /** Width of an embedding, D. */
  readonly width: number;
  /** Whether it is kept in float32. */
  readonly exact: boolean;
  readonly threads: Threads;
}

/** What multiplies rows of weights with a table. */
export interface Product extends Disposable {
  /** Numbers of a row of weights: V, and zeros up to whole blocks. */
  readonly stride: number;
  /** Weights `[8 · stride]` that are written before a run. */
  readonly weights: Float32Array;
  /** Multiplies the first rows of weights, up to 8; embeddings `[8 · D]`, valid until the next run. */
  run(rows: number): Promise<Float32Array>;
}

/**
 * Rows that are multiplied at once, the fewest that suffice and, as the first sum shows, give the same bits as the
 * most. On a GPU always the most, as its kernels differ by their number.
 */
const COLUMNS = [2, 8] as const, GPU_COLUMNS = [8] as const, MOST_COLUMNS = 8;

const F32 = 0, Q8_0 = 8;
/** Tokens of a block of 8 bits, its bytes, and tokens that are turned at once. */
const BLOCK = 32, BLOCK_BYTES = 34, STRIPE = 4096;
/** `ggml_init_params`, and how it is handed over. */
const INIT = struct({ mem_size: "u64", mem_buffer: "u64", no_alloc: "u8" });
const INIT_WORDS = { struct: ["u64", "u64", "u64"] } as const;

const i = "i32", l = "i64", p = "pointer", b = "buffer", z = "usize", none = "void";
/** Functions of ggml that make tensors and compute graphs of them. */
const GGML = {
  ggml_backend_dev_init: { parameters: [p, p], result: p },
  ggml_backend_free: { parameters: [p], result: none },
  ggml_backend_buffer_free: { parameters: [p], result: none },
  ggml_backend_alloc_ctx_tensors: { parameters: [p, p], result: p },
  ggml_backend_tensor_set: { parameters: [p, b, z, z], result: none },
  ggml_backend_tensor_get: { parameters: [p, b, z, z], result: none },
  ggml_backend_graph_compute: { parameters: [p, p], result: i, nonblocking: true },
  ggml_init: { parameters: [INIT_WORDS], result: p },
  ggml_free: { parameters: [p], result: none },
  ggml_new_tensor_2d: { parameters: [p, i, l, l], result: p },
  ggml_mul_mat: { parameters: [p, p, p], result: p },
  ggml_new_graph: { parameters: [p], result: p },
  ggml_build_forward_expand: { parameters: [p, p], result: none },
  ggml_quantize_chunk: { parameters: [i, b, b, l, l, l, p], result: z },
} as const;
type Ggml = Deno.StaticForeignLibraryInterface<typeof GGML>;

/** Memory for the descriptions of some tensors and a graph. */
const DESCRIPTIONS = 2n ** 20n;

/** The table by columns. */
function turned(call: Ggml, { read, rows, width, exact }: ProductOptions, stride: number) {
  const column = exact ? 4 * stride : stride / BLOCK * BLOCK_BYTES;
  const bytes = new Uint8Array(width * column), row = new Float32Array(width);
  for (let first = 0; first < stride; first += STRIPE) {
    const count = Math.min(STRIPE, stride - first), stripe = new Float32Array(width * count);
    for (let k = 0; k < count && first + k < rows; k++) {
      read(first + k, row);
      for (let d = 0; d < width; d++) stripe[d * count + k] = row[d]!;
    }
    const packed = exact
      ? new Uint8Array(stripe.buffer)
      : new Uint8Array(width * count / BLOCK * BLOCK_BYTES);
    if (!exact) {
      call.ggml_quantize_chunk(Q8_0, stripe, packed, 0n, BigInt(width), BigInt(count), null);
    }
    const part = packed.length / width, at = exact ? 4 * first : first / BLOCK * BLOCK_BYTES;
    for (let d = 0; d < width; d++) {
      bytes.set(packed.subarray(d * part, (d + 1) * part), d * column + at);
    }
  }
  return bytes;
}

/** Puts a table on the device. */
export function openProduct(llama: Llama, options: ProductOptions): Product {
  const { cpu, gpus, base } = llama,
    call = Deno.dlopen(base, GGML).symbols,
    { rows, width, exact, threads } = options;
  const stride = Math.ceil(rows / BLOCK) * BLOCK;
  using scope = new DisposableStack();
  const own = <T extends Deno.PointerValue>(pointer: T, free: (pointer: T) => void): T => {
    if (pointer === null) {
      throw new Error("Cannot keep the table of embeddings as the device has no room for it");
    }
    return scope.adopt(pointer, free);
  };
  const backend = own(
    call.ggml_backend_dev_init((gpus[0] ?? cpu).pointer, null),
    call.ggml_backend_free,
  );
  if (gpus.length === 0) {
    const result = none;
    cpuFunction(llama, "ggml_backend_set_n_threads", { parameters: [p, "i32"], result })
      .call(backend, threads.count);
    cpuFunction(llama, "ggml_backend_cpu_set_threadpool", { parameters: [p, p], result })
      .call(backend, threads.pool);
  }
  const params = new Uint8Array(new ArrayBuffer(INIT.size)), view = structIn(INIT, params.buffer);
  view.write("mem_size", DESCRIPTIONS);
  view.write("no_alloc", 1);
  const context = own(call.ggml_init(params), call.ggml_free);
  const v = BigInt(stride),
    table = call.ggml_new_tensor_2d(context, exact ? F32 : Q8_0, v, BigInt(width));
  const graphs = (gpus.length > 0 ? GPU_COLUMNS : COLUMNS).map((columns) => {
    const input = call.ggml_new_tensor_2d(context, F32, v, BigInt(columns));
    return { columns, input, output: call.ggml_mul_mat(context, table, input) };
  });
  own(call.ggml_backend_alloc_ctx_tensors(context, backend), call.ggml_backend_buffer_free);
  const bytes = turned(call, options, stride);
  call.ggml_backend_tensor_set(table, bytes, 0n, BigInt(bytes.length));
  const built = graphs.map(({ output, ...graph }) => {
    const own = call.ggml_new_graph(context);
    call.ggml_build_forward_expand(own, output);
    return { ...graph, output, graph: own };
  });
  const weights = new Float32Array(MOST_COLUMNS * stride);
  const result = new Float32Array(MOST_COLUMNS * width);
  const owned = scope.move();
  const compute = async ({ columns, input, output, graph }: (typeof built)[number]) => {
    call.ggml_backend_tensor_set(input, weights, 0n, BigInt(4 * columns * stride));
    const code = await call.ggml_backend_graph_compute(backend, graph);
    if (code !== 0) throw new Error(`Cannot sum over the vocabulary as ggml gives ${code}`);
    call.ggml_backend_tensor_get(output, result, 0n, BigInt(4 * columns * width));
    return result;
  };
  const largest = built.at(-1)!;
  let isChecked = false;
  return {
    stride,
    weights,
    async run(count) {
      const fitting = built.find(({ columns }) => columns >= count)!, isFewer = fitting !== largest;
      if (!isFewer || isChecked) return await compute(fitting);
      const own = (await compute(fitting)).slice(0, count * width), due = await compute(largest);
      isChecked = true;
      if (!own.every((value, i) => Object.is(value, due[i]))) built.splice(0, built.length - 1);
      return due;
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}
