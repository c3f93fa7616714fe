/**
 * What is asked of a model and what comes back.
 *
 * @module
 */

import {
  anything,
  boolean,
  checkNumber,
  checkOptions,
  isObject,
  kind,
  number,
  objectOf,
  refusal,
  type Rules,
  signal,
} from "../_check.ts";
import type { Message, Mixture, Model, TextRequest } from "../model/mod.ts";
import { defaultSignal } from "../runtime/mod.ts";
import type { CompactTrace } from "./compact_trace.ts";
import { checkMethod, type Method } from "./method.ts";
import { standard } from "./methods/standard.ts";
import {
  mergedSampler,
  type Sampler,
  SAMPLER_FIELDS,
  SAMPLER_RULES,
  type Sampling,
} from "./sampler.ts";
import { checkTransforms, type Transform, type TransformRecord } from "./transforms.ts";

/** A prompt: text, a conversation, or token ids. */
export type Prompt = string | readonly Message[] | readonly number[];

/** What a trace records. */
export interface TraceOptions {
  /** Number of most probable tokens recorded per step. Default: 10. */
  readonly top?: number;
}

/** Options of {@linkcode generate}. */
export interface GenerateOptions extends Partial<Sampler> {
  /** How the next input is made. Default: `standard()`. */
  readonly method?: Method;
  /**
   * The whole sampler, in place of settings: transforms in their order. What the model recommends is
   * passed over, and a setting beside it is refused. Default: what the settings stand for.
   */
  readonly sampler?: readonly Transform[];
  /** Largest number of new tokens. Default: the model's own recommendation, else 256. */
  readonly maxNewTokens?: number;
  /** Texts that end the generation; they are cut off. Default: none. */
  readonly stop?: readonly string[];
  /**
   * Variables of the chat template, such as `enable_thinking`, for a prompt that is a conversation:
   * what JSON can say. A variable that the template does not read is refused. Default: none.
   */
  readonly chat?: Readonly<Record<string, unknown>>;
  /** Whether end-of-text tokens are treated like any other. Default: false. */
  readonly ignoreEos?: boolean;
  /** Seed, an integer from 0 to 2⁵³ − 1: one seed gives one text. Default: 0. */
  readonly seed?: number;
  /**
   * Ends the generation between two steps; what is there is returned as "aborted". Default: in a
   * notebook the stop button, in a program Ctrl-C once `interruptSignal` has been asked for.
   */
  readonly signal?: AbortSignal;
  /**
   * Whether every step is recorded: as a {@linkcode Step} in `trace`, or "compact", as a few bytes in `compact`,
   * which takes hardly any time. Default: false.
   */
  readonly trace?: boolean | TraceOptions | "compact";
}

/** A prompt and its options. */
export interface Request extends GenerateOptions {
  /** Text, conversation or token ids. */
  readonly prompt: Prompt;
}

/** A token with its probability under the distribution sampled from. */
export interface Candidate {
  /** Token id. */
  readonly token: number;
  /** Its text. */
  readonly text: string;
  /** Its probability. */
  readonly probability: number;
}

/** One generated token. */
export interface Step {
  /** Index, from 0. */
  readonly index: number;
  /** Token id. */
  readonly token: number;
  /**
   * The text that it makes certain, so that the texts of all steps join to that of the generation:
   * often its own, "" where it ends in the middle of a character or could begin a stop text, more
   * where it settles what was held back. The last step carries the rest; an end-of-text token and a
   * stop text have none.
   */
  readonly text: string;
  /** Entropy of the distribution sampled from divided by ln V, 0 to 1. */
  readonly entropy: number;
  /** Probability of the token under the distribution sampled from. */
  readonly probability: number;
  /** What the method feeds back. */
  readonly mixture: Mixture;
  /** Weight of the mixture on other tokens than this one; of a signed one also below 0 or above 1. */
  readonly offSampleMass: number;
  /** Most probable tokens, in descending order. */
  readonly candidates: readonly Candidate[];
  /** Whether it is an end-of-text token that ended the text, and so is no part of it. */
  readonly end?: true;
  /** What the method did, where it says so. */
  readonly event?: string;
  /** Token that was drawn, where the method had another one recorded. */
  readonly drawn?: number;
  /**
   * ‖Σ w_i e_i‖ / ‖e_y‖: length of the mixture's embedding relative to that of this token's; 1 for
   * the token alone. Absent where the model does not tell embeddings, and for mixtures of more than
   * 1024 tokens, which would read most of a large table at every step.
   */
  readonly norm?: number;
}

/** What a generation ran with: the sampler, and how long it might become. */
export interface Settings extends Sampler {
  /** Largest number of new tokens. */
  readonly maxNewTokens: number;
  /**
   * The transforms, where the sampler was a list of them; of the settings there are then the first four, as
   * far as the list says them.
   */
  readonly transforms?: readonly TransformRecord[];
}

