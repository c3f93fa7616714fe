/** The methods of Python's `str`. @module */

import { checkSize, joined } from "./limits.ts";
import {
  ANY,
  CHARACTER,
  type Function,
  INT,
  ITEMS,
  orNone,
  positional,
  takes,
  TEXT,
} from "./signature.ts";
import { text } from "./types.ts";
import { BLANKS, characters, kinded, textLength, tuple, type Value } from "./values.ts";

const BLANK = new RegExp(`^[${BLANKS}]$`);
const isBlank = (c: string) => BLANK.test(c);
const reversed = (value: string) => characters(value).toReversed().join("");

type Ends = "both" | "left" | "right";

/** Python's `strip`: characters of a set, or white space, from the ends that are named. */
export function strip(value: string, chars: string | null = null, ends: Ends = "both"): string {
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

/** The parts between separators, of which so many count; "" stands before, between and after all. */
function parts(value: string, separator: string, count: bigint): readonly string[] {
  const all = separator === "" ? ["", ...characters(value), ""] : value.split(separator);
  const most = count < 0n ? all.length : Number(count);
  return most >= all.length ? all : [...all.slice(0, most), all.slice(most).join(separator)];
}

/** Python's `replace`; fewer than 0 times is every time. */
export const replace = (value: string, old: string, by: string, count: bigint) =>
  joined(parts(value, old, count), by);

const WORD = new RegExp(`[^${BLANKS}]+`, "g");

/** Python's `split`. */
function split(value: string, separator: string | null, count: bigint): readonly string[] {
  if (separator === "") throw new RangeError("empty separator");
  if (separator !== null) return parts(value, separator, count);
  const words = [...value.matchAll(WORD)], most = count < 0n ? words.length : Number(count);
  const rest = words[most], whole = words.slice(0, most).map(([word]) => word);
  return rest ? [...whole, value.slice(rest.index)] : whole;
}

/** Letters that are two in one, whose first part alone is a capital in titles. */
const TITLES = { "Ǆǅǆ": "ǅ", "Ǉǈǉ": "ǈ", "Ǌǋǌ": "ǋ", "Ǳǲǳ": "ǲ" };
function titleCase(c: string): string {
  for (const [letters, title] of Object.entries(TITLES)) {
    if (c !== "" && letters.includes(c)) return title;
  }
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

/** Where a search begins or ends. */
export const BOUND = orNone(INT);
type Bound = bigint | null;

/** Where `[start:end]` of so many items begins and ends, by the rule of Python's searches. */
export function bounds(length: number, start: Bound, end: Bound): readonly [number, number] {
  const bound = (given: bigint) => Math.max(0, Number(given < 0n ? given + BigInt(length) : given));
  return [bound(start ?? 0n), Math.min(length, end === null ? length : bound(end))];
}

/** What a search finds in the text between bounds; `absent` where there is none, not even "". */
function within<T>(
  value: string,
  [start, end]: readonly [Bound, Bound],
  absent: T,
  find: (part: string, from: number) => T,
): T {
  const all = characters(value), [from, to] = bounds(all.length, start, end);
  return from > to ? absent : find(all.slice(from, to).join(""), from);
}

/** Position in characters; −1 where the text is not there, an error where it must be. */
const search = (last: boolean, isNeeded: boolean) =>
  positional([TEXT, TEXT, BOUND, BOUND], (value: string, sub, ...limits) => {
    const found = within(value, limits, -1, (part, from) => {
      const at = last ? part.lastIndexOf(sub) : part.indexOf(sub);
      return at < 0 ? at : from + textLength(part.slice(0, at));
    });
    if (isNeeded && found < 0) throw new RangeError("substring not found");
    return BigInt(found);
  });

/** Whether one of some texts begins or ends the text between bounds. */
const hasAffix = (atEnd: boolean) =>
  positional(
    [TEXT, ANY, BOUND, BOUND],
    (value: string, affix, ...limits) =>
      within(value, limits, false, (part) =>
        (kinded(affix, "tuple")?.items ?? [affix]).some((one) => {
          const sought = text(one, "an affix");
          return atEnd ? part.endsWith(sought) : part.startsWith(sought);
        })),
  );

const partition = (last: boolean) =>
  positional([TEXT, TEXT], (value: string, by) => {
    if (by === "") throw new RangeError("empty separator");
    const at = last ? value.lastIndexOf(by) : value.indexOf(by);
    if (at < 0) return last ? tuple("", "", value) : tuple(value, "", "");
    return tuple(value.slice(0, at), by, value.slice(at + by.length));
  });

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

const alone = (run: (self: string) => Value): Function => positional([TEXT], run);
/** Whether there are characters, all of a kind. */
const every = (pattern: RegExp) =>
  alone((s) => s !== "" && characters(s).every((c) => pattern.test(c)));
const stripped = (ends: Ends) =>
  positional([TEXT, orNone(TEXT)], (s: string, chars) => strip(s, chars, ends));

/** Methods of `str` by name, but `format`. */
export const TEXT_METHODS: Readonly<Record<string, Function>> = {
  capitalize: alone(capitalize),
  casefold: alone((s) => s.toUpperCase().toLowerCase().replaceAll("ς", "σ")),
  center: positional([TEXT, INT, CHARACTER], center),
  count: positional([TEXT, TEXT, BOUND, BOUND], (s, sub, ...limits) => {
    const count = (part: string) => sub === "" ? textLength(part) + 1 : part.split(sub).length - 1;
    return BigInt(within(s, limits, 0, count));
  }),
  endswith: hasAffix(true),
  expandtabs: takes("tabsize", [TEXT, 8n], expandTabs),
  find: search(false, false),
  index: search(false, true),
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
  join: positional([TEXT, ITEMS], (s, items) => joined(items.map((one) => text(one, "join()")), s)),
  ljust: positional([TEXT, INT, CHARACTER], (s, width, fill) => s + filling(s, width, fill)),
  lower: alone((s) => s.toLowerCase()),
  lstrip: stripped("left"),
  partition: partition(false),
  removeprefix: positional(
    [TEXT, TEXT],
    (s, part) => s.slice(s.startsWith(part) ? part.length : 0),
  ),
  removesuffix: positional(
    [TEXT, TEXT],
    (s, part) => s.slice(0, s.length - (s.endsWith(part) ? part.length : 0)),
  ),
  replace: positional([TEXT, TEXT, TEXT, -1n], replace),
  rfind: search(true, false),
  rindex: search(true, true),
  rjust: positional([TEXT, INT, CHARACTER], (s, width, fill) => filling(s, width, fill) + s),
  rpartition: partition(true),
  rsplit: takes(
    "sep maxsplit",
    [TEXT, orNone(TEXT), -1n],
    (s, by, most) => split(reversed(s), by && reversed(by), most).map(reversed).toReversed(),
  ),
  rstrip: stripped("right"),
  split: takes("sep maxsplit", [TEXT, orNone(TEXT), -1n], split),
  splitlines: takes("keepends", [TEXT, false], splitLines),
  startswith: hasAffix(false),
  strip: stripped("both"),
  swapcase: alone(swapCase),
  title: alone(title),
  upper: alone((s) => s.toUpperCase()),
  zfill: positional([TEXT, INT], (s, width) => {
    const [sign] = /^[-+]?/.exec(s)!;
    return sign + filling(s, width, "0") + s.slice(sign.length);
  }),
};
