/**
 * Sessions: a graph loaded on a device, and bindings through which it runs without copies.
 *
 * A binding fixes the tensors of every input and output once; a run then costs one call. Binding
 * the same tensor as input and output updates it in place, which is how a KV cache grows.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { fileURLToPath } from "node:url";
import {
  cString,
  ort,
  type Pointer,
  pointerArray,
  pointerFrom,
  sizeFrom,
  stringArray,
} from "./api.ts";
import { anything, boolean, checkOptions, number, oneOf, type Rules, text } from "../_check.ts";
import { type DeviceMemory, openDeviceMemory } from "./device_memory.ts";
import type { Memory } from "./memory.ts";
import { appendDevice, type Device, DEVICES, fallenBack } from "./providers.ts";
import type { Tensor } from "./tensor.ts";

/** Options of {@linkcode createSession}. */
export interface SessionOptions {
  /** Device. Default: "cpu". */
  readonly device?: Device;
  /** Threads within an operator. Default: ONNX Runtime's choice, one per physical core. */
  readonly threads?: number;
  /**
   * Whether threads spin between the operators of a run; between runs they never do. Default: false:
   * spinning is faster on an idle machine (decoding a 0.6B model on two cores by 1.2) and slower on a
   * shared one (by 1.25 where two processes do it).
   */
  readonly spinning?: boolean;
  /**
   * Whether runs can be recorded, of bindings with a number, and played back: see
   * {@linkcode Session.bind}. Only on a GPU, and only where it has all operators: else the session does
   * not start. Default: false.
   */
  readonly capture?: boolean;
  /**
   * Folder from which the locations of the graph's external data lead to files; they must stay in
   * it, symbolic links followed. The runtime maps each tensor for itself, and unmaps those that it
   * packs or converts, one by one.
   */
  readonly folder?: string;
  /**
   * External data of the graph by its location name: whole files in memory. The runtime copies what
   * the graph uses before anything else, twice for a moment. Instead of `folder`.
   */
  readonly externalData?: Readonly<Record<string, Memory>>;
}

const RULES: Rules<SessionOptions> = {
  device: oneOf(...DEVICES),
  threads: number({ min: 1, integer: true }),
  spinning: boolean,
  capture: boolean,
  folder: text,
  externalData: anything,
};

/** Named tensors. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Inputs and outputs fixed once, run many times. It keeps its tensors reachable. */
export interface Binding extends Disposable {
  /** Runs on the calling thread: least overhead, blocks the event loop. */
  run(): void;
  /**
   * Runs on a worker thread: timers and signals go on meanwhile (about 50 µs more). On a device it runs on the
   * calling thread, and they have their turn after it.
   */
  runAsync(): Promise<void>;
}

/**
 * A loaded graph.
 *
 * Disposing it frees its bindings too. While runs are in flight both wait for the last of them;
 * `await session[Symbol.asyncDispose]()` tells when everything is freed.
 */
export interface Session extends Disposable, AsyncDisposable {
  /** Device that runs it. */
  readonly device: Device;
  /** Whether runs can be recorded. */
  readonly records: boolean;
  /** Names of the graph's inputs. */
  readonly inputs: readonly string[];
  /** Names of the graph's outputs. */
  readonly outputs: readonly string[];
  /**
   * Fixes all inputs and outputs for later runs.
   *
   * @param record Of a session with `capture`: whether a run is recorded once there were a few, and played
   * back from then on. All tensors must lie on the device. Default: false.
   */
  bind(inputs: Tensors, outputs: Tensors, record?: boolean): Binding;
  /**
   * Begins work of several runs, which a disposal waits for; disposing the result ends it.
   *
   * @throws {Error} Where the session is disposed.
   */
  hold(): Disposable;
  /** The device's memory; undefined where it has none of its own, as on the CPU. */
  readonly memory: DeviceMemory | undefined;
  /** Operators that the CPU runs as the device cannot, and how many of each; on the CPU itself none. */
  readonly fallenBack: ReadonlyMap<string, number>;
}

