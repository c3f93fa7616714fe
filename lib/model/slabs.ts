/**
 * Memory of a KV cache: where the keys and values of each layer and slot lie.
 *
 * On the host all slots of a layer are one slab `[slots, kvHeads, length, headDim]`, so that any
 * number of neighbouring slots is one tensor and a batch advances in one run. On a device, where a
 * tensor cannot be a part of another, every slot has tensors of its own, and slots advance one by one.
 *
 * @module
 */

import { type DecoderConfig, encodeGraph, KV_PARTS, type KvPart, PORTS } from "../graph/mod.ts";
import {
  allocate,
  createSession,
  deviceTensor,
  ELEMENT_TYPES,
  type Pointer,
  type Session,
  type Tensor,
  tensorIn,
} from "../runtime/mod.ts";
import { type CacheShape, KV_TYPES, type KvFormat } from "./engine.ts";

/** Memory of a cache. */
export interface Slabs extends Disposable {
  /** Most slots that one run can advance. */
  readonly batch: number;
  /** Tensors of `count` slots from `slot` on; the caller disposes them. */
  views(slot: number, count: number): SlabViews;
  /** Copies the first positions of one slot to another; more may be copied than asked for. */
  copy(from: number, to: number, positions: number): Promise<void>;
}

/** Copies of more bytes than this give the event loop its turns, this many milliseconds apart. */
const LONG_COPY = 2 ** 20, TURN_MS = 8;

/** Cache tensors under their input and output names: the same ones, so that they grow in place. */
export type SlabViews = ReturnType<typeof named>;

function named(tensors: readonly { layer: number; part: KvPart; value: Tensor }[]) {
  const past: Record<string, Tensor> = {}, present: Record<string, Tensor> = {};
  for (const { layer, part, value } of tensors) {
    past[PORTS.past(layer, part)] = present[PORTS.present(layer, part)] = value;
  }
  return { past, present, all: tensors.map(({ value }) => value) };
}

/**
 * Slabs in the host's memory; pages cost nothing until they are written. `buffer` has the numbers of all
 * layers with a cache in order, of each the keys, then the values, `[slots, kvHeads, length, headDim]`.
 */
export function hostSlabs(
  { kv }: Pick<DecoderConfig, "kv">,
  slots: number,
  length: number,
  format: KvFormat = "fp32",
): Slabs & { readonly buffer: ArrayBuffer } {
  const type = KV_TYPES[format];
  let bytes = 0;
  const slabs = kv.flatMap((layer) =>
    KV_PARTS.map((part) => {
      const rowBytes = layer.headDim * ELEMENT_TYPES[type].bytes, start = bytes;
      const headBytes = length * rowBytes, slotBytes = layer.kvHeads * headBytes;
      bytes += slots * slotBytes;
      return { ...layer, part, start, rowBytes, headBytes, slotBytes };
    })
  );
  const bytesPerPosition = bytes / (slots * length);
  let lastTurn = 0;
  const memory = allocate(Math.max(4, bytes));
  const cached = new Uint8Array(memory.buffer);
  return {
    buffer: memory.buffer,
    batch: slots,
    views: (slot, count) =>
      named(slabs.map(({ layer, part, start, slotBytes, kvHeads, headDim }) => {
        const dims = [count, kvHeads, length, headDim];
        return { layer, part, value: tensorIn(memory, start + slot * slotBytes, type, dims) };
      })),
    async copy(from, to, positions) {
      const long = positions * bytesPerPosition > LONG_COPY;
      for (const { start, rowBytes, headBytes, slotBytes, kvHeads } of slabs) {
        for (let head = 0; head < kvHeads; head++) {
          const at = start + head * headBytes, source = at + from * slotBytes;
          cached.copyWithin(at + to * slotBytes, source, source + positions * rowBytes);
        }
        if (long && performance.now() - lastTurn > TURN_MS) {
          await new Promise((resolve) => setTimeout(resolve));
          lastTurn = performance.now();
        }
      }
    },
    [Symbol.dispose]: () => memory[Symbol.dispose](),
  };
}

/** A session on a device that copies one tensor to another. */
export function createCopier(device: Session["device"]): Promise<Session> {
  const dims = ["a", "b", "c", "d"];
  return createSession(
    encodeGraph({
      nodes: [{ op: "Identity", domain: "", inputs: ["from"], outputs: ["to"], attributes: {} }],
      initializers: [],
      inputs: [{ name: "from", type: "float32", dims }],
      outputs: [{ name: "to", type: "float32", dims }],
    }),
    { device },
  );
}

/** Slabs in a device's memory, by its allocator and a {@linkcode createCopier} on it. */
export function deviceSlabs(
  allocator: Pointer,
  copier: Session,
  { kv }: DecoderConfig,
  { slots, length }: CacheShape,
): Slabs {
  const scope = new DisposableStack();
  const layers = kv.flatMap((layer) => KV_PARTS.map((part) => ({ ...layer, part })));
  const tensors = Array.from(
    { length: slots },
    () =>
      layers.map(({ layer, part, kvHeads, headDim }) => {
        const value = deviceTensor(allocator, "float32", [1, kvHeads, length, headDim]);
        return { layer, part, value: scope.use(value) };
      }),
  );
  return {
    batch: 1,
    views: (slot) => ({ ...named(tensors[slot]!), all: [] }), // owned by the slabs
    // deno-lint-ignore require-await
    async copy(from, to) {
      for (const [i, { value }] of tensors[from]!.entries()) {
        using binding = copier.bind({ from: value }, { to: tensors[to]![i]!.value });
        binding.run();
      }
    },
    [Symbol.dispose]: () => scope.dispose(),
  };
}
