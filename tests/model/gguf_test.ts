/** GGUF files: headers under attack, numbers bit for bit, and a model that computes what it should. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { dequantize, forward, type GgufType, loadModel, parseGguf } from "@moi/moi/model";
import { seeded } from "../_random.ts";
import { encodeSafetensors } from "../golden/golden.ts";
import { type Entry, gguf, type Tensor, writer } from "./_gguf.ts";
import vectors from "./gguf_vectors.json" with { type: "json" };

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

Deno.test("dequantize() gives the reference's numbers bit for bit", () => {
  // gguf 0.19 (Python), dequantize() of random blocks
  for (const [type, { bytes, floats }] of Object.entries(vectors)) {
    const expected = new Float32Array(bytesOf(floats).buffer),
      out = new Float32Array(expected.length);
    dequantize(type as GgufType, bytesOf(bytes), out);
    assertEquals(Array.from(out), Array.from(expected), type);
  }
});

Deno.test("dequantize() reads floats of every width, and refuses what does not fit", () => {
  const out = new Float32Array(2);
  dequantize("F16", Uint8Array.of(0, 0x3c, 0, 0xc0), out);
  assertEquals([...out], [1, -2]);
  dequantize("BF16", Uint8Array.of(0x80, 0x3f, 0x20, 0xc0), out);
  assertEquals([...out], [1, -2.5]);
  dequantize("F32", new Uint8Array(new Float32Array([0.1, 3]).buffer), out);
  assertEquals([...out], [Math.fround(0.1), 3]);
  assertThrows(() => dequantize("Q4_0", new Uint8Array(18), out), RangeError, "are not 2 numbers");
});

const floats = (values: ArrayLike<number>) => new Uint8Array(Float32Array.from(values).buffer);
const SMALL: Record<string, Entry> = {
  "general.architecture": { text: "llama" },
  a: { u32: 7 },
  b: { texts: ["x", "yz"] },
  c: { i32s: [1, -2, 3] },
  d: { bool: true },
  e: { f32: 0.5 },
};
const TENSORS: Record<string, Tensor> = {
  one: { type: "F32", dims: [2, 3], data: floats([1, 2, 3, 4, 5, 6]) },
  two: { type: "Q8_0", dims: [1, 64], data: new Uint8Array(68).fill(1) },
};

Deno.test("parseGguf() reads metadata and tensors", () => {
  const file = gguf(SMALL, TENSORS), { metadata, tensors } = parseGguf(file);
  assertEquals([metadata.get("a"), metadata.get("d"), metadata.get("e")], [7, true, 0.5]);
  assertEquals(metadata.get("b"), ["x", "yz"]);
  assertEquals(Array.from(metadata.get("c") as Int32Array), [1, -2, 3]);
  const one = tensors.get("one")!;
  assertEquals([one.type, one.dims, one.length], ["F32", [2, 3], 24]);
  assertEquals(Array.from(new Float32Array(file.slice(one.offset, one.offset + 24).buffer)), [
    1,
    2,
    3,
    4,
    5,
    6,
  ]);
});

Deno.test("a file that is cut off anywhere, or changed anywhere, is read or refused with a reason", () => {
  const file = gguf(SMALL, TENSORS), random = seeded(6);
  let refused = 0;
  const tryFile = (bytes: Uint8Array) => {
    const start = performance.now();
    try {
      parseGguf(bytes);
    } catch (error) {
      assert(error instanceof SyntaxError, (error as Error).stack);
      refused++;
    }
    assert(performance.now() - start < 1000);
  };
  const { offset, length } = parseGguf(file).tensors.get("two")!, whole = offset + length;
  for (let end = 0; end < whole; end += 3) tryFile(file.slice(0, end));
  assertEquals(refused, Math.ceil(whole / 3));
  for (let round = 0; round < 3000; round++) {
    const bad = file.slice();
    for (let k = 0; k <= random.below(3); k++) bad[random.below(bad.length)] = random.below(256);
    tryFile(bad);
  }
  assert(refused > 400, `${refused}`);
});

/** A header with given counts, and what follows. */
function header(
  tensors: number | bigint,
  entries: number | bigint,
  rest: (w: ReturnType<typeof writer>) => void,
) {
  const w = writer();
  w.u32(0x46554747);
  w.u32(3);
  w.u64(tensors);
  w.u64(entries);
  rest(w);
  w.put(new Uint8Array(64));
  return w.bytes();
}

