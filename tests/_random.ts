/** Seeded randomness for tests, apart from the library's own (sfc32, Chris Doty-Humphrey). */

/** Random values from one seed. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** An integer from 0 to n − 1. */
  below(n: number): number;
  /** A number from a normal distribution with mean 0 and standard deviation 1. */
  normal(): number;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
  /** The items in another order. */
  shuffled<T>(items: readonly T[]): T[];
}

/** A generator; the same seed gives the same values. */
export function seeded(seed: number): Random {
  let a = seed >>> 0, b = 0x9e3779b9, c = 0x243f6a88, counter = 1;
  const next = () => {
    const sum = (a + b | 0) + counter | 0;
    counter = counter + 1 | 0;
    a = b ^ b >>> 9;
    b = c + (c << 3) | 0;
    c = (c << 21 | c >>> 11) + sum | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  const below = (n: number) => Math.floor(next() * n);
  return {
    next,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    pick: (items) => items[below(items.length)]!,
    shuffled(items) {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [out[i], out[j]] = [out[j]!, out[i]!];
      }
      return out;
    },
  };
}
