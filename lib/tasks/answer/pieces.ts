/**
 * The pieces of a text that answers stand in: what is outside of thoughts, boxes, tags, and what joins two.
 *
 * @module
 */

/** Opening and closing marks of thoughts, of all model families that are known. */
const THOUGHTS: readonly (readonly [open: string, close: string])[] = [
  ...["think", "thinking", "thought", "reasoning", "seed:think"].map((name) =>
    [`<${name}>`, `</${name}>`] as const
  ),
  ["[THINK]", "[/THINK]"],
  ["◁think▷", "◁/think▷"],
  ["<|begin_of_thought|>", "<|end_of_thought|>"],
  ["<|channel|>analysis<|message|>", "<|channel|>final<|message|>"],
];

/** Marks after which a text is no longer the model's answer. */
const ENDS =
  /<\|(?:im_end|im_start|endoftext|end_of_text|eot_id|end|return|end_of_solution)\|>|<\/s>|<end_of_turn>|<｜end▁of▁sentence｜>/;

/** A text without what follows its end and without thoughts, which templates may open in the prompt. */
export function withoutThoughts(text: string): string {
  const ends = THOUGHTS.map(([, close]) => [text.lastIndexOf(close), close.length] as const);
  const from = Math.max(0, ...ends.map(([at, length]) => at < 0 ? 0 : at + length));
  if (THOUGHTS.some(([open]) => text.indexOf(open, from) >= 0)) return "";
  const rest = text.slice(from), end = rest.search(ENDS);
  return end < 0 ? rest : rest.slice(0, end);
}

/** A piece of a text. */
export interface Piece {
  readonly content: string;
  readonly from: number;
  readonly to: number;
}

