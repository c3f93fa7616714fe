/**
 * The usual grid of methods: standard decoding, MoI over β, and the controls that tell what its gain
 * comes from.
 *
 * @module
 */

import {
  directMixture,
  linearMixture,
  type Method,
  moi,
  randomMixture,
  standard,
} from "../decode/mod.ts";
import { checkOptions, refusal } from "../_check.ts";

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

/**
 * Methods by key: "standard", "moi-0.25", …, "direct", "linear-0.25", …, "linear-like-1",
 * "random-0.25", "random-1", "random-expected-0.25", "random-expected-1".
 *
 * @param options Values of β, preset, controls.
 * @returns Methods for `runStudy`.
 * @throws {RangeError} Where there is no β, or one is negative or occurs twice.
 * @throws {TypeError} Where an option is unknown or of the wrong kind.
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
  checkOptions(verb, options, ["betas", "preset", "controls"]);
  const { betas = [0.25, 0.5, 1, 2, 4, 8], preset = "paper", controls = true } = options;
  if (!Array.isArray(betas)) throw new TypeError(refusal(verb, "betas", "be a list", betas));
  if (typeof controls !== "boolean") {
    throw new TypeError(refusal(verb, "controls", "be true or false", controls));
  }
  if (betas.length === 0 || new Set(betas).size < betas.length) {
    throw new RangeError(refusal(verb, "betas", "hold different values, at least one", betas));
  }
  const grid: [string, Method][] = [
    ["standard", standard()],
    ...betas.map((beta): [string, Method] => [`moi-${beta}`, moi({ beta, preset })]),
  ];
  if (controls) {
    const imitated = [...new Set([Math.min(...betas), 1])].filter(Number.isFinite);
    grid.push(
      ["direct", directMixture()],
      ...[0.25, 0.5, 0.75].map((weight): [string, Method] => [
        `linear-${weight}`,
        linearMixture({ weight }),
      ]),
      ...imitated.map((beta): [string, Method] => [
        `linear-like-${beta}`,
        linearMixture({ matchBeta: beta }),
      ]),
      ...imitated.map((beta): [string, Method] => [`random-${beta}`, randomMixture({ beta })]),
      ...imitated.map((beta): [string, Method] => [
        `random-expected-${beta}`,
        randomMixture({ beta, mass: "expected" }),
      ]),
    );
  }
  return Object.fromEntries(grid);
}
