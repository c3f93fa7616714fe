/**
 * Loads and runs a random checkpoint of Qwen3-0.6B's true shape, in fp32 and quantised: times and
 * peak memory of the whole path.
 *
 * ```sh
 * deno run -A scripts/real_scale.ts
 * ```
 *
 * Every load runs in a process of its own, so that its peak memory is its own (Linux only).
 */

import { join } from "node:path";
import { generate, moi } from "../lib/decode/mod.ts";
import { type Dtype, loadModel } from "../lib/model/mod.ts";
import { print, say } from "./_cli.ts";

/** Fields of Qwen3-0.6B's published config.json. */
const CONFIG = {
  model_type: "qwen3",
  hidden_act: "silu",
  hidden_size: 1024,
  num_hidden_layers: 28,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  head_dim: 128,
  intermediate_size: 3072,
  vocab_size: 151936,
  max_position_embeddings: 40960,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  tie_word_embeddings: true,
};

/** Longest context of the loads. */
const MAX_LENGTH = 1024;
const NEW_TOKENS = 256;

/** Writes the checkpoint: bf16, uniform weights of the size that trained ones have. */
async function writeCheckpoint(folder: string): Promise<void> {
  const { hidden_size: D, intermediate_size: M, head_dim: H } = CONFIG;
  const Q = CONFIG.num_attention_heads * H, K = CONFIG.num_key_value_heads * H;
  const shapes: [name: string, shape: number[]][] = [
    ["model.embed_tokens.weight", [CONFIG.vocab_size, D]],
    ["model.norm.weight", [D]],
  ];
  for (let layer = 0; layer < CONFIG.num_hidden_layers; layer++) {
    const own: Record<string, number[]> = {
      "input_layernorm": [D],
      "post_attention_layernorm": [D],
      "self_attn.q_proj": [Q, D],
      "self_attn.k_proj": [K, D],
      "self_attn.v_proj": [K, D],
      "self_attn.o_proj": [D, Q],
      "self_attn.q_norm": [H],
      "self_attn.k_norm": [H],
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
  const json = JSON.stringify(header); // the tensors start at a multiple of 64, as in real files
  const text = new TextEncoder().encode(json.padEnd(Math.ceil((json.length + 8) / 64) * 64 - 8));
  using file = await Deno.open(join(folder, "model.safetensors"), { write: true, create: true });
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  };
  await write(new Uint8Array(BigUint64Array.of(BigInt(text.length)).buffer));
  await write(text);
  const floats = new Float32Array(2 ** 22), halves = new Uint16Array(floats.length);
  const bits = new Uint32Array(floats.buffer);
  let state = 1;
  for (const [, shape] of shapes) {
    const count = shape.reduce((product, size) => product * size, 1);
    const norm = shape.length === 1, scale = norm ? 0.1 : Math.sqrt(3 / shape[1]!);
    for (let done = 0; done < count; done += floats.length) {
      const size = Math.min(floats.length, count - done);
      for (let i = 0; i < size; i++) { // xorshift32
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        floats[i] = (norm ? 1 : 0) + scale * state / 2 ** 31;
        halves[i] = bits[i]! >>> 16;
      }
      await write(new Uint8Array(halves.buffer, 0, 2 * size));
    }
  }
  await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(CONFIG));
}

/** Peak memory of this process so far, MB; NaN where the system does not tell. */
function peakMegabytes(): number {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status"));
    return Number(found?.[1]) / 1e3 * 1.024;
  } catch {
    return NaN;
  }
}

async function measure(folder: string, dtype: Dtype): Promise<void> {
  const cacheDir = join(folder, "cache"), before = peakMegabytes();
  const row: Record<string, string | number> = { dtype };
  const start = performance.now();
  let converted = start;
  const model = await loadModel(folder, {
    dtype,
    cacheDir,
    maxLength: MAX_LENGTH,
    onProgress({ label }) {
      if (label.startsWith("quantize")) converted = performance.now();
    },
  });
  row["convert s"] = ((converted - start) / 1e3).toFixed(1);
  row["load s"] = ((performance.now() - start) / 1e3).toFixed(1);
  const weights = model.memory.weightsBytes / 1e6, loaded = peakMegabytes();
  row["weights MB"] = weights.toFixed(0);
  row["peak MB of load"] = loaded.toFixed(0);
  row["peak / weights"] = (loaded / weights).toFixed(2);
  row["before MB"] = before.toFixed(0);
  const decode = performance.now();
  const { tokens } = await generate(model, Array.from({ length: 16 }, (_, i) => 100 + 7 * i), {
    method: moi({ beta: 1 }),
    topK: 50,
    maxNewTokens: NEW_TOKENS,
    seed: 1,
  });
  row["tokens"] = tokens.length;
  row["ms/token"] = ((performance.now() - decode) / tokens.length).toFixed(1);
  row["peak MB at end"] = peakMegabytes().toFixed(0);
  {
    using cache = model.openCache({ slots: 1, length: 300 });
    await cache.prefill(0, 0, Array.from({ length: 16 }, (_, i) => i), "last");
    const steps = performance.now();
    for (let i = 0; i < 32; i++) await cache.step([i], [16 + i]);
    row["ms/step of the model alone"] = ((performance.now() - steps) / 32).toFixed(1);
  }
  await model[Symbol.asyncDispose]();
  print(JSON.stringify(row));
}

async function main(): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "moi-real-scale" });
  try {
    const start = performance.now();
    await writeCheckpoint(folder);
    say(`checkpoint written in ${((performance.now() - start) / 1e3).toFixed(1)} s`);
    const rows = [];
    for (const dtype of ["fp32", "fp32", "int8", "int8", "int4", "int4"]) {
      const { success, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", import.meta.filename!, folder, dtype],
        stderr: "inherit",
      }).output();
      if (!success) Deno.exit(1);
      rows.push(JSON.parse(new TextDecoder().decode(stdout)));
    }
    for (const row of rows) {
      print(`${Object.entries(row).map(([k, v]) => `${k} ${v}`).join(", ")}\n`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const [folder, dtype] = Deno.args;
if (folder && dtype) await measure(folder, dtype as Dtype);
else await main();