/** Session options; the scope releases them. */
function startOptions(device: Device, options: SessionOptions, scope: DisposableStack): Pointer {
  const { call } = ort(), { threads, spinning = false, capture = false } = options;
  const { folder, externalData = {} } = options;
  const native = scope.adopt(
    pointerFrom((out) => call.CreateSessionOptions(out)),
    call.ReleaseSessionOptions,
  );
  const LOG_FATAL = 4; // errors come back as a status; the log would print them a second time
  call.SetSessionLogSeverityLevel(native, LOG_FATAL);
  if (threads !== undefined) call.SetIntraOpNumThreads(native, threads);
  const set = (key: string, value: string) =>
    call.AddSessionConfigEntry(native, cString(`session.${key}`), cString(value));
  set("intra_op.allow_spinning", spinning ? "1" : "0");
  set("force_spinning_stop", "1");
  if (folder !== undefined) set("model_external_initializers_file_folder_path", folder);
  const files = Object.entries(externalData);
  if (files.length > 0) {
    call.AddExternalInitializersFromFilesInMemory(
      native,
      stringArray(files.map(([name]) => name)),
      pointerArray(files.map(([, memory]) => memory.pointer)),
      BigUint64Array.from(files, ([, memory]) => BigInt(memory.byteLength)),
      BigInt(files.length),
    );
  }
  if (device !== "cpu") {
    set("record_ep_graph_assignment_info", "1");
    // it makes attention of rotations that attention does not know, from what other nodes still read
    const [what, fusion] = [
      "optimization.disable_specified_optimizers",
      "GroupQueryAttentionFusion",
    ];
    call.AddSessionConfigEntry(native, cString(what), cString(fusion));
  }
  appendDevice(native, device, capture);
  return native;
}

function names(session: Pointer, kind: "Input" | "Output"): string[] {
  const { call, allocator } = ort();
  const count = Number(sizeFrom((out) => call[`SessionGet${kind}Count`](session, out)));
  return Array.from({ length: count }, (_, index) => {
    const text = pointerFrom((out) =>
      call[`SessionGet${kind}Name`](session, BigInt(index), allocator, out)
    );
    const name = Deno.UnsafePointerView.getCString(text);
    call.AllocatorFree(allocator, text);
    return name;
  });
}

/** Every input and output must be bound: a missing input would only be met inside a kernel. */
function checkNames(kind: string, expected: readonly string[], given: Tensors): void {
  const missing = expected.filter((name) => !(name in given));
  const unknown = Object.keys(given).filter((name) => !expected.includes(name));
  if (missing.length === 0 && unknown.length === 0) return;
  throw new TypeError(
    `Cannot bind as every ${kind} must be given and no other: ` +
      `missing ${missing.join(", ") || "none"}; unknown ${unknown.join(", ") || "none"}`,
  );
}

/**
 * Loads a graph, in the background; on a device only where no other session is open there.
 *
 * @param graph The serialized `ModelProto`, or a path or file URL of one.
 * @returns The session; dispose it when done.
 * @throws {RangeError} Where there is no such device, or it records no runs.
 * @throws {OrtError} Where the graph is bad, or the device cannot be had.
 *
 * @example A graph that is no graph is refused with the runtime's words
 * ```ts
 * import { createSession } from "@moi/moi/runtime";
 * import { assertRejects } from "@std/assert";
 * await assertRejects(() => createSession(new Uint8Array([1, 2, 3])), Error, "protobuf");
 * ```
 */
export async function createSession(
  graph: Uint8Array<ArrayBuffer> | string | URL,
  options: SessionOptions = {},
): Promise<Session> {
  checkOptions("start a session", options, RULES);
  if (options.device === undefined || options.device === "cpu") return await start(graph, options);
  const turn = lastStart.then(() => start(graph, options, onDevices > 0));
  lastStart = turn.then(() => {}, () => {});
  return await turn;
}

/**
 * Sessions that are open on devices. On WebGPU they share what commands are recorded in, and nothing guards it
 * against two threads; the CUDA provider keeps recordings by thread, those of threads that are gone too, and
 * while one thread records, CUDA fails what others ask of it. So only the first session starts in the
 * background, and runs and copies are made on the calling thread.
 */
let onDevices = 0, lastStart: Promise<void> = Promise.resolve();

/** Starts a session, in the background unless it must not be. */
async function start(
  graph: Uint8Array<ArrayBuffer> | string | URL,
  options: SessionOptions,
  isBlocking = false,
): Promise<Session> {
  const { device = "cpu" } = options;
  const source = graph instanceof URL ? fileURLToPath(graph) : graph;
  const { call, callAsync, env } = ort(),
    { CreateSession, CreateSessionFromArray } = isBlocking ? call : callAsync;
  using scope = new DisposableStack();
  const native = startOptions(device, options, scope);
  const out = new BigUint64Array(new ArrayBuffer(8));
  if (typeof source === "string") {
    const path = Deno.build.os === "windows"
      ? Uint16Array.from(`${source}\0`, (c) => c.charCodeAt(0))
      : cString(source);
    await CreateSession(env, path, native, out);
  } else {
    await CreateSessionFromArray(env, source, BigInt(source.byteLength), native, out);
  }
  return wrap(Deno.UnsafePointer.create(out[0]!)!, device, options);
}

/** Tensors over the host's memory, by their names in C. */
function hostTensors(tensors: Tensors): { name: Uint8Array<ArrayBuffer>; value: Pointer }[] {
  return Object.entries(tensors).filter(([, { memory }]) => memory !== undefined)
    .map(([name, { value }]) => ({ name: cString(name), value }));
}

