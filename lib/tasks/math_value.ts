/**
 * LaTeX to a value that can be compared: a number or expression, a collection, an interval, a relation,
 * a text.
 *
 * Parsed by `@cortex-js/compute-engine`'s LaTeX syntax alone; nothing is simplified or evaluated there,
 * since expressions are untrusted and may stand for 9^{9^{9}}. The library is loaded when the first
 * answer is parsed.
 *
 * @module
 */

import defer * as latex from "@cortex-js/compute-engine/latex-syntax";
import { closing } from "./math_answer.ts";

/** An expression as MathJSON: a number, a name, or a function with its arguments. */
export type Expression = number | string | readonly [string, ...Expression[]];

/** An end of an interval. */
export interface End {
  readonly value: Expression;
  readonly open: boolean;
}

/** What an answer is. */
export type Value =
  | { readonly kind: "expression"; readonly expression: Expression; readonly percent?: true }
  | { readonly kind: "text"; readonly text: string }
  /** "tuple": ordered, in parentheses; "set": in braces; "list": bare, which may be either. */
  | {
    readonly kind: "tuple" | "set" | "list";
    readonly items: readonly Value[];
    /** What a bare "1,25" is where the comma is a decimal point. */
    readonly decimal?: number;
  }
  | { readonly kind: "matrix"; readonly rows: readonly (readonly Value[])[] }
  | { readonly kind: "interval"; readonly low: End; readonly high: End }
  | { readonly kind: "union"; readonly parts: readonly Value[] }
  | {
    readonly kind: "relation";
    readonly sides: readonly Expression[];
    readonly operators: readonly string[];
  };

/** Longest answer that is parsed; longer ones are compared as text. */
const LONGEST = 1000;
/** Deepest nesting of brackets. */
const DEEPEST = 40;

const RELATIONS: Readonly<Record<string, string>> = {
  Equal: "=",
  Less: "<",
  LessEqual: "≤",
  Greater: ">",
  GreaterEqual: "≥",
  NotEqual: "≠",
};

/** Units after a number, in text commands or bare. */
const UNITS =
  /\\(?:text|mathrm|mbox|textbf|rm)\s*\{\s*(?:~|\\ )*[^{}\d]*?\}(?:\s*\^\s*(?:\{\s*[23]\s*\}|[23]))?\s*$/;
const WORDS =
  /(?<=[\d}\s])\s*(?:square |cubic |sq\.? ?|per )*(?:dollars?|cents?|euros?|units?|degrees?|radians?|inch(?:es)?|feet|foot|yards?|miles?|mph|cm|mm|km|meters?|metres?|grams?|kg|seconds?|minutes?|hours?|hrs?|days?|weeks?|months?|years?|people|students?|ways?|points?|pounds?|liters?|litres?|ft|in|m)(?:\s*\^\s*\{?[23]\}?)?\s*$/i;
const PERCENT = /\s*(?:\\?%|\\text\s*\{\s*(?:pct|percent(?:age)?)\s*\}|pct|percent(?:age)?)\s*$/;

