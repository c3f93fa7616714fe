/**
 * Is a mixture a better input than the token? Asked of a text, without a grader.
 *
 * A text's own tokens are fed, some as the mixtures that a method would have fed in their places, and the model is
 * asked how surprised it is by the token that follows:
 *
 * ```text
 * L_m(t) = −ln p(y_{t+1} | y_1 … y_c, h_{c+1} … h_t)         h_s = method m's input for y_s
 * L_0(t) = −ln p(y_{t+1} | y_1 … y_t)                        tokens alone
 * ```
 *
 * p is the model's own distribution, at temperature 1 and untruncated, whatever the sampler: losses of all methods
 * are then of one kind. h_s is made of the distribution that the sampler makes of the logits before y_s. In the
 * **open** loop these logits follow the tokens, so that all methods see the same distributions and a window of
 * positions is one forward pass; in the **closed** loop they follow the method's own mixtures, as in decoding, and a
 * position is a pass.
 *
 * What it cannot say: whether texts that a method writes are better. The tokens are the text's, not drawn.
 *
 * @module
 */

import {
  anything,
  callable,
  checkOptions,
  isObject,
  kind,
  number,
  objectOf,
  oneOf,
  refusal,
  type Rules,
  signal,
} from "../_check.ts";
import { STREAM, uniform } from "../_random.ts";
import { SMALL_VOCABULARY } from "../graph/mod.ts";
import {
  checkMixture,
  type Input,
  type KvCache,
  type Model,
  offSampleMass,
  trusted,
} from "../model/mod.ts";
import { defaultSignal } from "../runtime/mod.ts";
import { dense, type Distribution } from "./distribution.ts";
import { type Prompt, promptTokens } from "./generation.ts";
import { checkMethod, type Method } from "./method.ts";
import { standard } from "./methods/standard.ts";
import { distributionOf } from "./sample.ts";
import { chainOf, type Sampler, SAMPLER_RULES, samplerOf } from "./sampler.ts";
import { softmax } from "./softmax.ts";

/** A text whose beginning is its own context, or an answer after its prompt. */
export type LossText = string | readonly number[] | {
  /** What is fed as it is: text, messages or token ids. */
  readonly prompt: Prompt;
  /** What is fed after it as a method would: text, or token ids such as those of a generation. */
  readonly answer: string | readonly number[];
};

