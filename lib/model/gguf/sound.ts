/**
 * What a GGUF header must say before llama.cpp may see its file.
 *
 * llama.cpp checks that tensors have the shapes that the metadata asks for, and refuses what it does not
 * know. Where a number of the metadata has no tensor to compare it with, it divides by it, allocates by
 * it, or asserts, and an assertion ends the process. The rules go by kinds of keys and of tensors, not
 * by architectures, and hold for every file that its converters write.
 *
 * @module
 */

import { refusal } from "../../_check.ts";
import type { Gguf, GgufTensor, GgufTensorType, GgufValue } from "./parse.ts";

/** Most layers and experts that llama.cpp has room for. */
const MOST_LAYERS = 512, MOST_EXPERTS = 512;

/** Largest number that it keeps as a signed one of 32 bits. */
const LARGEST = 2 ** 31 - 1;

/** Multiple at which the processor's kernels need a tensor to start. */
const ALIGNMENT = 32;

function refuse(name: string, rule: string, value: unknown): never {
  throw new SyntaxError(refusal("load the GGUF file", name, rule, value));
}

/** Numbers of a value: one, those of a list, none of texts. */
function numbersOf(value: GgufValue | undefined): ArrayLike<number> {
  if (typeof value === "number") return [value];
  const isNumbers = typeof value === "object" && (!Array.isArray(value) || value.length === 0);
  return isNumbers ? value as ArrayLike<number> : [];
}

const isCount = (value: number, least = 0, most = LARGEST) =>
  Number.isInteger(value) && value >= least && value <= most;

/** Keys that count or measure something, by the last word of their names. */
const SIZES =
  /(^|[._])(count|count_kv|length|length_out|size|sizes|rank|dim|groups|layers|step|interval|window|kernel|l_cache|top_k|input|swa|mla|in|out|iterations)$/;

/** Keys whose number may not be 0. */
const AT_LEAST_1 = /^(embedding_length|context_length|vocab_size|block_count)$/;

/** Keys of an architecture: numbers are finite, those that count are counts. */
function checkNumbers(arch: string, layers: number, metadata: Gguf["metadata"]): void {
  for (const [key, value] of metadata) {
    const own = key.slice(arch.length + 1), numbers = numbersOf(value);
    if (!key.startsWith(`${arch}.`)) continue;
    const isBad = (number: number) => !Number.isFinite(number);
    const bad = Array.prototype.find.call(numbers, isBad);
    if (bad !== undefined && !own.endsWith("bound")) refuse(key, "be finite", bad);
    if (own.endsWith("epsilon")) {
      if (!(typeof value === "number" && value >= 0)) refuse(key, "be a number from 0", value);
    } else if (SIZES.test(own)) {
      const least = AT_LEAST_1.test(own) ? 1 : 0;
      const wrong = Array.prototype.find.call(numbers, (number) => !isCount(number, least));
      const rule = `be an integer from ${least} to ${LARGEST}, or a list of such`;
      if (wrong !== undefined) refuse(key, rule, wrong);
    }
  }
}

/** Numbers of experts fit to each other. */
function checkExperts(count: (key: string) => number): void {
  const experts = count("expert_count"), used = count("expert_used_count");
  const groups = count("expert_group_count"), usedGroups = count("expert_group_used_count");
  if (experts > MOST_EXPERTS) refuse("expert_count", `be at most ${MOST_EXPERTS}`, experts);
  if (used > experts) refuse("expert_used_count", `be at most expert_count, ${experts}`, used);
  if (experts > 0 && used === 0) refuse("expert_used_count", "be at least 1", used);
  if (groups > 1 ? experts % groups !== 0 || groups >= experts : experts === 0 && groups > 0) {
    refuse("expert_group_count", `divide expert_count, ${experts}`, groups);
  }
  if (groups > 1 ? !isCount(usedGroups, 1, groups - 1) : usedGroups > Math.max(groups, 0)) {
    refuse("expert_group_used_count", `be from 1 and less than ${groups}`, usedGroups);
  }
}

/** Architectures whose graphs end the process at rows of embeddings, unless positions have parts. */
const NO_ROWS = ["glm4", "glm4moe"];

