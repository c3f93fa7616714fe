/** Values as JSON, as Python writes it. @module */

import { checkSize, joined, spend } from "./limits.ts";
import { floatText, integerText } from "./numbers.ts";
import { sorted } from "./operators.ts";
import { integer, listOf, text, typeName } from "./types.ts";
import { entriesOf, itemsOf, textOf, type Value } from "./values.ts";

/** Python's `json.dumps`. */
export function json(
  value: Value,
  isAscii: boolean,
  indent: Value,
  separators: Value,
  isSorted: boolean,
): string {
  const step = indent === null || typeof indent === "string"
    ? indent
    : " ".repeat(Math.max(0, checkSize(integer(indent, "tojson's indent"))));
  const pair = separators === null ? [step === null ? ", " : ",", ": "] : listOf(separators);
  if (pair.length !== 2) throw new TypeError("tojson's separators must be two texts");
  const [comma, colon] = pair.map((one) => text(one, "tojson")) as [string, string];
  const quoted = (content: string) => {
    const code = (c: string) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
    const written = JSON.stringify(content);
    return isAscii ? written.replace(/[^\x20-\x7e]/g, code) : written;
  };
  const wrap = (open: string, parts: readonly string[], close: string, margin: string) => {
    if (parts.length === 0 || step === null) return open + joined(parts, comma) + close;
    const line = `\n${margin}${step}`;
    return `${open}${line}${joined(parts, comma + line)}\n${margin}${close}`;
  };
  const scalar = (item: Value): string | undefined => {
    if (item === null || typeof item === "boolean") return String(item);
    if (typeof item === "bigint") return integerText(item);
    if (typeof item !== "number") return undefined;
    return floatText(item).replace("nan", "NaN").replace("inf", "Infinity");
  };
  const write = (item: Value, margin: string): string => {
    spend();
    const content = textOf(item), simple = content === undefined ? scalar(item) : quoted(content);
    if (simple !== undefined) return simple;
    const within = margin + (step ?? ""), items = itemsOf(item), pairs = entriesOf(item);
    if (items) return wrap("[", items.map((part) => write(part, within)), "]", margin);
    if (!pairs) throw new TypeError(`a ${typeName(item)} cannot be written as JSON`);
    const ordered = isSorted ? sorted(pairs, ([name]) => name) : pairs;
    const members = ordered.map(([name, part]) => {
      const key = typeof name === "string" ? name : scalar(name);
      if (key === undefined) throw new TypeError(`a ${typeName(name)} is no key of JSON`);
      return quoted(key) + colon + write(part, within);
    });
    return wrap("{", members, "}", margin);
  };
  return write(value, "");
}
