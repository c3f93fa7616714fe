/**
 * Python's values and types, as templates see them: `int` is a bigint, `float` a number, `list` an
 * array, and what JavaScript has no like of is an object with a kind. A table holds what each type is
 * called, how long its values are, what is in them, how they are printed and which are one key of a
 * dict. No property of a JavaScript object is ever reached by a name that a template gives.
 *
 * @module
 */

import { joined, MAX_RANGE, spend } from "./limits.ts";
import { floatText, integerText } from "./numbers.ts";

/** A value of a template. */
export type Value = null | boolean | bigint | number | string | readonly Value[] | Kind;

interface Kinds {
  /** A `tuple`; of a named one the names of its items. */
  readonly tuple: { readonly items: readonly Value[]; readonly names?: readonly string[] };
  /** A `dict`: entries by what makes keys equal. */
  readonly dict: { readonly entries: Map<unknown, Entry> };
  readonly range: Readonly<Record<"start" | "stop" | "step", bigint>> & { readonly length: number };
  /** What `keys()`, `values()` and `items()` return. */
  readonly view: { readonly of: "keys" | "values" | "items"; readonly dict: Dict };
  /** A generator or iterator: it can be read once. */
  readonly iterator: { readonly source: Iterator<Value> };
  /** Text that counts as escaped: what is added to it is escaped. */
  readonly markup: { readonly text: string };
  /** What a name or an attribute is that is not there; why is told where it is used. */
  readonly undefined: { readonly why: string };
  /** A function, or an object with attributes. */
  readonly thing: {
    readonly name: string;
    readonly get?: (name: string) => Value | undefined;
    readonly call?: (args: readonly Value[], named: Named) => Value;
    /** How it is printed; absent where Python prints an address. */
    readonly text?: () => string;
    /** Its length, where it has one. */
    readonly length?: () => number;
    /** Where it is a namespace: its values. */
    readonly values?: Map<string, Value>;
  };
}

/** A value that is an object, of one kind or of any. */
export type Kind<K extends keyof Kinds = keyof Kinds> = {
  [Name in K]: { readonly kind: Name } & Kinds[Name];
}[K];
export type Dict = Kind<"dict">;
export type Thing = Kind<"thing">;
export type Entry = readonly [Value, Value];
/** Arguments by name. */
export type Named = ReadonlyMap<string, Value>;

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** The value where it has this kind. */
export function kinded<K extends keyof Kinds>(value: Value, kind: K): Kind<K> | undefined {
  const found = typeof value === "object" && value !== null && !isList(value) ? value : undefined;
  return found?.kind === kind ? found as unknown as Kind<K> : undefined;
}

export const entriesOf = (value: Value): readonly Entry[] | undefined =>
  kinded(value, "dict")?.entries.values().toArray();
/** A list or tuple as its items. */
export const itemsOf = (value: Value): readonly Value[] | undefined =>
  isList(value) ? value : kinded(value, "tuple")?.items;
/** The text of a `str`, escaped or not. */
export const textOf = (value: Value): string | undefined =>
  typeof value === "string" ? value : kinded(value, "markup")?.text;

export const isUndefined = (value: Value): boolean => kinded(value, "undefined") !== undefined;
export const undefinedValue = (why: string): Value => ({ kind: "undefined", why });
/** A value that may be absent, and why it is. */
export const orUndefined = (value: Value | undefined, why: string): Value =>
  value === undefined ? undefinedValue(why) : value;
export const tuple = (...items: readonly Value[]): Kind<"tuple"> => ({ kind: "tuple", items });
export const iter = (source: Iterator<Value>): Value => ({ kind: "iterator", source });
export const markup = (text: string): Value => ({ kind: "markup", text });
export const thing = (name: string, call: Thing["call"] & object): Thing => {
  return { kind: "thing", name, call };
};
/** An object with attributes. */
export function thingWith(name: string, own: Readonly<Record<string, () => Value>>): Thing {
  return { kind: "thing", name, get: (key) => Object.hasOwn(own, key) ? own[key]!() : undefined };
}

/** The number that a number or bool is. */
export function numberOf(value: Value): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  return typeof value === "boolean" ? BigInt(value) : undefined;
}

