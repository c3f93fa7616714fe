/**
 * From logits to the distribution that is sampled from: a list of transforms, run.
 *
 * `sampler.ts` says what settings stand for, `transforms.ts` what each transform does.
 *
 * @module
 */

import { SMALL_VOCABULARY } from "../graph/mod.ts";
import { type Listed, type NextTokens, probabilityIn, trusted } from "../model/mod.ts";
import {
  byId,
  certain,
  dense,
  type Distribution,
  listed,
  restricted,
  type Row,
  weightsOf,
} from "./distribution.ts";
import { type Chain, chainOf, type Sampling } from "./sampler.ts";
import { argmax, identity, mostProbable, ranked, refuseLogits, softmax, sumOf } from "./softmax.ts";
import type {
  History,
  MapTransform,
  RankTransform,
  Transform,
  TransformContext,
} from "./transforms.ts";

/** The rules that can cut anything of a vocabulary. */
function cutting(ranks: readonly RankTransform[], size: number): readonly RankTransform[] {
  return ranks.filter(({ keep }) =>
    "most" in keep ? keep.most < size : "mass" in keep ? keep.mass < Infinity : keep.share > 0
  );
}

/**
 * How many of the most probable tokens are kept, by rules of which each looks at what the one before left:
 * the only place that cuts. Weights are in descending order, in any unit, in which all tokens weigh `total`
 * together (NaN where that is not known). Undefined where tokens beyond the last could be kept as well, as the
 * list is not complete.
 */
function keptCount(
  weights: ArrayLike<number>,
  total: number,
  complete: boolean,
  ranks: readonly RankTransform[],
): number | undefined {
  let count = weights.length, mass = total, isSettled = complete;
  for (const { keep } of ranks) {
    let kept = Infinity; // beyond what is there
    if ("most" in keep) kept = keep.most;
    else if ("mass" in keep) {
      if (Number.isNaN(mass)) {
        if (!isSettled) return undefined;
        mass = sumOf(weights, count);
      }
      let at = 0, cumulative = 0;
      while (at < count && cumulative < keep.mass * mass) cumulative += weights[at++]!;
      if (cumulative >= keep.mass * mass) kept = Math.max(1, at); // keep.mass · mass may be 0
    } else {
      let at = count;
      while (weights[at - 1]! < keep.share * weights[0]!) at--;
      if (at < count) kept = at;
    }
    if (kept <= count) [count, mass, isSettled] = [kept, NaN, true];
    else if (!isSettled) mass = NaN;
  }
  return isSettled ? count : undefined;
}

/** The places that the rules keep of a row of probabilities, in descending order. */
function mostKept(
  probabilities: readonly number[],
  places: readonly number[],
  ranks: readonly RankTransform[],
  isFirst: boolean,
): number[] {
  const [{ keep }] = ranks as [RankTransform], size = probabilities.length;
  // tokens below (1 − mass) / V have less than 1 − mass together: no nucleus needs them
  const floor = !isFirst || "most" in keep
    ? 0
    : "mass" in keep
    ? (1 - keep.mass) / size
    : keep.share * probabilities[argmax(probabilities)]!;
  const order = "most" in keep
    ? mostProbable(places, probabilities, keep.most)
    : ranked(places.filter((place) => probabilities[place]! >= floor), probabilities);
  const weights = order.map((place) => probabilities[place]!);
  const total = isFirst && !("share" in keep) ? 1 : NaN; // what `floor` cut of a nucleus still counts
  return order.slice(0, keptCount(weights, total, true, ranks));
}

const NOTHING: History = { prompt: [], generated: [] };

/**
 * The distribution that a sampler makes of a row of logits.
 *
 * @param logits Raw logits `[V]`.
 * @param step Index of the token about to be generated.
 * @param history Tokens before it, for transforms that look at them. Default: none.
 * @throws {RangeError} Where logits are not finite, or the sampler leaves no token.
 *
 * @example Top-p keeps the smallest set that reaches the mass
 * ```ts
 * import { distributionOf, topP } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * const logits = new Float32Array([Math.log(0.5), Math.log(0.3), Math.log(0.2)]);
 * assertEquals([...distributionOf(logits, [topP(0.7)]).ids], [0, 1]);
 * ```
 */
export function distributionOf(
  logits: Float32Array,
  sampler: Sampling,
  step = 0,
  history: History = NOTHING,
): Distribution {
  return distributionBy(chainOf(sampler), { logits, size: logits.length, step }, history);
}

/** The same of a sampler that is ready to run. */
export function distributionBy(
  { plain, transforms }: Chain,
  row: Row,
  history = NOTHING,
): Distribution {
  const { step } = row;
  if (!plain) return transformed(row, transforms, { ...history, step });
  const { logits } = row, { temperature } = plain, ranks = cutting(plain.ranks, row.size);
  if (temperature === 0) {
    softmax(logits); // refuses logits that are not finite
    return certain(row, argmax(logits));
  }
  const list = { ids: identity(logits.length), probabilities: softmax(logits, temperature) };
  return listed(
    row,
    temperature,
    ranks.length === 0
      ? list
      : restricted(list, mostKept(list.probabilities, list.ids, ranks, true)),
  );
}

