import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { mcnemarExact, mcnemarMidP } from "../../lib/stats/mod.ts";

// Expected values: Python's integer binomials up to 101 000 disagreements, above that the sum of
// the tail's terms in mpmath with 40 digits.
// deno-fmt-ignore
const GOLDEN = [ // won, lost, p
  [1, 0, 1.0],
  [5, 0, 0.0625],
  [6, 1, 0.125],
  [10, 2, 0.03857421875],
  [25, 10, 0.016673847800120711],
  [12, 12, 1.0],
  [13, 12, 1.0],
  [59, 41, 0.088626080114067585],
  [150, 100, 0.0018833009350761569],
  [300, 220, 0.00051941584966528914],
  [1000, 900, 0.023108845108901071],
  [3000, 2500, 1.6615256105422594e-11],
  [1100, 100, 1.6267567006299407e-213],
  [5100, 5000, 0.32458154633139391],
  [51000, 50000, 0.0016696304559915586],
  [500500000, 499500000, 1.7974815135757258e-219],
  [500060000, 499940000, 0.00014782114628963166],
  [5000000, 4990000, 0.0015586087682988217],
] as const;

Deno.test("mcnemarExact() agrees with integer arithmetic, for large counts too", () => {
  for (const [won, lost, p] of GOLDEN) assertAlmostEquals(mcnemarExact(won, lost), p, p * 1e-12);
});

Deno.test("mcnemarExact() is 1 where nothing differs or both win alike", () => {
  assertEquals(mcnemarExact(0, 0), 1);
  assertEquals(mcnemarExact(7, 7), 1);
  assertEquals(mcnemarExact(1e12, 1e12), 1);
});

Deno.test("mcnemarExact() does not mind which side won", () => {
  for (const [won, lost] of [[3, 9], [0, 4], [700, 650]] as const) {
    assertEquals(mcnemarExact(won, lost), mcnemarExact(lost, won));
  }
});

Deno.test("mcnemarExact() falls as one side wins more", () => {
  let last = 1;
  for (let won = 490; won < 620; won++) {
    const p = mcnemarExact(won, 490);
    assert(p <= last && p > 0);
    last = p;
  }
});

Deno.test("mcnemarMidP() counts the outcome that was seen half", () => {
  // scipy 1.17: 2 · binom.cdf(m, n, ½) − binom.pmf(m, n, ½).
  // deno-fmt-ignore
  const golden = [
    [10, 2, 0.022460937499999976], [5, 0, 0.03125], [25, 10, 0.011330984183587134],
    [59, 41, 0.07275700687752418], [1100, 100, 8.871744498782756e-214],
    [3000, 2500, 1.5204113038943934e-11], [3, 3, 1], [13, 12, 0.8450189828872681],
    [86, 2, 1.2944084116747718e-23], [0, 0, 1],
  ] as const;
  for (const [won, lost, p] of golden) {
    assertAlmostEquals(mcnemarMidP(won, lost), p, p * 1e-10);
    assertEquals(mcnemarMidP(lost, won), mcnemarMidP(won, lost));
  }
  assertThrows(() => mcnemarMidP(1, 2.5), RangeError, "'lost'");
});

Deno.test("mcnemarExact() refuses what is no count", () => {
  assertThrows(
    () => mcnemarExact(-1, 2),
    RangeError,
    "Cannot compute McNemar's test as 'won' must be an integer at least 0: current value is -1",
  );
  assertThrows(() => mcnemarExact(1, 2.5), RangeError, "'lost'");
  assertThrows(() => mcnemarExact(NaN, 1), RangeError, "'won'");
  assertThrows(() => mcnemarExact("3" as never, 1), TypeError, '"3"');
});
