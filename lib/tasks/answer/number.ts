/**
 * Numbers as answers of a text: a kind of the mechanism in `evidence.ts`.
 *
 * `released.ts` has the rule of the released MoI code, which differs.
 *
 * @module
 */

import { evaluateTokens, EXACT, ExpressionError } from "../_expression.ts";
import type { Fraction } from "../rational.ts";
import { findAnswer, type Finding, isWhole, type Kind, type Reading } from "./evidence.ts";
import { DENIAL, endOf, FILLER, INSTEAD, sentenceOf } from "./pieces.ts";
import { folded, numbersIn, plainNumbers, type WrittenNumber } from "./written.ts";

/** What sets a number: dollars, brackets, emphasis, a text command. */
const SETTING =
  /(?:[\s$*_"“‘'({[<€£¥₹~]|\\(?:text(?:bf|it|rm)?|math(?:bf|rm|it)|mbox|boxed|bm|bf|rm)\s*\{|\\[(\[{,;! ]|\\left|\b(?:USD|EUR|GBP|US|Rs\.?))*/y;
/** A name that is said to equal the number. */
const NAME = /[^=\d\n,;]{1,40}[=≈]\s*/y;
const UNIT = String
  .raw`(?:\\?(?:%|\^?\\circ)|\s*(?:\\(?:text|mathrm|mbox)\s*\{[^{}]{0,30}\}|[\p{L}$€£°]{1,16}(?![\p{L}{])))?`;
/** A unit of several words before an operator, as "per hour". */
const MEASURE = String
  .raw`(?:${UNIT}|(?:\s+(?!(?:because|since|as|if|when|where|so|and|or)\b)[\p{L}/]{1,16}){2,4})`;
const OPERATOR = new RegExp(
  `^${MEASURE}[\\s$*]*(=|[-+−*/×÷·]|x(?=[\\s$(*\\d]*$)|\\\\times|\\\\cdot|\\\\div)[\\s$(*]*$`,
  "u",
);
const ALTERNATIVE = new RegExp(
  `^${UNIT}[\\s$*]*(?:(,|;)|(?:,\\s*)?(?:and|or|to|through|&|[–—])|(?:,|;|,?\\s*(?:and|or))\\s*[\\p{L}]{1,2}\\s*=)[\\s$*]*$`,
  "iu",
);
/** What makes a number part of an expression that is not read here. */
const TAIL =
  /^\s*(?:[⁰¹²³⁴-⁹]|\^(?!\s*\{?\s*\\circ)|_(?!\{?10\}?)|\\(?!(?:text|mathrm|mbox|textbf|mathbf|textit|operatorname|rm|quad|qquad|circ|degree|right|ldots|dots|end|approx|implies|Rightarrow|to|boxed|hspace|phantom|newline)(?![a-zA-Z])|[^a-zA-Z]))/;

/**
 * A letter, a root or π right after a number or behind an operator: 2x, 2π, 5 - 2√3, 2 + x. Letters that are
 * units by themselves (5m, 3k, 20/h) are none.
 */
const FACTOR =
  /^(?:[aefijnoqrtuvwxyzXYZ](?![\p{L}'’])(?!\s*\d)|\s[xyz](?![\p{L}'’])(?!\s*\d)|(?:[xyz]{2,3}|ab|ac|bc|abc)(?!\p{L})|\s?[√π∛]|\*?pi(?!\p{L})|\*?sqrt\b|\s*[-+−–*×·^]\s*(?:\d[\d.]*\s?\*?)?(?:[b-hj-zXYZ](?![\p{L}'’])(?!\s*\d)|[√π∛]|pi(?!\p{L})|sqrt\b)|\s*\/\s*(?:[nxyz](?![\p{L}'’])|[√π]|pi(?!\p{L})|sqrt\b)|\s?[*·×]?\s?\(\s?-?\d*[a-z]\s?[-+−*/^]\s?[\da-z]+\s?\))/u;
/** The same before a number. */
const FACTOR_BEFORE = /(?:(?<![\p{L}'’])[b-hj-z]\s?[-+−*×·]|[π√)]\s?[-+−*/×·])\s?$/u;

/** "7 is the answer": the number goes before. */
const NUMBER_IS =
  /(?<![\p{L}\d.,/])([-−]?\$?\d[\d.,/]{0,30}%?)(?:\s\p{L}{1,16})?\s+is\s+the\s+(?:(?:final|correct|right)\s+){0,2}answer(?![\p{L}])/giu;

/** Value of a chain of operands, products first; undefined where it divides by 0. */
function valueOf(operands: readonly Fraction[], operators: readonly string[]) {
  const plain = (operator: string) =>
    /[-−+]/.test(operator) ? operator.replace("−", "-") : /[/÷]|div/.test(operator) ? "/" : "*";
  const tokens = operands.flatMap((_, i) => [...(i > 0 ? [plain(operators[i - 1]!)] : []), `${i}`]);
  try {
    return evaluateTokens(tokens, { ...EXACT, number: (token) => operands[Number(token)] });
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

type Quantity = Pick<WrittenNumber, "text" | "value" | "other">;

/** Units of which one is often said in another. */
const CONVERTED =
  /^\s*((?:milli|centi|kilo)?(?:second|minute|hour|day|week|month|year|inch|foot|feet|yard|mile|meter|metre|gram|liter|litre|pound|ounce|gallon|quart|pint|cup|cent|dollar|penn(?:y|ie)|dime|nickel|quarter)|kg|km|cm|mm|min|hr|ft|in|lb|oz)(?:e?s)?(?![\p{L}])/iu;

/** Whether the units before and after an equals sign are two that are known. */
function isConversion(between: string, after: string): boolean {
  const from = CONVERTED.exec(between)?.[1], to = CONVERTED.exec(after.slice(0, 24))?.[1];
  return from !== undefined && to !== undefined && from.toLowerCase() !== to.toLowerCase();
}

/** A number, or a chain such as "16 - 4 = 12", at the k-th number of a content; undefined where it is none. */
function quantity(
  content: string,
  numbers: readonly WrittenNumber[],
  k: number,
  formula: boolean,
): Quantity | undefined {
  let last = numbers[k]!, operands = [last.value], operators: string[] = [];
  for (let i = k + 1; i < numbers.length && operands.length < 64; i++) {
    const next = numbers[i]!, between = content.slice(last.to, next.from);
    if (between.length > 60) break;
    const [, operator] = OPERATOR.exec(between) ?? [];
    if (operator !== "=" && FACTOR.test(content.slice(last.to, next.to + 8))) return undefined;
    // "60 minutes = 1 hour" says one thing in two units
    const isSaid = operator === "=" && operators.length === 0;
    if (isSaid && isConversion(between, content.slice(next.to))) break;
    if (operator === undefined) {
      const list = ALTERNATIVE.exec(between);
      if (!list || last.value.equals(next.value)) break;
      if (last.other?.equals(next.value)) break;
      const after = content.slice(next.to, next.to + 20);
      // "20, 3 of which are red" is no list
      if (list[1] && !/^[\s$*]*(?:$|[.,;)}]|and\b|or\b)/.test(after)) break;
      return undefined;
    }
    // "3-4 days" is a range, "16-4" a difference
    if (operator === "-" && between === "-" && last.value.lt(next.value)) return undefined;
    if (operator === "=") [operands, operators] = [[next.value], []];
    else {
      operands.push(next.value);
      operators.push(operator);
    }
    last = next;
  }
  const tail = content.slice(last.to, last.to + 40);
  if (TAIL.test(tail) || FACTOR.test(tail)) return undefined;
  if (formula && /^(?:!|[abcikxyzn](?![\p{L}]))/u.test(tail)) return undefined;
  if (operators.length === 0) return last;
  const value = valueOf(operands, operators);
  return value && { value, text: value.toFraction() };
}

/** A reading of a number; none where what is shown is no number. */
const taken = (found: Quantity | undefined, shown: string, direct: boolean): Reading => ({
  ...{ value: found?.text ?? null, direct, ...(!found && { shown }) },
  ...(found && { exact: found.other ? [found.value, found.other] : [found.value] }),
});

/** The kind of numbers. */
const NUMBERS: Kind = {
  read({ source, content }) {
    const whole = isWhole(source), inLine = source === "'####' line";
    const own = plainNumbers(whole ? content.slice(0, 2000) : content);
    const text = whole ? own.trim() : sentenceOf(own), none = taken(undefined, text, true);
    let start = endOf(SETTING, text, endOf(FILLER, text, endOf(SETTING, text, 0)));
    if (!whole && DENIAL.test(text.slice(start))) {
      const but = INSTEAD.exec(text);
      if (!but) return { ...none, direct: false };
      const rest = text.slice(but.index + but[0].length);
      return this.read({ source, content: rest, from: 0, hedged: false });
    }
    const numbers = numbersIn(text, true), [first] = numbers, last = numbers.at(-1);
    if (!first || !last) return whole ? taken(undefined, content, true) : undefined;
    if (start < first.from) start = endOf(SETTING, text, endOf(NAME, text, start));
    const lead = text.slice(0, first.from), rest = text.slice(first.to);
    const direct = lead.slice(start).trim() === "";
    const formula = source === "last box" || /^\s*(?:\$[^$]*\$|\\\()/.test(text);
    if (/(?:±|\\pm|\^|√|\\sqrt)[\s{]*$/.test(lead) || direct && FACTOR_BEFORE.test(lead)) {
      return none;
    }
    if (direct) {
      if (inLine && /^[.)]\s+\p{L}/u.test(rest)) return undefined; // a heading
      return taken(quantity(text, numbers, 0, formula), text, !/^[^.!]{0,40}\?/.test(rest));
    }
    if (inLine || source === "correction") return undefined;
    const sum = /^\s*\(?-?[b-hj-zπ√](?:²|\^\d)?\s?[-+−*/×·]\s?[\d(]/; // x + 2
    if (!whole && !text.includes("=") && sum.test(text.slice(start))) return none;
    const sides = text.split(/[,;]|\band\b/).filter((part) => part.includes("=")).length;
    if (whole && sides === 1) {
      const equals = text.lastIndexOf("="), k = numbers.findIndex(({ from }) => from > equals);
      const follows = k >= 0 && /^[\s$({]*$/.test(text.slice(equals + 1, numbers[k]!.from));
      return follows ? taken(quantity(text, numbers, k, formula), text, true) : none;
    }
    // a command before the number makes it an expression
    const before = text.slice(0, last.from).replace(/\\(?:text|mathrm|mbox|textbf)\b/g, "");
    if (whole && /\\[a-zA-Z]|\d\s*[-+*/^]/.test(before)) return none;
    const other = numbers.at(-2);
    const isOneOfTwo = other && ALTERNATIVE.test(text.slice(other.to, last.from)) &&
      !other.value.equals(last.value);
    return taken(isOneOfTwo ? undefined : last, text, whole);
  },
  weak(text) {
    return [...text.matchAll(NUMBER_IS)].flatMap(({ 0: whole, 1: written, index }) => {
      const number = numbersIn(plainNumbers(written!), true).at(-1);
      return number && !/\bnot\b/.test(whole) ? [{ ...taken(number, "", true), from: index }] : [];
    });
  },
  rest(text) {
    if (text.length < 100 && !/\p{L}{3}/u.test(text)) {
      const own = plainNumbers(text), tails = numbersIn(own).map(({ to }) => own.slice(to));
      const isFactor = tails.some((tail) => FACTOR.test(tail) && !tail.includes("="));
      if (isFactor) return taken(undefined, text.trim(), true);
    }
    // of a long text the end is read first
    const place = text.length > 4000 ? text.indexOf(" ", text.length - 2000) : -1;
    const end = place < 0 ? undefined : numbersIn(plainNumbers(text.slice(place))).at(-1);
    const last = end && end.from > 100 ? end : numbersIn(plainNumbers(text)).at(-1);
    return last && { ...taken(last, "", true), source: "last number" };
  },
};

/** The number that is a text's answer; see {@linkcode findAnswer} for the ranks of evidence. */
export const findNumber = (text: string): Finding => findAnswer(folded(text), NUMBERS);

/** Whether two findings have a value in common: exactly, never by a tolerance. */
export function equalNumbers({ exact: a = [] }: Finding, { exact: b = [] }: Finding): boolean {
  return a.some((value) => b.some((other) => value.equals(other)));
}

/**
 * The number that a text gives as its answer: that of its `####` line, of the last final-answer statement,
 * box or answer tag, whichever comes last, else the last number there is.
 *
 * Thoughts are left out; a text that is cut within a box has no answer, nor has one that declares two numbers
 * ("20 or 30") or a formula that is no number ("2x", "5 - 2i", "2π"). A decimal or thousands comma, a dash as
 * minus, a fraction, percent and currency are understood; times, dates and ordinals are no numbers.
 *
 * @returns Its digits without separators, or a fraction as "3/4"; null where the text has none.
 *
 * @example
 * ```ts
 * import { lastNumber } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * assertEquals(lastNumber("3 + 4 = 7\n#### 1,007"), "1007");
 * assertEquals(lastNumber("so \\boxed{12}. (Not 13.)"), "12");
 * assertEquals(lastNumber("The answer is 20 apples after 3 days."), "20");
 * assertEquals(lastNumber("That leaves \\frac{3}{4} of 16-4"), "4");
 * ```
 */
export function lastNumber(text: string): string | null {
  return findNumber(text).value;
}
