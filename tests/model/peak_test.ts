import { assert, assertLess } from "@std/assert";
import { DTYPES } from "@moi/moi/model";
import { temporaryFolder } from "../_temporary.ts";
import { deno } from "../_process.ts";

/** Of 91 million weights, a third of them the table. */
const CONFIG = {
  model_type: "llama",
  hidden_act: "silu",
  hidden_size: 1024,
  num_hidden_layers: 4,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  intermediate_size: 3072,
  vocab_size: 40960,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
};

/** A checkpoint of zeros, whose file takes no space on disk. */
async function zeros() {
  const { hidden_size: D, intermediate_size: M } = CONFIG, K = D / 2;
  const shapes: [name: string, shape: number[]][] = [
    ["model.embed_tokens.weight", [CONFIG.vocab_size, D]],
    ["model.norm.weight", [D]],
  ];
  for (let layer = 0; layer < CONFIG.num_hidden_layers; layer++) {
    const own: Record<string, number[]> = {
      "input_layernorm": [D],
      "post_attention_layernorm": [D],
      "self_attn.q_proj": [D, D],
      "self_attn.k_proj": [K, D],
      "self_attn.v_proj": [K, D],
      "self_attn.o_proj": [D, D],
      "mlp.gate_proj": [M, D],
      "mlp.up_proj": [M, D],
      "mlp.down_proj": [D, M],
    };
    for (const [name, shape] of Object.entries(own)) {
      shapes.push([`model.layers.${layer}.${name}.weight`, shape]);
    }
  }
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, shape] of shapes) {
    const bytes = 2 * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: "BF16", shape, data_offsets: [end, end += bytes] };
  }
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 64) * 64 + 56));
  const start = new Uint8Array(8 + text.length);
  new DataView(start.buffer).setBigUint64(0, BigInt(text.length), true);
  start.set(text, 8);
  const folder = await temporaryFolder({
    "config.json": JSON.stringify(CONFIG),
    "model.safetensors": start,
  });
  await Deno.truncate(`${folder.path}/model.safetensors`, start.length + end);
  return folder;
}

type Dtype = (typeof DTYPES)[number];

/** Most that peak memory may rise, in weights; fp16 holds both roundings of all weights for a while. */
const MOST: Readonly<Record<Dtype, number>> = { fp32: 1.25, fp16: 1.7, int8: 1.25, int4: 1.25 };

async function peakOf(folder: string, dtype: Dtype) {
  const script = "tests/model/_peak_process.ts";
  const args = ["run", "-A", "--no-check", "--quiet", script, folder, dtype, `${folder}/cache`];
  const { code, stdout, stderr } = await deno(args);
  assert(code === 0, stderr);
  return JSON.parse(stdout) as { rise: number; weightsBytes: number };
}

Deno.test({
  name: "loading and running a model takes little more memory than its weights",
  ignore: Deno.build.os !== "linux",
  async fn(t) {
    await using folder = await zeros();
    for (const dtype of DTYPES) {
      await t.step(dtype, async () => {
        await peakOf(folder.path, dtype); // quantises
        const { rise, weightsBytes } = await peakOf(folder.path, dtype);
        assertLess(rise, MOST[dtype] * weightsBytes);
      });
    }
  },
});
