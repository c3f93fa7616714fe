/**
 * The choices of a request, each a request of the library.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import { type Prompt, promptTokens, type Request } from "../decode/mod.ts";
import type { Message, Model } from "../model/mod.ts";
import { inFields, refused } from "./error.ts";
import { BOUNDS } from "./protocol.ts";
import { type Asked, optionFieldOf } from "./request.ts";

/** A choice. */
export interface Choice {
  readonly index: number;
  /** Token ids of its prompt. */
  readonly prompt: readonly number[];
  readonly seed: number;
  readonly request: Request;
}

/** New tokens of a completion that says nothing of them, as OpenAI has it. */
const COMPLETION_TOKENS = 16;

/** A random seed, to which the index of a choice can be added. */
function randomSeed(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return (high! & 0xfffff) * 2 ** 32 + low!;
}

/** Characters of all texts in a value of JSON, names of fields too, and one more for each value. */
function charactersIn(value: unknown): number {
  const values = [value]; // no recursion: who sends it says how deep it is
  let count = 0;
  for (; values.length > 0; count++) {
    const own = values.pop();
    if (typeof own === "string") count += own.length;
    else if (typeof own === "object" && own !== null) {
      for (const [name, one] of Object.entries(own)) {
        if (!Array.isArray(own)) count += name.length;
        values.push(one);
      }
    }
  }
  return count;
}

/** Characters of a prompt that is text; of a conversation all that its template can write. */
function charactersOf(prompt: Prompt, chat: unknown): number {
  if (typeof prompt === "string") return prompt.length;
  if (typeof prompt[0] === "number") return 0;
  const texts = (prompt as readonly Message[]).map(({ role, content }) =>
    role.length + content.length
  );
  return texts.reduce((a, b) => a + b, 0) + (chat === undefined ? 0 : charactersIn(chat));
}

/** Token ids of a prompt that fits. */
function tokensOf(model: Model, { route, options }: Asked, prompt: Prompt, length: number) {
  const fieldOf = optionFieldOf(route), most = length * BOUNDS.charactersPerToken;
  const characters = charactersOf(prompt, options.chat);
  if (characters > most) {
    const rule = `have at most ${most} characters, as the context has ${length} tokens`;
    throw refused(fieldOf("prompt", "complete"), rule, characters);
  }
  const ids = inFields(fieldOf, () => promptTokens(model, prompt, options.chat));
  if (ids.length > 0 && ids.length < length) return ids;
  const rule = `have 1 to ${length - 1} tokens, as the context has ${length}`;
  throw refused(fieldOf("prompt", "complete"), rule, ids.length);
}

/** The most new tokens of a prompt. */
function budgetOf(model: Model, { route, maxTokens }: Asked, prompt: number, length: number) {
  const room = length - prompt + 1;
  const usual = route === "chat" ? model.defaults.maxNewTokens ?? room : COMPLETION_TOKENS;
  if (maxTokens === undefined) return Math.min(usual, room);
  if (maxTokens <= room) return maxTokens;
  const rule = `be at most ${room}, as the prompt has ${prompt} tokens and the context ${length}`;
  throw refused("max_tokens", rule, maxTokens);
}

/**
 * The choices of a request. Many or long prompts leave the event loop its turns.
 *
 * @param length Tokens of the context.
 * @param signal Ends them.
 * @throws {ServeError} Where a prompt is none, or does not fit.
 */
export async function choicesOf(
  model: Model,
  asked: Asked,
  length: number,
  signal: AbortSignal,
): Promise<Choice[]> {
  const { prompts, n, options, method, alternatives } = asked, choices: Choice[] = [];
  const { chat: _, ...settings } = options;
  const trace = alternatives === undefined ? {} : { trace: { top: Math.max(1, alternatives) } };
  for (const own of prompts) {
    if (choices.length > 0) await setImmediate();
    const prompt = tokensOf(model, asked, own, length);
    const maxNewTokens = budgetOf(model, asked, prompt.length, length);
    const first = asked.seed ?? randomSeed();
    for (let i = 0; i < n; i++) {
      const seed = first + i, known = { prompt, method, maxNewTokens, seed, signal };
      const request = { ...settings, ...trace, ...known };
      choices.push({ index: choices.length, prompt, seed, request });
    }
  }
  return choices;
}
