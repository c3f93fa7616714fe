/**
 * An answer to a value that can be compared: a number or expression, a collection, a set of real numbers,
 * an equation, a text.
 *
 * The shape is found first, by what stands outside of brackets – alternatives, lists, unions, relations,
 * ratios – and what remains is read as a formula (`_formula.ts`). Nothing is evaluated or simplified.
 * What cannot be read is a text.
 *
 * @module
 */

import { inBase, negated, numberOf, parseFormula, substituted } from "./_formula.ts";
import type { Expression } from "./_formula.ts";
import { exactOf, placeOf, sameValue, variablesOf } from "./_evaluate.ts";
import * as reals from "./_reals.ts";
import type { Interval } from "./_reals.ts";
import { folded } from "./_number.ts";
import { closing } from "./math_answer.ts";

/** What an answer is. */
export type Value =
  | {
    readonly kind: "expression";
    readonly expression: Expression;
    readonly percent?: true;
    /** The unit, where it is one that is known. */
    readonly unit?: string;
  }
  | { readonly kind: "text"; readonly text: string }
  /** "tuple": ordered, in parentheses; "set": in braces; "list": bare, in any order. */
  | {
    readonly kind: "tuple" | "set" | "list";
    readonly items: readonly Value[];
    /** What "1,234" is where its comma parts thousands. */
    readonly number?: Expression;
    /** Whether it is what ± stands for, so that its items count each where it is one itself. */
    readonly signs?: true;
  }
  | { readonly kind: "matrix"; readonly rows: readonly (readonly Value[])[] }
  /** 2 : 3 : 4, or a time of day. */
  | {
    readonly kind: "ratio";
    readonly parts: readonly Expression[];
    /** Of what can be a time of day: seconds as they are written, and since midnight if that is said. */
    readonly clock?: number;
    readonly seconds?: number;
  }
  /** A set of real numbers, of a name where one is said: x > 2. */
  | { readonly kind: "reals"; readonly intervals: readonly Interval[]; readonly name?: string }
  | { readonly kind: "union"; readonly parts: readonly Value[] }
  /** x = 1, y = 2: names are different. */
  | {
    readonly kind: "assignments";
    readonly names: readonly string[];
    readonly items: readonly Value[];
  }
  | {
    readonly kind: "relation";
    /** Sides as expressions; none where one is something else. */
    readonly sides: readonly Expression[];
    readonly operators: readonly string[];
    /** What a definition defines, and as what. */
    readonly name?: string;
    readonly value?: Value;
  };

/** Longest answer that is read; longer ones are compared as texts. */
const LONGEST = 1000;
/** Deepest nesting of brackets. */
const DEEPEST = 40;

/** Letters as they are typed, and their commands. */
const GREEK: Readonly<Record<string, string>> = {
  ...{ α: "alpha", β: "beta", γ: "gamma", δ: "delta", θ: "theta", λ: "lambda", μ: "mu" },
  ...{ ρ: "rho", σ: "sigma", τ: "tau", φ: "phi", ω: "omega" },
};

