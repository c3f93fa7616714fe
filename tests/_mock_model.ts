/**
 * A model without weights, for tests of the decode loop and of studies.
 *
 * Each cache slot keeps the list of inputs fed to it, and its logits are a pure function of that
 * list: hashed, so that any difference in what was fed changes all that follows, or scripted. The
 * cache refuses whatever a real one would silently get wrong: a gap in the positions, a step on a
 * slot that holds nothing, a copy of what is not there, use after disposal.
 *
 * Tokens are letters; "é" is the two bytes that it has in UTF-8, so text can tear inside a character.
 */

import { assert } from "@std/assert";
import type { Input, Mixture } from "@moi/moi/decode";
import type { DecoderConfig } from "../lib/graph/mod.ts";
import type { KvCache, Model } from "@moi/moi/model";

/** Text of every token; the two bytes of "é" are written as latin-1 characters. */
const PIECES = ["<bos>", "<eos>", "<end>", ..."abcdefghijklmnopqrstuvwxyz .", "\xc3", "\xa9"];
const BYTES = PIECES.map((piece) => Uint8Array.from(piece, (c) => c.charCodeAt(0)));

export const BOS = 0, EOS = 1, END = 2, VOCABULARY = PIECES.length;

/** Ids of a text of letters, blanks, full stops, "é" and the three special tokens. */
export function ids(text: string): number[] {
  const pattern = /<bos>|<eos>|<end>|[\x20-\xff]/g;
  const latin = String.fromCharCode(...new TextEncoder().encode(text));
  return Array.from(latin.match(pattern) ?? [], (piece) => {
    const id = PIECES.indexOf(piece);
    assert(id >= 0, `mock: no token for ${JSON.stringify(piece)}`);
    return id;
  });
}

