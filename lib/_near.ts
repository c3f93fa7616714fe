/**
 * "Did you mean": which of the known names is near one that is not known.
 *
 * @module
 */

/** Longest name that is compared, in UTF-16 units. */
const LONGEST = 64;

/** What case and separators do not change: `top_k`, `top-k` and `topK` are one. */
const plain = (name: string) => name.toLowerCase().replaceAll(/[-_ .]/g, "");

/**
 * Letters to insert, delete, replace or swap with the next one to turn a text into another: the
 * restricted edit distance of Damerau and Levenshtein.
 */
function distance(from: string, to: string): number {
  let before: number[] = [], above = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const other = from[i - 1] === to[j - 1] ? 0 : 1;
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      row.push(Math.min(
        ...[above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + other],
        isSwap ? before[j - 2]! + 1 : Infinity,
      ));
    }
    [before, above] = [above, row];
  }
  return above[to.length]!;
}

/** How far a name is from another; Infinity where one would not be taken for the other. */
function apart(name: string, known: string): number {
  const letters = distance(name, known);
  if (letters <= Math.max(name.length, known.length) / 3) return letters;
  const isBeginning = name.length >= 3 && known.startsWith(name);
  return isBeginning ? letters : Infinity;
}

/**
 * The known name that was probably meant: one in which at most a third of the letters differ, or that
 * begins with what was written.
 *
 * @returns The nearest one, of several the first; undefined where none is near.
 */
export function nearest(name: unknown, known: readonly string[]): string | undefined {
  if (typeof name !== "string" || name.length > LONGEST) return undefined;
  const own = plain(name);
  const all = known.filter((one) => one.length <= LONGEST)
    .map((one) => ({ one, by: apart(own, plain(one)) }))
    .filter(({ by }) => by < Infinity);
  return all.sort((a, b) => a.by - b.by)[0]?.one;
}

/** What a refusal ends with: ` (did you mean "y"?)`, or nothing. */
export function hint(name: unknown, known: readonly string[]): string {
  const meant = nearest(name, known);
  return meant === undefined ? "" : ` (did you mean ${JSON.stringify(meant)}?)`;
}
