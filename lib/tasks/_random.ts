/**
 * Seeded randomness for problem generators: the same seed gives the same problems on every machine.
 *
 * The generator is sfc32, the small fast counting generator of Chris Doty-Humphrey's PractRand
 * (128 bits of state, period at least 2³²), seeded as there: `(a, b, c, counter) = (0, seed mod 2³²,
 * ⌊seed / 2³²⌋, 1)` and twelve words thrown away.
 *
 * @module
 */

/** A stream of draws. */
export interface Random {
  /** The next 32 bits, as an integer in [0, 2³²). */
  word(): number;
  /** An integer drawn evenly from [0, n), n in [1, 2³²]. */
  below(n: number): number;
  /** One element, drawn evenly. */
  pick<T>(items: readonly T[]): T;
  /** The elements in an order drawn evenly (Fisher–Yates). */
  shuffled<T>(items: Iterable<T>): T[];
}

/** Starts the stream of a seed, a safe integer of at least 0. */
export function seededRandom(seed: number): Random {
  let [a, b, c, counter] = [0, seed | 0, (seed / 2 ** 32) | 0, 1];

  function word(): number {
    const out = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + out) | 0;
    return out >>> 0;
  }

  function below(n: number): number {
    const even = 2 ** 32 - (2 ** 32 % n); // words from here on would favour the small remainders
    let drawn = word();
    while (drawn >= even) drawn = word();
    return drawn % n;
  }

  for (let i = 0; i < 12; i++) word();
  return {
    word,
    below,
    pick: <T>(items: readonly T[]) => items[below(items.length)]!,
    shuffled: <T>(items: Iterable<T>) => {
      const order = [...items];
      for (let i = order.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      return order;
    },
  };
}
