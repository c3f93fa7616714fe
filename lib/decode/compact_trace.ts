/**
 * What each token of a generation was drawn from and fed, in few bytes: what a stored run keeps of its steps.
 *
 * Numbers lie in columns, each a base64 text of bytes, the lower byte of a number first:
 *
 * | field | of each token | precision |
 * | --- | --- | --- |
 * | `entropy` | entropy over ln V, 2 bytes without sign | 1/65535 |
 * | `lengths` | length of its text, 1 byte; 255 says that more follows | exact |
 * | `mass` | off-sample mass, 2 bytes with sign; absent where all are 0 | 1/8192, from −4 to 4 |
 * | `mixtures` | of those that carry 0.02 or more on another token, see below | 1/8192, from −4 to 4 |
 *
 * A token takes 3 bytes (4 characters) where nothing is mixed, else 5. A mixture is noted as: the number of tokens
 * since the last noted one, how many of its other tokens follow (the heaviest, at most 3), the token's own weight,
 * and for each of the others its place in `names` and its weight. Numbers and places take as many bytes as they need,
 * seven bits each, the lowest first, the eighth bit saying that more follow; "how many" takes one, a weight two.
 *
 * `notes.ts` writes it. Pages carry this file's text (see `plot/page/`), so that it imports nothing.
 *
 * @module
 */

/** A trace in few bytes: plain data, which {@linkcode notesOf} reads. */
export interface CompactTrace {
  /** Entropies of the distributions sampled from, over ln V. */
  readonly entropy: string;
  /** Lengths of the tokens' texts in UTF-16 units; the texts join to that of the generation. */
  readonly lengths: string;
  /** Weights of what was fed on other tokens. Default: 0 throughout. */
  readonly mass?: string;
  /** The mixtures that are noted. Default: none. */
  readonly mixtures?: string;
  /** Texts of the other tokens in noted mixtures, each token once. Default: none. */
  readonly names?: readonly string[];
  /** Whether the last token is an end-of-text token. */
  readonly end?: true;
}

/** Units of entropies and of weights. */
export const ENTROPY_UNITS = 65535, WEIGHT_UNITS = 8192;

/** A token as a compact trace tells of it. */
export interface Note {
  /** Length of its text in UTF-16 units. */
  readonly length: number;
  /** Entropy of the distribution sampled from, over ln V: 0 to 1. */
  readonly entropy: number;
  /** Weight of what was fed on other tokens. */
  readonly offSampleMass: number;
  /** Its own weight in what was fed. Absent where no other token carried 0.02. */
  readonly own?: number;
  /** The heaviest of the others, in descending order. Absent likewise. */
  readonly others?: readonly NotedToken[];
  /** Whether it ended the text. */
  readonly end?: true;
}

/** A token in a mixture. */
export interface NotedToken {
  /** Its text. */
  readonly text: string;
  /** Its weight. */
  readonly weight: number;
}

/** The numbers of a column, one after the other; those beyond its end are NaN. */
function columnOf(text: string) {
  const bytes = atob(text);
  let at = 0;
  const byte = () => bytes.charCodeAt(at++);
  const short = () => byte() + 256 * byte();
  return {
    ...{ byte, short },
    weight() {
      const units = short();
      return (units > 32767 ? units - 65536 : units) / WEIGHT_UNITS;
    },
    length() {
      let all = 0, part = byte();
      for (; part === 255; part = byte()) all += part;
      return all + part;
    },
    count() {
      let all = 0, scale = 1, part = byte();
      for (; part > 127; part = byte(), scale *= 128) all += (part - 128) * scale;
      return all + part * scale;
    },
    isRead: () => at === bytes.length,
  };
}

/** What can be read of a trace; what is not there is NaN or undefined. */
function readNotes(trace: CompactTrace): Note[] | undefined {
  const { mass, names = [] } = trace, notes: Note[] = [];
  const entropy = columnOf(trace.entropy), lengths = columnOf(trace.lengths);
  const masses = columnOf(mass ?? ""), mixtures = columnOf(trace.mixtures ?? "");
  let noted = mixtures.isRead() ? -1 : mixtures.count();
  while (!entropy.isRead()) {
    const note = {
      length: lengths.length(),
      entropy: entropy.short() / ENTROPY_UNITS,
      offSampleMass: mass === undefined ? 0 : masses.weight(),
    };
    if (Number.isNaN(note.entropy + note.length + note.offSampleMass)) return undefined;
    if (notes.length !== noted) {
      notes.push(note);
      continue;
    }
    const others: NotedToken[] = [], size = mixtures.byte(), own = mixtures.weight();
    for (let k = 0; k < size; k++) {
      const place = mixtures.count(), weight = mixtures.weight();
      others.push({ text: names[place]!, weight });
    }
    notes.push({ ...note, own, others });
    noted = mixtures.isRead() ? -1 : noted + mixtures.count();
  }
  const last = notes.at(-1);
  if (trace.end && last) notes[notes.length - 1] = { ...last, end: true };
  const isWhole = noted < 0 && [lengths, masses, mixtures].every(({ isRead }) => isRead());
  return isWhole ? notes : undefined;
}

/** Whether every part of a noted mixture was there. */
function isWholeNote({ own = 0, others = [] }: Note): boolean {
  const isThere = ({ text, weight }: NotedToken) =>
    typeof text === "string" && !Number.isNaN(weight);
  return !Number.isNaN(own) && others.every(isThere);
}

/**
 * Reads a compact trace, token by token.
 *
 * @param trace Where it comes from a file, it may be anything.
 * @returns Undefined where it is none, or is damaged.
 *
 * @example
 * ```ts
 * import { generate, moi, notesOf } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const options = { method: moi(), maxNewTokens: 4, ignoreEos: true };
 * const { text, compact } = await generate(model, [1], { ...options, trace: "compact" });
 * const notes = notesOf(compact)!;
 * assertEquals(notes.reduce((sum, { length }) => sum + length, 0), text.length);
 * const { trace = [] } = await generate(model, [1], { ...options, trace: true });
 * assertAlmostEquals(notes[0]!.entropy, trace[0]!.entropy, 1e-5);
 * ```
 */
export function notesOf(trace: unknown): Note[] | undefined {
  try {
    const notes = readNotes(trace as CompactTrace);
    return notes?.every(isWholeNote) ? notes : undefined;
  } catch { // no object, or a column is no base64
    return undefined;
  }
}
