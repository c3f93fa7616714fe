/**
 * Damaged GGUF files, made of a sound one: every value of the metadata replaced by values that hurt,
 * keys that the file lacks, tensors renamed, reshaped and retyped, bytes of the header at random.
 */

import { GGUF_TENSOR_TYPES } from "../../../lib/model/gguf/parse.ts";
import { type Random, seeded } from "../../_random.ts";
import { writer } from "./_file.ts";

/** A key with its value as it lies in the file. */
export interface RawEntry {
  readonly key: Uint8Array;
  readonly type: number;
  readonly value: Uint8Array;
}

/** A tensor with its bytes; shape as it lies in the file, shortest stride first. */
export interface RawTensor {
  readonly name: Uint8Array;
  readonly dims: readonly bigint[];
  readonly type: number;
  readonly data: Uint8Array;
  /** Where it says that it lies, if that is not where it does. */
  readonly offset?: bigint;
}

/** A file taken apart. */
export interface Raw {
  readonly entries: readonly RawEntry[];
  readonly tensors: readonly RawTensor[];
}

/** A file taken apart, and the bytes that its header had. */
interface Apart extends Raw {
  readonly header: number;
}

/** A damaged file. */
export interface Damaged {
  /** What was done. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const U32 = 4, I32 = 5, F32 = 6, BOOL = 7, TEXT = 8, LIST = 9, U64 = 10, F64 = 12;
/** Bytes of a number by its type. */
const SIZES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const ALIGNMENT = 32;
const TYPES = new Map(Object.values(GGUF_TENSOR_TYPES).map((type) => [type.id as number, type]));
const encoder = new TextEncoder(), decoder = new TextDecoder();

/** Takes a sound file apart. */
export function takeApart(bytes: Uint8Array): Apart {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 8;
  const u32 = () => view.getUint32((at += 4) - 4, true);
  const u64 = () => view.getBigUint64((at += 8) - 8, true);
  const text = () => bytes.subarray(at + 8, at += 8 + Number(view.getBigUint64(at, true)));
  const skip = (type: number): void => {
    if (type === TEXT) return void text();
    if (type !== LIST) return void (at += SIZES[type]!);
    const inner = u32(), count = Number(u64());
    for (let i = 0; i < count; i++) skip(inner);
  };
  const tensorCount = Number(u64()), entryCount = Number(u64());
  const entries = Array.from({ length: entryCount }, () => {
    const key = text(), type = u32(), from = at;
    skip(type);
    return { key, type, value: bytes.slice(from, at) };
  });
  const listed = Array.from({ length: tensorCount }, () => {
    const name = text(), dims = Array.from({ length: u32() }, u64);
    return { name, dims, type: u32(), from: Number(u64()) };
  });
  const alignment = entries.find(({ key }) => decoder.decode(key) === "general.alignment");
  const step = alignment ? new DataView(alignment.value.buffer).getUint32(0, true) : ALIGNMENT;
  const start = Math.ceil(at / step) * step;
  const tensors = listed.map(({ name, dims, type, from }) => ({
    ...{ name, dims, type },
    data: bytes.slice(start + from, start + from + lengthOf(type, dims)!),
  }));
  return { entries: entries.filter((entry) => entry !== alignment), tensors, header: at };
}

/** Bytes of a tensor; undefined where that cannot be or is too much. */
function lengthOf(type: number, dims: readonly bigint[]): number | undefined {
  const known = TYPES.get(type);
  const count = dims.reduce((a, b) => a * BigInt.asUintN(64, b), 1n);
  if (!known || count > 1n << 25n || dims.length === 0) return undefined;
  return Math.ceil(Number(count) / known.numbers) * known.bytes;
}

/** Puts a file together. The bytes of a tensor are as many as its type and shape ask for. */
export function putTogether({ entries, tensors }: Raw): Uint8Array {
  const w = writer(), text = (bytes: Uint8Array) => (w.u64(bytes.length), w.put(bytes));
  w.u32(0x46554747);
  w.u32(3);
  w.u64(tensors.length);
  w.u64(entries.length);
  for (const { key, type, value } of entries) {
    text(key);
    w.u32(type);
    w.put(value);
  }
  let from = 0;
  const all = tensors.map(({ type, dims, data }) => {
    const length = lengthOf(type, dims) ?? data.length, fitting = new Uint8Array(length);
    for (let at = 0; at < length && data.length > 0; at += data.length) {
      fitting.set(data.subarray(0, length - at), at);
    }
    return fitting;
  });
  for (const [i, { name, dims, type, offset }] of tensors.entries()) {
    text(name);
    w.u32(dims.length);
    for (const dim of dims) w.u64(BigInt.asUintN(64, dim));
    w.u32(type);
    w.u64(offset ?? from);
    from += Math.ceil(all[i]!.length / ALIGNMENT) * ALIGNMENT;
  }
  w.align(ALIGNMENT);
  for (const data of all) {
    w.put(data);
    w.align(ALIGNMENT);
  }
  return w.bytes();
}

/** Bytes of a number. */
function numberOf(type: number, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8)), whole = Number.isFinite(value) ? value : 0;
  if (type === F32) view.setFloat32(0, value, true);
  else if (type === F64) view.setFloat64(0, value, true);
  else view.setBigInt64(0, BigInt.asIntN(64, BigInt(Math.trunc(whole))), true);
  return new Uint8Array(view.buffer).slice(0, SIZES[type]!);
}

