/**
 * A device with addresses of its own where there is no GPU: sessions of the CPU that behave as CUDA's do.
 *
 * Tensors in their memory are no tensors of the host to whoever asks; views begin anywhere; memory is NaN at
 * first. A run that is played back reads what lies in that memory, and of inputs on the host what they were
 * when it was recorded. Weights and results are those of the CPU's kernels.
 */

import {
  type Binding,
  createSession,
  type DeviceMemory,
  type Session,
  type SessionOptions,
  type Tensor,
  tensor,
  type Tensors,
} from "@moi/moi/runtime";
import { PORTS } from "@moi/moi/graph";
import { ort } from "../../lib/runtime/api.ts";
import { memoryThrough } from "../../lib/runtime/cuda.ts";
import { pointerMemory } from "../../lib/runtime/device_memory.ts";
import type { CreateSession } from "../../lib/model/sessions.ts";
import { type Asked, hostCuda } from "../runtime/_host_cuda.ts";

/** Runs before one is recorded. */
const RUNS_BEFORE = 3;

/** What a device did. */
export interface PointerDevice {
  /** Starts sessions: those of "cuda" on this device, all others as ever. */
  readonly create: CreateSession;
  /** Of its memory. */
  readonly asked: Asked;
  /** Runs that were recorded, and that were played back. */
  readonly runs: { recorded: number; played: number };
}

/** Options of {@linkcode pointerDevice}. */
export interface PointerDeviceOptions {
  /** Whether it has all operators of a graph with such inputs, so that runs are recorded; default: of all. */
  readonly records?: (inputs: readonly string[]) => boolean;
  /** What becomes of the results of a run that is played back; it may fail. Default: nothing. */
  readonly onPlayed?: (outputs: Tensors, memory: DeviceMemory) => void;
}

/** A tensor on the host that nobody else writes to. */
function copyOf({ memory, value, type, dims }: Tensor): Tensor & { refresh(): void } {
  void value;
  if (type !== "int32" && type !== "int64") throw new Error(`internal: ${type} on the host`);
  const size = dims.reduce((a, b) => a * b, 1) * (type === "int32" ? 4 : 8);
  const own = new Uint8Array(new ArrayBuffer(size));
  const made = type === "int32"
    ? tensor(new Int32Array(own.buffer), dims)
    : tensor(new BigInt64Array(own.buffer), dims);
  return { ...made, refresh: () => own.set(new Uint8Array(memory!.buffer, 0, size)) };
}

/** Refuses to record attention over so many positions as there happen to be: CUDA's kernel repeats them. */
function checkLength({ [PORTS.length]: length, ...others }: Tensors): void {
  if (!length) return;
  const [, past] = Object.entries(others).find(([, { dims }]) => dims.length === 4)!;
  const [found] = new Int32Array(length.memory!.buffer, 0, 1), all = past.dims[2];
  if (found !== all) throw new Error(`internal: recorded of ${found} positions, not of ${all}`);
}

/** Opens a device. */
export function pointerDevice(
  { records = () => true, onPlayed = () => {} }: PointerDeviceOptions = {},
): PointerDevice {
  const { runtime, asked } = hostCuda(), blocks = memoryThrough(runtime);
  const runs = { recorded: 0, played: 0 };
  const isThere = (value: Tensor) => value.memory === undefined;

  const on = (session: Session, capture: boolean): Session => {
    const memory: DeviceMemory = pointerMemory(ort().hostMemory, blocks);
    const bind = (inputs: Tensors, outputs: Tensors, record = false): Binding => {
      const recording = capture && record;
      if (recording && !Object.values(outputs).every(isThere)) {
        throw new Error("internal: a run is recorded that writes to the host");
      }
      const entries = Object.entries(inputs);
      const copies = recording ? entries.filter(([, value]) => !isThere(value)) : [];
      const frozen = copies.map(([name, value]) => [name, copyOf(value)] as const);
      const binding = session.bind({ ...inputs, ...Object.fromEntries(frozen) }, outputs);
      let count = 0;
      const prepare = () => {
        const isPlayed = recording && count > RUNS_BEFORE;
        if (recording && count === RUNS_BEFORE) {
          checkLength(inputs);
          runs.recorded++;
        }
        if (isPlayed) runs.played++;
        else frozen.forEach(([, copy]) => copy.refresh());
        count++;
        return () => isPlayed && onPlayed(outputs, memory);
      };
      return {
        run() {
          const end = prepare();
          binding.run();
          end();
        },
        async runAsync() {
          const end = prepare();
          await binding.runAsync();
          end();
        },
        [Symbol.dispose]() {
          binding[Symbol.dispose]();
          frozen.forEach(([, copy]) => copy[Symbol.dispose]());
        },
      };
    };
    return { ...session, device: "cuda", records: capture, memory, bind };
  };
  return {
    asked,
    runs,
    async create(graph, options: SessionOptions = {}) {
      const { device, capture = false, ...others } = options;
      if (device !== "cuda") return await createSession(graph, options);
      const session = await createSession(graph, others);
      if (!capture || records(session.inputs)) return on(session, capture);
      session[Symbol.dispose]();
      throw new Error("This session cannot use the graph capture feature as requested by the user");
    },
  };
}
