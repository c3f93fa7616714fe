/**
 * SwiReasoning: thoughts are soft while the model is uncertain, and tokens once it gains confidence.
 *
 * ```text
 * H_t = entropy of q = softmax(logits), in nats; H_ref: at the last switch (at the start: H_0)
 * soft  → token: H_t < H_ref, at once
 * token → soft:  H_t > H_ref, at least W steps after the last switch
 *
 * soft: h = Σ_i q_i · e_i                              token: h = e_y
 * first step:  0.9 · q + 0.1 · e_newline
 * into soft:   α_t · q + (1 − α_t) · e_<think>         α_t = α + (1 − α) · t / T_max
 * into token:  β_t · q + (1 − β_t) · e_</think>        β_t = β + (1 − β) · t / T_max
 * ```
 *
 * q is over the whole vocabulary, at temperature 1, whatever is sampled from; the token y is drawn as
 * usual and recorded in both modes. In soft mode mathematical symbols are fed alone. With a
 * largest number C of switches into tokens, `</think>` is forced at the C-th to 2C-th of them, and
 * `</think>` with a beginning of the answer after that, whereupon the text ends within 32 tokens.
 *
 * Source: Shi et al., "SwiReasoning" (arXiv 2510.05069), released code sdc17/SwiReasoning. Defaults:
 * W = 512, α = 1, β = 0.7 and no C are the code's; α was tuned per model and data set (0.1 to 1). It
 * goes with temperature 0.6, top-p 0.95 and top-k 20.
 *
 * Where paper and code differ, this is the code:
 *
 * - Into tokens, the paper's Eq. 5 prints `<think>`, the code mixes `</think>`. The code mixes it with
 *   q (summaries of the method say with e_y), and so where y is a mathematical symbol, too.
 * - The paper asks for convergence from C/2 to C switches and ends after C; the code forces words from C
 *   to 2C and after 2C. A `</think>` that it forced does not end the thoughts.
 *
 * Deviations from the code:
 *
 * - Its "newline" is the token of a backslash and an n; here it is a line break. A tokenizer without
 *   one begins with q alone.
 * - In the phase "thinking" nothing acts after the `</think>` that the model writes, and nothing before a
 *   `<think>` that is not in the prompt; the code can switch into tokens, and force words, in the answer,
 *   and begins at the first token. A `</think>` that is drawn where words are forced is as if not drawn.
 * - In the phase "all" markers change nothing; where a model has none, no marker is mixed in.
 * - A marker of several tokens has its share spread evenly over them.
 * - Symbols are told by their text, not by a list.
 * - No words are forced while others are; this needs a W shorter than they are.
 * - Without a largest number of new tokens α and β stay as they are.
 *
 * @module
 */

import { type Mixture, oneToken } from "../../model/mod.ts";
import { checkOptions, number, oneOf, refusal, type Rules, text } from "../../_check.ts";
import type { Method, MethodContext } from "../method.ts";
import {
  encoded,
  inPhase,
  knowsMarkers,
  PHASE_RULES,
  THINK,
  type ThinkingOptions,
} from "../phase.ts";
import type { Distribution } from "../distribution.ts";
import { mathSymbols } from "./math_symbol.ts";

/** Options of {@linkcode swiReasoning}. */
export interface SwiReasoningOptions extends ThinkingOptions {
  /** Steps in token mode before it can turn soft, W, from 0 to ∞. Default: 512. */
  readonly window?: number;
  /** Share of q on entering soft mode, α, from 0 to 1, at the first token. Default: 1. */
  readonly alpha?: number;
  /** Share of q on entering token mode, β, from 0 to 1, at the first token. Default: 0.7. */
  readonly beta?: number;
  /** Mode of the first token. Default: "soft". */
  readonly start?: "soft" | "token";
  /** Number of switches into token mode, C, from which words are forced. Default: none. */
  readonly maxSwitches?: number;
  /** What follows the closing marker after 2C switches. Default: "\n\nThe final answer is". */
  readonly finalWords?: string;
}

const NEWLINE_SHARE = 0.1;
/** Tokens that are left with the final words, that of the switch included. */
const FINAL_TOKENS = 32;

const WHOLE = number({ min: 0, integer: true });

const RULES: Rules<SwiReasoningOptions> = {
  window: (verb, name, value) => value === Infinity || WHOLE(verb, name, value),
  alpha: number({ min: 0, max: 1 }),
  beta: number({ min: 0, max: 1 }),
  start: oneOf("soft", "token"),
  maxSwitches: number({ min: 1, integer: true }),
  finalWords: text,
  ...PHASE_RULES,
};

