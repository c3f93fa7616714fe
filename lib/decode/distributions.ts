/**
 * Rows of logits to distributions, whatever the size of the vocabulary.
 *
 * A small vocabulary is softmaxed here, in float64. With a large one the runtime finds the most
 * probable tokens and, where a sampler needs it, the softmax over all; what passes through
 * JavaScript is a shortlist of 64. Where that cannot tell what the sampler keeps, such as a nucleus
 * of 100 tokens, the row's shortlist grows until it can: nothing is ever silently cut off. All of it
 * is a function of the row alone, so that a batch changes nothing.
 *
 * @module
 */

import {
  encodeGraph,
  NEXT_TOKEN,
  SMALL_VOCABULARY,
  softmaxGraph,
  topTokensGraph,
} from "../graph/mod.ts";
import {
  type Binding,
  createSession,
  type Session,
  takingTurns,
  tensor,
  type TensorData,
  type Tensors,
} from "../runtime/mod.ts";
import {
  type Distribution,
  distributionFrom,
  distributionOf,
  needsSoftmax,
  SHORTLIST,
  type Shortlist,
} from "./distribution.ts";
import { isPlain, type Sampler } from "./sampler.ts";
import type { Need } from "./method.ts";
import type { History } from "./transforms.ts";

/** How much longer the next shortlist is where one was too short. */
const GROWTH = 16;
/** Largest factor that logits are multiplied with; the temperatures below are as good as 0. */
const MAX_INVERSE = 1e30;
/** Smallest; the temperatures above are as good as infinite. 0 would make NaN of a logit of −∞. */
const MIN_INVERSE = 1e-30;

/** Largest product of a logit with that factor. */
const LARGEST = 1e38;

/** What is wanted of a row of logits. */
export interface WantedRow {
  /** Sampler settings. */
  readonly sampler: Sampler;
  /** Index of the token about to be generated. */
  readonly step: number;
  /** What the distribution must carry. */
  readonly needs?: readonly Need[] | undefined;
  /** Tokens before it, for penalties. Default: none. */
  readonly history?: History;
}

/** Makes distributions of rows of logits. */
export interface Distributions extends Disposable {
  /**
   * The distributions that samplers make of rows of logits.
   *
   * @param logits Raw logits `[n · V]` or more; always the same few arrays: what is made of each is
   * kept beside it.
   * @param rows What is wanted of the n rows.
   * @returns The distributions; what they hold of the logits is valid until the next call with the
   * same array.
   */
  of(
    logits: Float32Array<ArrayBuffer>,
    rows: readonly WantedRow[],
  ): Promise<Distribution[]>;
}

/**
 * Starts what makes distributions.
 *
 * @param vocabularySize Size of the vocabulary, V.
 * @param threads Threads within an operator; default: one per physical core.
 * @param tokens Token ids that there are. A model may have rows beyond: padding of its vocabulary, which
 * no text stands for. Their logits become −∞. Default: V.
 */
export async function openDistributions(
  vocabularySize: number,
  threads?: number,
  tokens: number = vocabularySize,
): Promise<Distributions> {
  const made = vocabularySize > SMALL_VOCABULARY
    ? await large(vocabularySize, threads)
    : small(vocabularySize);
  if (tokens >= vocabularySize) return made;
  return {
    of(logits, rows) {
      for (let row = 0; row < rows.length; row++) {
        logits.fill(-Infinity, row * vocabularySize + tokens, (row + 1) * vocabularySize);
      }
      return made.of(logits, rows);
    },
    [Symbol.dispose]: () => made[Symbol.dispose](),
  };
}

function small(vocabularySize: number): Distributions {
  return {
    of: (logits, rows) =>
      Promise.resolve(
        rows.map(({ sampler, step, history }, row) =>
          distributionOf(rowOf(logits, row, vocabularySize), sampler, step, history)
        ),
      ),
    [Symbol.dispose]() {},
  };
}

/** Whether a row needs the softmax over all tokens at its own temperature. */
function needsOwn({ sampler, needs }: WantedRow, vocabularySize: number): boolean {
  const { temperature } = sampler;
  if (temperature === 0 || !isPlain(sampler)) return false;
  if (needsSoftmax(sampler, vocabularySize)) return true;
  return needs !== undefined &&
    (needs.includes("softmax") || (temperature === 1 && needs.includes("model")));
}

/** Whether it needs that at temperature 1 as well. */
function needsModel({ sampler, needs }: WantedRow): boolean {
  return needs !== undefined && sampler.temperature !== 1 && needs.includes("model") &&
    isPlain(sampler);
}

function rowOf<T extends Float32Array | Int32Array>(values: T, row: number, width: number): T {
  return values.subarray(row * width, (row + 1) * width) as T;
}

/** A session with its bindings to the first n rows of one array of logits. */
type Bound = (n: number) => Binding;

/** A row of logits and its shortlist; the arrays are filled anew at every run. */
interface ResultRow {
  readonly raw: Float32Array<ArrayBuffer>;
  readonly shortlist: Shortlist;
}

/** What the runtime makes of one array of logits. */
interface Results {
  readonly rows: readonly ResultRow[];
  readonly top: Bound;
  /** At the temperatures of the samplers; made when first needed: most samplers truncate. */
  own?: Softmax;
  /** At temperature 1. */
  model?: Softmax;
}

/** The softmax of all rows, each at a temperature. */
interface Softmax {
  readonly inverse: Float32Array<ArrayBuffer>;
  readonly probabilities: Float32Array<ArrayBuffer>;
  readonly entropy: Float32Array<ArrayBuffer>;
  readonly run: Bound;
}

