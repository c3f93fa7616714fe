/**
 * All methods, described: for tables, and for whoever wants to try each of them.
 *
 * @module
 */

import type { Method } from "../method.ts";
import type { PhaseOptions } from "../phase.ts";
import { directMixture } from "./direct_mixture.ts";
import { dirichletSoftThinking } from "./dirichlet_soft_thinking.ts";
import { fixedMass } from "./fixed_mass.ts";
import { gumbelSoftThinking } from "./gumbel_soft_thinking.ts";
import { linearMixture } from "./linear_mixture.ts";
import { moi } from "./moi.ts";
import { multiplex } from "./multiplex.ts";
import { randomMixture } from "./random_mixture.ts";
import { selar } from "./selar.ts";
import { softThinking } from "./soft_thinking.ts";
import { standard } from "./standard.ts";
import { swiReasoning } from "./swi_reasoning.ts";
import { thinkRouter } from "./think_router.ts";

/** A method, described. */
export interface AboutMethod {
  /** Makes it with its defaults, in a phase where one is named. */
  readonly make: (options?: PhaseOptions) => Method;
  /** What is fed back. */
  readonly input: string;
  /** What is random. */
  readonly randomness: string;
  /** When it acts. */
  readonly gate: string;
  /** Where it comes from. */
  readonly source: string;
  /** Licence of the reference implementation, as far as known. */
  readonly licence: string;
}

/** A method: unless said otherwise it is ours, always acts, and nothing but y is random. */
const about = (
  make: AboutMethod["make"],
  input: string,
  more: Partial<AboutMethod>,
): AboutMethod => ({
  ...{ make, input, randomness: "y", gate: "none", source: "ours", licence: "–" },
  ...more,
});

/**
 * All methods by name.
 *
 * @example Each of them with its defaults, always acting
 * ```ts
 * import { METHODS } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * for (const [name, { make }] of Object.entries(METHODS)) {
 *   assertEquals(make({ phase: "all" }).name, name);
 * }
 * ```
 */
export const METHODS: Readonly<Record<string, AboutMethod>> = {
  standard: about(standard, "the token: onehot(y)", { gate: "–", source: "–" }),
  moi: about(moi, "(H·p + (β+1−H)·onehot(y)) / (β+1)", {
    gate: "none: H fades it; β may be a function of the step",
    source: "arXiv 2505.14827, mixinputs 0.1.1",
    licence: "Apache-2.0 (mixinputs)",
  }),
  fixedMass: about(fixedMass, "(1−m)·onehot(y) + m·p of the other tokens", {
    gate: "none, also where H is near 0",
  }),
  directMixture: about(directMixture, "p", {
    randomness: "none: y is only recorded",
    source: "baseline of arXiv 2505.14827",
    licence: "Apache-2.0 (mixinputs)",
  }),
  linearMixture: about(linearMixture, "λ·p + (1−λ)·onehot(y)", {
    source: "ours: the ablation of MoI's entropy weighting",
  }),
  randomMixture: about(randomMixture, "MoI's off-sample mass, on random tokens", {
    randomness: "y, and the tokens",
    gate: "none: H fades it",
    source: "ours: the control",
  }),
  softThinking: about(softThinking, "p over the n most probable tokens", {
    randomness: "none",
    gate: "thoughts, ended by Cold Stop",
    source: "arXiv 2505.15778",
    licence: "MIT",
  }),
  gumbelSoftThinking: about(
    gumbelSoftThinking,
    "softmax((ln p + g) / τ) over the n most probable tokens",
    { randomness: "Gumbel noise g", gate: "thoughts", source: "arXiv 2508.03440", licence: "MIT" },
  ),
  dirichletSoftThinking: about(
    dirichletSoftThinking,
    "x over its n heaviest tokens, x ~ Dirichlet(γ·p)",
    { randomness: "x", gate: "thoughts", source: "arXiv 2508.03440", licence: "MIT" },
  ),
  swiReasoning: about(swiReasoning, "softmax(logits), or the token", {
    gate: "entropy against that of the last switch",
    source: "arXiv 2510.05069",
    licence: "BSD-3-Clause",
  }),
  selar: about(selar, "p̂ + λ·Ĥ·(p̂ − onehot(top)), p̂ = p over its k most probable tokens", {
    gate: "Ĥ ≥ τ, and y is no mathematical symbol",
    source: "arXiv 2604.08299",
    licence: "no licence file: from the equations",
  }),
  multiplex: about(multiplex, "the mean of K tokens drawn from p", {
    randomness: "y and K − 1 more draws",
    source: "arXiv 2601.08808, its training-free variant",
    licence: "own code; see its repository",
  }),
  thinkRouter: about(thinkRouter, "p, or the token", {
    gate: "max p ≥ τ",
    source: "arXiv 2602.11683, from second-hand notes",
    licence: "paper only",
  }),
};
