/**
 * What inputs are worth: differences of losses to those of the tokens alone, or of another method, by document.
 *
 * Positions of one text are alike, so the unit is the document. With S_d the sum of a document's differences in a
 * group of positions, and n_d the number of these,
 *
 * ```text
 * ΔNLL = Σ S_d / Σ n_d         se² = D / (D − 1) · Σ (S_d − ΔNLL · n_d)² / (Σ n_d)²
 * ```
 *
 * a mean over tokens whose error is clustered by document; interval and p are those of Student's t with D − 1 degrees
 * of freedom, D the documents that have such a position. (Source: Cochran 1977, Sampling Techniques, §2.11 and §9A.3.)
 *
 * @module
 */

import {
  callable,
  checkNumber,
  checkOptions,
  listOf,
  objectOf,
  refusal,
  type Rules,
  text,
} from "../_check.ts";
import type { TextLoss } from "../decode/mod.ts";
import { given } from "../_given.ts";
import { checkKey, inside } from "./_check.ts";
import { mean } from "./_moments.ts";
import { clusteredRatio, sumOf } from "./_ratio.ts";
import { holm } from "./holm.ts";
import type { Interval } from "./wilson.ts";

/** A position whose token was fed as a mixture. */
export interface MixedPosition {
  /** H of the distribution before it, over ln V. */
  readonly entropy: number;
  /** Which mixture of its text it is, from 0. */
  readonly step: number;
  /** Index of the text. */
  readonly text: number;
}

/** Some of the positions, under a name. */
export interface LossGroup {
  /** Name of the group. */
  readonly name: string;
  /** Whether a position belongs to it. */
  readonly has: (position: MixedPosition) => boolean;
}

/** Options of {@linkcode lossGains}. */
export interface LossGainsOptions {
  /** Key of a method whose inputs the others are compared with. Default: none, the tokens alone. */
  readonly baseline?: string;
  /** Groups of positions, which may overlap. Default: one of all. */
  readonly groups?: readonly LossGroup[];
  /**
   * Key of the method whose difference in the first group was declared beforehand: its p is not adjusted. Default:
   * none.
   */
  readonly primary?: string;
  /** Confidence level. Default: 0.95. */
  readonly level?: number;
}

/** One method in one group of positions; `low` and `high` are the interval of the difference, in nats. */
export interface LossRow extends Interval {
  /** The method's key. */
  readonly method: string;
  /** Name of the group. */
  readonly group: string;
  /** Documents that have a position in it. */
  readonly documents: number;
  /** Its positions. */
  readonly tokens: number;
  /** Key of the method that is compared with; absent: the tokens alone. */
  readonly baseline?: string;
  /** Mean loss after its inputs, in nats a token. */
  readonly base: number;
  /** Mean loss less that, in nats a token: above 0 the method's inputs are the worse ones. */
  readonly difference: number;
  /** Two-sided p of no difference. */
  readonly p: number;
  /** p after {@linkcode holm} over all rows but the declared one. */
  readonly adjustedP: number;
  /** Whether this is the comparison that was declared beforehand. */
  readonly isPrimary: boolean;
  /** Mean of H over ln V. */
  readonly meanEntropy: number;
  /** Mean weight of the method's inputs on other tokens than the text's. */
  readonly meanOffSampleMass: number;
}

const VERB = "compare losses";

const checkGroup = objectOf<LossGroup>(
  { name: text, has: callable },
  "be a list of groups, such as byEntropy makes",
  false,
);
const RULES: Rules<LossGainsOptions> = {
  ...{ baseline: text, groups: listOf(checkGroup), primary: text, level: inside },
};

const ALL: LossGroup = { name: "all", has: () => true };

/** What is said of a document in a group: indices of its positions there. */
interface Part {
  readonly loss: TextLoss;
  readonly at: readonly number[];
}

/** Refuses what tells of other methods than the first, or lacks a number at a position. */
function checkLoss(name: string, loss: TextLoss, methods: readonly string[]): void {
  const { entropy, base, losses, offSampleMass } = loss;
  if (Object.keys(losses).length !== methods.length) {
    const rule = `tell of ${methods.join(", ")}, as the first does`;
    throw new RangeError(refusal(VERB, `${name}.losses`, rule, losses));
  }
  for (const own of [base, ...methods.flatMap((key) => [losses[key], offSampleMass[key]])]) {
    if (own?.length === entropy.length && own.every(Number.isFinite)) continue;
    const rule = `hold ${entropy.length} numbers for the tokens alone and for each method`;
    throw new RangeError(refusal(VERB, name, rule, own));
  }
}

function rowOf(
  parts: readonly Part[],
  method: string,
  baseOf: (loss: TextLoss) => readonly number[],
  level: number,
) {
  const differences = parts.map(({ loss, at }) =>
    sumOf(at.map((i) => loss.losses[method]![i]! - baseOf(loss)[i]!))
  );
  const counts = parts.map(({ at }) => at.length);
  const { ratio: difference, low, high, p } = clusteredRatio(differences, counts, level);
  const over = (of: (loss: TextLoss) => readonly number[]) =>
    mean(parts.flatMap(({ loss, at }) => at.map((i) => of(loss)[i]!)));
  return {
    ...{ documents: parts.length, tokens: sumOf(counts) },
    base: over(baseOf),
    ...{ difference, low, high, p },
    meanEntropy: over(({ entropy }) => entropy),
    meanOffSampleMass: over(({ offSampleMass }) => offSampleMass[method]!),
  };
}

