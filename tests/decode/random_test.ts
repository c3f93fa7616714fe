import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { philox, STREAM, uniform } from "@moi/moi/decode";

/** Philox4x32-10 as the paper has it, in exact integers: shares no arithmetic with the library. */
function philoxExactly(counter: readonly number[], key: readonly number[]): number[] {
  const mask = 0xffffffffn;
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const a = 0xd2511f53n * c0, b = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & mask, (a >> 32n) ^ c3 ^ k1, a & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [c0, c1, c2, c3].map(Number);
}

const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, "0"));

// kat_vectors of Random123 1.14.0 (https://github.com/DEShawResearch/random123), philox4x32 10
const VECTORS = [
  {
    counter: [0, 0, 0, 0],
    key: [0, 0],
    expected: ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"],
  },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    expected: ["408f276d", "41c83b0e", "a20bc7c6", "6d5451fd"],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    expected: ["d16cfe09", "94fdcceb", "5001e420", "24126ea1"],
  },
] as const;

for (const { counter, key, expected } of VECTORS) {
  Deno.test(`philox() gives the known answer for the counter ${hex(counter)}`, () => {
    assertEquals(hex(philox(counter, key)), [...expected]);
  });
}

Deno.test("philox() equals exact integer arithmetic on 2000 counters and keys", () => {
  let words: number[] = [1, 2, 3, 4];
  for (let i = 0; i < 2000; i++) {
    // outputs are the next inputs; some words are set to the extremes
    const [a, b, c, d] = words.map((word, k) =>
      word % 16 === 0 ? [0, 0xffffffff, 0x10000, 0xffff][k]! : word
    ) as [number, number, number, number];
    const key = [d, a ^ i] as const;
    const actual = philox([a, b, c, d], [key[0], key[1] >>> 0]);
    assertEquals(actual, philoxExactly([a, b, c, d], [key[0], key[1] >>> 0]));
    words = actual;
  }
});

Deno.test("uniform() makes 53 bits of the first two words", () => {
  for (const seed of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
    const key = [Number(BigInt(seed) & 0xffffffffn), Number(BigInt(seed) >> 32n)];
    const [a, b] = philoxExactly([5, 6, 1, 0], key).map(BigInt) as [bigint, bigint];
    const expected = Number((a >> 5n << 26n) | (b >> 6n)) / 2 ** 53;
    assertEquals(uniform(seed, STREAM.method, 5, 6), expected);
  }
});

Deno.test("uniform() is in [0, 1), with the mean, variance and spread of a uniform number", () => {
  const n = 20_000, tenths = new Array<number>(10).fill(0);
  let sum = 0, squares = 0;
  for (let step = 0; step < n; step++) {
    const u = uniform(11, STREAM.sample, step);
    assert(u >= 0 && u < 1, `${u}`);
    sum += u;
    squares += (u - 0.5) ** 2;
    tenths[Math.floor(10 * u)]!++;
  }
  assertAlmostEquals(sum / n, 1 / 2, 4 * Math.sqrt(1 / 12 / n));
  assertAlmostEquals(squares / n, 1 / 12, 4 * Math.sqrt(1 / 180 / n));
  for (const count of tenths) assertAlmostEquals(count / n, 0.1, 4 * Math.sqrt(0.09 / n));
});

Deno.test("uniform() of neighbouring seeds, streams, steps and indices is uncorrelated", () => {
  const n = 10_000;
  const draws: Record<string, (i: number) => [number, number]> = {
    seeds: (i) => [uniform(i, 0, 3), uniform(i + 1, 0, 3)],
    streams: (i) => [uniform(5, STREAM.sample, i), uniform(5, STREAM.method, i)],
    steps: (i) => [uniform(5, 0, i), uniform(5, 0, i + 1)],
    indices: (i) => [uniform(5, 1, i, 0), uniform(5, 1, i, 1)],
    halves: (i) => [uniform(i, 0, 3), uniform(i * 2 ** 32, 0, 3)],
  };
  for (const [what, pair] of Object.entries(draws)) {
    let product = 0;
    for (let i = 0; i < n; i++) {
      const [a, b] = pair(i + 1);
      product += (a - 0.5) * (b - 0.5);
    }
    const correlation = 12 * product / n;
    assertAlmostEquals(correlation, 0, 4 / Math.sqrt(n), `${what}: ${correlation}`);
  }
});

Deno.test("uniform() differs wherever seed, stream, step or index differs", () => {
  const seen = new Set<number>();
  const seeds = [0, 1, 7, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 53 - 1];
  for (const seed of seeds) {
    for (const stream of [0, 1]) {
      for (const step of [0, 1, 2, 1000]) {
        for (const index of [0, 1, 2]) seen.add(uniform(seed, stream, step, index));
      }
    }
  }
  assertEquals(seen.size, seeds.length * 2 * 4 * 3);
});

Deno.test("uniform() of the same arguments is the same number", () => {
  assertEquals(uniform(2 ** 40 + 3, 1, 9, 2), uniform(2 ** 40 + 3, 1, 9, 2));
});
