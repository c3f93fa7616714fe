/**
 * A token as pages show it: its colour, what stands for it in running text, and what is told of it.
 *
 * Code of pages stands in this folder. Deno imports it as a module, and a page carries its text (see `script.ts`),
 * so that what is written here and what a browser draws cannot differ.
 *
 * @module
 */

/** One step of a generation. Names of tokens are quoted already, their white space visible. */
export interface Token {
  /** Its text. */
  readonly text: string;
  /** The sampled token. */
  readonly name: string;
  /** Entropy of the distribution sampled from, over ln V: 0 to 1. */
  readonly entropy: number;
  /** Probability of the sampled token. */
  readonly probability?: number;
  /** Weight of what was fed next on other tokens. */
  readonly offSampleMass?: number;
  /** Length of what was fed next, relative to the token's own embedding. */
  readonly norm?: number;
  /** The most probable tokens. */
  readonly candidates?: readonly Named[];
  /** What was fed next: tokens and their weights. */
  readonly mixture?: readonly Named[];
  /** What the method did. */
  readonly event?: string;
  /** The token that was drawn, where the method had another one recorded. */
  readonly drawn?: string;
  /** Whether it ended the text. */
  readonly end?: true;
}

/** A token's name, and its probability or weight. */
export type Named = readonly [name: string, value: number];

/** White to orange: one hue, so that it reads the same with any colour vision and with black text. */
export function heat(share: number): string {
  const t = Math.max(0, Math.min(1, share));
  const [r, g, b] = [255 - 25 * t, 255 - 96 * t, 255 - 225 * t].map(Math.round);
  return `rgb(${r},${g},${b})`;
}

/** The same on paper of any colour: on white it is `heat`. */
export function shade(share: number): string {
  return `rgb(230 159 30 / ${Math.max(0, Math.min(1, share)).toFixed(3)})`;
}

/** A token in running text: line breaks and the end get a mark, an empty text a dot. */
export function visible({ text, end }: Pick<Token, "text" | "end">): string {
  return text.replace(/\n/g, "↵\n") + (end ? "∎" : text === "" ? "·" : "");
}

/** What is told of a token, line by line. */
export function told(token: Token): string[] {
  const { name, probability, drawn, event, entropy, candidates = [], mixture = [] } = token;
  const { offSampleMass, norm } = token;
  const line = ([other, value]: Named) => `${value.toFixed(3)}  ${other}`;
  const length = norm === undefined ? "" : `, norm ${norm.toFixed(3)}`;
  return [
    name + (probability === undefined ? "" : `  p = ${probability.toFixed(3)}`),
    ...(drawn === undefined ? [] : [`recorded in place of ${drawn}`]),
    ...(event === undefined ? [] : [event]),
    `H = ${entropy.toFixed(3)}`,
    ...candidates.map(line),
    ...(offSampleMass === undefined
      ? []
      : [`off-sample mass ${offSampleMass.toFixed(3)}${length}`]),
    ...mixture.map(line),
  ];
}
