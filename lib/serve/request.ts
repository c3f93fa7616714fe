/**
 * Requests as they come: untrusted JSON becomes prompts and options of the library, or is refused.
 *
 * @module
 */

import {
  anything,
  boolean,
  checkNumber,
  isObject,
  kind,
  number,
  type Rule,
  text,
} from "../_check.ts";
import { given } from "../_given.ts";
import { hint } from "../_near.ts";
import type { GenerateOptions, Method, Prompt, Sampler } from "../decode/mod.ts";
import type { Message } from "../model/mod.ts";
import { type FieldOf, inFields, refused, ServeError } from "./error.ts";
import { methodFieldOf, methodOf, PREFIX } from "./method_fields.ts";
import { BOUNDS, PASSED_OVER, SAMPLER_NAMES } from "./protocol.ts";

/** The two ways to ask. */
export type Route = "completions" | "chat";

/** A request, read. */
export interface Asked {
  readonly route: Route;
  /** Texts or token ids; of a chat its one conversation. */
  readonly prompts: readonly Prompt[];
  /** Choices of each. */
  readonly n: number;
  /** Most new tokens; undefined where it is left out. */
  readonly maxTokens: number | undefined;
  /** Seed of the first choice of each prompt; undefined where it is left out. */
  readonly seed: number | undefined;
  readonly method: Method;
  /** What is the same for all choices. */
  readonly options: Pick<GenerateOptions, keyof Sampler | "stop" | "ignoreEos" | "chat">;
  /** Alternatives of each token; undefined where no log probabilities are wanted. */
  readonly alternatives: number | undefined;
  readonly returnTokenIds: boolean;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

type Body = Readonly<Record<string, unknown>>;

const anyOf = (...values: readonly unknown[]) => (value: unknown) => values.includes(value);
const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;

/** What is not done here, and the values that do not ask for it. */
const NOT_DONE: Readonly<Record<string, (value: unknown, body: Body) => boolean>> = {
  tools: isEmpty,
  tool_choice: anyOf("none", "auto"),
  functions: isEmpty,
  function_call: anyOf("none", "auto"),
  response_format: (value) => isObject(value) && value.type === "text",
  best_of: (value, { n }) => value === (n ?? 1),
  suffix: anyOf(""),
  echo: anyOf(false),
  prompt_logprobs: () => false,
  use_beam_search: anyOf(false),
  length_penalty: anyOf(1),
  min_tokens: anyOf(0),
  stop_token_ids: isEmpty,
  include_stop_str_in_output: anyOf(false),
  skip_special_tokens: anyOf(false),
  add_special_tokens: anyOf(true),
  bad_words: isEmpty,
  logprob_token_ids: isEmpty,
  return_tokens_as_token_ids: anyOf(false),
  add_generation_prompt: anyOf(true),
  continue_final_message: anyOf(false),
  modalities: (value) => Array.isArray(value) && value.length === 1 && value[0] === "text",
  priority: anyOf(0),
};

const count = (max: number, min = 1) => number({ min, max, integer: true });
const object: Rule = kind("be an object", isObject);

const stop: Rule = kind(
  `be a text, or a list of up to ${BOUNDS.stops}, each of 1 to ${BOUNDS.stopLength} characters`,
  (value) => {
    const texts: unknown[] = Array.isArray(value) ? value : [value];
    return texts.length <= BOUNDS.stops &&
      texts.every((one) =>
        typeof one === "string" && one !== "" && one.length <= BOUNDS.stopLength
      );
  },
);

/** Fields of both routes; what the sampler and the method make of theirs is checked by them. */
const SHARED: Readonly<Record<string, Rule>> = {
  model: text,
  max_tokens: count(Number.MAX_SAFE_INTEGER),
  max_completion_tokens: count(Number.MAX_SAFE_INTEGER),
  ...Object.fromEntries(Object.values(SAMPLER_NAMES).map((name) => [name, anything])),
  seed: count(Number.MAX_SAFE_INTEGER, 0),
  n: count(BOUNDS.choices),
  stop,
  ignore_eos: boolean,
  return_token_ids: boolean,
  stream: boolean,
  stream_options: object,
  vllm_xargs: object,
};

/** Fields of each route. */
const FIELDS: Readonly<Record<Route, Readonly<Record<string, Rule>>>> = {
  completions: { prompt: anything, ...SHARED, logprobs: count(BOUNDS.alternatives, 0) },
  chat: {
    messages: anything,
    ...SHARED,
    chat_template_kwargs: object,
    logprobs: boolean,
    top_logprobs: count(BOUNDS.alternatives, 0),
  },
};

/** Refuses what is not known, not done here, or out of its rule. */
function checkFields(route: Route, body: Body): void {
  const fields = FIELDS[route], passed: readonly string[] = PASSED_OVER;
  for (const [name, value] of Object.entries(body)) {
    if (passed.includes(name)) continue;
    if (Object.hasOwn(fields, name)) {
      inFields((option) => option, () => fields[name]!("complete", name, value));
    } else if (Object.hasOwn(NOT_DONE, name)) {
      if (NOT_DONE[name]!(value, body)) continue;
      throw refused(name, "be left out, as this server does not do it", value);
    } else if (name.startsWith(PREFIX)) {
      throw refused(name, "be put into 'vllm_xargs'", value);
    } else {
      const names = Object.keys(fields), there = `there are ${names.join(", ")}`;
      const rule = `be left out, as it is no field here; ${there}${hint(name, names)}`;
      throw refused(name, rule, value);
    }
  }
}

/** The object without what is null. */
const withoutNull = (body: Body): Body =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));