/** Why a generation ended. */
export type FinishReason = "stop" | "length" | "aborted";

/** A finished generation. */
export interface Generation {
  /**
   * Generated text, without the end-of-text token or stop text. Of an aborted generation, what a
   * stream had told: not the beginning of a character or of a stop text.
   */
  readonly text: string;
  /** Generated token ids, the end-of-text token included. */
  readonly tokens: number[];
  /** "stop": end of text or stop text; "length": token budget or context used up; "aborted". */
  readonly finishReason: FinishReason;
  /** Number of prompt tokens. */
  readonly promptTokens: number;
  /**
   * The settings that it ran with, wherever they came from; those of {@linkcode Sampler} that are off
   * are left out but for the first four and those that switch off what the model recommends.
   */
  readonly sampler: Settings;
  /** Evidence that mixing happened. */
  readonly mixing: {
    /** Mean over the generated tokens of the entropy sampled from, divided by ln V. */
    readonly meanEntropy: number;
    /** Mean over the generated tokens of the mixture's weight on other tokens. */
    readonly meanOffSampleMass: number;
  };
  /** Every step, where asked for. */
  readonly trace?: Step[];
  /** Entropies and mixtures of all tokens in few bytes, where asked for; `notesOf` reads them. */
  readonly compact?: CompactTrace;
  /** Wall time in milliseconds; rows of a batch share theirs. */
  readonly timing: { readonly prefillMs: number; readonly decodeMs: number };
}

/** A request with everything checked and filled in. */
export interface Job
  extends
    Required<Pick<GenerateOptions, "method" | "maxNewTokens" | "stop" | "seed" | "ignoreEos">> {
  /** Place in the caller's list. */
  readonly index: number;
  /** Token ids of the prompt. */
  readonly prompt: readonly number[];
  readonly sampler: Sampling;
  /** Ids that end the text. */
  readonly eos: ReadonlySet<number>;
  readonly signal: AbortSignal | undefined;
  /** Number of candidates recorded per step; 0 records nothing. */
  readonly top: number;
  /** Whether every step is noted in few bytes. */
  readonly notes: boolean;
  /** Whether each token is told with its text, where no steps are. */
  readonly tells: boolean;
}

const TRACE = objectOf<TraceOptions>(
  { top: number({ min: 1, integer: true }) },
  'be true, false, "compact" or an object',
);

const RULES: Rules<Request> = {
  prompt: anything, // where it is encoded
  method: checkMethod,
  ...SAMPLER_RULES,
  sampler: anything, // where settings are resolved
  maxNewTokens: anything,
  stop: kind(
    "be a list of non-empty strings",
    (value) => Array.isArray(value) && value.every((one) => typeof one === "string" && one !== ""),
  ),
  ignoreEos: boolean,
  seed: number({ min: 0, integer: true }),
  signal,
  trace: (verb, name, value) =>
    typeof value === "boolean" || value === "compact" || TRACE(verb, name, value),
  chat: anything,
};

/**
 * Token ids of a prompt: text gets BOS where the tokenizer says so, a conversation is rendered by the
 * chat template (which writes its own), ids are taken as they are.
 *
 * @param chat Variables of the chat template, for a conversation.
 * @throws {TypeError} Where the prompt is none of them, or variables are given and it is no
 * conversation or the template does not read them.
 */
export function promptTokens(
  model: Model,
  prompt: Prompt,
  chat?: Readonly<Record<string, unknown>>,
): readonly number[] {
  if (chat !== undefined && !isObject(chat)) {
    throw new TypeError(refusal("generate", "chat", "be an object", chat));
  }
  if (Array.isArray(prompt) && prompt.length > 0 && prompt.every(isObject)) {
    const options = chat === undefined ? {} : { variables: chat };
    return model.tokenizer.encode(model.chat(prompt as unknown as Message[], options));
  }
  if (chat !== undefined) {
    const rule = "be left out where the prompt is no conversation";
    throw new TypeError(refusal("generate", "chat", rule, chat));
  }
  if (typeof prompt === "string") {
    return model.tokenizer.encode(prompt, { addSpecialTokens: true });
  }
  if (!Array.isArray(prompt)) {
    const rule = "be a string, messages or token ids";
    throw new TypeError(refusal("generate", "prompt", rule, prompt));
  }
  const rule = { min: 0, max: model.config.vocabularySize - 1, integer: true };
  for (const id of prompt) checkNumber("generate", "prompt", id, rule);
  return prompt;
}

/** Defaults: candidates of a trace, and new tokens where the model recommends no number. */
const CANDIDATES = 10, MAX_NEW_TOKENS = 256;

