/** A row's steps as they are noted in a compact trace: the writing side of `compact_trace.ts`. @module */

import { type Mixture, pieceDecoder, probabilityIn, type Tokenizer } from "../model/mod.ts";
import { type CompactTrace, ENTROPY_UNITS, WEIGHT_UNITS } from "./compact_trace.ts";
import type { Distribution } from "./distribution.ts";

/** Least weight on another token that is noted, and most of the tokens of a mixture that are. */
const LEAST = 0.02, MOST = 3;

/** Bytes as a text. */
const inBase64 = (bytes: readonly number[]) => Uint8Array.from(bytes).toBase64();

/** Numbers of two bytes as a text, the lower byte first, as on every machine that Deno runs on. */
const shortsInBase64 = (shorts: Uint16Array | Int16Array) =>
  new Uint8Array(shorts.buffer).toBase64();

/** A weight in its units. */
const weightUnits = (value: number) =>
  Math.max(-32768, Math.min(32767, Math.round(WEIGHT_UNITS * value)));

function addWeight(to: number[], value: number): void {
  const units = weightUnits(value);
  to.push(units & 255, (units >> 8) & 255);
}

function addLength(to: number[], value: number): void {
  let rest = value;
  for (; rest >= 255; rest -= 255) to.push(255);
  to.push(rest);
}

function addCount(to: number[], value: number): void {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) to.push(128 + rest % 128);
  to.push(rest);
}

type Weighed = readonly [id: number, weight: number];

/** Tokens of a mixture that carry enough, this one apart. */
function listedOthers({ ids, weights }: Mixture, token: number): Weighed[] {
  const others: Weighed[] = [];
  for (let k = 0; k < ids.length; k++) {
    const weight = weights[k]!;
    if ((weight >= LEAST || weight <= -LEAST) && ids[k] !== token) others.push([ids[k]!, weight]);
  }
  return others;
}

/** The same of a mixture with a dense part: of that the tokens that are most probable. */
function denseOthers(mixture: Mixture, token: number, from: Distribution): Weighed[] {
  const likely = from.top(2 * MOST).ids, listed = Array.from(mixture.ids);
  const ids = [...new Set([...likely, ...listed])],
    weights = ids.map((id) => weightIn(mixture, id));
  return listedOthers({ ids, weights }, token);
}

/** Weight of a token in a mixture. */
function weightIn({ ids, weights, dense }: Mixture, token: number): number {
  let weight = dense ? dense.weight * probabilityIn(dense, token) : 0;
  for (let k = 0; k < ids.length; k++) if (ids[k] === token) weight += weights[k]!;
  return weight;
}

/** The heaviest others of a mixture in descending order. */
function heaviest(mixture: Mixture, token: number, from: Distribution): Weighed[] {
  const others = mixture.dense ? denseOthers(mixture, token, from) : listedOthers(mixture, token);
  if (others.length <= MOST) return others.sort(([, a], [, b]) => b - a);
  others.sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  return others.slice(0, MOST).sort(([, a], [, b]) => b - a);
}

/** Texts of single tokens, by tokenizer: decoding takes longer than a step of a small model. */
const TEXTS = new WeakMap<Tokenizer, Map<number, string>>();

/** The text of a token of this tokenizer. */
function textsOf(tokenizer: Tokenizer): (token: number) => string {
  const texts = TEXTS.get(tokenizer) ?? new Map<number, string>();
  TEXTS.set(tokenizer, texts);
  return (token) => {
    const text = texts.get(token) ?? tokenizer.decode([token]);
    texts.set(token, text);
    return text;
  };
}

/**
 * Lengths of the pieces of a text, a piece a token: the tokens' own texts where these join to it, else what
 * each makes certain. The last one has the rest.
 */
function lengthsOf(tokenizer: Tokenizer, tokens: readonly number[], text: string): number[] {
  const textOf = textsOf(tokenizer), own = tokens.map((token) => textOf(token).length);
  const joined = tokens.map(textOf).join("");
  if (joined === text) return own;
  const piece = pieceDecoder(tokenizer);
  let left = text.length;
  return tokens.map((token, i) => {
    const length = i === tokens.length - 1 ? left : Math.min(left, piece(token).length);
    left -= length;
    return length;
  });
}

/** What a row notes of its steps. */
export interface Notes {
  /** Notes a step: its token, what it was drawn from, what is fed next, and how much of that is off the sample. */
  add(token: number, from: Distribution, mixture: Mixture, mass: number): void;
  /** All that was noted. */
  packed(
    tokenizer: Tokenizer,
    tokens: readonly number[],
    text: string,
    isEnd: boolean,
  ): CompactTrace;
}

/** Notes of a row that has taken no step. */
export function openNotes(): Notes {
  const entropy: number[] = [], masses: number[] = [];
  const mixtures: number[] = [], places = new Map<number, number>();
  let count = 0, noted = 0, isMixed = false;
  const addMixture = (token: number, from: Distribution, mixture: Mixture) => {
    const others = heaviest(mixture, token, from);
    if (others.length === 0) return;
    addCount(mixtures, count - noted);
    noted = count;
    mixtures.push(others.length);
    addWeight(mixtures, weightIn(mixture, token));
    for (const [id, weight] of others) {
      if (!places.has(id)) places.set(id, places.size);
      addCount(mixtures, places.get(id)!);
      addWeight(mixtures, weight);
    }
  };
  return {
    add(token, from, mixture, mass) {
      entropy.push(Math.round(ENTROPY_UNITS * Math.min(1, from.normalizedEntropy)));
      masses.push(weightUnits(mass));
      isMixed ||= mass !== 0;
      if (mass >= LEAST || mixture.signed || mixture.scaled) addMixture(token, from, mixture);
      count++;
    },
    packed(tokenizer, tokens, text, isEnd) {
      const textOf = textsOf(tokenizer), lengths: number[] = [];
      for (const length of lengthsOf(tokenizer, tokens, text)) addLength(lengths, length);
      const noted = { mixtures: inBase64(mixtures), names: [...places.keys()].map(textOf) };
      return {
        ...{ entropy: shortsInBase64(Uint16Array.from(entropy)), lengths: inBase64(lengths) },
        ...(isMixed ? { mass: shortsInBase64(Int16Array.from(masses)) } : {}),
        ...(places.size > 0 ? noted : {}),
        ...(isEnd ? { end: true } : {}),
      };
    },
  };
}
