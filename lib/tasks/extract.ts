/**
 * Letters and numbers as answers of a text: two kinds of the mechanism in `_evidence.ts`.
 *
 * `released.ts` has the rules of the released MoI code, which differ.
 *
 * @module
 */

import { findAnswer, type Finding, type Kind, type Reading } from "./_evidence.ts";
import { folded, numbersIn, plainNumbers, type WrittenNumber } from "./_number.ts";
import { add, multiply, negate, type Rational, rational } from "./rational.ts";

/** Words that may stand between "the answer is" and the answer. */
const FILLER =
  /(?:[\s,:：*_"“”‘`=≈→]|\\(?:approx|quad|displaystyle|,|;|!| )|(?:I(?: would|'d|’d)? (?:think|believe|guess|say|suppose|feel)(?: that)?(?: it(?: is|'s|’s))?|(?:most )?(?:likely|probably)|in fact|of course|a total of|the (?:option|choice|letter|number|value|correct one|one)|equal to|given by|therefore|thus|hence|then|simply|just|indeed|clearly|definitely|certainly|obviously|surely|actually|now|still|again|also|only|approximately|approx\.?|about|around|roughly|exactly|nearly|almost|precisely|finally|option|choice|letter|answer|number|both|either|la|el|le|die|der|that|it's|it’s|it is|is)(?![\p{L}\p{N}'’-]))*/iuy;

/** What denies an answer, and what puts another in its place. */
const DENIAL = /^[\s*_$]*(?:not|neither|none|never)(?![\p{L}])/iu;
const INSTEAD = /(?:\b(?:but|rather)|\bit['’]s|\bit is)\s+(?!not)/i;

const endOf = (rule: RegExp, text: string, from: number): number => {
  rule.lastIndex = from;
  return rule.exec(text) ? rule.lastIndex : from;
};

/** The first sentence or line of a statement, without white space before it. */
function sentenceOf(content: string): string {
  const own = content.trimStart();
  const end = /\n|(?<!\b(?:approx|ca|no|vs|e\.g|i\.e))[.!?。？！](?=[\s*_"”’)$]|$)/i.exec(own);
  return end ? own.slice(0, end.index + (end[0] === "\n" ? 0 : 1)) : own;
}

// ── numbers ───────────────────────────────────────────────────────────────────────────────────

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

const sameNumber = (a: Rational, b: Rational) =>
  a.numerator === b.numerator && a.denominator === b.denominator;

/** "7 is the answer": the number goes before. */
const NUMBER_IS =
  /(?<![\p{L}\d.,/])([-−]?\$?\d[\d.,/]{0,30}%?)(?:\s\p{L}{1,16})?\s+is\s+the\s+(?:(?:final|correct|right)\s+){0,2}answer(?![\p{L}])/giu;

const isLess = (a: Rational, b: Rational) =>
  a.numerator * b.denominator < b.numerator * a.denominator;

/** Value of a chain of operands, products first. */
function valueOf(
  operands: readonly Rational[],
  operators: readonly string[],
): Rational | undefined {
  let sum = rational(0n), product = operands[0]!;
  for (const [i, operator] of operators.entries()) {
    const next = operands[i + 1]!;
    if (/[-+−]/.test(operator)) {
      sum = add(sum, product);
      product = operator === "+" ? next : negate(next);
    } else if (/[/÷]|div/.test(operator)) {
      if (next.numerator === 0n) return undefined;
      product = multiply(product, rational(next.denominator, next.numerator));
    } else product = multiply(product, next);
  }
  return add(sum, product);
}

/** A number that an answer declares: as text, with its exact value. */
export interface NumberFinding extends Finding {
  /** Its exact values: of "50 %" 50, and one half. Empty where there is no answer. */
  readonly values: readonly Rational[];
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
    if (
      operator === "=" && operators.length === 0 && isConversion(between, content.slice(next.to))
    ) {
      break;
    }
    if (operator === undefined) {
      const list = ALTERNATIVE.exec(between);
      if (!list || sameNumber(last.value, next.value)) break;
      if (last.other && sameNumber(last.other, next.value)) break;
      const after = content.slice(next.to, next.to + 20);
      // "20, 3 of which are red" is no list
      if (list[1] && !/^[\s$*]*(?:$|[.,;)}]|and\b|or\b)/.test(after)) break;
      return undefined;
    }
    // "3-4 days" is a range, "16-4" a difference
    if (operator === "-" && between === "-" && isLess(last.value, next.value)) return undefined;
    if (operator === "=") [operands, operators] = [[next.value], []];
    else {
      operands.push(next.value);
      operators.push(operator);
    }
    last = next;
  }
  const tail = content.slice(last.to, last.to + 40);
  if (
    TAIL.test(tail) || FACTOR.test(tail) || (formula && /^(?:!|[abcikxyzn](?![\p{L}]))/u.test(tail))
  ) return undefined;
  if (operators.length === 0) return last;
  const value = valueOf(operands, operators);
  const text = value &&
    (value.denominator === 1n ? `${value.numerator}` : `${value.numerator}/${value.denominator}`);
  return value && { value, text: text! };
}

/** The kind of numbers; `values` keeps what was read. */
function numberKind(values: Map<string, readonly Rational[]>): Kind {
  const taken = (
    found: Quantity | undefined,
    shown: string,
    direct: boolean,
  ): Reading => {
    if (!found) return { value: null, shown, direct };
    const { text, other, value } = found;
    values.set(text, other ? [value, other] : [value]);
    return { value: text, direct };
  };
  return {
    read({ source, content }) {
      const whole = source === "last box" || source === "answer tag";
      const own = plainNumbers(whole ? content.slice(0, 2000) : content);
      const text = whole ? own.trim() : sentenceOf(own);
      let start = endOf(SETTING, text, endOf(FILLER, text, endOf(SETTING, text, 0)));
      if (!whole && DENIAL.test(text.slice(start))) {
        const but = INSTEAD.exec(text);
        if (!but) return { value: null, shown: text, direct: false };
        const rest = text.slice(but.index + but[0].length);
        return this.read({ source, content: rest, from: 0, hedged: false });
      }
      const numbers = numbersIn(text, true);
      if (numbers.length === 0) {
        if (whole) return { value: null, shown: content, direct: true };
        return undefined;
      }
      if (start < numbers[0]!.from) start = endOf(SETTING, text, endOf(NAME, text, start));
      const direct = start >= numbers[0]!.from || text.slice(start, numbers[0]!.from).trim() === "";
      const formula = source === "last box" || /^\s*(?:\$[^$]*\$|\\\()/.test(text);
      if (/(?:±|\\pm|\^|√|\\sqrt)[\s{]*$/.test(text.slice(0, numbers[0]!.from))) {
        return taken(undefined, text, true);
      }
      if (direct && FACTOR_BEFORE.test(text.slice(0, numbers[0]!.from))) {
        return taken(undefined, text, true);
      }
      if (direct) {
        const listed = source === "'####' line" &&
          /^[.)]\s+\p{L}/u.test(text.slice(numbers[0]!.to));
        if (listed) return undefined; // a heading
        const asked = /^[^.!]{0,40}\?/.test(text.slice(numbers[0]!.to));
        return taken(quantity(text, numbers, 0, formula), text, !asked);
      }
      if (source === "'####' line" || source === "correction") return undefined;
      if (
        !whole && !text.includes("=") &&
        /^\s*\(?-?[b-hj-zπ√](?:²|\^\d)?\s?[-+−*/×·]\s?[\d(]/.test(text.slice(start))
      ) {
        return taken(undefined, text, true); // x + 2
      }
      const k = numbers.length - 1,
        between = k > 0 && text.slice(numbers[k - 1]!.to, numbers[k]!.from);
      const equals = text.lastIndexOf("=");
      const sides = text.split(/[,;]|\band\b/).filter((part) => part.includes("=")).length;
      if (whole && equals >= 0 && sides === 1) {
        const after = numbers.findIndex(({ from }) => from > equals);
        if (after < 0 || !/^[\s$({]*$/.test(text.slice(equals + 1, numbers[after]!.from))) {
          return taken(undefined, text, true);
        }
        return taken(quantity(text, numbers, after, formula), text, true);
      }
      // a command before the number makes it an expression
      const before = text.slice(0, numbers[k]!.from).replace(
        /\\(?:text|mathrm|mbox|textbf)\b/g,
        "",
      );
      if (whole && (/\\[a-zA-Z]|\d\s*[-+*/^]/.test(before))) return taken(undefined, text, true);
      if (
        between && ALTERNATIVE.test(between) &&
        !sameNumber(numbers[k - 1]!.value, numbers[k]!.value)
      ) {
        return taken(undefined, text, whole);
      }
      return taken(numbers[k]!, text, whole);
    },
    weak(text) {
      return [...text.matchAll(NUMBER_IS)].flatMap(({ 0: whole, 1: written, index }) => {
        const number = numbersIn(plainNumbers(written!), true).at(-1);
        return number && !/\bnot\b/.test(whole)
          ? [{ ...taken(number, "", true), from: index }]
          : [];
      });
    },
    rest(text) {
      if (text.length < 100 && !/\p{L}{3}/u.test(text)) {
        const own = plainNumbers(text);
        const factor = numbersIn(own).find(({ to }) =>
          FACTOR.test(own.slice(to)) && !own.slice(to).includes("=")
        );
        if (factor) return taken(undefined, text.trim(), true);
      }
      // of a long text the end is read first
      const place = text.length > 4000 ? text.indexOf(" ", text.length - 2000) : -1;
      const last = place < 0 ? undefined : numbersIn(plainNumbers(text.slice(place))).at(-1);
      if (last && last.from > 100) return { ...taken(last, "", true), source: "last number" };
      const any = numbersIn(plainNumbers(text)).at(-1);
      return any && { ...taken(any, "", true), source: "last number" };
    },
  };
}

/** The number that is a text's answer; see {@linkcode findAnswer} for the ranks of evidence. */
export function findNumber(text: string): NumberFinding {
  const values = new Map<string, readonly Rational[]>();
  const finding = findAnswer(folded(text), numberKind(values));
  return { ...finding, values: finding.value === null ? [] : values.get(finding.value)! };
}

/** Whether two findings have a value in common: exactly, never by a tolerance. */
export function equalNumbers(a: NumberFinding, b: NumberFinding): boolean {
  return a.values.some((value) => b.values.some((other) => sameNumber(value, other)));
}

/**
 * The number that a text gives as its answer: that of its `####` line, of the last final-answer statement,
 * box or answer tag, whichever comes last, else the last number there is.
 *
 * Thoughts are left out; a text that is cut within a box has no answer, nor has one that declares two
 * numbers ("20 or 30") or a formula that is no number ("2x", "5 - 2i", "2π"). A decimal or thousands comma, a dash as minus, a fraction, percent and
 * currency are understood; times, dates and ordinals are no numbers.
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

// ── choices ───────────────────────────────────────────────────────────────────────────────────

const WRAP =
  /(?:[\s*_"'“”‘’`$({[<]|\\(?:(?:text(?:bf|it|rm|sf|tt)?|math(?:bf|rm|it|sf|tt)|mbox|boxed|fbox|bm|boldsymbol|bf|rm|left|displaystyle)(?![a-zA-Z])|[,;!:([{ ]))*/y;
const CLOSE =
  /(?:(?<=[a-zA-Z])>|\s*(?:[*_"”’`$)}\]]|'(?!\p{L})|\\(?:right(?![a-zA-Z])|[)\]}])))*/uy;
/** Words that may follow a letter which could be a word itself. */
const CONNECTOR =
  /^\s*(?:$|[^\p{L}\p{N}\s]|(?:because|since|as|for|is|was|due|which|with|by|but|not|and|or|given|in|if|when|so|then|while|whereas|rather|instead|from|on|too|alone|only)(?![\p{L}]))/iu;

/** Words of no noun: what they follow is a letter. */
const NO_NOUN =
  /^\s+(?:a|according|after|again|also|although|among|an|are|as|at|based|be|before|both|can|could|did|does|due|even|finally|following|from|has|have|having|he|hence|here|how|however|I|indeed|it|its|like|may|might|must|no|of|or|over|per|she|should|than|that|the|there|therefore|these|they|this|though|thus|to|under|unless|until|using|versus|via|vs|we|were|what|where|who|whose|will|without|would|yes|you|[a-z]+ly)(?![\p{L}])/u;

/** Letters as alternatives: only these are choices. */
interface Letters {
  readonly letters: string;
  /** Texts of the choices by letter, where they are known. */
  readonly texts: Readonly<Record<string, string>>;
}

interface Letter {
  readonly letter: string;
  readonly from: number;
  readonly to: number;
}

/** The letter that stands at a place, possibly set in bold, brackets or a box. */
function letterAt(text: string, place: number, { letters, texts }: Letters): Letter | undefined {
  const from = endOf(WRAP, text, place), char = text[from] ?? "";
  const capital = char.toUpperCase(), lower = char !== capital;
  if (char === "" || !letters.includes(capital)) return undefined;
  const opened = text.slice(place, from), to = endOf(CLOSE, text, from + 1);
  const next = text.slice(from + 1, from + 12), after = text.slice(to, to + 40);
  if (
    /^(?:[\p{L}\p{N}_^=+#°(]|['’]\p{L}|[-‐‑–](?=[\p{L}\p{N}])|\.(?=\p{L}\.|\d\d)|\s*(?:[=^≤≥≈]|<(?!\/)|\s>)|\s+\d)/u
      .test(next)
  ) {
    // "5 m" after the letter is the option's text, or it is no letter
    const own = texts[capital], rest = text.slice(from + 1).trim();
    if (!(own && /^\s+\d/.test(next) && plainText(rest) === plainText(own))) return undefined;
  }
  const marked = /[([{"“‘`]|\*\*|\\/.test(opened) ||
    /^\s?[).:\]]/.test(text.slice(from + 1, from + 3));
  const closed = /^\s?[).:]/.test(text.slice(from + 1, from + 3));
  if (
    !closed &&
    /^\s*\\(?!(?:text|mathrm|quad|qquad|boxed|implies|because|Rightarrow)(?![a-zA-Z])|[^a-zA-Z])/
      .test(after)
  ) {
    return undefined; // an operand
  }
  // "B cells" names a thing, "B Mitochondria" an option with its text, "B because …" a choice
  const noun = /^\s+[a-z]/.test(after) && !NO_NOUN.test(after) &&
    !startsWithText(text.slice(to), texts[capital]);
  const word = /^\s+[\p{L}]/u.test(after) && (lower || /[AI]/.test(capital) || noun);
  if (!marked && word && (lower || !CONNECTOR.test(after))) return undefined;
  if (/[_^]$/.test(text.slice(from + 1, to)) && /^[\w{]/.test(after)) return undefined; // C_2
  const same = lower
    ? Object.entries(texts).find(([, text]) => text.trim() === char)?.[0]
    : undefined;
  return { letter: same ?? capital, from, to };
}

/** Whether a text begins with the text of an option. */
function startsWithText(text: string, own: string | undefined): boolean {
  return own !== undefined && plainText(own) !== "" &&
    plainText(text.slice(0, 2 * own.length + 20)).toLowerCase().startsWith(
      plainText(own).toLowerCase(),
    );
}

/** A choice's text for comparison: without setting, white space and a point at the end. */
function plainText(text: string): string {
  return text.replace(
    /\\(?:text(?:bf|it|rm)?|math(?:bf|rm|it)|mbox|left|right|displaystyle|[,;!: ])(?![a-zA-Z])|[$*{}\s~]|\\[()[\]]/g,
    "",
  )
    .replace(/[.。]+$/, "");
}

/** The one choice whose text this is. */
function choiceOfText(content: string, { texts }: Letters): string | undefined {
  if (content.length > 2000) return undefined;
  const entries = Object.entries(texts), own = plainText(content);
  if (own === "") return undefined;
  // capitals count where two choices differ in nothing else
  const exact = entries.filter(([, text]) => plainText(text) === own);
  const lower = own.toLowerCase();
  const found = exact.length > 0
    ? exact
    : entries.filter(([, text]) => plainText(text).toLowerCase() === lower);
  return found.length === 1 ? found[0]![0] : undefined;
}

/** What may follow an option's text that is stated: the end of its clause, a denial of others, a reason. */
const ENDS_TEXT =
  /^[*_"'”’)}\]$]{0,4}(?:\s{0,4}(?:$|[.,;!\n(–—])|\s+(?:not|rather|instead|because|since|as)(?![\p{L}]))/iu;

/**
 * The one choice whose text, of words, stands at a place and ends its clause, where the sentence names no other
 * but to deny it: "**B cells**, not T cells".
 */
function choiceOfTextAt(text: string, place: number, { texts }: Letters): string | undefined {
  const sentence = sentenceOf(text.slice(endOf(WRAP, text, place)).slice(0, 1000))
    .replace(/^(?:the|an?)\s+[*_"“]{0,3}(?=\p{L})/iu, "").toLowerCase();
  const entries = Object.entries(texts).map(([letter, own]) => [letter, own.trim().toLowerCase()])
    .filter(([, own]) => /\p{L}{2}/u.test(own!) && !/[\\$^=]/.test(own!)) as [string, string][];
  const stated = entries.filter(([, own]) =>
    sentence.startsWith(own) && ENDS_TEXT.test(sentence.slice(own.length))
  );
  if (stated.length !== 1) return undefined;
  const [letter, own] = stated[0]!, rest = sentence.slice(own.length);
  const other = entries.some(([, another]) => {
    const at = another === own ? -1 : rest.indexOf(another);
    return at >= 0 &&
      !/\b(?:not|than|instead|unlike|nor|no|while|whereas|because|since|as)\b/.test(
        rest.slice(0, at),
      );
  });
  return other ? undefined : letter;
}

/** What joins a second choice to the first. */
const AND =
  /^\s*(?:[,;/&+]|(?:,\s*)?(?:and\/or|and|or)(?![\p{L}]))\s*(?:(?:option|choice|possibly|maybe|perhaps|also|and|or)\s+)?/iu;
const ENDS_CHOICE =
  /^[\s*_]*(?:$|[.,;!?)\]}/\n]|(?:and|or|are|both|together|equally|depending|could|might|seem|look)(?![\p{L}]))/iu;

/** The choice at the beginning of a text. */
function choiceAt(
  text: string,
  place: number,
  of: Letters,
): Letter & { several: boolean } | undefined {
  const first = letterAt(text, place, of);
  if (!first) return undefined;
  let several = false;
  for (let { to } = first, i = 0; i < of.letters.length && !several; i++) {
    const joint = AND.exec(text.slice(to, to + 40));
    if (!joint) break;
    const next = letterAt(text, to + joint[0].length, of);
    if (!next || !ENDS_CHOICE.test(text.slice(next.to, next.to + 20))) break;
    several = next.letter !== first.letter;
    to = next.to;
  }
  return { ...first, several };
}

/** Statements that only choices know; the letter follows, and ends its clause. */
const WEAK =
  /(?<![\p{L}\p{N}])(?:(?:so|i\.e\.|namely|thus|therefore|hence|then|conclude|concluding|that leaves|leaving|leaves|left with|(?:it|that)(?:['’]s| is| must be| has to be| should be)|must be|would be|(?:I|we|let['’]s|I['’]d|I['’]ll|I['’]m|I am)\s+(?:(?:would|will|shall|can|have to|had to|must|am)\s+)?(?:choose|pick|select|go(?:ing)? with|go for|say|answer|vote for|choosing)|choose|select|pick|go(?:ing)? with)[,:]?\s+)+(?:(?:that|it(?:['’]s| is)?|the|option|choice|answer|letter|probably|definitely|clearly)\s+){0,4}(?=\S)/giu;
/** "B is the answer": the letter goes before. */
const POSTFIX =
  /(?<![\p{L}\p{N}_\\^])[*_"'“(]{0,4}(\p{L})[*_"'”).]{0,4}\s+(?:is|must be|would be|should be)\s+(?:therefore |thus |indeed |clearly |hence )?(?:(?:the\s+(?:(?:only|most|best|better|right|correct|final)\s+){0,2}(?:likely\s+|appropriate\s+|accurate\s+)?(?:answer|choice|option|one))|(correct|right))(?![\p{L}])/giu;

/** "The answer, B, is right": the letter is set in. */
const APPOSED =
  /(?<![\p{L}\p{N}])(?:answer|option|choice),\s[*_"'“(]{0,4}(\p{L})[*_"'”)]{0,4},\s(?:is|must be|would be|should be)\s(?!not\b|wrong\b|incorrect\b|false\b)/giu;

/** Lines that are a letter, or begin as an option does. */
function lonelyChoice(text: string, of: Letters): Letter & { alone: boolean } | undefined {
  const alone: Letter[] = [], marked: Letter[] = [];
  let from = 0;
  for (const line of text.split("\n")) {
    const named = /^[\s*_=>⇒→∴]{0,8}(?:(?:option|choice)\s)?/i.exec(line)?.[0].length ?? 0;
    const found = line.length > 400 ? undefined : letterAt(line, named, of);
    if (found) {
      const rest = line.slice(found.from + 1), place = { ...found, from: from + found.from };
      const lower = /^[ \t]*[a-z]/.test(line) && line.trim() !== text.trim();
      if (/^[\s).*:\]}$"'”’_`>!。\\]*$/.test(rest) && !lower) alone.push(place);
      else if (/^[\s*_"'”’`]{0,4}[).:\]]/.test(rest)) {
        marked.push(place);
        for (const [, char] of rest.matchAll(/[(\s]([A-Z])[).](?=\s)/g)) {
          if (of.letters.includes(char!)) marked.push({ ...place, letter: char! });
        }
      }
    }
    from += line.length + 1;
  }
  const different = (list: readonly Letter[]) => new Set(list.map(({ letter }) => letter)).size;
  // a list of the options is no answer
  if (alone.length > 0) {
    return different(alone) >= Math.max(of.letters.length, 2)
      ? undefined
      : { ...alone.at(-1)!, alone: true };
  }
  if (marked.length > 0) {
    return different(marked) === 1 ? { ...marked.at(-1)!, alone: false } : undefined;
  }
  // the last sentence may be a letter
  const end = /[.!?:]\s{1,3}([^\s.!?:]{1,24})[.!]?\s{0,8}$/.exec(text.slice(-60));
  const last = end && letterAt(end[1]!, 0, of);
  return last && /^[)*_"'”’`$}\]\\]*$/.test(end[1]!.slice(last.from + 1))
    ? { ...last, alone: true }
    : undefined;
}

/** The kind of choices. */
function choiceKind(of: Letters): Kind {
  const kind: Kind = {
    read({ source, content }): Reading | undefined {
      const own = content.slice(0, 2000);
      const whole = source === "last box" || source === "answer tag";
      const named = whole || source === "'####' line" ? own : own.trimStart().split("\n")[0]!;
      const start = endOf(FILLER, own, endOf(WRAP, own, 0));
      const text = choiceOfText(named, of) ??
        (whole
          ? undefined
          : choiceOfText(own.slice(start).split("\n")[0]!, of) ?? choiceOfText(own.trim(), of));
      if (text !== undefined && plainText(named).length > 1) {
        return { value: text, direct: true, source: `${source}, the text of a choice` };
      }
      if (!whole && DENIAL.test(own.slice(start))) {
        const sentence = sentenceOf(own), but = INSTEAD.exec(sentence);
        if (!but) return undefined;
        const at = but.index + but[0].length;
        const value = choiceOfTextAt(sentence, at, of) ?? choiceAt(sentence, at, of)?.letter;
        return value === undefined ? undefined : { value, direct: true };
      }
      const stated = whole
        ? undefined
        : choiceOfTextAt(own, start, of) ?? choiceOfTextAt(own, 0, of);
      if (stated !== undefined) {
        return { value: stated, direct: true, source: `${source}, the text of a choice` };
      }
      const found = choiceAt(own, 0, of) ?? choiceAt(own, start, of);
      if (found?.several) {
        const shown = whole ? own : sentenceOf(own);
        return { value: null, shown, direct: whole || !shown.endsWith("?") };
      }
      if (found) {
        const { letter, to } = found;
        const asked = !whole && /^[\s*_)]*\?/.test(own.slice(to));
        // in a box, what follows a letter without a mark must be nothing or prose
        const rest = own.slice(to).trim();
        if (whole && /^[-+*/<>≤≥|&]/.test(rest) && !/^[-–—]\s/.test(rest)) return undefined;
        return { value: letter, direct: !asked };
      }
      if (text !== undefined) {
        return { value: text, direct: true, source: `${source}, the text of a choice` };
      }
      return undefined;
    },
    weak(text) {
      const found: (Reading & { from: number })[] = [];
      for (const match of text.matchAll(WEAK)) {
        const letter = choiceAt(text, match.index + match[0].length, of);
        if (!letter) continue;
        const rest = text.slice(letter.to, letter.to + 24);
        if (
          !/^[\s*_]*(?:$|[.,;:!)\]\n]|(?:is|must be) (?:the|correct|right)\b|(?:because|since|as|for|with|not|over|and not|rather)\b)/
            .test(rest)
        ) continue;
        const { letter: value, several } = letter;
        found.push({
          value: several ? null : value,
          shown: match[0],
          direct: false,
          from: letter.from,
        });
      }
      for (const { 0: whole, 1: char = "", 2: adjective, index } of text.matchAll(POSTFIX)) {
        const capital = char.toUpperCase();
        if (char !== capital && !/[(*"'“]/.test(whole.slice(0, 4))) continue;
        if (!of.letters.includes(capital)) continue;
        const before = text.slice(Math.max(0, index - 12), index);
        if (/\b(?:if|whether|or|and|why|nor|that)\s$/i.test(before)) continue;
        found.push({ value: capital, direct: adjective === undefined, from: index });
      }
      for (const { 1: char = "", index } of text.matchAll(APPOSED)) {
        if (!of.letters.includes(char)) continue;
        if (/\b(?:wrong|incorrect|other|if)\s$/i.test(text.slice(Math.max(0, index - 12), index))) {
          continue;
        }
        found.push({ value: char, direct: true, from: index });
      }
      return found.sort((a, b) => a.from - b.from);
    },
    rest(text) {
      const own = choiceOfText(text.trim(), of), line = lonelyChoice(text, of);
      if (line) {
        return {
          value: line.letter,
          direct: true,
          source: line.alone ? "a letter alone" : "a line of one option",
        };
      }
      return own === undefined
        ? undefined
        : { value: own, direct: true, source: "the text of a choice" };
    },
  };
  return kind;
}

/**
 * The choice that a text makes; see {@linkcode findAnswer} for the ranks of evidence.
 *
 * @param choices Texts by letter: a text that is exactly one choice's counts as its letter.
 */
export function findChoice(text: string, choices: Readonly<Record<string, string>>): Finding {
  const of = { letters: Object.keys(choices).join(""), texts: choices };
  return findAnswer(folded(text), choiceKind(of));
}

/**
 * The choice of a text, as a capital letter: that of its last final-answer statement, box or answer tag, else
 * of a weaker statement ("so it's B", "I'd go with D"), else of a letter alone: a line, or the last sentence.
 *
 * Thoughts are left out. A pronoun or an article is no letter, nor is what a noun follows ("B cells"); two letters ("A or B") are no choice, a list of
 * the options is none, and a formula that begins with a letter is none. Letters of other alphabets that look like Latin ones are other letters; full-width
 * and circled ones are the same.
 *
 * @param letters Letters that there are. Default: "ABCD".
 * @returns The letter, or null where the text chooses none.
 *
 * @example
 * ```ts
 * import { lastChoice } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * assertEquals(lastChoice("A is wrong, so the answer is (B)."), "B");
 * assertEquals(lastChoice("The answer is B. Option A fails as A is polar."), "B");
 * assertEquals(lastChoice("\\boxed{\\text{C}}"), "C");
 * assertEquals(lastChoice("A cat and a dog"), null);
 * ```
 */
export function lastChoice(text: string, letters = "ABCD"): string | null {
  return findAnswer(folded(text), choiceKind({ letters, texts: {} })).value;
}
