/** Matrices as random blocks of GGUF's types. */

import { GGUF_TYPES, type GgufType } from "@moi/moi/model";
import { seeded } from "../../_random.ts";

/** Where blocks of a type have their factors (float16). */
const FACTORS: Readonly<Record<string, readonly number[]>> = {
  ...{ Q4_0: [0], Q4_1: [0, 2], Q5_0: [0], Q5_1: [0, 2], Q8_0: [0] },
  ...{ Q2_K: [80, 82], Q3_K: [108], Q4_K: [0, 2], Q5_K: [0, 2], Q6_K: [208] },
};

/** Types that {@linkcode randomBlocks} makes. */
export const BLOCK_TYPES = Object.keys(FACTORS) as GgufType[];

/** Random blocks: random bits, factors such that numbers are about ¼. */
export function randomBlocks(type: GgufType) {
  const random = seeded(5), { bytes, numbers } = GGUF_TYPES[type];
  const largest = { Q4_0: 8, Q4_1: 15, Q5_0: 16, Q5_1: 31, Q8_0: 128 }[type as string] ??
    { Q2_K: 45, Q3_K: 128, Q4_K: 945, Q5_K: 1953, Q6_K: 4096 }[type as string]!;
  return {
    type,
    encode(values: Float32Array) {
      const out = new Uint8Array(values.length / numbers * bytes), view = new DataView(out.buffer);
      for (let i = 0; i < out.length; i++) out[i] = random.below(256);
      for (let at = 0; at < out.length; at += bytes) {
        const [factor, least] = FACTORS[type]!;
        view.setFloat16(at + factor!, 0.5 * (0.5 + random.next()) / largest, true);
        const isPlain = type === "Q4_1" || type === "Q5_1"; // the minimum itself, not its factor
        if (least) view.setFloat16(at + least, isPlain ? -0.3 * random.next() : 0.3 / 63, true);
      }
      return out;
    },
  };
}
