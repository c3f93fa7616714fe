/**
 * Memory of a device: tensors that stay there, parts of them, copies in all directions.
 *
 * @module
 */

import { ort, type Pointer, pointerArray, pointerFrom } from "./api.ts";
import { cudaMemory } from "./cuda.ts";
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

/** What copies tensors; ONNX Runtime itself has no copies between tensors on CUDA. */
function copierOf(device: Device): DeviceMemory["copy"] {
  if (device === "cuda") { // run on no GPU yet: what it calls is tested as far as there is none
    const cuda = cudaMemory();
    return (...pairs) => {
      for (const [from, to] of pairs) cuda.copy(dataOf(to), dataOf(from), BigInt(bytesOf(from)));
    };
  }
  const { call, env } = ort();
  return (...pairs) => {
    const [from, to] = [0, 1].map((side) => pointerArray(pairs.map((pair) => pair[side]!.value)));
    call.CopyTensors(env, from!, to!, null, BigInt(pairs.length));
  };
}

/** Opens the memory of the device that a session runs on; undefined where it has none of its own. */
export function openDeviceMemory(session: Pointer, device: Device): DeviceMemory | undefined {
  const name = memoryName(device), { call } = ort();
  if (name === undefined) return undefined;
  const DEVICE_ALLOCATOR = 0, DEFAULT_MEMORY = 0, text = new TextEncoder().encode(`${name}\0`);
  using scope = new DisposableStack();
  const info = scope.adopt(
    pointerFrom((out) => call.CreateMemoryInfo(text, DEVICE_ALLOCATOR, 0, DEFAULT_MEMORY, out)),
    call.ReleaseMemoryInfo,
  );
  const allocator = scope.adopt(
    pointerFrom((out) => call.CreateAllocator(session, info, out)),
    call.ReleaseAllocator,
  );
  const owned = scope.move(), hasOffsets = device !== "webgpu", copy = copierOf(device);
  const tensors = new Set<Tensor>(); // not yet freed; later they could not be
  const keep = (tensor: Tensor): Tensor => {
    const own = {
      ...tensor,
      [Symbol.dispose]() {
        tensor[Symbol.dispose]();
        tensors.delete(own);
      },
    };
    tensors.add(own);
    return own;
  };
  const checkUse = (verb: string) => {
    if (owned.disposed) throw new Error(`Cannot ${verb} as its session is disposed`);
  };
  return {
    hasOffsets,
    allocate(type, dims) {
      checkUse("allocate a tensor on a device");
      return keep(
        tensorAt(type, dims, (shape, out) => call.CreateTensorAsOrtValue(allocator, ...shape, out)),
      );
    },
    view(whole, byteOffset, dims) {
      checkUse("view a tensor on a device");
      const bytes = bytesOf({ type: whole.type, dims });
      if (byteOffset + bytes > bytesOf(whole) || (byteOffset !== 0 && !hasOffsets)) {
        throw new RangeError(
          `Cannot view a tensor as its ${bytes} bytes from ${byteOffset} on must lie within ` +
            `${bytesOf(whole)}${hasOffsets ? "" : ", from the first on"}`,
        );
      }
      const data = Deno.UnsafePointer.offset(dataOf(whole), byteOffset);
      return keep(tensorAt(
        whole.type,
        dims,
        (shape, out) =>
          call.CreateTensorWithDataAsOrtValue(info, data, BigInt(bytes), ...shape, out),
      ));
    },
    copy(...pairs) {
      checkUse("copy tensors of a device");
      copy(...pairs);
    },
    [Symbol.dispose]() {
      for (const tensor of tensors) tensor[Symbol.dispose]();
      owned.dispose();
    },
  };
}
