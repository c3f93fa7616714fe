/**
 * Memory of a KV cache: where the keys and values of each layer and slot lie.
 *
 * All slots of a layer are one slab `[slots, kvHeads, length, headDim]`, on the host or on a device, so
 * that the first n slots are one tensor and a batch advances in one run.
 *
 * @module
 */

import { type DecoderConfig, KV_PARTS, type KvLayer, type KvPart, PORTS } from "../graph/mod.ts";
import {
  allocate,
  type DeviceMemory,
  ELEMENT_TYPES,
  elements,
  type ElementType,
  type Tensor,
  tensorIn,
} from "../runtime/mod.ts";
import { type CacheShape, KV_TYPES, type KvFormat } from "./engine.ts";
import type { SlotMover } from "./slot_mover.ts";

/** Memory of a cache. */
export interface Slabs extends Disposable {
  /** Tensors of the slots 0 … count − 1; the caller disposes them. */
  first(count: number): SlabViews;
  /**
   * Feeds one slot: gives its tensors to a run, which fills positions from `from` on; those before hold what
   * precedes.
   */
  fill(slot: number, from: number, run: (views: SlabViews) => Promise<void>): Promise<void>;
  /** Copies the first positions of one slot to another; more may be copied than asked for. */
  copy(from: number, to: number, positions: number): Promise<void>;
}

/** Copies of more bytes than this give the event loop its turns, this many milliseconds apart. */
const LONG_COPY = 2 ** 20, TURN_MS = 8;

/** Gives views to a run and disposes them after it. */
async function used(views: SlabViews, run: (views: SlabViews) => Promise<void>): Promise<void> {
  using scope = new DisposableStack();
  for (const view of views.all) scope.use(view);
  await run(views);
}

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
  const views = (slot: number, count: number) =>
    named(slabs.map(({ layer, part, start, slotBytes, kvHeads, headDim }) => {
      const dims = [count, kvHeads, length, headDim];
      return { layer, part, value: tensorIn(memory, start + slot * slotBytes, type, dims) };
    }));
  return {
    buffer: memory.buffer,
    first: (count) => views(0, count),
    fill: (slot, _from, run) => used(views(slot, 1), run),
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

/**
 * Slabs in a device's memory. Where a view can begin at any slot, they are used as on the host; else slots other
 * than the first are fed in a place of their own and moved.
 */
export function deviceSlabs(
  memory: DeviceMemory,
  { kv }: Pick<DecoderConfig, "kv">,
  { slots, length }: CacheShape,
  type: ElementType,
  mover: SlotMover | undefined,
): Slabs {
  const scope = new DisposableStack();
  const dimsOf = ({ kvHeads, headDim }: KvLayer, count: number) =>
    [count, kvHeads, length, headDim] as const;
  const slabs = kv.flatMap((layer) =>
    KV_PARTS.map((part) => ({
      ...{ layer, part, slotBytes: elements(dimsOf(layer, 1)) * ELEMENT_TYPES[type].bytes },
      value: scope.use(memory.allocate(type, dimsOf(layer, slots))),
    }))
  );
  const views = (slot: number, count: number) =>
    named(slabs.map(({ layer, part, slotBytes, value: whole }) => {
      const value = memory.view(whole, slot * slotBytes, dimsOf(layer, count));
      return { layer: layer.layer, part, value };
    }));
  /** A slot outside of the slabs, and what moves others there and back: made when first needed. */
  const openPlace = (mover: SlotMover) => {
    const places = named(slabs.map(({ layer, part }) => {
      const value = scope.use(memory.allocate(type, dimsOf(layer, 1)));
      return { layer: layer.layer, part, value };
    }));
    const moves = slabs.map(({ value }, i) => ({ slab: value, place: places.all[i]! }));
    return { views: { ...places, all: [] }, moves: scope.use(mover.open(moves)) }; // owned here
  };
  let made: ReturnType<typeof openPlace> | undefined;
  return {
    first: (count) => views(0, count),
    async fill(slot, from, run) {
      if (slot === 0 || !mover) return await used(views(slot, 1), run);
      const { views: place, moves } = made ??= openPlace(mover);
      if (from > 0) await moves.take(slot);
      await run(place);
      await moves.put(slot);
    },
    async copy(from, to) {
      if (mover) {
        const { moves } = made ??= openPlace(mover);
        await moves.take(from);
        return await moves.put(to);
      }
      using own = new DisposableStack();
      const [source, target] = [from, to].map((slot) => views(slot, 1).all.map((v) => own.use(v)));
      memory.copy(...source!.map((value, i) => [value, target![i]!] as const));
    },
    [Symbol.dispose]: () => scope.dispose(),
  };
}
