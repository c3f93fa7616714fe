/**
 * Python's values, as templates see them: `int` is a bigint, `float` a number, `list` an array, and
 * what JavaScript has no like of is an object with a kind. No property of a JavaScript object is ever
 * reached by a name that a template gives.
 *
 * @module
 */

/** A value of a template. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | readonly Value[]
  | Tuple
  | Dict
  | Range
  | View
  | Iter
  | Markup
  | Undefined
  | Thing;

/** A `tuple`; of a named one the names of its items. */
export interface Tuple {
  readonly kind: "tuple";
  readonly items: readonly Value[];
  readonly names?: readonly string[];
}

/** A `dict`: entries by what makes keys equal. */
export interface Dict {
  readonly kind: "dict";
  readonly entries: Map<unknown, readonly [Value, Value]>;
}

/** A `range`. */
export interface Range {
  readonly kind: "range";
  readonly start: bigint;
  readonly stop: bigint;
  readonly step: bigint;
  readonly length: number;
}

/** What `keys()`, `values()` and `items()` return. */
export interface View {
  readonly kind: "view";
  readonly of: "keys" | "values" | "items";
  readonly dict: Dict;
}

/** A generator or iterator: it can be read once. */
export interface Iter {
  readonly kind: "iterator";
  readonly source: Iterator<Value>;
}

/** Text that counts as escaped: what is added to it is escaped. */
export interface Markup {
  readonly kind: "markup";
  readonly text: string;
}

/** What a name or an attribute is that is not there; why is told where it is used. */
export interface Undefined {
  readonly kind: "undefined";
  readonly why: string;
}

/** Arguments by name. */
export type Named = ReadonlyMap<string, Value>;

/** A function, or an object with attributes. */
export interface Thing {
  readonly kind: "thing";
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
}

/** Values that are objects with a kind. */
export type Kinded = Extract<Value, { readonly kind: string }>;

/** The largest text, list or number of digits that an operation may make. */
export const MAX_SIZE = 2 ** 24;
/** The longest `range`, as in jinja2's sandbox. */
const MAX_RANGE = 100_000;

/** Work that a template may do: about one a node of its tree that is run, or a value looked at. */
const MAX_STEPS = 10_000_000;
/** Steps left to the template that runs: one runs at a time, from its start to its end. */
let left = 0;

/** Runs a template within its steps. */
export function metered<T>(run: () => T): T {
  left = MAX_STEPS;
  return run();
}

/** Takes steps off those that are left. */
export function spend(steps = 1): void {
  left -= steps;
  if (left < 0) throw new RangeError(`the template takes more than ${MAX_STEPS} steps`);
}

/** Refuses a size before anything of that size is made. */
export function checkSize(size: number | bigint): number {
  if (size > MAX_SIZE) throw new RangeError(`the template makes more than ${MAX_SIZE} characters`);
  return Number(size);
}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** The value where it has this kind. */
export function kinded<K extends Kinded["kind"]>(
  value: Value,
  kind: K,
): Extract<Kinded, { readonly kind: K }> | undefined {
  const found = typeof value === "object" && value !== null && !isList(value) ? value : undefined;
  return found?.kind === kind ? found as Extract<Kinded, { readonly kind: K }> : undefined;
}

export const isUndefined = (value: Value) => kinded(value, "undefined") !== undefined;
export const undefinedValue = (why: string): Undefined => ({ kind: "undefined", why });
export const tuple = (...items: readonly Value[]): Tuple => ({ kind: "tuple", items });
export const iter = (source: Iterator<Value>): Iter => ({ kind: "iterator", source });

/** A function of Python. */
export function thing(name: string, call: NonNullable<Thing["call"]>): Thing {
  return { kind: "thing", name, call };
}

/** Python's name of a value's type. */
export function typeName(value: Value): string {
  if (value === null) return "NoneType";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "float";
    case "string":
      return "str";
  }
  if (isList(value)) return "list";
  switch (value.kind) {
    case "undefined":
      return "Undefined";
    case "view":
      return `dict_${value.of}`;
    case "iterator":
      return "generator";
    case "markup":
      return "Markup";
    case "thing":
      return value.name;
    default:
      return value.kind;
  }
}

