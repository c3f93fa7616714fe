/**
 * The engine over ONNX Runtime: a session of the decoder's graph, the memory of its caches, and what
 * mixtures over a large vocabulary need.
 *
 * @module
 */

import {
  ARCHITECTURES,
  type DecoderConfig,
  denseMixtureGraph,
  denseMixtureOnDevice,
  encodeGraph,
  firstAttentions,
  type Graph,
  halfKv,
  halfPrecision,
  int8Kv,
  SMALL_VOCABULARY,
} from "../graph/mod.ts";
import { createSession, type Device, type MappedFile, type Session } from "../runtime/mod.ts";
import { openDenseMixtures } from "./dense.ts";
import { refusal } from "../_check.ts";
import { openCache, PREFILL_CHUNK } from "./cache.ts";
import { type DeviceSessions, openOnDevice, startOnDevice } from "./device_next_token.ts";
import { type CacheShape, type Engine, KV_TYPES, type KvFormat } from "./engine.ts";
import { rangeReader } from "./external.ts";
import { calibrateKv } from "./kv.ts";
import { lazySession } from "./lazy_session.ts";
import { nextTokenSource } from "./next_token.ts";
import { checkBatch, checkDevice } from "./self_check.ts";
import { deviceSlabs, hostSlabs } from "./slabs.ts";
import { createSlotMover, type SlotMover } from "./slot_mover.ts";
import type { Prepared } from "./sources/source.ts";

