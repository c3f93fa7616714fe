/**
 * The KV cache: the only state of a model.
 *
 * One block of memory per cache, one slot per sequence, each layer a slab
 * `[slots, kvHeads, length, headDim]`. The same tensor is bound as the graph's past and present, so
 * a step appends in place and copies nothing. Rows of a step are the slots 0 … n−1, each at its own
 * position; a slot can be filled, copied and overwritten at any time between steps.
 *
 * @module
 */

import { type DecoderConfig, PORTS } from "../graph/mod.ts";
import {
  allocate,
  type Binding,
  type Memory,
  type Session,
  type Tensor,
  tensor,
  tensorIn,
  type Tensors,
} from "../runtime/mod.ts";
import { checkNumber, refusal } from "../_check.ts";
import { type Input, mixtureSize, writeInput } from "./mixture.ts";

/**
 * Slots of keys and values, and the two ways to advance them.
 *
 * One step at a time. Disposing the cache while it works frees its memory once that work has ended.
 */
export interface KvCache extends Disposable {
  /** Number of slots. */
  readonly slots: number;
  /** Positions of each slot. */
  readonly length: number;
  /**
   * Feeds inputs to one slot, starting at a position.
   *
   * @param slot The slot.
   * @param from Position of the first input; positions before it must hold what precedes.
   * @param inputs Tokens or mixtures, at least one.
   * @param logits "last": next-token logits after the last input, `[V]`; "all": after every input,
   * `[inputs.length · V]`.
   * @returns A new array.
   */
  prefill(
    slot: number,
    from: number,
    inputs: readonly Input[],
    logits: "last" | "all",
  ): Promise<Float32Array>;
  /**
   * Feeds one input to each of the slots 0 … n−1.
   *
   * @param inputs The n inputs.
   * @param positions Where each is written.
   * @returns Next-token logits `[n · V]`; the array is overwritten by the next step.
   */
  step(inputs: readonly Input[], positions: readonly number[]): Promise<Float32Array>;
  /** Copies the first positions of one slot to another. */
  copy(from: number, to: number, positions: number): void;
}

/** What a step of one size writes to and reads from; the tensors live as long as the cache. */
interface Feed {
  readonly ids: Int32Array<ArrayBuffer>;
  readonly weights: Float32Array<ArrayBuffer>;
  readonly lastPosition: Int32Array<ArrayBuffer>;
  readonly length: Int32Array<ArrayBuffer>;
  readonly rows: BigInt64Array<ArrayBuffer>;
  readonly logits: Float32Array<ArrayBuffer>;
}

/** Positions of one prefill run: bounds the memory of activations and logits. */
const PREFILL_CHUNK = 256;
/**
 * Steps run on the calling thread while they are short, since a worker thread costs 50 µs; a step
 * that took longer than this goes to a worker thread next time.
 */
const BACKGROUND_MS = 2;
/** One step in this time goes to a worker thread in any case: timers and signals get their turn. */
const TURN_MS = 12;

/** Entries are padded to few distinct widths, so that few bindings are made. */
function paddedWidth(size: number): number {
  return size === 1 ? 1 : Math.max(16, 2 ** Math.ceil(Math.log2(size)));
}

function checkPosition(slot: number, position: number, length: number): void {
  if (Number.isInteger(position) && position >= 0 && position < length) return;
  throw new RangeError(
    `Cannot write to slot ${slot} as the position must be from 0 to ${
      length - 1
    }: current value is ${position}`,
  );
}

/**
 * Opens a cache on a session.
 *
 * @param session The loaded graph.
 * @param config The decoder's shape.
 * @param slots Number of sequences.
 * @param length Positions of each.
 */