/**
 * The settings of a generation, resolved: what is asked for first, then what comes after it, then what
 * the model recommends. A list of transforms that is asked for is the whole sampler. This is the only
 * place that does so. Resolved settings stay as they are when they are resolved once more.
 *
 * @param verb What cannot be done where a setting is refused.
 * @param asked What is asked for; other fields of it are passed over.
 * @param sources What comes after it, from the most to the least specific.
 * @throws {TypeError} Where a setting stands beside a list of transforms.
 */
export function resolvedSettings(
  verb: string,
  { config, defaults }: Pick<Model, "config" | "defaults">,
  asked: Pick<GenerateOptions, keyof Sampler | "sampler" | "maxNewTokens">,
  ...sources: readonly (Partial<Settings> | undefined)[]
): (Sampler | { readonly sampler: readonly Transform[] }) & { readonly maxNewTokens: number } {
  const all = [asked, ...sources, defaults];
  const budgets = [...all.map((source) => source?.maxNewTokens), MAX_NEW_TOKENS];
  const maxNewTokens = budgets.find((own) => own !== undefined)!;
  checkNumber(verb, "maxNewTokens", maxNewTokens, { min: 1, integer: true });
  const { sampler } = asked;
  if (sampler === undefined) {
    return { ...mergedSampler(config.vocabularySize, ...all), maxNewTokens };
  }
  checkTransforms(sampler);
  const name = SAMPLER_FIELDS.find((name) => asked[name] !== undefined);
  if (name === undefined) return { sampler: [...sampler], maxNewTokens };
  const rule = "be left out beside 'sampler', a list of transforms that is all of it";
  throw new TypeError(refusal(verb, name, rule, asked[name]));
}

/** Settings as they are recorded: of transforms their names and knobs. */
export function recordOf(
  { sampler, maxNewTokens }: { readonly sampler: Sampling; readonly maxNewTokens: number },
): Settings {
  if (!Array.isArray(sampler)) return { ...sampler as Sampler, maxNewTokens };
  const list = sampler as readonly Transform[];
  const heat = list.reduce((all, one) => "heat" in one ? all * (one.factor ?? 1) : all, 1);
  const ranks = list.flatMap((one) =>
    "keep" in one ? Object.values(one.parameters ?? {}).map((value) => [one.name, value]) : []
  );
  return {
    ...{ temperature: heat, topK: 0, topP: 1, minP: 0, ...Object.fromEntries(ranks) },
    transforms: list.map(({ name, parameters = {} }) => ({ name, parameters })),
    maxNewTokens,
  };
}

/** Checks a request before anything runs. */
export function jobOf(model: Model, request: Request, index: number): Job {
  const verb = "generate";
  checkOptions(verb, request, RULES);
  const { maxNewTokens, ...settings } = resolvedSettings(verb, model, request);
  const { method = standard(), stop = [], seed = 0, ignoreEos = false, trace = false } = request;
  const { top = CANDIDATES } = isObject(trace) ? trace as TraceOptions : {};
  const prompt = promptTokens(model, request.prompt, request.chat);
  if (prompt.length < 1 || prompt.length > model.maxLength) {
    throw new RangeError(
      `Cannot generate as the prompt must have 1 to ${model.maxLength} tokens, the model's context ('maxLength' of loadModel): current value is ${prompt.length}`,
    );
  }
  const job: Job = {
    index,
    prompt,
    sampler: "sampler" in settings ? settings.sampler : settings,
    method,
    maxNewTokens,
    stop,
    seed,
    ignoreEos,
    tells: false,
    top: trace === false || trace === "compact" ? 0 : top,
    notes: trace === "compact",
    signal: request.signal ?? defaultSignal(),
    eos: new Set(ignoreEos ? [] : model.tokenizer.eosTokenIds),
  };
  model.remote?.check(textRequestOf(model, job));
  return job;
}

/** A request as it is sent to where the model decodes: refused where it cannot be told. */
export function textRequestOf({ device }: Model, job: Job): TextRequest {
  const { method: { name, parameters = {} }, sampler, top, notes, signal: _, ...known } = job;
  if (top > 0 || notes) {
    const rule = `be left out, as ${device} does not tell what is mixed at each step`;
    throw new TypeError(refusal("generate", "trace", rule, notes ? "compact" : true));
  }
  if (!("temperature" in sampler)) {
    const rule =
      `be settings such as temperature and topP, as ${device} takes no list of transforms`;
    throw new TypeError(refusal("generate", "sampler", rule, sampler));
  }
  const { prompt, maxNewTokens, stop, seed, ignoreEos } = known;
  return {
    ...{ prompt, method: { name, parameters }, sampler: { ...sampler } },
    ...{ maxNewTokens, stop, seed, ignoreEos },
  };
}