/** Throws for a use of what is undefined, by its reason. */
export function defined(value: Value): Value {
  const missing = kinded(value, "undefined");
  if (missing) throw new TypeError(missing.why);
  return value;
}

/** An error as Python's TypeError. */
export function unsupported(what: string, ...values: readonly Value[]): TypeError {
  for (const value of values) defined(value);
  return new TypeError(`${what} does not take ${values.map(typeName).join(" and ")}`);
}

/** What is equal for equal keys: 1, 1.0 and True are one key. */
function keyOf(value: Value): unknown {
  if (value === null) return "none";
  if (typeof value === "string") return `s${value}`;
  const number = numberOf(value);
  if (number !== undefined) {
    return `n${
      typeof number === "number" && Number.isInteger(number) ? BigInt(number) : String(number)
    }`;
  }
  const items = kinded(value, "tuple")?.items;
  if (items) return `t${items.length}:${items.map((item) => lengthFirst(keyOf(item))).join("")}`;
  if (kinded(value, "markup")) return `s${kinded(value, "markup")!.text}`;
  if (isUndefined(value)) return "undefined";
  if (kinded(value, "thing") || kinded(value, "iterator")) return value;
  throw new TypeError(`unhashable type: '${typeName(value)}'`);
}

function lengthFirst(key: unknown): string {
  if (typeof key !== "string") throw new TypeError("a tuple of functions is no key here");
  return `${key.length}:${key}`;
}

/** A dict of entries; later ones replace earlier ones, which keep their place. */
export function dict(entries: Iterable<readonly [Value, Value]> = []): Dict {
  const map = new Map<unknown, readonly [Value, Value]>();
  for (const [key, value] of entries) {
    const id = keyOf(key);
    map.set(id, [map.get(id)?.[0] ?? key, value]);
  }
  return { kind: "dict", entries: map };
}

/** The value at a key; undefined where there is none. */
export function lookUp({ entries }: Dict, key: Value): Value | undefined {
  return entries.get(keyOf(key))?.[1];
}

/** The number that a number or bool is. */
export function numberOf(value: Value): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  return undefined;
}

/** An integer, for an argument that must be one. */
export function integer(value: Value, what: string): bigint {
  const number = numberOf(value);
  if (typeof number !== "bigint") throw unsupported(what, value);
  return number;
}

/** Text, for an argument that must be a `str`. */
export function text(value: Value, what: string): string {
  if (typeof value !== "string") throw unsupported(what, value);
  return value;
}

/** The characters of a text, as Python counts them. */
export function characters(value: string): readonly string[] {
  return Array.from(value);
}

/** Whether a text is as long in Python as in JavaScript. */
const plain = (value: string) => !/[\ud800-\udfff]/.test(value);

/** Python's `len` of a text. */
export function textLength(value: string): number {
  return plain(value) ? value.length : characters(value).length;
}

/** Python's `range`. */
export function range(start: bigint, stop: bigint, step: bigint): Range {
  if (step === 0n) throw new RangeError("range() arg 3 must not be zero");
  const span = step > 0n ? stop - start + step - 1n : start - stop - step - 1n;
  const count = span <= 0n ? 0n : span / (step > 0n ? step : -step);
  if (count > MAX_RANGE) throw new RangeError(`range() is longer than ${MAX_RANGE}`);
  return { kind: "range", start, stop, step, length: Number(count) };
}

/** What iterating a value gives. */
export function iterate(value: Value): IteratorObject<Value> {
  if (typeof value === "string") return characters(value)[Symbol.iterator]();
  if (value !== null && typeof value === "object") {
    if (isList(value)) return value[Symbol.iterator]();
    switch (value.kind) {
      case "tuple":
        return value.items[Symbol.iterator]();
      case "dict":
        return value.entries.values().map(([key]) => key);
      case "view":
        return value.dict.entries.values().map(([key, item]) =>
          value.of === "keys" ? key : value.of === "values" ? item : tuple(key, item)
        );
      case "range":
        return rangeItems(value);
      case "iterator":
        return Iterator.from(reading(value.source));
      case "undefined":
        return [][Symbol.iterator]();
      case "markup":
        throw unsupported("a loop over escaped text", value);
    }
  }
  throw new TypeError(`'${typeName(value)}' object is not iterable`);
}

