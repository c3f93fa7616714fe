/**
 * Soft Thinking: the n most probable tokens are fed back, the most probable one is recorded.
 *
 * ```text
 * w = p over its n most probable tokens, renormalised,   h = Σ_i w_i · e_i
 * ```
 *
 * p is the distribution sampled from, after temperature and truncation; nothing is drawn, so that the
 * thoughts are the same for every seed. The thoughts end where the most probable token closes them
 * (it is fed alone), or by Cold Stop: where the entropy of `softmax(logits / T)`, in nats and before
 * any truncation, stays below a threshold for a number of steps, the closing marker is forced.
 * (After top-p that entropy is 0 at most steps and says nothing of the model.) The answer is sampled
 * as usual, with settings of its own if wanted.
 *
 * Source: Zhang et al., "Soft Thinking" (arXiv 2505.15778), released code eric-ai-lab/Soft-Thinking.
 * Defaults: its settings for mathematics, n = 10, threshold 0.01, length 256; it goes with temperature
 * 0.6, top-p 0.95, top-k 30 and min-p 0.001. Threshold and length were tuned per benchmark there.
 *
 * Deviations:
 *
 * - The released code overwrites the last quiet token with the closing marker; here the marker follows
 *   it, as in the paper. A marker of several tokens is forced in full.
 * - The released code also counts quiet steps of the answer and breaks it off; here it goes on to its
 *   end-of-text token.
 * - At temperature 0 the entropy says nothing, and Cold Stop counts no step.
 *
 * @module
 */

import { oneToken } from "../../model/mod.ts";
import { checkOptions, number, objectOf, refusal, type Rules } from "../../_check.ts";
import type { Method, MethodContext } from "../method.ts";
import { ANSWER_RULES, type AnswerOptions, inPhase, trackThinking } from "../phase.ts";
import { concept } from "./concept.ts";

/** When {@linkcode softThinking} ends the thoughts. */
export interface ColdStop {
  /** Entropy in nats below which a step is quiet. Default: 0.01. */
  readonly threshold?: number;
  /** Number of quiet steps in a row that end the thoughts. Default: 256. */
  readonly length?: number;
}

/** Options of {@linkcode softThinking}. */
export interface SoftThinkingOptions extends AnswerOptions {
  /** Number of tokens mixed, n, from 1. Default: 10. */
  readonly topN?: number;
  /** When the thoughts are ended. Default: as described; false outside of the phase "thinking". */
  readonly coldStop?: ColdStop | false;
}

/** No quiet steps in a row, and nothing of the closing marker. */
const START = { count: 0, thinking: { inside: true, tail: [] as readonly number[] } };

const COLD_STOP = objectOf<ColdStop>(
  { threshold: number({ min: 0 }), length: number({ min: 1, integer: true }) },
  "be an object or false",
);

const RULES: Rules<SoftThinkingOptions> = {
  topN: number({ min: 1, integer: true }),
  coldStop: (verb, name, value) => value === false || COLD_STOP(verb, name, value),
  ...ANSWER_RULES,
};

function coldStopOf({ coldStop, phase = "thinking" }: SoftThinkingOptions) {
  if (coldStop === false || (coldStop === undefined && phase !== "thinking")) return false;
  if (phase !== "thinking") {
    const rule = "be false where 'phase' is not 'thinking'";
    throw new RangeError(refusal("mix", "coldStop", rule, coldStop));
  }
  const { threshold = 0.01, length = 256 } = coldStop ?? {};
  return { threshold, length };
}

/**
 * Soft Thinking.
 *
 * @throws {RangeError} Where Cold Stop has no thoughts to end.
 *
 * @example The two most probable of three tokens, renormalised
 * ```ts
 * import { distributionOf, samplerOf, softThinking } from "@moi/moi/decode";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const logits = Float32Array.from([0.5, 0.2, 0.3], Math.log);
 * const method = softThinking({ topN: 2, phase: "all" });
 * const state = method.init({ vocabularySize: 3, prompt: [], uniform: () => 0 });
 * const { input, token } = method.step(distributionOf(logits, samplerOf()), 1, state);
 * assertEquals([Array.from(input.ids), token], [[0, 2], 0]);
 * assertAlmostEquals(input.weights[0]!, 0.5 / 0.8, 1e-7);
 * ```
 */
export function softThinking(options: SoftThinkingOptions = {}): Method {
  checkOptions("mix", options, RULES);
  const { topN = 10, phase = "thinking", markers } = options, coldStop = coldStopOf(options);

  return inPhase({
    name: "softThinking",
    parameters: {
      topN,
      ...(coldStop
        ? { coldThreshold: coldStop.threshold, coldLength: coldStop.length }
        : { coldStop: false }),
    },
    needs: coldStop ? ["softmax"] : [],
    init: (context: MethodContext) => ({
      ...START,
      tracker: coldStop ? trackThinking(context, markers) : undefined,
    }),
    step(distribution, token, { tracker, thinking, count }, forced) {
      const start = { ...START, tracker };
      if (forced) return { input: oneToken(token), state: start, event: "forced" };
      const { ids, probabilities } = distribution.top(topN);
      const fed = concept(ids, probabilities);
      if (!coldStop || !tracker) return { ...fed, state: start };
      const after = tracker.next(thinking, fed.token);
      if (!after.inside) return { ...fed, state: start };
      const quiet = distribution.temperature !== 0 &&
        distribution.untruncated().entropy < coldStop.threshold;
      if (quiet && count + 1 === coldStop.length) {
        return { ...fed, state: start, force: tracker.close, event: "cold stop" };
      }
      return { ...fed, state: { tracker, thinking: after, count: quiet ? count + 1 : 0 } };
    },
  }, { ...options, phase });
}