/** Whether a sampler needs the softmax over all tokens, or the most probable ones will do. */
export function needsSoftmax(
  { temperature, ranks }: NonNullable<Chain["plain"]>,
  vocabularySize: number,
): boolean {
  const [first] = cutting(ranks, vocabularySize);
  return temperature > 0 && (first === undefined || "mass" in first.keep);
}

/**
 * The same as {@linkcode distributionOf} from what the runtime found: the most probable tokens, and the
 * softmax where {@linkcode needsSoftmax} says so. Undefined where more tokens are needed.
 */
export function distributionFrom(
  row: Row & { readonly found: NextTokens },
  { temperature, ranks }: NonNullable<Chain["plain"]>,
): Distribution | undefined {
  const { found: { top, softmax } } = row, size = top.ids.length;
  const own = softmax.find((one) => one.temperature === temperature);
  const most = own && probabilityIn(own, top.ids[0]!);
  if (!Number.isFinite(top.logits[0]) || (most !== undefined && !(most > 0))) refuseLogits();
  if (temperature === 0) return certain(row, top.ids[0]!);
  const cuts = cutting(ranks, row.size);
  if (cuts.length === 0) return dense(row, temperature, own);
  const weights = weightsOf(top.logits, temperature);
  const total = most === undefined ? NaN : 1 / most; // in units of the most probable token
  const count = keptCount(weights, total, size === row.size, cuts);
  if (count === undefined) return undefined;
  return listed(row, temperature, byId(top.ids, weights, count));
}

/** Logits of some tokens; −∞ for all others. */
function only(logits: ArrayLike<number>, ids: readonly number[]): Float64Array {
  const out = new Float64Array(logits.length).fill(-Infinity);
  for (const id of ids) out[id] = logits[id]!;
  return out;
}

/** Logits as one's own transform leaves them. */
function mapped(
  { name, map }: MapTransform,
  logits: Float64Array,
  context: TransformContext,
): ArrayLike<number> {
  const size = logits.length, made = map(logits, context);
  let bad = made?.length !== size, most = -Infinity;
  for (let id = 0; id < size && !bad; id++) {
    bad = !(made[id]! < Infinity);
    most = Math.max(most, made[id]!);
  }
  if (!bad && most > -Infinity) return made;
  throw new RangeError(
    `Cannot sample as the transform '${name}' must give ${size} logits, each a number or −∞` +
      (bad ? "" : ", and at least one a number: all are −∞"),
  );
}

/** What a list of transforms makes of a row. */
function transformed(
  row: Row,
  transforms: readonly Transform[],
  context: TransformContext,
): Distribution {
  const { logits: raw } = row, size = raw.length;
  for (let id = 0; id < size; id++) if (!(raw[id]! < Infinity)) refuseLogits();
  let logits: ArrayLike<number> = raw, temperature = 1, before = 1;
  let kept: number[] | undefined, p: readonly number[] | undefined; // p: of `logits`, or of those kept
  const left = () => kept ? only(logits, kept) : logits;
  const probabilities = () => p ??= softmax(left(), temperature);
  const possible = () => {
    const own = probabilities();
    return kept ?? identity(size).filter((id) => own[id]! > 0);
  };
  for (let i = 0; i < transforms.length; i++) {
    const one = transforms[i]!;
    if (temperature === 0) { // one token is left: only its logit can change what is
      if (!("map" in one)) continue;
      kept = [argmax(left())];
    }
    if ("map" in one) {
      const heated = new Float64Array(left()), divisor = temperature || 1;
      for (let id = 0; id < size && divisor !== 1; id++) heated[id]! /= divisor;
      logits = mapped(one, heated, context);
      [before, temperature] = [before * temperature, 1];
      kept = p = undefined;
    } else if ("heat" in one) {
      const heated = one.heat(temperature, logits);
      if (heated !== temperature) p = undefined;
      temperature = heated;
    } else if ("cut" in one) {
      const ids = possible(), own = probabilities();
      kept = one.cut(ids.map((id) => own[id]!)).map((place) => ids[place]!);
    } else {
      const ranks = [one];
      while (i + 1 < transforms.length && "keep" in transforms[i + 1]!) {
        ranks.push(transforms[++i] as RankTransform);
      }
      const cuts = cutting(ranks, size);
      if (cuts.length > 0) kept = mostKept(probabilities(), possible(), cuts, kept === undefined);
    }
  }
  if (temperature === 0) {
    softmax(left()); // refuses logits of which none is left
    return certain(row, argmax(left()));
  }
  kept?.sort((a, b) => a - b);
  const list = kept && !p
    ? { ids: kept, probabilities: softmax(kept.map((id) => logits[id]!), temperature) }
    : restricted({ ids: identity(size), probabilities: probabilities() }, possible());
  const isDense = size > SMALL_VOCABULARY && list.ids.length > SMALL_VOCABULARY;
  const dense = isDense ? scattered(list, size) : undefined;
  return listed(row, before * temperature, list, { changed: true, dense });
}

/** A list as probabilities of all tokens. */
function scattered({ ids, probabilities }: Listed, size: number): Float32Array {
  const all = new Float32Array(size);
  for (let k = 0; k < ids.length; k++) all[ids[k]!] = probabilities[k]!;
  return trusted(all);
}
