/**
 * Which targets the numbers of a countdown problem reach, by the rule of countdown-tiny's training.
 *
 * @module
 */

/** Largest product formed on the way. */
const LARGEST_PRODUCT = 200;

/**
 * All values that use every number once, in increasing order. Each intermediate is a positive
 * integer, products are at most 200 and divisions exact and by more than 1.
 */
export function reachable(numbers: readonly number[]): number[] {
  const found = new Set<number>();
  collect(numbers, found);
  return [...found].sort((a, b) => a - b);
}

function collect(numbers: readonly number[], found: Set<number>): void {
  if (numbers.length === 1) found.add(numbers[0]!);
  for (const [i, a] of numbers.entries()) {
    for (const [j, b] of numbers.entries()) {
      if (i === j || a < b || (a === b && i > j)) continue; // each pair once, the larger first
      const rest = numbers.filter((_, k) => k !== i && k !== j);
      for (const result of results(a, b)) collect([...rest, result], found);
    }
  }
}

function results(a: number, b: number): number[] {
  const out = [a + b];
  if (a > b) out.push(a - b);
  if (a * b <= LARGEST_PRODUCT) out.push(a * b);
  if (b > 1 && a % b === 0) out.push(a / b);
  return out;
}
