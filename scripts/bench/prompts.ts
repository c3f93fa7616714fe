/** Prompts of made-up but fixed ids. */

/** One of several prompts; ids are above the first, which often mean something. */
export function promptOf(length: number, vocabularySize: number, row = 0): number[] {
  return Array.from({ length }, (_, i) => (i * 7919 + 31 + row) % (vocabularySize - 8) + 8);
}

/** A request: how many tokens go in and come out. */
export interface Lengths {
  readonly prompt: number;
  readonly tokens: number;
}

/** Requests that are all alike. */
export function equalLengths(batch: number, prompt: number, tokens: number): Lengths[] {
  return Array.from({ length: batch }, () => ({ prompt, tokens }));
}

/** Requests of evenly spread prompts, and answers whose lengths have nothing to do with them. */
export function spreadLengths(batch: number, most: Lengths): Lengths[] {
  const part = (i: number, longest: number) =>
    Math.max(1, Math.round(longest * (0.125 + 0.875 * i / (batch - 1))));
  return Array.from({ length: batch }, (_, row) => ({
    prompt: part(row, most.prompt),
    tokens: part((row * 13 + 5) % batch, most.tokens),
  }));
}