export function openCache(
  session: Session,
  config: DecoderConfig,
  slots: number,
  length: number,
): KvCache {
  const { layers, kvHeads, headDim, vocabularySize } = config;
  const headFloats = length * headDim, slotFloats = kvHeads * headFloats;
  const slabFloats = slots * slotFloats, parts = ["key", "value"] as const;
  const memory: Memory = allocate(2 * layers * slabFloats * 4);
  const kv = new Float32Array(memory.buffer);
  const owned: Disposable[] = [];
  const own = <T extends Disposable>(value: T): T => {
    owned.push(value);
    return value;
  };

  /** The cache tensors of `count` slots from `slot` on, under their input or output names. */
  const slabs = (
    slot: number,
    count: number,
  ): { past: Tensors; present: Tensors; all: Tensor[] } => {
    const past: Record<string, Tensor> = {}, present: Record<string, Tensor> = {};
    for (let layer = 0; layer < layers; layer++) {
      parts.forEach((part, p) => {
        const offset = 4 * ((2 * layer + p) * slabFloats + slot * slotFloats);
        const dims = [count, kvHeads, length, headDim];
        const value = tensorIn(memory, offset, "float32", dims);
        past[PORTS.past(layer, part)] = present[PORTS.present(layer, part)] = value;
      });
    }
    return { past, present, all: Object.values(past) };
  };

  /** Arrays for runs of up to `batch · sequence` positions with up to `width` entries each. */
  const feedOf = (positions: number, width: number, batch: number, rows: number): Feed => ({
    ids: new Int32Array(positions * width),
    weights: new Float32Array(positions * width),
    lastPosition: new Int32Array(batch),
    length: new Int32Array(1),
    rows: new BigInt64Array(rows),
    logits: new Float32Array(rows * vocabularySize),
  });

  const bind = (
    feed: Feed,
    [batch, sequence, width, rows]: readonly [number, number, number, number],
    { past, present }: { past: Tensors; present: Tensors },
    keep: <T extends Disposable>(value: T) => T,
  ): Binding => {
    const mixture = [batch, sequence, width];
    const inputs = {
      [PORTS.ids]: keep(tensor(feed.ids, mixture)),
      [PORTS.weights]: keep(tensor(feed.weights, mixture)),
      [PORTS.lastPosition]: keep(tensor(feed.lastPosition, [batch])),
      [PORTS.length]: keep(tensor(feed.length, [1])),
      [PORTS.rows]: keep(tensor(feed.rows, [rows])),
      ...past,
    };
    const logits = keep(tensor(feed.logits, [rows, vocabularySize]));
    return keep(session.bind(inputs, { [PORTS.logits]: logits, ...present }));
  };

  let lastStepMs = Infinity, lastTurn = performance.now();
  const execute = async (binding: Binding): Promise<void> => {
    const start = performance.now();
    if (lastStepMs > BACKGROUND_MS || start - lastTurn > TURN_MS) {
      await binding.runAsync();
      lastTurn = performance.now();
    } else {
      binding.run();
    }
    lastStepMs = performance.now() - start;
  };

  // one set of arrays serves every step; bindings differ in shape alone
  let stepFeed: Feed = feedOf(slots, 1, slots, slots);
  const identity = BigInt64Array.from({ length: slots }, (_, i) => BigInt(i));
  stepFeed.rows.set(identity);
  let stepWidth = 1;
  const stepBindings = new Map<number, Binding>();
  const stepSlabs = new Map<number, ReturnType<typeof slabs>>();
  const stepTensors: Disposable[] = [];
  const releaseSteps = () => {
    for (const item of stepTensors.splice(0).reverse()) item[Symbol.dispose]();
    stepBindings.clear();
  };
  let users = 0, stepping = false, disposed = false;
  const free = () => {
    releaseSteps();
    for (const item of owned.splice(0).reverse()) item[Symbol.dispose]();
    memory[Symbol.dispose]();
  };
  const checkUse = (verb: string) => {
    if (disposed) throw new Error(`Cannot ${verb} as the cache is disposed`);
  };
  const checkSlot = (verb: string, name: string, slot: number) =>
    checkNumber(verb, name, slot, { min: 0, max: slots - 1, integer: true });
  /** Does what reads or writes the memory; a disposal meanwhile waits for it. */
  const use = async <T>(verb: string, work: () => Promise<T>): Promise<T> => {
    checkUse(verb);
    users++;
    try {
      return await work();
    } finally {
      if (--users === 0 && disposed) free();
    }
  };

  const stepBinding = (count: number, width: number): Binding => {
    if (width > stepWidth) {
      releaseSteps();
      stepFeed = feedOf(slots * width, 1, slots, slots);
      stepFeed.rows.set(identity);
      stepWidth = width;
    }
    const key = count * 2 ** 26 + width;
    let binding = stepBindings.get(key);
    if (!binding) {
      let views = stepSlabs.get(count);
      if (!views) {
        views = slabs(0, count);
        views.all.forEach(own);
        stepSlabs.set(count, views);
      }
      binding = bind(stepFeed, [count, 1, width, count], views, (value) => {
        stepTensors.push(value);
        return value;
      });
      stepBindings.set(key, binding);
    }
    return binding;
  };

  return {
    slots,
    length,

    prefill: (slot, from, inputs, logits) =>
      use("prefill", async () => {
        checkSlot("prefill", "slot", slot);
        if (inputs.length < 1) {
          throw new RangeError(refusal("prefill", "inputs", "hold at least one", inputs));
        }
        checkPosition(slot, from, length);
        checkPosition(slot, from + inputs.length - 1, length);
        const all = new Float32Array(logits === "all" ? inputs.length * vocabularySize : 0);
        let last: Float32Array = all;
        for (let start = 0; start < inputs.length; start += PREFILL_CHUNK) {
          checkUse("prefill");
          const chunk = inputs.slice(start, start + PREFILL_CHUNK);
          const rows = logits === "all" ? chunk.length : 1;
          const width = paddedWidth(chunk.reduce<number>((w, i) => Math.max(w, mixtureSize(i)), 1));
          const feed = feedOf(chunk.length, width, 1, rows);
          chunk.forEach((input, i) =>
            writeInput(input, feed.ids, feed.weights, i * width, width, vocabularySize)
          );
          feed.lastPosition[0] = from + start + chunk.length - 1;
          feed.length[0] = from + start + chunk.length;
          for (let row = 0; row < rows; row++) feed.rows[row] = BigInt(chunk.length - rows + row);
          using scope = new DisposableStack();
          const views = slabs(slot, 1);
          for (const view of views.all) scope.use(view);
          const dims = [1, chunk.length, width, rows] as const;
          await execute(bind(feed, dims, views, (value) => scope.use(value)));
          if (logits === "all") all.set(feed.logits, start * vocabularySize);
          last = feed.logits;
        }
        return logits === "all" ? all : last;
      }),

    step: (inputs, positions) =>
      use("step", async () => {
        if (stepping) throw new Error("Cannot step as the step before must have ended");
        const count = inputs.length;
        checkNumber("step", "inputs.length", count, { min: 1, max: slots, integer: true });
        checkNumber("step", "positions.length", positions.length, { min: count, max: count });
        let size = 1, longest = 0;
        for (const input of inputs) size = Math.max(size, mixtureSize(input));
        const width = paddedWidth(size);
        const binding = stepBinding(count, width);
        for (let row = 0; row < count; row++) {
          const position = positions[row]!;
          checkPosition(row, position, length);
          writeInput(
            inputs[row]!,
            stepFeed.ids,
            stepFeed.weights,
            row * width,
            width,
            vocabularySize,
          );
          stepFeed.lastPosition[row] = position;
          longest = Math.max(longest, position + 1);
        }
        stepFeed.length[0] = longest;
        stepping = true;
        try {
          await execute(binding);
        } finally {
          stepping = false;
        }
        return stepFeed.logits;
      }),

    copy(from, to, positions) {
      checkUse("copy");
      checkSlot("copy", "from", from);
      checkSlot("copy", "to", to);
      checkNumber("copy", "positions", positions, { min: 0, max: length, integer: true });
      if (from === to) return;
      for (let slab = 0; slab < 2 * layers; slab++) {
        for (let head = 0; head < kvHeads; head++) {
          const source = slab * slabFloats + from * slotFloats + head * headFloats;
          const target = slab * slabFloats + to * slotFloats + head * headFloats;
          kv.copyWithin(target, source, source + positions * headDim);
        }
      }
    },

    [Symbol.dispose]() {
      if (!disposed && users === 0) free();
      disposed = true;
    },
  };
}
