/**
 * An answer read as what it is: anything. Whatever does not fit the request is refused, so that no run is
 * told to be what it is not.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";
import { isObject, refusal, shown } from "../../_check.ts";
import { endedText } from "../../decode/text.ts";
import type { RemoteText, TextRequest } from "../../model/mod.ts";
import { fieldsOf, methodOf } from "../method_fields.ts";
import { NotAnswered } from "./ask.ts";
import type { Peer, Sent } from "./request.ts";

/** Refuses an answer. */
type Refuse = (name: string, rule: string, value: unknown) => never;

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

/** The only choice of an answer. */
function choiceOf(answer: unknown, refuse: Refuse): Readonly<Record<string, unknown>> {
  const choices = isObject(answer) ? answer.choices : undefined;
  if (!Array.isArray(choices) || choices.length !== 1 || !isObject(choices[0])) {
    return refuse("choices", "be one choice", isObject(answer) && !choices ? answer : choices);
  }
  return choices[0];
}

/** Token ids that are told; undefined where there are none. */
function tokensOf(ids: unknown, size: number, most: number, refuse: Refuse): number[] | undefined {
  if (ids === undefined || ids === null) return undefined;
  if (!Array.isArray(ids) || ids.length > most) {
    return refuse("token_ids", `be a list of at most ${most} token ids`, ids);
  }
  const wrong = ids.find((id) => !isCount(id) || id >= size);
  if (wrong !== undefined) refuse("token_ids", `be token ids below ${size}`, wrong);
  return ids;
}

/** By how much float32 may be off. */
const ROUNDING = 1e-3;

/** What was mixed, which must be what was asked for. */
function mixingOf(
  { server }: Peer,
  { seed }: TextRequest,
  { method }: Sent,
  told: unknown,
  refuse: Refuse,
) {
  if (server.mixes === undefined) {
    return { meanEntropy: NaN, meanOffSampleMass: method.name === "standard" ? 0 : NaN };
  }
  if (!isObject(told)) return refuse("moi", "tell what was mixed", told);
  const { method: name, parameters, version, mean_entropy, mean_off_sample_mass } = told;
  const same = () => {
    try {
      const own = { name: String(name), parameters: parameters as Record<string, unknown> };
      return isDeepStrictEqual({ ...methodOf(fieldsOf(own)).parameters }, { ...method.parameters });
    } catch {
      return false;
    }
  };
  if (name !== method.name || !same()) {
    const asked = shown({ method: method.name, parameters: method.parameters ?? {} });
    refuse("moi", `be of the method that was asked for, ${asked}`, { method: name, parameters });
  }
  if (version !== server.mixes) {
    refuse("moi.version", `be ${server.mixes}, as when the model was opened`, version);
  }
  if (told.seed !== undefined && told.seed !== seed) {
    refuse("moi.seed", `be ${seed}, which was asked for`, told.seed);
  }
  const isIn = (value: unknown, min: number, max: number) =>
    Number.isFinite(value) && (value as number) >= min && (value as number) <= max;
  if (!isIn(mean_entropy, -ROUNDING, 1 + ROUNDING)) {
    refuse("moi.mean_entropy", "be a number from 0 to 1", mean_entropy);
  }
  const most = name === "standard" ? ROUNDING : Infinity; // signed mixtures have any
  if (!isIn(mean_off_sample_mass, -most, most)) {
    const rule = name === "standard" ? "be 0, as standard decoding mixes nothing" : "be a number";
    refuse("moi.mean_off_sample_mass", rule, mean_off_sample_mass);
  }
  return { meanEntropy: mean_entropy as number, meanOffSampleMass: mean_off_sample_mass as number };
}

/** What differs between decoders of the same tokens: blanks, and bytes of a character that is cut. */
const alike = (text: string) => text.replace(/[\s\ufffd]+/g, "");

/** The text: decoded here from the token ids where there are any. */
function textIn(
  { tokenizer, server }: Peer,
  { stop, ignoreEos }: TextRequest,
  told: string,
  tokens: readonly number[] | undefined,
  refuse: Refuse,
): { readonly text: string; readonly isStopped: boolean } {
  if (!tokenizer || !tokens) return { text: told, isStopped: false };
  const eos = new Set(ignoreEos ? [] : tokenizer.eosTokenIds);
  const after = tokens.findIndex((id, i) => i < tokens.length - 1 && eos.has(id));
  if (after >= 0) refuse("token_ids", "end with the first end-of-text token", tokens.slice(after));
  const text = endedText(tokenizer, tokens, { eos, stop });
  if (alike(text) !== alike(told)) {
    const rule = `be what its token ids mean here, ${shown(text)}: 'tokenizer' must be that of ${
      shown(server.id)
    }`;
    refuse("text", rule, told);
  }
  return { text, isStopped: text !== endedText(tokenizer, tokens, { eos, stop: [] }) };
}

/** Refuses the answer of another model; behind a plain server a name may stand for one that is named more exactly. */
function checkModel({ server, seen }: Peer, model: unknown, refuse: Refuse): void {
  const isExact = server.takesIds || typeof model !== "string";
  const first = isExact ? server.id : seen.model ??= model;
  if (model !== first) refuse("model", `be '${first}', as it was asked for or told before`, model);
}

/**
 * The text of an answer.
 *
 * @throws {TypeError} Where the answer is not one to this request: then it is not asked for again.
 * @throws {NotAnswered} Where the server broke the text off.
 */
export function remoteText(
  asked: Peer,
  request: TextRequest,
  sent: Sent,
  answer: unknown,
): RemoteText {
  const { server, base, tokenizer } = asked, { prompt } = request;
  const refuse: Refuse = (name, rule, value) => {
    throw new TypeError(
      refusal(`use the answer of ${server.device} at ${base}`, name, rule, value),
    );
  };
  const choice = choiceOf(answer, refuse), { model, usage } = answer as Record<string, unknown>;
  checkModel(asked, model, refuse);
  const { finish_reason: reason, message, prompt_token_ids: read } = choice;
  if (reason === "abort") throw new NotAnswered(`${base} broke a text off`, { lost: true });
  if (reason !== "stop" && reason !== "length") {
    refuse("finish_reason", "be 'stop' or 'length'", reason);
  }
  const told = isObject(message) ? message.content ?? "" : choice.text;
  if (typeof told !== "string") return refuse("text", "be a string", told);
  if (tokenizer && Array.isArray(read) && !isDeepStrictEqual(read, [...prompt])) {
    refuse("prompt_token_ids", "be those of the prompt", read);
  }
  const { vocabularySize: size = tokenizer?.size ?? Infinity } = server;
  const tokens = tokensOf(choice.token_ids, size, sent.maxNewTokens, refuse);
  const { text, isStopped } = textIn(asked, request, told, tokens, refuse);
  const finishReason = isStopped ? "stop" : reason as RemoteText["finishReason"],
    most = sent.maxNewTokens;
  if (finishReason === "length" && tokens && tokens.length < most) {
    const rule =
      `be ${most} of a text that its length ended, as was asked for (a server may have a ` +
      "limit of its own)";
    refuse("token_ids", rule, tokens.length);
  }
  const counted = isObject(usage) ? usage.prompt_tokens : undefined;
  return {
    text,
    tokens: tokens ?? [],
    finishReason,
    promptTokens: tokenizer || !isCount(counted) ? prompt.length : counted,
    mixing: mixingOf(asked, request, sent, choice.moi, refuse),
  };
}
