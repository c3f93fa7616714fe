/**
 * Letters as answers of a text: a kind of the mechanism in `evidence.ts`.
 *
 * @module
 */

import {
  findAnswer,
  type Finding,
  isWhole,
  type Kind,
  type Reading,
  type Statement,
} from "./evidence.ts";
import { DENIAL, endOf, FILLER, INSTEAD, sentenceOf } from "./pieces.ts";
import { folded } from "./written.ts";

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

/** Texts of the choices by letter, "" where they are not known; other letters are none. */
type Choices = Readonly<Record<string, string>>;

interface Letter {
  readonly letter: string;
  readonly from: number;
  readonly to: number;
}

/** The letter that stands at a place, possibly set in bold, brackets or a box. */
function letterAt(text: string, place: number, texts: Choices): Letter | undefined {
  const from = endOf(WRAP, text, place), char = text[from] ?? "";
  const capital = char.toUpperCase(), lower = char !== capital;
  if (char === "" || !Object.hasOwn(texts, capital)) return undefined;
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
function choiceOfText(content: string, texts: Choices): string | undefined {
  if (content.length > 2000) return undefined;
  const entries = Object.entries(texts), own = plainText(content);
  if (own === "") return undefined;
  // capitals count where two choices differ in nothing else
  const like = (by: (text: string) => string) =>
    entries.filter(([, text]) => by(plainText(text)) === by(own));
  const exact = like((text) => text);
  const [found, another] = exact.length > 0 ? exact : like((text) => text.toLowerCase());
  return another ? undefined : found?.[0];
}

/** What may follow an option's text that is stated: the end of its clause, a denial of others, a reason. */
const ENDS_TEXT =
  /^[*_"'”’)}\]$]{0,4}(?:\s{0,4}(?:$|[.,;!\n(–—])|\s+(?:not|rather|instead|because|since|as)(?![\p{L}]))/iu;

/**
 * The one choice whose text, of words, stands at a place and ends its clause, where the sentence names no other
 * but to deny it: "**B cells**, not T cells".
 */
function choiceOfTextAt(text: string, place: number, texts: Choices): string | undefined {
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
function choiceAt(text: string, place: number, of: Choices) {
  const first = letterAt(text, place, of);
  if (!first) return undefined;
  let several = false;
  for (let { to } = first, i = 0; i < Object.keys(of).length && !several; i++) {
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
const ENDS_WEAK =
  /^[\s*_]*(?:$|[.,;:!)\]\n]|(?:is|must be) (?:the|correct|right)\b|(?:because|since|as|for|with|not|over|and not|rather)\b)/;
/** "B is the answer": the letter goes before. */
const POSTFIX =
  /(?<![\p{L}\p{N}_\\^])[*_"'“(]{0,4}(\p{L})[*_"'”).]{0,4}\s+(?:is|must be|would be|should be)\s+(?:therefore |thus |indeed |clearly |hence )?(?:(?:the\s+(?:(?:only|most|best|better|right|correct|final)\s+){0,2}(?:likely\s+|appropriate\s+|accurate\s+)?(?:answer|choice|option|one))|(correct|right))(?![\p{L}])/giu;

/** "The answer, B, is right": the letter is set in. */
const APPOSED =
  /(?<![\p{L}\p{N}])(?:answer|option|choice),\s[*_"'“(]{0,4}(\p{L})[*_"'”)]{0,4},\s(?:is|must be|would be|should be)\s(?!not\b|wrong\b|incorrect\b|false\b)/giu;

/** Lines that are a letter, or begin as an option does. */
function lonelyChoice(text: string, of: Choices): Letter & { alone: boolean } | undefined {
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
          if (Object.hasOwn(of, char!)) marked.push({ ...place, letter: char! });
        }
      }
    }
    from += line.length + 1;
  }
  const different = (list: readonly Letter[]) => new Set(list.map(({ letter }) => letter)).size;
  // a list of the options is no answer
  if (alone.length > 0) {
    return different(alone) >= Math.max(Object.keys(of).length, 2)
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

/** The text right before a place. */
const before = (text: string, place: number) => text.slice(Math.max(0, place - 12), place);

/** What a statement of the weaker sort chooses, by its pattern; undefined where it is none. */
type Chooses = (match: RegExpExecArray, text: string, of: Choices) => Statement | undefined;

/** Statements that only choices know. */
const STATEMENTS: readonly (readonly [RegExp, Chooses])[] = [
  [WEAK, ({ 0: shown, index }, text, of) => {
    const found = choiceAt(text, index + shown.length, of);
    const ends = found && ENDS_WEAK.test(text.slice(found.to, found.to + 24));
    if (!ends) return undefined;
    return { value: found.several ? null : found.letter, shown, direct: false, from: found.from };
  }],
  [POSTFIX, ({ 0: whole, 1: char = "", 2: adjective, index: from }, text, of) => {
    const value = char.toUpperCase();
    const marked = char === value || /[(*"'“]/.test(whole.slice(0, 4));
    const asked = /\b(?:if|whether|or|and|why|nor|that)\s$/i.test(before(text, from));
    if (!marked || asked || !Object.hasOwn(of, value)) return undefined;
    return { value, direct: adjective === undefined, from };
  }],
  [APPOSED, ({ 1: value = "", index: from }, text, of) => {
    const denied = /\b(?:wrong|incorrect|other|if)\s$/i.test(before(text, from));
    return denied || !Object.hasOwn(of, value) ? undefined : { value, direct: true, from };
  }],
];

/** The kind of choices. */
const choiceKind = (of: Choices): Kind => ({
  read({ source, content }): Reading | undefined {
    const own = content.slice(0, 2000), whole = isWhole(source);
    const named = whole || source === "'####' line" ? own : own.trimStart().split("\n")[0]!;
    const start = endOf(FILLER, own, endOf(WRAP, own, 0));
    const byText = (value: string | undefined): Reading | undefined =>
      value === undefined
        ? undefined
        : { value, direct: true, source: `${source}, the text of a choice` };
    const text = byText(
      choiceOfText(named, of) ??
        (whole ? undefined : choiceOfText(own.slice(start).split("\n")[0]!, of) ??
          choiceOfText(own.trim(), of)),
    );
    if (text && plainText(named).length > 1) return text;
    if (!whole && DENIAL.test(own.slice(start))) {
      const sentence = sentenceOf(own), but = INSTEAD.exec(sentence);
      if (!but) return undefined;
      const at = but.index + but[0].length;
      const value = choiceOfTextAt(sentence, at, of) ?? choiceAt(sentence, at, of)?.letter;
      return value === undefined ? undefined : { value, direct: true };
    }
    const stated = whole ? undefined : choiceOfTextAt(own, start, of) ?? choiceOfTextAt(own, 0, of);
    if (stated !== undefined) return byText(stated);
    const found = choiceAt(own, 0, of) ?? choiceAt(own, start, of);
    if (!found) return text;
    if (found.several) {
      const shown = whole ? own : sentenceOf(own);
      return { value: null, shown, direct: whole || !shown.endsWith("?") };
    }
    // in a box, what follows a letter without a mark must be nothing or prose
    const after = own.slice(found.to), rest = after.trim();
    if (whole && /^[-+*/<>≤≥|&]/.test(rest) && !/^[-–—]\s/.test(rest)) return undefined;
    return { value: found.letter, direct: whole || !/^[\s*_)]*\?/.test(after) };
  },
  weak: (text) =>
    STATEMENTS.flatMap(([pattern, chooses]) =>
      Array.from(text.matchAll(pattern)).flatMap((match) => chooses(match, text, of) ?? [])
    ).sort((a, b) => a.from - b.from),
  rest(text) {
    const line = lonelyChoice(text, of), own = choiceOfText(text.trim(), of);
    if (!line) {
      return own === undefined
        ? undefined
        : { value: own, direct: true, source: "the text of a choice" };
    }
    return {
      value: line.letter,
      direct: true,
      source: line.alone ? "a letter alone" : "a line of one option",
    };
  },
});

/** The choice that a text makes; a text that is exactly one choice's counts as its letter. */
export const findChoice = (text: string, choices: Choices): Finding =>
  findAnswer(folded(text), choiceKind(choices));

/**
 * The choice of a text, as a capital letter: that of its last final-answer statement, box or answer tag, else
 * of a weaker statement ("so it's B", "I'd go with D"), else of a letter alone: a line, or the last sentence.
 *
 * Thoughts are left out. A pronoun or an article is no letter, nor is what a noun follows ("B cells"); two
 * letters ("A or B") are no choice, a list of the options is none, and a formula that begins with a letter is
 * none. Letters of other alphabets are other letters; full-width and circled ones are the same.
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
  return findChoice(text, Object.fromEntries(Array.from(letters, (letter) => [letter, ""]))).value;
}
