/**
 * Text to token ids and back by llama.cpp, which knows the vocabularies of all of its models.
 *
 * @module
 */

import { refusal } from "../../_check.ts";
import type { Llama } from "../../llama/library.ts";
import type { LlamaModel } from "../../llama/model.ts";
import { eosOf } from "../gguf/config.ts";
import type { Gguf } from "../gguf/parse.ts";
import { canTokenize } from "../gguf/sound.ts";
import type { Tokenizer } from "../tokenizer.ts";

const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What a call writes to an array, made larger where it asks for that by a negative count. */
function written<T extends Int32Array | Uint8Array>(
  make: (length: number) => T,
  first: number,
  call: (into: T) => number,
): T {
  let into = make(first), count = call(into);
  if (count < 0) count = call(into = make(-count));
  if (count < 0) throw new RangeError(`Cannot use the vocabulary as llama.cpp gives ${count}`);
  return into.subarray(0, count) as T;
}

/**
 * Runs that one match of a pattern may take. Many patterns go by `std::regex`, which takes a frame of the stack a
 * character: about 23,600 end a process with 8 MiB, fewer a worker.
 */
const RUNS = [/\s+/g, /[^\s.,!?…。，、।۔،]+/g, /[^\s\p{L}\p{N}]+/gu], LONGEST_RUN = 4000;

function checkRuns(text: string): void {
  if (text.length <= LONGEST_RUN) return;
  for (const run of RUNS) {
    for (const [{ length }] of text.matchAll(run)) {
      if (length <= LONGEST_RUN) continue;
      const rule =
        `have blanks, words and signs of at most ${LONGEST_RUN} characters in a row, as llama.cpp ` +
        "would end the process; its token ids may be passed instead";
      throw new RangeError(refusal("encode", "text", rule, `${length} in a row`));
    }
  }
}

/**
 * The tokenizer of a loaded model, of so many tokens.
 *
 * Texts end at the ids that the file names, as with the other engine; where it names none, at those that llama.cpp
 * knows by their names.
 */
export function llamaTokenizer(
  { call }: Llama,
  model: Pick<LlamaModel, "vocabulary">,
  size: number,
  gguf: Gguf,
): Tokenizer {
  const canEncode = canTokenize(gguf), named = eosOf(gguf);
  const known = () =>
    Array.from({ length: size }, (_, id) => id)
      .filter((id) => call.llama_vocab_is_eog(model.vocabulary, id));
  const isByteLevel = gguf.metadata.get("tokenizer.ggml.model") === "gpt2";
  /** Bytes of tokens one by one: together llama.cpp takes blanks before punctuation out of many vocabularies. */
  const pieces = (ids: Int32Array): Uint8Array => {
    const all = Array.from(ids, (id) =>
      written(
        (length) => new Uint8Array(length),
        64,
        (into) => call.llama_token_to_piece(model.vocabulary, id, into, into.length, 0, true),
      ));
    const bytes = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const one of all) {
      bytes.set(one, at);
      at += one.length;
    }
    return bytes;
  };
  const together = (ids: Int32Array<ArrayBuffer>): Uint8Array =>
    written(
      (length) => new Uint8Array(length),
      8 * ids.length + 8,
      (into) =>
        call.llama_detokenize(model.vocabulary, ids, ids.length, into, into.length, false, true),
    );
  return {
    size,
    eosTokenIds: named.length > 0 ? named : known(),
    encode(text, { addSpecialTokens = false } = {}) {
      if (!canEncode) {
        throw new TypeError(
          "Cannot encode text as the file's vocabulary lacks tokens of single bytes; pass the prompt as token ids",
        );
      }
      checkRuns(text);
      const bytes = encoder.encode(text);
      const ids = written((length) => new Int32Array(length), bytes.length + 8, (into) => {
        const { length } = into;
        return call.llama_tokenize(
          model.vocabulary,
          bytes,
          bytes.length,
          into,
          length,
          addSpecialTokens,
          true,
        );
      });
      return Array.from(ids);
    },
    decode(ids) {
      const own = Int32Array.from(Array.from(ids).filter((id) => id >= 0 && id < size));
      return decoder.decode(isByteLevel ? pieces(own) : together(own));
    },
  };
}
