/**
 * A request for a text as it is sent: what a server cannot do is refused before.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";
import { refusal } from "../../_check.ts";
import { type Method, METHODS, type Sampler, samplerOf } from "../../decode/mod.ts";
import type { Model, TextRequest } from "../../model/mod.ts";
import { PATHS } from "../about.ts";
import { fieldsOf, type FieldValue, methodOf } from "../method_fields.ts";
import { SAMPLER_NAMES } from "../protocol.ts";
import { plainPrompt } from "./plain_text.ts";
import type { Host } from "./host.ts";

const VERB = "generate";

/** What decodes, as far as requests need it. */
export interface Peer {
  readonly server: Host;
  readonly base: string;
  /** The model's tokenizer; absent where prompts are sent as text. */
  readonly tokenizer?: Model["tokenizer"];
  /** Name of the model that the first answer told, where that may be another than was asked for. */
  readonly seen: { model?: string };
}

const refuse = (name: string, rule: string, value: unknown): never => {
  throw new TypeError(refusal(VERB, name, rule, value));
};

/** A method that comes back from its fields as it was; refused where it does not. */
function sendableMethod(
  { name, parameters }: TextRequest["method"],
  device: string,
): Method {
  const own = `as ${device} decodes: one of your own decodes here (loadModel)`;
  if (!Object.hasOwn(METHODS, name)) {
    refuse("method", `be one of ${Object.keys(METHODS).join(", ")}, ${own}`, name);
  }
  if (typeof parameters.beta === "string" && parameters.beta !== "Infinity") {
    refuse("beta", `be a number, as ${device} decodes and is sent no functions`, parameters.beta);
  }
  let again: Method | undefined;
  try {
    again = methodOf(fieldsOf({ name, parameters }));
  } catch (error) {
    refuse("method", `be as the library makes it (${(error as Error).message}), ${own}`, name);
  }
  if (!isDeepStrictEqual({ ...again!.parameters }, { ...parameters })) {
    refuse("method", `have the knobs of the library's '${name}', ${own}`, parameters);
  }
  return again!;
}

/** The fields that ask for a method, all of which the server must know. */
function methodFields({ server, base }: Peer, method: Method): Record<string, FieldValue> {
  const { device, methods, mixes } = server, knobs = methods[method.name];
  if (knobs === undefined) {
    const why = mixes === undefined
      ? `${device} at ${base} is a plain OpenAI server, which ignores β (start vLLM with the moi-vllm ` +
        "plugin, or `deno task serve`)"
      : `that is what ${device} at ${base} knows`;
    refuse("method", `be ${Object.keys(methods).join(", ")}, as ${why}`, method.name);
  }
  const fields = fieldsOf(method);
  // acting in all phases is what a server does that knows none
  if (!knobs!.includes("phase") && fields.moi_phase === "all") delete fields.moi_phase;
  for (const [field, value] of Object.entries(fields)) {
    const knob = field.replace(/^moi_/, "");
    if (knob === "method" || knobs!.includes(knob)) continue;
    const taken = knobs!.join(", ") || "no knob";
    refuse(field, `be left out, as ${device} takes ${taken} of '${method.name}'`, value);
  }
  return fields;
}

/** Sampler settings under the names of the protocol. */
function samplerFields({ device, settings, always }: Host, sampler: TextRequest["sampler"]) {
  const isOff = { topK: 0, minP: 0 } as Readonly<Record<string, unknown>>;
  const on = Object.entries(samplerOf(sampler)).filter(([name, value]) => {
    if ((settings as readonly string[]).includes(name)) return true;
    if (isOff[name] === value) return false;
    return refuse(name, `be left out, as ${device} takes ${settings.join(", ")} alone`, value);
  });
  const all = Object.entries({ ...always, ...Object.fromEntries(on) });
  return Object.fromEntries(
    all.map(([name, value]) => [SAMPLER_NAMES[name as keyof Sampler], value]),
  );
}

/** Most new tokens that the context has room for. */
function budgetOf({ server, tokenizer }: Peer, { prompt, maxNewTokens }: TextRequest): number {
  const { maxLength, isVllm, device } = server;
  if (!tokenizer || maxLength === undefined) return maxNewTokens;
  const room = maxLength - prompt.length + (isVllm ? 0 : 1); // the last token is not fed
  if (room < 1) {
    const rule = `be shorter than the context of ${device}, ${maxLength} tokens`;
    throw new RangeError(refusal(VERB, "prompt", rule, prompt.length));
  }
  return Math.min(maxNewTokens, room);
}

/** What stands for the prompt, and where it is sent. */
function promptFields({ server, tokenizer }: Peer, { prompt }: TextRequest) {
  if (tokenizer) return { path: PATHS.completions, fields: { prompt } };
  const plain = plainPrompt(prompt);
  if ("text" in plain) return { path: PATHS.completions, fields: { prompt: plain.text } };
  const { messages, variables } = plain, isNone = Object.keys(variables).length === 0;
  if (!isNone && !server.takesIds) {
    refuse("chat", `be left out, as ${server.device} need not know its variables`, variables);
  }
  return {
    path: PATHS.chat,
    fields: { messages, ...(isNone ? {} : { chat_template_kwargs: variables }) },
  };
}

/** A request as it is sent. */
export interface Sent {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** The method that the answer must tell. */
  readonly method: Method;
  /** Most new tokens. */
  readonly maxNewTokens: number;
}

/**
 * A request as it is sent.
 *
 * @throws {TypeError | RangeError} Where the server cannot do it, naming method, knob or setting.
 */
export function sentRequest(asked: Peer, request: TextRequest): Sent {
  const { server, tokenizer } = asked, { seed, stop, ignoreEos } = request;
  const method = sendableMethod(request.method, server.device);
  const own = methodFields(asked, method);
  if (tokenizer) { // refuses markers that it does not know
    const { vocabularySize = tokenizer.size ?? 1 } = server, { prompt } = request;
    method.init({ vocabularySize, prompt, tokenizer, uniform: () => 0 });
  }
  if (ignoreEos && !server.takesIds) {
    refuse("ignoreEos", `be false, as ${server.device} ends texts as it sees fit`, true);
  }
  const max_tokens = budgetOf(asked, request), { path, fields } = promptFields(asked, request);
  const eos = tokenizer?.eosTokenIds ?? [];
  return {
    path,
    body: {
      ...{ model: server.id, ...fields, max_tokens, seed },
      ...samplerFields(server, request.sampler),
      ...(stop.length > 0 && { stop }),
      ...(server.takesIds && { return_token_ids: true, ignore_eos: ignoreEos }),
      ...(server.isVllm && server.takesIds && {
        skip_special_tokens: false, // stop texts may be special, and texts have them here
        ...(eos.length > 0 && !ignoreEos && { stop_token_ids: eos }),
      }),
      ...(server.mixes !== undefined && { vllm_xargs: own }),
    },
    method,
    maxNewTokens: max_tokens,
  };
}
