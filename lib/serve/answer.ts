/**
 * Answers and chunks of answers, in OpenAI's shapes.
 *
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };
import { given } from "../_given.ts";
import type { Generation, Step, ToldToken } from "../decode/mod.ts";
import type { Tokenizer } from "../model/mod.ts";
import { type ChoiceMoi, LEAST_LOGPROB } from "./protocol.ts";
import type { Asked, Route } from "./request.ts";
import type { Choice } from "./choices.ts";

/** What all chunks of an answer have in common. */
export interface Head {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

/** A choice whose text is finished. */
export interface Made {
  readonly choice: Choice;
  readonly generation: Generation;
}

/** How the routes write an answer. */
const SHAPES = {
  completions: {
    ...{ prefix: "cmpl", whole: "text_completion", chunk: "text_completion" },
    text: (text: string) => ({ text }),
    piece: (text: string) => ({ text }),
  },
  chat: {
    ...{ prefix: "chatcmpl", whole: "chat.completion", chunk: "chat.completion.chunk" },
    text: (content: string) => ({ message: { role: "assistant", content, refusal: null } }),
    piece: (content: string) => ({ delta: content === "" ? {} : { content } }),
  },
} as const;

/** Begins an answer. */
export function headOf(route: Route, model: string): Head {
  return {
    id: `${SHAPES[route].prefix}-${crypto.randomUUID().replaceAll("-", "")}`,
    created: Math.floor(Date.now() / 1000),
    model,
  };
}

const logprobOf = (probability: number) =>
  probability > 0 ? Math.max(Math.log(probability), LEAST_LOGPROB) : LEAST_LOGPROB;

const encoder = new TextEncoder();

/** A token as a chat names it; one that is a part of a character has no text of its own, so no bytes. */
const named = (token: string, probability: number) => ({
  token,
  logprob: logprobOf(probability),
  bytes: token.includes("\ufffd") ? null : [...encoder.encode(token)],
});

/** Characters as Python counts them. */
const lengthOf = (text: string) => [...text].length;

/**
 * Writes log probabilities of tokens as they come.
 *
 * @param alternatives Number of them; undefined where none are wanted.
 */
function logprobsOf(tokenizer: Tokenizer, { route, alternatives }: Asked) {
  let offset = 0;
  return (steps: readonly Step[]) => {
    if (alternatives === undefined) return { logprobs: null };
    const all = steps.map(({ token, probability, candidates }) => {
      const text = tokenizer.decode([token]), at = offset;
      offset += lengthOf(text);
      return { text, at, probability, top: candidates.slice(0, alternatives) };
    });
    if (route === "chat") {
      const content = all.map(({ text, probability, top }) => ({
        ...named(text, probability),
        top_logprobs: top.map((one) => named(one.text, one.probability)),
      }));
      return { logprobs: { content } };
    }
    return {
      logprobs: {
        text_offset: all.map(({ at }) => at),
        token_logprobs: all.map(({ probability }) => logprobOf(probability)),
        tokens: all.map(({ text }) => text),
        top_logprobs: all.map(({ text, probability, top }) =>
          Object.fromEntries(
            [...top, { text, probability }].reverse()
              .map((one) => [one.text, logprobOf(one.probability)]),
          )
        ),
      },
    };
  };
}

/** What was mixed in a choice. */
function moiOf({ method }: Asked, { seed }: Choice, { mixing }: Generation): ChoiceMoi {
  return {
    method: method.name,
    parameters: method.parameters ?? {},
    mean_entropy: mixing.meanEntropy,
    mean_off_sample_mass: mixing.meanOffSampleMass,
    seed,
    version: manifest.version,
  };
}

/** The stop text that ended a text; null where none did. */
function stopOf(tokenizer: Tokenizer, { options }: Asked, { finishReason, tokens }: Generation) {
  const { stop = [], ignoreEos = false } = options;
  const isEnd = !ignoreEos && tokenizer.eosTokenIds.includes(tokens.at(-1)!);
  if (finishReason !== "stop" || isEnd || stop.length === 0) return null;
  const text = tokenizer.decode(tokens);
  const found = stop.map((own) => ({ own, at: text.indexOf(own) })).filter(({ at }) => at >= 0);
  return found.sort((a, b) => a.at - b.at)[0]?.own ?? null;
}

/** Tokens that were read and written: a prompt counts once, whatever its choices. */
export function usageOf(
  { n }: Asked,
  all: readonly Made[],
) {
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  const prompts = all.filter(({ choice }) => choice.index % n === 0);
  const read = sum(prompts.map(({ choice }) => choice.prompt.length));
  const written = sum(all.map(({ generation }) => generation.tokens.length));
  return { prompt_tokens: read, completion_tokens: written, total_tokens: read + written };
}

/** How a choice ended. */
function endOf(tokenizer: Tokenizer, asked: Asked, choice: Choice, generation: Generation) {
  return {
    finish_reason: generation.finishReason,
    stop_reason: stopOf(tokenizer, asked, generation),
    moi: moiOf(asked, choice, generation),
  };
}

/** A whole answer. */
export function answerOf(
  head: Head,
  tokenizer: Tokenizer,
  asked: Asked,
  all: readonly Made[],
): object {
  const { route, returnTokenIds } = asked, shape = SHAPES[route];
  const promptIds = (of: Route, { prompt }: Choice) =>
    given({ prompt_token_ids: returnTokenIds && route === of ? prompt : undefined });
  return {
    ...{ ...head, object: shape.whole },
    choices: all.map(({ choice, generation }) => ({
      index: choice.index,
      ...shape.text(generation.text),
      ...logprobsOf(tokenizer, asked)(generation.trace ?? []),
      ...endOf(tokenizer, asked, choice, generation),
      ...given({ token_ids: returnTokenIds ? generation.tokens : undefined }),
      ...promptIds("completions", choice),
    })),
    usage: usageOf(asked, all),
    ...promptIds("chat", all[0]!.choice),
  };
}

/** Writes the chunks of one choice; a token that makes no text certain may have none. */
export function chunksOf(head: Head, tokenizer: Tokenizer, asked: Asked, choice: Choice) {
  const { route, returnTokenIds, includeUsage } = asked, { piece, chunk } = SHAPES[route];
  const logprobs = logprobsOf(tokenizer, asked), isPlain = asked.alternatives === undefined;
  const known = { ...head, object: chunk, ...(includeUsage ? { usage: null } : {}) };
  const { index } = choice;
  const ids = (tokens: readonly number[]) => returnTokenIds ? { token_ids: tokens } : {};
  const prompt = returnTokenIds ? { prompt_token_ids: choice.prompt } : {};
  return {
    /** The first, which has no text. */
    first(): object | undefined {
      if (route === "chat") {
        const delta = { role: "assistant", content: "" };
        return { ...known, choices: [{ index, delta, finish_reason: null }], ...prompt };
      }
      if (!returnTokenIds) return undefined;
      const own = { index, text: "", logprobs: null, finish_reason: null, ...prompt, ...ids([]) };
      return { ...known, choices: [own] };
    },
    /** That of a token. */
    token(told: ToldToken | Step): object | undefined {
      const { token, text } = told;
      if (text === "" && isPlain && !returnTokenIds) return undefined;
      const own = {
        ...{ index, ...piece(text), ...logprobs("mixture" in told ? [told] : []) },
        ...{ finish_reason: null, ...ids([token]) },
      };
      return { ...known, choices: [own] };
    },
    /** The last, which says how it ended. */
    last(generation: Generation): object {
      const own = {
        ...{ index, ...piece(""), logprobs: null },
        ...endOf(tokenizer, asked, choice, generation),
        ...ids([]),
      };
      return { ...known, choices: [own] };
    },
  };
}

/** The chunk after all choices, with the usage. */
export function usageChunk(head: Head, { route }: Asked, usage: object): object {
  return { ...head, object: SHAPES[route].chunk, choices: [], usage };
}
