/**
 * A SentencePiece vocabulary ("llama") of a GGUF file as a tokenizer definition.
 *
 * SentencePiece joins, of all neighbours whose union is a piece, those whose union scores best. The
 * library joins pairs in the order of a list; so the list holds every way to cut a piece into two
 * pieces, best union first. Text that no piece covers falls back to its bytes.
 *
 * Where the vocabulary asks for a space before the text, each stretch between special tokens gets one,
 * as llama.cpp does.
 *
 * @module
 */

import type { Vocabulary } from "./byte_level.ts";
import type { Json, Metadata } from "./metadata.ts";

/** Types of tokens that take part in merging. */
const NORMAL = 1, USER_DEFINED = 4, UNUSED = 5;

/** Longest piece that is merged, in UTF-16 units; it bounds the work. */
const LONGEST = 256;

/** How SentencePiece writes a space. */
const SPACE = "\u2581";

/** Every way to cut a piece into two pieces, best union first. */
function mergesOf(
  tokens: readonly string[],
  scores: ArrayLike<number>,
  isPiece: (id: number) => boolean,
): [string, string][] {
  const pieces = new Map<string, number>();
  for (const [id, token] of tokens.entries()) if (isPiece(id)) pieces.set(token, id);
  const best = [...pieces.values()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  return best.flatMap((id) => {
    const token = tokens[id]!, cuts: [left: number, right: number][] = [];
    for (let at = 1; at < token.length && token.length <= LONGEST; at++) {
      const code = token.charCodeAt(at);
      if (code >= 0xdc00 && code < 0xe000) continue; // inside a character
      const left = pieces.get(token.slice(0, at));
      const right = left === undefined ? undefined : pieces.get(token.slice(at));
      if (left !== undefined && right !== undefined) cuts.push([left, right]);
    }
    cuts.sort(([a, b], [c, d]) => a - c || b - d);
    return cuts.map(([left, right]): [string, string] => [tokens[left]!, tokens[right]!]);
  });
}

/**
 * The definition of a SentencePiece vocabulary.
 *
 * @throws {SyntaxError} Where it has no score for each token, or normalizes text.
 */
export function sentencePiece(m: Metadata, vocab: Json, types: ArrayLike<number>): Vocabulary {
  const tokens = m.texts("tokens"), scores = m.numbers("scores");
  if (scores?.length !== tokens.length) {
    return m.refuse("scores", `be ${tokens.length}, one a token`, scores?.length ?? 0);
  }
  const bad = Array.from(scores).findIndex((score) => !Number.isFinite(score));
  if (bad >= 0) m.refuse("scores", "be finite", `${scores[bad]} of token ${bad}`);
  if (m.flag("remove_extra_whitespaces")) {
    m.refuse("remove_extra_whitespaces", "be false: load the safetensors", true);
  }
  if ((m.numbers("precompiled_charsmap")?.length ?? 0) > 0) {
    m.refuse("precompiled_charsmap", "be empty: load the safetensors", "there");
  }
  const isPiece = (id: number) =>
    types.length === 0 || [NORMAL, USER_DEFINED, UNUSED].includes(types[id]!);
  const unknown = m.number("unknown_token_id");
  const prefix = m.flag("add_space_prefix") ?? true;
  const replace = (from: string, to: string) => ({
    ...{ type: "Replace", pattern: { String: from }, content: to },
  });
  return {
    bos: true,
    definition: {
      normalizer: {
        type: "Sequence",
        normalizers: [
          ...(prefix ? [{ type: "Prepend", prepend: SPACE }] : []),
          replace(" ", SPACE),
        ],
      },
      pre_tokenizer: null,
      decoder: {
        type: "Sequence",
        decoders: [
          ...[replace(SPACE, " "), { type: "ByteFallback" }, { type: "Fuse" }],
          ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
        ],
      },
      model: {
        ...{ type: "BPE", dropout: null, fuse_unk: true, ignore_merges: false },
        ...{ continuing_subword_prefix: null, end_of_word_suffix: null },
        unk_token: unknown === undefined ? null : tokens[unknown] ?? null,
        byte_fallback: vocab["<0x00>"] !== undefined,
        vocab,
        merges: mergesOf(tokens, scores, isPiece),
      },
    },
  };
}
