/**
 * The KV cache of ONNX Runtime: the only state of its engine.
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
  type Binding,
  type Session,
  takingTurns,
  type Tensor,
  tensor,
  type Tensors,
} from "../runtime/mod.ts";
import { checkNumber, refusal } from "../_check.ts";
import type { CacheShape, KvCache } from "./engine.ts";
import { createFeed, type Feed, feedTensors, writeInput } from "./feed.ts";
import type { LazySession } from "./lazy_session.ts";
import type { Input, Mixture } from "./mixture.ts";
import type { Slabs, SlabViews } from "./slabs.ts";
import { isDense, listedInFull, listedPart, openDenseMixtures } from "./dense.ts";

/**
 * Positions of one prefill run: bounds the memory of activations, and how long other rows wait. It
 * costs about 5 % of the speed of 256 (measured, Qwen3-0.6B's shape in int4).
 */
export const PREFILL_CHUNK = 128;
/** Logits of one run and least positions, where all positions have logits: bounds their memory. */
const CHUNK_LOGITS = 2 ** 22, MIN_CHUNK = 16;

/**
 * Opens a cache on a session of a decoder, in memory that is disposed with it. Without the embedding table,
 * or where the graph does not take them, dense mixtures are listed.
 */
export function openCache(
  session: Session,
  { vocabularySize, hiddenSize }: Pick<DecoderConfig, "vocabularySize" | "hiddenSize">,
  slabs: Slabs,
  { slots, length }: CacheShape,
  table?: LazySession,
): KvCache {
  const listed = session.inputs.includes(PORTS.ids),
    takesDense = session.inputs.includes(PORTS.dense);
  const ports = { listed, dense: takesDense ? hiddenSize : 0 };
  const viewScope = new DisposableStack();
  const product = takesDense && table
    ? viewScope.use(openDenseMixtures(table, vocabularySize, hiddenSize))
    : undefined;

  /** How inputs are written: the rows that take the product, the listed entries, numbers per position. */
  const layoutOf = (inputs: readonly Input[]) => {
    const dense: number[] = [];
    let size = 1;
    const entries = inputs.map((input, row) => {
      if (product && isDense(input)) dense.push(row);
      const entry = product ? listedPart(input) : listedInFull(input, vocabularySize);
      if (typeof entry !== "number" && entry.ids.length > size) size = entry.ids.length;
      return entry;
    });
    // few distinct widths, so that few bindings are made
    const width = size === 1 ? 1 : Math.max(16, 2 ** Math.ceil(Math.log2(size)));
    return { dense, entries, width: listed ? width : vocabularySize };
  };
  const write = async (
    feed: Feed,
    inputs: readonly Input[],
    layout: ReturnType<typeof layoutOf>,
  ) => {
    const { dense, entries, width } = layout;
    entries.forEach((input, row) => writeInput(feed, row, width, input, vocabularySize));
    if (dense.length === 0) return;
    await product!.embed(dense.map((row) => inputs[row] as Mixture), dense, feed.dense!);
  };

  const bind = (
    inputs: Tensors,
    logits: Tensor,
    { past, present }: SlabViews,
  ): Binding => session.bind({ ...inputs, ...past }, { [PORTS.logits]: logits, ...present });
  const execute = takingTurns();

  // one set of arrays serves every step; bindings differ in shape and slots alone
  const batch = Math.min(slots, slabs.batch);
  const stepLogits = new Float32Array(slots * vocabularySize);
  const stepFeed = (width: number) => createFeed({ batch, sequence: 1, width, rows: batch }, ports);
  let feed = stepFeed(layoutOf([]).width), noneDense = true;
  const stepViews = new Map<string, SlabViews>();
  const stepBindings = new Map<string, Binding>();
  let stepScope = new DisposableStack();

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
    const inputs = feedTensors(feed, { batch: count, sequence: 1, width, rows: count }, ports);
    const logits = tensor(stepLogits.subarray(slot * vocabularySize), [count, vocabularySize]);
    for (const value of [...Object.values(inputs), logits]) stepScope.use(value);
    const binding = stepScope.use(bind(inputs, logits, views));
    stepBindings.set(key, binding);
    return binding;
  };

  /** Feeds one input to each of neighbouring slots. */
  const stepRows = async (
    slot: number,
    inputs: readonly Input[],
    positions: readonly number[],
  ): Promise<void> => {
    const layout = layoutOf(inputs), binding = stepBinding(slot, inputs.length, layout.width);
    feed.lastPosition.set(positions);
    feed.length[0] = Math.max(...positions) + 1;
    if (!noneDense) feed.dense!.fill(0);
    noneDense = layout.dense.length === 0;
    await write(feed, inputs, layout);
    await execute(binding);
  };

  /** Feeds a chunk of a prompt to one slot; logits of its last `rows` positions. */
  const prefillChunk = async (
    slot: number,
    from: number,
    inputs: readonly Input[],
    rows: number,
  ): Promise<Float32Array<ArrayBuffer>> => {
    const layout = layoutOf(inputs);
    const shape = { batch: 1, sequence: inputs.length, width: layout.width, rows };
    const own = createFeed(shape, ports);
    await write(own, inputs, layout);
    own.length[0] = from + inputs.length;
    own.lastPosition[0] = from + inputs.length - 1;
    for (let row = 0; row < rows; row++) own.rows[row] = BigInt(inputs.length - rows + row);
    using scope = new DisposableStack();
    const logits = new Float32Array(rows * vocabularySize);
    const views = slabs.views(slot, 1), tensors = feedTensors(own, shape, ports);
    const result = tensor(logits, [rows, vocabularySize]);
    for (const value of [...views.all, ...Object.values(tensors), result]) scope.use(value);
    await execute(scope.use(bind(tensors, result, views)));
    return logits;
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
  const checkPosition = (slot: number, position: number) => {
    if (Number.isInteger(position) && position >= 0 && position < length) return;
    const rule = `be from 0 to ${length - 1}`;
    throw new RangeError(refusal(`write to slot ${slot}`, "position", rule, position));
  };
  /** Does what reads or writes the memory; a disposal meanwhile waits for it. */
  const use = async <T>(verb: string, work: () => Promise<T>): Promise<T> => {
    checkUse(verb);
    using _ = session.hold();
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
        checkPosition(slot, from);
        checkPosition(slot, from + inputs.length - 1);
        const all = new Float32Array(logits === "all" ? inputs.length * vocabularySize : 0);
        const fitting = Math.max(MIN_CHUNK, Math.floor(CHUNK_LOGITS / vocabularySize));
        const size = logits === "all" ? Math.min(PREFILL_CHUNK, fitting) : PREFILL_CHUNK;
        let last = all;
        for (let start = 0; start < inputs.length; start += size) {
          checkUse("prefill");
          const chunk = inputs.slice(start, start + size);
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
        positions.forEach((position, row) => checkPosition(row, position));
        stepping = true;
        try {
          for (let slot = 0; slot < count; slot += batch) {
            const end = slot + batch;
            if (batch >= count) await stepRows(slot, inputs, positions);
            else await stepRows(slot, inputs.slice(slot, end), positions.slice(slot, end));
          }
        } finally {
          stepping = false;
        }
        return stepLogits;
      }),

    copy: (from, to, positions) =>
      use("copy", async () => {
        checkSlot("copy", "from", from);
        checkSlot("copy", "to", to);
        checkNumber("copy", "positions", positions, { min: 0, max: length, integer: true });
        if (from !== to) await slabs.copy(from, to, positions);
      }),

    [Symbol.dispose]() {
      if (!disposed && users === 0) free();
      disposed = true;
    },
  };
}
