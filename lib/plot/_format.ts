/** Numbers and tokens as labels write them. @module */

/** Number without binary noise, so that figures compare as JSON. */
export function rounded(value: number, digits = 4): number {
  return Number(value.toFixed(digits));
}

/** Percentage points of a fraction. */
export function points(fraction: number): number {
  return rounded(100 * fraction);
}

/** What stands for a number that is not there: NaN, as of runs of other tools, or an infinity. */
const NONE = "–";

/** A number with so many decimals, or a dash. */
export function fixed(value: number | undefined, digits: number): string {
  return value !== undefined && Number.isFinite(value) ? value.toFixed(digits) : NONE;
}

/** A number with three decimals, or a dash: entropies and masses. */
export const milli = (value: number): string => fixed(value, 3);

/** 0.4123 → "41.2". */
export function bare(fraction: number): string {
  return fixed(100 * fraction, 1);
}

/** 0.4123 → "41.2 %". */
export function percent(fraction: number): string {
  return `${bare(fraction)} %`;
}

/** 0.032 → "+3.2". */
export function signed(fraction: number): string {
  if (!Number.isFinite(fraction)) return NONE;
  const text = Math.abs(100 * fraction).toFixed(1);
  return Number(text) === 0 ? text : `${fraction < 0 ? "−" : "+"}${text}`;
}

/** How a score in units of `1 / scale` is written, alone and as a difference: −0.02 → "−2.00". */
export function scoreFormat(scale: number, digits: number) {
  const number = (value: number) => fixed(scale * value, digits).replace("-", "−");
  return {
    number,
    signed: (value: number) => (value > 0 && value < Infinity ? "+" : "") + number(value),
  };
}

/** An interval; an infinite end is open: "[−1.2, +3.4]", "(−∞, +3.4]", "[–, –]". */
export function intervalText(
  low: number,
  high: number,
  text: (value: number) => string = signed,
): string {
  const from = low === -Infinity ? "(−∞" : `[${text(low)}`;
  return `${from}, ${high === Infinity ? "∞)" : `${text(high)}]`}`;
}

/** Writes an interval in a cell: "[−1.2, +3.4]". */
export const ends = (text: (value: number) => string) => (low: number, high: number): string =>
  `[${text(low)}, ${text(high)}]`;

/** Writes a value with its interval in a cell: "+1.1 [−1.2, +3.4]". */
export const estimate =
  (text: (value: number) => string) => (value: number, low: number, high: number): string =>
    `${text(value)} ${ends(text)(low, high)}`;

/** Two counts: "12/3". */
export const against = (a: number, b: number): string => `${a}/${b}`;

/** A p value with its sign of equality. */
export function pText(p: number): string {
  if (!Number.isFinite(p)) return NONE;
  return p < 0.0001 ? "< 0.0001" : `= ${p.toPrecision(2)}`;
}

/** A p value in a column of its own. */
export const pCell = (p: number): string => pText(p).replace(/= |(?<=<) /, "");

const FRACTIONS = new Map([
  [0.125, "⅛"],
  [0.25, "¼"],
  [1 / 3, "⅓"],
  [0.5, "½"],
  [0.75, "¾"],
]);

/** 0.25 → "¼", 4 → "4". */
export function betaText(value: number): string {
  return FRACTIONS.get(value) ?? `${Number(value.toPrecision(4))}`;
}

/** "7" or "4–8". */
export function rangeText(values: readonly number[]): string {
  const low = Math.min(...values), high = Math.max(...values);
  return low === high ? `${low}` : `${low}–${high}`;
}

/** A text of at most so many characters; an ellipsis stands for what is cut. */
export function cutTo(most: number, text: string): string {
  const chars = [...text];
  return chars.length > most ? `${chars.slice(0, most - 1).join("")}…` : text;
}

/** A token's text in quotes, its white space visible and its end cut; its id if it has no text. */
export function quoted(text: string | undefined, token: number): string {
  return text === undefined ? `#${token}` : JSON.stringify(cutTo(24, text));
}
