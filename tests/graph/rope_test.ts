import { assertAlmostEquals, assertEquals } from "@std/assert";
import { ARCHITECTURES, type RopedConfig, type RopeScaling, ropeTables } from "@moi/moi/graph";

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

/** Frequencies of a scaling: angles at position 1, where sines are small enough to be inverted. */
function frequencies(positions: number, dims: number, theta: number, scaling: RopeScaling) {
  const { cos, sin } = ropeTables(positions, dims, theta, scaling), half = dims / 2;
  return Array.from({ length: half }, (_, i) => Math.atan2(sin[half + i]!, cos[half + i]!));
}

Deno.test("ropeTables() divides all frequencies where scaling is linear", () => {
  const found = frequencies(2, 8, 1e4, { type: "linear", factor: 4 });
  found.forEach((f, i) => assertAlmostEquals(f, 1e4 ** (-i / 4) / 4, 1e-7));
});

Deno.test("ropeTables() keeps, blends and divides frequencies in llama3", () => {
  const found = frequencies(2, 32, 100, {
    type: "llama3",
    factor: 8,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
    originalPositions: 64,
  });
  found.forEach((f, i) => {
    const plain = 100 ** (-i / 16), turns = 64 * plain / (2 * Math.PI);
    if (turns > 4) assertAlmostEquals(f, plain, 1e-7);
    else if (turns < 1) assertAlmostEquals(f, plain / 8, 1e-7);
    else assertAlmostEquals(f, plain * ((turns - 1) / 3 * 7 / 8 + 1 / 8), 1e-7);
  });
});

Deno.test("ropeTables() ramps frequencies and scales cosines and sines in yarn", () => {
  const yarn = {
    type: "yarn",
    factor: 4,
    betaFast: 4,
    betaSlow: 1,
    originalPositions: 64,
    truncate: true,
    attentionFactor: 1.5,
  } as const;
  const { cos } = ropeTables(2, 32, 100, yarn);
  assertEquals([...cos.subarray(0, 16)], Array(16).fill(1.5));
  // bounds: 32 ln(64 / 8π) / (2 ln 100) = 3.2 and 32 ln(64 / 2π) / (2 ln 100) = 8.06
  frequencies(2, 32, 100, yarn).forEach((f, i) => {
    const plain = 100 ** (-i / 16), ramp = Math.min(1, Math.max(0, (i - 3) / (9 - 3)));
    assertAlmostEquals(f, plain / 4 * ramp + plain * (1 - ramp), 1e-7);
  });
});

Deno.test("ropeTables() takes longrope's list by the number of positions", () => {
  const longrope = {
    type: "longrope",
    short: [1, 2],
    long: [3, 4],
    originalPositions: 8,
    attentionFactor: 1,
  } as const;
  const plain = [1, 0.01];
  for (const [positions, list] of [[2, [1, 2]], [8, [1, 2]], [9, [3, 4]]] as const) {
    frequencies(positions, 4, 1e4, longrope).forEach((f, i) =>
      assertAlmostEquals(f, plain[i]! / list[i]!, 1e-7)
    );
  }
});

/**
 * Frequencies and factors of transformers 5.24 (`ROPE_INIT_FUNCTIONS`, float32) for Llama with heads of
 * 32; `longest` is what rope.ts says, by hand.
 */
const REFERENCE: readonly {
  readonly name: string;
  readonly positions: number;
  readonly longest: number;
  readonly rope_parameters: Readonly<Record<string, unknown>>;
  readonly factor: number;
  readonly frequencies: readonly number[];
}[] = JSON.parse(await Deno.readTextFile(new URL("rope.json", import.meta.url)));

const LLAMA = {
  ...{ model_type: "llama", hidden_size: 128, intermediate_size: 64, num_hidden_layers: 1 },
  ...{ num_attention_heads: 4, head_dim: 32, vocab_size: 32 },
};

for (const { name, positions, longest, rope_parameters, factor, frequencies } of REFERENCE) {
  Deno.test(`${name}: frequencies, factor and context are those of transformers, in both layouts`, () => {
    const { rope_theta, ...scaling } = rope_parameters;
    const { rope_type, ...old } = scaling;
    const layouts = [
      { rope_parameters },
      { rope_theta, rope_scaling: scaling },
      { rope_theta, rope_scaling: { type: rope_type, ...old } },
      { rope_theta, rope_scaling: scaling, rope_parameters },
    ];
    for (const layout of layouts) {
      const config = ARCHITECTURES.llama!.parse({
        ...LLAMA,
        max_position_embeddings: positions,
        ...layout,
      }) as RopedConfig;
      const { dims, theta, scaling } = config.rope;
      const { cos, sin } = ropeTables(2, dims, theta, scaling), half = dims / 2;
      assertAlmostEquals(cos[0]!, factor, 1e-6);
      frequencies.forEach((f, i) => {
        const found = Math.atan2(sin[half + i]!, cos[half + i]!);
        assertAlmostEquals(found / f, 1, 2e-6);
      });
      const isLinear = scaling.type === "linear";
      assertEquals(config.maxPositions, isLinear ? positions : longest);
      assertEquals(config.longestPositions ?? config.maxPositions, longest);
    }
  });
}

Deno.test("yarn rotates the last position that it allows as transformers does", () => {
  // position 131 071 with frequency 0.017782793 · … of the first case; float64 by hand
  const { rope_parameters, factor, frequencies } = REFERENCE[0]!;
  const config = ARCHITECTURES.llama!.parse({
    ...LLAMA,
    max_position_embeddings: 32_768,
    rope_parameters,
  }) as RopedConfig;
  const { cos } = ropeTables(131_072, 32, config.rope.theta, config.rope.scaling);
  const last = 131_071 * 16;
  // the low frequencies, where float32 of the reference is exact enough at this position
  for (const i of [12, 13, 14, 15]) {
    const expected = factor * Math.cos(131_071 * frequencies[i]!);
    assertAlmostEquals(cos[last + i]!, expected, 1e-5);
  }
});
