/**
 * Tokens back to text, as Hugging Face's Rust tokenizers do it: the `decoder` of `tokenizer.json`.
 *
 * @module
 */

/** From the texts of tokens to those of the next step; the last ones are joined. */
type Step = (tokens: readonly string[]) => readonly string[];

type Settings = Readonly<Record<string, unknown>>;

const text = (value: unknown, absent: string) => typeof value === "string" ? value : absent;
const count = (value: unknown) => typeof value === "number" ? value : 0;
const loose = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Bytes by the characters that stand for them in byte-level vocabularies. */
const BYTES: ReadonlyMap<string, number> = (() => {
  const isPlain = (b: number) =>
    (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
  let next = 256;
  return new Map(
    Array.from({ length: 256 }, (_, b) => [String.fromCharCode(isPlain(b) ? b : next++), b]),
  );
})();
const encoder = new TextEncoder();

/** Characters stand for bytes; a token with any other character stands for itself. */
function byteLevel(tokens: readonly string[]): readonly string[] {
  const bytes: number[] = [];
  for (const token of tokens) {
    const start = bytes.length;
    for (const c of token) {
      const byte = BYTES.get(c);
      if (byte === undefined) {
        bytes.length = start;
        for (const other of encoder.encode(token)) bytes.push(other);
        break;
      }
      bytes.push(byte);
    }
  }
  return [loose.decode(Uint8Array.from(bytes))];
}

const BYTE = /^<0x([0-9A-Fa-f]{2})>$/;

/** A run of bytes is its text where it is whole UTF-8, else one U+FFFD a byte. */
function byteFallback(tokens: readonly string[]): readonly string[] {
  const out: string[] = [];
  let run: number[] = [];
  const close = () => {
    if (run.length === 0) return;
    try {
      out.push(strict.decode(Uint8Array.from(run)));
    } catch {
      for (const _ of run) out.push("\ufffd");
    }
    run = [];
  };
  for (const token of tokens) {
    const byte = BYTE.exec(token)?.[1];
    if (byte !== undefined) run.push(parseInt(byte, 16));
    else {
      close();
      out.push(token);
    }
  }
  close();
  return out;
}

/** Takes up to so many of a character off both ends of every text. */
function strip({ content, start, stop }: Settings): Step {
  const off = text(content, ""), first = count(start), last = count(stop);
  return (tokens) =>
    tokens.map((token) => {
      const all = Array.from(token);
      let from = 0, to = all.length;
      while (from < first && all[from] === off) from++;
      while (all.length - to < last && to > 0 && all[to - 1] === off) to--;
      return all.slice(from, Math.max(from, to)).join("");
    });
}

/** Marks become spaces; those of the first token go where texts get one in front. */
function metaspace({ replacement, prepend_scheme: scheme, add_prefix_space: prefix }: Settings) {
  const mark = text(replacement, "▁"),
    keeps = (scheme ?? (prefix === false ? "never" : "")) === "never";
  return (tokens: readonly string[]) =>
    tokens.map((token, i) => token.replaceAll(mark, i === 0 && !keeps ? "" : " "));
}

/** Pieces of words are joined; of English text, spaces before marks go where asked for. */
function wordPiece({ prefix, cleanup }: Settings): Step {
  const mark = text(prefix, "##");
  const clean = (token: string) =>
    [" .", " ?", " !", " ,"].reduce((all, part) => all.replaceAll(part, part.slice(1)), token)
      .replaceAll(" ' ", "'").replaceAll(" n't", "n't").replaceAll(" 'm", "'m")
      .replaceAll(" do not", " don't").replaceAll(" 's", "'s").replaceAll(" 've", "'ve")
      .replaceAll(" 're", "'re");
  return (tokens) =>
    tokens.map((token, i) => {
      const joined = i === 0
        ? token
        : token.startsWith(mark)
        ? token.slice(mark.length)
        : ` ${token}`;
      return cleanup === false ? joined : clean(joined);
    });
}

/** The end of a word becomes a space but in the last token. */
function bpe({ suffix }: Settings): Step {
  const mark = text(suffix, "</w>");
  return (tokens) =>
    tokens.map((token, i) => token.replaceAll(mark, i === tokens.length - 1 ? "" : " "));
}

/** The steps of decoders by their type; undefined where they have one that is not known. */
const STEPS: Readonly<Record<string, (settings: Settings) => readonly Step[] | undefined>> = {
  ByteLevel: () => [byteLevel],
  ByteFallback: () => [byteFallback],
  Fuse: () => [(tokens) => [tokens.join("")]],
  Strip: (settings) => [strip(settings)],
  Metaspace: (settings) => [metaspace(settings)],
  WordPiece: (settings) => [wordPiece(settings)],
  BPEDecoder: (settings) => [bpe(settings)],
  Replace(settings) {
    const pattern = (settings.pattern as { String?: unknown } | null)?.String;
    if (typeof pattern !== "string" || pattern === "") return undefined;
    const by = text(settings.content, "");
    return [(tokens) => tokens.map((token) => token.replaceAll(pattern, () => by))];
  },
  Sequence({ decoders }) {
    if (!Array.isArray(decoders)) return undefined;
    const all = decoders.map(stepsOf);
    return all.includes(undefined) ? undefined : all.flatMap((steps) => steps!);
  },
};

function stepsOf(definition: unknown): readonly Step[] | undefined {
  const settings = (definition ?? {}) as Settings, type = text(settings.type, "");
  return Object.hasOwn(STEPS, type) ? STEPS[type]!(settings) : undefined;
}

/** The decoder of `tokenizer.json`; undefined where it has a step that is not known here. */
export function decoderOf(definition: object) {
  const { decoder } = definition as { decoder?: unknown };
  const steps = (decoder ?? null) === null
    ? [(tokens: readonly string[]) => [tokens.join(" ")]]
    : stepsOf(decoder);
  if (!steps) return undefined;
  const hasBytes = steps.includes(byteFallback);
  return {
    decode: (tokens: readonly string[]) => steps.reduce((all, step) => step(all), tokens).join(""),
    /** Whether tokens such as `<0xE6>` are bytes of what a run of them means. */
    hasBytes,
    /** Whether a token is such a byte; one that is not there ends no run. */
    isByte: (token: string | undefined) => hasBytes && (token === undefined || BYTE.test(token)),
  };
}
