/** What a header must say before llama.cpp may see its file: each rule refuses, sound files pass. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseGguf } from "@moi/moi/model";
import { canTokenize, checkSound } from "../../../lib/model/gguf/sound.ts";
import { caseOf, CASES, tensorsOf } from "../../golden/architectures.ts";
import { contentsOf, ggufOf } from "./_convert.ts";
import { damagedFiles, putTogether, takeApart } from "./_damaged.ts";
import { type Entry, gguf, type Tensor } from "./_file.ts";

type Entries = Readonly<Record<string, Entry | undefined>>;
type Tensors = Readonly<Record<string, Tensor | undefined>>;

const CASE = caseOf("llama, llama3"),
  [METADATA, TENSORS] = contentsOf(CASE.config, tensorsOf(CASE));

/** What is there of what is given, the later before the earlier. */
function merged<T>(...parts: readonly Readonly<Record<string, T | undefined>>[]) {
  const entries = Object.entries(Object.assign({}, ...parts) as Record<string, T | undefined>);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Record<
    string,
    T
  >;
}

/** The file with other keys and tensors; those that are undefined are left out. */
const changed = (metadata: Entries, tensors: Tensors = {}) =>
  parseGguf(gguf(merged<Entry>(METADATA, metadata), merged<Tensor>(TENSORS, tensors)));

const floats = (...dims: number[]): Tensor => ({
  type: "F32",
  dims,
  data: new Uint8Array(4 * dims.reduce((a, b) => a * b, 1)),
});

/** The same file under the name of another architecture, and with other keys of it. */
function renamed(arch: string, keys: Entries, tensors: Tensors = {}) {
  const own = Object.entries(METADATA).map((
    [key, entry],
  ) => [key.replace(/^llama\./, `${arch}.`), entry]);
  const named = Object.entries(keys).map(([key, entry]) => [`${arch}.${key}`, entry]);
  const name = { "general.architecture": { text: arch } };
  const metadata = merged<Entry>(Object.fromEntries(own), name, Object.fromEntries(named));
  return parseGguf(gguf(metadata, merged<Tensor>(TENSORS, tensors)));
}

Deno.test("files as converters write them are sound, whatever their architecture", () => {
  const known = /^(qwen[23]|llama|mistral|phi3|olmo2|qwen3_moe)\b/;
  const files = CASES.filter(({ name }) => known.test(name))
    .map((value) => ({ value, file: ggufOf(value.config, tensorsOf(value)) }));
  for (const { value, file } of files) {
    if (value.config.model_type === "qwen3_moe") continue; // other names of tensors
    checkSound(parseGguf(file));
  }
  assert(files.length > 15, `${files.length}`);
  checkSound(changed({ "llama.vendor.note": { text: "any" }, "llama.logit_scale": { f32: -0.5 } }));
  checkSound(changed({ "tokenizer.ggml.padding_token_id": { u32: 2 ** 32 - 1 } })); // none
  checkSound(changed({ "llama.kda.gate_lower_bound": { f32: -Infinity } }));
  checkSound(changed({ "llama.attention.head_count": { i32s: [4, 4] } }));
  checkSound(changed({ "llama.expert_count": { u32: 0 }, "llama.expert_used_count": { u32: 0 } }));
  checkSound(renamed("stablelm", { "rope.dimension_count": { u32: 4 } }));
  checkSound(renamed("glm4", { "rope.dimension_sections": { i32s: [2, 2, 2, 0] } }));
});

/** Sizes of {@linkcode CASE}. */
const HEADS = Number(CASE.config.num_attention_heads), HIDDEN = Number(CASE.config.hidden_size);
const SIZE = Number(CASE.config.head_dim ?? HIDDEN / HEADS);
const LAYERS = Number(CASE.config.num_hidden_layers), VOCABULARY = Number(CASE.config.vocab_size);

