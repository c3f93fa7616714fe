/**
 * Outputs of batches, as OpenAI's API and `vllm run-batch` write them, a line per request:
 *
 *     { custom_id, response: { status_code, body: { model, choices: [{ index, finish_reason,
 *       message: { content } | text }] } } | null, error }
 *
 * `custom_id` is the id of the task's problem; choices are its repeats. A request that failed (an error, no
 * response, a status other than 200) is left out and counted, and so is a choice that its server gave up
 * (`abort`, `error`). Where a request was sent again after it had failed, the answer counts.
 *
 * Checked on a file that `vllm run-batch` 0.32.0 wrote.
 *
 * @module
 */

import { isObject } from "../../_check.ts";
import { endOf, fault, type Found, type Line, UNGRADED } from "./_found.ts";
import { type Json, leftOut, type Result, textOf } from "./_found.ts";

/** The answer to a request; undefined where it failed. */
function bodyOf(row: Json, where: string): Json | undefined {
  const { response, error } = row;
  if (response === undefined && error === undefined) {
    return fault(where, "have a response: it is of the requests of a batch, not of their output");
  }
  const failed = error !== undefined && error !== null;
  if (failed || response === null || response === undefined) return undefined;
  if (!isObject(response)) return fault(where, "have an object as response");
  const { status_code = 200, body } = response;
  if (status_code !== 200) return undefined;
  return isObject(body) ? body : fault(where, "have a body in its response");
}

/** The text of a choice: of a message without content (a thought that was cut, a call of a tool) none. */
function contentOf(choice: Json, where: string): string {
  const { message, text } = choice;
  const content = isObject(message) ? message.content ?? "" : text;
  return typeof content === "string" ? content : fault(where, "have a text in each choice");
}

/** Reads the lines of a file. */
export function openAiBatch(lines: readonly Line[], name: string): Found {
  const seen = new Map<string, number>(), models = new Set<string>();
  let errored = 0;
  const results = lines.flatMap(({ row, number }): Result[] => {
    const where = `line ${number}`;
    const id = textOf(row.custom_id) ?? fault(where, "have a custom_id");
    const body = bodyOf(row, where);
    if (body === undefined) {
      errored++;
      return [];
    }
    const earlier = seen.get(id);
    if (earlier !== undefined) return fault(where, `not answer '${id}' of line ${earlier} again`);
    seen.set(id, number);
    models.add(textOf(body.model) ?? "unknown");
    const { choices } = body;
    if (!Array.isArray(choices) || choices.length === 0 || !choices.every(isObject)) {
      return fault(where, "have choices, as answers of completions and of chats have");
    }
    const taken = new Set<number>();
    return choices.flatMap((choice, i): Result[] => {
      const { index = i, finish_reason } = choice, end = endOf(finish_reason, where);
      if (!Number.isSafeInteger(index) || (index as number) < 0 || taken.has(index as number)) {
        return fault(where, "number its choices from 0, each once");
      }
      taken.add(index as number);
      const text = contentOf(choice, where);
      if (end !== undefined) {
        return [{ problem: { id }, repeat: index as number, text, grade: UNGRADED, ...end }];
      }
      errored++;
      return [];
    });
  });
  if (results.length === 0) fault(name, "have an answer: every request failed");
  const [model, ...others] = models;
  return {
    ...{ format: "openai-batch", task: "unknown", sampler: {}, results },
    model: others.length === 0 ? model! : "unknown",
    leftOut: leftOut({ errored }),
  };
}
