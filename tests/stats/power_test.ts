import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { mcnemarMidP, minimumDetectableGain } from "../../lib/stats/mod.ts";
import { uint32s } from "../../lib/stats/_random.ts";

Deno.test("minimumDetectableGain() counts the power of the test", () => {
  // Python: the power summed over scipy's binomials, bisected to 1e-6.
  // deno-fmt-ignore
  const golden = [
    [{ problems: 198 }, 0.08745670318603516],
    [{ problems: 500, discordance: 0.3, comparisons: 6 }, 0.08459949493408203],
    [{ problems: 20 }, 0.31330013275146484],
    [{ problems: 50, discordance: 0.1 }, 0.13077259063720703],
    [{ problems: 10 }, 0.5808658599853516],
    [{ problems: 50, repeats: 4, designEffect: 4, discordance: 0.1 }, 0.13077259063720703],
  ] as const;
  for (const [options, gain] of golden) {
    assertAlmostEquals(minimumDetectableGain(options), gain, 2e-5);
  }
});

Deno.test("minimumDetectableGain() of a large study solves its equation", () => {
  // scipy 1.17: brentq on the equation with stats.norm.isf.
  const options = { problems: 100_000, discordance: 0.1, alpha: 0.01, power: 0.9 };
  assertAlmostEquals(minimumDetectableGain(options), LARGE, 1e-9);
});

const LARGE = 0.003857093923797828;

Deno.test("minimumDetectableGain() falls with the size of the study", () => {
  let last = Infinity;
  for (let problems = 1; problems < 400; problems += problems < 40 ? 1 : 13) {
    const gain = minimumDetectableGain({ problems });
    assert(gain <= last * 1.03, `${problems}: ${gain} after ${last}`); // tests of whole counts move in steps
    last = gain;
  }
});

Deno.test("minimumDetectableGain() says where no gain can be found", () => {
  assertEquals(minimumDetectableGain({ problems: 4 }), Infinity); // 4 of 4 won: p = 1/16
  assertEquals(minimumDetectableGain({ problems: 5, comparisons: 12 }), Infinity);
  assert(minimumDetectableGain({ problems: 5 }) < 1);
});

Deno.test("minimumDetectableGain() asks for more when more is asked", () => {
  const base = minimumDetectableGain({ problems: 300 });
  assert(minimumDetectableGain({ problems: 300, power: 0.9 }) > base);
  assert(minimumDetectableGain({ problems: 300, alpha: 0.01 }) > base);
  assert(minimumDetectableGain({ problems: 300, comparisons: 4 }) > base);
  assert(minimumDetectableGain({ problems: 300, discordance: 0.3 }) > base);
});

Deno.test("minimumDetectableGain() is found about as often as it says", () => {
  const next = uint32s(21);
  for (const problems of [20, 50, 400]) {
    const share = shareFound(problems, minimumDetectableGain({ problems }), next);
    assert(share > 0.77 && share < 0.83, `${problems}: ${share}`); // 2000 studies: a standard error of 0.009
  }
});

/** Share of 2000 studies that find a gain. */
function shareFound(problems: number, gain: number, next: () => number): number {
  let found = 0;
  for (let study = 0; study < 2000; study++) {
    let won = 0;
    let lost = 0;
    for (let i = 0; i < problems; i++) {
      const u = next() * 2 ** -32;
      if (u < (Math.max(0.2, gain) + gain) / 2) won++;
      else if (u < Math.max(0.2, gain)) lost++;
    }
    found += Number(mcnemarMidP(won, lost) <= 0.05);
  }
  return found / 2000;
}

Deno.test("minimumDetectableGain() refuses bad options", () => {
  const refused = (options: object, part: string) =>
    assertThrows(() => minimumDetectableGain({ problems: 9, ...options }), RangeError, part);
  refused({ problems: 0 }, "'problems'");
  refused({ repeats: 1.5 }, "'repeats'");
  refused({ repeats: 2, designEffect: 3 }, "'designEffect'");
  refused({ discordance: 1.1 }, "'discordance'");
  refused({ alpha: 0 }, "'alpha'");
  refused({ power: 1 }, "'power'");
  refused({ power: 0.05 }, "'power' must be greater than 'alpha' (0.05)");
  refused({ comparisons: 0 }, "'comparisons'");
  assertThrows(() => minimumDetectableGain({} as never), TypeError, "'problems'");
  assertThrows(
    () => minimumDetectableGain({ problems: 9, disc: 1 } as never),
    TypeError,
    "'disc' is not an option",
  );
});