/** A text as C sees it: it ends at the first zero. */
const cText = (text: string) => text.split("\0", 1)[0]!;

/** The vocabulary: lists of one length, tokens that are distinct, ids that are in it. */
function checkVocabulary(metadata: Gguf["metadata"]): void {
  const prefix = "tokenizer.ggml.", at = (key: string) => metadata.get(prefix + key);
  const tokens = at("tokens");
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
  for (const key of ["scores", "token_type"]) {
    const list = at(key), length = numbersOf(list).length;
    if (list !== undefined && length !== tokens.length) {
      refuse(prefix + key, `be ${tokens.length} numbers, one a token`, length);
    }
  }
  for (const [key, id] of metadata) {
    if (!key.startsWith(prefix) || !key.endsWith("_token_id")) continue;
    const isNone = id === -1 || id === 2 ** 32 - 1;
    if (!isNone && !isCount(id as number, 0, tokens.length - 1)) {
      refuse(key, `be an id below ${tokens.length}`, id);
    }
  }
}

/** Types that weights may have; the others are of intermediate values, or integers. */
const NO_WEIGHTS: readonly GgufTensorType[] = ["Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"];

/** Tensors that are added or multiplied number by number, which works with float32 alone. */
const PLAIN =
  /_norm(\.\d+)?\.weight$|\.bias$|^rope_|(ssm_conv1d|shortconv\.conv|time_mix_\w+|channel_mix_lerp_\w|position_embd|token_types)/;

function checkTensor(name: string, { type, dims, offset }: GgufTensor): void {
  if (dims.some((dim) => !isCount(dim, 1))) {
    refuse(name, `have a shape of integers from 1 to ${LARGEST}`, dims);
  }
  if (NO_WEIGHTS.includes(type)) refuse(name, "be of a type that weights have", type);
  if (type !== "F32" && (dims.length === 1 || PLAIN.test(name))) {
    refuse(name, "be of type F32", type);
  }
  if (offset % ALIGNMENT !== 0) refuse(name, `start at a multiple of ${ALIGNMENT} bytes`, offset);
}

/**
 * Whether llama.cpp can cut every text into tokens: with SentencePiece it ends the process at a byte for
 * which there is no token.
 */
export function canTokenize({ metadata }: Pick<Gguf, "metadata">): boolean {
  if (metadata.get("tokenizer.ggml.model") !== "llama") return true;
  const tokens = new Set((metadata.get("tokenizer.ggml.tokens") as readonly string[]).map(cText));
  const hex = (byte: number) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
  return Array.from({ length: 256 }, (_, byte) => hex(byte)).every((token) => tokens.has(token));
}

/**
 * Refuses a header that could end the process, or make it divide by zero, in llama.cpp.
 *
 * @throws {SyntaxError} Naming the key or the tensor, the rule and the value.
 */
export function checkSound({ metadata, tensors }: Gguf): void {
  for (const key of metadata.keys()) {
    if (key === "" || key.includes("\0")) refuse("a key", "be a name", key);
  }
  const arch = metadata.get("general.architecture");
  if (typeof arch !== "string" || arch === "") {
    return refuse("general.architecture", "be a text", arch);
  }
  const layers = metadata.get(`${arch}.block_count`);
  const names = [...tensors.keys()].map((name) => Number(/\bblk\.(\d+)\./.exec(name)?.[1] ?? -1));
  const most = Math.min(MOST_LAYERS, 1 + names.reduce((a, b) => Math.max(a, b), 0));
  if (!isCount(layers as number, 1, most)) {
    return refuse(
      `${arch}.block_count`,
      `be from 1 to ${most}, as many as there are layers`,
      layers,
    );
  }
  const sections = numbersOf(metadata.get(`${arch}.rope.dimension_sections`));
  if (NO_ROWS.includes(arch) && !(sections[0]! > 0 && sections[1]! > 0)) {
    refuse("general.architecture", "be one that takes mixtures of embeddings", arch);
  }
  checkNumbers(arch, layers as number, metadata);
  checkExperts((key) => {
    const value = metadata.get(`${arch}.${key}`);
    return typeof value === "number" ? value : 0;
  });
  checkVocabulary(metadata);
  for (const [name, tensor] of tensors) checkTensor(name, tensor);
}
