/**
 * Threads that live on between runs; without them ggml starts its threads anew for every graph.
 *
 * @module
 */

import { POOL } from "../../llama/api.ts";
import type { Llama } from "../../llama/library.ts";
import type { Threads } from "../../llama/model.ts";
import { cString } from "../../runtime/api.ts";
import { structIn } from "../../runtime/structs.ts";

/** A function of the processor's part of ggml, which a library exports by name alone. */
export function cpuFunction<const T extends Deno.ForeignFunction>(
  { call, cpu }: Llama,
  name: string,
  definition: T,
): Deno.UnsafeFnPointer<T> {
  const reg = call.ggml_backend_dev_backend_reg(cpu.pointer);
  const pointer = call.ggml_backend_reg_get_proc_address(reg, cString(name));
  return new Deno.UnsafeFnPointer(pointer as Deno.PointerObject<T>, definition);
}

/** Starts threads, which sleep while nothing runs. */
export function startThreads(llama: Llama, count: number): Threads {
  if (count === 1) return { count, pool: null, [Symbol.dispose]() {} };
  const params = structIn(POOL), p = "pointer";
  llama.call.ggml_threadpool_params_init(params.pointer, count);
  params.write("poll", 0);
  const make = cpuFunction(llama, "ggml_threadpool_new", { parameters: [p], result: p });
  const free = cpuFunction(llama, "ggml_threadpool_free", { parameters: [p], result: "void" });
  const pool = make.call(params.pointer);
  return { count, pool, [Symbol.dispose]: () => free.call(pool) };
}