const joined = (parts: readonly Uint8Array[]) => {
  const w = writer();
  for (const part of parts) w.put(part);
  return w.bytes();
};
const textOf = (value: string | Uint8Array) => {
  const bytes = typeof value === "string" ? encoder.encode(value) : value, w = writer();
  w.u64(bytes.length);
  w.put(bytes);
  return w.bytes();
};
const listOf = (type: number, items: readonly Uint8Array[], count = items.length) => {
  const w = writer();
  w.u32(type);
  w.u64(count);
  return joined([w.bytes(), ...items]);
};
const numbers = (type: number, values: readonly number[]) =>
  listOf(type, values.map((value) => numberOf(type, value)));

type Value = readonly [name: string, type: number, value: Uint8Array];
const scalar = (type: number, value: number): Value => [`${value}`, type, numberOf(type, value)];

const WHOLE = [
  ...[0, 1, 2, 3, 5, 7, 8, 64, 255, 512, 513, 65536, 2 ** 20, 2 ** 24, 2 ** 30],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1],
];
const FLOATS = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 1e-45, 1e-20, 1e38, -1e38, 1000];
const INVALID = Uint8Array.of(0xff, 0xfe, 0xc0, 0x80), NUL = Uint8Array.of(97, 0, 98);
const TEXTS: readonly (string | Uint8Array)[] = [
  ...["", "x", " ", "y".repeat(70_000), INVALID, NUL, "llama", "gpt2", "bert", "none", "yarn"],
  ...["linear", "longrope", "t5", "mamba", "rwkv6", "{{", "\u{10ffff}", "default"],
];

/** Values that a key may be given, whatever it has. */
function anyValues(): Value[] {
  return [
    ...[0, 1, 2 ** 31 - 1, 2 ** 32 - 1].map((value) => scalar(U32, value)),
    ...[-1, 1].map((value) => scalar(I32, value)),
    ...[2 ** 40, 1].map((value) => scalar(U64, value)),
    ...FLOATS.slice(0, 8).map((value) => scalar(F32, value)),
    ...[NaN, 1].map((value) => scalar(F64, value)),
    scalar(0, 1),
    scalar(2, 1),
    scalar(BOOL, 1),
    scalar(BOOL, 7),
    ["'x'", TEXT, textOf("x")],
    ["[]", LIST, numbers(U32, [])],
    ["[0, 0]", LIST, numbers(U32, [0, 0])],
    ["[1, 2, 3, 4]", LIST, numbers(U32, [1, 2, 3, 4])],
    ["[2^32 - 1, …]", LIST, numbers(U32, Array(4).fill(2 ** 32 - 1))],
    ["600 ones", LIST, numbers(U32, Array(600).fill(1))],
    ["[-1, …]", LIST, numbers(I32, Array(4).fill(-1))],
    ["[NaN, …]", LIST, numbers(F32, Array(4).fill(NaN))],
    ["[true, …]", LIST, numbers(BOOL, [1, 1, 1, 1])],
    ["['x']", LIST, listOf(TEXT, [textOf("x")])],
    ["['', '']", LIST, listOf(TEXT, [textOf(""), textOf("")])],
    ["[[1]]", LIST, listOf(LIST, [numbers(U32, [1])])],
  ];
}

