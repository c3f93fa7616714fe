/**
 * Where a text says its answer: the evidence, its ranks, and which of it counts.
 *
 * One mechanism serves letters, numbers and mathematics. What differs is a {@linkcode Kind}: what a value
 * looks like. Everything here takes time in proportion to the text.
 *
 * @module
 */

import type { Fraction } from "../rational.ts";
import {
  boxesOf,
  closing,
  END_TAG,
  isJoint,
  joined,
  lastTag,
  matchAt,
  type Piece,
  TAG,
  withoutThoughts,
} from "./pieces.ts";

/** A piece of evidence: a place where a text declares something to be its answer. */
export interface Evidence {
  /** What declares it. */
  readonly source:
    | "final-answer statement"
    | "correction"
    | "'####' line"
    | "answer tag"
    | "last box";
  /** What is declared: for a statement all that follows it, up to a blank line. */
  readonly content: string;
  /** Where the declaration begins, in the text without thoughts. */
  readonly from: number;
  /** Whether it is made with reserve: "maybe the answer is …". */
  readonly hedged: boolean;
}

/** What a kind reads in a piece of evidence. */
export interface Reading {
  /** The value; null where the evidence declares something that is none, as two letters are. */
  readonly value: string | null;
  /** Whether the value stands right there, not somewhere in the sentence. */
  readonly direct: boolean;
  /** What was read, as the reason shows it; default: the value. */
  readonly shown?: string;
  /** Where it was read, where that is not the evidence itself. */
  readonly source?: string;
  /** Of a number, its exact values: of "50 %" 50, and one half. */
  readonly exact?: readonly Fraction[];
}

/** A reading at a place. */
export type Statement = Reading & { readonly from: number };

/** Whether what declares a value holds nothing else. */
export const isWhole = (source: Evidence["source"]): boolean =>
  source === "last box" || source === "answer tag";

/** What the values of a kind look like. */
export interface Kind {
  /** Reads a piece of evidence; undefined where it is none for this kind. */
  readonly read: (evidence: Evidence) => Reading | undefined;
  /** Statements that only this kind knows, in the order of the text; `direct` ones are of the first rank. */
  readonly weak?: (text: string) => readonly Statement[];
  /** What counts where nothing is declared. */
  readonly rest: (text: string) => Reading | undefined;
}

/** An answer, null where there is none, and where it comes from: `final-answer statement: "B"`. */
export interface Finding extends Pick<Reading, "value" | "exact"> {
  readonly because: string;
}

/** "answer" in the languages that models answer in, and what choices call it. */
const HEAD =
  /(?<![\p{L}\p{N}])(?:(?:(?:final|correct|right|best|my|only)\s+)(?:options?|choice|selection|pick|response|solution|result)|(?:option|choice)(?=\s*(?:is\b|:))|answers?|antwort|respuesta|r[ée]ponse|resposta|risposta|ответ)(?![\p{L}\p{N}])|答案|答え|正解|정답/giu;
/** What makes a phrase speak of another thing than the text's answer. */
const OTHER =
  /(?:\b(?:wrong|incorrect|other|another|alternative|possible|potential|following|each|any|no|partial|intermediate|previous|earlier|initial|tempting|common|naive|falsche)\s+|\b(?:if|whether|unless|suppose|supposing|assume|assuming|were|would|could|can|what|how)\s+(?:that\s+)?(?:(?:the|an?|my|your|our|final|correct|right|best)\s+){0,3})$/i;
const HEDGE =
  /\b(?:maybe|perhaps|possibly|might|not sure|unsure|guess)\b[\s,:]*(?:(?:that|the|my|is|final|correct)\s+){0,4}$/i;
