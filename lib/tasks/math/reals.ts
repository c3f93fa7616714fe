/**
 * Sets of real numbers: unions of intervals, whose ends are expressions.
 *
 * A point is an interval of one number. Sets whose ends have places on the line are brought to one form:
 * in order, nothing touching, so that [0,1] ∪ [1,2] is [0,2] and ℝ ∖ {0} is (−∞,0) ∪ (0,∞).
 *
 * @module
 */

import { placeOf, realOf, sameValue } from "./evaluate.ts";
import { type Expression, fraction, named, negated } from "./tree.ts";

export interface End {
  readonly value: Expression;
  readonly open: boolean;
}

export interface Interval {
  readonly low: End;
  readonly high: End;
}

export type Reals = readonly Interval[];

const INFINITY = named("∞");
const HIGHEST: End = { value: INFINITY, open: true };
const LOWEST: End = { value: negated(INFINITY), open: true };
export const ALL: Reals = [{ low: LOWEST, high: HIGHEST }];

export function point(value: Expression): Interval {
  const end = { value, open: false };
  return { low: end, high: end };
}

export function ray(end: End, above: boolean): Interval {
  return above ? { low: end, high: HIGHEST } : { low: LOWEST, high: end };
}

/** Which of two ends is further right. */
function order(a: Expression, b: Expression): number {
  const [x, y] = [placeOf(a)!, placeOf(b)!];
  if (Math.abs(x) === Infinity || Math.abs(y) === Infinity) return x === y ? 0 : x - y;
  if (Math.abs(x - y) > 1e-9 * Math.max(Math.abs(x), Math.abs(y))) return x - y;
  return sameValue(a, b) ? 0 : realOf(a)!.compare(realOf(b)!);
}

const infinite = ({ value }: End) => Math.abs(placeOf(value) ?? 0) === Infinity;

/** In order, nothing empty, nothing touching; undefined where an end has no place on the line. */
export function united(intervals: Reals): Reals | undefined {
  const ends = intervals.flatMap(({ low, high }) => [low, high]);
  if (ends.some(({ value }) => placeOf(value) === undefined)) return undefined;
  const ended = (end: End) => ({ ...end, open: end.open || infinite(end) });
  const own = intervals
    .map(({ low, high }) => ({ low: ended(low), high: ended(high) }))
    .filter(({ low, high }) => {
      const by = order(low.value, high.value);
      return by < 0 || by === 0 && !low.open && !high.open;
    })
    .sort((a, b) => order(a.low.value, b.low.value) || Number(a.low.open) - Number(b.low.open));
  const all: Interval[] = [];
  for (const next of own) {
    const last = all.at(-1);
    const by = last ? order(next.low.value, last.high.value) : 1;
    if (!last || by > 0 || by === 0 && next.low.open && last.high.open) {
      all.push(next);
      continue;
    }
    const beyond = order(next.high.value, last.high.value);
    const high = beyond > 0 || beyond === 0 && !next.high.open ? next.high : last.high;
    all[all.length - 1] = { low: last.low, high };
  }
  return all;
}

/** Undefined where an end has no place on the line. */
export function complement(intervals: Reals): Reals | undefined {
  const own = united(intervals);
  if (!own) return undefined;
  const all: Interval[] = [];
  let low = LOWEST;
  for (const interval of own) {
    all.push({ low, high: { value: interval.low.value, open: !interval.low.open } });
    low = { value: interval.high.value, open: !interval.high.open };
  }
  return united([...all, { low, high: HIGHEST }]);
}

/** What all of some sets share. */
export function intersection(sets: readonly (Reals | undefined)[]): Reals | undefined {
  const outside = sets.map((own) => own && complement(own));
  return outside.includes(undefined) ? undefined : complement((outside as Reals[]).flat());
}

/** The numbers whose absolute value is in a set; undefined where an end has no place on the line. */
export function mirrored(intervals: Reals): Reals | undefined {
  const right = intersection([intervals, [ray({ value: fraction(0), open: false }, true)]]);
  const flip = (end: End): End => ({ ...end, value: negated(end.value) });
  const left = right?.map(({ low, high }) => ({ low: flip(high), high: flip(low) }));
  return right && left && united([...right, ...left]);
}
