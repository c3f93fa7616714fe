/**
 * What the page asks for: a completion as `lib/serve` reads it, and the methods that made the text before.
 *
 * `earlier: [{ until: 5, vllm_xargs: { moi_beta: 1 } }]` is the method of the first five tokens; that of the request
 * itself makes what is fed from there on.
 *
 * @module
 */

import { isObject } from "../_check.ts";
import { inFields, refused } from "../serve/error.ts";
import { methodFieldOf, methodOf } from "../serve/method_fields.ts";
import { type Asked, readRequest } from "../serve/request.ts";
import { type Part, switched } from "./switched.ts";

/** Most methods of one text. */
const MOST = 64;

/** Candidates and tokens of a mixture that are told of each step. */
export const TOLD = 8;

/** Fields of `lib/serve` that say in which form a text is told. */
const NOT_TOLD = ["stream", "stream_options", "logprobs", "top_logprobs", "return_token_ids"];

/** The methods of the beginning, in their order. */
function earlierIn(
  value: unknown,
): readonly { readonly until: number; readonly method: Part["method"] }[] {
  const rule = `be a list of up to ${MOST} parts, each of 'until', rising from 1, and 'vllm_xargs'`;
  if (!Array.isArray(value) || value.length > MOST) throw refused("earlier", rule, value);
  let before = 0;
  return value.map((part: unknown) => {
    const { until, vllm_xargs: fields, ...more } = isObject(part) ? part : {};
    const isNext = Number.isSafeInteger(until) && until as number > before;
    if (!isNext || !isObject(fields) || Object.keys(more).length > 0) {
      throw refused("earlier", rule, part);
    }
    before = until as number;
    return { until: before, method: inFields(methodFieldOf, () => methodOf(fields)) };
  });
}

/**
 * Reads a request of the page.
 *
 * @param body Its JSON, which may be anything.
 * @param model Name of the model.
 * @throws {ServeError} Naming the field that is refused.
 */
export function readAsked(body: unknown, model: string): Asked {
  if (!isObject(body)) throw refused("body", "be a JSON object", body);
  const { earlier = [], ...own } = body;
  for (const name of NOT_TOLD) {
    if (name in own) throw refused(name, "be left out, as each token is told", own[name]);
  }
  const asked = readRequest("messages" in own ? "chat" : "completions", own, model);
  if (asked.n !== 1 || asked.prompts.length !== 1) {
    throw refused("n", "be 1, of one prompt", asked.n);
  }
  const parts = earlierIn(earlier);
  const ends = parts.map(({ until }) => until);
  const methods = [...parts.map(({ method }) => method), asked.method];
  const method = switched(methods.map((method, i) => ({ from: ends[i - 1] ?? 0, method })));
  return { ...asked, method, alternatives: TOLD };
}
