/**
 * The protocol, written down: what a client may send, and what it gets.
 *
 * It is that of OpenAI, as vLLM speaks it: any client of these works as it is. What is ours is flat,
 * inside `vllm_xargs`, which vLLM hands to plugins; at the top level vLLM would pass over it in silence.
 *
 * ```text
 * GET  /v1/moi                 what the server is: see ServerAbout
 * GET  /v1/models              the one model
 * POST /v1/completions         continues a prompt
 * POST /v1/chat/completions    answers a conversation, rendered by the model's chat template
 * GET  /health                 200 while it takes requests, else 503
 * GET  /metrics                counts, in Prometheus' text form
 * ```
 *
 * ## A request
 *
 * A JSON object, sent as `application/json`. A field that is null is left out. One that is unknown or that
 * cannot be honoured is refused, never passed over: status 400, naming field, rule and value.
 *
 * | field | default | what |
 * | --- | --- | --- |
 * | `model` | the one there is | another name: 404 |
 * | `prompt` | – | a text (with BOS, where the tokenizer says so), token ids, or up to 1024 of either |
 * | `messages` | – | `role` and `content`; a list of `text` parts is joined by line breaks |
 * | `chat_template_kwargs` | – | variables of the chat template |
 * | `max_tokens`, `max_completion_tokens` | 16; of a chat the model's own, else what the context holds | with the prompt at most one more than the context, as the last token is not read |
 * | `temperature`, `top_p`, `top_k`, `min_p`, `repetition_penalty` and more ({@linkcode SAMPLER_NAMES}) | what the checkpoint recommends, as of `generate` | `top_k` may be −1: all |
 * | `seed` | a random one, told in the answer | 0 to 2⁵³ − 1; choice i of a prompt has seed + i, so that choice 0 is what `generate` gives |
 * | `n` | 1 | choices of each prompt; with more than one, choice i of prompt j has index j·n + i |
 * | `stop` | none | a text, or up to 16 of up to 256 characters; cut off |
 * | `ignore_eos` | false | end-of-text tokens are tokens like any other |
 * | `logprobs` | none | 0 to 20 alternatives of each token; of a chat true, with `top_logprobs` from 0 to 20 |
 * | `return_token_ids` | false | `token_ids` of each choice, and `prompt_token_ids` |
 * | `stream` | false | server-sent events; `stream_options.include_usage` adds one with the usage |
 * | `vllm_xargs` | none | the method: `moi_method`, `moi_beta`, `moi_preset`, … |
 *
 * `moi_method` is a name of the library's methods (default: `standard`; `moi` where another `moi_` field is given),
 * `moi_<knob>` its option of that name, in snake case; infinity is the text "Infinity". `/v1/moi` lists them.
 *
 * Passed over, as they cannot change a text: {@linkcode PASSED_OVER}. Refused unless they ask for nothing: tools and
 * functions, response formats, `best_of`, `suffix`, `echo`, `prompt_logprobs`, beam search and the like.
 *
 * ## An answer
 *
 * OpenAI's. `finish_reason` is "stop" or "length"; `stop_reason` the stop text that ended it, else null. The usage counts
 * a prompt once, whatever `n`, and the end-of-text token. Log probabilities are of the distribution _sampled from_: after
 * temperature, penalties and cuts, so that a token that cannot be sampled is none of the alternatives; −∞ is
 * −9999. Each choice, in a stream its last chunk, carries what was mixed ({@linkcode ChoiceMoi}): the entropy is
 * that of the same distribution, divided by ln V, both means are over the tokens. One seed gives one text,
 * whoever else is served.
 *
 * ## An error
 *
 * `{ "error": { "message", "type", "param", "code" } }`. 400: the request; 401: the key; 403: the `Host` header, where
 * there is no key; 404: path or model; 405, 413, 415: method, size, type of the body; 408: the body came too slowly;
 * 429: the queue is full (`Retry-After`); 500: the server; 503: it shuts down; 504: the time is up. In a stream that
 * has begun, an event with such a body is the last one; `data: [DONE]` ends those that are whole.
 *
 * @module
 */

import type { Sampler } from "../decode/mod.ts";

/** What was mixed in a choice. */
export interface ChoiceMoi {
  /** Name of the method. */
  readonly method: string;
  /** Its knobs, as runs record them. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Mean over the tokens of the entropy of the distribution sampled from, divided by ln V. */
  readonly mean_entropy: number;
  /** Mean over the tokens of the mixture's weight on other tokens than the sampled one. */
  readonly mean_off_sample_mass: number;
  /** The choice's own seed. */
  readonly seed: number;
  /** Version of what mixed. */
  readonly version: string;
}

/** The sampler's settings, and what fields call them. */
export const SAMPLER_NAMES: Readonly<Record<keyof Sampler, string>> = {
  temperature: "temperature",
  topK: "top_k",
  topP: "top_p",
  minP: "min_p",
  typicalP: "typical_p",
  topNSigma: "top_n_sigma",
  epsilonCutoff: "epsilon_cutoff",
  etaCutoff: "eta_cutoff",
  entropyTemperature: "entropy_temperature",
  repetitionPenalty: "repetition_penalty",
  presencePenalty: "presence_penalty",
  frequencyPenalty: "frequency_penalty",
  logitBias: "logit_bias",
  allowedTokens: "allowed_token_ids",
  order: "order",
};

/** Fields that cannot change a text, and are passed over. */
export const PASSED_OVER = [
  ...["user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"],
  ...["parallel_tool_calls", "request_id", "session_id"],
] as const;

/** Bounds of a request. */
export const BOUNDS = {
  prompts: 1024,
  choices: 128,
  stops: 16,
  stopLength: 256,
  alternatives: 20,
  /** Characters of a text prompt for each token of the context. */
  charactersPerToken: 32,
} as const;

/** The smallest log probability, which stands for −∞. */
export const LEAST_LOGPROB: number = -9999;
