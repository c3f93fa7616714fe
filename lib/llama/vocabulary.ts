/**
 * Text to token ids and back by llama.cpp, which knows the vocabularies of all of its models.
 *
 * @module
 */

import type { Llama } from "./library.ts";

/** What is asked of a vocabulary. */
export interface Vocabulary {
  /** Ids of a text; special tokens written in it are recognised. */
  encode(text: string, addSpecialTokens: boolean): number[];
  /** Text of ids, special tokens included. */
  decode(ids: ArrayLike<number>): string;
  /** Ids that end a text, by what the file says and by their names. */
  ends(): number[];
}

const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads a vocabulary of so many tokens. */
export function openVocabulary(
  { call }: Llama,
  vocabulary: Deno.PointerValue,
  size: number,
): Vocabulary {
  /** What a call writes to an array, made larger where it asks for that by a negative count. */
  const written = <T extends Int32Array | Uint8Array>(
    make: (length: number) => T,
    first: number,
    call: (into: T) => number,
  ): T => {
    let into = make(first), count = call(into);
    if (count < 0) count = call(into = make(-count));
    if (count < 0) throw new RangeError(`Cannot use the vocabulary as llama.cpp gives ${count}`);
    return into.subarray(0, count) as T;
  };
  return {
    encode(text, addSpecialTokens) {
      const bytes = encoder.encode(text);
      const found = written(
        (length) => new Int32Array(length),
        bytes.length + 8,
        (into) =>
          call.llama_tokenize(
            vocabulary,
            bytes,
            bytes.length,
            into,
            into.length,
            addSpecialTokens,
            true,
          ),
      );
      return Array.from(found);
    },
    decode(ids) {
      const known = Int32Array.from(Array.from(ids).filter((id) => id >= 0 && id < size));
      if (known.length === 0) return "";
      const bytes = written(
        (length) => new Uint8Array(length),
        8 * known.length + 8,
        (into) =>
          call.llama_detokenize(vocabulary, known, known.length, into, into.length, false, true),
      );
      return decoder.decode(bytes);
    },
    ends: () =>
      Array.from({ length: size }, (_, id) => id).filter((id) =>
        call.llama_vocab_is_eog(vocabulary, id)
      ),
  };
}