Deno.test("each rule about the metadata refuses by the name of its key", () => {
  const own = (key: string, ...entries: Entry[]) =>
    entries.map((entry) => [`llama.${key}`, entry] as const);
  const u32 = (value: number): Entry => ({ u32: value }),
    f32 = (value: number): Entry => ({ f32: value });
  const cases: readonly (readonly [string, Entry | undefined])[] = [
    ["general.architecture", undefined],
    ["general.architecture", u32(1)],
    ["llama.block_count", undefined],
    ...own("block_count", u32(0), u32(LAYERS + 1), u32(2 ** 32 - 1), f32(1.5), { i32s: [1, 1] }),
    ...own("attention.layer_norm_rms_epsilon", f32(NaN), f32(-1), f32(Infinity)),
    ...own("attention.layer_norm_epsilon", f32(NaN)),
    ...own("rope.freq_base", f32(NaN), f32(-Infinity)),
    ...own("embedding_length", u32(0), u32(HIDDEN + 1), u32(2 ** 31)),
    ...own("context_length", u32(0), u32(2 ** 31)),
    ...own("vocab_size", u32(0)),
    ...own("feed_forward_length", u32(2 ** 32 - 1), { i32s: [16, -1] }, f32(0.5)),
    ...own("ssm.state_size", u32(2 ** 31), f32(0.5)),
    ...own("attention.sliding_window", u32(2 ** 32 - 1)),
    ...own("rope.scaling.type", { text: "dynamic" }, u32(1)),
    ...own("expert_gating_func", u32(5), u32(2 ** 31)),
    ...own("token_shift_count", u32(0), u32(3)),
    ...own("nextn_predict_layers", u32(LAYERS + 1)),
    ...own("n_deepstack_layers", u32(2 ** 30)),
    ...own("posnet.block_count", u32(LAYERS + 1)),
    ...own("expert_count", u32(513)),
    ...own("expert_group_count", u32(1)),
    ...own("attention.value_length", u32(SIZE / 2)),
    ...own("rope.dimension_count", u32(SIZE / 2), u32(SIZE - 1), u32(0), u32(2 * SIZE)),
    ...own("rope.dimension_count_swa", u32(SIZE - 1), u32(2 * SIZE)),
    ...own("rope.dimension_sections", { i32s: [SIZE, 1, 0, 0] }, { i32s: [-1, 1, 0, 0] }),
    ...own("attention.key_length_swa", u32(3 * SIZE)),
    ...own("attention.key_length_mla", u32(SIZE)),
    ...own("wkv.head_size", u32(HIDDEN - 1)),
    ["tokenizer.ggml.tokens", { i32s: [1] }],
    ["tokenizer.ggml.tokens", { texts: [] }],
    ["tokenizer.ggml.tokens", { texts: ["a", "b", "a"] }],
    ["tokenizer.ggml.tokens", { texts: ["a", "a\0b"] }], // C reads "a" twice
    ["tokenizer.ggml.token_type", { i32s: [1] }],
    ["tokenizer.ggml.token_type", { texts: ["a"] }],
    ["tokenizer.ggml.scores", { f32s: [1] }],
    ["tokenizer.ggml.bos_token_id", u32(VOCABULARY)],
    ["tokenizer.ggml.eot_token_id", { text: "x" }],
  ];
  for (const [key, entry] of cases) {
    const wide = { "llama.attention.key_length": { u32: SIZE } };
    const message = key === "llama.attention.key_length_mla" ? "llama.attention.key_length" : key;
    const check = () => checkSound(changed({ ...wide, [key]: entry }));
    assertThrows(check, SyntaxError, `Cannot load the GGUF file as '${message}' must `, key);
  }
  const empty = () => checkSound(changed({ "": u32(1) }));
  assertThrows(empty, SyntaxError, "'key' must have a name");
  const groups = (count: number, groups: number, used: number) =>
    changed({
      ...{ "llama.expert_count": u32(count), "llama.expert_used_count": u32(1) },
      ...{ "llama.expert_group_count": u32(groups), "llama.expert_group_used_count": u32(used) },
    });
  checkSound(groups(8, 4, 2));
  const bad = [
    [groups(8, 3, 1), "group_count"],
    [groups(8, 8, 1), "group_count"],
    [groups(8, 4, 4), "group_used_count"],
    [groups(8, 4, 0), "group_used_count"],
    [groups(8, 0, 1), "group_used_count"],
    [groups(0, 0, 0), "count"], // one used of none
    [changed({ "llama.expert_count": u32(2) }), "used_count"],
  ] as const;
  for (const [file, key] of bad) {
    assertThrows(() => checkSound(file), SyntaxError, `'llama.expert_${key}' must`);
  }
  assertThrows(() => checkSound(renamed("glm4", {})), SyntaxError, "take rows of embeddings");
});

Deno.test("keys of latent attention are as long as its rank and the rotated part", () => {
  const none = (part: string) =>
    Object.fromEntries(
      Array.from({ length: LAYERS }, (_, i) => [`blk.${i}.attn_${part}.weight`, undefined]),
    );
  const latent = (key: number, value: number, kv: number) =>
    renamed("deepseek2", {
      ...{ "attention.key_length": { u32: key }, "attention.value_length": { u32: value } },
      ...{ "attention.kv_lora_rank": { u32: 8 }, "rope.dimension_count": { u32: 4 } },
      ...{ "attention.key_length_mla": { u32: SIZE }, "attention.value_length_mla": { u32: SIZE } },
      "attention.head_count_kv": { u32: kv },
    }, { ...none("k"), ...none("v") });
  checkSound(latent(12, 8, 1));
  const bad = [
    [latent(13, 8, 1), "key_length"],
    [latent(12, 7, 1), "key_length"],
    [latent(12, 8, 2), "head_count_kv"],
  ] as const;
  for (const [file, key] of bad) {
    assertThrows(() => checkSound(file), SyntaxError, `'deepseek2.attention.${key}' must be`);
  }
});

