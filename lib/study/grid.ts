/** The usual methods: standard decoding, MoI over β, and controls for what its gain comes from. @module */

import {
  directMixture,
  linearMixture,
  type Method,
  moi,
  randomMixture,
  standard,
} from "../decode/mod.ts";
import { anything, boolean, checkOptions, listOf, refusal, type Rules } from "../_check.ts";

/** Options of {@linkcode betaGrid}. */
export interface BetaGridOptions {
  /** Values of β. Default: ¼, ½, 1, 2, 4, 8, the paper's grid. */
  readonly betas?: readonly number[];
  /** MoI's rule. Default: "paper". */
  readonly preset?: "paper" | "mixinputs-0.1.1";
  /**
   * Whether direct, linear (λ = ¼, ½, ¾) and random mixtures are included. Linear ones called "like" and the
   * random ones spend on other tokens what MoI does at the smallest β and at 1: in the mean over a run, for
   * each draw, or ("expected") for no draw in particular. Default: true.
   */
  readonly controls?: boolean;
}

const RULES: Rules<BetaGridOptions> = {
  betas: listOf(anything), // a β and the preset are checked by the method itself
  preset: anything,
  controls: boolean,
};

/**
 * Methods by key: "standard", "moi-0.25", …, "direct", "linear-0.25", …, "linear-like-1",
 * "random-0.25", "random-1", "random-expected-0.25", "random-expected-1".
 *
 * @throws {RangeError} Where there is no β, or one is negative or occurs twice.
 *
 * @example
 * ```ts
 * import { betaGrid } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * const methods = betaGrid({ betas: [0.5, 1], controls: false });
 * assertEquals(Object.keys(methods), ["standard", "moi-0.5", "moi-1"]);
 * ```
 */
export function betaGrid(options: BetaGridOptions = {}): Record<string, Method> {
  const verb = "lay out the grid";
  checkOptions(verb, options, RULES);
  const { betas = [0.25, 0.5, 1, 2, 4, 8], preset = "paper", controls = true } = options;
  if (betas.length === 0 || new Set(betas).size < betas.length) {
    throw new RangeError(refusal(verb, "betas", "hold different values, at least one", betas));
  }
  const each = <V>(values: readonly V[], make: (value: V) => [key: string, method: Method]) =>
    Object.fromEntries(values.map(make));
  const grid = {
    standard: standard(),
    ...each(betas, (b) => [`moi-${b}`, moi({ beta: b, preset })]),
  };
  if (!controls) return grid;
  const imitated = [...new Set([Math.min(...betas), 1])].filter(Number.isFinite);
  return {
    ...grid,
    direct: directMixture(),
    ...each([0.25, 0.5, 0.75], (weight) => [`linear-${weight}`, linearMixture({ weight })]),
    ...each(imitated, (b) => [`linear-like-${b}`, linearMixture({ matchBeta: b })]),
    ...each(imitated, (b) => [`random-${b}`, randomMixture({ beta: b })]),
    ...each(
      imitated,
      (b) => [`random-expected-${b}`, randomMixture({ beta: b, mass: "expected" })],
    ),
  };
}
