/**
 * The methods of Python's `str`.
 *
 * @module
 */

import { checkSize, joined } from "./limits.ts";
import { listOf, slice } from "./python.ts";
import {
  any,
  character,
  flag,
  type Function,
  int,
  orNone,
  positional,
  string,
  takes,
} from "./signature.ts";
import { BLANKS } from "./tokens.ts";
import { characters, kinded, text, textLength, tuple, type Value } from "./values.ts";

const BLANK = new RegExp(`^[${BLANKS}]$`);
const isBlank = (c: string) => BLANK.test(c);
const reversed = (value: string) => characters(value).toReversed().join("");

/** Python's `strip`: characters of a set, or white space, from the ends that are named. */
export function strip(value: string, chars: string | null = null, ends = "both"): string {
  const set = chars === null ? undefined : new Set(chars), all = characters(value);
  const drop = set ? (c: string) => set.has(c) : isBlank;
  let from = 0, to = all.length;
  while (ends !== "right" && from < to && drop(all[from]!)) from++;
  while (ends !== "left" && to > from && drop(all[to - 1]!)) to--;
  return all.slice(from, to).join("");
}

/** Python's `splitlines`. */
export function splitLines(value: string, keep = false): string[] {
  // deno-lint-ignore no-control-regex
  const lines = value.split(/(\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])/);
  const whole = lines.flatMap((line, i) =>
    i % 2 ? [] : [keep ? line + (lines[i + 1] ?? "") : line]
  );
  if (lines.at(-1) === "") whole.pop();
  return whole;
}

/** Python's `replace`; fewer than 0 times is every time. */
export function replace(value: string, old: string, by: string, count: bigint): string {
  const most = count < 0n ? Infinity : Number(count);
  if (old !== "") return joined(splitBy(value, old, most), by);
  const all = characters(value), times = Math.min(most, all.length + 1);
  checkSize(value.length + times * by.length);
  return all.map((c, i) => (i < times ? by : "") + c).join("") + (times > all.length ? by : "");
}

/** The parts between separators, which are at most so many. */
function splitBy(value: string, separator: string, most: number): string[] {
  if (separator === "") throw new RangeError("empty separator");
  const parts: string[] = [];
  let from = 0;
  for (let at; parts.length < most && (at = value.indexOf(separator, from)) >= 0;) {
    parts.push(value.slice(from, at));
    from = at + separator.length;
  }
  return [...parts, value.slice(from)];
}

/** Python's `split`. */
function split(value: string, separator: string | null, count: bigint): string[] {
  const most = count < 0n ? Infinity : Number(count);
  if (separator !== null) return splitBy(value, separator, most);
  const parts: string[] = [];
  for (let at = 0;;) {
    while (at < value.length && isBlank(value[at]!)) at++;
    if (at >= value.length) return parts;
    if (parts.length >= most) return [...parts, value.slice(at)];
    const from = at;
    while (at < value.length && !isBlank(value[at]!)) at++;
    parts.push(value.slice(from, at));
  }
}

/** Python's `rsplit`. */
function splitRight(value: string, separator: string | null, count: bigint): string[] {
  const turned = separator === null ? null : reversed(separator);
  return split(reversed(value), turned, count).map(reversed).reverse();
}

/** Letters that are two in one, whose first part alone is a capital in titles. */
const TITLES = { "Ǆǅǆ": "ǅ", "Ǉǈǉ": "ǈ", "Ǌǋǌ": "ǋ", "Ǳǲǳ": "ǲ" };
function titleCase(c: string): string {
  for (const [letters, title] of Object.entries(TITLES)) if (letters.includes(c)) return title;
  if (c >= "\u10d0" && c <= "\u10ff") return c; // Georgian has no capitals in titles
  const [first = "", ...rest] = c.toUpperCase();
  return first + rest.join("").toLowerCase();
}

/** Python's `capitalize`. */
export function capitalize(value: string): string {
  const [first = ""] = value;
  return titleCase(first) + value.toLowerCase().slice(first.toLowerCase().length);
}

function title(value: string): string {
  let isWithin = false;
  const all = characters(value);
  /** A sigma that no letter follows is written ς. */
  const lower = (c: string, i: number) =>
    c === "Σ" ? `a${all.slice(i).join("")}`.toLowerCase()[1]! : c.toLowerCase();
  return all.map((c, i) => {
    const made = isWithin ? lower(c, i) : titleCase(c);
    isWithin = /\p{Cased}/u.test(c);
    return made;
  }).join("");
}