/** Python's white space, inside a character class. */
export const BLANKS =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** The characters of a text, as Python counts them, and how many they are. */
export const characters = (value: string): readonly string[] => Array.from(value);

/** Whether a text is as long in Python as in JavaScript. */
export const isPlain = (value: string): boolean => !/[\ud800-\udfff]/.test(value);
export const textLength = (value: string): number =>
  isPlain(value) ? value.length : characters(value).length;

export function range(start: bigint, stop: bigint, step: bigint): Kind<"range"> {
  if (step === 0n) throw new RangeError("range() arg 3 must not be zero");
  const span = step > 0n ? stop - start + step - 1n : start - stop - step - 1n;
  const count = span <= 0n ? 0n : span / (step > 0n ? step : -step);
  if (count > MAX_RANGE) throw new RangeError(`range() is longer than ${MAX_RANGE}`);
  return { kind: "range", start, stop, step, length: Number(count) };
}

/** Types by what their values are here. */
type Types = { readonly [K in Kind["kind"]]: Kind<K> } & {
  readonly none: null;
  readonly boolean: boolean;
  readonly bigint: bigint;
  readonly number: number;
  readonly string: string;
  readonly list: readonly Value[];
};

interface Type<V> {
  readonly name: string | ((value: V) => string);
  readonly length?: (value: V) => number | undefined;
  readonly items?: (value: V) => IteratorObject<Value>;
  /** None where Python prints an address. */
  readonly repr?: (value: V) => string | undefined;
  /** What is equal for equal keys; none where no key can be. */
  readonly key?: (value: V) => unknown;
}

/** 1, 1.0 and True are one key. */
const numberKey = (value: Value) => {
  const number = numberOf(value)!;
  return `n${Number.isInteger(number) ? BigInt(number) : String(number)}`;
};
const all = (items: Iterable<Value>) => joined([...items].map(repr), ", ");

const TYPES: { readonly [T in keyof Types]: Type<Types[T]> } = {
  none: { name: "NoneType", repr: () => "None", key: () => "none" },
  boolean: { name: "bool", repr: (value) => value ? "True" : "False", key: numberKey },
  bigint: { name: "int", repr: integerText, key: numberKey },
  number: { name: "float", repr: floatText, key: numberKey },
  string: {
    name: "str",
    length: textLength,
    items: (value) => characters(value).values(),
    repr: (value) => quotedText(value),
    key: (value) => `s${value}`,
  },
  list: {
    name: "list",
    length: (items) => items.length,
    items: (items) => items.values(),
    repr: (items) => `[${all(items)}]`,
  },
  tuple: {
    name: "tuple",
    length: ({ items }) => items.length,
    items: ({ items }) => items.values(),
    repr: ({ items }) => items.length === 1 ? `(${repr(items[0]!)},)` : `(${all(items)})`,
    key: ({ items }) => `t${items.length}:${items.map(keyWithin).join("")}`,
  },
  dict: {
    name: "dict",
    length: ({ entries }) => entries.size,
    items: ({ entries }) => entries.values().map(([key]) => key),
    repr: (of) => `{${joined(entriesOf(of)!.map(([k, v]) => `${repr(k)}: ${repr(v)}`), ", ")}}`,
  },
  view: {
    name: ({ of }) => `dict_${of}`,
    length: ({ dict }) => dict.entries.size,
    items: ({ dict, of }) =>
      dict.entries.values().map(([key, item]) =>
        of === "keys" ? key : of === "values" ? item : tuple(key, item)
      ),
    repr: (view) => `dict_${view.of}([${all(iterate(view))}])`,
  },
  range: {
    name: "range",
    length: ({ length }) => length,
    *items({ start, step, length }) {
      for (let i = 0; i < length; i++) yield start + step * BigInt(i);
    },
    repr: ({ start, stop, step }) => `range(${start}, ${stop}${step === 1n ? "" : `, ${step}`})`,
  },
  iterator: {
    name: "generator",
    // a loop that ends early does not close it
    items: ({ source }) => Iterator.from({ next: () => source.next() }),
    key: (value) => value,
  },
  markup: {
    name: "Markup",
    length: ({ text }) => textLength(text),
    items: (value) => {
      throw unsupported("a loop over escaped text", value);
    },
    repr: ({ text }) => `Markup(${quotedText(text)})`,
    key: ({ text }) => `s${text}`,
  },
  undefined: {
    name: "Undefined",
    length: () => 0,
    items: () => [].values(),
    repr: () => "Undefined",
    key: () => "undefined",
  },
  thing: {
    name: ({ name }) => name,
    length: ({ length }) => length?.(),
    repr: ({ text }) => text?.(),
    key: (value) => value,
  },
};

