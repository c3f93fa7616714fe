/**
 * The distribution that a token is drawn from, and what methods and readers ask of it.
 *
 * Everything is float64. A draw inverts the cumulative distribution over token ids in ascending order,
 * so that a small change of the probabilities seldom changes the token.
 *
 * A distribution has one of two forms, and answers alike in both. **Listed**: a few tokens and their
 * probabilities; with a small vocabulary always. **Dense**: weights on the whole of a large one, float32,
 * as the runtime left them. A draw then goes through the most probable tokens first, then through all
 * others, both by ascending id, and arrays of V are made when they are read.
 *
 * @module
 */

import { checkNumber } from "../_check.ts";
import {
  type HeldProbabilities,
  type Listed,
  mixed,
  type Mixture,
  type NextTokens,
  SHORTLIST,
  type Softmax,
  trusted,
} from "../model/mod.ts";
import { entropyOf, identity, mostProbable, softmax, sumOf } from "./softmax.ts";

/** What a sampler made of one row of logits. */
export interface Distribution {
  /** Index of the token about to be generated, from 0. */
  readonly step: number;
  /** Size of the vocabulary, V. */
  readonly vocabularySize: number;
  /**
   * The model's raw logits `[V]`, −∞ for rows of the vocabulary that stand for no token; valid until
   * the next step.
   */
  readonly logits: Float32Array;
  /** Temperature of the distribution; 0: greedy. */
  readonly temperature: number;
  /** Entropy in nats. */
  readonly entropy: number;
  /** The same divided by ln V: 0 is certain, 1 is uniform over the vocabulary. */
  readonly normalizedEntropy: number;
  /** Ids of the tokens that can be sampled, ascending. */
  readonly ids: readonly number[];
  /** Their probabilities, summing to 1. */
  readonly probabilities: readonly number[];
  /** The token that a uniform number in [0, 1) draws. */
  draw(u: number): number;
  /** Probability of a token; 0 outside of those that can be sampled. */
  probability(id: number): number;
  /** The k most probable tokens, renormalised; the lower id first among equals. */
  top(k: number): Distribution;
  /** The other tokens, renormalised, and this one with probability 0; undefined where there are none. */
  others(id: number): Distribution | undefined;
  /** Chance that two draws agree, Σ p². */
  collision(): number;
  /**
   * The distribution before any cut, `softmax(logits / temperature)`, of the raw logits also where the
   * sampler changed them; the same at temperature 0. With a large vocabulary slow, unless the method
   * {@linkcode Method.needs} "softmax".
   */
  untruncated(): Distribution;
  /** The distribution as the model means it, `softmax(logits)`. Likewise: "model". */
  model(): Distribution;
  /**
   * The mixture `scale · p + extra · onehot(token)`, where several tokens share `extra` evenly. Default of
   * `extra`: `1 − scale`.
   */
  mixture(scale: number, token: number | readonly number[], extra?: number): Mixture;
}

/** A row of logits, and what the runtime found in it. */
export interface Row {
  /** Raw logits `[V]`. */
  readonly logits: Float32Array;
  /** They are read from where they are when `logits` is. Default: they are here. */
  readonly isAway?: boolean;
  /** Size of the vocabulary, V. */
  readonly size: number;
  /** Index of the token about to be generated. */
  readonly step: number;
  /** With a large vocabulary. */
  readonly found?: NextTokens;
}

/** Tokens by ascending id, the first `count` weights divided by their sum in the order given. */
export function byId(ids: ArrayLike<number>, weights: ArrayLike<number>, count: number): Listed {
  const sum = sumOf(weights, count);
  // places in the list, sorted by id without a call of a function per comparison
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) keys[i] = ids[i]! * count + i;
  keys.sort();
  const sorted = new Array<number>(count), probabilities = new Array<number>(count);
  for (let k = 0; k < count; k++) {
    const i = keys[k]! % count;
    sorted[k] = ids[i]!;
    probabilities[k] = weights[i]! / sum;
  }
  return { ids: sorted, probabilities };
}

/** Some places of a list, renormalised. */
export function restricted({ ids, probabilities }: Listed, places: number[]): Listed {
  places.sort((a, b) => a - b);
  const weights = places.map((place) => probabilities[place]!);
  return byId(places.map((place) => ids[place]!), weights, places.length);
}