/** A box's content without the boxes in it. */
function unboxed(content: string): string {
  let own = content.replace(/\\(?:boxed|fbox|framebox)\s*(?=\{)/g, "").trim();
  for (let depth = 0; depth < 20 && own.length < 2000 && own.startsWith("{"); depth++) {
    if (closing(own, 0) !== own.length - 1) break;
    own = own.slice(1, -1).trim();
  }
  return own;
}

/** Place of the brace that closes the one at a place; −1 where there is none. */
export function closing(text: string, from: number): number {
  for (let at = from, depth = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  return -1;
}

/** What stands in a box where the answer is to come: the instruction, said again. */
const PLACEHOLDER =
  /^(?:|\.{2,}|…|\\[lc]?dots|(?:\\text\s*\{)?\s*(?:your |the |final )*(?:answer|letter|result)(?: here)?\s*\}?)$/i;

/**
 * The outermost boxes of a text, braces balanced, and whether it ends within one. A box that a blank line
 * breaks is none; one without content, or with "answer" in it, is the instruction and no answer.
 */
export function boxesOf(text: string): { boxes: Piece[]; cut: boolean } {
  const token = /\\{1,2}(?:boxed|fbox|framebox)(?![a-zA-Z])\s*|\\[\s\S]|[{}]|\n[ \t]*\n/g;
  const boxes: Piece[] = [];
  let open: (number | null)[] = []; // begin of a box, or null for a brace of another kind
  let inBoxes = 0, cut = false;
  const add = (content: string, from: number, to: number) => {
    if (inBoxes === 0 && !PLACEHOLDER.test(content)) boxes.push({ content, from, to });
  };
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [found] = match, at = token.lastIndex;
    if (found.length > 2 && found.startsWith("\\")) {
      if (text[at] === "{") {
        open.push(match.index);
        inBoxes++;
        token.lastIndex = at + 1;
      } else if (at === text.length) cut = true;
      else {
        const bare = /\s$/.test(found) ? /[^\s$\\{}.,;]{1,40}/y : /\d/y;
        const own = matchAt(bare, text, at)?.[0];
        if (own !== undefined) add(own, match.index, at + own.length);
      }
    } else if (open.length === 0) continue;
    else if (found === "{") open.push(null);
    else if (found === "}") {
      const from = open.pop()!;
      if (from === null) continue;
      inBoxes--;
      if (inBoxes === 0) add(unboxed(text.slice(text.indexOf("{", from) + 1, at - 1)), from, at);
    } else if (found.startsWith("\n")) {
      open = [];
      inBoxes = 0;
    }
  }
  return { boxes, cut: cut || inBoxes > 0 };
}

/** What may stand between two answers that count as one. */
const JOINT = /^(?:[,;]|(?:[,;]\s*)?(?:[\w() ]{1,30}\s)?(?:and|or)(?:\s[\w{}]{1,6}\s*=)?)?$/i;

/** A text without what only sets it. */
export function unset(text: string): string {
  return text.replace(/\\text\s*\{([^{}]*)\}/g, "$1").replace(
    /\\q?quad|\\[,;!() ]|\$|\\\[|\\\]/g,
    " ",
  ).replace(/\s+/g, " ").trim();
}

/** Whether a comma, "and" or "or" joins two pieces of a text. */
export function isJoint(text: string, from: number, to: number): boolean {
  if (to - from > 120) return false;
  const between = text.slice(from, to);
  return !between.includes("\n\n") && JOINT.test(unset(between));
}

/** A piece and those before it that are joined to it, as a list. */
export function joined<P extends Piece>(
  pieces: readonly P[],
  last: number,
  areJoined: (a: P, b: P) => boolean,
): string {
  let first = last;
  while (first > 0 && areJoined(pieces[first - 1]!, pieces[first]!)) first--;
  return listed(pieces.slice(first, last + 1));
}

/** The contents of pieces, as a list. */
export const listed = (pieces: readonly Piece[]): string =>
  pieces.map(({ content }) => content).join(", ");

/** Marks of an answer. */
export const TAG = "<answer>", END_TAG = "</answer>";

/** The last complete `<answer>…</answer>`; one within another starts afresh. */
export function lastTag(text: string): Piece | undefined {
  const end = text.lastIndexOf(END_TAG), from = end < 0 ? -1 : text.lastIndexOf(TAG, end);
  if (from < 0) return undefined;
  const at = from + TAG.length, to = text.indexOf(END_TAG, at);
  return { content: text.slice(at, to), from, to };
}

/**
 * The content of the last complete `<answer>…</answer>`, without surrounding white space.
 *
 * One within thoughts (all before the last `</think>`, all after a `<think>` that stays open) does not count,
 * nor does a tag that is still open when the text ends. An `<answer>` inside another starts afresh. Tags are
 * matched as written, in lower case and without attributes, and in time linear in the text.
 *
 * @param text A generated text.
 * @returns The answer, possibly empty, or null where the text has none.
 *
 * @example The last answer counts
 * ```ts
 * import { lastAnswer } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(lastAnswer("<answer>1: a</answer> no: <answer> 2: b </answer>"), "2: b");
 * assertEquals(lastAnswer("<answer>1: a</answer> no: <answer>2:"), "1: a");
 * assertEquals(lastAnswer("I do not know"), null);
 * ```
 */
export function lastAnswer(text: string): string | null {
  return lastTag(withoutThoughts(text))?.content.trim() ?? null;
}

// words between a declaration and its value

/** Words that may stand between "the answer is" and the answer. */
export const FILLER =
  /(?:[\s,:：*_"“”‘`=≈→]|\\(?:approx|quad|displaystyle|,|;|!| )|(?:I(?: would|'d|’d)? (?:think|believe|guess|say|suppose|feel)(?: that)?(?: it(?: is|'s|’s))?|(?:most )?(?:likely|probably)|in fact|of course|a total of|the (?:option|choice|letter|number|value|correct one|one)|equal to|given by|therefore|thus|hence|then|simply|just|indeed|clearly|definitely|certainly|obviously|surely|actually|now|still|again|also|only|approximately|approx\.?|about|around|roughly|exactly|nearly|almost|precisely|finally|option|choice|letter|answer|number|both|either|la|el|le|die|der|that|it's|it’s|it is|is)(?![\p{L}\p{N}'’-]))*/iuy;

/** What denies an answer, and what puts another in its place. */
export const DENIAL =
  /^[\s*_$]*(?:(?:definitely|certainly|clearly|surely)\s)?(?:not|neither|none|never)(?![\p{L}])/iu;
export const INSTEAD = /(?:\b(?:but|rather)|\bit['’]s|\bit is)\s+(?!not)/i;

/** What a sticky rule matches at a place. */
export function matchAt(rule: RegExp, text: string, place: number): RegExpExecArray | null {
  rule.lastIndex = place;
  return rule.exec(text);
}

/** Where what a sticky rule matches at a place ends. */
export const endOf = (rule: RegExp, text: string, place: number): number =>
  place + (matchAt(rule, text, place)?.[0].length ?? 0);

/** The first sentence or line of a statement, without white space before it. */
export function sentenceOf(content: string): string {
  const own = content.trimStart();
  const end = /\n|(?<!\b(?:approx|ca|no|vs|e\.g|i\.e))[.!?。？！](?=[\s*_"”’)$]|$)/i.exec(own);
  return end ? own.slice(0, end.index + (end[0] === "\n" ? 0 : 1)) : own;
}