const swapCase = (value: string) =>
  characters(value).map((c) =>
    /\p{Lu}/u.test(c) ? c.toLowerCase() : /\p{Ll}/u.test(c) ? c.toUpperCase() : c
  ).join("");

/** Whether there is a cased character and none of the other case. */
export const isLower = (value: string) =>
  /\p{Lowercase}/u.test(value) && !/[\p{Lu}\p{Lt}]|\p{Uppercase}/u.test(value);
/** Like {@linkcode isLower}, for capitals. */
export const isUpper = (value: string) =>
  /\p{Uppercase}/u.test(value) && !/[\p{Ll}\p{Lt}]|\p{Lowercase}/u.test(value);

/** What fills a text up to a width, in characters. */
function filling(value: string, width: bigint, fill: string): string {
  return fill.repeat(Math.max(0, checkSize(width) - textLength(value)));
}

/** Python's `center`. */
export function center(value: string, width: bigint, fill = " "): string {
  const all = filling(value, width, fill), room = textLength(all);
  const left = Math.floor(room / 2) + (room & Number(width) & 1);
  return fill.repeat(left) + value + fill.repeat(room - left);
}

/** Where `[start:end]` of so many items begins and ends, by the rule of Python's searches. */
function bounds(length: number, start: bigint | null, end: bigint | null): [number, number] {
  const bound = (given: bigint) => Math.max(0, Number(given < 0n ? given + BigInt(length) : given));
  return [bound(start ?? 0n), Math.min(length, end === null ? length : bound(end))];
}

/** Index of the first item between bounds that is right, as `index` of lists finds it. */
export function indexBetween<T>(
  items: readonly T[],
  start: bigint | null,
  end: bigint | null,
  isRight: (item: T) => boolean,
): bigint {
  const [from, to] = bounds(items.length, start, end);
  for (let i = from; i < to; i++) if (isRight(items[i]!)) return BigInt(i);
  throw new RangeError("the item is not in the list");
}

/** What is looked for in `value[start:end]`. */
const WITHIN = { start: orNone(int()), end: orNone(int()) };
interface Within {
  readonly start: bigint | null;
  readonly end: bigint | null;
}

/** The text between bounds; undefined where there is none, not even an empty one. */
function between(
  value: string,
  { start, end }: Within,
): { from: number; part: string } | undefined {
  const all = characters(value), [from, to] = bounds(all.length, start, end);
  return from > to ? undefined : { from, part: all.slice(from, to).join("") };
}

/** Position in characters; −1 where the text is not there. */
function find(value: string, sub: string, within: Within, last = false): bigint {
  const { from, part } = between(value, within) ?? {};
  const at = part === undefined ? -1 : last ? part.lastIndexOf(sub) : part.indexOf(sub);
  return BigInt(at < 0 ? at : from! + textLength(part!.slice(0, at)));
}

function found(at: bigint): bigint {
  if (at < 0n) throw new RangeError("substring not found");
  return at;
}

function count(value: string, sub: string, within: Within): number {
  const part = between(value, within)?.part;
  if (part === undefined) return 0;
  return sub === "" ? textLength(part) + 1 : part.split(sub).length - 1;
}

/** Whether one of some texts begins or ends the text between bounds. */
function hasAffix(value: string, affix: Value, within: Within, atEnd: boolean): boolean {
  const part = between(value, within)?.part;
  return (kinded(affix, "tuple")?.items ?? [affix]).some((one) => {
    const sought = text(one, "an affix");
    return part !== undefined && (atEnd ? part.endsWith(sought) : part.startsWith(sought));
  });
}

function partition(value: string, by: string, last: boolean): Value {
  if (by === "") throw new RangeError("empty separator");
  const at = last ? value.lastIndexOf(by) : value.indexOf(by);
  if (at < 0) return last ? tuple("", "", value) : tuple(value, "", "");
  return tuple(value.slice(0, at), by, value.slice(at + by.length));
}

function expandTabs(value: string, size: bigint): string {
  const width = Math.max(0, checkSize(size));
  let column = 0, out = "";
  for (const c of value) {
    const part = c === "\t" ? " ".repeat(width === 0 ? 0 : width - column % width) : c;
    checkSize(out.length + part.length);
    out += part;
    column = c === "\n" || c === "\r" ? 0 : column + part.length;
  }
  return out;
}

