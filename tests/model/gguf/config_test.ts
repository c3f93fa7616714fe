/** What GGUF metadata says of rotation and sampling. */

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { parseGguf } from "@moi/moi/model";
import { configOf, samplingOf } from "../../../lib/model/gguf/config.ts";
import { caseOf, tensorsOf } from "../../golden/architectures.ts";
import { ggufOf } from "./_convert.ts";
import type { Entry } from "./_file.ts";

const CASE = caseOf("qwen3");

/** `rope_scaling` of a file with keys `qwen3.rope.…`. */
function scalingOf(keys: Readonly<Record<string, number | string>>) {
  const metadata = Object.fromEntries(
    Object.entries(keys).map(([key, value]): [string, Entry] => [
      `qwen3.rope.${key}`,
      typeof value === "string"
        ? { text: value }
        : key.endsWith("length")
        ? { u32: value }
        : { f32: value },
    ]),
  );
  const file = ggufOf(CASE.config, tensorsOf(CASE), { metadata });
  return configOf(parseGguf(file), [file]).rope_scaling as Record<string, unknown> | null;
}

const YARN = {
  ...{ "scaling.type": "yarn", "scaling.factor": 4, "scaling.original_context_length": 64 },
};

Deno.test("the factor of yarn's cosines and sines: its own, replaced, or multiplied", () => {
  const usual = 0.1 * Math.log(4) + 1;
  for (
    const [keys, factor] of [
      [{}, usual],
      [{ "scaling.yarn_attn_factor": 0.75 }, 0.75], // attention_factor of the checkpoint
      [{ "scaling.yarn_attn_factor": 1 }, 1],
      [{ "scaling.attn_factor": 1 }, usual],
      [{ "scaling.attn_factor": 0.5 }, 0.5 * usual], // llama.cpp's factor on top
      [{ "scaling.attn_factor": 0.5, "scaling.yarn_attn_factor": 0.75 }, 0.375],
      [{ "scaling.yarn_ext_factor": 1 }, usual],
    ] as const
  ) {
    const { attention_factor, ...rest } = scalingOf({ ...YARN, ...keys })!;
    assertAlmostEquals(attention_factor as number, factor, 1e-7);
    assertEquals(rest, {
      ...{ rope_type: "yarn", factor: 4, original_max_position_embeddings: 64 },
      ...{ beta_fast: 32, beta_slow: 1 },
    });
  }
  const betas = { "scaling.yarn_beta_fast": 12, "scaling.yarn_beta_slow": 2 };
  const { beta_fast, beta_slow } = scalingOf({ ...YARN, ...betas })!;
  assertEquals([beta_fast, beta_slow], [12, 2]);
});

Deno.test("scaling is linear where a factor stands without a type, and none where it says none", () => {
  const linear = { rope_type: "linear", factor: 4 };
  assertEquals(scalingOf({}), null);
  assertEquals(scalingOf({ "scaling.factor": 4 }), linear);
  assertEquals(scalingOf({ "scaling.type": "linear", "scaling.factor": 4 }), linear);
  assertEquals(scalingOf({ "scaling.type": "linear", "scaling.factor": 1 }), null);
  assertEquals(scalingOf({ "scaling.type": "linear" }), null);
  assertEquals(scalingOf({ "scaling.type": "none", "scaling.factor": 4 }), null);
  assertEquals(scalingOf({ "scaling.factor": 0 }), null);
  assertEquals(scalingOf({ "scaling.attn_factor": 1 }), null);
});

Deno.test("keys of a scaling that are not followed are refused by name, none is dropped", () => {
  for (
    const [keys, name] of [
      [{ ...YARN, "scaling.yarn_ext_factor": 0 }, "yarn_ext_factor"],
      [{ ...YARN, "scaling.yarn_ext_factor": 0.5 }, "yarn_ext_factor"],
      [{ ...YARN, "scaling.yarn_log_multiplier": 0.1 }, "yarn_log_multiplier"],
      [{ ...YARN, "scaling.yarn_attn_factor": 0 }, "yarn_attn_factor"],
      [{ ...YARN, "scaling.attn_factor": -1 }, "attn_factor"],
      [{ ...YARN, "scaling.alpha": 2 }, "scaling.alpha"],
      [{ "scaling.type": "yarn" }, "scaling.factor"],
      [{ "scaling.type": "dynamic", "scaling.factor": 2 }, "scaling.type"],
      [{ "scaling.type": "longrope", "scaling.factor": 2 }, "scaling.type"],
      [{ "scaling.attn_factor": 0.9 }, "attn_factor"],
      [{ "scaling.type": "linear", "scaling.factor": 2, "scaling.attn_factor": 2 }, "attn_factor"],
      [
        { "scaling.type": "linear", "scaling.factor": 2, "scaling.yarn_attn_factor": 2 },
        "yarn_attn",
      ],
      [{ "scaling.yarn_beta_fast": 32 }, "yarn_beta_fast"],
      [{ scale_linear: 2 }, "rope.scale_linear"],
    ] as const
  ) {
    assertThrows(() => scalingOf(keys as Record<string, number | string>), SyntaxError, name);
  }
});

Deno.test("recommended sampler settings of the file stand under the names of generation_config.json", () => {
  const metadata = new Map<string, number>([
    ...[["general.sampling.temp", Math.fround(0.6)], ["general.sampling.top_k", 20]] as const,
    ...[["general.sampling.top_p", Math.fround(0.95)], ["general.sampling.min_p", 0]] as const,
    ...[["general.sampling.penalty_repeat", 1], ["general.sampling.mirostat", 2]] as const,
    ["general.file_type", 1],
  ]);
  assertEquals(samplingOf({ metadata }), {
    ...{ temperature: 0.6, top_k: 20, top_p: 0.95, min_p: 0, repetition_penalty: 1 },
    "general.sampling.mirostat": 2,
  });
});
