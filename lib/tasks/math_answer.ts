/**
 * Where a text says its mathematical answer.
 *
 * The last answer counts: the content of the last `\boxed{…}` with the boxes that a comma, "and" or "or"
 * joins to it, unless "final answer is" follows with something else; else what follows the last "answer
 * is" or "answer:"; there, or in the whole text, the last formula in dollars or `\(…\)` with those that it
 * is joined to, or the last number where that comes later; else the text itself.
 *
 * @module
 */

/** Place of the brace that closes the one at a place; −1 where there is none. */
export function closing(text: string, from: number): number {
  for (let at = from, depth = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  return -1;
}

/** A piece of a text. */
interface Piece {
  readonly content: string;
  readonly from: number;
  readonly to: number;
}

/** Every complete `\boxed{…}` and `\fbox{…}`, braces balanced. */
function boxes(text: string): Piece[] {
  const start = /\\(?:boxed|fbox)(?![a-zA-Z])(\s*)/g, found: Piece[] = [];
  for (let match = start.exec(text); match; match = start.exec(text)) {
    const from = match.index, at = start.lastIndex;
    if (text[at] === "{") {
      const end = closing(text, at);
      if (end < 0) break; // cut off within the box: no box after it is complete either
      found.push({ content: text.slice(at + 1, end).trim(), from, to: end + 1 });
      start.lastIndex = end + 1;
    } else if (match[1] !== "") {
      const [token = ""] = /^[^\s$\\{}.,;]+/.exec(text.slice(at, at + 40)) ?? [];
      if (token !== "") found.push({ content: token, from, to: at + token.length });
    }
  }
  return found;
}

/** Content of the last complete box; null where there is none. */
export function lastBoxed(text: string): string | null {
  return boxes(text).at(-1)?.content ?? null;
}

const FORMULA = /\$\$([^$]+)\$\$|\$((?:\\.|[^$\\])+)\$|\\\(([\s\S]+?)\\\)|\\\[([\s\S]+?)\\\]/;
const NUMBER =
  /(?<![\w.\\])-?(?:\\?\$\s?)?\d(?:[\d,]*\d)?(?:\.\d+)?(?:\s*\/\s*\d+)?(?:\s*(?:\\?%|pct\b|percent(?:age)?\b))?/;
const TOKEN = new RegExp(`${FORMULA.source}|(${NUMBER.source})`, "g");
const PHRASE =
  /\b(final\s+)?answer\b(?:\s*(?:is|are|:|=|would be|should be)|\s*(?=\$|\\[[(]))\s*:?\s*(?:\*\*)?/gi;
/** What may stand between two answers that count as one. */
const JOINT = /^(?:[,;]|(?:[,;]\s*)?(?:[\w() ]{1,30}\s)?(?:and|or)(?:\s[\w{}]{1,6}\s*=)?)?$/i;
/** Words that stand within formulas. */
const FUNCTIONS = new Set([
  "sqrt",
  "sin",
  "cos",
  "tan",
  "log",
  "exp",
  "cot",
  "sec",
  "csc",
  "arctan",
  "mod",
  "and",
]);

/** A text without what only sets it. */
function unset(text: string): string {
  return text.replace(/\\text\s*\{([^{}]*)\}/g, "$1").replace(
    /\\q?quad|\\[,;!() ]|\$|\\\[|\\\]/g,
    " ",
  ).replace(/\s+/g, " ").trim();
}

/** The last piece, with those before it that a comma, "and" or "or" joins to it. */
function joined(text: string, pieces: readonly Piece[]): string {
  let first = pieces.length - 1;
  while (first > 0) {
    const between = text.slice(pieces[first - 1]!.to, pieces[first]!.from);
    if (between.includes("\n\n") || !JOINT.test(unset(between))) break;
    first--;
  }
  return pieces.slice(first).map(({ content }) => content).join(", ");
}

/** Whether a text has words beside its formulas. */
function hasWords(text: string): boolean {
  const plain = text.replace(
    /\\(?:text|mathrm|mbox|textbf|begin|end)\s*\{[^{}]*\}|\\[a-zA-Z]+/g,
    " ",
  );
  const words = plain.match(/(?<![a-zA-Z])[a-zA-Z]{3,}(?![a-zA-Z])/g) ?? [];
  return words.some((word) => !FUNCTIONS.has(word.toLowerCase()));
}

/** The last formula or number of a sentence, or the text itself where it is none. */
function lastMath(text: string): string {
  const own = text.trim().replace(/(?:\*\*|[.\s])+$/, "").replace(/^\*\*/, "");
  const tokens = [...own.matchAll(new RegExp(TOKEN))].map((match) => {
    const [, a, b, c, d, number] = match, formula = a ?? b ?? c ?? d;
    const content = (formula ?? number!).trim();
    return {
      content,
      from: match.index,
      to: match.index + match[0].length,
      formula: formula !== undefined,
    };
  });
  const formulas = tokens.filter(({ formula }) => formula);
  if (formulas.length === 0 && !hasWords(own)) return own;
  const last = tokens.at(-1);
  if (last === undefined) return own;
  if (!last.formula) {
    // a number right after a formula belongs to it
    return hasWords(own) || formulas.length === 0 ? last.content : unset(own);
  }
  return joined(own, formulas);
}

/**
 * The answer of a text, as LaTeX or plain text.
 *
 * @param text A generated text, or an answer by itself.
 * @returns The answer, possibly "".
 *
 * @example The last box counts
 * ```ts
 * import { mathAnswer } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * assertEquals(mathAnswer("First \\boxed{1}. No: $\\boxed{\\frac{1}{2}}$."), "\\frac{1}{2}");
 * assertEquals(mathAnswer("The answer is 7."), "7");
 * assertEquals(mathAnswer("x+1"), "x+1");
 * ```
 */
export function mathAnswer(text: string): string {
  const [whole = ""] = text.split(/<\|im_(?:start|end)\|>/);
  // a text that was escaped twice, as when it comes out of JSON within JSON
  const plain = whole.includes("\\begin") ? whole : whole.replace(/\\\\(?=[a-zA-Z])/g, "\\");
  const found = boxes(plain), phrase = [...plain.matchAll(PHRASE)].at(-1);
  const rest = phrase
    ? plain.slice(phrase.index + phrase[0].length).trim().split("\n\n")[0]!
    : plain;
  const box = found.at(-1);
  const corrected = box && phrase?.[1] !== undefined && phrase.index > box.to &&
    new RegExp(TOKEN).test(rest);
  if (box && !corrected) return joined(plain, found);
  return lastMath(rest === "" ? plain : rest);
}
