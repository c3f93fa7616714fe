/**
 * The text of a generation as it becomes certain, token by token.
 *
 * @module
 */

import { pieceDecoder, type Tokenizer } from "../model/mod.ts";

/** Place of the first of these texts; −1 where there is none. */
export function firstStop(text: string, stops: readonly string[]): number {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}

/** Text of all tokens, without the end-of-text token and from the first stop text on. */
export function endedText(
  tokenizer: Tokenizer,
  tokens: readonly number[],
  { eos, stop }: { readonly eos: ReadonlySet<number>; readonly stop: readonly string[] },
): string {
  const whole = tokenizer.decode(eos.has(tokens.at(-1)!) ? tokens.slice(0, -1) : tokens);
  const cut = firstStop(whole, stop);
  return cut >= 0 ? whole.slice(0, cut) : whole;
}

/** Length of the longest end of a text with which a stop text begins. */
function beginning(text: string, stops: readonly string[]): number {
  const longest = stops.reduce((most, stop) => Math.max(most, stop.length - 1), 0);
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(text.length - length);
    if (stops.some((stop) => stop.startsWith(end))) return length;
  }
  return 0;
}

/**
 * Tells the text that each token makes certain, up to the first stop text, and whether that is complete. Held back is what another
 * token can change: bytes of a character that is not whole, and what could begin a stop text.
 */
export function textStream(tokenizer: Tokenizer, stops: readonly string[]) {
  const piece = pieceDecoder(tokenizer);
  let held = "";
  return (token: number) => {
    held += piece(token);
    if (stops.length > 0) {
      // bytes that are a whole character unless more of them follow can complete a stop text
      const open = held + piece.rest().replace(/\ufffd+$/, ""), cut = firstStop(open, stops);
      if (cut >= 0) return { text: open.slice(0, cut), stopped: true };
    }
    const certain = held.length - beginning(held, stops), text = held.slice(0, certain);
    held = held.slice(certain);
    return { text, stopped: false };
  };
}
