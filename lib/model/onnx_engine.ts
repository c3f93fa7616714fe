/**
 * The engine over ONNX Runtime: a session of the decoder's graph, the memory of its caches, and what
 * mixtures over a large vocabulary need.
 *
 * @module
 */

import {
  ARCHITECTURES,
  denseMixtureGraph,
  denseMixtureOnDevice,
  type Graph,
  halfKv,
  halfPrecision,
  int8Kv,
  SMALL_VOCABULARY,
} from "../graph/mod.ts";
import { createSession, type Device, openedVersion, runtimeVersion } from "../runtime/mod.ts";
import { refusal } from "../_check.ts";
import { given } from "../_given.ts";
import { openCache, PREFILL_CHUNK } from "./cache.ts";
import { startChecked } from "./checked_session.ts";
import { openDenseMixtures } from "./dense.ts";
import { type DeviceSessions, openOnDevice, startOnDevice } from "./device_next_token.ts";
import type { CacheShape, Engine, KvFormat } from "./engine.ts";
import { rangeReader } from "./external.ts";
import { calibrateKv } from "./kv.ts";
import { openLayers } from "./layers.ts";
import { lazySession } from "./lazy_session.ts";
import { nextTokenSource } from "./next_token.ts";
import { type CreateSession, sessionStarter } from "./sessions.ts";
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

/**
 * Starts an engine; graph and weights stay open as long. Disposing it waits for runs in flight.
 *
 * @param create What starts its sessions. Default: {@linkcode createSession}.
 */
export async function startEngine(
  prepared: Prepared,
  options: EngineOptions,
  create: CreateSession = createSession,
): Promise<Engine> {
  const { device, signal } = options;
  try {
    return await start(prepared, options, create);
  } catch (cause) {
    const message = (cause as Error).message.trim(), isTold = message.startsWith("Cannot load the");
    if (isTold || signal?.aborted || !Object.hasOwn(HINTS, device)) throw cause;
    throw new Error(`Cannot load the model on ${device}: ${message}; ${HINTS[device]}`, { cause });
  }
}

async function start(
  { graph, mixtures, config, data, bytes }: Prepared,
  { device, kv, maxLength, spinning, signal, ...options }: EngineOptions,
  create: CreateSession,
): Promise<Engine> {
  const isOwn = !(graph instanceof Uint8Array);
  if (kv !== "fp32" && !isOwn) {
    throw new RangeError(refusal("load the model", "kv", "be 'fp32' for an ONNX export", kv));
  }
  const most = navigator.hardwareConcurrency > config.heads ? config.heads : undefined;
  const threads = options.threads ?? (bytes < ONE_THREAD_BYTES ? 1 : most); // none: one per core
  const settings = { ...data, spinning, ...given({ threads }) };
  const startOn = sessionStarter(settings, signal, create);
  let running = graph;
  if (kv === "fp16" && isOwn) {
    const { isWide = false } = ARCHITECTURES[config.architecture] ?? {};
    running = device === "cpu"
      ? halfKv(graph)
      : halfPrecision(graph, { read: rangeReader(data), wide: isWide });
  } else if (kv === "int8" && isOwn) {
    await using exact = await startOn(device, graph);
    running = int8Kv(graph, config.kv, await calibrateKv(exact, config, maxLength));
  }
  await using scope = new AsyncDisposableStack();
  const model = { graph: running, config, maxLength, kv };
  const { session, slabs, checked } = await startChecked(model, device, startOn, scope);

  const isLarge = config.vocabularySize > SMALL_VOCABULARY;
  const table = isOwn && isLarge
    ? scope.use(lazySession(
      () =>
        device === "cpu"
          ? mixtures ?? denseMixtureGraph(graph)
          : denseMixtureOnDevice(graph, kv === "fp16" ? "float16" : "float32"),
      { ...settings, device },
      create,
    ))
    : undefined;
  const nextToken = isLarge
    ? scope.use(nextTokenSource(config.vocabularySize, threads))
    : undefined;
  /** What looks at logits on the device, by the number of tokens: a model has one. */
  const onDevice = new Map<number, Promise<DeviceSessions | undefined>>();
  const sessionsOf = (tokens: number) => {
    const known = onDevice.get(tokens) ??
      startOnDevice(device, config.vocabularySize, tokens, create).catch(() => undefined);
    onDevice.set(tokens, known);
    return known;
  };
  scope.defer(async () => {
    for (const started of onDevice.values()) await (await started)?.[Symbol.asyncDispose]();
  });
  const chunk = checked?.chunk ?? PREFILL_CHUNK;
  const openProduct = () =>
    table && openDenseMixtures(table, config.vocabularySize, config.hiddenSize);
  const openOwn = ({ slots, length }: CacheShape) =>
    openCache(session, config, slabs(slots, length), {
      ...{ slots, length, chunk, product: openProduct() },
    });
  const inside = { config, kv, chunk, openProduct }, onHere = { ...settings, device };
  const layers = isOwn
    ? scope.use(openLayers(graph, running as Graph, inside, onHere, create))
    : undefined;
  const owned = scope.move();
  return {
    ...(layers && { layers }),
    device: session.device,
    threads,
    fallenBack: session.fallenBack,
    ...(checked && { checked }),
    versions: { onnxruntime: openedVersion() ?? runtimeVersion },
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
