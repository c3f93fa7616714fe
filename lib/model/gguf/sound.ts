/**
 * What a GGUF header must say before llama.cpp may see its file.
 *
 * llama.cpp holds most tensors to the shapes that the metadata asks for, and refuses what it does not
 * know. Where nothing holds a number, it divides by it, allocates by it, or asserts, and that ends the
 * process. The rules here go by kinds of keys and of tensors; where they name architectures, it is those
 * that may do what the others assert against. They hold for what llama.cpp's converters write.
 *
 * @module
 */

import { refusal } from "../../_check.ts";
import type { Gguf, GgufTensor, GgufTensorType, GgufValue } from "./parse.ts";

/** Most layers and experts that llama.cpp has room for, and its largest number. */
const MOST_LAYERS = 512, MOST_EXPERTS = 512, LARGEST = 2 ** 31 - 1;

/** Multiple of bytes at which its kernels need a tensor to start. */
const ALIGNMENT = 32;

function refuse(name: string, rule: string, value: unknown): never {
  throw new SyntaxError(refusal("load the GGUF file", name, rule, value));
}

const isCount = (value: unknown, least = 0, most = LARGEST): value is number =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;

/** Numbers of a value: one, or those of a list; none of other values. */
function numbersOf(value: GgufValue | undefined): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && !Array.isArray(value) ? Array.from(value as number[]) : [];
}

