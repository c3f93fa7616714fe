/**
 * Slots of a slab moved within a device's memory, where no tensor can begin in the middle of another.
 *
 * @module
 */

import { encodeGraph, type Graph, type OnnxType } from "../graph/mod.ts";
import {
  createSession,
  type Device,
  type DeviceMemory,
  elements,
  type Session,
  type Tensor,
  tensor,
} from "../runtime/mod.ts";

/** A slab `[slots, …]` and a tensor of one slot `[1, …]`. */
export interface Move {
  readonly slab: Tensor;
  readonly place: Tensor;
}

/** Copies slots of slabs to tensors of their own and back. */
export interface SlotMover extends AsyncDisposable {
  /** Copies a slot of each slab to its place. */
  take(moves: readonly Move[], slot: number): Promise<void>;
  /** Copies each place to a slot of its slab. */
  put(moves: readonly Move[], slot: number): Promise<void>;
}

function moverGraph(type: OnnxType, op: "Gather" | "ScatterND"): Graph {
  const isTaking = op === "Gather", dims = ["slots", "size"], one = [1, "size"];
  const slab = { name: "slab", type, dims }, place = { name: "place", type, dims: one };
  const slot = { name: "slot", type: "int64", dims: isTaking ? [1] : [1, 1] } as const;
  return {
    nodes: [{
      ...{ op, domain: "", attributes: {} },
      inputs: isTaking ? ["slab", "slot"] : ["slab", "slot", "place"],
      outputs: [isTaking ? "place" : "moved"],
    }],
    initializers: [],
    inputs: isTaking ? [slab, slot] : [slab, slot, place],
    outputs: [isTaking ? place : { ...slab, name: "moved" }],
  };
}

/** Starts the two sessions that move slots of an element type on a device. */
export async function createSlotMover(device: Device, type: OnnxType): Promise<SlotMover> {
  await using starting = new AsyncDisposableStack();
  const start = async (op: "Gather" | "ScatterND") =>
    starting.use(await createSession(encodeGraph(moverGraph(type, op)), { device }));
  const taker = await start("Gather"), putter = await start("ScatterND");
  const owned = starting.move();
  /** Both as matrices, which is all that a copy has to know. */
  const flat = (memory: DeviceMemory, { slab, place }: Move, scope: DisposableStack) => {
    const size = elements(place.dims), slots = elements(slab.dims) / size;
    const matrix = (whole: Tensor, rows: number) => scope.use(memory.view(whole, 0, [rows, size]));
    return { slab: matrix(slab, slots), place: matrix(place, 1) };
  };
  const each = async (
    session: Session,
    moves: readonly Move[],
    slot: number,
    isTaking: boolean,
  ) => {
    using scope = new DisposableStack();
    const index = BigInt64Array.of(BigInt(slot));
    const at = scope.use(tensor(index, isTaking ? [1] : [1, 1]));
    for (const move of moves) {
      const { slab, place } = flat(session.memory!, move, scope);
      const binding = isTaking
        ? session.bind({ slab, slot: at }, { place })
        : session.bind({ slab, slot: at, place }, { moved: slab });
      await scope.use(binding).runAsync();
    }
  };
  return {
    take: (moves, slot) => each(taker, moves, slot, true),
    put: (moves, slot) => each(putter, moves, slot, false),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
