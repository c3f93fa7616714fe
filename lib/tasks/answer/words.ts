/**
 * Words between a declaration and its value, which letters and numbers have in common.
 *
 * @module
 */

/** Words that may stand between "the answer is" and the answer. */
export const FILLER =
  /(?:[\s,:：*_"“”‘`=≈→]|\\(?:approx|quad|displaystyle|,|;|!| )|(?:I(?: would|'d|’d)? (?:think|believe|guess|say|suppose|feel)(?: that)?(?: it(?: is|'s|’s))?|(?:most )?(?:likely|probably)|in fact|of course|a total of|the (?:option|choice|letter|number|value|correct one|one)|equal to|given by|therefore|thus|hence|then|simply|just|indeed|clearly|definitely|certainly|obviously|surely|actually|now|still|again|also|only|approximately|approx\.?|about|around|roughly|exactly|nearly|almost|precisely|finally|option|choice|letter|answer|number|both|either|la|el|le|die|der|that|it's|it’s|it is|is)(?![\p{L}\p{N}'’-]))*/iuy;

/** What denies an answer, and what puts another in its place. */
export const DENIAL = /^[\s*_$]*(?:not|neither|none|never)(?![\p{L}])/iu;
export const INSTEAD = /(?:\b(?:but|rather)|\bit['’]s|\bit is)\s+(?!not)/i;

export const endOf = (rule: RegExp, text: string, from: number): number => {
  rule.lastIndex = from;
  return rule.exec(text) ? rule.lastIndex : from;
};

/** The first sentence or line of a statement, without white space before it. */
export function sentenceOf(content: string): string {
  const own = content.trimStart();
  const end = /\n|(?<!\b(?:approx|ca|no|vs|e\.g|i\.e))[.!?。？！](?=[\s*_"”’)$]|$)/i.exec(own);
  return end ? own.slice(0, end.index + (end[0] === "\n" ? 0 : 1)) : own;
}