/** A text as C sees it: it ends at the first zero. */
function cText(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** A header whose architecture and number of layers are known. */
interface Header extends Gguf {
  readonly arch: string;
  readonly layers: number;
  /** Full name of a key of the architecture. */
  name(key: string): string;
  /** A count of the architecture, of a layer where there is a list; `otherwise` where it is missing. */
  count(key: string, otherwise: number, layer?: number): number;
}

function headerOf({ metadata, tensors }: Gguf): Header {
  for (const key of metadata.keys()) if (cText(key) === "") refuse("key", "have a name", key);
  const arch = metadata.get("general.architecture");
  if (typeof arch !== "string") return refuse("general.architecture", "be a text", arch);
  const name = (key: string) => `${arch}.${key}`, layers = metadata.get(name("block_count"));
  const indices = [...tensors.keys()].map((tensor) => /\bblk\.(\d+)\./.exec(tensor)?.[1] ?? 0);
  const most = indices.reduce<number>((a, b) => Math.max(a, 1 + Number(b)), 1);
  if (!isCount(layers, 1, Math.min(most, MOST_LAYERS))) {
    const rule = `be from 1 to ${Math.min(most, MOST_LAYERS)}, the layers that are there`;
    return refuse(name("block_count"), rule, layers);
  }
  const count = (key: string, otherwise: number, layer = 0) => {
    const numbers = numbersOf(metadata.get(name(key)));
    return numbers.length > 1 ? numbers[layer] ?? otherwise : numbers[0] ?? otherwise;
  };
  return { metadata, tensors, arch, layers, name, count };
}

/** Keys that count or measure something, by the last word of their names. */
const SIZE =
  /(^|[._])(count|count_kv|dim|groups|input|interval|in|iterations|kernel|l_cache|layers|length|length_out|mla|out|rank|sections|size|sizes|step|swa|top_k|window)$/;
/** Of these, those that may not be 0. */
const POSITIVE = /^(embedding_length|context_length|vocab_size)$/;
/** Fractions whose names end as if they were counts. */
const FRACTION = /freq_base|epsilon|scale|swiglu/;

/** Values that a key of an architecture may have, where there are few. */
const VALUES: Readonly<Record<string, readonly GgufValue[]>> = {
  "rope.scaling.type": ["none", "linear", "yarn", "longrope"],
  expert_gating_func: [0, 1, 2, 3, 4],
  token_shift_count: [1, 2],
};

/** Counts are counts, epsilons are not negative, all numbers are finite but for bounds. */
function checkNumbers({ metadata, tensors, arch, name, count, layers }: Header): void {
  for (const [key, value] of metadata) {
    if (!key.startsWith(`${arch}.`)) continue;
    const own = key.slice(arch.length + 1), numbers = numbersOf(value);
    const wrong = (is: (number: number) => boolean) => numbers.find((number) => !is(number));
    const isFinite = own.endsWith("bound") ? (number: number) => !isNaN(number) : Number.isFinite;
    if (wrong(isFinite) !== undefined) refuse(key, "be finite", wrong(isFinite));
    if (own.endsWith("epsilon") && numbers[0]! < 0) refuse(key, "be 0 or more", value);
    if (SIZE.test(own) && !FRACTION.test(own)) {
      const least = POSITIVE.test(own) ? 1 : 0, bad = wrong((number) => isCount(number, least));
      if (bad !== undefined) refuse(key, `be an integer from ${least} to ${LARGEST}`, bad);
    }
    if (Object.hasOwn(VALUES, own) && !VALUES[own]!.includes(value)) {
      refuse(key, `be one of ${VALUES[own]!.join(", ")}`, value);
    }
  }
  const own = tensors.keys().map((tensor) => /^blk\.(\d+)\.nextn\./.exec(tensor)?.[1]);
  const most: Readonly<Record<string, number>> = {
    nextn_predict_layers: new Set(own.filter((layer) => layer !== undefined)).size,
    ...{ n_deepstack_layers: layers, leading_dense_block_count: layers },
    ...{ "posnet.block_count": layers, "convnext.block_count": layers },
  };
  for (const [key, limit] of Object.entries(most)) {
    if (count(key, 0) > limit) refuse(name(key), `be at most ${limit}`, count(key, 0));
  }
}

/** Numbers of experts fit to each other. */
function checkExperts({ metadata, tensors, name, count }: Header): void {
  const all = (key: string) => numbersOf(metadata.get(name(key)) ?? 0);
  const experts = count("expert_count", 0), used = count("expert_used_count", 0);
  const groups = count("expert_group_count", 0), usedGroups = count("expert_group_used_count", 0);
  const are = (key: string, least: number, most: number) => {
    const wrong = all(key).find((value) => !isCount(value, least, most));
    if (wrong !== undefined) refuse(name(key), `be from ${least} to ${most}`, wrong);
  };
  const isThere = tensors.keys().some((tensor) => /_exps\./.test(tensor));
  are("expert_count", isThere || used > 0 ? 1 : 0, MOST_EXPERTS);
  are("expert_used_count", experts > 0 ? 1 : 0, experts);
  are("expert_group_count", 0, Math.max(0, experts - 1));
  if (groups > 1 && experts % groups !== 0) {
    refuse(name("expert_group_count"), `divide ${experts} experts`, groups);
  }
  if (groups > 1) are("expert_group_used_count", 1, groups - 1);
  else if (usedGroups > groups) refuse(name("expert_group_used_count"), "be 0", usedGroups);
}

/** Architectures that may rotate a part of a head. */
const PARTIAL =
  /^(.*bert.*|bailingmoe[23]|chatglm|cohere2|command-r|deepseek\d.*|dots3note|falcon-h1|gemma.*|glm.*|gptj|gptneox|kimi.*|laguna|mimo2|minicpm3|minimax.*|mistral4|muse-glimmer|nemotron.*|phi\w*|plamo[23]|plm|qwen3next|qwen35\w*|qwen4exp|stablelm|step35)$/;
/** Architectures whose values may be of another length than keys. */
const UNEQUAL =
  /^(bailingmoe3|deepseek[23].*|dots3note|gemma4.*|glm-dsa|kimi.*|mimo2|minicpm3|mistral4|plamo[23]|plm|step35)$/;
/** Architectures that end the process at rows of embeddings unless positions have sections. */
const NO_ROWS = /^glm4(moe)?$/;

/** Lengths of heads. */
interface Heads {
  /** Of keys and values where nothing says otherwise. */
  readonly key: number;
  readonly value: number;
  /** All that the metadata knows. */
  readonly keys: readonly number[];
  readonly values: readonly number[];
}

function headsOf({ metadata, name, count }: Header): Heads {
  const heads = numbersOf(metadata.get(name("attention.head_count"))).find((count) => count > 0);
  const usual = heads ? Math.floor(count("embedding_length", 0) / heads) : 0;
  const key = count("attention.key_length", usual), value = count("attention.value_length", usual);
  const lengths = (kind: string, own: number) =>
    ["", "_swa", "_mla", "_mla_swa"].map((end) => count(`attention.${kind}_length${end}`, 0))
      .concat(own, count("kda.head_dim", 0)).filter((length) => length > 0);
  return { key, value, keys: lengths("key", key), values: lengths("value", value) };
}

/** Heads are alike where the graph asserts it, and what is rotated of them fits. */
function checkRotation(header: Header, { key, value, keys }: Heads): void {
  const { metadata, arch, name, count } = header;
  if (value !== key && !UNEQUAL.test(arch)) {
    refuse(name("attention.value_length"), `be as long as keys, ${key}`, value);
  }
  const rotated = count("rope.dimension_count", key), longest = Math.max(0, ...keys);
  if (key > 0 && rotated !== key && !PARTIAL.test(arch)) {
    refuse(name("rope.dimension_count"), `be the whole of a head, ${key}`, rotated);
  }
  for (const own of ["rope.dimension_count", "rope.dimension_count_swa"]) {
    const size = count(own, rotated);
    if (size % 2 !== 0 || size > longest || size === 0 && key > 0) {
      refuse(name(own), `be even, from 2 to ${longest}`, size);
    }
  }
  const sections = numbersOf(metadata.get(name("rope.dimension_sections")));
  if (sections.reduce((a, b) => a + b, 0) > longest) {
    refuse(name("rope.dimension_sections"), `be at most ${longest} together`, sections);
  }
  if (NO_ROWS.test(arch) && !(sections[0]! > 0 && sections[1]! > 0)) {
    refuse("general.architecture", "take rows of embeddings", arch);
  }
  if (count("attention.key_length_mla", 0) === 0) return;
  const rank = count("attention.kv_lora_rank", 0);
  if (key !== rank + rotated || value !== rank) {
    refuse(name("attention.key_length"), `be ${rank + rotated}, values ${rank}`, [key, value]);
  }
  const shared = numbersOf(metadata.get(name("attention.head_count_kv")));
  if (shared.some((kv) => kv > 1)) refuse(name("attention.head_count_kv"), "be at most 1", shared);
}

/** The tensors of attention hold as many heads of such lengths as the metadata says. */
function checkAttention({ tensors, name, count }: Header, heads: Heads): void {
  const { key, value, keys, values } = heads, seen = new Set([key, value]);
  for (const [tensor, { dims }] of tensors) {
    const [, layer, part] = /^blk\.(\d+)\.attn_(q|q_b|k|v|qkv|output)\.weight$/.exec(tensor) ?? [];
    const q = count("attention.head_count", 0, Number(layer));
    const kv = count("attention.head_count_kv", q, Number(layer));
    if (part === undefined || q === 0) continue;
    if (part === "qkv" && tensors.has(`blk.${layer}.ssm_conv1d.weight`)) continue; // no attention
    const sizes = {
      q: keys.flatMap((k) => [q * k, 2 * q * k]), // with a gate
      q_b: keys.map((k) => q * k),
      k: keys.map((k) => kv * k),
      v: values.map((v) => kv * v),
      output: values.map((v) => q * v),
      qkv: keys.flatMap((k) => values.flatMap((v) => [q * k + kv * (k + v), q * (2 * k + v)])),
    }[part]!;
    const size = part === "output" ? dims.at(-1)! : dims[0]!;
    seen.add(size / kv).add(size / q);
    if (!sizes.includes(size)) {
      refuse(tensor, `have heads of the lengths of the metadata, ${[...new Set(sizes)]}`, dims);
    }
  }
  for (const [own, usual] of [["key_length_swa", key], ["value_length_swa", value]] as const) {
    const length = count(`attention.${own}`, usual);
    if (!seen.has(length)) refuse(name(`attention.${own}`), "be the length of some heads", length);
  }
}

/** Widths that tensors tell: of the embeddings, and of the states of a layer. */
function checkWidths({ tensors, name, count }: Header): void {
  const width = count("embedding_length", 0), inner = count("ssm.inner_size", 0);
  const due = (key: string, value: number, tensor: string, found: number | undefined) => {
    if (found !== undefined && found !== value) {
      refuse(name(key), `be ${found}, as ${tensor} is wide`, value);
    }
  };
  for (const [tensor, { dims }] of tensors) {
    const last = dims.at(-1);
    if (tensor === "token_embd.weight") due("embedding_length", width, tensor, last);
    if (tensor.endsWith("ssm_out.weight")) due("ssm.inner_size", inner, tensor, last);
  }
  const head = count("wkv.head_size", 0);
  if (head > 0 && width % head !== 0) refuse(name("wkv.head_size"), `divide ${width}`, head);
}

/** The vocabulary: lists of one length, tokens that are distinct, ids that are in it. */
function checkVocabulary({ metadata }: Gguf): void {
  const prefix = "tokenizer.ggml.", tokens = metadata.get(`${prefix}tokens`);
  if (tokens === undefined) return;
  const isTexts = Array.isArray(tokens) && tokens.every((token) => typeof token === "string");
  if (!isTexts || tokens.length === 0) {
    return refuse(`${prefix}tokens`, "be a list of texts", tokens);
  }
  const seen = new Set<string>();
  for (const token of tokens.map(cText)) {
    if (token !== "" && seen.has(token)) refuse(`${prefix}tokens`, "be distinct", token);
    seen.add(token);
  }
  for (const key of [`${prefix}scores`, `${prefix}token_type`]) {
    const list = metadata.get(key), { length } = numbersOf(list);
    if (list !== undefined && length !== tokens.length) {
      refuse(key, `be ${tokens.length} numbers, one a token`, length);
    }
  }
  for (const [key, id] of metadata) {
    if (!key.startsWith(prefix) || !key.endsWith("_token_id")) continue;
    const isNone = id === -1 || id === 2 ** 32 - 1;
    if (!isNone && !isCount(id, 0, tokens.length - 1)) {
      refuse(key, `be an id below ${tokens.length}`, id);
    }
  }
}

/** Types that weights do not have: those of intermediate values, and integers. */
const NO_WEIGHTS: readonly GgufTensorType[] = ["Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"];

/** Tensors that are added or multiplied number by number, which works with float32 alone. */
const PLAIN =
  /(_norm(\.\d+)?\.weight|(?<!\.weight))$|^rope_|ssm_conv1d|shortconv\.conv|_mix_(lerp_\w+|first|decay|[wav]0|k_k|k_a|r_k)\.|^token_types/;

function checkTensor(name: string, { type, dims, offset }: GgufTensor): void {
  if (!dims.every((dim) => isCount(dim, 1))) {
    refuse(name, `have a shape of integers from 1 to ${LARGEST}`, dims);
  }
  if (NO_WEIGHTS.includes(type)) refuse(name, "be of a type that weights have", type);
  if (type !== "F32" && (dims.length === 1 || PLAIN.test(name))) {
    refuse(name, "be of type F32", type);
  }
  if (offset % ALIGNMENT !== 0) refuse(name, `start at a multiple of ${ALIGNMENT} bytes`, offset);
}

/** Tensors of a layer that its graph takes for granted: where one is, so is one of others. */
const COMPANIONS: readonly (readonly [is: RegExp, needs: RegExp])[] = [
  [/^attn_output\.weight$/, /^attn_(qkv|q|q_a|q_b)\.weight$/],
  [/^ssm_out\.weight$/, /^(ssm_in|attn_qkv|attn_q)\.weight$/],
  [/^ssm_in\.weight$/, /^(ssm_conv1d\.bias|ssm_dt_norm(\.weight)?|ssm_ba\.weight)$/],
];

function checkLayers({ tensors, layers }: Header): void {
  const parts = Array.from({ length: layers }, (): string[] => []);
  for (const name of tensors.keys()) {
    const [, layer, part] = /^blk\.(\d+)\.(.*)$/.exec(name) ?? [];
    if (part !== undefined) parts[Number(layer)]?.push(part);
  }
  for (const [layer, own] of parts.entries()) {
    for (const [is, needs] of COMPANIONS) {
      const found = own.find((part) => is.test(part));
      if (found !== undefined && !own.some((part) => needs.test(part))) {
        refuse(`blk.${layer}.${found}`, `stand beside ${needs.source}`, own);
      }
    }
  }
}

/** Vocabularies that llama.cpp cuts texts into without more. */
const CUT = ["gpt2", "llama"];

/**
 * Whether llama.cpp can cut every text into the tokens of this vocabulary. Where it cannot, it ends the
 * process: with SentencePiece at a byte for which there is no token, with others at tokens they lack.
 */
export function canTokenize({ metadata }: Pick<Gguf, "metadata">): boolean {
  const prefix = "tokenizer.ggml.", kind = metadata.get(`${prefix}model`);
  if (!CUT.includes(kind as string)) return false;
  for (const [name, add] of [["bos", "add_bos_token"], ["eos", "add_eos_token"]] as const) {
    if (metadata.get(prefix + add) && !metadata.has(`${prefix}${name}_token_id`)) return false;
  }
  const tokens = metadata.get(`${prefix}tokens`),
    own = new Set(Array.isArray(tokens) ? tokens : []);
  const hex = (byte: number) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
  return kind !== "llama" ||
    Array.from({ length: 256 }, (_, byte) => hex(byte)).every((token) => own.has(token));
}

/**
 * Refuses a header at which llama.cpp would end the process.
 *
 * @throws {SyntaxError} Naming the key or the tensor, the rule and the value.
 */
export function checkSound(gguf: Gguf): void {
  const header = headerOf(gguf);
  checkNumbers(header);
  checkExperts(header);
  const heads = headsOf(header);
  checkRotation(header, heads);
  checkAttention(header, heads);
  checkWidths(header);
  checkVocabulary(header);
  checkLayers(header);
  for (const [name, tensor] of header.tensors) checkTensor(name, tensor);
}
