/**
 * Threads that live on between runs; without them ggml starts its threads anew for every graph.
 *
 * @module
 */

import { cString, POOL } from "./api.ts";
import type { Llama } from "./library.ts";
import { structIn } from "../runtime/structs.ts";

const p = "pointer";

/** A function of the processor's part of ggml. */
const functionOf = ({ call, cpu }: Llama, name: string): Deno.PointerObject => {
  const reg = call.ggml_backend_dev_backend_reg(cpu.pointer);
  return call.ggml_backend_reg_get_proc_address(reg, cString(name))!;
};

/** A number of threads; a pool of them where there is more than one. */
export interface Threads extends Disposable {
  readonly count: number;
  readonly pool: Deno.PointerValue;
  /** Lets a processor's backend compute with them. */
  serve(backend: Deno.PointerValue): void;
}

/** Starts threads, which sleep while nothing runs. */
export function startThreads(llama: Llama, count: number): Threads {
  const take = { parameters: [p, "i32"], result: "void" } as const;
  const setCount = new Deno.UnsafeFnPointer(
    functionOf(llama, "ggml_backend_set_n_threads") as Deno.PointerObject<typeof take>,
    take,
  );
  if (count === 1) {
    return {
      count,
      pool: null,
      serve: (backend) => setCount.call(backend, 1),
      [Symbol.dispose]() {},
    };
  }
  const params = structIn(POOL), make = { parameters: [p], result: p } as const;
  const give = { parameters: [p, p], result: "void" } as const;
  const free = { parameters: [p], result: "void" } as const;
  const named = <T extends Deno.ForeignFunction>(name: string, definition: T) =>
    new Deno.UnsafeFnPointer(functionOf(llama, name) as Deno.PointerObject<T>, definition);
  llama.call.ggml_threadpool_params_init(params.pointer, count);
  params.write("poll", 0);
  const pool = named("ggml_threadpool_new", make).call(params.pointer);
  return {
    count,
    pool,
    serve(backend) {
      setCount.call(backend, count);
      named("ggml_backend_cpu_set_threadpool", give).call(backend, pool);
    },
    [Symbol.dispose]: () => named("ggml_threadpool_free", free).call(pool),
  };
}
