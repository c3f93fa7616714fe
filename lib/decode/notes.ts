/** A row's steps as they are noted in a compact trace: the writing side of `compact_trace.ts`. @module */

import { type Mixture, pieceDecoder, probabilityIn, type Tokenizer } from "../model/mod.ts";
import { type CompactTrace, ENTROPY_UNITS, WEIGHT_UNITS } from "./compact_trace.ts";
import type { Distribution } from "./distribution.ts";

/** Least weight on another token that is noted, and most of the tokens of a mixture that are. */
const LEAST = 0.02, MOST = 3;

/** Most bytes that become a text at once. */
const CHUNK = 8192;

function inBase64(bytes: readonly number[]): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.slice(at, at + CHUNK));
  }
  return btoa(text);
}

const addShort = (to: number[], value: number) => to.push(value & 255, (value >> 8) & 255);

function addWeight(to: number[], value: number): void {
  const units = Math.round(WEIGHT_UNITS * value);
  addShort(to, Math.max(-32768, Math.min(32767, units)));
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

/** The token's own weight in a mixture, and the heaviest others. */
function heaviest({ ids, weights, dense }: Mixture, token: number, from: Distribution) {
  const under = (id: number) => dense ? dense.weight * probabilityIn(dense, id) : 0;
  const others: (readonly [id: number, weight: number])[] = [];
  let own = under(token);
  const note = (id: number, weight: number) => {
    if (id === token) own = weight;
    else if (Math.abs(weight) >= LEAST) others.push([id, weight]);
  };
  const listed = new Set<number>();
  for (let k = 0; k < ids.length; k++) {
    const id = ids[k]!;
    if (dense) listed.add(id);
    note(id, weights[k]! + under(id));
  }
  if (dense) { for (const id of from.top(2 * MOST).ids) if (!listed.has(id)) note(id, under(id)); }
  others.sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  return { own, others: others.slice(0, MOST).sort(([, a], [, b]) => b - a) };
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
    const { own, others } = heaviest(mixture, token, from);
    if (others.length === 0) return;
    addCount(mixtures, count - noted);
    noted = count;
    mixtures.push(others.length);
    addWeight(mixtures, own);
    for (const [id, weight] of others) {
      if (!places.has(id)) places.set(id, places.size);
      addCount(mixtures, places.get(id)!);
      addWeight(mixtures, weight);
    }
  };
  return {
    add(token, from, mixture, mass) {
      addShort(entropy, Math.round(ENTROPY_UNITS * Math.min(1, from.normalizedEntropy)));
      addWeight(masses, mass);
      isMixed ||= mass !== 0;
      if (mass >= LEAST || mixture.signed || mixture.scaled) addMixture(token, from, mixture);
      count++;
    },
    packed(tokenizer, tokens, text, isEnd) {
      const textOf = textsOf(tokenizer), lengths: number[] = [];
      for (const length of lengthsOf(tokenizer, tokens, text)) addLength(lengths, length);
      const noted = { mixtures: inBase64(mixtures), names: [...places.keys()].map(textOf) };
      return {
        ...{ entropy: inBase64(entropy), lengths: inBase64(lengths) },
        ...(isMixed ? { mass: inBase64(masses) } : {}),
        ...(places.size > 0 ? noted : {}),
        ...(isEnd ? { end: true } : {}),
      };
    },
  };
}
