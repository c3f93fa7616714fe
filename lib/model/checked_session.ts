/**
 * The session of a model on a device, once the device was compared with the CPU.
 *
 * @module
 */

import { type DecoderConfig, firstAttentions, type Graph } from "../graph/mod.ts";
import type { Device, Session } from "../runtime/mod.ts";
import { openCache } from "./cache.ts";
import { type DeviceCheck, KV_TYPES, type KvFormat } from "./engine.ts";
import { checkBatch, checkDevice, longestChunk } from "./self_check.ts";
import type { StartSession } from "./sessions.ts";
import { deviceSlabs, hostSlabs, type Slabs } from "./slabs.ts";
import { createSlotMover } from "./slot_mover.ts";

/** A model that is about to run. */
interface Model {
  readonly graph: Graph | Uint8Array<ArrayBuffer>;
  readonly config: DecoderConfig;
  readonly kv: KvFormat;
  readonly maxLength: number;
}

/** Opens memory for slots of so many positions. */
export type OpenSlabs = (slots: number, length: number) => Slabs;

/** A session, memory for its caches, and what was found of its device. */
interface CheckedSession {
  readonly session: Session;
  readonly slabs: OpenSlabs;
  /** Absent on the CPU. */
  readonly checked?: DeviceCheck;
}

/** Memory for caches of a session; the scope keeps what moves its slots. */
export async function slabsOf(
  { memory, device }: Session,
  layers: Pick<DecoderConfig, "kv">,
  kv: KvFormat,
  scope: AsyncDisposableStack,
): Promise<OpenSlabs> {
  if (!memory) return (slots, length) => hostSlabs(layers, slots, length, kv);
  const type = KV_TYPES[kv], count = 2 * layers.kv.length;
  const mover = memory.hasOffsets
    ? undefined
    : scope.use(await createSlotMover(device, type, count));
  return (slots, length) => deviceSlabs(memory, layers, { slots, length }, type, mover);
}

/** Number format by which it is judged whether two results are the same. */
const formatOf = (kv: KvFormat) => kv === "fp16" ? "float16" : "float32";

/** Compares the beginnings of a model on a device with the CPU, with runs that are recorded or without. */
async function compareWithHost(
  { graph, config, kv, maxLength }: Model & { readonly graph: Graph },
  device: Device,
  startOn: StartSession,
  capture: boolean,
) {
  await using scope = new AsyncDisposableStack();
  const cases = await Array.fromAsync(
    firstAttentions(graph, config.kv, config.heads),
    async (first) => {
      const probe = async (device: Device, capture: boolean) => {
        const session = scope.use(await startOn(device, first.graph, capture));
        return { session, slabs: await slabsOf(session, first, kv, scope) };
      };
      return {
        width: first.width,
        device: await probe(device, capture),
        host: await probe("cpu", false),
      };
    },
  );
  return await checkDevice(config, cases, { type: formatOf(kv), maxLength });
}

const OTHERWISE =
  "as it computes attention otherwise than the CPU does, also of short prompts: try " +
  "another driver or device";
const NO_NUMBERS =
  "as its logits are no numbers there: its numbers may leave the range of float16, " +
  "and kv: 'fp32' may help";
/** Rows that are compared with one alone. */
const BATCH = 8;

/**
 * Starts the session of a model; on a device other than the CPU where it computes the model rightly. The scope
 * keeps it.
 */
export async function startChecked(
  model: Model,
  device: Device,
  startOn: StartSession,
  scope: AsyncDisposableStack,
): Promise<CheckedSession> {
  const { graph, config, kv, maxLength } = model, isOwn = !(graph instanceof Uint8Array);
  const fail = (why: string): never => {
    throw new RangeError(`Cannot load the model on ${device} ${why}`);
  };
  const isChecked = device !== "cpu" && maxLength > 1;
  let found: Awaited<ReturnType<typeof compareWithHost>>, capture = false;
  if (isChecked && isOwn) {
    const compare = () => compareWithHost({ ...model, graph }, device, startOn, capture);
    capture = true;
    found = await compare().catch(() => undefined); // recording may fail
    capture = found !== undefined;
    found ??= await compare() ?? fail(OTHERWISE);
  }
  const type = formatOf(kv);
  /** Starts the whole model. */
  const start = async (capture: boolean): Promise<CheckedSession> => {
    await using own = new AsyncDisposableStack();
    const session = own.use(await startOn(device, graph, capture));
    const slabs = await slabsOf(session, config, kv, own);
    const open = (slots: number, length: number, chunk?: number) =>
      openCache(session, config, slabs(slots, length), { slots, length, ...(chunk && { chunk }) });
    const check = async (): Promise<DeviceCheck> => {
      const { chunk, worst } = found ?? {
        chunk: await longestChunk((chunk, length) => open(1, length, chunk), config, {
          type,
          maxLength,
        }),
        worst: undefined,
      };
      using cache = open(BATCH, 2);
      const isBatchExact = await checkBatch(cache, config, type) ?? fail(NO_NUMBERS);
      return { chunk, isBatchExact, ...(worst === undefined ? {} : { worst }) };
    };
    const checked = isChecked ? await check() : undefined;
    scope.use(own.move());
    return { session, slabs, ...(checked && { checked }) };
  };
  if (!capture) return await start(false);
  try {
    return await start(true);
  } catch { // what fails without recordings as well is told then
    return await start(false);
  }
}