Deno.test("every way in which a header can lie has its own refusal", () => {
  const huge = 2n ** 63n - 1n,
    entry = (w: ReturnType<typeof writer>, key: string, type: number) => {
      w.text(key);
      w.u32(type);
    };
  const tensor = (name: string, dims: (number | bigint)[], type: number, at: number | bigint) =>
    header(1, 0, (w) => {
      w.text(name);
      w.u32(dims.length);
      for (const dim of dims) w.u64(dim);
      w.u32(type);
      w.u64(at);
    });
  const two = (second: Partial<{ name: string; at: number }>) =>
    header(2, 0, (w) => {
      for (const [name, at] of [["a", 0], [second.name ?? "b", second.at ?? 32]] as const) {
        w.text(name);
        w.u32(1);
        w.u64(4);
        w.u32(0);
        w.u64(at);
      }
      w.align(32);
      w.put(new Uint8Array(64));
    });
  const bad: readonly [Uint8Array, string][] = [
    [new Uint8Array(0), "begin with GGUF"],
    [new Uint8Array(100).fill(71), "begin with GGUF"],
    [header(huge, 0, () => {}), "is too large"],
    [header(2 ** 40, 0, () => {}), "cannot hold"],
    [header(0, huge, () => {}), "is too large"],
    [header(0, 2 ** 40, () => {}), "cannot hold"],
    [header(0, 1, (w) => w.u64(huge)), "is too large"],
    [header(0, 1, (w) => w.u64(2 ** 40)), "goes beyond its end"],
    [header(0, 1, (w) => w.text("k".repeat(2000))), "is too long"],
    [header(0, 1, (w) => entry(w, "k", 99)), "unknown type 99"],
    [header(0, 1, (w) => (entry(w, "k", 8), w.u64(2 ** 50))), "goes beyond its end"],
    [header(0, 1, (w) => (entry(w, "k", 9), w.u32(0), w.u64(2 ** 52))), "goes beyond its end"],
    [header(0, 1, (w) => (entry(w, "k", 9), w.u32(12), w.u64(2 ** 40))), "goes beyond its end"],
    [header(0, 1, (w) => (entry(w, "k", 9), w.u32(8), w.u64(2 ** 40))), "goes beyond its end"],
    [header(0, 1, (w) => (entry(w, "k", 9), w.u32(9), w.u64(2 ** 40))), "goes beyond its end"],
    [header(0, 1, (w) => (entry(w, "k", 9), w.u32(77), w.u64(1))), "unknown type 77"],
    [
      header(0, 1, (w) => {
        entry(w, "k", 9);
        for (let i = 0; i < 4; i++) w.u32(9), w.u64(1);
      }),
      "nested deeper than 2",
    ],
    [header(0, 2, (w) => [1, 2].forEach((v) => (entry(w, "k", 4), w.u32(v)))), "is there twice"],
    [header(0, 1, (w) => (entry(w, "general.alignment", 4), w.u32(0))), "power of two"],
    [header(0, 1, (w) => (entry(w, "general.alignment", 4), w.u32(24))), "power of two"],
    [header(0, 1, (w) => (entry(w, "general.alignment", 8), w.text("x"))), "power of two"],
    [tensor("t", [], 0, 0), "1 to 4 dimensions, not 0"],
    [tensor("t", [1, 1, 1, 1, 1], 0, 0), "1 to 4 dimensions, not 5"],
    [tensor("t", [huge], 0, 0), "is too large"],
    [tensor("t", [2 ** 40, 2 ** 40], 0, 0), "cannot have the shape"],
    [tensor("t", [33], 8, 0), "cannot have the shape"],
    [tensor("t", [256], 16, 0), "is of type IQ2_XXS"],
    [tensor("t", [256], 34, 0), "is of type TQ1_0"],
    [tensor("t", [256], 4, 0), "is of type number 4"],
    [tensor("t", [4], 0, 7), "must start at a multiple of 32"],
    [tensor("t", [4], 0, 2 ** 40), "goes beyond its end"],
    [tensor("t", [2 ** 30], 0, 0), "goes beyond its end"],
    [two({ name: "a" }), "is there twice"],
    [two({ at: 0 }), "overlap"],
  ];
  for (const [bytes, message] of bad) {
    const start = performance.now();
    assertThrows(() => parseGguf(bytes), SyntaxError, message);
    assert(performance.now() - start < 1000);
  }
  const big = gguf(SMALL, TENSORS);
  new DataView(big.buffer).setUint32(4, 3, false);
  assertThrows(() => parseGguf(big), SyntaxError, "big-endian");
});

const TINY = { hidden: 64, layers: 2, heads: 4, kv: 2, head: 16, ffn: 96, vocabulary: 40 };