/** Reads on where it was left: a loop that ends early does not close it. */
const reading = (source: Iterator<Value>): Iterator<Value> => ({ next: () => source.next() });

function* rangeItems({ start, step, length }: Range): Generator<Value, undefined> {
  for (let i = 0; i < length; i++) yield start + step * BigInt(i);
}

/** All that a value iterates over. */
export function listOf(value: Value): Value[] {
  const items = [...iterate(value)];
  spend(items.length >> 3);
  return items;
}

/** Python's `len`; undefined where there is none. */
export function lengthOf(value: Value): number | undefined {
  if (typeof value === "string") return textLength(value);
  if (value === null || typeof value !== "object") return undefined;
  if (isList(value)) return value.length;
  switch (value.kind) {
    case "tuple":
      return value.items.length;
    case "dict":
      return value.entries.size;
    case "view":
      return value.dict.entries.size;
    case "range":
      return value.length;
    case "markup":
      return textLength(value.text);
    case "undefined":
      return 0;
    case "thing":
      return value.length?.();
    default:
      return undefined;
  }
}

/** Python's truth. */
export function truth(value: Value): boolean {
  const number = numberOf(value);
  if (number !== undefined) return number != 0;
  return value !== null && lengthOf(value) !== 0;
}

/** A list or tuple as its items. */
export function itemsOf(value: Value): readonly Value[] | undefined {
  return isList(value) ? value : kinded(value, "tuple")?.items;
}

/** Python's `==`. */
export function equal(a: Value, b: Value): boolean {
  spend();
  if (a === b && typeof a !== "number") return true;
  const x = numberOf(a), y = numberOf(b);
  if (x !== undefined || y !== undefined) return x !== undefined && y !== undefined && x == y;
  const s = kinded(a, "markup")?.text ?? a, t = kinded(b, "markup")?.text ?? b;
  if (typeof s === "string" || typeof t === "string") return s === t;
  if (isUndefined(a) && isUndefined(b)) return true;
  const many = itemsOf(a), others = itemsOf(b);
  if (many && others) {
    return isList(a) === isList(b) && many.length === others.length &&
      many.every((item, i) => equal(item, others[i]!));
  }
  const first = kinded(a, "dict")?.entries, second = kinded(b, "dict")?.entries;
  if (first && second) {
    return first.size === second.size && first.entries().every(([key, [, item]]) => {
      const other = second.get(key);
      return other !== undefined && equal(item, other[1]);
    });
  }
  if (kinded(a, "range") && kinded(b, "range") || kinded(a, "view") && kinded(b, "view")) {
    throw unsupported("a comparison", a, b);
  }
  return false;
}