/** Whether there are characters, all of a kind. */
const every = (pattern: RegExp) =>
  alone((value) => value !== "" && characters(value).every((c) => pattern.test(c)));
const alone = (run: (self: string) => Value): Function<string> => takes({}, run);
const stripped = (ends: string) =>
  positional({ chars: orNone(string()) }, (s: string, { chars }) => strip(s, chars, ends));
const SEARCH = { sub: string(), ...WITHIN }, SPLIT = { sep: orNone(string()), maxsplit: int(-1n) };
const ROOM = { width: int(), fill: character };

/** Methods of `str` by name, but `format`. */
export const TEXT_METHODS: Readonly<Record<string, Function<string>>> = {
  capitalize: alone(capitalize),
  casefold: alone((s) => s.toUpperCase().toLowerCase().replaceAll("ς", "σ")),
  center: positional(ROOM, (s, { width, fill }) => center(s, width, fill)),
  count: positional(SEARCH, (s, { sub, ...within }) => BigInt(count(s, sub, within))),
  endswith: positional(
    { suffix: any(), ...WITHIN },
    (s, { suffix, ...within }) => hasAffix(s, suffix, within, true),
  ),
  expandtabs: takes({ tabsize: int(8n) }, (s, { tabsize }) => expandTabs(s, tabsize)),
  find: positional(SEARCH, (s, { sub, ...within }) => find(s, sub, within)),
  index: positional(SEARCH, (s, { sub, ...within }) => found(find(s, sub, within))),
  isalnum: every(/[\p{L}\p{N}]/u),
  isalpha: every(/\p{L}/u),
  isascii: alone((s) => /^[\0-\x7f]*$/.test(s)),
  isdecimal: every(/\p{Nd}/u),
  isdigit: every(/[\p{Nd}²³¹⁰⁴-⁹₀-₉]/u),
  isidentifier: alone((s) => /^[\p{ID_Start}_]\p{ID_Continue}*$/u.test(s)),
  islower: alone(isLower),
  isnumeric: every(/\p{N}/u),
  isprintable: alone((s) => characters(s).every((c) => c === " " || !/[\p{C}\p{Z}]/u.test(c))),
  isspace: every(BLANK),
  istitle: alone((s) => /\p{Cased}/u.test(s) && title(s) === s),
  isupper: alone(isUpper),
  join: positional(
    { iterable: any() },
    (s, { iterable }) => joined(listOf(iterable).map((item) => text(item, "join")), s),
  ),
  ljust: positional(ROOM, (s, { width, fill }) => s + filling(s, width, fill)),
  lower: alone((s) => s.toLowerCase()),
  lstrip: stripped("left"),
  partition: positional({ sep: string() }, (s, { sep }) => partition(s, sep, false)),
  removeprefix: positional(
    { prefix: string() },
    (s, { prefix }) => s.startsWith(prefix) ? s.slice(prefix.length) : s,
  ),
  removesuffix: positional(
    { suffix: string() },
    (s, { suffix }) => s.endsWith(suffix) ? s.slice(0, s.length - suffix.length) : s,
  ),
  replace: positional(
    { old: string(), new: string(), count: int(-1n) },
    (s, given) => replace(s, given.old, given.new, given.count),
  ),
  rfind: positional(SEARCH, (s, { sub, ...within }) => find(s, sub, within, true)),
  rindex: positional(SEARCH, (s, { sub, ...within }) => found(find(s, sub, within, true))),
  rjust: positional(ROOM, (s, { width, fill }) => filling(s, width, fill) + s),
  rpartition: positional({ sep: string() }, (s, { sep }) => partition(s, sep, true)),
  rsplit: takes(SPLIT, (s, { sep, maxsplit }) => splitRight(s, sep, maxsplit)),
  rstrip: stripped("right"),
  split: takes(SPLIT, (s, { sep, maxsplit }) => split(s, sep, maxsplit)),
  splitlines: takes({ keepends: flag(false) }, (s, { keepends }) => splitLines(s, keepends)),
  startswith: positional(
    { prefix: any(), ...WITHIN },
    (s, { prefix, ...within }) => hasAffix(s, prefix, within, false),
  ),
  strip: stripped("both"),
  swapcase: alone(swapCase),
  title: alone(title),
  upper: alone((s) => s.toUpperCase()),
  zfill: positional({ width: int() }, (s, { width }) => {
    const [sign] = /^[-+]?/.exec(s)!;
    return sign + filling(s, width, "0") + s.slice(sign.length);
  }),
};
