/**
 * Slots of keys and values in a context of llama.cpp.
 *
 * Its kernels may sum in another order for another number of rows. So a step is padded to a number of rows with which
 * a row's numbers do not depend on the others: a multiple on the processor, always the same number on a GPU, where a
 * larger batch takes several runs.
 *
 * @module
 */

import type { Context, Place } from "../../llama/context.ts";
import type { LlamaModel } from "../../llama/model.ts";
import { checkNumber, refusal } from "../../_check.ts";
import { gib } from "../../_gib.ts";
import { PREFILL_CHUNK } from "../cache.ts";
import type { CacheShape, KvCache } from "../engine.ts";
import type { WriteEmbeddings } from "./embeddings.ts";
import { checkId, type Input } from "../mixture.ts";

/** Rows of a run: a multiple of one number, at most another. */
export interface RowRule {
  readonly multiple: number;
  readonly most: number;
}

/** What a cache stands on. */
export interface LlamaCacheParts {
  readonly model: LlamaModel;
  readonly kv: "fp32" | "fp16";
  readonly rows: RowRule;
  /** Bytes of keys and values of a position, and those that are free for them; 0 where nobody knows. */
  readonly bytes: number;
  readonly free: () => number;
  readonly write: WriteEmbeddings;
  /** Begins work on the model once what came before has ended; refuses where the model is disposed. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
  /** The same for what frees memory, on a disposed model too. */
  readonly lastTurn: <T>(work: () => Promise<T>) => Promise<T>;
}

/** llama.cpp's buffers have a multiple of so many positions. */
const ROUND = 256;
/** Most sequences of a context. */
const MOST_SEQUENCES = 256;

const upTo = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple;