/** Replacements that bring LaTeX into the words that the parser knows, in their order. */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/^\$+|\$+$/g, ""],
  [/(\d),\\!\s*(?=\d{3})/g, "$1"],
  [/(\d)\{,\}(?=\d{3})/g, "$1"],
  [/\\(?:left|right|big|Big|bigg|Bigg|displaystyle|textstyle|limits)(?![a-z])\s*\.?/g, ""],
  [/\\[dtc]frac(?![a-zA-Z])/g, "\\frac"],
  [/\\q?quad/g, " "],
  [/(?<!\\)\\[,;:! ]|~|[\u00a0\u2009\u202f]/g, " "],
  [/\\\$|\$|£|€/g, ""],
  [/[−–]/g, "-"],
  [/√\s*(\d+|\([^()]*\))/g, "\\sqrt{$1}"],
  [/[×·]/g, "\\cdot "],
  [/÷/g, "/"],
  [/π/g, "\\pi "],
  [/∞/g, "\\infty "],
  [/≤|\\le(?:q|qslant|qq)(?![a-zA-Z])/g, "\\le "],
  [/≥|\\ge(?:q|qslant|qq)(?![a-zA-Z])/g, "\\ge "],
  [/∪/g, "\\cup "],
  [/\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-zA-Z]))|°|\\degree(?![a-zA-Z])/g, ""],
  [/\bsqrt\s*\(([^()]*)\)/g, "\\sqrt{$1}"],
  [/\*\*/g, "^"],
  [/\\text\s*\{\s*(?:and|or)\s*\}/g, ","],
  [/(?<![\\a-zA-Z])(?:and|or)(?![a-zA-Z])/g, ","],
  [/\\(?:mbox|textrm|textnormal|textit|textbf)(?=\s*\{)/g, "\\text"],
  [/\\(?:mathbf|boldsymbol|mathrm)\s*\{([a-zA-Z])\}/g, "$1"],
  [/\\sqrt\s*(\d)/g, "\\sqrt{$1}"],
  [/\\frac\s*(\d)\s*(\d)/g, "\\frac{$1}{$2}"],
  [/\\frac\s*(\d)\s*\{/g, "\\frac{$1}{"],
  [/(\d)\\frac/g, "$1 \\frac"],
  [/=([^=]*)\\approx.*$/g, "=$1"],
  [/\\approx(?![a-zA-Z])|≈/g, "="],
  [/[[(]?\s*\\begin\{array\}\s*(?:\{[^{}]*\})?/g, "\\begin{pmatrix}"],
  [/\\end\{array\}\s*[\])]?/g, "\\end{pmatrix}"],
  [/(\d)\s*:\s*(?=\d)/g, "$1/"],
  [/\s*\.\s*$/g, ""],
];

/** The same answer in the words that the parser knows. */
function tidy(text: string): string {
  let out = text.trim();
  for (const [pattern, word] of SPELLINGS) out = out.replace(pattern, word);
  out = out.trim();
  // 1,000,000 is one number where such groups stand alone
  out = out.replace(
    /(?<![\d,.])[1-9]\d{0,2}(?:,\d{3})+(?!\d)/g,
    (own, at: number) => /[[({,]\s*$/.test(out.slice(0, at)) ? own : own.replaceAll(",", ""),
  );
  out = out.replace(/(?<![\d.])\d{1,3}(?: \d{3})+(?!\d)/g, (own) => own.replaceAll(" ", ""));
  if (/[\d}]/.test(out)) out = out.replace(UNITS, "").replace(WORDS, "").trim();
  return out;
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

/** Plain words: lower case, no punctuation around. */
export function words(text: string): string {
  return text.replace(/\\(?:text|mathrm|mbox|textbf|mathbf|operatorname)\s*\{([^{}]*)\}/g, "$1")
    .replace(/\\[,;:! ]|[$~]/g, " ").replace(/^[\s("'.]+|[\s)"'.]+$/g, "").replace(/\s+/g, " ")
    .toLowerCase();
}

/** MathJSON of the parser as plain arrays; undefined where it marks an error. */
function plainJson(json: unknown): Expression | undefined {
  if (typeof json === "number" || typeof json === "string") return json;
  if (typeof json !== "object" || json === null) return undefined;
  const own = json as { num?: string; sym?: string; str?: string; fn?: unknown };
  if (own.num !== undefined) return numberOf(own.num);
  if (own.sym !== undefined) return own.sym;
  if (own.str !== undefined) return `'${own.str}'`;
  const list = Array.isArray(json) ? json : own.fn;
  if (!Array.isArray(list) || typeof list[0] !== "string" || list[0] === "Error") return undefined;
  const args = list.slice(1).map(plainJson);
  return args.includes(undefined) ? undefined : [list[0], ...args as Expression[]];
}

/** A number; of a repeating decimal, such as 0.(3), its first 40 digits. */
function numberOf(text: string): number {
  return Number(
    text.replace(/\((\d+)\)/, (_, digits: string) => digits.repeat(Math.ceil(40 / digits.length))),
  );
}

const isText = (e: Expression): e is string => typeof e === "string" && e.startsWith("'");
const isUnit = (e: Expression) => isText(e) || (Array.isArray(e) && e[0] === "__unit__");

/** An expression without the units that follow it. */
function unitless(e: Expression): Expression {
  if (!Array.isArray(e)) return e;
  const [name, ...args] = e as [string, ...Expression[]];
  if (name === "InvisibleOperator" || name === "Multiply") {
    const kept = args.filter((arg) => !isUnit(arg));
    if (kept.length > 0 && kept.length < args.length) {
      return kept.length === 1 ? unitless(kept[0]!) : [name, ...kept.map(unitless)];
    }
  }
  if (name === "Quantity") return unitless(args[0]!);
  return [name, ...args.map(unitless)];
}

function endOf(e: Expression): End {
  return Array.isArray(e) && e[0] === "Open"
    ? { value: e[1]!, open: true }
    : { value: e, open: false };
}

function sidesOf(e: Expression): { sides: Expression[]; operators: string[] } {
  if (!Array.isArray(e) || RELATIONS[e[0]] === undefined) return { sides: [e], operators: [] };
  const sides: Expression[] = [], operators: string[] = [];
  for (const [i, arg] of (e.slice(1) as Expression[]).entries()) {
    const part = sidesOf(arg);
    if (i > 0) operators.push(RELATIONS[e[0]]!);
    sides.push(...part.sides);
    operators.push(...part.operators);
  }
  return { sides, operators };
}

/** Both values of an expression that holds ±; itself where it holds none. */
function signs(e: Expression): Expression[] {
  if (!Array.isArray(e)) return [e];
  const [name, ...args] = e as [string, ...Expression[]];
  if (name === "Measurement" || name === "PlusMinus") {
    const [a, b = a] = args, alone = args.length === 1;
    const parts = alone
      ? [a!, ["Negate", b!] as const]
      : [["Add", a!, b!] as const, ["Subtract", a!, b!] as const];
    return parts.flatMap((part) => signs(part));
  }
  let all: Expression[][] = [[]];
  for (const arg of args) {
    const own = signs(arg);
    if (all.length * own.length > 8) return [e];
    all = all.flatMap((before) => own.map((one) => [...before, one]));
  }
  return all.length === 1 ? [e] : all.map((own) => [name, ...own]);
}

/** Largest number of rows and columns of a product. */
const LARGEST_MATRIX = 8;

/** Entries of a matrix, or of a sum or product of matrices; undefined where it is none. */
function matrixOf(e: Expression): Expression[][] | undefined {
  if (!Array.isArray(e)) return undefined;
  const [name, ...args] = e as [string, ...Expression[]];
  if (name === "Matrix") {
    const [body] = args, rows = Array.isArray(body) ? body.slice(1) as Expression[] : [];
    return rows.map((row) =>
      Array.isArray(row) && row[0] === "List" ? row.slice(1) as Expression[] : [row]
    );
  }
  const isSum = name === "Add" || name === "Subtract";
  if (!isSum && name !== "InvisibleOperator" && name !== "Multiply") return undefined;
  const all = args.map(matrixOf);
  return all.length < 2 ? undefined : all.reduce((a, b) => {
    if (!a || !b || Math.max(a.length, b.length, ...b.map((row) => row.length)) > LARGEST_MATRIX) {
      return undefined;
    }
    if (isSum) {
      const fits = a.length === b.length && a.every((row, i) => row.length === b[i]!.length);
      return fits ? a.map((row, i) => row.map((x, j) => [name, x, b[i]![j]!])) : undefined;
    }
    if (a.some((row) => row.length !== b.length)) return undefined;
    return a.map((row) =>
      b[0]!.map((_, j) => ["Add", ...row.map((x, k) => ["Multiply", x, b[k]![j]!] as const)])
    );
  });
}

function valueOf(e: Expression): Value {
  if (isText(e)) return { kind: "text", text: words(e.slice(1, -1)) };
  if (!Array.isArray(e)) return { kind: "expression", expression: e };
  const [name, ...args] = e as [string, ...Expression[]];
  const items = (list: readonly Expression[]) =>
    list.flatMap((item) =>
      Array.isArray(item) && item[0] === "Sequence" ? item.slice(1) as Expression[] : [item]
    )
      .map(valueOf);
  if (name === "Delimiter") {
    const [body, mark] = args;
    const inside = Array.isArray(body) && body[0] === "Sequence"
      ? body.slice(1) as Expression[]
      : [body!];
    const style = isText(mark ?? 0) ? (mark as string).slice(1, -1) : "()";
    if (inside.length === 1 && !/[[{]/.test(style)) return valueOf(inside[0]!);
    const kind = style.startsWith("(") || style.startsWith("[") ? "tuple" : "list";
    return { kind, items: items(inside) };
  }
  if (name === "Set") return { kind: "set", items: items(args) };
  if (name === "Sequence") return { kind: "list", items: items(args) };
  if (name === "List" || name === "Tuple" || name === "Pair" || name === "Triple") {
    return { kind: "tuple", items: items(args) };
  }
  const matrix = matrixOf(e);
  if (matrix) return { kind: "matrix", rows: matrix.map(items) };
  if (name === "Interval") return { kind: "interval", low: endOf(args[0]!), high: endOf(args[1]!) };
  if (name === "Union") {
    return {
      kind: "union",
      parts: args.map(valueOf).flatMap((p) => p.kind === "union" ? p.parts : [p]),
    };
  }
  if (name === "Or" || name === "And") return { kind: "list", items: items(args) };
  if (name === "Element" && args.length === 2) return valueOf(args[1]!);
  if (name === "Colon" && args.length === 2) {
    return { kind: "expression", expression: ["Divide", ...args] };
  }
  if (RELATIONS[name] !== undefined) return { kind: "relation", ...sidesOf(e) };
  const both = signs(e);
  return both.length > 1
    ? { kind: "set", items: both.map((expression) => ({ kind: "expression", expression })) }
    : { kind: "expression", expression: e };
}

/** Splits at a mark outside of brackets. */
function split(text: string, mark: string): string[] {
  const parts: string[] = [];
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
    else if (c === mark && depth <= 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** What is between a bracket at the start and its partner at the end; undefined where it is not so. */
function enclosed(text: string): { open: string; body: string; close: string } | undefined {
  const shape = /^(\\\{|[([])([\s\S]*)(\\\}|[)\]])$/.exec(text);
  if (!shape) return undefined;
  const body = shape[2]!;
  let depth = 0;
  for (const c of body.replace(/\\[{}]/g, (own) => own === "\\{" ? "(" : ")")) {
    if ("([".includes(c)) depth++;
    else if (")]".includes(c) && --depth < 0) return undefined;
  }
  return depth === 0 ? { open: shape[1]!, body, close: shape[3]! } : undefined;
}

/**
 * The value of an answer.
 *
 * @param answer LaTeX or plain text, without the sentence around it.
 * @returns A value; a text where it cannot be read otherwise.
 */
export function parseValue(answer: string): Value {
  const text = tidy(answer), asText: Value = { kind: "text", text: words(answer) };
  if (text.length === 0 || text.length > LONGEST || tooDeep(text)) return asText;
  const wrapped = /^\\text\s*\{([^{}]*)\}$/.exec(text);
  if (wrapped) {
    return /\d/.test(wrapped[1]!)
      ? parseValue(wrapped[1]!)
      : { kind: "text", text: words(wrapped[1]!) };
  }
  const groups = split(text, ";");
  if (groups.length > 1) {
    return { kind: "list", items: groups.map((part) => asTuple(parseValue(part))) };
  }
  const list = split(text, ",");
  if (list.length > 1) {
    const fraction = /^(-?\d+),(\d+)$/.exec(text);
    const items = list.map(parseValue);
    return fraction
      ? { kind: "list", items, decimal: Number(`${fraction[1]}.${fraction[2]}`) }
      : { kind: "list", items };
  }
  const unions = text.split(/\\cup(?![a-zA-Z])/);
  if (unions.length > 1 && unions.length < 20) {
    return { kind: "union", parts: unions.map((part) => parseValue(part)) };
  }
  if (text.startsWith("{") && closing(text, 0) === text.length - 1) {
    const inside = split(text.slice(1, -1), ",");
    return inside.length > 1
      ? { kind: "set", items: inside.map(parseValue) }
      : parseValue(text.slice(1, -1));
  }
  const around = enclosed(text);
  if (around) {
    const inside = split(around.body, ","), { open, close } = around;
    if (open === "\\{" && close === "\\}") return { kind: "set", items: inside.map(parseValue) };
    if (inside.length === 2 && (open === "[" || close === "]")) {
      const [low, high] = inside.map(expressionOf);
      if (low !== undefined && high !== undefined) {
        return {
          kind: "interval",
          low: { value: low, open: open === "(" },
          high: { value: high, open: close === ")" },
        };
      }
    }
    if (inside.length > 1) return { kind: "tuple", items: inside.map(parseValue) };
    if (open === "(" && close === ")" && !/^[a-zA-Z]$/.test(around.body.trim())) {
      return parseValue(around.body);
    }
  }
  const percent = PERCENT.test(text);
  const body = percent ? text.replace(PERCENT, "") : text;
  const membership = /^\s*[a-zA-Z]\s*\\in(?![a-zA-Z])\s*/.exec(body);
  if (membership) return parseValue(body.slice(membership[0].length));
  const ratio = /^[^=<>\d]*:[^=<>]*=([^=<>]*)$/.exec(body.replace(/_\{?\w+\}?/g, ""));
  if (ratio) return parseValue(ratio[1]!); // A : B = 2 : 3
  const equation = /^([^=<>]*[a-zA-Z][^=<>]*[^=<>!])=([^=<>]*)$/.exec(
    body.replace(/\\[gl]e(?![a-zA-Z])/g, "<"),
  );
  if (equation && /^\s*(?:\\?[{([]|\\begin)/.test(equation[2]!)) {
    const right = parseValue(equation[2]!);
    if (right.kind !== "expression" && right.kind !== "text") return right; // (x, y) = (1, 2)
  }
  const e = expressionOf(body);
  if (e === undefined) return asText;
  const value = valueOf(e);
  return percent && value.kind === "expression" ? { ...value, percent: true } : value;
}

/** A list in place of which a tuple can be meant. */
function asTuple(value: Value): Value {
  return value.kind === "list" ? { kind: "tuple", items: value.items } : value;
}

/** An expression; undefined where the text is none. */
function expressionOf(text: string): Expression | undefined {
  // a word is no product of its letters
  if (/^[a-zA-Z]{3,}(?:[ '-][a-zA-Z]+)*$/.test(text.trim())) return undefined;
  let json: unknown;
  try {
    json = latex.parse(text);
  } catch {
    return undefined;
  }
  const e = plainJson(json);
  return e === undefined || e === "Nothing" ? undefined : unitless(e);
}
