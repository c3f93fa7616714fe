/**
 * Memory of a device: tensors that stay there, parts of them, copies in all directions.
 *
 * @module
 */

import { cString, ort, type Pointer, pointerArray, pointerFrom } from "./api.ts";
import { type CudaMemory, cudaMemory } from "./cuda.ts";
import { type Device, memoryName } from "./providers.ts";
import { ELEMENT_TYPES, elements, type ElementType, type Tensor, tensorAt } from "./tensor.ts";

/** Memory of a device, by a session that runs on it; all tensors in it end with that session. */
export interface DeviceMemory extends Disposable {
  /** Whether a part may begin anywhere; else only at the first byte: WebGPU's pointers name buffers. */
  readonly hasOffsets: boolean;
  /** A tensor there, freed with it; what it holds at first is not said. */
  allocate(type: ElementType, dims: readonly number[]): Tensor;
  /**
   * A part of a tensor there as one of its own; nothing is copied. The whole must outlive it.
   *
   * @throws {RangeError} Where the part would leave the whole, or begins where none can.
   */
  view(whole: Tensor, byteOffset: number, dims: readonly number[]): Tensor;
  /** Copies tensors to others of the same size; each may lie on the host. */
  copy(...pairs: (readonly [from: Tensor, to: Tensor])[]): void;
}

const bytesOf = ({ type, dims }: Pick<Tensor, "type" | "dims">) =>
  elements(dims) * ELEMENT_TYPES[type].bytes;

/** The first byte of a tensor; on WebGPU the name of its buffer. */
function dataOf({ value }: Tensor): Pointer {
  return pointerFrom((out) => ort().call.GetTensorMutableData(value, out));
}

/** A part of a tensor, in memory of a kind. */
function viewIn(info: Pointer, hasOffsets: boolean): DeviceMemory["view"] {
  return (whole, byteOffset, dims) => {
    const bytes = bytesOf({ type: whole.type, dims });
    if (byteOffset + bytes > bytesOf(whole) || (byteOffset !== 0 && !hasOffsets)) {
      throw new RangeError(
        `Cannot view a tensor as its ${bytes} bytes from ${byteOffset} on must lie within ` +
          `${bytesOf(whole)}${hasOffsets ? "" : ", from the first on"}`,
      );
    }
    const data = Deno.UnsafePointer.offset(dataOf(whole), byteOffset)!;
    return tensorOver(info, data, whole.type, dims);
  };
}

/** A tensor over bytes that somebody else owns, in memory of a kind. */
function tensorOver(
  info: Pointer,
  data: Pointer,
  type: ElementType,
  dims: readonly number[],
): Tensor {
  const { call } = ort(), bytes = BigInt(bytesOf({ type, dims }));
  return tensorAt(
    type,
    dims,
    (shape, out) => call.CreateTensorWithDataAsOrtValue(info, data, bytes, ...shape, out),
  );
}

/**
 * Memory to which pointers lead: tensors over blocks of its own, which a part may begin in anywhere.
 *
 * They are not from the memory of a session. What passes between the operators of a recorded run has
 * places there that count as free after the recording, and are written in every replay: a tensor must not
 * get one. Nor does ONNX Runtime copy between tensors on CUDA.
 *
 * @param info What kind of memory tensors are said to be in; it is kept by the caller.
 */
export function pointerMemory(info: Pointer, blocks: CudaMemory): DeviceMemory {
  return {
    hasOffsets: true,
    allocate(type, dims) {
      const block = blocks.allocate(bytesOf({ type, dims }));
      const made = tensorOver(info, block, type, dims);
      let disposed = false;
      return {
        ...made,
        [Symbol.dispose]() {
          made[Symbol.dispose]();
          if (!disposed) blocks.free(block);
          disposed = true;
        },
      };
    },
    view: viewIn(info, true),
    copy: (...pairs) =>
      blocks.copy(pairs.map(([from, to]) => [dataOf(to), dataOf(from), bytesOf(from)] as const)),
    [Symbol.dispose]() {},
  };
}

/** Memory of a session, in which pointers name buffers. */
function bufferMemory(session: Pointer, info: Pointer): DeviceMemory {
  const { call, env } = ort();
  const allocator = pointerFrom((out) => call.CreateAllocator(session, info, out));
  return {
    hasOffsets: false,
    allocate: (type, dims) =>
      tensorAt(type, dims, (shape, out) => call.CreateTensorAsOrtValue(allocator, ...shape, out)),
    view: viewIn(info, false),
    copy(...pairs) {
      const [from, to] = [0, 1].map((side) => pointerArray(pairs.map((pair) => pair[side]!.value)));
      call.CopyTensors(env, from!, to!, null, BigInt(pairs.length));
    },
    [Symbol.dispose]: () => call.ReleaseAllocator(allocator),
  };
}

/** Opens the memory of the device that a session runs on; undefined where it has none of its own. */
export function openDeviceMemory(session: Pointer, device: Device): DeviceMemory | undefined {
  const name = memoryName(device), { call } = ort();
  if (name === undefined) return undefined;
  const DEVICE_ALLOCATOR = 0, DEFAULT_MEMORY = 0, FIRST = 0;
  using scope = new DisposableStack();
  const info = scope.adopt(
    pointerFrom((out) =>
      call.CreateMemoryInfo(cString(name), DEVICE_ALLOCATOR, FIRST, DEFAULT_MEMORY, out)
    ),
    call.ReleaseMemoryInfo,
  );
  const memory = scope.use(
    device === "cuda" ? pointerMemory(info, cudaMemory()) : bufferMemory(session, info),
  );
  const owned = scope.move(), tensors = new Set<Tensor>(); // not yet freed; later they could not be
  const checkUse = (verb: string) => {
    if (owned.disposed) throw new Error(`Cannot ${verb} as its session is disposed`);
  };
  const keep = (verb: string, make: () => Tensor): Tensor => {
    checkUse(verb);
    const tensor = make(),
      dispose = () => {
        tensor[Symbol.dispose]();
        tensors.delete(own);
      };
    const own: Tensor = { ...tensor, [Symbol.dispose]: dispose };
    tensors.add(own);
    return own;
  };
  return {
    hasOffsets: memory.hasOffsets,
    allocate: (...args) => keep("allocate a tensor on a device", () => memory.allocate(...args)),
    view: (...args) => keep("view a tensor on a device", () => memory.view(...args)),
    copy(...pairs) {
      checkUse("copy tensors of a device");
      memory.copy(...pairs);
    },
    [Symbol.dispose]() {
      for (const tensor of tensors) tensor[Symbol.dispose]();
      owned.dispose();
    },
  };
}
