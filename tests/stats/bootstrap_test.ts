import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { pairedBootstrap } from "../../lib/stats/mod.ts";
import { uint32s } from "../../lib/stats/_random.ts";

/** Differences of shares over four repeats, from a seed. */
function simulated(problems: number, seed: number): Float64Array {
  const next = uint32s(seed);
  const share = (p: number) => {
    let correct = 0;
    for (let i = 0; i < 4; i++) correct += Number(next() * 2 ** -32 < p);
    return correct / 4;
  };
  return Float64Array.from({ length: problems }, () => {
    const p = next() * 2 ** -32;
    return share(Math.min(1, p + 0.05)) - share(p);
  });
}

Deno.test("pairedBootstrap() comes close to the normal interval for many problems", () => {
  const differences = simulated(800, 7);
  const mean = differences.reduce((a, b) => a + b) / 800;
  const squares = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0);
  const half = 1.959963984540054 * Math.sqrt(squares / 800 / 800);
  const { low, high } = pairedBootstrap(differences);
  assertAlmostEquals(low, mean - half, 0.05 * half);
  assertAlmostEquals(high, mean + half, 0.05 * half);
});

Deno.test("pairedBootstrap() agrees with the binomial quantiles it samples from", () => {
  // 10 of 40 problems won: resampled wins are Binomial(40, ¼), whose 2.5 % and 97.5 % quantiles
  // are 5 and 16 (scipy.stats.binom.ppf).
  const differences = Array.from({ length: 40 }, (_, i) => Number(i % 4 === 0));
  assertEquals(pairedBootstrap(differences), { low: 5 / 40, high: 16 / 40 });
});

Deno.test("pairedBootstrap() repeats itself for a seed, and only for it", () => {
  const differences = simulated(60, 3);
  assertEquals(
    pairedBootstrap(differences, { seed: 9 }),
    pairedBootstrap(differences, { seed: 9 }),
  );
  assertEquals(pairedBootstrap(differences), pairedBootstrap(differences, { seed: 1 }));
  assertNotEquals(
    pairedBootstrap(differences, { seed: 9, resamples: 500 }),
    pairedBootstrap(differences, { seed: 10, resamples: 500 }),
  );
});

Deno.test("pairedBootstrap() follows shift, scale and level", () => {
  const differences = simulated(60, 4);
  const { low, high } = pairedBootstrap(differences);
  const moved = pairedBootstrap(differences.map((d) => 2 * d + 1));
  assertAlmostEquals(moved.low, 2 * low + 1, 1e-12);
  assertAlmostEquals(moved.high, 2 * high + 1, 1e-12);
  const wider = pairedBootstrap(differences, { level: 0.99 });
  assert(wider.low < low && high < wider.high);
});

Deno.test("pairedBootstrap() has no width where the data have none", () => {
  assertEquals(pairedBootstrap([0, 0, 0]), { low: 0, high: 0 });
  assertEquals(pairedBootstrap([0.25]), { low: 0.25, high: 0.25 });
});

Deno.test("pairedBootstrap() refuses bad data and options", () => {
  assertThrows(() => pairedBootstrap([]), RangeError, "'differences' must hold at least one");
  assertThrows(
    () => pairedBootstrap([0, NaN]),
    RangeError,
    "'differences[1]' must be a number: current value is NaN",
  );
  assertThrows(() => pairedBootstrap(["1" as never]), TypeError, "must be a number");
  assertThrows(() => pairedBootstrap([1], { level: 0 }), RangeError, "'level'");
  assertThrows(() => pairedBootstrap([1], { resamples: 0 }), RangeError, "'resamples'");
  assertThrows(() => pairedBootstrap([1], { seed: -1 }), RangeError, "'seed'");
  assertThrows(() => pairedBootstrap([1], { samples: 5 } as never), TypeError, "'samples'");
});
