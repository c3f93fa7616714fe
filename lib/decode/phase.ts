/**
 * Phases of a reasoning model's answer: thinking between two markers, then the answer.
 *
 * @module
 */

import { objectOf, refusal, type Rules, words } from "../_check.ts";
import { oneToken } from "../model/mod.ts";
import { mergedSampler, type Sampler, SAMPLER_FIELDS, samplerOf } from "./sampler.ts";
import type { Method, MethodContext, MethodParameters, MethodStep } from "./method.ts";

/** Texts around a model's thoughts. */
export interface ThinkingMarkers {
  /** Begins the thoughts. */
  readonly open: string;
  /** Ends them. */
  readonly close: string;
}

/** The markers of Qwen, DeepSeek-R1, QwQ, Nemotron and most others. */
export const THINK: ThinkingMarkers = { open: "<think>", close: "</think>" };

/** When a method acts. */
export interface PhaseOptions {
  /**
   * "all"; "thinking": between the markers; "answer": outside of them. A marker is always fed alone.
   * Default: "all".
   */
  readonly phase?: "all" | "thinking" | "answer";
  /** The model's markers. Default: `<think>` and `</think>`. */
  readonly markers?: ThinkingMarkers;
}

/** Rules of {@linkcode PhaseOptions}. */
export const PHASE_RULES: Rules<PhaseOptions> = {
  phase(verb, name, value) {
    if (["all", "thinking", "answer"].includes(value as string)) return;
    throw new RangeError(refusal(verb, name, "be 'all', 'thinking' or 'answer'", value));
  },
  markers: objectOf<ThinkingMarkers>({ open: words, close: words }, "be two texts", false),
};

/** {@linkcode PhaseOptions} of a method that is made for thoughts. */
export interface ThinkingOptions extends PhaseOptions {
  /** When the method acts. Default: "thinking". */
  readonly phase?: "all" | "thinking" | "answer";
}

/** How the answer is sampled that follows the thoughts. */
export interface AnswerOptions extends ThinkingOptions {
  /**
   * Sampler settings from the end of the thoughts on; those left out are the run's own. Default: the
   * run's own.
   */
  readonly answer?: Partial<Sampler>;
}

/** Rules of {@linkcode AnswerOptions}. */
export const ANSWER_RULES: Rules<AnswerOptions> = {
  answer: (_verb, _name, value) => void samplerOf(value as Partial<Sampler>),
  ...PHASE_RULES,
};

/** Where a text stands: whether it thinks, and the last tokens, as far as a marker could go on. */
export interface Thinking {
  /** Whether the next token is a thought. */
  readonly inside: boolean;
  /** The last tokens. */
  readonly tail: readonly number[];
}

/** Follows a text token by token. */
export interface ThinkingTracker {
  /** Token ids of the marker that ends the thoughts. */
  readonly close: readonly number[];
  /** After the prompt. */
  readonly start: Thinking;
  /** After one more token. */
  next(thinking: Thinking, token: number): Thinking;
}

/**
 * Follows the thoughts of a run. A prompt that opens them and does not close them, as the chat
 * templates of many models do, starts inside. Throws where the model's tokenizer has no such text.
 */
export function trackThinking(
  { tokenizer, prompt }: MethodContext,
  markers: ThinkingMarkers = THINK,
): ThinkingTracker {
  const [open, close] = [markers.open, markers.close].map((text) => {
    const ids = encoded(tokenizer, text);
    if (ids) return ids;
    const rule = "be texts that the model's tokenizer knows (phase 'all' needs none)";
    throw new RangeError(refusal("mix", "markers", rule, markers));
  }) as [readonly number[], readonly number[]];
  const longest = Math.max(open.length, close.length);
  const endsWith = (tail: readonly number[], ids: readonly number[]) =>
    ids.every((id, i) => id === tail[tail.length - ids.length + i]);
  const next = ({ inside, tail }: Thinking, token: number): Thinking => {
    const last = [...tail.slice(1 - longest || tail.length), token];
    return {
      inside: endsWith(last, close) ? false : endsWith(last, open) ? true : inside,
      tail: last,
    };
  };
  return { close, next, start: prompt.reduce(next, { inside: false, tail: [] }) };
}

/** Whether a model's tokenizer knows the markers: a model that does not think has none. */
export function knowsMarkers(
  tokenizer: MethodContext["tokenizer"],
  markers: ThinkingMarkers = THINK,
): boolean {
  return [markers.open, markers.close].every((text) => encoded(tokenizer, text) !== undefined);
}