/** Replacements that bring an answer into one spelling, in their order. */
const SPELLINGS: readonly (readonly [RegExp, string | ((own: string) => string)])[] = [
  [/[\u00a0\u2009\u202f]/g, " "],
  [/(\d)(?:,\\!|\\!,)\s*(?=\d{3})/g, "$1"],
  [/(\d)\{,\}(?=\d{3})/g, "$1"],
  [/\\(?:left|right)(?![a-z])\s?\.?/g, ""],
  [/\\(?:[bB]igg?[lrm]?|displaystyle|textstyle|limits)(?![a-zA-Z])/g, ""],
  [/\\[dtc]frac(?![a-zA-Z])/g, "\\frac"],
  [/\\(?:mbox|textrm|textnormal|textit|textbf)(?=\s?\{)/g, "\\text"],
  [/\\q?quad|\\(?:h|v)space\s?\{[^{}]*\}|\\(?:text)?color\s?\{[a-z]*\}/g, " "],
  [/(?<!\\)\\[,;:! ]|~/g, " "],
  [/\\text\s?\{\s?and\s?\}/g, "∧"],
  [/\\text\s?\{\s?or\s?\}/g, "∨"],
  [/\\(?:lor|vee)(?![a-zA-Z])/g, "∨"],
  [/\\(?:land|wedge)(?![a-zA-Z])/g, "∧"],
  [/(?<![\\a-zA-Z])and(?![a-zA-Z])/g, "∧"],
  [/(?<![\\a-zA-Z])or(?![a-zA-Z])/g, "∨"],
  [/\\\$|\$|£|€/g, ""],
  [/[−–]/g, "-"],
  [/\.\.\.|\\cdots(?![a-zA-Z])/g, "…"],
  [/(?<=\d)(?=[ck]?m[²³])/g, " "],
  [/([²³])(?![⁰¹²³⁴-⁹])(?<![⁰¹²³⁴-⁹⁺⁻].)/g, (own: string) => own === "²" ? "^2" : "^3"],
  [/[⁰¹²³⁴-⁹⁺⁻]{1,40}/g, (own: string) => `^{${own.normalize("NFKC").replace("−", "-")}}`],
  [/√\s?(\d+|\([^()]{1,200}\))/g, "\\sqrt{$1}"],
  [/[×·∙]/g, "\\cdot "],
  [/÷/g, "/"],
  [/π/g, "\\pi "],
  [/[αβγδθλμρστφω]/g, (own: string) => `\\${GREEK[own]} `],
  [/∞/g, "\\infty "],
  [/\\le(?:q|qslant|qq)?(?![a-zA-Z])|<=/g, "≤"],
  [/\\ge(?:q|qslant|qq)?(?![a-zA-Z])|>=/g, "≥"],
  [/\\neq?(?![a-zA-Z])|!=|\\not\s?=/g, "≠"],
  [/\\lt(?![a-zA-Z])/g, "<"],
  [/\\gt(?![a-zA-Z])/g, ">"],
  [/∪|\\bigcup(?![a-zA-Z])/g, "\\cup "],
  [/∩/g, "\\cap "],
  [/∈/g, "\\in "],
  [/∅|\\varnothing(?![a-zA-Z])/g, "\\emptyset "],
  [/ℝ|\\R(?![a-zA-Z])|\\mathbb\s?R|\\mathbf\s?\{R\}/g, "\\mathbb{R}"],
  [/\\backslash(?![a-zA-Z])|\\smallsetminus(?![a-zA-Z])|∖/g, "\\setminus "],
  [/\\langle(?![a-zA-Z])|\\lparen(?![a-zA-Z])/g, "("],
  [/\\rangle(?![a-zA-Z])|\\rparen(?![a-zA-Z])/g, ")"],
  [/\\lbrace(?![a-zA-Z])/g, "\\{"],
  [/\\rbrace(?![a-zA-Z])/g, "\\}"],
  [/\\[lr]vert(?![a-zA-Z])|\\vert(?![a-zA-Z])|\\mid(?![a-zA-Z])/g, "|"],
  [/\*\*/g, "^"],
  [/^(?:=|\\approx(?![a-zA-Z])|≈)/g, ""],
  [/\\begin\{cases\}|\\end\{cases\}/g, ""],
  [/=([^=]{0,200})(?:\\approx(?![a-zA-Z])|≈).*$/g, "=$1"],
  [/\\approx(?![a-zA-Z])|≈|\\coloneqq(?![a-zA-Z])|:=/g, "="],
  [/[[(]?\\begin\{array\}\s?(?:\{[^{}]*\})?/g, "\\begin{pmatrix}"],
  [/\\end\{array\}\s?[\])]?/g, "\\end{pmatrix}"],
  [/\\begin\{(?:[bB]|small)?matrix\}/g, "\\begin{pmatrix}"],
  [/\\end\{(?:[bB]|small)?matrix\}/g, "\\end{pmatrix}"],
];

/** The same answer in one spelling. */
function tidy(text: string): string {
  let out = text.trim().replace(/\s+/g, " ");
  // a system of equations is a list of them
  if (out.includes("\\begin{cases}") && !out.includes("&")) out = out.replaceAll("\\\\", ",");
  for (const [pattern, word] of SPELLINGS) out = out.replace(pattern, word as string);
  out = out.replace(/\s+/g, " ").trim();
  while (out.endsWith(".") || out.endsWith(",")) out = out.slice(0, -1).trimEnd();
  // 1,000,000 is one number, outside of brackets
  out = out.replace(
    /(?<![\d,.])[1-9]\d{0,2}(?:,\d{3})+(?!\d)/g,
    (own, at: number) =>
      isBracketed(out, at) || !partsThousands(own) ? own : own.replaceAll(",", ""),
  );
  return out.replace(/(?<![\d.])\d{1,3}(?: \d{3})+(?!\d|\/)/g, (own) => own.replaceAll(" ", ""));
}

/** Whether the commas of a number can part thousands: all groups but the first have three digits. */
export function partsThousands(text: string): boolean {
  return /^[1-9]\d{0,2}(?:,\d{3})+$/.test(text);
}

/** Whether a place is within parentheses, brackets or the braces of a set. */
function isBracketed(text: string, at: number): boolean {
  const before = text.slice(0, at).replace(/\\[{}]/g, (own) => own === "\\{" ? "(" : ")");
  let depth = 0;
  for (const c of before) depth += "([".includes(c) ? 1 : ")]".includes(c) ? -1 : 0;
  return depth > 0;
}

/** Whether brackets are nested deeper than any answer needs. */
function tooDeep(text: string): boolean {
  let depth = 0;
  for (const c of text) {
    if ("([{".includes(c) && ++depth > DEEPEST) return true;
    if (")]}".includes(c)) depth--;
  }
  return false;
}

/** Words as they are compared: capitals count in formulas only, spaces between digits and words. */
export function words(text: string): string {
  const own = text.replace(
    /\\(?:text|mathrm|mbox|textbf|mathbf|operatorname)\s?\{([^{}]*)\}/g,
    "$1",
  )
    .replace(/\\[,;:! ]|[$~]/g, " ").replace(/\s+/g, " ");
  let from = 0, to = own.length;
  while (from < to && ` ("'.`.includes(own[from]!)) from++;
  while (from < to && ` )"'.`.includes(own[to - 1]!)) to--;
  const inner = own.slice(from, to);
  return /[\\^_=<>+*/]/.test(inner) ? inner : inner.toLowerCase();
}

// units

const UNITS: readonly (readonly [string, RegExp])[] = [
  ["cm", /^(?:cms?|centimet(?:er|re)s?)$/],
  ["mm", /^(?:mm|millimet(?:er|re)s?)$/],
  ["km", /^(?:kms?|kilomet(?:er|re)s?)$/],
  ["m", /^(?:m|met(?:er|re)s?)$/],
  ["in", /^(?:in|inch|inches)$/],
  ["ft", /^(?:ft|foot|feet)$/],
  ["yd", /^(?:yds?|yards?)$/],
  ["mi", /^(?:mi|miles?)$/],
  ["kg", /^(?:kgs?|kilograms?)$/],
  ["g", /^(?:g|grams?)$/],
  ["lb", /^(?:lbs?)$/],
  ["oz", /^(?:oz|ounces?)$/],
  ["s", /^(?:s|secs?|seconds?)$/],
  ["min", /^(?:min|mins|minutes?)$/],
  ["h", /^(?:h|hrs?|hours?)$/],
  ["day", /^days?$/],
  ["week", /^weeks?$/],
  ["month", /^months?$/],
  ["year", /^(?:yrs?|years?)$/],
  ["mi/h", /^(?:mph|miles per hour|miles\/hour|mi\/h)$/],
  ["km/h", /^(?:kph|kmh|km\/h|kilomet(?:er|re)s per hour)$/],
  ["L", /^(?:l|lit(?:er|re)s?)$/],
  ["dollar", /^(?:dollars?|usd)$/],
  ["cent", /^(?:cents?|¢)$/],
  ["euro", /^euros?$/],
  ["degree", /^degrees?$/],
  ["radian", /^(?:radians?|rad)$/],
];
/** Words that only name what is counted. */
const COUNTED = /^(?:units?|people|students?|ways?|points?|pounds?|times)$/;

/** One word for a unit that is known; "" for one that is not. */
function unitOf(words: string, exponent: string): string {
  const own = words.trim().toLowerCase().replace(/\.$/, "");
  const by = /^(?:square|sq\.?)\s/.test(own)
    ? "2"
    : /^cubic\s/.test(own)
    ? "3"
    : exponent.replace(/\D/g, "");
  const plain = own.replace(/^(?:square|sq\.?|cubic)\s+/, "");
  const known = UNITS.find(([, spelling]) => spelling.test(plain))?.[0];
  return known === undefined ? "" : known + (by === "" || by === "1" ? "" : `^${by}`);
}

const POWER = String.raw`(\s?\^\s?(?:\{\s?[123]\s?\}|[123]))?`;
const IN_COMMAND = new RegExp(String.raw`\\(?:text|mathrm|rm)\s?\{([^{}\d]*)\}${POWER}$`);
const IN_WORDS = new RegExp(
  String
    .raw`(?<=[\d}\s)])((?:(?:square|cubic|sq\.?|per) )?[a-zA-Z]+(?:(?: per |\/)[a-zA-Z]+)?)${POWER}$`,
);
const PERCENT = /\s?(?:\\?%|\\text\s?\{\s?(?:pct|percent(?:age)?)\s?\}|pct|percent(?:age)?)$/;
const DEGREES = /\s?(?:\^\s?(?:\{\s?\\circ\s?\}|\\circ)|°|\\degree)$/;

/** Short units that need no space. */
const ATTACHED = /^(?:cm|mm|km|kg|ft|in|hr|hrs|mph)$/;
const PLAIN = /^[-+]?[\d.,/ ]*\d $/;

/** Whether a word after a number is no factor: 5 m, 5cm, 5 cats, but not 5m, 5 x or \pi r h. */
function isUnit(word: string, unit: string, before: string): boolean {
  if (word.length > 4 || COUNTED.test(word.toLowerCase())) return true;
  if (unit !== "") return word.length > 2 || ATTACHED.test(word) || PLAIN.test(before);
  return word.length === 4 && /^[a-z]*[aeiou][a-z]*s$/.test(word) && PLAIN.test(before);
}

/** An answer without the unit that it ends with, and that unit. */
function withoutUnit(text: string): { text: string; unit?: string } {
  const degrees = DEGREES.exec(text);
  if (degrees && !/\\(?:sin|cos|tan|cot|sec|csc)|cis/.test(text)) {
    return { text: text.slice(0, degrees.index), unit: "degree" };
  }
  const command = IN_COMMAND.exec(text);
  if (command && command.index > 0) {
    const [, words = "", exponent = ""] = command, unit = unitOf(words, exponent);
    // 3\mathrm{i} and 2\text{A} have a factor
    if (unit !== "" || words.trim().length !== 1) {
      return { text: text.slice(0, command.index).trim(), unit };
    }
  }
  const own = /[\d}π]/.test(text) ? IN_WORDS.exec(text) : null;
  if (!own) return { text };
  const [, word = "", exponent = ""] = own, before = text.slice(0, own.index);
  const unit = unitOf(word, exponent);
  return isUnit(word, unit, before) ? { text: before.trim(), unit } : { text };
}