function typeOf(value: Value): Type<Value> {
  const name = value === null
    ? "none"
    : isList(value)
    ? "list"
    : (value as Kind).kind ?? typeof value;
  return TYPES[name] as unknown as Type<Value>;
}

export function typeName(value: Value): string {
  const { name } = typeOf(value);
  return typeof name === "string" ? name : name(value);
}

/** Python's `len`; undefined where there is none. */
export const lengthOf = (value: Value): number | undefined => typeOf(value).length?.(value);

export function iterate(value: Value): IteratorObject<Value> {
  const items = typeOf(value).items?.(value);
  if (items) return items;
  throw new TypeError(`'${typeName(value)}' object is not iterable`);
}

/** All that a value iterates over. */
export function listOf(value: Value): Value[] {
  const items = [...iterate(value)];
  spend(items.length >> 3);
  return items;
}

/** All that a value iterates over, where it must be so many. */
export function unpacked(value: Value, count: number): Value[] {
  const items = listOf(value);
  if (items.length === count) return items;
  throw new TypeError(`expected ${count} values to unpack, found ${items.length}`);
}

/** A mapping, or pairs, as entries of a dict. */
export function pairsOf(value: Value): readonly Entry[] {
  return entriesOf(value) ?? listOf(value).map((pair) => unpacked(pair, 2) as [Value, Value]);
}

export function truth(value: Value): boolean {
  return value !== null && (numberOf(value) ?? lengthOf(value)) != 0;
}

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

export function repr(value: Value): string {
  spend();
  const written = typeOf(value).repr?.(value);
  if (written !== undefined) return written;
  throw new TypeError(
    `a ${typeName(value)} cannot be printed: Python writes its address (add '| list' to read it)`,
  );
}

export const str = (value: Value): string =>
  textOf(value) ?? (isUndefined(value) ? "" : repr(value));

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

/** What is equal for equal keys of a dict. */
export function keyOf(value: Value): unknown {
  const { key } = typeOf(value);
  if (key) return key(value);
  throw new TypeError(`unhashable type: '${typeName(value)}'`);
}

/** The key of an item of a tuple, with its length, so that no two tuples are one key. */
function keyWithin(item: Value): string {
  const key = keyOf(item);
  if (typeof key !== "string") throw new TypeError("a tuple of functions is no key here");
  return `${key.length}:${key}`;
}

/** A dict of entries; later ones replace earlier ones, which keep their place. */
export function dict(entries: Iterable<Entry> = []): Dict {
  const map = new Map<unknown, Entry>();
  for (const [key, value] of entries) {
    const id = keyOf(key);
    map.set(id, [map.get(id)?.[0] ?? key, value]);
  }
  return { kind: "dict", entries: map };
}

export const lookUp = ({ entries }: Dict, key: Value): Value | undefined =>
  entries.get(keyOf(key))?.[1];

/** Throws for a use of what is undefined, by its reason. */
export function defined(value: Value): Value {
  const missing = kinded(value, "undefined");
  if (missing) throw new TypeError(missing.why);
  return value;
}

export function unsupported(what: string, ...values: readonly Value[]): TypeError {
  for (const value of values) defined(value);
  return new TypeError(`${what} does not take ${values.map(typeName).join(" and ")}`);
}

export function integer(value: Value, what: string): bigint {
  const number = numberOf(value);
  if (typeof number !== "bigint") throw unsupported(what, value);
  return number;
}

/** Text that is a `str`. */
export function text(value: Value, what: string): string {
  if (typeof value !== "string") throw unsupported(what, value);
  return value;
}