/** Token ids that stand for exactly this text; undefined where there are none. */
export function encoded(
  tokenizer: MethodContext["tokenizer"],
  text: string,
): readonly number[] | undefined {
  try {
    const ids = tokenizer?.encode(text);
    return ids && ids.length > 0 && tokenizer!.decode(ids) === text ? ids : undefined;
  } catch {
    return undefined;
  }
}

/** What runs record of a phase: nothing where a method always acts, the markers where they differ. */
function phaseParameters({ phase = "all", markers = THINK }: PhaseOptions): MethodParameters {
  if (phase === "all") return {};
  const usual = markers.open === THINK.open && markers.close === THINK.close;
  return usual ? { phase } : { phase, open: markers.open, close: markers.close };
}

/** What runs record of the answer's settings: `answerTemperature` and the like. */
function answerParameters(answer: Partial<Sampler> = {}): MethodParameters {
  return Object.fromEntries(
    SAMPLER_FIELDS.filter((name) => answer[name] !== undefined).map((name) => {
      const value = answer[name]!;
      return [
        `answer${name[0]!.toUpperCase()}${name.slice(1)}`,
        typeof value === "object" ? JSON.stringify(value) : value,
      ];
    }),
  );
}

/** A method as its file says it: its state may be none, and a step that names none leaves it as it is. */
export interface MethodRule<S> extends Omit<Method<S>, "init" | "step"> {
  /** As {@linkcode Method.init}. Default: no state. */
  readonly init?: (context: MethodContext) => S;
  /** As {@linkcode Method.step}. */
  readonly step: (
    ...args: Parameters<Method<S>["step"]>
  ) => Omit<MethodStep<S>, "state"> & { readonly state?: S };
}

/** A run that is in a phase some of the time. */
interface Phased<S> {
  readonly samplers: { readonly inside: Sampler; readonly outside: Sampler } | undefined;
  readonly tracker: ThinkingTracker;
  readonly thinking: Thinking;
  readonly inner: S;
}

/** The method of a rule in one phase; outside of it standard decoding. Its state goes on from where it was. */
export function inPhase<S>(
  rule: MethodRule<S>,
  options: AnswerOptions & {
    /** Whether a marker ends the phase also where the method forced it. Default: true. */
    readonly forcedEnds?: boolean;
  },
): Method<S> | Method<Phased<S>> {
  const { phase = "all", markers = THINK, answer, forcedEnds = true } = options;
  const method: Method<S> = {
    init: () => undefined as S,
    ...rule,
    step: (distribution, token, state, forced) => ({
      state,
      ...rule.step(distribution, token, state, forced),
    }),
  };
  if (phase === "all" && !answer) return method;
  const acts = ({ inside }: Thinking) => phase === "all" || inside === (phase === "thinking");
  const samplersOf = ({ sampler, transforms, vocabularySize }: MethodContext) => {
    if (!answer) return undefined;
    if (transforms) {
      const rule = "be left out where the run's sampler is a list of transforms";
      throw new TypeError(refusal("mix", "answer", rule, answer));
    }
    return { inside: samplerOf(sampler), outside: mergedSampler(vocabularySize, answer, sampler) };
  };
  return {
    ...method,
    parameters: { ...method.parameters, ...phaseParameters(options), ...answerParameters(answer) },
    init(context) {
      const tracker = trackThinking(context, markers), samplers = samplersOf(context);
      return { samplers, tracker, thinking: tracker.start, inner: method.init(context) };
    },
    step(distribution, token, state, forced = false) {
      const { tracker, thinking, inner, samplers } = state;
      const made = acts(thinking)
        ? method.step(distribution, token, inner, forced)
        : { input: oneToken(token), state: inner };
      const recorded = forced ? token : made.token ?? token;
      const after = forced && !forcedEnds ? thinking : tracker.next(thinking, recorded);
      const switched = samplers && after.inside !== thinking.inside;
      return {
        ...made,
        // the marker that ends the phase is fed alone
        input: acts(after) || !acts(thinking) ? made.input : oneToken(recorded),
        ...(switched ? { sampler: samplers[after.inside ? "inside" : "outside"] } : {}),
        state: { ...state, thinking: after, inner: made.state },
      };
    },
  } satisfies Method<Phased<S>>;
}
