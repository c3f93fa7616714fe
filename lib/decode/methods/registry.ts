/**
 * All methods, described: for tables, and for whoever wants to try each of them.
 *
 * @module
 */

import type { AboutMethod } from "./about.ts";
import { aboutDirectMixture } from "./direct_mixture.ts";
import { aboutDirichletSoftThinking } from "./dirichlet_soft_thinking.ts";
import { aboutFixedMass } from "./fixed_mass.ts";
import { aboutGumbelSoftThinking } from "./gumbel_soft_thinking.ts";
import { aboutLinearMixture } from "./linear_mixture.ts";
import { aboutMoi } from "./moi.ts";
import { aboutMultiplex } from "./multiplex.ts";
import { aboutRandomMixture } from "./random_mixture.ts";
import { aboutSelar } from "./selar.ts";
import { aboutSoftThinking } from "./soft_thinking.ts";
import { aboutStandard } from "./standard.ts";
import { aboutSwiReasoning } from "./swi_reasoning.ts";
import { aboutThinkRouter } from "./think_router.ts";

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
  standard: aboutStandard,
  moi: aboutMoi,
  fixedMass: aboutFixedMass,
  directMixture: aboutDirectMixture,
  linearMixture: aboutLinearMixture,
  randomMixture: aboutRandomMixture,
  softThinking: aboutSoftThinking,
  gumbelSoftThinking: aboutGumbelSoftThinking,
  dirichletSoftThinking: aboutDirichletSoftThinking,
  swiReasoning: aboutSwiReasoning,
  selar: aboutSelar,
  multiplex: aboutMultiplex,
  thinkRouter: aboutThinkRouter,
};
