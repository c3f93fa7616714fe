/**
 * Text to token ids and back, by Hugging Face's own JavaScript tokenizers.
 *
 * @module
 */

import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";

/** Encodes and decodes text. */
export interface Tokenizer {
  /**
   * Token ids of a text.
   *
   * @param text Any text; special tokens written in it are recognised.
   * @param options `addSpecialTokens`: whether BOS and the like are added where the tokenizer's
   * definition says so. Default: false.
   */
  encode(text: string, options?: { addSpecialTokens?: boolean }): number[];
  /** Text of token ids, special tokens included. */
  decode(ids: ArrayLike<number>): string;
  /** Ids that end a text. */
  readonly eosTokenIds: readonly number[];
  /**
   * Number of token ids, one more than the largest; a model may have more rows, of padding. Absent
   * where it is not known.
   */
  readonly size?: number;
}

/** One more than the largest id of a definition; undefined where it lists none. */
function sizeOf(definition: object): number | undefined {
  const { model, added_tokens: added } = definition as Record<string, unknown>;
  const { vocab } = (model ?? {}) as { vocab?: unknown };
  let size = Array.isArray(vocab) ? vocab.length : 0;
  const known = vocab && !Array.isArray(vocab) ? Object.values(vocab) : [];
  for (const id of known) if (typeof id === "number" && id >= size) size = id + 1;
  for (const token of Array.isArray(added) ? added : []) {
    const id: unknown = token?.id;
    if (typeof id === "number" && id >= size) size = id + 1;
  }
  return size > 0 ? size : undefined;
}

/**
 * The definition with `Digits` steps spelt out: the library's own split decimal digits only, the
 * reference every number character (`²`, `½`, `Ⅷ`).
 */
function repaired(definition: object): object {
  const repair = (step: unknown): unknown => {
    if (typeof step !== "object" || step === null) return step;
    const { type, individual_digits: single, pretokenizers } = step as Record<string, unknown>;
    if (Array.isArray(pretokenizers)) return { ...step, pretokenizers: pretokenizers.map(repair) };
    if (type !== "Digits") return step;
    const Regex = single ? "\\p{N}" : "\\p{N}+";
    return { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false };
  };
  const { pre_tokenizer: pre } = definition as { pre_tokenizer?: unknown };
  return pre === undefined ? definition : { ...definition, pre_tokenizer: repair(pre) };
}

/**
 * A tokenizer from the contents of `tokenizer.json` and `tokenizer_config.json`.
 *
 * @param definition The object of `tokenizer.json`.
 * @param config The object of `tokenizer_config.json`.
 * @param eosTokenIds Ids that end a text.
 * @throws {SyntaxError} Where the library cannot use the definition.
 */
export function createTokenizer(
  definition: object,
  config: object,
  eosTokenIds: readonly number[],
): Tokenizer {
  let library: HuggingFaceTokenizer;
  try {
    library = new HuggingFaceTokenizer(repaired(definition), config);
  } catch (cause) {
    throw new SyntaxError(
      "Cannot load the tokenizer as tokenizer.json is not a usable definition",
      {
        cause,
      },
    );
  }
  const size = sizeOf(definition);
  return {
    eosTokenIds,
    ...(size === undefined ? {} : { size }),
    encode: (text, { addSpecialTokens = false } = {}) =>
      text === "" && !addSpecialTokens
        ? []
        : [...library.encode(text, { add_special_tokens: addSpecialTokens }).ids],
    decode: (ids) =>
      ids.length === 0 ? "" : library.decode(Array.from(ids), {
        skip_special_tokens: false,
        clean_up_tokenization_spaces: false,
      }),
  };
}

/**
 * Stands in where a checkpoint has no tokenizer: it cannot encode, and decodes to the ids themselves
 * (`<12><7>`), so that prompts given as ids still work.
 */
export function missingTokenizer(eosTokenIds: readonly number[]): Tokenizer {
  return {
    eosTokenIds,
    encode() {
      throw new TypeError(
        "Cannot encode text as the model's folder has no tokenizer.json; pass the prompt as token ids",
      );
    },
    decode: (ids) => Array.from(ids, (id) => `<${id}>`).join(""),
  };
}

/**
 * Decodes a growing list of tokens piece by piece, in time that does not grow with the list.
 *
 * A piece is held back while it ends in the middle of a character. Text depends on the token before
 * (leading spaces), so each piece is the difference of two decodings that share a start.
 *
 * @param tokenizer The tokenizer.
 * @returns A function from the next token to the text that it completes ("" where it completes none).
 */
export function pieceDecoder(tokenizer: Tokenizer): (token: number) => string {
  let context: number[] = []; // tokens already turned into text, kept for what follows
  let pending: number[] = [];
  return (token) => {
    pending.push(token);
    const before = tokenizer.decode(context);
    const after = tokenizer.decode([...context, ...pending]);
    if (after.endsWith("\ufffd") && pending.length < 8) return "";
    context = pending;
    pending = [];
    return after.slice(before.length);
  };
}
