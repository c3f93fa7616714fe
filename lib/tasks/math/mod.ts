/**
 * Are two mathematical answers the same, whatever their form?
 *
 * LaTeX or text → shape (`shape.ts`) and tree (`formula.ts`) → value (`value.ts`) → equality (`equal.ts`), the same
 * either way round:
 *
 * - **Numbers and expressions** by value (`evaluate.ts`): integers, fractions and decimals exactly, of any
 *   size (5^{2023} − 5^{2022} is 4·5^{2022}, 100! is not 100! + 1); what is rational in its names –
 *   polynomials, quotients – as an identity; surds, logarithms, angles, powers of names to at least 30
 *   digits, at values of names of either sign where both are real: √(x²) is |x| and not x. What is too
 *   large to compute, such as 9^{9^{9^9}}, is equal to what is built alike.
 * - **Rounded decimals** – the one tolerance: a decimal of at least {@linkcode LEAST_DIGITS} significant
 *   digits equals a number that is written without a decimal point where it is its correct rounding:
 *   0.333333 is 1/3, 0.33 and 0.333334 are not. Two decimals are compared exactly.
 * - **Commas** between digits make lists: 2,5 is 2 and 5, and not 2.5. Where all groups but the first have
 *   three digits they can part thousands as well: 1,234 is 1234, and 100,101 is both 100101 and the list. Before
 *   two digits and more a comma can be a decimal one: 1,22 is 1.22, and the list.
 * - **Sets and lists** in any order, sets without repetition, lists with it; tuples and matrices entry by
 *   entry. (1,2) is a pair and an open interval.
 * - **Sets of real numbers** as sets: ℝ ∖ {0} is (−∞,0) ∪ (0,∞) is x ≠ 0; an inequality linear in one name
 *   is the set it describes.
 * - **Equations**: x = 3 is 3, and is not y = 3; x = 1, y = 2 is (1,2) in that order; others count up to a
 *   constant factor of left − right.
 * - **Percent** as written or as a fraction: 50 % is 50 and 0.5. **Degrees** as written or in radians: 60°
 *   is 60 and π/3; in a sine, degrees are degrees and other numbers radians. **Units** may be left out; two that are
 *   known and differ make two answers. A number in base 8 is none in base 10.
 * - **Texts** by their words.
 *
 * Two forms of one number are the same answer: whether an answer is in lowest terms is not asked. What
 * cannot be read is compared as text, as is what is longer than 1000 characters and no plain number. No
 * text throws, and none takes long.
 *
 * @module
 */

import { mathAnswer } from "../answer/math.ts";
import { equal } from "./equal.ts";
import { parseValue } from "./shape.ts";

/**
 * Whether an answer means the same as the right one; symmetric.
 *
 * @param gold The right answer: LaTeX or text, bare, in dollars, in `\boxed{}` or in a sentence.
 * @param answer The answer to be judged, in any of these forms; its last one counts.
 *
 * @example Forms of one half, and two lists
 * ```ts
 * import { mathEqual } from "@moi/moi/tasks";
 * import { assert } from "@std/assert";
 * assert(mathEqual("\\frac{1}{2}", "so it is \\boxed{0.5}"));
 * assert(mathEqual("\\frac{\\sqrt{2}}{2}", "$1/\\sqrt{2}$"));
 * assert(mathEqual("(-\\infty, 2]", "x \\le 2"));
 * assert(mathEqual("1, -2", "$x=-2$ or $x=1$"));
 * assert(!mathEqual("(1,2)", "(2,1)"));
 * assert(!mathEqual("100!", "100! + 1"));
 * ```
 */
export function mathEqual(gold: string, answer: string): boolean {
  const right = mathAnswer(gold).trim(), given = mathAnswer(answer).trim();
  if (right === given) return right !== "";
  const [x, y] = [plainNumber(right), plainNumber(given)];
  if (x !== undefined && y !== undefined) return x === y;
  const [letter, choice] = [letterOf(right), letterOf(given)];
  if (letter && choice && (letter.alone || choice.alone)) return letter.name === choice.name;
  return equal(parseValue(right), parseValue(given));
}

/** The letter of an option, alone or with its text behind: C, (C), \text{(C) } 5. */
function letterOf(text: string): { name: string; alone: boolean } | undefined {
  const own = text.replace(/^\\(?:text(?:bf|it|rm)?|math(?:bf|rm)|mbox)\s?\{\s?/, "");
  const bare = /^(?:([A-J])|\(([A-J])\))[\s}.]*$/.exec(own);
  if (bare) return { name: (bare[1] ?? bare[2])!, alone: true };
  const marked = /^\(([A-J])\)(?:[\s}~]|\\[,;:! ]|\\q?quad)[\s}]*[\w\\$-]/.exec(own);
  return marked ? { name: marked[1]!, alone: false } : undefined;
}

/** A decimal number of any length without separators and zeros that say nothing. */
function plainNumber(text: string): string | undefined {
  const [, sign = "", whole, part = ""] =
    /^([-−+]?)(\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const decimals = part.replace(/(?<!0)0+$/, "");
  const size = whole.replaceAll(",", "").replace(/^0+(?=\d)/, "") + (decimals && `.${decimals}`);
  return size === "0" || !/[-−]/.test(sign) ? size : `-${size}`;
}