/** The k most probable tokens of a list, fewer than there are, renormalised. */
export function topOf(list: Listed, k: number): Listed {
  const { ids, probabilities } = list;
  return restricted(list, mostProbable(identity(ids.length), probabilities, k));
}

/** `exp((logits − the largest) / temperature)` of the first logits in descending order. */
export function weightsOf(
  logits: ArrayLike<number>,
  temperature: number,
  count = logits.length,
): number[] {
  const weights = new Array<number>(count), best = logits[0]!;
  for (let i = 0; i < count; i++) weights[i] = Math.exp((logits[i]! - best) / temperature);
  return weights;
}

/** The place that u draws. */
function drawListed(probabilities: readonly number[], u: number): number {
  let cumulative = 0, last = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i]!;
    if (p > 0) last = i;
    cumulative += p;
    if (u < cumulative) return i;
  }
  return last; // rounding left the sum below u
}

/** Probabilities of all tokens, here or where an engine holds them. */
type Whole = Float32Array | HeldProbabilities;

const arrayOf = (whole: Whole) => whole instanceof Float32Array ? whole : whole.probabilities;

const probabilityOf = (whole: Whole, id: number) =>
  whole instanceof Float32Array
    ? whole[id] ?? 0
    : whole.held.of(id) ?? whole.probabilities[id] ?? 0;

/**
 * The token that u draws: from the most probable ones by ascending id, then from all others. In float32
 * the sum may be off by 1e-5: where it is below u, what u has beyond it is drawn with anew.
 */
function drawDense(
  probabilities: Float32Array,
  top: ArrayLike<number> | undefined,
  u: number,
): number {
  const first = top
    ? ascending(top)
    : mostProbable(identity(probabilities.length), probabilities, SHORTLIST).sort((a, b) => a - b);
  for (;;) {
    let cumulative = 0, next = 0;
    for (const id of first) {
      cumulative += probabilities[id]!;
      if (u < cumulative) return id;
    }
    for (let id = 0; id < probabilities.length; id++) {
      if (id === first[next]) {
        next++;
        continue;
      }
      cumulative += probabilities[id]!;
      if (u < cumulative) return id;
    }
    u = (u - cumulative) / (1 - cumulative);
  }
}

const ascending = (top: ArrayLike<number>) =>
  Array.from({ length: SHORTLIST }, (_, i) => top[i]!).sort((a, b) => a - b);

/** The same where an engine holds the probabilities: they are read where u is beyond the most probable tokens. */
function drawHeld(whole: HeldProbabilities, top: ArrayLike<number> | undefined, u: number): number {
  let cumulative = 0;
  for (const id of top ? ascending(top) : []) {
    cumulative += probabilityOf(whole, id);
    if (u < cumulative) return id;
  }
  return drawDense(whole.probabilities, top, u);
}

/** Whether it is not a row's own softmax, whole or cut; of all tokens, what is drawn from and mixed `[V]`. */
interface Origin {
  readonly changed?: boolean;
  readonly dense?: Whole | undefined;
}

const NOT_READ = new Float32Array();

/** A property that is there when it is read. */
const later = (get: () => unknown) => ({ get, enumerable: true, configurable: true });