/** Options of {@linkcode startEngine}: those of `loadModel`, as they were decided. */
export interface EngineOptions {
  readonly device: Device;
  readonly kv: KvFormat;
  readonly maxLength: number;
  /** Default: by the size of the weights and the number of heads. */
  readonly threads?: number | undefined;
  readonly spinning: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Size of weights below which one thread is fastest. */
const ONE_THREAD_BYTES = 64e6;

/** How to get what a device needs, where ONNX Runtime says that it is missing. */
const HINTS: Readonly<Record<string, string>> = {
  cuda: "CUDA is for NVIDIA's GPUs on Linux and Windows, with libraries that 'Devices' in " +
    "lib/runtime/mod.ts says how to get",
  webgpu:
    "WebGPU needs the package's own library and a GPU with its driver: Vulkan on Linux (with " +
    "libvulkan1), Direct3D 12 on Windows, Metal on macOS; see 'Devices' in lib/runtime/mod.ts",
};

/** Does work that reads mapped files once, without letting what it has read pile up in memory. */
async function forgetting<T>(files: readonly MappedFile[], work: () => Promise<T>): Promise<T> {
  const EVERY_MS = 20;
  const forget = () => files.forEach((file) => file.forget());
  const timer = setInterval(forget, EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    forget();
  }
}

/** Starts an engine; graph and weights stay open as long. Disposing it waits for runs in flight. */
export async function startEngine(prepared: Prepared, options: EngineOptions): Promise<Engine> {
  const { device, signal } = options;
  try {
    return await start(prepared, options);
  } catch (cause) {
    const message = (cause as Error).message.trim(), isTold = message.startsWith("Cannot load the");
    if (isTold || signal?.aborted || !Object.hasOwn(HINTS, device)) throw cause;
    throw new Error(`Cannot load the model on ${device}: ${message}; ${HINTS[device]}`, { cause });
  }
}

/** Rows that are compared with one alone. */
const BATCH = 8;

/** Whether rows depend on the batch; refuses a model whose logits are no numbers on a device. */
async function checkWhole(
  open: Engine["openCache"],
  config: DecoderConfig,
  device: Device,
): Promise<boolean> {
  using cache = open({ slots: BATCH, length: 2 });
  const isExact = await checkBatch(cache, config);
  if (isExact !== undefined) return isExact;
  throw new RangeError(
    `Cannot load the model on ${device} as its logits are no numbers there: its numbers may leave the range of ` +
      "float16, and kv: 'fp32' may help",
  );
}

async function start(
  { graph, config, data, bytes }: Prepared,
  { device, kv, maxLength, spinning, signal, ...options }: EngineOptions,
): Promise<Engine> {
  const isOwn = !(graph instanceof Uint8Array);
  if (kv !== "fp32" && !isOwn) {
    throw new RangeError(refusal("load the model", "kv", "be 'fp32' for an ONNX export", kv));
  }
  const most = navigator.hardwareConcurrency > config.heads ? config.heads : undefined;
  const threads = options.threads ?? (bytes < ONE_THREAD_BYTES ? 1 : most); // none: one per core
  const settings = { ...data, spinning, ...(threads === undefined ? {} : { threads }) };
  const startOn = async (
    device: Device,
    graph: Graph | Uint8Array<ArrayBuffer>,
    capture = false,
  ): Promise<Session> => {
    const encoded = graph instanceof Uint8Array ? graph : encodeGraph(graph);
    try {
      return await forgetting(
        Object.values(data.externalData ?? {}),
        () => createSession(encoded, { ...settings, device, capture }),
      );
    } catch (error) {
      const { message } = error as Error;
      if (capture && message.includes("graph capture")) return startOn(device, graph); // not all is there
      throw error;
    }
  };
  let running = graph;
  if (kv === "fp16" && isOwn) {
    const { isWide = false } = ARCHITECTURES[config.architecture] ?? {};
    running = device === "cpu"
      ? halfKv(graph)
      : halfPrecision(graph, { read: rangeReader(data), wide: isWide });
  } else if (kv === "int8" && isOwn) {
    await using exact = await startOn(device, graph);
    running = int8Kv(graph, config.kv, await calibrateKv(exact, config, maxLength));
    signal?.throwIfAborted();
  }
  await using scope = new AsyncDisposableStack();
  const type = KV_TYPES[kv];
  const moverOf = async ({ kv }: Pick<DecoderConfig, "kv">, scope: AsyncDisposableStack) =>
    device === "webgpu" ? scope.use(await createSlotMover(device, type, 2 * kv.length)) : undefined;
  const slabsOn =
    ({ memory }: Session, { kv: layers }: Pick<DecoderConfig, "kv">, mover?: SlotMover) =>
    (slots: number, length: number) =>
      memory
        ? deviceSlabs(memory, { kv: layers }, { slots, length }, type, mover)
        : hostSlabs({ kv: layers }, slots, length, kv);

  /** Compares the beginnings of the model with the CPU, with runs that are recorded or without. */
  const check = async (graph: Graph, capture: boolean) => {
    await using own = new AsyncDisposableStack();
    const cases = await Array.fromAsync(
      firstAttentions(graph, config.kv, config.heads),
      async (first) => {
        const mover = await moverOf(first, own);
        const probe = async (device: Device) => {
          const session = own.use(await startOn(device, first.graph, capture && device !== "cpu"));
          return { session, slabs: slabsOn(session, first, mover) };
        };
        return { width: first.width, device: await probe(device), host: await probe("cpu") };
      },
    );
    const format = type === "float16" ? type : "float32";
    return await checkDevice(config, cases, { type: format, maxLength });
  };
  let checked: Awaited<ReturnType<typeof checkDevice>>, capture = device !== "cpu" && isOwn;
  if (capture && maxLength > 1) {
    checked = await check(running as Graph, true);
    if (!checked) [checked, capture] = [await check(running as Graph, false), false];
    if (!checked) {
      throw new Error(
        `Cannot load the model on ${device} as it computes attention otherwise than the CPU does, also of ` +
          "short prompts: try another driver or device",
      );
    }
  }
  const session = scope.use(await startOn(device, running, capture));
  const mover = await moverOf(config, scope);

  const isLarge = config.vocabularySize > SMALL_VOCABULARY;
  const table = isOwn && isLarge
    ? scope.use(lazySession(
      () =>
        device === "cpu"
          ? denseMixtureGraph(graph)
          : denseMixtureOnDevice(graph, type === "float16" ? type : "float32"),
      { ...settings, device },
    ))
    : undefined;
  const nextToken = isLarge
    ? scope.use(nextTokenSource(config.vocabularySize, threads))
    : undefined;
  /** What looks at logits on the device, by the number of tokens: a model has one. */
  const onDevice = new Map<number, Promise<DeviceSessions | undefined>>();
  const sessionsOf = (tokens: number) => {
    const known = onDevice.get(tokens) ??
      startOnDevice(device, config.vocabularySize, tokens).catch(() => undefined);
    onDevice.set(tokens, known);
    return known;
  };
  scope.defer(async () => {
    for (const started of onDevice.values()) await (await started)?.[Symbol.asyncDispose]();
  });
  const openOwn = ({ slots, length }: CacheShape) => {
    const product = table && openDenseMixtures(table, config.vocabularySize, config.hiddenSize);
    const chunk = checked?.chunk ?? PREFILL_CHUNK;
    const slabs = slabsOn(session, config, mover)(slots, length);
    return openCache(session, config, slabs, { slots, length, chunk, product });
  };
  const isBatchExact = checked && await checkWhole(openOwn, config, device);
  const owned = scope.move();
  return {
    device: session.device,
    threads,
    fallenBack: session.fallenBack,
    ...(checked && { checked: { ...checked, isBatchExact: isBatchExact! } }),
    openCache: openOwn,
    ...(nextToken && {
      openNextToken(tokens = config.vocabularySize) {
        const host = nextToken.open();
        return session.memory
          ? openOnDevice(() => sessionsOf(tokens), config.vocabularySize, tokens, host)
          : host;
      },
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
