import { assert, assertEquals, assertLess } from "@std/assert";
import { loadModel, parseConfig } from "@moi/moi/model";
import type { Adapter } from "@moi/moi/runtime";
import { chooseDevice } from "../../lib/model/auto.ts";
import { trialStep } from "../../lib/model/trial.ts";
import { temporaryFolder } from "../_temporary.ts";

const CARD: Adapter = {
  ...{ device: "webgpu", name: "card", kind: "discrete", half: false, chosen: true },
  memory: { total: 2 ** 34, free: 2 ** 34 },
};
const OPTIONS = { dtype: "auto", kv: undefined, maxLength: 4096 } as const;

/** A shape whose weights are not small. */
const config = parseConfig(JSON.stringify({
  ...{ model_type: "qwen3", vocab_size: 60_000, hidden_size: 512, intermediate_size: 1024 },
  ...{ num_hidden_layers: 20, num_attention_heads: 8, num_key_value_heads: 4, head_dim: 64 },
  ...{ max_position_embeddings: 4096, rope_theta: 1e4, rms_norm_eps: 1e-6, hidden_act: "silu" },
  tie_word_embeddings: false,
}));

async function chosen(
  adapters: readonly Adapter[],
  options: Partial<Parameters<typeof chooseDevice>[1]> = {},
) {
  await using folder = await temporaryFolder();
  const all = { ...OPTIONS, cacheDir: folder.path, ...options };
  const { device, attempts } = await chooseDevice(config, all, () => adapters);
  return [device, ...attempts.map(({ device, why }) => `${device}: ${why}`)];
}

Deno.test("auto is the CPU where there is no GPU, an emulated one, or none that the model fits on", async () => {
  const none = "cuda: there is no GPU for it";
  assertEquals(await chosen([]), ["cpu", none, "webgpu: there is no GPU for it"]);
  const emulated = { ...CARD, kind: "emulated" } as const;
  assertEquals(await chosen([emulated]), ["cpu", none, "webgpu: card is an emulator on the CPU"]);
  const [device, , why] = await chosen([{ ...CARD, memory: { total: 2 ** 27, free: 2 ** 26 } }]);
  assertEquals(device, "cpu");
  assert(why!.includes("its weights in int4 need"), why);
});

Deno.test("auto passes over a GPU that does not compute in what was asked for", async () => {
  const [device, , why] = await chosen([CARD], { kv: "int8" });
  assertEquals(device, "cpu");
  assert(why!.includes("'kv' must be 'fp32' or 'fp16' on webgpu"), why);
});

Deno.test("a small model asks no GPU, and says so", async () => {
  await using model = await loadModel("votes-tiny");
  const why = "the model is small";
  assertEquals(model.device, "cpu");
  assertEquals(model.attempts, [{ device: "cuda", why }, { device: "webgpu", why }]);
  await using asked = await loadModel("votes-tiny", { device: "cpu" });
  assertEquals(asked.attempts, undefined);
});

for (const dtype of ["fp32", "fp16", "int8", "int4"] as const) {
  Deno.test(`a step of a model's shape in ${dtype} is timed before its weights are there`, async () => {
    const ms = await trialStep(config, "cpu", dtype, "fp32");
    assert(ms > 0);
    assertLess(ms, 10_000);
  });
}
