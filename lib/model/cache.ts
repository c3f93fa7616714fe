/**
 * The KV cache of ONNX Runtime: the only state of its engine.
 *
 * One block of memory per cache, one slot per sequence, each layer a slab
 * `[slots, kvHeads, length, headDim]`. The same tensor is bound as the graph's past and present, so
 * a step appends in place and copies nothing. Rows of a step are the slots 0 … n−1, each at its own
 * position; a slot can be filled, copied and overwritten at any time between steps.
 *
 * On a device the inputs of a step have places of their own there, which are written before it, so that its
 * runs can be recorded and played back; its logits stay there until somebody reads them.
 *
 * @module
 */

import { type DecoderConfig, PORTS } from "../graph/mod.ts";
import { type Binding, type Session, takingTurns, tensor, type Tensors } from "../runtime/mod.ts";
import { checkNumber, refusal } from "../_check.ts";
import { inOrder } from "../_in_order.ts";
import type { CacheShape, KvCache } from "./engine.ts";
import type { LogitRows } from "./logit_rows.ts";
import { createFeed, feedTensors } from "./feed.ts";
import { inputWriter } from "./input_writer.ts";
import type { Input } from "./mixture.ts";
import type { Slabs } from "./slabs.ts";
import type { DenseProduct } from "./dense.ts";
import { openSteps } from "./steps.ts";

/**
 * Positions of one prefill run: bounds the memory of activations, and how long other rows wait. It
 * costs about 5 % of the speed of 256 (measured, Qwen3-0.6B's shape in int4).
 */
export const PREFILL_CHUNK = 128;
/** Logits of one run and least positions, where all positions have logits: bounds their memory. */
const CHUNK_LOGITS = 2 ** 22, MIN_CHUNK = 16;

/** Options of {@linkcode openCache}. */
export interface CacheOptions extends CacheShape {
  /** Positions of one prefill run; default: {@linkcode PREFILL_CHUNK}. */
  readonly chunk?: number;
  /** Numbers of a row of logits; default: the size of the vocabulary. */
  readonly width?: number;
  /** Further inputs of the run that feeds so many positions from one on; none: no steps are taken then. */
  readonly further?: (from: number, count: number) => Tensors;
  /** What multiplies mixtures over the whole vocabulary, disposed with the cache; default: they are listed. */
  readonly product?: DenseProduct | undefined;
}

/** Opens a cache on a session of a decoder, in memory that is disposed with it. */
export function openCache(
  session: Session,
  config: Pick<DecoderConfig, "vocabularySize" | "hiddenSize">,
  slabs: Slabs,
  { slots, length, chunk: longest = PREFILL_CHUNK, product, ...options }: CacheOptions,
): KvCache {
  const { vocabularySize, hiddenSize } = config, { width = vocabularySize, further } = options;
  const listed = session.inputs.includes(PORTS.ids),
    takesDense = session.inputs.includes(PORTS.dense);
  const ports = { listed, dense: takesDense ? hiddenSize : 0 };
  const writer = inputWriter(config, listed, takesDense ? product : undefined);
  const execute = takingTurns();
  const steps = openSteps(session, slabs, { slots, length, ports, width, writer });

  /** Feeds a chunk of a prompt to one slot; logits of its last `rows` positions. */
  const prefillChunk = async (
    slot: number,
    from: number,
    inputs: readonly Input[],
    rows: number,
  ): Promise<Float32Array<ArrayBuffer>> => {
    const layout = writer.layoutOf(inputs);
    const shape = { batch: 1, sequence: inputs.length, width: layout.width, rows };
    const own = createFeed(shape, ports);
    await writer.write(own, inputs, layout);
    own.length[0] = from + inputs.length;
    own.lastPosition[0] = from + inputs.length - 1;
    for (let row = 0; row < rows; row++) own.rows[row] = BigInt(inputs.length - rows + row);
    using scope = new DisposableStack();
    const logits = new Float32Array(rows * width);
    const tensors = { ...feedTensors(own, shape, ports), ...further?.(from, inputs.length) };
    const result = tensor(logits, [rows, width]);
    for (const value of [...Object.values(tensors), result]) scope.use(value);
    await slabs.fill(slot, from, async ({ past, present }) => {
      const outputs = { [PORTS.logits]: result, ...present };
      const binding: Binding = scope.use(session.bind({ ...tensors, ...past }, outputs));
      await execute(binding);
    });
    return logits;
  };

  let users = 0, stepping = false, disposed = false;
  const free = () => {
    steps[Symbol.dispose]();
    product?.[Symbol.dispose]();
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
  // on a device what was begun before comes first: it has one place for slots that are fed
  const inTurn: ReturnType<typeof inOrder> = session.memory ? inOrder() : (work) => work();
  /** Does what reads or writes the memory; a disposal meanwhile waits for it. */
  const use = async <T>(verb: string, work: () => Promise<T>): Promise<T> => {
    checkUse(verb);
    using _ = session.hold();
    users++;
    try {
      return await inTurn(work);
    } finally {
      if (--users === 0 && disposed) free();
    }
  };
  const step = async <T>(
    inputs: readonly Input[],
    positions: readonly number[],
    read: (rows: LogitRows) => T,
  ): Promise<T> => {
    checkUse("step");
    if (stepping) throw new Error("Cannot step as the step before must have ended");
    const count = inputs.length;
    checkNumber("step", "inputs.length", count, { min: 1, max: slots, integer: true });
    checkNumber("step", "positions.length", positions.length, { min: count, max: count });
    positions.forEach((position, row) => checkPosition(row, position));
    stepping = true;
    try {
      return await use("step", async () => read(await steps.run(inputs, positions)));
    } finally {
      stepping = false;
    }
  };

  return {
    slots,
    length,
    chunk: longest,

    prefill: (slot, from, inputs, logits) =>
      use("prefill", async () => {
        checkSlot("prefill", "slot", slot);
        if (inputs.length < 1) {
          throw new RangeError(refusal("prefill", "inputs", "hold at least one", inputs));
        }
        checkPosition(slot, from);
        checkPosition(slot, from + inputs.length - 1);
        const all = new Float32Array(logits === "all" ? inputs.length * width : 0);
        const fitting = Math.max(
          MIN_CHUNK,
          Math.floor(CHUNK_LOGITS / Math.min(width, vocabularySize)),
        );
        const size = logits === "all" ? Math.min(longest, fitting) : longest;
        let last = all;
        for (let start = 0; start < inputs.length; start += size) {
          checkUse("prefill");
          const chunk = inputs.slice(start, start + size);
          const rows = logits === "all" ? chunk.length : 1;
          last = await prefillChunk(slot, from + start, chunk, rows);
          if (logits === "all") all.set(last, start * width);
        }
        return logits === "all" ? all : last;
      }),

    step: (inputs, positions) => step(inputs, positions, (rows) => rows.all()),
    ...(session.memory && {
      stepRows: (inputs, positions) => step(inputs, positions, (rows) => rows),
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
