/** One method until a token, another one from it on: what sliding β in the middle of a text asks for. @module */

import type { Method } from "../decode/mod.ts";

/** A method and the token from which on it makes the inputs. */
export interface Part {
  /** Index of the first token after which it makes what is fed, from 0. */
  readonly from: number;
  /** The method. */
  readonly method: Method;
}

/**
 * A method of several, one after the other. All of them see all tokens, so that each part is what its method would
 * have done there; one seed gives one text, so that what stands before a switch is what it was without it.
 *
 * @param parts At least one, by ascending `from`, the first from 0.
 */
export function switched(parts: readonly Part[]): Method {
  const last = parts.at(-1)!.method;
  if (parts.length === 1) return last;
  const needs = [...new Set(parts.flatMap(({ method }) => method.needs ?? []))];
  return {
    ...last,
    needs,
    init: (context) => parts.map(({ method }) => method.init(context)),
    step(distribution, token, states, forced) {
      const at = parts.findLastIndex(({ from }) => from <= distribution.step);
      const made = parts.map(({ method }, i) =>
        method.step(distribution, token, (states as readonly unknown[])[i], forced)
      );
      return { ...made[at]!, state: made.map(({ state }) => state) };
    },
  };
}
