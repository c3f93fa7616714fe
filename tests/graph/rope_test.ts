import { assertAlmostEquals, assertEquals } from "@std/assert";
import { ropeTables } from "@moi/moi/graph";

Deno.test("ropeTables() is the plain formula, for several widths and bases", () => {
  for (const [positions, dims, theta] of [[8, 4, 1e4], [100, 32, 1e6], [3, 128, 5e5]] as const) {
    const { cos, sin } = ropeTables(positions, dims, theta);
    assertEquals([cos.length, sin.length], [positions * dims / 2, positions * dims / 2]);
    for (let p = 0; p < positions; p++) {
      for (let i = 0; i < dims / 2; i++) {
        const angle = p / Math.pow(theta, 2 * i / dims);
        assertAlmostEquals(cos[p * dims / 2 + i]!, Math.cos(angle), 1e-7);
        assertAlmostEquals(sin[p * dims / 2 + i]!, Math.sin(angle), 1e-7);
      }
    }
  }
});

Deno.test("ropeTables() keeps float64 accuracy at late positions", () => {
  // cos and sin of 40 959 and of 40 959 / 10 000^(1/16), mpmath 1.3
  const { cos, sin } = ropeTables(40_960, 32, 10_000);
  const row = 40_959 * 16;
  assertAlmostEquals(cos[row]!, 0.46689722324649613, 6e-8);
  assertAlmostEquals(sin[row]!, -0.8843115870125821, 6e-8);
  assertAlmostEquals(cos[row + 1]!, 0.34458688084075279, 6e-8);
  assertAlmostEquals(sin[row + 1]!, -0.93875443090961804, 6e-8);
});

Deno.test("ropeTables() does not rotate the first position, and turns by one radian the second", () => {
  const { cos, sin } = ropeTables(2, 64, 1e4);
  assertEquals([...cos.subarray(0, 32)], Array(32).fill(1));
  assertEquals([...sin.subarray(0, 32)], Array(32).fill(0));
  assertEquals([cos[32], sin[32]], [Math.fround(Math.cos(1)), Math.fround(Math.sin(1))]);
});