/** A distribution of both forms; the numbers of a dense one are there when they are read. */
function distribution(
  row: Row,
  temperature: number,
  list: Listed,
  { changed = false, dense }: Origin,
  probabilities: readonly number[],
  entropy: number,
): Distribution {
  const { step, size: vocabularySize } = row, { ids } = list;
  const found = changed ? undefined : row.found?.top;
  const isWhole = !changed && ids.length === vocabularySize;
  const self: Distribution = {
    step,
    vocabularySize,
    logits: row.isAway ? NOT_READ : row.logits,
    temperature,
    entropy,
    normalizedEntropy: vocabularySize > 1 ? entropy / Math.log(vocabularySize) : 0,
    ids,
    probabilities,
    draw(u) {
      if (!dense) return ids[drawListed(list.probabilities, u)]!;
      if (dense instanceof Float32Array) return drawDense(dense, found?.ids, u);
      return drawHeld(dense, found?.ids, u);
    },
    probability(id) {
      if (dense) return probabilityOf(dense, id);
      return list.probabilities[ids[id] === id ? id : ids.indexOf(id)] ?? 0;
    },
    top(k) {
      checkNumber("ask for the most probable tokens", "k", k, { min: 1 });
      if (k >= ids.length) return self;
      if (isWhole && found && k <= found.ids.length) {
        const weights = weightsOf(found.logits, temperature, k);
        return listed(row, temperature, byId(found.ids, weights, k));
      }
      return listed(row, temperature, topOf(list, k));
    },
    others(id) {
      if (dense) return denseOthers(row, temperature, arrayOf(dense), id);
      const left = Array.from(ids.keys()).filter((k) =>
        ids[k] !== id && list.probabilities[k]! > 0
      );
      if (left.length === 0) return undefined;
      const { ids: others, probabilities } = restricted(list, left);
      const own = { ids: [id, ...others], probabilities: [0, ...probabilities] };
      return listed(row, temperature, own, { changed: true });
    },
    collision() {
      const all = dense ? arrayOf(dense) : list.probabilities;
      let sum = 0;
      for (let i = 0; i < all.length; i++) sum += all[i]! * all[i]!;
      return sum;
    },
    untruncated: () => temperature === 0 || isWhole ? self : whole(row, temperature),
    model: () => temperature === 1 ? self.untruncated() : whole(row, 1),
    mixture: (scale, token, extra = 1 - scale) => mixed(dense ?? list, scale, token, extra),
  };
  // an accessor in the object above would double the time that it takes
  return row.isAway ? Object.defineProperty(self, "logits", later(() => row.logits)) : self;
}

/** A few tokens. */
export function listed(
  row: Row,
  temperature: number,
  list: Listed,
  origin: Origin = {},
): Distribution {
  const { probabilities } = list;
  return distribution(row, temperature, list, origin, probabilities, entropyOf(probabilities));
}

/** The other tokens of a dense one, likewise dense. */
function denseOthers(
  row: Row,
  temperature: number,
  all: Float32Array,
  id: number,
): Distribution | undefined {
  let rest = 0;
  for (let i = 0; i < all.length; i++) if (i !== id) rest += all[i]!;
  if (rest === 0) return undefined;
  const probabilities = new Float32Array(all.length);
  for (let i = 0; i < all.length; i++) if (i !== id) probabilities[i] = all[i]! / rest;
  return dense(row, temperature, { probabilities: trusted(probabilities) }, true);
}

/** All on one token: temperature 0. */
export function certain(row: Row, id: number): Distribution {
  return listed(row, 0, { ids: [id], probabilities: [1] });
}

/**
 * All tokens of a large vocabulary: as the runtime left them, else softmaxed here. What is long to make is
 * made when it is read.
 */
export function dense(
  row: Row,
  temperature: number,
  own: Partial<Softmax> & Pick<Softmax, "probabilities"> | undefined,
  changed = false,
): Distribution {
  const ids = identity(row.size);
  let all: readonly number[] | undefined, nats = own?.entropy ?? NaN;
  const list = {
    ids,
    get probabilities() {
      if (!own) return all ??= softmax(row.logits, temperature);
      const sum = all ? 1 : sumOf(own.probabilities);
      return all ??= Array.from(own.probabilities, (value) => value / sum);
    },
  };
  const entropy = () => { // of the runtime it is 0 · ln 0 where a logit is −∞
    if (Number.isNaN(nats)) nats = entropyOf(own?.probabilities ?? list.probabilities);
    return Math.max(0, nats);
  };
  const isHeld = (own: unknown): own is HeldProbabilities => !!(own as Softmax | undefined)?.held;
  const origin = { changed, dense: isHeld(own) ? own : own?.probabilities };
  return Object.defineProperties(distribution(row, temperature, list, origin, [], NaN), {
    probabilities: later(() => list.probabilities),
    entropy: later(entropy),
    normalizedEntropy: later(() => entropy() / Math.log(ids.length)),
  });
}

/** A row's softmax at a temperature. */
function whole(row: Row, temperature: number): Distribution {
  const { found } = row;
  return found
    ? dense(row, temperature, found.softmax.find((own) => own.temperature === temperature))
    : listed(row, temperature, {
      ids: identity(row.size),
      probabilities: softmax(row.logits, temperature),
    });
}
