/**
 * Mathematics as the answer of a text: a kind of the mechanism in `evidence.ts`.
 *
 * A value is a formula: in dollars, `\(…\)` or `\[…\]`, LaTeX or an expression bare within a sentence, a
 * number; those that a comma, "and" or "or" joins count together. A text without any is its own answer.
 *
 * @module
 */

import { findAnswer, type Finding, type Kind } from "./evidence.ts";
import {
  boxesOf,
  DENIAL,
  endOf,
  isJoint,
  joined,
  listed,
  type Piece,
  unset,
  withoutThoughts,
} from "./pieces.ts";

const NUMBER =
  /(?<![\w.\\])[-−]?(?:\\?\$\s?)?(?:\d(?:[\d,]*\d)?(?:\.\d+)?[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]?|\.\d+|[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])(?:\s*\/\s*\d+)?(?:\s*(?:\\?%|pct\b|percent(?:age)?\b))?/g;
/** Words that stand within formulas. */
const FUNCTIONS =
  /^(?:sqrt|sin|cos|tan|log|ln|exp|cot|sec|csc|arctan|arcsin|arccos|mod|and|det|max|min|gcd|lcm)$/i;
/** What may stand between "answer is" and the answer, at its beginning. */
const FILLER =
  /(?:[\s:*"“”]|(?:I(?: would)? (?:think|believe|guess|say)|probably|likely|therefore|thus|hence|then|simply|just|indeed|clearly|actually|now|still|again|also|only|approximately|about|around|roughly|exactly|equal to|given by|of course|in fact|a total of|the (?:number|value)|that|it's|it is|is)(?![\p{L}\p{N}'’-])[,]?)*/iuy;
/** Whether formulas are set apart from words. */
const SET = /(?<!\\)\$|\\[([]/;
/** Longest text without a formula that is an answer itself. */
const LONGEST_WORDS = 100;

/** Whether a text has words beside its formulas. */
function hasWords(text: string): boolean {
  const plain = text.replace(
    /\\(?:text|mathrm|mbox|textbf|begin|end)\s*\{[^{}]*\}|\\[a-zA-Z]+/g,
    " ",
  );
  const words = plain.match(/(?<![a-zA-Z])[a-zA-Z]{3,}(?![a-zA-Z])/g) ?? [];
  return words.some((word) => !FUNCTIONS.test(word));
}

interface Token extends Piece {
  /** Whether it is a formula, and not a number. */
  readonly formula: boolean;
}

/** The words of a text, white space within braces not parting them. */
function wordsOf(text: string): Piece[] {
  const found: Piece[] = [], mark = /\\[\s\S]|[{}]|\s+/g;
  let from = 0, depth = 0;
  const end = (to: number) => {
    if (to > from) found.push({ content: text.slice(from, to), from, to });
  };
  for (let match = mark.exec(text); match; match = mark.exec(text)) {
    if (match[0] === "{") depth++;
    else if (match[0] === "}") depth = Math.max(0, depth - 1);
    else if (depth === 0 && /^\s/.test(match[0])) {
      end(match.index);
      from = mark.lastIndex;
    }
  }
  end(text.length);
  return found;
}

/** A command that belongs to a formula, not to the page. */
const LATEX =
  /\\(?!(?:textbf|textit|emph|item|section|subsection|noindent|par|hline|newline|label|begin|end)(?![a-zA-Z]))[a-zA-Z]|\\begin\{(?:[pbvVB]?matrix|cases|array)\}/;

/** Formulas that stand bare in a sentence; a letter alone is one only with `names`, a number alone is none. */
function bareFormulas(text: string, names: boolean): Token[] {
  const runs: Piece[][] = [[]];
  for (const word of wordsOf(text)) {
    const own = word.content.replace(/[.,;:!?]+$/, "").replace(/^\*+|\*+$/g, "");
    const letters = own.replace(/\\[a-zA-Z]+(?:\s*\{[a-zA-Z ]*\})?/g, " ").match(/[a-zA-Z]{2,}/g) ??
      [];
    const plain = letters.every((word) => FUNCTIONS.test(word)) && !/(?<!\\)\$|[`"“”’']/.test(own);
    const isFormula = plain && own !== "" && /[\\\d^_=+*/<>≤≥±−(√π∞&-]|^[a-zA-Z]$/.test(own);
    if (isFormula) {
      const at = word.from + word.content.indexOf(own);
      runs.at(-1)!.push({ content: own, from: at, to: at + own.length });
    }
    if (!isFormula || /[.,;:!?]$/.test(word.content)) runs.push([]);
  }
  return runs.flatMap((run): Token[] => {
    const isOperator = (piece?: Piece) =>
      piece !== undefined &&
      /^(?:[-+−±*/=<>≤≥^]+|\\(?:in|[lgn]eq?|to|cup|cap|times|cdot|pm|equiv|approx))$/.test(
        piece.content,
      );
    // "a" and "I" before a formula are words
    let from = 0, to = run.length;
    while (to - from > 1 && /^[a-zA-Z]$/.test(run[from]!.content) && !isOperator(run[from + 1])) {
      from++;
    }
    while (to > from && isOperator(run[to - 1])) to--;
    if (to === from) return [];
    const first = run[from]!, last = run[to - 1]!;
    const content = text.slice(first.from, last.to);
    const latex = LATEX.test(content), bare = /^[-−]?(?:\\?\$)?[\d.,]+\s*\\?%?$/.test(content);
    const wanted = latex ||
      (!bare && /[\d=+^_*/<>≤≥±√π∞]|[a-zA-Z)]\s?[-−]\s?[a-zA-Z(]/.test(content)) ||
      (names && /^[a-zA-Z]$/.test(content));
    return wanted ? [{ content, from: first.from, to: last.to, formula: true }] : [];
  });
}

/** Formulas between dollars, `\(…\)` and `\[…\]`. */
function setFormulas(text: string): Token[] {
  const found: Token[] = [], start = /\\\$|\$\$?|\\[([]/g, ended = new Set<string>();
  for (let match = start.exec(text); match; match = start.exec(text)) {
    const [open] = match, from = start.lastIndex;
    if (open === "\\$" || ended.has(open)) continue;
    const close = open.startsWith("$") ? open : open === "\\(" ? "\\)" : "\\]";
    let to: number;
    if (open.startsWith("$")) {
      const end = endOf(/(?:\\[\s\S]|[^$\\])*/y, text, from);
      to = text.startsWith(close, end) ? end : -1;
    } else to = text.indexOf(close, from);
    if (to > from) {
      const content = text.slice(from, to).trim(), end = to + close.length;
      found.push({ content, from: match.index, to: end, formula: true });
      start.lastIndex = end;
    } else if (open === "$$") start.lastIndex = match.index + 1;
    else if (to < 0) ended.add(open); // none of its kind ends any more
  }
  return found;
}

/** Formulas and numbers of a text, in its order; bare formulas in place of the numbers in them. */
function tokensOf(text: string, names: boolean): Token[] {
  const found: Token[] = [];
  let from = 0;
  for (const next of [...setFormulas(text), undefined]) {
    const gap = text.slice(from, next?.from), bare = bareFormulas(gap, names);
    let k = 0; // both are in the order of the text
    const numbers = Array.from(gap.matchAll(NUMBER), ({ 0: content, index }): Token => (
      { content: content.trim(), from: index, to: index + content.length, formula: false }
    )).filter((token) => {
      while (k < bare.length && bare[k]!.to <= token.from) k++;
      return k === bare.length || bare[k]!.from >= token.to;
    });
    const both = [...numbers, ...bare].sort((x, y) => x.from - y.from);
    for (const own of both) found.push({ ...own, from: own.from + from, to: own.to + from });
    if (next) found.push(next);
    from = next?.to ?? text.length;
  }
  return found;
}

/** A text without the emphasis and the point around it. */
function trimmed(text: string): string {
  const own = text.trim();
  let to = own.length;
  while (to > 0 && /[.\s]/.test(own[to - 1]!) || own.slice(to - 2, to) === "**") {
    to -= own[to - 1] === "*" ? 2 : 1;
  }
  return own.slice(own.startsWith("**") && to >= 2 ? 2 : 0, to);
}

/** The last formula or number of a text; the text itself where it is one. */
function lastMath(text: string): string | undefined {
  const own = trimmed(text), tokens = tokensOf(own, false);
  const formulas = tokens.filter(({ formula }) => formula), last = tokens.at(-1);
  const worded = hasWords(own);
  if (!SET.test(own) && !worded) return own;
  if (last === undefined) return undefined;
  if (!worded && formulas.length > 0 && !last.formula) return unset(own); // a number belongs to it
  const same = last.formula ? formulas : tokens;
  return joined(same, same.length - 1, (a, b) => areJoined(own, a, b));
}

/** Whether two formulas count together; numbers only where nothing but the joint is between them. */
function areJoined(text: string, a: Token, b: Token): boolean {
  const between = text.slice(a.to, b.from);
  return a.formula && b.formula
    ? isJoint(text, a.to, b.from)
    : /^\s{0,4}(?:[,;]|,?\s{0,4}(?:and|or))\s{0,4}$/.test(between);
}

/** The formula at the beginning of a statement, with those that are joined to it. */
function firstMath(text: string): string | undefined {
  const own = text.slice(endOf(FILLER, text, 0));
  const sentence = /^(?:[^.\n]|\.(?!\s|$)|\n(?=\s*(?:\$|\\\[)))*/.exec(own)![0];
  if (!SET.test(sentence) && !hasWords(sentence)) return trimmed(sentence) || undefined;
  const tokens = tokensOf(own.slice(0, 600), true), [first] = tokens;
  if (!first || own.slice(0, first.from).trim() !== "") return undefined;
  // a number right after a formula, or a unit, belongs to it
  const end = tokens.findIndex((a, i) => {
    const b = tokens[i + 1];
    return !b || !areJoined(own, a, b) || own.slice(a.to, b.from).trim() === "";
  });
  return listed(tokens.slice(0, end + 1));
}

const KIND: Kind = {
  read({ source, content }) {
    if (source === "last box") return { value: content, direct: true };
    if (source === "answer tag") {
      if (content === "") return undefined;
      return { value: lastMath(content) ?? trimmed(content), direct: true };
    }
    const own = content.trim();
    if (own === "") return undefined;
    if (DENIAL.test(own)) return { value: null, shown: own.split("\n")[0]!, direct: false };
    const first = firstMath(own);
    if (first !== undefined) {
      if (source === "'####' line" && /^\d+[.)]\s+\p{L}/u.test(own)) return undefined; // a heading
      const at = own.indexOf(first);
      const asked = at >= 0 && /^[\s$*)]*\?/.test(own.slice(at + first.length));
      return { value: first, direct: !asked };
    }
    if (source === "'####' line" || source === "correction") return undefined;
    const math = lastMath(own);
    if (math !== undefined) return { value: math, direct: false };
    const words = trimmed(own.split(/\n|(?<=[a-z])\.\s/)[0]!);
    if (words === "" || words.length > LONGEST_WORDS) return undefined;
    return { value: words, direct: false };
  },
  rest(text) {
    const last = lastMath(text);
    if (last !== undefined) return { value: last, direct: true, source: "last formula" };
    const own = text.trim();
    if (own.length > LONGEST_WORDS || own.includes("\n")) return undefined;
    return { value: trimmed(own), direct: true, source: "the text itself" };
  },
};

/** The text without what only escapes it: as when it comes out of JSON within JSON. */
const unescaped = (text: string) =>
  text.includes("\\begin") ? text : text.replace(/\\\\(?=[a-zA-Z])/g, "\\");

/** The formula that is a text's answer; see {@linkcode findAnswer} for the ranks of evidence. */
export function findMath(text: string): Finding {
  const { value, because } = findAnswer(unescaped(text), KIND);
  return { value: value?.trim() || null, because };
}

/**
 * Content of the last complete box of a text, thoughts left out.
 *
 * @returns The content, a box within it opened; null where there is none, or where the text ends within a
 * box: then its answer is not known.
 *
 * @example
 * ```ts
 * import { lastBoxed } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * assertEquals(lastBoxed("\\boxed{1}, no: \\boxed{\\frac{1}{2}}"), "\\frac{1}{2}");
 * assertEquals(lastBoxed("\\boxed{\\boxed{5}}"), "5");
 * assertEquals(lastBoxed("\\boxed{1} \\boxed{"), null);
 * ```
 */
export function lastBoxed(text: string): string | null {
  const { boxes, cut } = boxesOf(withoutThoughts(text));
  return cut ? null : boxes.at(-1)?.content ?? null;
}

/**
 * The answer of a text, as LaTeX or plain text: that of its last final-answer statement, box or answer tag, else
 * its last formula or number, else the text itself.
 *
 * @param text A generated text, or an answer by itself.
 * @returns The answer; "" where there is none, as in a text that is cut within a box.
 *
 * @example The last box counts
 * ```ts
 * import { mathAnswer } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * assertEquals(mathAnswer("First \\boxed{1}. No: $\\boxed{\\frac{1}{2}}$."), "\\frac{1}{2}");
 * assertEquals(mathAnswer("The answer is 7."), "7");
 * assertEquals(mathAnswer("The probability is \\frac{3}{4}."), "\\frac{3}{4}");
 * assertEquals(mathAnswer("x+1"), "x+1");
 * ```
 */
export function mathAnswer(text: string): string {
  return findMath(text).value ?? "";
}
