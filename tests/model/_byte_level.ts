/** A byte-level BPE tokenizer by hand: 256 bytes, a few merges, two special tokens. */

/** The printable stand-ins of bytes that GPT-2's byte-level tokenizers use. */
function standIns(): string[] {
  const printable = (b: number) =>
    (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode(printable(b) ? b : next++));
}

/** Ids 0 … 255 are the bytes; then the merges, then `<s>` and `<|end|>`. */
export function byteLevel(): { definition: object; config: object; eos: number[] } {
  const bytes = standIns();
  const piece = (text: string) =>
    Array.from(new TextEncoder().encode(text), (byte) => bytes[byte]!).join("");
  const pairs = [["h", "e"], ["l", "l"], ["he", "ll"], [" ", "w"], ["o", "r"], [" w", "or"]];
  const merges = [
    ...pairs.map(([a, b]) => [piece(a!), piece(b!)]),
    [bytes[0xc3]!, bytes[0xa4]!], // ä in one token
    [bytes[0xf0]!, bytes[0x9f]!], // the first half of most emoji
  ];
  const vocab = Object.fromEntries(
    [...bytes, ...merges.map((pair) => pair.join(""))].map((text, id) => [text, id]),
  );
  const special = ["<s>", "<|end|>"].map((content, i) => ({
    id: 256 + merges.length + i,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const [start, end] = special.map(({ id }) => id) as [number, number];
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true };
  const definition = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: null,
    pre_tokenizer: { ...byteLevel, use_regex: true },
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 0 } }],
      special_tokens: { "<s>": { id: "<s>", ids: [start], tokens: ["<s>"] } },
    },
    decoder: { ...byteLevel, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
  const config = { tokenizer_class: "PreTrainedTokenizerFast", clean_up_tokenization_spaces: true };
  return { definition, config, eos: [end] };
}
