/**
 * Sets of real numbers as answers name, build and join them.
 *
 * @module
 */

import { enclosed, split } from "./brackets.ts";
import * as reals from "./reals.ts";
import type { Reals } from "./reals.ts";
import { fraction } from "./tree.ts";
import { type Reader, realsOf, type Value } from "./value.ts";

/** Most sets that are joined. */
const MOST = 20;

export function namedSet(text: string): Value | undefined {
  const own = text.trim().replace(/\s+/g, " ");
  if (/^\\mathbb\s?\{R\}$|^all reals$|^all real numbers$/i.test(own)) {
    return { kind: "reals", intervals: reals.ALL };
  }
  if (/^\\mathbb\s?\{R\}\s?(?:\^|_)\s?\{?\+\}?$/.test(own)) {
    return { kind: "reals", intervals: [reals.ray({ value: fraction(0), open: true }, true)] };
  }
  return /^\\emptyset$|^\\\{ ?\\\}$|^no (?:real )?solutions?$/i.test(own)
    ? { kind: "set", items: [] }
    : undefined;
}

/** x ∈ S, unions, intersections, differences, {x | x > 2}. */
export function setOf(text: string, { read }: Reader): Value | undefined {
  const marked = text.replace(/\\cup(?![a-zA-Z])/g, "∪").replace(/\\cap(?![a-zA-Z])/g, "∩")
    .replace(/\\setminus(?![a-zA-Z])/g, "∖")
    .replace(/^((?:[a-zA-Z] ?\\in ?)?\\mathbb\s?\{R\}) ?[-\\] ?(?=\\\{)/, "$1∖");
  const isOne = split(marked, ",;∨∧").marks.length === 0;
  const member = /^([a-zA-Z]|\\[a-z]+|\([a-z, ]+\)) ?\\in(?![a-zA-Z]) ?/.exec(marked);
  if (member && isOne) {
    const own = read(marked.slice(member[0].length)), intervals = realsOf(own);
    return intervals && own.kind !== "set" ? { kind: "reals", intervals, name: member[1]! } : own;
  }
  for (const mark of isOne ? "∪∖∩" : "") {
    const { parts, marks } = split(marked, mark);
    if (marks.length === 0 || marks.length > MOST || parts.includes("")) continue;
    const values = parts.map(read);
    return mark === "∪" ? unionOf(values) : narrowed(values, mark === "∖");
  }
  const builder = /^\\\{ ?([a-zA-Z]) ?(?:\\in ?\\mathbb\s?\{R\} ?)?[:|] ?([\s\S]+?) ?\\\}$/.exec(
    marked,
  );
  if (!builder || !enclosed(marked)) return undefined;
  const own = read(builder[2]!);
  return own.kind === "reals" ? { kind: "reals", intervals: own.intervals } : undefined;
}

function unionOf(values: readonly Value[]): Value {
  const sets = values.map(realsOf);
  if (sets.includes(undefined)) {
    const parts = values.flatMap((own) => own.kind === "union" ? own.parts : [own]);
    return { kind: "union", parts };
  }
  return values.every(({ kind }) => kind === "set")
    ? { kind: "set", items: values.flatMap((own) => "items" in own ? own.items : []) }
    : { kind: "reals", intervals: (sets as Reals[]).flat() };
}

/** What is in the first set and in no other, or in all. */
function narrowed(values: readonly Value[], without: boolean): Value | undefined {
  const sets = values.map(realsOf);
  const intervals = reals.intersection(
    sets.map((own, i) => own && without && i > 0 ? reals.complement(own) : own),
  );
  return intervals && { kind: "reals", intervals };
}