// shapes

/** Splits at marks outside of brackets. */
function split(text: string, marks: string): { parts: string[]; marks: string[] } {
  const parts: string[] = [], found: string[] = [];
  let depth = 0, from = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text[at]!;
    if (c === "\\" && /[{}]/.test(text[at + 1] ?? "")) {
      depth += text[at + 1] === "{" ? 1 : -1;
      at++;
    } else if (c === "{") {
      const end = closing(text, at);
      if (end > 0) at = end;
    } else if ("([".includes(c)) depth++;
    else if (")]".includes(c)) depth--;
    else if (marks.includes(c) && depth <= 0) {
      parts.push(text.slice(from, at));
      found.push(c);
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return { parts: parts.map((part) => part.trim()), marks: found };
}

const filled = (parts: readonly string[]) => parts.filter((part) => part !== "");

/** What is between a bracket at the start and its partner at the end; undefined where it is not so. */
function enclosed(text: string): { open: string; body: string; close: string } | undefined {
  const shape = /^(\\\{|[([\]])([\s\S]*)(\\\}|[)\][])$/.exec(text);
  if (!shape) return undefined;
  const [, open = "", body = "", close = ""] = shape;
  let depth = 0;
  for (const c of body.replace(/\\[{}]/g, (own) => own === "\\{" ? "(" : ")")) {
    if ("([".includes(c)) depth++;
    else if (")]".includes(c) && --depth < 0) return undefined;
  }
  return depth === 0 ? { open, body, close } : undefined;
}

const asExpression = (expression: Expression): Value => ({ kind: "expression", expression });
const isInequality = (operators: readonly string[]) => operators.some((own) => own !== "=");

/** A function of one letter, as it is typed: sin x, cosx. */
const TYPED =
  /^\s*(?:(?:arc|a)?(?:sin|cos|tan)|cot|sec|csc|(?:sin|cos|tan)h|log|ln|exp)(?: [a-zA-Z]|[xt])\s*$/;

/** An expression; undefined where the text is none. */
function expressionOf(text: string): Expression | undefined {
  // a word is no product of its letters
  if (
    /^[a-zA-Z]{3,}(?:[ '-][a-zA-Z]+)*$/.test(text.trim()) && !/^pi$|^sqrt/.test(text) &&
    !TYPED.test(text)
  ) {
    return undefined;
  }
  try {
    return parseFormula(text);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * The value of an answer.
 *
 * @param answer LaTeX or plain text, without the sentence around it.
 * @returns A value; a text where it cannot be read otherwise.
 */
export function parseValue(answer: string): Value {
  answer = folded(answer);
  const asText: Value = { kind: "text", text: words(answer) };
  if (answer.length > LONGEST || tooDeep(answer)) return asText;
  const money = /^\s*-?\s*(\\\$|€|£)/.exec(answer)?.[1];
  const unit = money && { "\\$": "dollar", "€": "euro", "£": "pound" }[money];
  // money is one amount
  const plain = money ? answer.replace(/(?<=\d),(?=\d{3}(?!\d))/g, "") : answer;
  const value = commasOf(plain) ?? shapeOf(tidy(plain), 0) ?? asText;
  return unit && value.kind === "expression" && value.unit === undefined
    ? { ...value, unit }
    : value;
}

/**
 * Integers between commas: a list, and one number where the commas part thousands
 * ({@linkcode partsThousands}) or one comma has two digits or more behind it ("1,22"): "2,5" is 2 and 5 only.
 */
function commasOf(answer: string): Value | undefined {
  const own = /^\s*\$?\s*([-−]?\d+(?:,\d+)+)\s*\$?\s*$/.exec(answer)?.[1]?.replace("−", "-");
  if (own === undefined) return undefined;
  const items = own.split(",").map((part) => asExpression(parseFormula(part)));
  const number = partsThousands(own.replace(/^-/, ""))
    ? own.replaceAll(",", "")
    : /^-?\d+,\d{2,}$/.test(own)
    ? own.replace(",", ".")
    : undefined;
  return { kind: "list", items, ...(number === undefined ? {} : { number: parseFormula(number) }) };
}

function valueOf(text: string, depth: number): Value {
  return shapeOf(text, depth + 1) ?? { kind: "text", text: words(text) };
}

function shapeOf(text: string, depth: number): Value | undefined {
  if (text === "" || depth > DEEPEST) return undefined;
  const wrapped = /^\\text\s?\{([^{}]*)\}$/.exec(text);
  if (wrapped) {
    const inner = wrapped[1]!.trim();
    return /\d/.test(inner)
      ? shapeOf(tidy(inner), depth + 1)
      : named(inner) ?? { kind: "text", text: words(inner) };
  }
  const set = named(text) ?? setOf(text, depth) ??
    (text.startsWith("]") ? bracketedOf(text, depth) : undefined);
  if (set) return set;
  for (const marks of ["∨", ";", ",∧"]) {
    const { parts, marks: found } = split(text, marks), own = filled(parts);
    if (found.length === 0 || own.length === 0) continue;
    if (own.length === 1) return valueOf(own[0]!, depth);
    const items = own.map((part) => valueOf(part, depth));
    const joint = found.includes("∨") ? "or" : "and";
    return collected(
      marks.startsWith(",") ? items : items.flatMap((item) => asOne(item, joint)),
      joint,
    );
  }
  if (text.startsWith("{") && closing(text, 0) === text.length - 1) {
    const inside = text.slice(1, -1), { parts, marks } = split(inside, ",");
    return marks.length > 0
      ? collected(filled(parts).map((part) => valueOf(part, depth)), "and")
      : shapeOf(inside.trim(), depth + 1);
  }
  return congruenceOf(text) ?? residueOf(text, depth) ?? relationOf(text, depth) ??
    bracketedOf(text, depth) ??
    matrixOf(text, depth) ??
    ratioOf(text) ?? leafOf(text, depth);
}

/** Sets that have names. */
function named(text: string): Value | undefined {
  const own = text.trim().replace(/\s+/g, " ");
  if (/^\\mathbb\s?\{R\}$|^all reals$|^all real numbers$/i.test(own)) {
    return { kind: "reals", intervals: reals.ALL };
  }
  if (/^\\mathbb\s?\{R\}\s?(?:\^|_)\s?\{?\+\}?$/.test(own)) {
    return { kind: "reals", intervals: [reals.ray({ value: numberOf("0"), open: true }, true)] };
  }
  if (/^\\emptyset$|^\\\{ ?\\\}$|^no (?:real )?solutions?$/i.test(own)) {
    return { kind: "set", items: [] };
  }
  return undefined;
}

/** Unions, intersections and differences. */
function setOf(text: string, depth: number): Value | undefined {
  const marked = text.replace(/\\cup(?![a-zA-Z])/g, "∪").replace(/\\cap(?![a-zA-Z])/g, "∩")
    .replace(/\\setminus(?![a-zA-Z])/g, "∖")
    .replace(/^((?:[a-zA-Z] ?\\in ?)?\\mathbb\s?\{R\}) ?[-\\] ?(?=\\\{)/, "$1∖");
  const membership = /^([a-zA-Z]|\\[a-z]+|\([a-z, ]+\)) ?\\in(?![a-zA-Z]) ?/.exec(marked);
  if (membership && split(marked, ",;∨∧").marks.length === 0) {
    const own = valueOf(marked.slice(membership[0].length), depth), name = membership[1]!;
    const set = realsOf(own);
    if (own.kind === "reals" || set && own.kind !== "set") {
      return { kind: "reals", intervals: set!, name };
    }
    return own;
  }
  const lists = split(marked, ",;∨∧").marks.length > 0;
  for (const mark of lists ? [] : ["∪", "∖", "∩"]) {
    const { parts, marks } = split(marked, mark);
    if (marks.length === 0 || marks.length > 20 || parts.includes("")) continue;
    const values = parts.map((part) => valueOf(part, depth)), sets = values.map(realsOf);
    const known = sets.every((own) => own !== undefined) ? sets as Interval[][] : undefined;
    if (mark === "∪") {
      if (known) {
        return values.every(({ kind }) => kind === "set")
          ? { kind: "set", items: values.flatMap((own) => "items" in own ? own.items : []) }
          : { kind: "reals", intervals: known.flat() };
      }
      return {
        kind: "union",
        parts: values.flatMap((own) => own.kind === "union" ? own.parts : [own]),
      };
    }
    const intervals = known?.slice(1).reduce<readonly Interval[] | undefined>((a, b) => {
      const other = mark === "∖" ? reals.complement(b) : b;
      return a && other && reals.intersection(a, other);
    }, known[0]);
    return intervals && { kind: "reals", intervals };
  }
  const builder = /^\\\{ ?([a-zA-Z]) ?(?:\\in ?\\mathbb\s?\{R\} ?)?[:|] ?([\s\S]+?) ?\\\}$/.exec(
    marked,
  );
  if (builder && enclosed(marked)) {
    const own = valueOf(builder[2]!, depth);
    if (own.kind === "reals") return { kind: "reals", intervals: own.intervals };
  }
  return undefined;
}

/** The set of real numbers that a value is or can be: (1,2) is an interval too. */
export function realsOf(value: Value): readonly Interval[] | undefined {
  if (value.kind === "reals") return value.intervals;
  if (value.kind === "set") {
    const items = value.items.map((item) =>
      item.kind === "expression" ? item.expression : undefined
    );
    return items.every((item) => item && placeOf(item) !== undefined)
      ? items.map((item) => reals.point(item!))
      : undefined;
  }
  if (value.kind !== "tuple" || value.items.length !== 2) return undefined;
  const [low, high] = value.items;
  if (low?.kind !== "expression" || high?.kind !== "expression") return undefined;
  return [{
    low: { value: low.expression, open: true },
    high: { value: high.expression, open: true },
  }];
}

/** A list between semicolons is a tuple; between alternatives, numbers stand each for itself. */
function asOne(value: Value, joint: "and" | "or"): readonly Value[] {
  if (value.kind !== "list") return [value];
  const plain = joint === "or" && value.items.every(({ kind }) => kind === "expression");
  return plain ? value.items : [{ kind: "tuple", items: value.items }];
}

/** Items of which those with ± count each. */
function expanded(items: readonly Value[]): Value[] {
  return items.flatMap((item) => {
    if ("signs" in item) return item.items;
    if (item.kind !== "relation" || !item.value || !("signs" in item.value)) return [item];
    return item.value.items.map((value) => ({ ...item, sides: [], value })); // x = ±2
  });
}

/** Most tuples that ± makes of one. */
const MOST_TUPLES = 32;

/** All rows of items where each with ± is one of what it stands for. */
function rowsOf(items: readonly Value[]): Value[][] {
  return items.reduce<Value[][]>(
    (rows, item) =>
      rows.flatMap((row) => expanded([item]).map((one) => [...row, one])).slice(0, MOST_TUPLES),
    [[]],
  );
}

/** One value, or what ± makes of it. */
function oneOrMore(values: readonly Value[]): Value {
  return values.length === 1 ? values[0]! : { kind: "set", items: values, signs: true };
}

function collected(own: readonly Value[], joint: "and" | "or"): Value {
  const sets = own.map((item) =>
    item.kind === "reals" && item.name !== undefined ? item : undefined
  );
  const [first] = sets;
  if (first && sets.every((set) => set?.name === first.name)) {
    const all = sets.map((set) => set!.intervals);
    const shared = joint === "or" ? undefined : all.reduce<readonly Interval[] | undefined>(
      (a, b) => a && reals.intersection(a, b),
      reals.ALL,
    );
    const intervals = shared && shared.length > 0 ? shared : all.flat();
    return { kind: "reals", intervals, name: first.name! };
  }
  const names = own.map((item) => item.kind === "relation" ? item.name : undefined);
  if (names.every((name) => name !== undefined) && new Set(names).size === names.length) {
    const items = own.map((item) => (item as { value: Value }).value);
    return oneOrMore(
      rowsOf(items).map((row) => ({ kind: "assignments", names: names as string[], items: row })),
    );
  }
  return { kind: "list", items: expanded(own) };
}

/** Tuples, sets and intervals. */
function bracketedOf(text: string, depth: number): Value | undefined {
  const around = enclosed(text);
  if (!around) return undefined;
  const { open, close, body } = around, inside = filled(split(body, ",;").parts);
  if (open === "\\{" || close === "\\}") {
    if (open !== "\\{" || close !== "\\}") return undefined;
    return { kind: "set", items: expanded(inside.map((part) => valueOf(part, depth))) };
  }
  if (open === "[" && inside.length > 0 && inside.every((row) => /^\[.*\]$/.test(row))) {
    const rows = inside.map((row) => filled(split(row.slice(1, -1), ",").parts));
    return { kind: "matrix", rows: rows.map((row) => row.map((cell) => valueOf(cell, depth))) };
  }
  if (inside.length === 2 && (open !== "(" || close !== ")")) {
    const [low, high] = inside.map(expressionOf);
    if (low === undefined || high === undefined) return undefined;
    return {
      kind: "reals",
      intervals: [{
        low: { value: low, open: open !== "[" },
        high: { value: high, open: close !== "]" },
      }],
    };
  }
  if (inside.length > 1) {
    const rows = rowsOf(inside.map((part) => valueOf(part, depth)));
    return oneOrMore(rows.map((items) => ({ kind: "tuple", items })));
  }
  const isPlain = open === "(" && close === ")" && !/^[a-zA-Z]$/.test(body.trim());
  return isPlain && expressionOf(text) === undefined ? shapeOf(body.trim(), depth + 1) : undefined;
}

/** Most rows and columns that are multiplied. */
const LARGEST_MATRIX = 8;
type Rows = readonly (readonly Expression[])[];

/** A matrix, or a sum of products of matrices and numbers. */
function matrixOf(text: string, depth: number): Value | undefined {
  if (!text.includes("\\begin{")) return undefined;
  const around = enclosed(text);
  if (around?.body.trim().startsWith("\\begin{") && around.body.trim().endsWith("}")) {
    const own = matrixOf(around.body.trim(), depth + 1);
    if (own) return own;
  }
  const pieces = text.split(/(\\begin\{pmatrix\}.*?\\end\{pmatrix\})/);
  let total: Rows | undefined, product: Rows | undefined, scale: Expression[] = [], minus = false;
  const scaled = (): Rows | undefined =>
    product?.map((row) =>
      row.map((own) => {
        const by = minus ? negated(own) : own;
        return scale.length === 0 ? by : { op: "multiply", args: [...scale, by] };
      })
    );
  const only = pieces.length === 3 && pieces[0]!.trim() === "" && pieces[2]!.trim() === "";
  for (const [i, piece] of pieces.entries()) {
    if (i % 2 === 1) {
      const cells = piece.slice("\\begin{pmatrix}".length, -"\\end{pmatrix}".length)
        .split("\\\\").map((row) => row.trim()).filter((row) => row !== "")
        .map((row) => row.split("&").map((cell) => cell.trim()));
      if (only) {
        return {
          kind: "matrix",
          rows: cells.map((row) => row.map((cell) => valueOf(cell, depth))),
        };
      }
      const rows = cells.map((row) => row.map(expressionOf));
      if (rows.flat().includes(undefined)) return undefined;
      product = product ? multiplied(product, rows as Rows) : rows as Rows;
      if (!product) return undefined;
      continue;
    }
    const between = piece.replace(/\\cdot|\\times/g, "").trim();
    const last = i === pieces.length - 1;
    if (last) return between === "" ? sumOf(total, scaled()) : undefined;
    const sign = /^[+-]|[+-]$/.exec(between), plain = between.replace(/^[+-]/, "").trim();
    if (product && sign) {
      total = total ? added(total, scaled()) : scaled();
      [product, scale, minus] = [undefined, [], sign[0] === "-"];
    } else if (sign) minus = sign[0] === "-";
    if (plain !== "") {
      const own = expressionOf(plain);
      if (own === undefined) return undefined;
      scale.push(own);
    }
  }
  return undefined;

  function sumOf(a: Rows | undefined, b: Rows | undefined): Value | undefined {
    const own = a ? added(a, b) : b;
    return own && { kind: "matrix", rows: own.map((row) => row.map(asExpression)) };
  }
}

function added(a: Rows, b: Rows | undefined): Rows | undefined {
  if (a.length !== b?.length || a.some((row, i) => row.length !== b[i]!.length)) return undefined;
  return a.map((row, i) => row.map((x, j) => ({ op: "add", args: [x, b[i]![j]!] })));
}

function multiplied(a: Rows, b: Rows): Rows | undefined {
  if (Math.max(a.length, b.length, ...b.map((row) => row.length)) > LARGEST_MATRIX) {
    return undefined;
  }
  if (a.some((row) => row.length !== b.length)) return undefined;
  return a.map((row) =>
    b[0]!.map((_, j) => ({
      op: "add",
      args: row.map((x, k): Expression => ({ op: "multiply", args: [x, b[k]![j]!] })),
    }))
  );
}

/** 2:3, 12:30, 12:30 p.m. */
function ratioOf(text: string): Value | undefined {
  const half = /\s?(?:\\text\s?\{\s?)?([ap])\.? ?m\.?\s?\}?$/i.exec(text);
  const { parts, marks } = split(
    (half ? text.slice(0, half.index) : text).replace(/\\colon/g, ":"),
    ":",
  );
  if (marks.length === 0 || parts.includes("")) return undefined;
  const own = parts.map(expressionOf);
  if (own.includes(undefined)) return undefined;
  const isTime = /^\d\d?$/.test(parts[0]!) && Number(parts[0]) <= 24 &&
    parts.slice(1).every((part) => /^[0-5]\d$/.test(part)) && parts.length <= 3;
  if (half && !isTime) return undefined;
  const ratio = { kind: "ratio", parts: own as Expression[] } as const;
  if (!isTime) return ratio;
  const [hours = 0, minutes = 0, seconds = 0] = parts.map(Number);
  const clock = 3600 * hours + 60 * minutes + seconds, later = half?.[1]?.toLowerCase() === "p";
  const noon = hours === 12 ? (later ? 0 : -12) : later ? 12 : 0;
  return { ...ratio, clock, ...(half && { seconds: clock + 3600 * noon }) };
}

/** 42 (mod 100): the number that is said. */
function residueOf(text: string, depth: number): Value | undefined {
  const own =
    /^(-?\d{1,40}) ?(?:\\(?:pmod|bmod|mod) ?(?:\d{1,40}|\{ ?\d{1,40} ?\})|\( ?(?:\\bmod|\\mod|mod|\\text ?\{ ?mod ?\}) ?\d{1,40} ?\))$/
      .exec(text);
  return own ? valueOf(own[1]!, depth) : undefined;
}

/** x ≡ 3 (mod 5), by the least number that is not below 0. */
function congruenceOf(text: string): Value | undefined {
  const own = /^([^=]{1,40}?)(?:\\equiv|≡)([^=]{1,80}?)\(?\\?p?mod\s?\{?\s?(\d{1,40})\s?\}?\)?$/
    .exec(text);
  const residue = own && expressionOf(own[2]!), exact = residue && exactOf(residue);
  if (!own || exact?.denominator !== 1n || /^0+$/.test(own[3]!)) return undefined;
  const modulus = BigInt(own[3]!), least = ((exact.numerator % modulus) + modulus) % modulus;
  return { kind: "text", text: `${nameOf(own[1]!)}≡${least}mod${modulus}` };
}

// relations

/** Whether an expression only names a quantity: AB, |AB|, f(x), P(A), a quotient of such. */
function isNamed(e: Expression): boolean {
  if (e.op === "name") return !["i", "e", "π", "∞"].includes(e.name);
  if (e.op === "call") return true;
  return "args" in e && ["multiply", "divide", "abs"].includes(e.op) && e.args.every(isNamed);
}

const nameOf = (text: string) => text.replace(/[\s{}]|\\mathrm|\\text/g, "");

function relationOf(text: string, depth: number): Value | undefined {
  const { parts, marks: operators } = split(text, "=<>≤≥≠");
  if (operators.length === 0 || operators.length > 20 || parts.includes("")) return undefined;
  const all = parts.map(expressionOf);
  const sides = all.includes(undefined) ? [] : all as Expression[];
  const relation = { kind: "relation", sides, operators } as const;
  if (isInequality(operators)) {
    return rangeOf(sides, operators) ?? (sides.length > 0 ? relation : undefined);
  }
  const [first = ""] = parts, last = parts.at(-1)!;
  const left = enclosed(first);
  if (left?.open === "(") {
    const names = filled(split(left.body, ",;").parts), value = valueOf(last, depth);
    const tuples = value.kind === "tuple" ? [value] : "items" in value ? value.items : [];
    const each = tuples.map((own) =>
      own.kind === "tuple" && own.items.length === names.length
        ? { kind: "assignments", names: names.map(nameOf), items: own.items } as const
        : undefined
    );
    if (names.length > 1 && each.length > 0 && !each.includes(undefined)) {
      return each.length === 1 ? each[0] : { kind: value.kind as "list", items: each as Value[] };
    }
  }
  const isRatio = split(first, ":").parts.every((part) => isNamedText(part));
  if (isNamedText(first) || isRatio || isFunction(first)) {
    return { ...relation, name: nameOf(first), value: valueOf(last, depth) };
  }
  if (parts.length > 2 && sides.length === 0) return { ...relation, value: valueOf(last, depth) };
  if (sides.length === 0) return undefined;
  const numbers = sides.map((side) => variablesOf(side).size === 0);
  if (isNamedText(last) && numbers.includes(true)) {
    return {
      ...relation,
      name: nameOf(last),
      value: valueOf(parts[numbers.indexOf(true)]!, depth),
    };
  }
  if (sides.length > 2 || !numbers.includes(false)) {
    return { ...relation, value: valueOf(last, depth) };
  }
  return relation;
}

function isNamedText(text: string): boolean {
  const own = expressionOf(text);
  return own !== undefined && isNamed(own) && own.op !== "call" ||
    own?.op === "call" && own.args.every(isNamed) ||
    /^[A-Z]{3,4}$|^\\(?:text|mathrm)\s?\{[^{}]*\}$/.test(text);
}

/** P(x), W(n): functions whose letter could be a factor as well. */
function isFunction(text: string): boolean {
  return /^[a-zA-Z]\s?\(\s?[a-z](?:\s?,\s?[a-z])*\s?\)$/.test(text);
}

const MIRROR: Readonly<Record<string, string>> = { "<": ">", ">": "<", "≤": "≥", "≥": "≤" };

/** The operator of a relation whose sides are multiplied by what is below 0. */
export const mirror = (operator: string): string => MIRROR[operator] ?? operator;

/** What a chain of inequalities, linear in one name, says of it. */
function rangeOf(sides: readonly Expression[], operators: readonly string[]): Value | undefined {
  let name: string | undefined, intervals: readonly Interval[] | undefined = reals.ALL;
  for (const [i, operator] of operators.entries()) {
    const own = solved(sides[i], operator, sides[i + 1]);
    if (!own || (name !== undefined && own.name !== name)) return undefined;
    name = own.name;
    intervals = intervals && reals.intersection(intervals, own.intervals);
  }
  return name !== undefined && intervals ? { kind: "reals", intervals, name } : undefined;
}

function solved(left: Expression | undefined, operator: string, right: Expression | undefined) {
  if (!left || !right) return undefined;
  const isFixed = (e: Expression) => variablesOf(e).size === 0;
  if (isFixed(left) === isFixed(right)) return linear(left, operator, right);
  const [own, bound, sign] = isFixed(left)
    ? [right, left, mirror(operator)]
    : [left, right, operator];
  if (sign === "≠" && own.op === "name") { // x ≠ ±1
    const points = signs(bound);
    if (points.some((each) => placeOf(each) === undefined)) return undefined;
    return { name: own.name, intervals: reals.complement(points.map(reals.point))! };
  }
  if (placeOf(bound) === undefined) return undefined;
  const set = rangeFrom(sign, bound);
  if (own.op === "name") return set && { name: own.name, intervals: set };
  if (own.op === "call") return set && { name: keyOf(own), intervals: set };
  if (own.op === "abs" && own.args[0]!.op === "name" && set) {
    const both = reals.mirrored(set);
    return both && { name: own.args[0]!.name, intervals: both };
  }
  return linear(left, operator, right);
}

const keyOf = (e: Expression & { op: "call" }) =>
  `${e.name}(${e.args.map((arg) => arg.op === "name" ? arg.name : "…").join()})`;

function rangeFrom(operator: string, value: Expression): readonly Interval[] | undefined {
  if (operator === "=") return [reals.point(value)];
  if (operator === "≠") return reals.complement([reals.point(value)]);
  const open = operator === "<" || operator === ">";
  return [reals.ray({ value, open }, operator === ">" || operator === "≥")];
}

/** What a x + b < c x + d says of x. */
function linear(left: Expression, operator: string, right: Expression) {
  const names = [...variablesOf(left, variablesOf(right))];
  const [name] = names;
  if (names.length !== 1 || name!.endsWith("()")) return undefined;
  const difference: Expression = { op: "add", args: [left, negated(right)] };
  const at = (n: string) => substituted(difference, name!, numberOf(n));
  const free = at("0"), slope: Expression = { op: "add", args: [at("1"), negated(free)] };
  const line: Expression = {
    op: "add",
    args: [{ op: "multiply", args: [slope, { op: "name", name: name! }] }, free],
  };
  const rise = placeOf(slope);
  if (!rise || !Number.isFinite(rise) || !sameValue(difference, line)) return undefined;
  const bound: Expression = { op: "divide", args: [negated(free), slope] }, exact = exactOf(bound);
  const value: Expression = exact ? { op: "number", value: exact } : bound;
  const intervals = rangeFrom(rise < 0 ? mirror(operator) : operator, value);
  return intervals && { name: name!, intervals };
}

// leaves

/** Both values of an expression that holds ±; itself where it holds none. */
function signs(e: Expression): Expression[] {
  const paired = has(e, "minusplus");
  if (paired) return [chosen(e, true), chosen(e, false)];
  if (!("args" in e)) return [e];
  if (e.op === "plusminus") return signs(e.args[0]!).flatMap((own) => [own, negated(own)]);
  let all: Expression[][] = [[]];
  for (const arg of e.args) {
    const own = signs(arg);
    if (all.length * own.length > 8) return [e];
    all = all.flatMap((before) => own.map((one) => [...before, one]));
  }
  return all.length === 1 ? [e] : all.map((args) => ({ ...e, args }));
}

const has = (e: Expression, op: string): boolean =>
  e.op === op || "args" in e && e.args.some((arg) => has(arg, op));

/** An expression with the upper signs of ± and ∓, or with the lower ones. */
function chosen(e: Expression, upper: boolean): Expression {
  if (!("args" in e)) return e;
  const args = e.args.map((arg) => chosen(arg, upper));
  if (e.op === "plusminus") return upper ? args[0]! : negated(args[0]!);
  if (e.op === "minusplus") return upper ? negated(args[0]!) : args[0]!;
  return { ...e, args };
}

function baseOf(text: string): Expression | undefined {
  const own = /^(?:\\text\s?\{)?([\dA-F]+)\}? ?_ ?(?:\{ ?)?(?:\\text\s?\{)?(\d\d?)\}?(?: ?\})?$/
    .exec(text);
  if (!own || Number(own[2]) < 2 || Number(own[2]) > 36) return undefined;
  try {
    return inBase(own[1]!, Number(own[2]));
  } catch {
    return undefined;
  }
}

function leafOf(text: string, depth: number): Value | undefined {
  const base = baseOf(text);
  if (base) return asExpression(base);
  const percent = PERCENT.exec(text);
  const { text: body, unit } = percent
    ? { text: text.slice(0, percent.index) }
    : withoutUnit(text) as { text: string; unit?: string };
  if (body !== text && body !== "") {
    const value = shapeOf(body, depth + 1);
    if (value?.kind !== "expression") return value?.kind === "text" ? undefined : value;
    if (percent) return { ...value, percent: true };
    return unit ? { ...value, unit } : value;
  }
  const own = expressionOf(text);
  if (own === undefined) return undefined;
  const both = signs(own);
  return oneOrMore(both.map(asExpression));
}
