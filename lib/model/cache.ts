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

import { PORTS } from "../graph/mod.ts";
import type { Binding, Session } from "../runtime/mod.ts";
import { checkNumber, refusal } from "../_check.ts";
import { createFeed, type FeedShape, feedTensors, writeInput } from "./feed.ts";
import { type Input, mixtureSize } from "./mixture.ts";
import type { Slabs, SlabViews } from "./slabs.ts";

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

/** Positions of one prefill run: bounds the memory of activations and logits. */
const PREFILL_CHUNK = 256;
/**
 * Steps run on the calling thread while they are short, since a worker thread costs 50 µs; a step
 * that took longer than this goes to a worker thread next time.
 */
const BACKGROUND_MS = 2;
/** One step in this time goes to a worker thread in any case: timers and signals get their turn. */
const TURN_MS = 12;

function checkPosition(slot: number, position: number, length: number): void {
  if (Number.isInteger(position) && position >= 0 && position < length) return;
  throw new RangeError(
    `Cannot write to slot ${slot} as the position must be from 0 to ${
      length - 1
    }: current value is ${position}`,
  );
}

/** Shape of a cache. */
export interface CacheShape {
  /** Number of sequences. */
  readonly slots: number;
  /** Positions of each. */
  readonly length: number;
}

/**
 * Opens a cache on a session.
 *
 * @param session The loaded graph.
 * @param vocabularySize Width of the logits.
 * @param slabs Memory of the cache; disposed with it.
 * @param shape Slots and positions.
 */
export function openCache(
  session: Session,
  vocabularySize: number,
  slabs: Slabs,
  { slots, length }: CacheShape,
): KvCache {
  /** Numbers that inputs take per position: few distinct values, so that few bindings are made. */
  const dense = !session.inputs.includes(PORTS.ids);
  const widthOf = (inputs: readonly Input[]): number => {
    if (dense) return vocabularySize;
    const size = inputs.reduce<number>((most, input) => Math.max(most, mixtureSize(input)), 1);
    return size === 1 ? 1 : Math.max(16, 2 ** Math.ceil(Math.log2(size)));
  };

  const bind = (
    { inputs, outputs }: ReturnType<typeof feedTensors>,
    { past, present }: SlabViews,
  ): Binding => session.bind({ ...inputs, ...past }, { ...outputs, ...present });

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

  // one set of arrays serves every step; bindings differ in shape and slots alone
  const batch = Math.min(slots, slabs.batch);
  const stepFeed = (width: number) =>
    createFeed({ batch, sequence: 1, width, rows: batch }, vocabularySize, dense);
  let feed = stepFeed(widthOf([]));
  const logitsOfStep = batch === slots ? undefined : new Float32Array(slots * vocabularySize);
  const stepViews = new Map<string, SlabViews>();
  const stepBindings = new Map<string, Binding>();
  let stepScope = new DisposableStack();
  const viewScope = new DisposableStack();

  const stepBinding = (slot: number, count: number, width: number): Binding => {
    if (width > feed.width) {
      stepScope.dispose();
      stepScope = new DisposableStack();
      stepBindings.clear();
      feed = stepFeed(width);
    }
    const rows = `${slot} ${count}`, key = `${rows} ${width}`;
    const known = stepBindings.get(key);
    if (known) return known;
    let views = stepViews.get(rows);
    if (!views) {
      stepViews.set(rows, views = slabs.views(slot, count));
      for (const view of views.all) viewScope.use(view);
    }
    const shape = { batch: count, sequence: 1, width, rows: count };
    const tensors = feedTensors(feed, shape, vocabularySize);
    for (const value of tensors.all) stepScope.use(value);
    const binding = stepScope.use(bind(tensors, views));
    stepBindings.set(key, binding);
    return binding;
  };

  /** Feeds one input to each of neighbouring slots. */
  const stepRows = async (
    slot: number,
    inputs: readonly Input[],
    positions: readonly number[],
  ): Promise<void> => {
    const width = widthOf(inputs), binding = stepBinding(slot, inputs.length, width);
    let longest = 0;
    for (let row = 0; row < inputs.length; row++) {
      const position = positions[row]!;
      writeInput(feed, row, width, inputs[row]!, vocabularySize);
      feed.lastPosition[row] = position;
      longest = Math.max(longest, position + 1);
    }
    feed.length[0] = longest;
    await execute(binding);
  };

  /** Feeds a chunk of a prompt to one slot; logits of its last `rows` positions. */
  const prefillChunk = async (
    slot: number,
    from: number,
    inputs: readonly Input[],
    rows: number,
  ): Promise<Float32Array> => {
    const shape: FeedShape = { batch: 1, sequence: inputs.length, width: widthOf(inputs), rows };
    const own = createFeed(shape, vocabularySize, dense);
    inputs.forEach((input, i) => writeInput(own, i, shape.width, input, vocabularySize));
    own.length[0] = from + inputs.length;
    own.lastPosition[0] = from + inputs.length - 1;
    for (let row = 0; row < rows; row++) own.rows[row] = BigInt(inputs.length - rows + row);
    using scope = new DisposableStack();
    const views = slabs.views(slot, 1), tensors = feedTensors(own, shape, vocabularySize);
    for (const value of [...views.all, ...tensors.all]) scope.use(value);
    await execute(scope.use(bind(tensors, views)));
    return own.logits;
  };

  let users = 0, stepping = false, disposed = false;
  const free = () => {
    stepScope.dispose();
    viewScope.dispose();
    slabs[Symbol.dispose]();
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
          last = await prefillChunk(slot, from + start, chunk, rows);
          if (logits === "all") all.set(last, start * vocabularySize);
        }
        return logits === "all" ? all : last;
      }),

    step: (inputs, positions) =>
      use("step", async () => {
        if (stepping) throw new Error("Cannot step as the step before must have ended");
        const count = inputs.length;
        checkNumber("step", "inputs.length", count, { min: 1, max: slots, integer: true });
        checkNumber("step", "positions.length", positions.length, { min: count, max: count });
        positions.forEach((position, row) => checkPosition(row, position, length));
        stepping = true;
        try {
          for (let slot = 0; slot < count; slot += batch) {
            const end = slot + batch;
            await stepRows(slot, inputs.slice(slot, end), positions.slice(slot, end));
            logitsOfStep?.set(
              feed.logits.subarray(0, (Math.min(end, count) - slot) * vocabularySize),
              slot * vocabularySize,
            );
          }
        } finally {
          stepping = false;
        }
        return logitsOfStep ?? feed.logits;
      }),

    copy(from, to, positions) {
      checkUse("copy");
      checkSlot("copy", "from", from);
      checkSlot("copy", "to", to);
      checkNumber("copy", "positions", positions, { min: 0, max: length, integer: true });
      if (from !== to) slabs.copy(from, to, positions);
    },

    [Symbol.dispose]() {
      if (!disposed && users === 0) free();
      disposed = true;
    },
  };
}