/** The prompts of a completion. */
function promptsIn(prompt: unknown): readonly Prompt[] {
  const rule = `be a text, token ids, or a list of 1 to ${BOUNDS.prompts} of either`;
  const isIds = (value: unknown) =>
    Array.isArray(value) && value.every((id) => typeof id === "number");
  if (typeof prompt === "string") return [prompt];
  if (!Array.isArray(prompt) || prompt.length === 0) throw refused("prompt", rule, prompt);
  if (isIds(prompt)) return [prompt as number[]];
  const isList = prompt.every((one) => typeof one === "string") || prompt.every(isIds);
  if (!isList || prompt.length > BOUNDS.prompts) throw refused("prompt", rule, prompt);
  return prompt as Prompt[];
}

/** The text of a message's content. */
function contentOf(content: unknown): string {
  if (typeof content === "string") return content;
  const parts: unknown[] = Array.isArray(content) ? content : [];
  const texts = parts.map((part) =>
    isObject(part) && part.type === "text" && typeof part.text === "string" &&
      Object.keys(part).length === 2
      ? part.text
      : undefined
  );
  if (texts.length > 0 && texts.every((text) => text !== undefined)) return texts.join("\n");
  throw refused(
    "messages",
    "have contents that are texts, or lists of parts of type text",
    content,
  );
}

/** The conversation of a chat. */
function messagesIn(messages: unknown): readonly Message[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw refused("messages", "be a list of at least one message", messages);
  }
  return messages.map((message) => {
    const rule = "be objects with a role and a content, and no more";
    if (!isObject(message)) throw refused("messages", rule, message);
    const own = Object.entries(message).filter(([, value]) => value !== null && !isEmpty(value));
    const { role, content, ...more } = Object.fromEntries(own);
    if (typeof role !== "string" || role === "" || Object.keys(more).length > 0) {
      throw refused("messages", rule, message);
    }
    return { role, content: contentOf(content) };
  });
}

/** The most new tokens that are asked for, by either of two names. */
function maxTokensIn({ max_tokens: a, max_completion_tokens: b }: Body): number | undefined {
  if (a !== undefined && b !== undefined && a !== b) {
    throw refused("max_tokens", "be left out beside another max_completion_tokens", a);
  }
  return (a ?? b) as number | undefined;
}

/** Whether a stream ends with its usage. */
function usageIn({ stream, stream_options: options }: Body): boolean {
  if (options === undefined) return false;
  if (stream !== true) {
    throw refused("stream_options", "be left out where 'stream' is not true", options);
  }
  const { include_usage: usage = false, ...more } = withoutNull(options as Body);
  const other = Object.entries(more).find(([, value]) => value !== false);
  if (other) throw refused(`stream_options.${other[0]}`, "be left out", other[1]);
  if (typeof usage === "boolean") return usage;
  throw refused("stream_options.include_usage", "be true or false", usage);
}

/** Alternatives that are asked for, in the way of the route. */
function alternativesIn(route: Route, { logprobs, top_logprobs: top }: Body): number | undefined {
  if (route === "completions") return logprobs as number | undefined;
  if (logprobs === true) return (top ?? 0) as number;
  if (top === undefined || top === 0) return undefined;
  throw refused("top_logprobs", "be left out where 'logprobs' is not true", top);
}

/** The sampler's settings that are asked for. */
function settingsIn(body: Body): Partial<Sampler> {
  const names = Object.entries(SAMPLER_NAMES);
  const settings = Object.fromEntries(names.map(([option, name]) => [option, body[name]]));
  return given({ ...settings, topK: settings.topK === -1 ? 0 : settings.topK }) as Partial<Sampler>;
}

/**
 * Reads a request.
 *
 * @param route Where it came.
 * @param body Its JSON, which may be anything.
 * @param model Name of the model that is served.
 * @throws {ServeError} Naming the field that is refused.
 */
export function readRequest(route: Route, body: unknown, model: string): Asked {
  if (!isObject(body)) throw refused("body", "be a JSON object", body);
  const own = withoutNull(body);
  checkFields(route, own);
  if (own.model !== undefined && own.model !== model) {
    const facts = { status: 404, param: "model", code: "model_not_found" };
    throw new ServeError(`There is no model of this name here, only "${model}"`, facts);
  }
  const { stop, ignore_eos: ignoreEos, chat_template_kwargs: chat, n = 1, seed } = own;
  if (seed !== undefined) {
    const last = Number.MAX_SAFE_INTEGER - (n as number) + 1;
    inFields((option) => option, () => checkNumber("complete", "seed", seed, { max: last }));
  }
  return {
    route,
    prompts: route === "chat" ? [messagesIn(own.messages)] : promptsIn(own.prompt),
    n: n as number,
    maxTokens: maxTokensIn(own),
    seed: seed as number | undefined,
    method: inFields(methodFieldOf, () => methodOf((own.vllm_xargs ?? {}) as Body)),
    options: given({
      ...settingsIn(own),
      stop: stop === undefined ? undefined : [stop].flat() as string[],
      ...{ ignoreEos: ignoreEos as boolean | undefined, chat: chat as Body | undefined },
    }) as Asked["options"],
    alternatives: alternativesIn(route, own),
    returnTokenIds: own.return_token_ids === true,
    stream: own.stream === true,
    includeUsage: usageIn(own),
  };
}

/** The field that an option of a generation stands for. */
export function optionFieldOf(route: Route): FieldOf {
  const own: Readonly<Record<string, string>> = {
    ...SAMPLER_NAMES,
    maxNewTokens: "max_tokens",
    chat: "chat_template_kwargs",
    prompt: route === "chat" ? "messages" : "prompt",
  };
  return (option) => {
    const [first, ...rest] = option.split(".");
    const name = Object.hasOwn(own, first!) ? own[first!]! : first!;
    return [name, ...rest].join(".");
  };
}
