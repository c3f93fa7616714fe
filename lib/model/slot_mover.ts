/**
 * Slots of slabs moved within a device's memory, where no tensor can begin in the middle of another.
 *
 * @module
 */

import { encodeGraph, type Graph, type Node, type OnnxType, type ValueInfo } from "../graph/mod.ts";
import {
  type Binding,
  createSession,
  type Device,
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

/** Copies one slot of each of some slabs to its place, and back. */
export interface Moves extends Disposable {
  /** Copies a slot of each slab to its place. */
  take(slot: number): Promise<void>;
  /** Copies each place to a slot of its slab. */
  put(slot: number): Promise<void>;
}

/** Makes {@linkcode Moves}. */
export interface SlotMover extends AsyncDisposable {
  /** Those between slabs and places, as many as the mover was made for. */
  open(moves: readonly Move[]): Moves;
}

/** Reads or writes the same slot of so many slabs, as matrices: that is all that a copy has to know. */
function moverGraph(count: number, type: OnnxType, isTaking: boolean): Graph {
  const nodes: Node[] = [],
    slabs: ValueInfo[] = [],
    places: ValueInfo[] = [],
    moved: ValueInfo[] = [];
  for (let i = 0; i < count; i++) {
    const [slab, place, after] = [`slab${i}`, `place${i}`, `moved${i}`];
    slabs.push({ name: slab, type, dims: ["slots", `size${i}`] });
    places.push({ name: place, type, dims: [1, `size${i}`] });
    moved.push({ name: after, type, dims: ["slots", `size${i}`] });
    nodes.push({
      ...{ op: isTaking ? "Gather" : "ScatterND", domain: "", attributes: {} },
      inputs: isTaking ? [slab, "slot"] : [slab, "slot", place],
      outputs: [isTaking ? place : after],
    });
  }
  const slot = { name: "slot", type: "int64", dims: isTaking ? [1] : [1, 1] } as const;
  return {
    ...{ nodes, initializers: [] },
    inputs: isTaking ? [...slabs, slot] : [...slabs, ...places, slot],
    outputs: isTaking ? places : moved,
  };
}

/** Starts the two sessions that move slots of so many slabs of an element type on a device. */
export async function createSlotMover(
  device: Device,
  type: OnnxType,
  count: number,
): Promise<SlotMover> {
  await using starting = new AsyncDisposableStack();
  const start = async (isTaking: boolean) =>
    starting.use(await createSession(encodeGraph(moverGraph(count, type, isTaking)), { device }));
  const taker = await start(true), putter = await start(false);
  const owned = starting.move();
  return {
    open(moves) {
      const scope = new DisposableStack(), slot = new BigInt64Array(1);
      const matrix = ({ memory }: Session, whole: Tensor, rows: number) =>
        scope.use(memory!.view(whole, 0, [rows, elements(whole.dims) / rows]));
      const named = (session: Session, part: keyof Move, name: string = part) =>
        Object.fromEntries(moves.map((move, i) => {
          const rows = move[part].dims[0]!;
          return [`${name}${i}`, matrix(session, move[part], rows)];
        }));
      const at = (dims: readonly number[]) => ({ slot: scope.use(tensor(slot, dims)) });
      const bindTaker = () =>
        scope.use(taker.bind({ ...named(taker, "slab"), ...at([1]) }, named(taker, "place")));
      const bindPutter = () => {
        const slabs = named(putter, "slab");
        const moved = Object.entries(slabs).map(([name, slab]) => [
          name.replace("slab", "moved"),
          slab,
        ]);
        return scope.use(putter.bind(
          { ...slabs, ...named(putter, "place"), ...at([1, 1]) },
          Object.fromEntries(moved),
        ));
      };
      let taking: Binding | undefined, putting: Binding | undefined;
      const run = async (binding: Binding, index: number) => {
        slot[0] = BigInt(index); // an input on the host is copied when a run begins
        await binding.runAsync();
      };
      return {
        take: (index) => run(taking ??= bindTaker(), index),
        put: (index) => run(putting ??= bindPutter(), index),
        [Symbol.dispose]: () => scope.dispose(),
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