/** The items of a list, each as it lies. */
function itemsOf(value: Uint8Array): { inner: number; items: Uint8Array[] } {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const inner = view.getUint32(0, true), items: Uint8Array[] = [];
  for (let at = 12; at < value.length;) {
    const size = inner === TEXT ? 8 + Number(view.getBigUint64(at, true)) : SIZES[inner]!;
    items.push(value.subarray(at, at += size));
  }
  return { inner, items };
}

/** Values of the kind that an entry has. */
function* likeValues({ type, value }: RawEntry, random: Random): Generator<Value> {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (type === F32) { for (const other of FLOATS) yield scalar(F32, other); }
  else if (type === U32 || type === I32) {
    const own = view.getUint32(0, true);
    const near = [own - 1, own + 1, own * 2, Math.floor(own / 2), Math.floor(own / 4)];
    for (const other of new Set([...WHOLE, ...near])) yield scalar(type, other);
    for (const other of [0, 1, 2, 3, 6, 10, 11, 12]) {
      yield [`type ${other}`, ...scalarAs(other, own)];
    }
    yield ["one a layer", LIST, numbers(type, Array(64).fill(own))];
    yield ["0 and own", LIST, numbers(type, [0, own, own, own, own, own, own, own])];
  } else if (type === BOOL) yield scalar(BOOL, view.getUint8(0) ^ 1);
  else if (type === TEXT) {
    for (const other of TEXTS) yield [`text ${TEXTS.indexOf(other)}`, TEXT, textOf(other)];
  } else if (type === LIST) yield* likeLists(value, random);
}
const scalarAs = (type: number, value: number) => [type, numberOf(type, value)] as const;

function* likeLists(value: Uint8Array, random: Random): Generator<Value> {
  const { inner, items } = itemsOf(value), { length } = items;
  const list = (name: string, others: readonly Uint8Array[], count = others.length): Value => [
    ...[name, LIST] as const,
    listOf(inner, others, count),
  ];
  yield list("first alone", items.slice(0, 1));
  yield list("without the last", items.slice(0, -1));
  yield list("doubled", [...items, ...items]);
  yield list("shuffled", random.shuffled(items));
  yield list("all the first", items.map(() => items[0]!));
  yield list("one too many counted", items, length + 1);
  yield list("2^61 counted", items, 2 ** 61);
  const at = random.below(length || 1), put = (item: Uint8Array) => items.with(at, item);
  if (length === 0) return;
  if (inner === TEXT) {
    for (const text of TEXTS) yield list(`${at}: text ${TEXTS.indexOf(text)}`, put(textOf(text)));
    yield list("all empty", items.map(() => textOf("")));
    yield list("all invalid", items.map(() => textOf(INVALID)));
    yield list(`${at}: a neighbour`, put(items[(at + 1) % length]!));
    yield ["as numbers", LIST, numbers(I32, items.map(() => 1))];
    return;
  }
  for (const other of inner === F32 ? FLOATS : WHOLE) {
    yield list(`${at}: ${other}`, put(numberOf(inner, other)));
    yield list(`all ${other}`, items.map(() => numberOf(inner, other)));
  }
  for (const type of [0, 2, U32, I32, F32, BOOL, U64, F64]) {
    yield [`items of type ${type}`, LIST, numbers(type, items.map(() => 1))];
  }
}