async function large(vocabularySize: number, threads: number | undefined): Promise<Distributions> {
  using opening = new DisposableStack();
  const N = NEXT_TOKEN, options = threads === undefined ? {} : { threads };
  const top = opening.use(
    await createSession(encodeGraph(topTokensGraph(vocabularySize)), options),
  );
  const softmax = opening.use(
    await createSession(encodeGraph(softmaxGraph(vocabularySize)), options),
  );
  const runTop = takingTurns(), runSoftmax = takingTurns();
  const scope = opening.move();

  const view = (data: TensorData, ...dims: number[]) => scope.use(tensor(data, dims));
  const bound = (session: Session, bind: (n: number) => readonly [Tensors, Tensors]): Bound => {
    const known: Binding[] = [];
    return (n) => known[n] ??= scope.use(session.bind(...bind(n)));
  };
  const count = BigInt64Array.of(BigInt(SHORTLIST));
  const known = new Map<Float32Array, Results>();
  const resultsOf = (array: Float32Array<ArrayBuffer>): Results => {
    const found = known.get(array);
    if (found) return found;
    const rows = array.length / vocabularySize, size = rows * SHORTLIST;
    const ids = new Int32Array(size), logits = new Float32Array(size);
    const made: Results = {
      rows: Array.from({ length: rows }, (_, row) => ({
        raw: rowOf(array, row, vocabularySize),
        shortlist: { ids: rowOf(ids, row, SHORTLIST), logits: rowOf(logits, row, SHORTLIST) },
      })),
      top: bound(top, (n) => [
        { [N.logits]: view(array, n, vocabularySize), [N.count]: view(count, 1) },
        { [N.topIds]: view(ids, n, SHORTLIST), [N.topLogits]: view(logits, n, SHORTLIST) },
      ]),
    };
    known.set(array, made);
    return made;
  };
  const softmaxOf = (array: Float32Array<ArrayBuffer>): Softmax => {
    const rows = array.length / vocabularySize;
    const inverse = new Float32Array(rows).fill(1), entropy = new Float32Array(rows);
    const probabilities = new Float32Array(array.length);
    return {
      inverse,
      probabilities,
      entropy,
      run: bound(softmax, (n) => [
        { [N.logits]: view(array, n, vocabularySize), [N.inverseTemperature]: view(inverse, n, 1) },
        {
          [N.probabilities]: view(probabilities, n, vocabularySize),
          [N.entropy]: view(entropy, n, 1),
        },
      ]),
    };
  };
  const softmaxRow = ({ probabilities, entropy }: Softmax, row: number) => ({
    probabilities: rowOf(probabilities, row, vocabularySize),
    entropy: entropy[row]!,
  });

  /** A longer shortlist of one row. */
  const longer = async (row: Float32Array<ArrayBuffer>, size: number): Promise<Shortlist> => {
    const ids = new Int32Array(size), logits = new Float32Array(size);
    using own = new DisposableStack();
    const view = (data: TensorData, ...dims: number[]) => own.use(tensor(data, dims));
    const binding = top.bind(
      {
        [N.logits]: view(row, 1, vocabularySize),
        [N.count]: view(BigInt64Array.of(BigInt(size)), 1),
      },
      { [N.topIds]: view(ids, 1, size), [N.topLogits]: view(logits, 1, size) },
    );
    await own.use(binding).runAsync();
    return { ids, logits };
  };

  return {
    async of(logits, rows) {
      const n = rows.length, results = resultsOf(logits);
      await runTop(results.top(n));
      let owns = false, models = false;
      for (const row of rows) {
        owns ||= needsOwn(row, vocabularySize);
        models ||= needsModel(row);
      }
      if (owns) {
        const { inverse, run } = results.own ??= softmaxOf(logits);
        for (let row = 0; row < n; row++) {
          const { temperature } = rows[row]!.sampler;
          // a product beyond float32 is no number; below that bound any difference is certainty
          const best = Math.abs(results.rows[row]!.shortlist.logits[0]!);
          const most = Math.min(MAX_INVERSE, LARGEST / best);
          inverse[row] = needsOwn(rows[row]!, vocabularySize)
            ? Math.max(MIN_INVERSE, Math.min(most, 1 / temperature))
            : 1;
        }
        await runSoftmax(run(n));
      }
      if (models) await runSoftmax((results.model ??= softmaxOf(logits)).run(n));
      const made = new Array<Distribution>(n);
      for (let row = 0; row < n; row++) {
        const wanted = rows[row]!, { sampler, step } = wanted;
        const { raw, shortlist } = results.rows[row]!;
        if (!isPlain(sampler)) {
          made[row] = distributionOf(raw, sampler, step, wanted.history);
          continue;
        }
        const extras = {
          ...(owns && needsOwn(wanted, vocabularySize) ? softmaxRow(results.own!, row) : {}),
          ...(models && needsModel(wanted) ? { model: softmaxRow(results.model!, row) } : {}),
        };
        let list = owns || models ? { ...shortlist, ...extras } : shortlist, size = SHORTLIST;
        for (;;) {
          const distribution = distributionFrom(raw, list, sampler, step);
          if (distribution) {
            made[row] = distribution;
            break;
          }
          size = Math.min(vocabularySize, Math.max(GROWTH * size, sampler.topK));
          list = { ...await longer(raw, size), ...extras };
        }
      }
      return made;
    },
    [Symbol.dispose]: () => scope.dispose(),
  };
}