Deno.test("each rule about tensors refuses by the name of the tensor", () => {
  const f16 = (...dims: number[]): Tensor => ({
    ...{ type: "F16", dims },
    data: new Uint8Array(2 * dims.reduce((a, b) => a * b, 1)),
  });
  const integers = (...dims: number[]): Tensor => ({ ...floats(...dims), type: "I32" });
  const cases: readonly (readonly [string, Tensor | undefined, string, string?])[] = [
    ["blk.0.attn_norm.weight", f16(HIDDEN), "must be of type F32"],
    ["blk.0.attn_q_norm.weight", f16(2, SIZE), "must be of type F32"],
    ["blk.0.attn_q.bias", f16(HIDDEN), "must be of type F32"],
    ["blk.0.ssm_a", f16(2, 2), "must be of type F32"],
    ["rope_freqs.weight", f16(SIZE / 2), "must be of type F32"],
    ["blk.0.ssm_conv1d.weight", f16(2, 2), "must be of type F32"],
    ["blk.0.ffn_up.weight", integers(2, 2), "must be of a type that weights have"],
    ["blk.0.ffn_up.weight", floats(2, 0), "must have a shape of integers from 1"],
    ["blk.0.attn_q.weight", floats(HEADS * SIZE + 1, HIDDEN), "must have heads of the lengths"],
    ["blk.0.attn_k.weight", floats(1, HIDDEN), "must have heads of the lengths"],
    ["blk.0.attn_v.weight", floats(1, HIDDEN), "must have heads of the lengths"],
    ["blk.0.attn_output.weight", floats(HIDDEN, 1), "must have heads of the lengths"],
    ["blk.0.attn_qkv.weight", floats(1, HIDDEN), "must have heads of the lengths"],
    ["blk.0.attn_q.weight", undefined, "must stand beside", "blk.0.attn_output.weight"],
    ["blk.0.ssm_in.weight", floats(2, 2), "must stand beside"],
    [
      "token_embd.weight",
      floats(VOCABULARY, 8),
      "must be 8, as token_embd",
      "llama.embedding_length",
    ],
    ["blk.0.ssm_out.weight", floats(2, 8), "must be 8, as blk.0.ssm_out", "llama.ssm.inner_size"],
    ["blk.0.ffn_up_exps.weight", floats(2, 2, 2), "must be from 1 to 512", "llama.expert_count"],
  ];
  for (const [tensor, value, rule, name = tensor] of cases) {
    const check = () => checkSound(changed({}, { [tensor]: value }));
    assertThrows(check, SyntaxError, `Cannot load the GGUF file as '${name}' ${rule}`, tensor);
  }
  const odd = parseGguf(gguf(METADATA, TENSORS)), [first] = odd.tensors;
  const shifted = new Map([...odd.tensors, [first![0], {
    ...first![1],
    offset: first![1].offset + 8,
  }]]);
  const check = () => checkSound({ ...odd, tensors: shifted });
  assertThrows(check, SyntaxError, "must start at a multiple of 32 bytes");
});

Deno.test("canTokenize() asks for what llama.cpp takes for granted", () => {
  const prefix = "tokenizer.ggml.";
  const of = (entries: Record<string, unknown>) =>
    canTokenize({
      metadata: new Map(
        Object.entries(entries).map(([key, value]) => [prefix + key, value as string]),
      ),
    });
  const bytes = Array.from(
    { length: 256 },
    (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  assertEquals(of({ model: "gpt2", tokens: ["a"] }), true);
  assertEquals(of({ model: "llama", tokens: ["a", ...bytes] }), true);
  assertEquals(of({ model: "llama", tokens: bytes.slice(1) }), false);
  assertEquals(of({ model: "none", tokens: ["a"] }), false);
  assertEquals(of({ tokens: ["a"] }), false);
  assertEquals(of({ model: "gpt2", tokens: ["a"], add_bos_token: true }), false);
});

Deno.test("damaged files are made one way from one seed, and of all kinds", () => {
  const file = ggufOf(CASE.config, tensorsOf(CASE));
  assertEquals(parseGguf(putTogether(takeApart(file))), parseGguf(file));
  const made = [...damagedFiles(file, 400, 1)], again = [...damagedFiles(file, 400, 1)];
  assertEquals(made.length, 400);
  assertEquals(made, again);
  assert(new Set(made.map(({ name }) => name)).size > 380);
  let refused = 0;
  for (const { name, bytes } of made) {
    const start = performance.now();
    try {
      checkSound(parseGguf(bytes));
    } catch (error) {
      assert(error instanceof SyntaxError, `${name}: ${(error as Error).stack}`);
      assert(error.message.startsWith("Cannot "), error.message);
      refused++;
    }
    assert(performance.now() - start < 1000, name);
  }
  assert(refused > 100 && refused < 350, `${refused}`);
});
