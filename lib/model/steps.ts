/**
 * Steps of a cache: one input to each of the first slots, over arrays and bindings that serve every step.
 *
 * @module
 */

import { PORTS } from "../graph/mod.ts";
import { type Binding, type Session, takingTurns, type Tensor, tensor } from "../runtime/mod.ts";
import type { CacheShape } from "./engine.ts";
import type { LogitRows } from "./logit_rows.ts";
import { createFeed, type FeedPorts, feedTensors, firstParts, mirrored, pairsOf } from "./feed.ts";
import type { InputWriter } from "./input_writer.ts";
import type { Input } from "./mixture.ts";
import type { Slabs, SlabViews } from "./slabs.ts";

/** Rows of logits of a step on a device, and where they lie there. */
export interface DeviceRows extends LogitRows {
  /** Where the logits are `[slots, V]`, those of a row in its place, until the next step. */
  readonly place: Tensor;
}

/** What {@linkcode openSteps} is told. */
interface StepOptions extends CacheShape {
  readonly ports: FeedPorts;
  /** Numbers of a row of logits. */
  readonly width: number;
  readonly writer: InputWriter;
}

/** A step of so many rows and numbers a position. */
interface Bound {
  readonly binding: Binding;
  /** Brings what was written to the device. */
  send(withDense: boolean): void;
  /** The logits there. */
  readonly logits: Tensor;
}

/** Opens what takes steps; they come one at a time. */
export function openSteps(
  session: Session,
  slabs: Slabs,
  { slots, length, ports, width: numbers, writer }: StepOptions,
) {
  const { memory } = session, scope = new DisposableStack(), execute = takingTurns();
  // an input of the host; WebGPU reads that of a recorded run on the device, CUDA repeats that of the recording
  const isLengthThere = session.records && session.device === "webgpu";
  const isLengthFixed = session.records && session.device === "cuda";
  const onHost: readonly string[] = isLengthThere ? [] : [PORTS.length];
  const stepLogits = new Float32Array(slots * numbers);
  const onDevice = memory && scope.use(memory.allocate("float32", [slots, numbers]));
  const views: SlabViews[] = [];
  let feedScope = new DisposableStack(), bound = new Map<string, Bound>(), isDenseZero = true;

  const openFeed = (width: number) => {
    feedScope.dispose();
    feedScope = new DisposableStack();
    bound = new Map();
    isDenseZero = true;
    const shape = { batch: slots, sequence: 1, width, rows: slots };
    const feed = createFeed(shape, ports);
    if (isLengthFixed) feed.length[0] = length;
    // where an operator is on the CPU, an input is there as well, and what is bound is copied when it is bound
    if (!memory || !session.records) return { ...feed, mirror: undefined, densePair: undefined };
    const own = partOf(feedTensors(feed, shape, ports)), mirror = mirrored(own, memory);
    for (const value of Object.values(mirror)) feedScope.use(value);
    // of all slots, as those beyond the rows of a step may hold what an earlier one added
    const pair = feed.dense && [own[PORTS.dense]!, mirror[PORTS.dense]!] as const;
    return { ...feed, mirror, densePair: pair };
  };
  /** Inputs that have a place on the device; the tensors of the others are disposed with the feed. */
  const partOf = (tensors: ReturnType<typeof feedTensors>) => {
    for (const value of Object.values(tensors)) feedScope.use(value);
    return Object.fromEntries(Object.entries(tensors).filter(([name]) => !onHost.includes(name)));
  };
  let feed = openFeed(writer.layoutOf([]).width);

  const viewsOf = (count: number): SlabViews => {
    if (views[count]) return views[count];
    const made = slabs.first(count);
    for (const view of made.all) scope.use(view);
    return views[count] = made;
  };
  const bind = (count: number, width: number): Bound => {
    const { past, present } = viewsOf(count), { mirror, densePair } = feed;
    const shape = { batch: count, sequence: 1, width, rows: count };
    const tensors = feedTensors(feed, shape, ports), own = partOf(tensors);
    const there = mirror && memory ? firstParts(mirror, own, memory) : {};
    const dims = [count, numbers];
    const logits = onDevice ? memory!.view(onDevice, 0, dims) : tensor(stepLogits, dims);
    for (const value of [...Object.values(there), logits]) feedScope.use(value);
    const inputs = { ...tensors, ...there, ...past };
    const made = session.bind(inputs, { [PORTS.logits]: logits, ...present }, true);
    const { [PORTS.dense]: _dense, [PORTS.rows]: _rows, ...changing } = own;
    const pairs = mirror ? pairsOf(changing, there) : [];
    const all = densePair ? [...pairs, densePair] : pairs;
    return {
      binding: feedScope.use(made),
      send: (withDense) => mirror && memory!.copy(...withDense ? all : pairs),
      logits,
    };
  };
  const boundOf = (count: number, width: number): Bound => {
    if (width > feed.width) feed = openFeed(width);
    const key = `${count} ${width}`;
    const known = bound.get(key) ?? bind(count, width);
    bound.set(key, known);
    return known;
  };

  return {
    /** Feeds one input to each of the first slots, at a position of its own. */
    async run(inputs: readonly Input[], positions: readonly number[]): Promise<LogitRows> {
      const layout = writer.layoutOf(inputs), count = inputs.length;
      const { binding, send, logits } = boundOf(count, layout.width);
      feed.lastPosition.set(positions);
      if (!isLengthFixed) feed.length[0] = Math.max(...positions) + 1;
      const withDense = !isDenseZero || layout.dense.length > 0;
      if (withDense) feed.dense!.fill(0);
      isDenseZero = !withDense; // until it is sent: inputs may be refused
      await writer.write(feed, inputs, layout);
      send(withDense);
      isDenseZero = layout.dense.length === 0;
      await execute(binding);
      if (!onDevice) return { count, all: () => stepLogits };
      let isRead = false;
      const rows: DeviceRows = {
        count,
        place: onDevice,
        all() {
          if (!isRead) {
            if (scope.disposed) throw new Error("Cannot read logits as the cache is disposed");
            using target = tensor(stepLogits, [count, numbers]);
            memory!.copy([logits, target]);
          }
          isRead = true;
          return stepLogits;
        },
      };
      return rows;
    },
    [Symbol.dispose]() {
      feedScope.dispose();
      scope.dispose();
    },
  };
}