/** Keys of an architecture that a file may have beside its own. */
const KEYS = [
  ...["vocab_size", "embedding_length_out", "leading_dense_block_count", "feed_forward_length"],
  ...["expert_feed_forward_length", "use_parallel_residual", "expert_count", "expert_used_count"],
  ...["expert_shared_count", "expert_group_count", "expert_group_used_count", "logit_scale"],
  ...["expert_weights_scale", "expert_weights_norm", "expert_gating_func", "experts_per_group"],
  ...["moe_every_n_layers", "nextn_predict_layers", "pooling_type", "attn_logit_softcapping"],
  ...["final_logit_softcapping", "residual_scale", "embedding_scale", "token_shift_count"],
  ...["interleave_moe_layer_step", "full_attention_interval", "attention.head_count"],
  ...["attention.head_count_kv", "attention.max_alibi_bias", "attention.clamp_kqv"],
  ...["attention.key_length", "attention.value_length", "attention.layer_norm_epsilon"],
  ...["attention.layer_norm_rms_epsilon", "attention.causal", "attention.sliding_window"],
  ...["attention.sliding_window_pattern", "attention.scale", "attention.key_length_mla"],
  ...["attention.value_length_mla", "attention.shared_kv_layers", "attention.group_norm_groups"],
  ...["attention.temperature_length", "attention.temperature_scale", "attention.q_lora_rank"],
  ...["rope.dimension_count", "rope.dimension_sections", "rope.freq_base", "rope.freq_base_swa"],
  ...["rope.scale_linear", "rope.scaling.type", "rope.scaling.factor", "rope.scaling.attn_factor"],
  ...["rope.scaling.original_context_length", "rope.scaling.yarn_log_multiplier"],
  ...["rope.scaling.yarn_ext_factor", "rope.scaling.yarn_beta_fast", "ssm.conv_kernel"],
  ...["ssm.inner_size", "ssm.state_size", "ssm.time_step_rank", "ssm.group_count"],
  ...["wkv.head_size", "classifier.output_labels", "decoder_block_count", "shortconv.l_cache"],
  ...["attention.indexer.top_k", "attention.indexer.head_count", "dense_2_feat_in"],
  ...["posnet.block_count", "convnext.block_count", "hyper_connection.count", "block_size"],
  ...["embedding_length_per_layer_input", "n_deepstack_layers", "target_layers"],
];
/** Keys of no architecture. */
const OTHER_KEYS = [
  ...["", "general.alignment", "general.file_type", "general.quantization_version", "general.type"],
  ...["split.no", "split.count", "split.tensors.count", "tokenizer.ggml.token_type_count"],
  ...["bos", "eos", "eot", "eom", "unknown", "seperator", "padding", "cls", "mask", "fim_pre"]
    .map((name) => `tokenizer.ggml.${name}_token_id`),
  ...["add_bos_token", "add_space_prefix", "precompiled_charsmap", "scores", "token_type", "merges"]
    .map((name) => `tokenizer.ggml.${name}`),
  ...["suppress_tokens", "pre"].map((name) => `tokenizer.ggml.${name}`),
  ...["tokenizer.chat_template", "adapter.type", "xielu.alpha_n", "general.sampling.sequence"],
];

type Step = readonly [name: string, make: (raw: Raw) => Raw];

function* entrySteps({ entries }: Raw, random: Random): Generator<Step> {
  for (const [i, entry] of entries.entries()) {
    const key = decoder.decode(entry.key);
    const put = (...now: RawEntry[]) => (raw: Raw) => ({
      ...raw,
      entries: raw.entries.toSpliced(i, 1, ...now),
    });
    yield [`${key}: removed`, put()];
    yield [`${key}: twice`, put(entry, entry)];
    yield [`${key}: renamed`, put({ ...entry, key: encoder.encode(`${key}x`) })];
    for (const [name, type, value] of [...likeValues(entry, random), ...anyValues()]) {
      yield [`${key}: ${name} of type ${type}`, put({ key: entry.key, type, value })];
    }
  }
}

function* newEntrySteps({ entries }: Raw): Generator<Step> {
  const there = new Map(entries.map((entry) => [decoder.decode(entry.key), entry.value]));
  const arch = decoder.decode(there.get("general.architecture")!.subarray(8));
  for (const key of [...KEYS.map((key) => `${arch}.${key}`), ...OTHER_KEYS]) {
    if (there.has(key)) continue;
    for (const [name, type, value] of anyValues()) {
      const entry = { key: encoder.encode(key), type, value };
      const put = (raw: Raw) => ({ ...raw, entries: [...raw.entries, entry] });
      yield [`${key || "an empty key"} added: ${name} of type ${type}`, put];
    }
  }
}

