/**
 * Tensors: ONNX Runtime values over memory that somebody else owns.
 *
 * @module
 */

import { ort, type Pointer, pointerFrom } from "./api.ts";
import { type Memory, memoryOver } from "./memory.ts";

/** ONNX numbers and widths in bytes of the element types in use. */
export const ELEMENT_TYPES = {
  float32: { onnx: 1, bytes: 4 },
  uint8: { onnx: 2, bytes: 1 },
  int8: { onnx: 3, bytes: 1 },
  int32: { onnx: 6, bytes: 4 },
  int64: { onnx: 7, bytes: 8 },
  float16: { onnx: 10, bytes: 2 },
  float64: { onnx: 11, bytes: 8 },
  bfloat16: { onnx: 16, bytes: 2 },
} as const;

/** Name of an element type. */
export type ElementType = keyof typeof ELEMENT_TYPES;

/** A tensor: shape, type, and the runtime's handle to it. */
export interface Tensor extends Disposable {
  /** Element type. */
  readonly type: ElementType;
  /** Shape. */
  readonly dims: readonly number[];
  /** The runtime's value. */
  readonly value: Pointer;
  /** The host memory that it views, kept alive with it; absent for a tensor on a device. */
  readonly memory?: Memory;
}

/** Number of elements of a shape. */
export function elements(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** A tensor's shape, its length and its type, as C functions take them. */
const shapeOf = (type: ElementType, dims: readonly number[]) =>
  [BigInt64Array.from(dims, BigInt), BigInt(dims.length), ELEMENT_TYPES[type].onnx] as const;

/** A tensor of a value that a call makes. */
export function tensorAt(
  type: ElementType,
  dims: readonly number[],
  make: (shape: ReturnType<typeof shapeOf>, out: BigUint64Array<ArrayBuffer>) => unknown,
): Tensor {
  const value = pointerFrom((out) => make(shapeOf(type, dims), out));
  let disposed = false;
  return {
    type,
    dims,
    value,
    [Symbol.dispose]() {
      if (!disposed) ort().call.ReleaseValue(value);
      disposed = true;
    },
  };
}

/**
 * A tensor over part of a block of memory; nothing is copied.
 *
 * @param memory The block; it must live as long as the tensor.
 * @param byteOffset Where the tensor starts.
 * @throws {RangeError} Where the tensor would leave the block, or the offset or shape is no size.
 */
export function tensorIn(
  memory: Memory,
  byteOffset: number,
  type: ElementType,
  dims: readonly number[],
): Tensor {
  if (![byteOffset, ...dims].every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new RangeError(
      `Cannot view a tensor as its offset and shape must be integers of at least 0: current value is ${byteOffset}, [${dims}]`,
    );
  }
  const byteLength = elements(dims) * ELEMENT_TYPES[type].bytes;
  const end = byteOffset + byteLength;
  if (end > memory.byteLength) {
    throw new RangeError(
      `Cannot view a tensor as its bytes ${byteOffset} to ${end} must lie within the block's ${memory.byteLength}`,
    );
  }
  const { call, hostMemory } = ort();
  const data = Deno.UnsafePointer.offset(memory.pointer, byteOffset);
  const made = tensorAt(
    type,
    dims,
    (shape, out) =>
      call.CreateTensorWithDataAsOrtValue(hostMemory, data, BigInt(byteLength), ...shape, out),
  );
  return { ...made, memory };
}

/** Typed arrays that {@linkcode tensor} takes. */
export type TensorData =
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Float16Array<ArrayBuffer>;

const ARRAY_TYPES: readonly (readonly [new () => TensorData, ElementType])[] = [
  [Float32Array, "float32"],
  [Int32Array, "int32"],
  [BigInt64Array, "int64"],
  [Uint8Array, "uint8"],
  [Float16Array, "float16"],
];

function typeOf(data: TensorData): ElementType {
  const found = ARRAY_TYPES.find(([type]) => data instanceof type);
  if (found) return found[1];
  const what = Object.prototype.toString.call(data);
  throw new TypeError(
    `Cannot make a tensor as 'data' must be a Float32Array, Float16Array, Int32Array, BigInt64Array or Uint8Array: current value is ${what}`,
  );
}

/**
 * A tensor over a typed array; nothing is copied, and later writes to the array are seen.
 *
 * @param data The elements; may be longer than the shape needs.
 * @throws {RangeError} Where the array is too short.
 *
 * @example A vector of two
 * ```ts
 * import { tensor } from "@moi/moi/runtime";
 * import { assertEquals } from "@std/assert";
 * using t = tensor(new Float32Array([1, 2]), [1, 2]);
 * assertEquals(t.dims, [1, 2]);
 * ```
 */
export function tensor(data: TensorData, dims: readonly number[]): Tensor {
  const { buffer } = data; // reading it moves small arrays off the movable heap
  // not what follows a subarray
  const memory = { ...memoryOver(buffer), byteLength: data.byteOffset + data.byteLength };
  return tensorIn(memory, data.byteOffset, typeOf(data), dims);
}
