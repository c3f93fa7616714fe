import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { estimateMemory, parseConfig } from "@moi/moi/model";
import { estimateStudy, measuredBandwidth, type StudySize } from "../../lib/study/mod.ts";

const QWQ = parseConfig(JSON.stringify({
  ...{ model_type: "qwen2", hidden_act: "silu", hidden_size: 5120, intermediate_size: 27648 },
  ...{ num_attention_heads: 40, num_hidden_layers: 64, num_key_value_heads: 8 },
  ...{ max_position_embeddings: 40960, rms_norm_eps: 1e-5, rope_theta: 1e6 },
  ...{ tie_word_embeddings: false, use_sliding_window: false, vocab_size: 152064 },
}));
const SIZE = {
  ...{ config: QWQ, problems: 90, promptTokens: 200, maxNewTokens: 32768, methods: 8, repeats: 5 },
  ...{ slots: 16, dtype: "int4" as const, bandwidth: 2e11 },
} satisfies StudySize;

Deno.test("estimateStudy() counts runs, tokens and bytes", () => {
  const found = estimateStudy(SIZE);
  assertEquals(found.runs, 3600);
  assertEquals(found.promptTokens, 18_000); // one prefill serves all runs of a problem
  assertEquals(found.newTokens, 3600 * 32768);
  const memory = estimateMemory(QWQ, { dtype: "int4", slots: 16, length: 32968 });
  assertEquals([found.weightsBytes, found.kvBytes], [memory.weightsBytes, memory.kvBytes]);
  assertEquals(found.steps, 225 * 32768);
  const perStep = memory.weightsBytes + 16 * (200 + 16384) * memory.kvBytesPerToken;
  assertAlmostEquals(found.seconds, found.steps * perStep / 2e11, 1e-3);
});

Deno.test("estimateStudy() takes the mean length where it is known, and a small study's few runs", () => {
  const half = estimateStudy({ ...SIZE, meanNewTokens: 8000 });
  assertEquals(half.newTokens, 3600 * 8000);
  assert(half.seconds < estimateStudy(SIZE).seconds / 4);
  const one = estimateStudy({ ...SIZE, problems: 1, methods: 1, repeats: 1 });
  assertEquals(one.kvBytes, estimateMemory(QWQ, { slots: 1, length: 32968 }).kvBytes);
});

Deno.test("estimateStudy() refuses what is outside its rules", () => {
  assertThrows(() => estimateStudy({ ...SIZE, problems: 0 }), RangeError, "'problems'");
  assertThrows(() => estimateStudy({ ...SIZE, meanNewTokens: 1e9 }), RangeError, "'meanNewTokens'");
  assertThrows(() => estimateStudy({ ...SIZE, bandwidth: 0 }), RangeError, "'bandwidth'");
  assertThrows(() => estimateStudy({ ...SIZE, slot: 1 } as never), TypeError, "'slot'");
});

Deno.test("measuredBandwidth() is that of some memory", () => {
  const bandwidth = measuredBandwidth();
  assert(bandwidth > 1e8 && bandwidth < 1e13, `${bandwidth}`);
});

Deno.test("estimateStudy() takes the bytes of weights that are known, and the format of keys and values", () => {
  const config = { ...QWQ, architecture: "falcon" }; // of which no graph is built
  const found = estimateStudy({ ...SIZE, config, weightsBytes: 1e9, kv: "fp16" });
  const usual = estimateStudy(SIZE);
  assertEquals([found.weightsBytes, found.kvBytes], [1e9, usual.kvBytes / 2]);
  const perStep = 1e9 + 16 * (200 + 16384) * usual.kvBytes / 16 / 32968 / 2;
  assertAlmostEquals(found.seconds, found.steps * perStep / 2e11, 1e-3);
  assertThrows(() => estimateStudy({ ...SIZE, weightsBytes: 0 }), RangeError, "'weightsBytes'");
  assertThrows(() => estimateStudy({ ...SIZE, kv: "int4" as "int8" }), RangeError, "'kv'");
});