function text(tokens: ArrayLike<number>): string {
  const bytes = Array.from(tokens).flatMap((id) => [...BYTES[id]!]);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

/** One integer stirred into a 32-bit hash. */
function stir(hash: number, value: number): number {
  let x = Math.imul(hash ^ value, 0x9e3779b1);
  x ^= x >>> 15;
  x = Math.imul(x, 0x85ebca77);
  return (x ^ x >>> 13) >>> 0;
}

const float = new Float64Array(1), halves = new Uint32Array(float.buffer);

/** Stirs in an input: a token is the mixture with one entry of weight 1. */
function stirInput(hash: number, { ids, weights }: Mixture): number {
  for (let k = 0; k < ids.length; k++) {
    if (weights[k] === 0) continue;
    float[0] = weights[k]!;
    hash = stir(stir(stir(hash, ids[k]!), halves[0]!), halves[1]!);
  }
  return stir(hash, ids.length === 0 ? 1 : 2);
}

/** What a cache was asked to do, in order. */
export type Call =
  | {
    readonly kind: "prefill";
    readonly slot: number;
    readonly from: number;
    readonly inputs: readonly Mixture[];
  }
  | { readonly kind: "copy"; readonly from: number; readonly to: number; readonly count: number }
  | {
    readonly kind: "step";
    readonly inputs: readonly Mixture[];
    readonly positions: readonly number[];
  };

/** A cache as it was used. */
export interface CacheLog {
  readonly slots: number;
  readonly length: number;
  readonly calls: Call[];
  disposed: boolean;
}

/** Options of {@linkcode mockModel}. */
export interface MockOptions {
  /** Longest context. Default: 64. */
  readonly maxLength?: number;
  /** Ids that end a text. Default: `[EOS]`. */
  readonly eos?: readonly number[];
  /** Whether a string prompt starts with BOS. Default: true. */
  readonly bos?: boolean;
  /** Sampler settings that the model recommends. Default: none. */
  readonly defaults?: Model["defaults"];
  /** Its name and, with the name, its fingerprint. Default: "mock". */
  readonly id?: string;
  /** Bytes of keys and values, as it says. Default: 128. */
  readonly kvBytesPerToken?: number;
  /** Next-token logits from all inputs of a slot. Default: hashed, in −4 … 4. */
  readonly logits?: (history: readonly Mixture[]) => ArrayLike<number>;
  /** Awaited before every prefill and step, with the number of steps made so far. */
  readonly before?: (steps: number) => void | Promise<void>;
}

/** A model with a diary. */
export interface MockModel extends Model {
  /** All caches ever opened. */
  readonly caches: CacheLog[];
}

/** Logits that make one token near certain. */
export function certain(token: number): number[] {
  return Array.from({ length: VOCABULARY }, (_, id) => id === token ? 0 : -1000);
}

/** Scripted logits: after a prompt of any length the model writes this text, then `<eos>` for ever. */
export function writes(
  script: string,
  promptLength = 1,
): (history: readonly Mixture[]) => number[] {
  const tokens = ids(script);
  return (history) => certain(tokens[history.length - promptLength] ?? EOS);
}

/** All prefills of a model, over all caches. */
export function prefills({ caches }: MockModel) {
  return caches.flatMap(({ calls }) => calls.filter((call) => call.kind === "prefill"));
}

/** All steps of a model, over all caches. */
export function steps({ caches }: MockModel) {
  return caches.flatMap(({ calls }) => calls.filter((call) => call.kind === "step"));
}

function snapshot(input: Input): Mixture {
  if (typeof input === "number") return { ids: [input], weights: [1] };
  const { ids, weights, signed } = input;
  return {
    ids: Array.from(ids),
    weights: Array.from(weights),
    ...(signed ? { signed } : {}),
  };
}

function checkInput({ ids, weights, signed }: Mixture): void {
  assert(ids.length === weights.length, "mock: a mixture needs as many weights as ids");
  for (let k = 0; k < ids.length; k++) {
    const id = ids[k]!, weight = weights[k]!;
    assert(Number.isInteger(id) && id >= 0 && id < VOCABULARY, `mock: no token ${id}`);
    assert(Number.isFinite(weight) && (signed || weight >= 0), `mock: no weight ${weight}`);
  }
}

/** Opens a mock model. */
export function mockModel(options: MockOptions = {}): MockModel {
  const { maxLength = 64, eos = [EOS], bos = true, defaults = {}, id = "mock" } = options;
  const caches: CacheLog[] = [];
  const config: DecoderConfig = {
    architecture: "mock",
    hiddenSize: 16,
    layers: 1,
    heads: 1,
    kvHeads: 1,
    headDim: 16,
    intermediateSize: 16,
    vocabularySize: VOCABULARY,
    maxPositions: maxLength,
    rmsNormEps: 1e-6,
    ropeTheta: 1e4,
    tiedEmbeddings: true,
    kv: [],
  };
  return {
    caches,
    id,
    fingerprint: [0, 1].map((i) =>
      [...id].reduce((hash, c) => stir(hash, c.charCodeAt(0)), i).toString(16).padStart(8, "0")
    ).join(""),
    device: "cpu",
    versions: { mock: "1.2.3" },
    dtype: "fp32",
    kv: "fp32",
    maxLength,
    config,
    defaults,
    memory: { weightsBytes: 0, kvBytesPerToken: options.kvBytesPerToken ?? 128 },
    tokenizer: {
      eosTokenIds: eos,
      encode: (text, { addSpecialTokens = false } = {}) =>
        addSpecialTokens && bos ? [BOS, ...ids(text)] : ids(text),
      decode: text,
    },
    chat: (messages) => `<bos>${messages.map(({ content }) => `${content}.`).join("")}`,
    openCache({ slots, length }) {
      assert(Number.isSafeInteger(slots) && slots > 0, "mock: slots");
      assert(Number.isSafeInteger(length) && length > 0 && length <= maxLength, "mock: length");
      const log: CacheLog = { slots, length, calls: [], disposed: false };
      caches.push(log);
      return openCache(log, options);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** What a slot holds: its inputs, and a hash of them all. */
interface Slot {
  readonly inputs: readonly Mixture[];
  readonly hash: number;
}

function fed({ inputs, hash }: Slot, more: readonly Mixture[]): Slot {
  return { inputs: [...inputs, ...more], hash: more.reduce(stirInput, hash) };
}

const EMPTY: Slot = { inputs: [], hash: 0x12345678 };

function openCache(log: CacheLog, { logits: scripted, before }: MockOptions): KvCache {
  const { slots, length, calls } = log;
  const held: (Slot | undefined)[] = Array.from({ length: slots });
  const shared = new Float32Array(slots * VOCABULARY);
  let stepCount = 0;
  const check = () => assert(!log.disposed, "mock: the cache is disposed");

  const write = ({ inputs, hash }: Slot, target: Float32Array): void => {
    if (scripted) return target.set(scripted(inputs));
    for (let id = 0; id < VOCABULARY; id++) target[id] = stir(hash, id) / 2 ** 29 - 4;
  };

  return {
    slots,
    length,

    async prefill(slot, from, given, logits) {
      check();
      await before?.(stepCount);
      check();
      const inputs = given.map(snapshot);
      inputs.forEach(checkInput);
      assert(slot >= 0 && slot < slots, `mock: no slot ${slot}`);
      const earlier = held[slot]?.inputs.slice(0, from) ?? [];
      assert(earlier.length === from, `mock: slot ${slot} has not ${from} inputs`);
      assert(
        inputs.length > 0 && from + inputs.length <= length,
        "mock: the prompt does not fit the slot",
      );
      assert(logits === "last", "mock: the loop needs the last logits alone");
      calls.push({ kind: "prefill", slot, from, inputs });
      const filled = fed(fed(EMPTY, earlier), inputs);
      held[slot] = filled;
      const out = new Float32Array(VOCABULARY);
      write(filled, out);
      return out;
    },

    async step(given, positions) {
      check();
      await before?.(stepCount);
      check();
      const inputs = given.map(snapshot);
      inputs.forEach(checkInput);
      const count = inputs.length;
      assert(count > 0 && count <= slots, `mock: ${count} rows on ${slots} slots`);
      assert(positions.length === count, "mock: a position for every row");
      calls.push({ kind: "step", inputs, positions: [...positions] });
      stepCount++;
      shared.fill(NaN); // logits of an earlier step are gone
      for (let row = 0; row < count; row++) {
        const slot = held[row];
        assert(slot, `mock: slot ${row} was never filled`);
        const position = positions[row]!;
        assert(
          position === slot.inputs.length,
          `mock: slot ${row} holds ${slot.inputs.length} inputs, the next is not at ${position}`,
        );
        assert(position < length, `mock: position ${position} is outside the slot`);
        const next = fed(slot, [inputs[row]!]);
        held[row] = next;
        write(next, shared.subarray(row * VOCABULARY, (row + 1) * VOCABULARY));
      }
      return shared;
    },

    // deno-lint-ignore require-await
    async copy(from, to, count) {
      check();
      const source = held[from];
      assert(source, `mock: slot ${from} was never filled`);
      assert(to >= 0 && to < slots, `mock: no slot ${to}`);
      assert(from !== to, "mock: a slot is copied to itself");
      assert(
        count > 0 && count <= source.inputs.length,
        `mock: slot ${from} has not ${count} inputs`,
      );
      calls.push({ kind: "copy", from, to, count });
      held[to] = fed(EMPTY, source.inputs.slice(0, count));
    },

    [Symbol.dispose]() {
      assert(!log.disposed, "mock: the cache is disposed twice");
      log.disposed = true;
    },
  };
}