/**
 * Compares the losses of methods' inputs with those of the tokens alone, or of one of the methods, paired by position,
 * clustered by document.
 *
 * @param losses What `inputLoss` found.
 * @returns Rows of the first group, method by method, then those of the others; groups without a position are left out.
 * @throws {RangeError} Where there are no losses, no methods, or no method of a key that is named; where a text tells of
 * other methods than the first, or a number is missing or not finite.
 *
 * @example Two documents of two tokens
 * ```ts
 * import { lossGains } from "@moi/moi/stats";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const loss = (text: number, mixed: number[]) => ({
 *   ...{ text, from: 1, entropy: [0.1, 0.4], base: [2, 3] },
 *   ...{ losses: { mixed }, offSampleMass: { mixed: [0.1, 0.1] } },
 * });
 * const [row] = lossGains([loss(0, [2.5, 3.5]), loss(1, [2, 3.2])]);
 * assertAlmostEquals(row!.difference, 0.3);
 * assertEquals([row!.documents, row!.tokens, row!.base], [2, 4, 2.5]);
 * ```
 */
export function lossGains(
  losses: readonly TextLoss[],
  options: LossGainsOptions = {},
): LossRow[] {
  checkOptions(VERB, options, RULES);
  const { baseline, groups = [ALL], primary, level = 0.95 } = options;
  const known = Object.keys(losses[0]?.losses ?? {});
  const methods = known.filter((method) => method !== baseline);
  if (methods.length === 0) {
    throw new RangeError(refusal(VERB, "losses", "tell of a text and a method at least", losses));
  }
  for (const [i, loss] of losses.entries()) checkLoss(`losses[${i}]`, loss, known);
  if (baseline !== undefined) checkKey(VERB, "baseline", baseline, known);
  const baseOf = (loss: TextLoss) => baseline === undefined ? loss.base : loss.losses[baseline]!;
  if (primary !== undefined) checkKey(VERB, "primary", primary, methods);
  const rows = groups.flatMap(({ name: group, has }, g) => {
    const parts = losses.map((loss) => ({
      loss,
      at: [...loss.entropy.keys()].filter((step) =>
        has({ entropy: loss.entropy[step]!, step, text: loss.text })
      ),
    })).filter(({ at }) => at.length > 0);
    return parts.length === 0 ? [] : methods.map((method) => ({
      ...{ method, group, ...given({ baseline }), ...rowOf(parts, method, baseOf, level) },
      isPrimary: g === 0 && method === primary,
    }));
  });
  const others = rows.filter((row) => !row.isPrimary), adjusted = holm(others.map(({ p }) => p));
  return rows.map((row) => ({
    ...row,
    adjustedP: row.isPrimary ? row.p : adjusted[others.indexOf(row)]!,
  }));
}

/** Groups between edges of a quantity, the first from −∞, the last to ∞. */
function between(
  edges: readonly number[],
  name: string,
  of: (position: MixedPosition) => number,
): LossGroup[] {
  const verb = `group positions by ${name}`;
  if (!Array.isArray(edges)) throw new TypeError(refusal(verb, "edges", "be a list", edges));
  for (const [i, edge] of edges.entries()) {
    checkNumber(verb, `edges[${i}]`, edge, { min: edges[i - 1] ?? -Infinity, exclusiveMin: true });
  }
  const ends = [-Infinity, ...edges, Infinity];
  return ends.slice(1).map((high, i) => ({
    name: [
      ...(i > 0 ? [`${ends[i]} ≤ `] : []),
      name,
      ...(high < Infinity ? [` < ${high}`] : []),
    ].join(""),
    has: (position) => of(position) >= ends[i]! && of(position) < high,
  }));
}

/**
 * Groups of positions by the entropy before the mixture, over ln V.
 *
 * @param edges Where a group ends and the next begins, upward.
 * @throws {RangeError} Where they do not ascend.
 *
 * @example
 * ```ts
 * import { byEntropy } from "@moi/moi/stats";
 * import { assertEquals } from "@std/assert";
 * assertEquals(byEntropy([0.15, 0.35]).map(({ name }) => name), ["H < 0.15", "0.15 ≤ H < 0.35", "0.35 ≤ H"]);
 * ```
 */
export function byEntropy(edges: readonly number[]): LossGroup[] {
  return between(edges, "H", ({ entropy }) => entropy);
}

/**
 * Groups of positions by their distance from the first mixture of the text, which is step 0.
 *
 * @param edges Where a group ends and the next begins, upward.
 * @throws {RangeError} Where they do not ascend.
 *
 * @example
 * ```ts
 * import { byStep } from "@moi/moi/stats";
 * import { assertEquals } from "@std/assert";
 * assertEquals(byStep([32]).map(({ name }) => name), ["step < 32", "32 ≤ step"]);
 * ```
 */
export function byStep(edges: readonly number[]): LossGroup[] {
  return between(edges, "step", ({ step }) => step);
}
