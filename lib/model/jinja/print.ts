/** How Python prints values: `repr`, `str`, JSON. @module */

import { checkSize, joined, spend } from "./limits.ts";
import { floatText, integerText } from "./numbers.ts";
import { iterate, listOf, sorted } from "./python.ts";
import {
  characters,
  entriesOf,
  integer,
  isList,
  isUndefined,
  itemsOf,
  type Kind,
  kinded,
  text,
  textOf,
  typeName,
  unsupported,
  type Value,
} from "./values.ts";

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Python's `repr` of a text, or its `ascii`. */
function quotedText(value: string, ascii = false): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escape = (c: string) => {
    if (c === quote || c === "\\") return `\\${c}`;
    if (Object.hasOwn(SHORT, c)) return SHORT[c]!;
    const code = c.codePointAt(0)!, hex = code.toString(16);
    if (ascii ? code >= 32 && code < 127 : c === " " || !/[\p{C}\p{Z}]/u.test(c)) return c;
    if (code < 256) return `\\x${hex.padStart(2, "0")}`;
    return code < 65536 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  };
  return `${quote}${characters(value).map(escape).join("")}${quote}`;
}

/** Python's `ascii` of a text; of other values their `repr`. */
export const asciiText = (value: Value): string =>
  typeof value === "string" ? quotedText(value, true) : repr(value);

const all = (items: Iterable<Value>) => joined([...items].map(repr), ", ");

/** Python's `repr` of what is an object here, by its kind; none where it is an address. */
const REPRS: { readonly [K in Kind["kind"]]: (value: Kind<K>) => string | undefined } = {
  tuple: ({ items }) => items.length === 1 ? `(${repr(items[0]!)},)` : `(${all(items)})`,
  dict: (of) => `{${joined(entriesOf(of)!.map(([k, v]) => `${repr(k)}: ${repr(v)}`), ", ")}}`,
  view: (of) => `dict_${of.of}([${all(iterate(of))}])`,
  range: ({ start, stop, step }) => `range(${start}, ${stop}${step === 1n ? "" : `, ${step}`})`,
  undefined: () => "Undefined",
  markup: ({ text }) => `Markup(${quotedText(text)})`,
  thing: ({ text }) => text?.(),
  iterator: () => undefined,
};

/** Python's `repr`. */
export function repr(value: Value): string {
  spend();
  if (typeof value === "string") return quotedText(value);
  if (value === null || typeof value !== "object") return str(value);
  if (isList(value)) return `[${all(value)}]`;
  const written = (REPRS[value.kind] as (value: Value) => string | undefined)(value);
  if (written !== undefined) return written;
  throw new TypeError(
    `a ${typeName(value)} cannot be printed: Python writes its address (add '| list' to read it)`,
  );
}

/** Python's `str`. */
export function str(value: Value): string {
  const written = textOf(value);
  if (written !== undefined) return written;
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "bigint") return integerText(value);
  if (typeof value === "number") return floatText(value);
  return isUndefined(value) ? "" : repr(value);
}

/** The text that a filter of texts works on; escaped text is refused, as it would stay escaped. */
export function soft(value: Value): string {
  if (kinded(value, "markup")) throw unsupported("a filter of texts", value);
  return str(value);
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" },
};

/** The value as text in which the characters of HTML are escaped, as markupsafe does. */
export const escaped = (value: Value): string =>
  kinded(value, "markup")?.text ?? str(value).replace(/[&<>"']/g, (c) => ENTITIES[c]!);

/** Options of {@linkcode json}, as `json.dumps` has them. */
export interface JsonOptions {
  readonly ensureAscii: boolean;
  readonly indent: Value;
  readonly separators: Value;
  readonly sortKeys: boolean;
}

/** Python's `json.dumps`. */
export function json(value: Value, options: JsonOptions): string {
  const { indent, separators } = options;
  const step = indent === null || typeof indent === "string"
    ? indent
    : " ".repeat(Math.max(0, checkSize(integer(indent, "tojson's indent"))));
  const pair = separators === null ? [step === null ? ", " : ",", ": "] : listOf(separators);
  if (pair.length !== 2) throw new TypeError("tojson's separators must be two texts");
  const [comma, colon] = pair.map((one) => text(one, "tojson")) as [string, string];
  const quoted = (content: string) => {
    const code = (c: string) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
    const written = JSON.stringify(content);
    return options.ensureAscii ? written.replace(/[^\x20-\x7e]/g, code) : written;
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
    const ordered = options.sortKeys ? sorted(pairs, ([name]) => name) : pairs;
    const members = ordered.map(([name, part]) => {
      const key = typeof name === "string" ? name : scalar(name);
      if (key === undefined) throw new TypeError(`a ${typeName(name)} is no key of JSON`);
      return quoted(key) + colon + write(part, within);
    });
    return wrap("{", members, "}", margin);
  };
  return write(value, "");
}