/** Texts in the order of their code points. */
function compareText(a: string, b: string): number {
  if (plain(a) && plain(b)) return a < b ? -1 : a > b ? 1 : 0;
  const s = characters(a), t = characters(b);
  for (let i = 0; i < s.length && i < t.length; i++) {
    const difference = s[i]!.codePointAt(0)! - t[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return s.length - t.length;
}

/** Python's order: negative, 0 or positive; NaN where neither is less nor equal. */
export function compare(a: Value, b: Value): number {
  spend();
  const x = numberOf(a), y = numberOf(b);
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : x == y ? 0 : NaN;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  const many = itemsOf(a), others = itemsOf(b);
  if (many && others && isList(a) === isList(b)) {
    for (let i = 0; i < many.length && i < others.length; i++) {
      if (!equal(many[i]!, others[i]!)) return compare(many[i]!, others[i]!);
    }
    return many.length - others.length;
  }
  throw unsupported("a comparison by order", a, b);
}

/** Python's `sorted`: stable, also in reverse. */
export function sorted<T>(
  items: readonly T[],
  keyOf: (item: T) => Value,
  reverse: boolean,
): T[] {
  return items.map((item) => ({ item, key: keyOf(item) }))
    .sort((a, b) => (reverse ? compare(b.key, a.key) : compare(a.key, b.key)) || 0)
    .map(({ item }) => item);
}

/** Python's `in`. */
export function contains(container: Value, item: Value): boolean {
  if (typeof container === "string") return container.includes(text(item, "'in' of a text"));
  const entries = kinded(container, "dict")?.entries;
  if (entries) return entries.has(keyOf(item));
  for (const other of iterate(container)) if (equal(other, item)) return true;
  return false;
}

/** Index counted from the end where negative; undefined outside. */
function place(index: bigint, length: number): number | undefined {
  const at = index < 0n ? index + BigInt(length) : index;
  return at >= 0n && at < length ? Number(at) : undefined;
}

/** `of[key]`; undefined where Python raises a TypeError or LookupError. */
export function subscript(of: Value, key: Value): Value | undefined {
  defined(of);
  const entries = kinded(of, "dict");
  if (entries) return isList(key) || kinded(key, "dict") ? undefined : lookUp(entries, key);
  const index = numberOf(key);
  if (typeof index !== "bigint") return undefined;
  if (typeof of === "string") {
    const all = plain(of) ? of : characters(of), at = place(index, all.length);
    return at === undefined ? undefined : all[at];
  }
  const steps = kinded(of, "range");
  if (steps) {
    const at = place(index, steps.length);
    return at === undefined ? undefined : steps.start + steps.step * BigInt(at);
  }
  if (kinded(of, "markup")) throw unsupported("an index", of);
  const items = itemsOf(of), at = place(index, items?.length ?? 0);
  return at === undefined ? undefined : items![at];
}

/** `of[start:stop:step]`. */
export function slice(of: Value, start: Value, stop: Value, step: Value): Value {
  const stride = step === null ? 1n : integer(step, "a slice");
  if (stride === 0n) throw new RangeError("slice step cannot be zero");
  const steps = kinded(of, "range");
  const items = typeof of === "string"
    ? characters(of)
    : steps
    ? [...rangeItems(steps)]
    : itemsOf(of);
  if (!items) throw unsupported("a slice", of);
  const length = BigInt(items.length), back = stride < 0n;
  const bound = (value: Value, absent: bigint) => {
    if (value === null) return absent;
    let at = integer(value, "a slice");
    if (at < 0n) at += length;
    const low = back ? -1n : 0n, high = back ? length - 1n : length;
    return at < low ? low : at > high ? high : at;
  };
  const from = bound(start, back ? length - 1n : 0n), to = bound(stop, back ? -1n : length);
  const found: Value[] = [];
  for (let at = from; back ? at > to : at < to; at += stride) found.push(items[Number(at)]!);
  if (typeof of === "string") return found.join("");
  if (steps) throw unsupported("a slice", of);
  return isList(of) ? found : tuple(...found);
}

/** How deep the values of a caller may be nested. */
const MAX_DEPTH = 64;

/** A value of JavaScript's JSON as one of Python. */
export function toValue(given: unknown, name: string, depth = 0): Value {
  if (given === null || typeof given === "boolean" || typeof given === "string") return given;
  if (typeof given === "bigint") return given;
  if (typeof given === "number") return Number.isInteger(given) ? BigInt(given) : given;
  if (typeof given === "object" && depth < MAX_DEPTH) {
    if (Array.isArray(given)) return given.map((item) => toValue(item, name, depth + 1));
    const prototype = Object.getPrototypeOf(given);
    if (prototype === null || prototype === Object.prototype) {
      return dict(
        Object.entries(given).filter(([, item]) => item !== undefined)
          .map(([key, item]) => [key, toValue(item, name, depth + 1)] as const),
      );
    }
  }
  throw new TypeError(
    `'${name}' must hold what JSON can say, at most ${MAX_DEPTH} deep: found ${
      typeof given === "object" ? "an object of another kind or deeper" : `a ${typeof given}`
    }`,
  );
}