/** A random model as GGUF and as a Hugging Face folder; the rotary rows of llama differ. */
async function tinyModel(arch: "llama" | "qwen2" | "qwen3", more: Record<string, Entry> = {}) {
  const random = seeded(9), { hidden, layers, heads, kv, head, ffn, vocabulary } = TINY;
  const tensors: Record<string, Tensor> = {},
    other: Record<string, { dims: number[]; data: Float32Array }> = {};
  const interleaved = (data: Float32Array, dims: readonly number[], n: number) => {
    const [rows, columns = 1] = dims as [number, number?],
      size = rows / n,
      out = new Float32Array(data.length);
    for (let row = 0; row < rows; row++) {
      const h = Math.floor(row / size), within = row % size;
      const to = h * size + 2 * (within % (size / 2)) + Math.floor(within / (size / 2));
      out.set(data.subarray(row * columns, (row + 1) * columns), to * columns);
    }
    return out;
  };
  const add = (name: string, hf: string, dims: number[], scale: number, heads?: number) => {
    const count = dims.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: count }, () => scale * random.normal());
    if (name.includes("norm")) data.forEach((v, i) => data[i] = 1 + v);
    other[hf] = { dims, data };
    const stored = heads !== undefined && arch === "llama" ? interleaved(data, dims, heads) : data;
    tensors[name] = { type: "F32", dims, data: floats(stored) };
  };
  add("token_embd.weight", "model.embed_tokens.weight", [vocabulary, hidden], 1);
  add("output_norm.weight", "model.norm.weight", [hidden], 0.1);
  for (let i = 0; i < layers; i++) {
    const b = `blk.${i}`, l = `model.layers.${i}`, s = 0.15;
    add(`${b}.attn_norm.weight`, `${l}.input_layernorm.weight`, [hidden], 0.1);
    add(`${b}.ffn_norm.weight`, `${l}.post_attention_layernorm.weight`, [hidden], 0.1);
    for (const [q, n] of [["q", heads], ["k", kv], ["v", kv]] as const) {
      const permuted = q === "v" ? undefined : n;
      add(
        `${b}.attn_${q}.weight`,
        `${l}.self_attn.${q}_proj.weight`,
        [n * head, hidden],
        s,
        permuted,
      );
      if (arch === "qwen2") {
        add(`${b}.attn_${q}.bias`, `${l}.self_attn.${q}_proj.bias`, [n * head], s, permuted);
      }
    }
    if (arch === "qwen3") {
      add(`${b}.attn_q_norm.weight`, `${l}.self_attn.q_norm.weight`, [head], 0.1);
      add(`${b}.attn_k_norm.weight`, `${l}.self_attn.k_norm.weight`, [head], 0.1);
    }
    add(`${b}.attn_output.weight`, `${l}.self_attn.o_proj.weight`, [hidden, heads * head], s);
    add(`${b}.ffn_gate.weight`, `${l}.mlp.gate_proj.weight`, [ffn, hidden], s);
    add(`${b}.ffn_up.weight`, `${l}.mlp.up_proj.weight`, [ffn, hidden], s);
    add(`${b}.ffn_down.weight`, `${l}.mlp.down_proj.weight`, [hidden, ffn], s);
  }
  const tokens = Array.from(
    { length: vocabulary },
    (_, i) => i < 2 ? `<|${i}|>` : String.fromCharCode(95 + i),
  );
  const metadata: Record<string, Entry> = {
    "general.architecture": { text: arch },
    [`${arch}.embedding_length`]: { u32: hidden },
    [`${arch}.feed_forward_length`]: { u32: ffn },
    [`${arch}.block_count`]: { u32: layers },
    [`${arch}.attention.head_count`]: { u32: heads },
    [`${arch}.attention.head_count_kv`]: { u32: kv },
    [`${arch}.attention.key_length`]: { u32: head },
    [`${arch}.context_length`]: { u32: 64 },
    [`${arch}.attention.layer_norm_rms_epsilon`]: { f32: 1e-6 },
    [`${arch}.rope.freq_base`]: { f32: 10000 },
    "tokenizer.ggml.model": { text: "gpt2" },
    "tokenizer.ggml.pre": { text: "qwen2" },
    "tokenizer.ggml.tokens": { texts: tokens },
    "tokenizer.ggml.token_type": { i32s: tokens.map((_, i) => i < 2 ? 3 : 1) },
    "tokenizer.ggml.merges": { texts: [] },
    "tokenizer.ggml.bos_token_id": { u32: 0 },
    "tokenizer.ggml.eos_token_id": { u32: 1 },
    "tokenizer.chat_template": { text: "{{ messages[0].content }}" },
    ...more,
  };
  const folder = await Deno.makeTempDir(), path = `${folder}/tiny.gguf`;
  await Deno.writeFile(path, gguf(metadata, tensors));
  await Deno.mkdir(`${folder}/hf`);
  await Deno.writeFile(
    `${folder}/hf/model.safetensors`,
    encodeSafetensors(Object.fromEntries(
      Object.entries(other).map((
        [name, { dims, data }],
      ) => [name, { dtype: "F32", shape: dims, data }]),
    ) as never),
  );
  const config = {
    ...{ model_type: arch, hidden_act: "silu", hidden_size: hidden, intermediate_size: ffn },
    ...{
      num_hidden_layers: layers,
      num_attention_heads: heads,
      num_key_value_heads: kv,
      head_dim: head,
    },
    ...{
      max_position_embeddings: 64,
      rms_norm_eps: 1e-6,
      rope_theta: 10000,
      vocab_size: vocabulary,
    },
    ...{
      tie_word_embeddings: true,
      use_sliding_window: false,
      attention_bias: false,
      mlp_bias: false,
    },
  };
  await Deno.writeTextFile(`${folder}/hf/config.json`, JSON.stringify(config));
  return { folder, path, hf: `${folder}/hf` };
}

