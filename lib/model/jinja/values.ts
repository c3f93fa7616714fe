/**
 * Python's values, as templates see them: `int` is a bigint, `float` a number, `list` an array, and
 * what JavaScript has no like of is an object with a kind. No property of a JavaScript object is ever
 * reached by a name that a template gives.
 *
 * @module
 */

/** A value of a template. */
export type Value = null | boolean | bigint | number | string | readonly Value[] | Kind;

interface Kinds {
  /** A `tuple`; of a named one the names of its items. */
  readonly tuple: { readonly items: readonly Value[]; readonly names?: readonly string[] };
  /** A `dict`: entries by what makes keys equal. */
  readonly dict: { readonly entries: Map<unknown, Entry> };
  /** A `range`. */
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
    /** What it is, for messages. */
    readonly name: string;
    /** Its attributes. */
    readonly get?: (name: string) => Value | undefined;
    /** Calls it. */
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
/** Key and value. */
export type Entry = readonly [Value, Value];
/** Arguments by name. */
export type Named = ReadonlyMap<string, Value>;

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** The value where it has this kind. */
export function kinded<K extends keyof Kinds>(value: Value, kind: K): Kind<K> | undefined {
  const found = typeof value === "object" && value !== null && !isList(value) ? value : undefined;
  return found?.kind === kind ? found as unknown as Kind<K> : undefined;
}

/** The entries of a dict. */
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
export const tuple = (...items: readonly Value[]): Kind<"tuple"> => ({ kind: "tuple", items });
export const iter = (source: Iterator<Value>): Value => ({ kind: "iterator", source });
export const markup = (text: string): Value => ({ kind: "markup", text });
/** A function of Python. */
export const thing = (name: string, call: NonNullable<Thing["call"]>): Thing => {
  return { kind: "thing", name, call };
};
/** An object with attributes. */
export const thingWith = (
  name: string,
  attributes: Readonly<Record<string, () => Value>>,
): Thing => ({
  kind: "thing",
  name,
  get: (asked) => Object.hasOwn(attributes, asked) ? attributes[asked]!() : undefined,
});

/** The number that a number or bool is. */
export function numberOf(value: Value): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  return typeof value === "boolean" ? BigInt(value) : undefined;
}

/** Python's white space, inside a character class. */
export const BLANKS =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** The characters of a text, as Python counts them. */
export const characters = (value: string): readonly string[] => Array.from(value);

/** Whether a text is as long in Python as in JavaScript. */
export const isPlain = (value: string): boolean => !/[\ud800-\udfff]/.test(value);
/** Python's `len` of a text. */
export const textLength = (value: string): number =>
  isPlain(value) ? value.length : characters(value).length;

/** The longest `range`, as in jinja2's sandbox. */
const MAX_RANGE = 100_000;

/** Python's `range`. */
export function range(start: bigint, stop: bigint, step: bigint): Kind<"range"> {
  if (step === 0n) throw new RangeError("range() arg 3 must not be zero");
  const span = step > 0n ? stop - start + step - 1n : start - stop - step - 1n;
  const count = span <= 0n ? 0n : span / (step > 0n ? step : -step);
  if (count > MAX_RANGE) throw new RangeError(`range() is longer than ${MAX_RANGE}`);
  return { kind: "range", start, stop, step, length: Number(count) };
}