/** Opens a cache, of a shape that is checked; its context is made when it is first used. */
export function openLlamaCache(
  { model, kv, rows: { multiple, most }, bytes, free, write, turn, lastTurn }: LlamaCacheParts,
  { slots, length }: CacheShape,
): KvCache {
  const { vocabularySize, hiddenSize } = model;
  const sequences = upTo(slots, multiple), padding = multiple > 1 ? 1 : 0; // a position for rows of it
  const positions = upTo(length + padding, ROUND);
  if (sequences > MOST_SEQUENCES || sequences * positions >= 2 ** 31) {
    const rule =
      `be at most ${MOST_SEQUENCES}, with ${length} positions each fewer than 2³¹ in all`;
    throw new RangeError(refusal("open a cache", "slots", rule, slots));
  }
  const needed = sequences * positions * bytes, room = free();
  if (room > 0 && needed > room) { // they are all there from the beginning
    throw new RangeError(
      `Cannot open a cache as the keys and values of ${sequences} sequences of ${positions} positions need ` +
        `${gib(needed)} and ${gib(room)} are free: ask for fewer slots or a shorter 'maxLength'`,
    );
  }
  const batch = Math.max(PREFILL_CHUNK, sequences); // llama.cpp wants room for a row of each
  const rows = new Float32Array(batch * hiddenSize);
  const logits = new Float32Array(slots * vocabularySize);
  let opened: Promise<Context> | undefined, current: Context | undefined, isDisposed = false;
  const contextOf = async (): Promise<Context> => {
    opened ??= model.openContext({ sequences, length: positions, batch, kv });
    return current = await opened;
  };
  /** Does work with the context; none once the cache is disposed. */
  const use = <T>(verb: string, work: (context: Context) => Promise<T>): Promise<T> => {
    const check = () => {
      if (isDisposed) throw new Error(`Cannot ${verb} as the cache is disposed`);
    };
    check();
    return turn(async () => {
      check();
      const context = await contextOf();
      try {
        return await work(context);
      } catch (error) {
        check(); // what ended it
        throw error;
      }
    });
  };
  const checkSlot = (verb: string, name: string, slot: number) =>
    checkNumber(verb, name, slot, { min: 0, max: slots - 1, integer: true });
  /** Forgets what lies at a position of a slot and after it. */
  const cut = (context: Context, slot: number, position: number) => {
    const most = Math.min(context.end(slot), length - 1);
    if (!(Number.isInteger(position) && position >= 0 && position <= most)) {
      const rule = `be from 0 to ${most}, as no position may be left out`;
      throw new RangeError(refusal(`write to slot ${slot}`, "position", rule, position));
    }
    context.cut(slot, position);
  };
  /** Feeds a part of a prompt; logits of its last `count` inputs. */
  const prefill = async (
    context: Context,
    slot: number,
    from: number,
    inputs: readonly Input[],
    count: number,
  ) => {
    const places = inputs.map((_, k): Place => ({
      ...{ sequence: slot, position: from + k, logits: k >= inputs.length - count },
    }));
    if (inputs.every((input) => typeof input === "number")) {
      for (const id of inputs) checkId("a token", id as number, vocabularySize);
      return await context.decode(places, Int32Array.from(inputs as number[]));
    }
    await write(inputs, rows);
    return await context.decode(places, rows);
  };
  /** Takes a step of some rows, whose slots are consecutive; the rest up to the multiple is thrown away. */
  const step = async (
    context: Context,
    first: number,
    inputs: readonly Input[],
    positions: readonly number[],
  ) => {
    const count = inputs.length, all = upTo(count, multiple);
    await write(inputs, rows);
    // not zeros, of which a norm may make NaN: no mask hides those that stay in a slot
    for (let k = count; k < all; k++) rows.copyWithin(k * hiddenSize, 0, hiddenSize);
    const before = Array.from({ length: all }, (_, k) => context.end(first + k));
    const places = Array.from({ length: all }, (_, k): Place => ({
      ...{ sequence: first + k, position: positions[k] ?? before[k]!, logits: true },
    }));
    const found = await context.decode(places, rows);
    for (let k = count; k < all; k++) context.cut(first + k, before[k]!);
    logits.set(found.subarray(0, count * vocabularySize), first * vocabularySize);
  };

  return {
    slots,
    length,
    prefill: (slot, from, inputs, wanted) =>
      use("prefill", async (context) => {
        checkSlot("prefill", "slot", slot);
        if (inputs.length < 1) {
          throw new RangeError(refusal("prefill", "inputs", "hold at least one", inputs));
        }
        checkNumber("prefill", "from + inputs.length", from + inputs.length, { max: length });
        cut(context, slot, from);
        const all = new Float32Array((wanted === "all" ? inputs.length : 1) * vocabularySize);
        for (let at = 0; at < inputs.length; at += PREFILL_CHUNK) {
          if (isDisposed) throw new Error("Cannot prefill as the cache is disposed");
          const part = inputs.slice(at, at + PREFILL_CHUNK),
            isLast = at + part.length === inputs.length;
          const count = wanted === "all" ? part.length : isLast ? 1 : 0;
          const found = await prefill(context, slot, from + at, part, count);
          all.set(found, wanted === "all" ? at * vocabularySize : 0);
        }
        return all;
      }),
    step: (inputs, places) =>
      use("step", async (context) => {
        const count = inputs.length;
        checkNumber("step", "inputs.length", count, { min: 1, max: slots, integer: true });
        checkNumber("step", "positions.length", places.length, { min: count, max: count });
        places.forEach((position, slot) => cut(context, slot, position));
        for (let first = 0; first < count; first += most) {
          const end = Math.min(count, first + most);
          await step(context, first, inputs.slice(first, end), places.slice(first, end));
        }
        return logits;
      }),
    copy: (from, to, positions) =>
      use("copy", (context) => {
        checkSlot("copy", "from", from);
        checkSlot("copy", "to", to);
        checkNumber("copy", "positions", positions, {
          min: 0,
          max: context.end(from),
          integer: true,
        });
        if (from === to) return Promise.resolve();
        context.copy(from, to);
        context.cut(to, positions);
        return Promise.resolve();
      }),
    [Symbol.dispose]() {
      if (isDisposed) return;
      isDisposed = true;
      current?.stop();
      lastTurn(async () => (await opened)?.[Symbol.dispose]()).catch(() => {}); // one that was never made
    },
  };
}