for (const arch of ["llama", "qwen2", "qwen3"] as const) {
  Deno.test(`a GGUF file of ${arch} computes what the same weights in a folder do`, async () => {
    const { folder, path, hf } = await tinyModel(arch);
    try {
      const cacheDir = `${folder}/cache`;
      await using model = await loadModel(path, { cacheDir, dtype: "fp32" });
      await using other = await loadModel(hf, { dtype: "fp32" });
      const inputs = [2, 7, 11, { ids: [3, 9], weights: [0.25, 0.75] }, 30];
      const [found, expected] = await Promise.all([forward(model, inputs), forward(other, inputs)]);
      for (const [i, row] of found.entries()) assertEquals(row, expected[i]!);
      assertEquals(model.tokenizer.encode("cab<|1|>"), [4, 2, 3, 1]);
      assertEquals([model.tokenizer.decode([4, 2]), model.tokenizer.eosTokenIds], ["ca", [1]]);
      assertEquals(model.chat([{ role: "user", content: "abc" }]), "abc");
      // the folder that holds it, and the copy that is there
      await Deno.mkdir(`${folder}/only`);
      await Deno.rename(path, `${folder}/only/tiny.gguf`);
      await using again = await loadModel(`${folder}/only`, { cacheDir, dtype: "fp32" });
      assertEquals((await forward(again, inputs))[4], found[4]!);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("what a GGUF file asks for and is not there is refused by name", async () => {
  const cases: readonly [Record<string, Entry>, string][] = [
    [{ "general.architecture": { text: "mamba" } }, "general.architecture"],
    [{ "tokenizer.ggml.pre": { text: "unheard-of" } }, "tokenizer.ggml.pre"],
    [{ "tokenizer.ggml.model": { text: "llama" } }, "tokenizer.ggml.model"],
    [{ "tokenizer.ggml.tokens": { texts: ["a"] } }, "tokenizer.ggml.tokens"],
    [{ "tokenizer.ggml.token_type": { i32s: [1] } }, "tokenizer.ggml.token_type"],
    [{ "tokenizer.ggml.bos_token_id": { u32: 4000 } }, "tokenizer.ggml.bos_token_id"],
    [
      { "llama.rope.scaling.type": { text: "longrope" }, "llama.rope.scaling.factor": { f32: 2 } },
      "rope.scaling.type",
    ],
    [{ "llama.expert_count": { u32: 8 } }, "expert_count"],
    [{ "llama.block_count": { text: "two" } }, "llama.block_count"],
    [{ "llama.rope.dimension_count": { u32: 8 } }, "rope.dimension_count"],
  ];
  for (const [more, key] of cases) {
    const { folder, path } = await tinyModel("llama", more);
    try {
      const load = () => loadModel(path, { cacheDir: `${folder}/cache` });
      await assertRejects(load, SyntaxError, key);
      assertEquals(await Deno.stat(`${folder}/cache/gguf`).catch(() => "none"), "none");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  await assertRejects(() => loadModel("/no/such.gguf"), Deno.errors.NotFound, "a .gguf file");
});

Deno.test("a folder of several GGUF files must say which, and an abort leaves nothing", async () => {
  const { folder, path } = await tinyModel("qwen3");
  try {
    await Deno.mkdir(`${folder}/two`);
    for (const name of ["a", "b"]) await Deno.copyFile(path, `${folder}/two/${name}.gguf`);
    await assertRejects(() => loadModel(`${folder}/two`), RangeError, "a.gguf, b.gguf");
    const signal = AbortSignal.abort(new Error("enough")), cacheDir = `${folder}/cache`;
    await assertRejects(() => loadModel(path, { cacheDir, signal }), Error, "enough");
    const left = await Array.fromAsync(Deno.readDir(`${cacheDir}/gguf`)).catch(() => []);
    assertEquals(left.length, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
