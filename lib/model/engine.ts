/**
 * What computes a model's logits: the seam at which engines are exchanged.
 *
 * An engine opens KV caches, and a cache is fed mixtures and gives logits: that is all that a model,
 * and with it the decode loop, asks of it. ONNX Runtime is one engine (`onnx_engine.ts`); a library
 * called by FFI, a server or a script of a test can be others (see {@linkcode createModel}).
 *
 * @module
 */

import type { Input } from "./mixture.ts";
import type { NextToken } from "./next_token.ts";
import type { LogitRows } from "./logit_rows.ts";
import type { Remote } from "./remote.ts";

/** Name of an engine of this package. */
export type EngineName = "onnxruntime" | "llama.cpp";

/** Number formats of keys and values by name, and their element types. */
export const KV_TYPES = { fp32: "float32", fp16: "float16", int8: "int8" } as const;

/** Name of a number format of keys and values. */
export type KvFormat = keyof typeof KV_TYPES;

/** Shape of a cache. */
export interface CacheShape {
  /** Number of sequences. */
  readonly slots: number;
  /** Positions of each. */
  readonly length: number;
}

/**
 * Slots of keys and values, and the two ways to advance them.
 *
 * One step at a time. Disposing the cache while it works frees its memory once that work has ended.
 */
export interface KvCache extends CacheShape, Disposable {
  /**
   * Positions that a prefill computes at once: what is prefilled in parts that begin at its multiples gets the
   * numbers of a prefill of all. Default: 128.
   */
  readonly chunk?: number;
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
  ): Promise<Float32Array<ArrayBuffer>>;
  /**
   * Feeds one input to each of the slots 0 … n−1.
   *
   * @param inputs The n inputs.
   * @param positions Where each is written.
   * @returns Next-token logits `[n · V]` or more: always the same array, which the next step
   * overwrites.
   */
  step(
    inputs: readonly Input[],
    positions: readonly number[],
  ): Promise<Float32Array<ArrayBuffer>>;
  /**
   * The same as `step`, where logits are on a device: they stay there until they are read, and an engine's
   * {@linkcode Engine.openNextToken} looks at them there. Absent where they are on the host anyway.
   */
  stepRows?(inputs: readonly Input[], positions: readonly number[]): Promise<LogitRows>;
  /** Copies the first positions of one slot to another. */
  copy(from: number, to: number, positions: number): Promise<void>;
}

/** What a device was found to compute. */
export interface DeviceCheck {
  /** Positions of one prefill run that it computes rightly. */
  readonly chunk: number;
  /** Largest difference from the CPU, as a share of the largest number; absent where there was none to compare. */
  readonly worst?: number;
  /** Whether a row's numbers are the same alone and in a batch, bit for bit. */
  readonly isBatchExact: boolean;
}

/** A vector that is put in the place of what stands in the stream. */
export interface Patch {
  /** Layer: 0 is what the first layer gets, ℓ what stands in the stream after layer ℓ, up to L. */
  readonly layer: number;
  /** Position in the sequence, from 0. */
  readonly position: number;
  /** The vector `[D]`, such as another run's at that place. */
  readonly stream: Float32Array;
}

/**
 * A look inside the layers. The residual stream is what the first layer gets, and what stands after each:
 * L + 1 vectors `[D]` a position.
 */
export interface Layers {
  /**
   * Opens a cache whose rows are longer: after the V logits stand the L + 1 vectors of the stream. It takes no steps.
   *
   * @param patches What is replaced, each place at most once. Default: nothing.
   */
  openCache(shape: CacheShape, patches?: readonly Patch[]): Promise<StreamCache>;
  /**
   * Logits `[V]` that the last norm and the head make of each stream `[D]`.
   *
   * @param streams At least one.
   */
  read(streams: readonly Float32Array[]): Promise<Float32Array[]>;
}

/** A cache that tells the stream. */
export type StreamCache = CacheShape & Pick<KvCache, "prefill"> & Disposable;

/** What computes logits. */
export interface Engine extends AsyncDisposable {
  /** Device that it runs on, such as "cpu". */
  readonly device: string;
  /** Threads within an operator; undefined: one per physical core. */
  readonly threads?: number | undefined;
  /** Operators that run on the CPU as the device has no kernel for them, by name; absent: none. */
  readonly fallenBack?: ReadonlyMap<string, number>;
  /** What was found of the device when it was compared with the CPU; absent where it was not. */
  readonly checked?: DeviceCheck;
  /** Versions of what computes, by name, recorded with every run; absent: none. */
  readonly versions?: Readonly<Record<string, string>>;
  /** What is asked for whole texts, where logits stay elsewhere: no cache opens then. Absent: caches do. */
  readonly remote?: Remote;
  /** Opens a cache, of a shape that is checked. */
  openCache(shape: CacheShape): KvCache;
  /**
   * Opens what looks at rows of logits; absent where decoding does so itself.
   *
   * @param tokens Number of tokens that there are; rows of the vocabulary beyond stand for none, and nothing is found
   * there. Default: all.
   */
  openNextToken?(tokens?: number): NextToken;
  /** What tells the residual stream; absent where it cannot be told. */
  readonly layers?: Layers;
}