/**
 * What the runtime calls a run that is not recorded, and how many such come before one that is: all memory that
 * it needs is then at hand, as none can be had while CUDA records.
 */
const UNRECORDED = -1, RUNS_BEFORE = 3;

/** Most recordings of a session: the CUDA provider frees none before the session ends. */
const mostRecorded = (device: Device): number => device === "cuda" ? 500 : Infinity;
/** Lets what waits for the event loop have its turn. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function wrap(
  native: Pointer,
  device: Device,
  { externalData, capture = false }: SessionOptions,
): Session {
  const { call, callAsync } = ort();
  const inputs = names(native, "Input"), outputs = names(native, "Output");
  const memory = openDeviceMemory(native, device);
  const bindings = new Set<Disposable>(); // not yet freed
  const released = Promise.withResolvers<void>();
  let running = 0, held = 0, disposed = false;
  const isShared = device !== "cpu";
  if (isShared) onDevices++;
  const release = () => {
    for (const binding of bindings) binding[Symbol.dispose]();
    memory?.[Symbol.dispose]();
    call.ReleaseSession(native);
    if (isShared) onDevices--;
    released.resolve();
  };
  const isGone = () => disposed && held === 0;
  const releaseIfDue = () => {
    if (disposed && running + held === 0) release();
  };
  const dispose = () => {
    if (disposed) return;
    disposed = true;
    releaseIfDue();
    void externalData; // mapped weights must outlive the session
  };

  let recorded = 0;
  /** Options of runs that are recorded under a number; -1: of one that is not. */
  const runOptions = (scope: DisposableStack, graph: number): Pointer | null => {
    const made = pointerFrom((out) => call.CreateRunOptions(out));
    const options = scope.adopt(made, call.ReleaseRunOptions);
    call.AddRunConfigEntry(options, cString("gpu_graph_id"), cString(String(graph)));
    return options;
  };

  const bind = (boundInputs: Tensors, boundOutputs: Tensors, record = false): Binding => {
    if (isGone()) throw new Error("Cannot bind as the session is disposed");
    checkNames("input", inputs, boundInputs);
    checkNames("output", outputs, boundOutputs);
    using scope = new DisposableStack();
    const made = pointerFrom((out) => call.CreateIoBinding(native, out));
    const binding = scope.adopt(made, call.ReleaseIoBinding);
    for (const name of inputs) call.BindInput(binding, cString(name), boundInputs[name]!.value);
    for (const name of outputs) call.BindOutput(binding, cString(name), boundOutputs[name]!.value);
    const plain = capture ? runOptions(scope, UNRECORDED) : null;
    const isRecorded = capture && record && recorded < mostRecorded(device);
    const graph = isRecorded ? ++recorded : undefined;
    const playing = graph && runOptions(scope, graph), owned = scope.move();
    let runs = 0;
    const options = () => playing && runs++ >= RUNS_BEFORE ? playing : plain;
    let tensors: unknown = { boundInputs, boundOutputs }; // the runtime knows only their addresses
    // devices copy an input when it is bound: what is written to the host's arrays must be bound anew
    const copied = isShared ? hostTensors(boundInputs) : [];
    let busy = false, freed = false;
    const start = () => {
      const gone = freed || isGone();
      const why = gone ? "session or binding is disposed" : "binding is running";
      if (busy || gone) throw new Error(`Cannot run as the ${why}`);
      for (const { name, value } of copied) call.BindInput(binding, name, value);
    };
    const free = () => {
      if (graph) call.SessionReleaseCapturedGraph(native, graph);
      owned.dispose();
      bindings.delete(self);
      tensors = undefined;
    };
    const self: Binding = {
      run() {
        start();
        call.RunWithBinding(native, options(), binding);
      },
      async runAsync() {
        if (isShared) {
          self.run();
          return await turn();
        }
        start();
        busy = true;
        running++;
        try {
          await callAsync.RunWithBinding(native, options(), binding);
        } finally {
          busy = false;
          void tensors;
          if (freed) free();
          running--;
          releaseIfDue();
        }
      },
      [Symbol.dispose]() {
        if (!freed && !busy) free();
        freed = true;
      },
    };
    bindings.add(self);
    return self;
  };

  return {
    device,
    records: capture,
    inputs,
    outputs,
    bind,
    hold() {
      if (disposed) throw new Error("Cannot work as the session is disposed");
      held++;
      const work = new DisposableStack();
      work.defer(() => {
        held--;
        releaseIfDue();
      });
      return work;
    },
    memory,
    fallenBack: device === "cpu" ? new Map() : fallenBack(native),
    [Symbol.dispose]: dispose,
    [Symbol.asyncDispose]() {
      dispose();
      return released.promise;
    },
  };
}
