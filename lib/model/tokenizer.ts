/**
 * Text to token ids by Hugging Face's own JavaScript tokenizers, and back as their Rust ones do it.
 *
 * @module
 */

import { Tokenizer as HuggingFaceTokenizer } from "npm:@huggingface/tokenizers@0.2.0";
import { decoderOf } from "./decoders.ts";

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
  /** Text of token ids, special tokens included; ids that stand for no token have none. */
  decode(ids: ArrayLike<number>): string;
  /**
   * Whether a token is a byte, such as `<0xE6>`, of what a run of such tokens means together, or an id
   * that stands for no token, which ends no run. Absent where the decoder knows no such bytes.
   */
  isByte?(id: number): boolean;
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
  const listed = Array.isArray(vocab) ? [...vocab.keys()] : Object.values(vocab ?? {});
  const others: unknown[] = Array.isArray(added) ? added.map((token) => token?.id) : [];
  let size = 0;
  for (const id of [...listed, ...others]) if (typeof id === "number" && id >= size) size = id + 1;
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
    const message = "Cannot load the tokenizer as tokenizer.json is not a usable definition";
    throw new SyntaxError(message, { cause });
  }
  const size = sizeOf(definition), decoder = decoderOf(definition);
  const textOf = (id: number) => library.id_to_token(id);
  return {
    eosTokenIds,
    ...(size === undefined ? {} : { size }),
    encode: (text, { addSpecialTokens = false } = {}) =>
      text === "" && !addSpecialTokens
        ? []
        : [...library.encode(text, { add_special_tokens: addSpecialTokens }).ids],
    decode(ids) {
      const known = Array.from(ids).filter((id) => textOf(id) !== undefined);
      if (known.length === 0) return "";
      return decoder ? decoder.decode(known.map((id) => textOf(id)!)) : library.decode(known, {
        skip_special_tokens: false,
        clean_up_tokenization_spaces: false,
      });
    },
    ...(decoder?.hasBytes && { isByte: (id: number) => decoder.isByte(textOf(id)) }),
  };
}

/** Where there is none: it cannot encode, and decodes to ids (`<12><7>`); prompts of ids work. */
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

/** Tells the text that each token makes certain. */
export interface PieceDecoder {
  /** Takes the next token: the text that is certain now and was not before, often "". */
  (token: number): string;
  /** The text beyond that, as it is if no token follows. */
  rest(): string;
}

/** Tokens of garbage after which a decoding starts anew, and how many it then looks back. */
const LONG = 32, BACK = 16;

/**
 * Decodes a growing list of tokens piece by piece, in time that does not grow with the list.
 *
 * Text is held back while a token that follows can change it: the bytes of a character that is not
 * whole, and a run of byte tokens. The pieces and the rest join to the text of all tokens. As text
 * depends on the token before (leading spaces), each piece is the difference of two decodings that
 * share a start.
 *
 * @returns A function from the next token to the text that it makes certain, with the rest beside it.
 *
 * @example A character of three bytes
 * ```ts
 * import { loadModel, pieceDecoder } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("countdown-tiny");
 * const ids = model.tokenizer.encode("1 + 2"), next = pieceDecoder(model.tokenizer);
 * assertEquals(ids.map(next).join("") + next.rest(), "1 + 2");
 * ```
 */
export function pieceDecoder(tokenizer: Tokenizer): PieceDecoder {
  const isByte = (id: number | undefined) => id !== undefined && (tokenizer.isByte?.(id) ?? false);
  let tokens: number[] = []; // the last of those that were told, and all that were not
  let told = 0; // how much of their text was told
  const next = (token: number) => {
    tokens.push(token);
    if (isByte(token)) return "";
    const text = tokenizer.decode(tokens);
    const open = text.endsWith("\ufffd") && text.length > told ? 1 : 0;
    const piece = text.slice(told, text.length - open);
    told += piece.length;
    const long = tokens.length > LONG;
    if (open === 0 || long) {
      const near = tokens.slice(open === 0 && !long ? -1 : -BACK);
      const shorter = near.slice(near.findIndex((id) => !isByte(id)));
      const seen = tokenizer.decode(shorter);
      // a start without text can hide a space; all bytes of what is not whole must be there
      if (seen.length > 2 * open) {
        tokens = shorter;
        told = seen.length - open;
      }
    }
    return piece;
  };
  return Object.assign(next, { rest: () => tokenizer.decode(tokens).slice(told) });
}