/** Options of {@linkcode inputLoss}: sampler settings are those of the distributions that are mixed. */
export interface InputLossOptions extends Partial<Sampler> {
  /** The methods, by keys of one's own. */
  readonly methods: Readonly<Record<string, Method>>;
  /** Tokens at the beginning of a text that are fed as they are; of an answer its prompt is. Default: 24. */
  readonly context?: number;
  /** Most tokens of a text after those, the last of which is only asked for. Default: what the context holds. */
  readonly tokens?: number;
  /** Which logits the mixtures are made of. Default: "open". */
  readonly loop?: "open" | "closed";
  /** Seed of methods that draw, an integer from 0 to 2⁵³ − 1; each text has one of its own. Default: 0. */
  readonly seed?: number;
  /** Ends the work between two passes: what is there of whole texts is returned. Default: as `generate`. */
  readonly signal?: AbortSignal;
  /** Called after each text. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

const RULES: Rules<InputLossOptions> = {
  ...SAMPLER_RULES,
  methods: anything, // one by one
  context: number({ min: 1, integer: true }),
  tokens: number({ min: 2, integer: true }),
  loop: oneOf("open", "closed"),
  seed: number({ min: 0, integer: true }),
  ...{ signal, onProgress: callable },
};

const isText = (value: unknown) => typeof value === "string" || Array.isArray(value);

const checkAnswer = objectOf<Exclude<LossText, string | readonly number[]>>(
  { prompt: anything, answer: kind("be a text or token ids", isText) },
  "be a text, token ids, or an answer after its prompt",
  false,
);

const VERB = "measure what inputs are worth";

/** Losses of one text, position by position: the token that was mixed, and the surprise at the next one. */
export interface TextLoss {
  /** Index of the text. */
  readonly text: number;
  /** Index in the text of the first token that was fed as a mixture. */
  readonly from: number;
  /** H before each such token: entropy of the distribution that is mixed over ln V, in the one-hot pass. */
  readonly entropy: readonly number[];
  /** −ln p of the token after each, in nats, where tokens alone were fed. */
  readonly base: readonly number[];
  /** The same where a method's inputs were fed, by its key. */
  readonly losses: Readonly<Record<string, readonly number[]>>;
  /** Weight of a method's inputs on other tokens than the text's, by its key. */
  readonly offSampleMass: Readonly<Record<string, readonly number[]>>;
}

/** A method at work on a text, in a slot of its own. */
interface Worker {
  readonly slot: number;
  readonly method: Method;
  state: unknown;
  readonly losses: number[];
  readonly masses: number[];
}

/** A text, and what works on it: first the tokens alone, then the methods. */
interface Work {
  readonly model: Model;
  readonly cache: KvCache;
  readonly sampler: Sampler;
  /** The temperature of a sampler that does nothing else, where it is above 0. */
  readonly soft: number | undefined;
  readonly tokens: readonly number[];
  /** Index of the first token that is mixed. */
  readonly from: number;
  readonly workers: readonly Worker[];
  readonly entropy: number[];
  readonly signal: AbortSignal | undefined;
}

/** −ln softmax(logits)[token], in float64. */
function surprise(logits: Float32Array, token: number): number {
  let most = -Infinity, sum = 0;
  for (const value of logits) if (value > most) most = value;
  for (const value of logits) sum += Math.exp(value - most);
  return most + Math.log(sum) - logits[token]!;
}

/** What the sampler makes of the logits before a token of the text. */
function distributionBefore(work: Work, at: number, logits: Float32Array) {
  const { sampler, soft, tokens, from } = work, step = at - from, size = logits.length;
  if (soft === undefined || size <= SMALL_VOCABULARY) {
    const history = { prompt: tokens.slice(0, from), generated: tokens.slice(from, at) };
    return distributionOf(logits.slice(), sampler, step, history);
  }
  const probabilities = trusted(Float32Array.from(softmax(logits, soft)));
  return dense({ logits: logits.slice(), size, step }, soft, { probabilities });
}

/** The tokens of a text, and how many of them are fed as they are. */
function tokensOf(model: Model, text: LossText, name: string, context: number) {
  if (isText(text)) return { own: promptTokens(model, text as Prompt), from: context };
  checkAnswer(VERB, name, text);
  const { prompt, answer } = text as Exclude<LossText, string | readonly number[]>;
  const before = promptTokens(model, prompt);
  const after = typeof answer === "string" ? model.tokenizer.encode(answer) : answer;
  return { own: [...before, ...promptTokens(model, after)], from: before.length };
}

/** What a method feeds in place of a token of the text. */
function inputFor({ model }: Work, worker: Worker, distribution: Distribution, token: number) {
  const { method } = worker, { input, state } = method.step(distribution, token, worker.state);
  checkMixture(input, model.config.vocabularySize, `the method '${method.name}'`);
  worker.state = state;
  worker.masses.push(offSampleMass(input, token));
  return input;
}

/** The open loop: a window of positions is a pass of the tokens, and one of each method's inputs. */
async function openLoop(work: Work): Promise<void> {
  const { model: { config: { vocabularySize } }, cache, tokens, from, workers, entropy, signal } =
    work;
  const window = cache.chunk ?? 128, end = tokens.length - 1, [base, ...others] = workers;
  const row = (all: Float32Array, i: number) =>
    all.subarray(i * vocabularySize, (i + 1) * vocabularySize);
  let before: Float32Array = new Float32Array();
  for (let start = 0; start < end && !signal?.aborted; start += window) {
    const fed = tokens.slice(start, Math.min(start + window, end)),
      first = Math.max(0, from - start);
    const feed = async ({ slot, losses }: Worker, inputs: readonly Input[]) => {
      const logits = await cache.prefill(slot, start, inputs, "all");
      for (let i = first; i < fed.length; i++) {
        losses.push(surprise(row(logits, i), tokens[start + i + 1]!));
      }
      return logits;
    };
    const logits = await feed(base!, fed);
    const distributions = fed.map((_, i) =>
      i < first
        ? undefined
        : distributionBefore(work, start + i, i === 0 ? before : row(logits, i - 1))
    );
    before = row(logits, fed.length - 1).slice();
    entropy.push(...distributions.flatMap((own) => own?.normalizedEntropy ?? []));
    for (const worker of others) {
      const inputs = distributions.map((own, i) =>
        own ? inputFor(work, worker, own, fed[i]!) : fed[i]!
      );
      await feed(worker, inputs);
    }
  }
}

/** The closed loop: a position is one step of all methods, each after its own inputs. */
async function closedLoop(work: Work): Promise<void> {
  const { model: { config: { vocabularySize } }, cache, tokens, from, workers, entropy, signal } =
    work;
  const first = await cache.prefill(0, 0, tokens.slice(0, from), "last");
  for (const { slot } of workers.slice(1)) await cache.copy(0, slot, from);
  let rows: readonly Float32Array[] = workers.map(() => first);
  for (let at = from; at < tokens.length - 1 && !signal?.aborted; at++) {
    const inputs = workers.map((worker, i) => {
      const own = distributionBefore(work, at, rows[i]!);
      if (i === 0) entropy.push(own.normalizedEntropy);
      return inputFor(work, worker, own, tokens[at]!);
    });
    const logits = await cache.step(inputs, workers.map(() => at));
    rows = workers.map((_, i) => logits.subarray(i * vocabularySize, (i + 1) * vocabularySize));
    for (const [i, { losses }] of workers.entries()) {
      losses.push(surprise(rows[i]!, tokens[at + 1]!));
    }
  }
}

/** A method before the first token of a text. */
function startWorker(
  model: Model,
  method: Method,
  slot: number,
  prompt: readonly number[],
  sampler: Sampler,
  seed: number,
): Worker {
  const state = method.init({
    ...{ vocabularySize: model.config.vocabularySize, prompt, sampler, tokenizer: model.tokenizer },
    uniform: (step, index) => uniform(seed, STREAM.method, step, index),
  });
  return { slot, method, state, losses: [], masses: [] };
}

/**
 * Feeds texts as methods would, and measures how surprised the model is by what follows.
 *
 * @param texts Texts (with the token that begins a text, where the tokenizer says so), token ids, or answers after
 * their prompts; each longer than its context by two tokens at least.
 * @param options The methods, and the sampler of the distributions that they mix: temperature 1, nothing cut, unless
 * it is said; the model's recommendations are passed over.
 * @returns Losses of each text, in their order: fewer texts where it was stopped.
 * @throws {RangeError} Where a text is too short.
 * @throws {TypeError} Where an option is unknown or of the wrong kind.
 *
 * @example β → ∞ is the token itself
 * ```ts
 * import { inputLoss, moi } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const text = [1, 26, 23, 3, 4, 3, 5, 3, 3, 4];
 * const methods = { token: moi({ beta: Infinity }), mixture: moi({ beta: 0.25 }) };
 * const [loss] = await inputLoss(model, [text], { methods, context: 4 });
 * assertEquals(loss!.losses.token, loss!.base);
 * assertEquals(loss!.losses.mixture!.length, 5);
 * ```
 */
export async function inputLoss(
  model: Model,
  texts: readonly LossText[],
  options: InputLossOptions,
): Promise<TextLoss[]> {
  checkOptions(VERB, options, RULES);
  const { methods, context = 24, loop = "open", seed = 0, onProgress, ...more } = options;
  const { tokens: most = model.maxLength, signal = defaultSignal(), ...settings } = more;
  if (!isObject(methods)) throw new TypeError(refusal(VERB, "methods", "be an object", methods));
  for (const [key, method] of Object.entries(methods)) checkMethod(VERB, `methods.${key}`, method);
  if (!Array.isArray(texts)) throw new TypeError(refusal(VERB, "texts", "be a list", texts));
  const all = texts.map((text, i) => {
    const { own, from } = tokensOf(model, text, `texts[${i}]`, context);
    const tokens = own.slice(0, Math.min(from + most, model.maxLength));
    if (from > 0 && tokens.length > from + 1) return { tokens, from };
    const rule = `have two tokens or more after its context of ${from}, of one token at least`;
    throw new RangeError(refusal(VERB, `texts[${i}]`, rule, own.length));
  });
  const sampler = samplerOf(settings), keys = Object.keys(methods), { plain } = chainOf(sampler);
  const soft = plain?.ranks.length === 0 && plain.temperature > 0 ? plain.temperature : undefined;
  const length = Math.max(1, ...all.map(({ tokens }) => tokens.length - 1));
  using cache = model.openCache({ slots: keys.length + 1, length });
  const found: TextLoss[] = [];
  for (const [text, { tokens, from }] of all.entries()) {
    const prompt = tokens.slice(0, from);
    const workers = [standard(), ...Object.values(methods)].map((method, slot) =>
      startWorker(model, method, slot, prompt, sampler, seed + text)
    );
    const work = {
      ...{ model, cache, sampler, soft, tokens, from, workers, signal },
      entropy: [] as number[],
    };
    await (loop === "open" ? openLoop : closedLoop)(work);
    if (workers.some(({ losses }) => losses.length < tokens.length - 1 - from)) break; // stopped
    const byKey = (of: (worker: Worker) => number[]) =>
      Object.fromEntries(keys.map((key, i) => [key, of(workers[i + 1]!)]));
    found.push({
      ...{ text, from, entropy: work.entropy, base: workers[0]!.losses },
      ...{ losses: byKey((own) => own.losses), offSampleMass: byKey((own) => own.masses) },
    });
    onProgress?.({ done: text + 1, total: all.length });
  }
  return found;
}
