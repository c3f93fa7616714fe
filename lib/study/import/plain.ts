/**
 * Texts of anybody's own harness, a line each:
 *
 *     { "id": "gsm8k/0", "text": "… 42", "finish_reason": "length" }
 *
 * `id` (a text or a number) is that of the task's problem, `text` what was generated, or null where nothing
 * was. Lines of one id are its repeats, in the order of the file. `finish_reason` may be there, and a question
 * under one of the names that tasks read: it then says which problem is meant, as tools number their
 * rows in their own way. Other fields are passed over.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";
import type { Problem } from "../../tasks/mod.ts";
import { QUESTIONS } from "../regrade.ts";
import { endOf, fault, type Found, type Line, UNGRADED } from "./_found.ts";
import { leftOut, type Result, textOf } from "./_found.ts";

/** Reads the lines of a file. */
export function plain(lines: readonly Line[], name: string): Found {
  const earlier = new Map<string, { problem: Problem; number: number; repeats: number }>();
  let errored = 0;
  const results = lines.flatMap(({ row, number }): Result[] => {
    const where = `line ${number}`, { text, finish_reason } = row;
    const id = textOf(row.id) ?? fault(where, "have an id, a text or a number");
    const end = endOf(finish_reason, where);
    if (text === null || end === undefined) {
      errored++;
      return [];
    }
    if (typeof text !== "string") return fault(where, "have a text that is a string, or null");
    const asked = QUESTIONS.filter((name) => typeof row[name] === "string");
    const problem = { ...Object.fromEntries(asked.map((name) => [name, row[name]])), id };
    const first = earlier.get(id) ?? { problem, number, repeats: 0 };
    if (!isDeepStrictEqual(first.problem, problem)) {
      return fault(where, `ask what line ${first.number} asks, as both are of '${id}'`);
    }
    earlier.set(id, { ...first, repeats: first.repeats + 1 });
    return [{ problem, repeat: first.repeats, text, grade: UNGRADED, ...end }];
  });
  if (results.length === 0) fault(name, "have a text: every line is without");
  return {
    ...{ format: "plain", task: "unknown", model: "unknown", sampler: {}, results },
    leftOut: leftOut({ errored }),
  };
}