/** `share · q + (1 − share) · marker`, q over the whole vocabulary. */
function mixed(
  q: Distribution,
  share: number,
  marker: readonly number[] | undefined,
  token: number,
): Mixture {
  return share === 1 || !marker ? q.mixture(1, token) : q.mixture(share, marker);
}

/**
 * SwiReasoning.
 *
 * @returns The method; with `maxSwitches` its `init` refuses a model without thinking markers in any phase.
 *
 * @example The first step is soft, over the whole vocabulary whatever is sampled from
 * ```ts
 * import { distributionOf, samplerOf, swiReasoning } from "@moi/moi/decode";
 * import { assertAlmostEquals } from "@std/assert";
 * const distribution = distributionOf(new Float32Array(4), samplerOf({ topK: 1 }));
 * const method = swiReasoning({ phase: "all" });
 * const state = method.init({ vocabularySize: 4, prompt: [], uniform: () => 0 });
 * const { input } = method.step(distribution, 0, state);
 * for (const weight of Array.from(input.weights)) assertAlmostEquals(weight, 1 / 4);
 * ```
 */
export function swiReasoning(options: SwiReasoningOptions = {}): Method {
  checkOptions("mix", options, RULES);
  const { window = 512, alpha = 1, beta = 0.7, start = "soft", phase = "thinking" } = options;
  const { maxSwitches, finalWords = "\n\nThe final answer is", markers = THINK } = options;

  /** What a run's tokenizer makes of markers and words. */
  const runOf = (context: MethodContext) => {
    const { tokenizer, maxNewTokens = Infinity } = context;
    const needed = maxSwitches !== undefined || options.markers !== undefined;
    const refuse = (name: string, what: string, value: unknown) => {
      const rule = `be ${what} that the model's tokenizer knows`;
      throw new RangeError(refusal("mix", name, rule, value));
    };
    if (needed && !knowsMarkers(tokenizer, markers)) refuse("markers", "texts", markers);
    const final = encoded(tokenizer, markers.close + finalWords);
    if (maxSwitches !== undefined && !final) refuse("finalWords", "a text", finalWords);
    return {
      length: maxNewTokens,
      isSymbol: mathSymbols(context),
      newline: encoded(tokenizer, "\n"),
      open: encoded(tokenizer, markers.open),
      close: encoded(tokenizer, markers.close),
      final,
    };
  };

  return inPhase({
    name: "swiReasoning",
    parameters: {
      window: window === Infinity ? "Infinity" : window,
      alpha,
      beta,
      start,
      maxSwitches: maxSwitches ?? null,
      ...(maxSwitches !== undefined && options.finalWords !== undefined ? { finalWords } : {}),
    },
    needs: ["model"],
    init: (context: MethodContext) => ({
      run: runOf(context),
      mode: start,
      reference: undefined as number | undefined, // entropy at the last switch
      dwell: 0, // steps since then
      switches: 0, // into token mode
      left: Infinity, // tokens, once the final words are forced
    }),
    step(distribution, token, state, forced = false) {
      const { run, reference } = state, q = distribution.model(), H = q.entropy;
      const first = reference === undefined, dwell = first ? 0 : state.dwell + 1;
      const toToken = !first && state.mode === "soft" && H < reference;
      const toSoft = !first && state.mode === "token" && H > reference && dwell >= window;
      const switched = toToken || toSoft, ramp = distribution.step / run.length;
      const mode = toToken ? "token" : toSoft ? "soft" : state.mode;

      const input = () => {
        if (toToken) return mixed(q, beta + (1 - beta) * ramp, run.close, token);
        if (mode === "token" || run.isSymbol(token)) return oneToken(token);
        if (first) return mixed(q, 1 - NEWLINE_SHARE, run.newline, token);
        return mixed(q, toSoft ? alpha + (1 - alpha) * ramp : 1, run.open, token);
      };

      const switches = state.switches + (toToken ? 1 : 0);
      const due = maxSwitches !== undefined && toToken && !forced && state.left === Infinity &&
        switches >= maxSwitches;
      const final = due && switches > 2 * maxSwitches;
      const left = final ? FINAL_TOKENS - 1 : state.left - 1;
      const event = forced ? "forced" : toToken ? "token" : toSoft ? "soft" : undefined;
      return {
        input: forced ? oneToken(token) : input(),
        state: {
          run,
          mode,
          reference: first || switched ? H : reference,
          dwell: switched ? 0 : dwell,
          switches,
          left,
        },
        ...(due ? { force: final ? run.final! : run.close! } : {}),
        ...(left === 0 ? { stop: true } : {}),
        ...(event ? { event } : {}),
      };
    },
  }, { ...options, phase, forcedEnds: false });
}
