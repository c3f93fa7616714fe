/** CUDA's runtime where the device is the host: real addresses, which every kernel of the CPU can use. */

import { cString, type Pointer } from "../../lib/runtime/api.ts";
import type { CudaRuntime } from "../../lib/runtime/cuda.ts";

/** What a runtime was asked for. */
export interface Asked {
  /** Blocks that are not freed, by address. */
  readonly blocks: Map<bigint, ArrayBuffer>;
  copies: number;
  waits: number;
}

const bytesAt = (at: Deno.PointerValue, count: number | bigint) =>
  new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(at as Pointer, Number(count)));

/**
 * A runtime over the host's memory, and what it was asked for.
 *
 * Memory is never 0: what is cleared becomes NaN in every float, as what lies in a GPU's memory may be.
 */
export function hostCuda(): { readonly runtime: CudaRuntime; readonly asked: Asked } {
  const asked: Asked = { blocks: new Map(), copies: 0, waits: 0 }, words = cString("out of memory");
  const runtime: CudaRuntime = {
    cudaMalloc(out, bytes) {
      const block = new ArrayBuffer(Number(bytes));
      const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(block));
      (out as BigUint64Array<ArrayBuffer>)[0] = address;
      asked.blocks.set(address, block);
      return 0;
    },
    cudaFree: (block) => asked.blocks.delete(Deno.UnsafePointer.value(block)) ? 0 : 1,
    cudaMemset: (block, _value, bytes) => (bytesAt(block, bytes).fill(0xff), 0),
    cudaMemcpy(to, from, bytes) {
      asked.copies++;
      bytesAt(to, bytes).set(bytesAt(from, bytes));
      return 0;
    },
    cudaDeviceSynchronize: () => (asked.waits++, 0),
    cudaMemGetInfo: () => 0,
    cudaGetErrorString: () => Deno.UnsafePointer.of(words),
  };
  return { runtime, asked };
}
