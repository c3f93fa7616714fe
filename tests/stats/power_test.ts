import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { mcnemarExact, minimumDetectableGain } from "../../lib/stats/mod.ts";
import { uint32s } from "../../lib/stats/_random.ts";

Deno.test("minimumDetectableGain() solves its equation", () => {
  // scipy 1.17: brentq on the equation with stats.norm.isf.
  // deno-fmt-ignore
  const golden = [
    [{ problems: 198 }, 0.08732620381394601],
    [{ problems: 198, repeats: 5 }, 0.0396630811110342],
    [{ problems: 1000, discordance: 0.1, alpha: 0.01, power: 0.9 }, 0.03828999470919937],
    [{ problems: 500, discordance: 0.3, comparisons: 6 }, 0.08422543638087204],
  ] as const;
  for (const [options, gain] of golden) {
    assertAlmostEquals(minimumDetectableGain(options), gain, 1e-12);
  }
});

Deno.test("minimumDetectableGain() falls with the size of the study, without a jump", () => {
  let last = 1;
  for (let problems = 1; problems < 400; problems++) {
    const gain = minimumDetectableGain({ problems });
    assert(gain < last && (problems < 8 || gain > last * 0.88));
    last = gain;
  }
});

Deno.test("minimumDetectableGain() never asks for more gain than disagreement", () => {
  // 10 problems: k² = 7.849, so k² / (N + k²) = 0.4398 although D is only 0.2.
  assertAlmostEquals(minimumDetectableGain({ problems: 10 }), 0.4397, 1e-4);
  assert(minimumDetectableGain({ problems: 1, discordance: 0 }) < 1);
});

Deno.test("minimumDetectableGain() asks for more when more is asked", () => {
  const base = minimumDetectableGain({ problems: 300 });
  assert(minimumDetectableGain({ problems: 300, power: 0.9 }) > base);
  assert(minimumDetectableGain({ problems: 300, alpha: 0.01 }) > base);
  assert(minimumDetectableGain({ problems: 300, comparisons: 4 }) > base);
  assert(minimumDetectableGain({ problems: 300, discordance: 0.3 }) > base);
});

Deno.test("minimumDetectableGain() is found about as often as it says", () => {
  // 2000 studies of 400 problems; the exact test is a little conservative, so below 80 %.
  const next = uint32s(21);
  const gain = minimumDetectableGain({ problems: 400 });
  let found = 0;
  for (let study = 0; study < 2000; study++) {
    let won = 0;
    let lost = 0;
    for (let i = 0; i < 400; i++) {
      const u = next() * 2 ** -32;
      if (u < (0.2 + gain) / 2) won++;
      else if (u < 0.2) lost++;
    }
    found += Number(mcnemarExact(won, lost) <= 0.05);
  }
  assert(found / 2000 > 0.74 && found / 2000 < 0.82, `${found / 2000}`);
});

Deno.test("minimumDetectableGain() refuses bad options", () => {
  const refused = (options: object, part: string) =>
    assertThrows(() => minimumDetectableGain({ problems: 9, ...options }), RangeError, part);
  refused({ problems: 0 }, "'problems'");
  refused({ repeats: 1.5 }, "'repeats'");
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