/** From the word to the value: "to this problem is", "(in dollars):", a heading's end. */
const COPULA =
  /[*_"'”’)\]]{0,4}(?:\s*\([^()\n]{0,40}\))?(?:\s(?:correcta?|correcte|corretta|certa))?(?:[\s,]+(?:to|for|of|in|on|among|between|from|out|choice|option|letter|number|value|here|then|therefore|thus|hence|I|we|you|that|à|zu|auf|a|для|на)(?=\s|,)[^\n.:=!?;：]{0,60}?)?(?:[,*_"”]{0,4}\s*[:：=＝]|[\s,*_]{1,4}(?:is|IS|are|was|equals|becomes|(?:would|should|must|will|has to|ought to|can only)\s+be|comes\s+(?:out\s+)?to|ist|lautet|es|est|è|é|это)(?![\p{L}\p{N}])|\s*(?:是|为|為|は|은|는)|\s+[-–—>→⇒]{1,2}(?=\s)|\s*(?=\$|\\[(\[]|\\boxed)|\s+(?=\(?[A-J]\)?\s*(?:[.!\n]|$)))[:：*_\s]{0,12}/uy;
/** "The answer of the options A, B and C is" speaks of one. */
const AMONG =
  /^[\s,(]*(?:of|among|from|between|out of)\s[\s\S]*\s(?:is|(?:must|should|would) be)\W*$/i;
const HEADING = /[*_]{0,4}[ \t]*\n[\s>]{0,8}/y;
/** What corrects an answer that was given: "Wait, no: it's B", "No, 25." */
const CORRECTION = new RegExp(
  String
    .raw`(?<![\p{L}\p{N}])(?:(?:wait|no|actually|sorry|correction|oops|rather|i meant?|hold on)[,.:!…\s—–-]{1,4}){1,4}` +
    String
      .raw`(?=[*_$(\\]{0,4}(?:[A-Z]|[-−]?\d[\d.,]*)[)*_$]{0,4}(?:[.!]?\s{0,8}$|[.!]\s|\s{0,8}\n))|` +
    String
      .raw`(?<![\p{L}\p{N}])(?:wait|no|actually|sorry|correction|oops|scratch that|hold on|on second thoughts?|i made an? \w+|that(?:'s|’s| is) wrong|mistake)(?![\p{L}\p{N}])[^\n]{0,80}?(?<![\p{L}\p{N}])(?:it(?:'s|’s| is| has to be| must be| should be)|(?:should|must) (?:have been|be)|make that|i meant?|i(?:'d|’d| would|'ll|’ll| will)? (?:go with|choose|pick|say)|correction:)\s+`,
  "giu",
);
const TYPE = String.raw`\\(?:text(?:bf|it|rm|normal)?|math(?:bf|rm|it)|mbox)\s*\{`;
/** Words of a statement that is set in a box: \text{The answer is }. */
const STATEMENT = new RegExp(
  String
    .raw`^${TYPE}\s*((?:[A-Za-z][A-Za-z '’-]{0,80}\s(?:is|equals|are)|(?:the\s)?(?:final\s)?answer|[A-Za-z][A-Za-z ]{0,40}(?=\s?:\s*\}))\s?:?)\s*(\}?)\s*:?`,
  "i",
);

/** What a statement in a box states: 42 of "\text{The answer is } 42". */
function stated(content: string): string {
  const own = content.trim(), lead = STATEMENT.exec(own);
  if (!lead || /\b(?:not|no|there|it|this|which|that)\b/i.test(lead[1]!)) return content;
  let rest = own.slice(lead[0].length).trim();
  if (lead[2] === "") { // \textbf{Answer: 42}
    if (closing(own, own.indexOf("{")) !== own.length - 1) return content;
    rest = rest.slice(0, -1).trim();
  }
  rest = rest.replace(new RegExp(String.raw`${TYPE}\s*\.?\s*\}$`), "").replace(/[.\s]+$/, "");
  // what words alone state is the statement itself: \text{x is even}
  const plain = /\banswer\b/i.test(lead[1]!) || /^[-+(\[$\\\d]|^[a-z]$/i.test(rest);
  return rest === "" || !plain || /\\text\s*\{[^{}]*(?::|\bis)\s*\}/.test(rest) ? content : rest;
}

/** How much of a declaration is read, and how many of the last ones. */
const LONGEST = 1000, MOST = 64;

/** What follows a place, up to a blank line. */
function following(text: string, at: number): string {
  const rest = text.slice(at, at + LONGEST), end = rest.search(/\n[ \t]*\n/);
  return end < 0 ? rest : rest.slice(0, end);
}

/** All that a text declares, in its order; the contents are read when they are asked for. */
function declarations(text: string, boxes: readonly Piece[]): Evidence[] {
  const found: Evidence[] = [];
  const add = (source: Evidence["source"], from: number, read: () => string, hedged = false) =>
    found.push({
      ...{ source, from, hedged },
      get content() {
        return read();
      },
    });
  let box = 0;
  for (const match of text.matchAll(HEAD)) {
    const from = match.index, end = from + match[0].length;
    // a statement in a box is the box's
    while (box < boxes.length && boxes[box]!.to <= from) box++;
    if (box < boxes.length && boxes[box]!.from < from) continue;
    const before = text.slice(Math.max(0, from - 48), from);
    if (OTHER.test(before) || /^(?:options|choices)$/i.test(match[0].split(/\s+/).at(-1)!)) {
      continue;
    }
    const isHeading = /(?:^|\n)[#>*_\s\d.]{0,8}(?:(?:the|final|my)\s+)*$/i.test(before);
    const copula = matchAt(COPULA, text, end) ?? (isHeading ? matchAt(HEADING, text, end) : null);
    if (!copula) continue;
    // "answer choices: A, B" speaks of all of them
    if (/\b(?:choices|options)\b/i.test(copula[0]) && !AMONG.test(copula[0])) continue;
    const at = end + copula[0].length;
    // what stands in a tag or box by itself is found there
    add("final-answer statement", from, () => following(text, at), HEDGE.test(before));
  }
  for (const match of text.matchAll(/(?<!#)####(?!#)[ \t]*/g)) {
    const at = match.index + match[0].length;
    add("'####' line", match.index, () => text.slice(at, at + 200).split("\n")[0]!);
  }
  for (const match of text.matchAll(CORRECTION)) {
    add("correction", match.index, () => following(text, match.index + match[0].length));
  }
  const tag = lastTag(text);
  if (tag) add("answer tag", tag.from, () => tag.content.trim());
  boxes.forEach(({ from }, i) => {
    if (/(?:\bnot|n['’]t)[\s$*(]{0,6}$/i.test(text.slice(Math.max(0, from - 12), from))) return;
    const areJoined = (a: Piece, b: Piece) => isJoint(text, a.to, b.from);
    add("last box", from, () => stated(joined(boxes, i, areJoined)));
  });
  return found.sort((a, b) => a.from - b.from);
}

/** A line that begins another turn or question. */
const TURN =
  /\n[ \t>*_#]{0,8}(?:(?:question|problem|q)(?:\s(?:no\.?\s)?\d{1,4})?|user|human)[*_]{0,3}\s?[:：]/gi;

/** How many turns are looked at. */
const MOST_TURNS = 4;

/** A text up to the turn ("Question:", "User:") that a model invents behind its answer. */
function firstTurn(text: string): string {
  const turns = [...text.matchAll(TURN)];
  if (turns.length === 0) return text;
  const [first] = turns as [RegExpExecArray];
  if (/^[^\n:]{1,24}$/.test(text.slice(0, first.index).trim())) return text.slice(0, first.index);
  const declared = declarations(text, boxesOf(text).boxes)[0]?.from ?? Infinity;
  for (const { index } of turns.filter(({ index }) => index > declared).slice(0, MOST_TURNS)) {
    const before = text.slice(0, index);
    const said = declarations(before, boxesOf(before).boxes);
    if (said.some(({ content }) => content.trim() !== "")) return before;
  }
  return text;
}

const none = (because: string): Finding => ({ value: null, because });

/** A piece of text as reasons show it: one line, short. */
function quoted(text: string): string {
  const line = text.slice(0, 200).replace(/\s+/g, " ").trim();
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 59)}…` : line);
}

/**
 * The answer of a text. Only what stands outside of thoughts is looked at. The ranks of evidence, of which
 * the best that is there counts, and of equals the last one in the text:
 *
 * 1. a declared answer that stands right where it is declared: a final-answer statement ("The answer is B",
 *    "Answer: B", "**Final answer:** B", "#### B", "B is the answer"), the last complete
 *    `<answer>…</answer>`, a complete `\boxed{…}` ("box", "and" or a comma joins several), a correction
 *    ("Wait, no: it's B");
 * 2. weaker statements: with reserve ("maybe the answer is B", "the answer is B?"), with the value further
 *    on in the sentence ("the answer is what remains, so 7"), or in the words of one kind ("I'd go with B");
 * 3. where nothing is declared, what the kind says: the last number, the last formula, a line that is a
 *    letter alone.
 *
 * A model corrects itself, hence the last; statement and box are equals, as a statement before a box is a
 * thought on the way, and a statement after one a correction. Statements that deny ("is not B") or suppose
 * ("if the answer is B") are no evidence. A declaration that names several values where one is asked for is
 * no answer, whatever came before it; nor is a text that was cut within its last box, tag or formula.
 *
 * What a model writes after its answer as a new turn ("Question: …") is left out.
 */
export function findAnswer(text: string, kind: Kind): Finding {
  const own = firstTurn(withoutThoughts(text));
  if (own.trim() === "") {
    return none(text.trim() === "" ? "no answer found" : "no answer found outside of thoughts");
  }
  const { boxes, cut } = boxesOf(own);
  if (cut) return none("no answer: the text ends within a box");
  const declared = declarations(own, boxes).slice(-MOST);
  const tag = own.lastIndexOf(TAG);
  if (tag >= 0 && own.indexOf(END_TAG, tag) < 0 && !declared.some(({ from }) => from > tag)) {
    return none("no answer: the text ends within an answer tag");
  }
  const last = declared.at(-1);
  if (
    last?.source === "final-answer statement" && own.length - last.from < LONGEST &&
    own.trimEnd().endsWith(last.content.trimEnd()) && isCut(last.content)
  ) return none("no answer: the text ends within its final answer");
  const weak = kind.weak?.(own) ?? [], strong = weak.findLast(({ direct }) => direct);
  let weaker: Statement | undefined;
  for (const evidence of declared.toReversed()) {
    if (strong && strong.from > evidence.from) break;
    const reading = kind.read(evidence);
    if (!reading) continue;
    const { source = evidence.source } = reading;
    if (reading.direct && !evidence.hedged) return told({ ...reading, source });
    weaker ??= { ...reading, source, from: evidence.from };
  }
  if (strong) return told({ source: "final-answer statement", ...strong });
  const said = weak.at(-1);
  if (said && said.from > (weaker?.from ?? -1)) weaker = { source: "statement", ...said };
  const found = weaker ?? kind.rest(own);
  return found ? told(found) : none("no answer found");
}

function told({ value, shown = value ?? "", source = "text", exact }: Reading): Finding {
  return {
    value,
    ...(exact && { exact }),
    because: value === null
      ? `no one answer in ${source}: ${quoted(shown)}`
      : `${source}: ${quoted(value)}`,
  };
}

/** Marks that open a formula or a group, and those that close it. */
const PAIRS = [
  [/\\\(/g, /\\\)/g],
  [/\\\[/g, /\\\]/g],
  [/(?<!\\)(?:\\\\)*\{/g, /(?<!\\)(?:\\\\)*\}/g],
] as const;

/** Whether a formula that begins in a statement has no end. */
function isCut(content: string): boolean {
  const count = (mark: RegExp) => content.match(mark)?.length ?? 0;
  return PAIRS.some(([open, close]) => count(open) > count(close));
}