function* tensorSteps({ tensors }: Raw, random: Random): Generator<Step> {
  for (const [i, tensor] of tensors.entries()) {
    const { name, dims, type, data } = tensor, shown = decoder.decode(name);
    const put = (...now: RawTensor[]) => (raw: Raw) => ({
      ...raw,
      tensors: raw.tensors.toSpliced(i, 1, ...now),
    });
    const also = (what: string, change: Partial<RawTensor>): Step => [
      ...[`${shown}: ${what}`] as const,
      put({ ...tensor, ...change }),
    ];
    const other = random.below(tensors.length), { name: otherName } = tensors[other]!;
    yield [`${shown}: removed`, put()];
    yield [`${shown}: twice`, put(tensor, tensor)];
    yield also("another's name", { name: otherName });
    yield [`${shown}: names exchanged with ${decoder.decode(otherName)}`, (raw) => ({
      ...raw,
      tensors: raw.tensors.with(i, { ...tensor, name: otherName })
        .with(other, { ...raw.tensors[other]!, name }),
    })];
    for (const added of ["", "x", "\0", "\0x", "y".repeat(50)]) {
      yield also(`name with ${added.length} more`, { name: joined([name, encoder.encode(added)]) });
    }
    yield also("empty name", { name: new Uint8Array(0) });
    yield also("layer 99", { name: encoder.encode(shown.replace(/\d+/, "99")) });
    yield also("layer 4294967296", { name: encoder.encode(shown.replace(/\d+/, "4294967296")) });
    yield also("shape reversed", { dims: dims.toReversed() });
    yield also("no shape", { dims: [] });
    yield also("a row more", { dims: [...dims, 1n] });
    yield also("twice as deep", { dims: [...dims, 2n] });
    yield also("one row", { dims: [dims.reduce((a, b) => a * b, 1n)] });
    for (const [axis, dim] of dims.entries()) {
      const sizes = [0n, 1n, dim - 1n, dim + 1n, dim * 2n, dim / 2n, 1n << 31n, 1n << 62n, -1n];
      for (const size of sizes) {
        yield also(`axis ${axis} of ${size}`, { dims: dims.with(axis, size) });
      }
    }
    for (const id of [...TYPES.keys(), 4, 31, 43, 2 ** 31, 2 ** 32 - 1]) {
      if (id !== type) yield also(`type ${id}`, { type: id });
    }
    for (const offset of [0n, 1n, 32n, 1n << 40n, (1n << 64n) - 32n]) {
      yield also(`offset ${offset}`, { offset });
    }
    for (const byte of [0, 0x7f, 0xff]) {
      yield also(`bytes ${byte}`, { data: new Uint8Array(data.length).fill(byte) });
    }
  }
}

/** Random bytes in the header of a file. */
function randomBytes(bytes: Uint8Array, header: number, random: Random): Damaged {
  const bad = bytes.slice(), places: number[] = [];
  for (let k = 0; k <= random.below(4); k++) {
    const at = random.below(header);
    bad[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
    places.push(at);
  }
  const end = random.below(20) === 0 ? random.below(bytes.length) : bytes.length;
  return { name: `bytes ${places.join(", ")} of ${end}`, bytes: bad.subarray(0, end) };
}

/**
 * Damaged files, the same for the same arguments: about one in seven with random bytes, one in seven with
 * two damages, the others with one each, all kinds in turn until there are no more.
 */
export function* damagedFiles(bytes: Uint8Array, count: number, seed: number): Generator<Damaged> {
  const random = seeded(seed), raw = takeApart(bytes);
  const steps = [...entrySteps(raw, random), ...newEntrySteps(raw), ...tensorSteps(raw, random)];
  const order = random.shuffled(steps), own = [...entrySteps(raw, random)];
  for (let made = 0, next = 0; made < count; made++) {
    const kind = made % 7;
    if (kind === 0 || next >= order.length) {
      yield randomBytes(bytes, raw.header, random);
      continue;
    }
    const [name, make] = order[next++]!;
    if (kind !== 1) {
      yield { name, bytes: putTogether(make(raw)) };
      continue;
    }
    const [first, change] = random.pick(own);
    // a step names its place by number: it is taken first, on the whole file
    if (/: (removed|twice)/.test(first)) yield { name, bytes: putTogether(make(raw)) };
    else yield { name: `${first}; ${name}`, bytes: putTogether(make(change(raw))) };
  }
}
