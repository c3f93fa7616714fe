/**
 * What a GPU is, and whether a model has room on it.
 *
 * @module
 */

import { gib } from "../_gib.ts";

/** Kinds of GPU; an emulated one computes on the CPU, and "other" is a virtual or unknown one. */
export type AdapterKind = "discrete" | "integrated" | "emulated" | "other";

/** A GPU as one of ONNX Runtime's devices: plain data. Sizes in bytes. */
export interface Adapter {
  /** The device under which it is used. The same card may be there as both. */
  readonly device: "webgpu" | "cuda";
  /** Its name, as the driver has it. */
  readonly name: string;
  /** What kind it is; NVIDIA's library does not say, and calls all its cards "discrete". */
  readonly kind: AdapterKind;
  /** Its driver and that one's version, where it says so. */
  readonly driver?: string;
  /** Compute capability of an NVIDIA card, such as "9.0". */
  readonly capability?: string;
  /**
   * Its own memory, or the part of the system's that it may use; the largest heap where it has several.
   * Free is what this process may still take, where the driver tells.
   */
  readonly memory?: { readonly total: number; readonly free?: number };
  /** What WebGPU is limited to there. */
  readonly limits?: {
    /** Of a buffer that a shader binds at once; ONNX Runtime binds a larger tensor in parts. */
    readonly storageBinding: number;
    /** Of a buffer, and so of a tensor. */
    readonly buffer: number;
    /** Of the memory that a workgroup shares. */
    readonly workgroup: number;
  };
  /** Whether it computes in 16-bit floating point: WebGPU's `shader-f16`. */
  readonly half: boolean;
  /** How many invocations a subgroup (warp, wave) has. */
  readonly subgroup?: number;
  /** Whether a session on this device uses it. */
  readonly chosen: boolean;
}

/** What a model takes of a device, in bytes. */
export interface Footprint {
  /** What it is called in a refusal: the number format, such as "fp16". */
  readonly name: string;
  /** All weights. */
  readonly weights: number;
  /** Keys and values of all slots. */
  readonly cache: number;
  /** The largest tensor of both: the head in fp16 has vocabulary × hidden × 2. */
  readonly largest: number;
}

/**
 * Room left for what lies between the operators, for copies on their way and for the driver's own:
 * 512 MiB. Chosen, not measured.
 */
const MARGIN = 2 ** 29;

const together = ({ weights, cache }: Footprint) => weights + cache + MARGIN;

/** The first reason why a model has no room on an adapter. */
function reason(model: Footprint, { name, memory, limits }: Adapter): string | undefined {
  if (limits && model.largest > limits.buffer) {
    return `its largest tensor in ${model.name} needs ${gib(model.largest)} and ${name} has ` +
      `buffers of at most ${gib(limits.buffer)}`;
  }
  const room = memory?.free ?? memory?.total ?? Infinity;
  if (together(model) <= room) return undefined;
  const { weights, cache } = model, state = memory?.free === undefined ? "" : " free";
  return `its weights in ${model.name} need ${gib(weights)}, keys and values ${
    gib(cache)
  }, with a ` +
    `margin of ${gib(MARGIN)} ${gib(together(model))}, and ${name} has ${gib(room)}${state}`;
}

/**
 * Why a model has no room on an adapter, as what follows "Cannot load the model on webgpu as …", and
 * what would fit; undefined where it has room, or where nothing is known of the adapter.
 *
 * A tensor may be larger than `limits.storageBinding` (ONNX Runtime binds it in parts), but not than
 * `limits.buffer`: the first run would fail. A margin of 512 MiB is left. Where the free memory is not known, all of it counts.
 *
 * @param others The same model in other number formats, or with other caches. Default: none is asked.
 *
 * @example
 * ```ts
 * import { type Adapter, noRoom } from "@moi/moi/runtime";
 * import { assertEquals } from "@std/assert";
 * const GIB = 2 ** 30, memory = { total: 8 * GIB, free: 7 * GIB };
 * const card = { device: "webgpu", name: "card", kind: "discrete", half: true, chosen: true } as const;
 * const adapter: Adapter = { ...card, memory };
 * const fp16 = { name: "fp16", weights: 15 * GIB, cache: GIB, largest: GIB };
 * const int4 = { name: "int4", weights: 5 * GIB, cache: GIB, largest: GIB };
 * assertEquals(noRoom(int4, adapter), undefined);
 * assertEquals(
 *   noRoom(fp16, adapter, [int4]),
 *   "its weights in fp16 need 15.0 GiB, keys and values 1.0 GiB, with a margin of 0.5 GiB 16.5 GiB, " +
 *     "and card has 7.0 GiB free: int4 needs 6.5 GiB",
 * );
 * ```
 */
export function noRoom(
  model: Footprint,
  adapter: Adapter,
  others: readonly Footprint[] = [],
): string | undefined {
  const why = reason(model, adapter);
  if (why === undefined) return undefined;
  const fitting = others.filter((other) => reason(other, adapter) === undefined)
    .map((other) => `${other.name} needs ${gib(together(other))}`);
  return others.length === 0 ? why : `${why}: ${fitting.join(", ") || "nothing else would fit"}`;
}
