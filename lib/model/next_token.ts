/**
 * What decoding asks of rows of logits, computed where they lie: the most probable tokens, and the
 * softmax over all. With a large vocabulary nothing of its size has to pass through JavaScript.
 *
 * {@linkcode NextToken} knows nothing of an engine. Below it is ONNX Runtime's: two small graphs, whose
 * sessions belong to the model, and buffers of one user. What is found of a row is a function of the row
 * alone, so that a batch changes nothing.
 *
 * @module
 */

import { given } from "../_given.ts";
import { NEXT_TOKEN, softmaxGraph, topTokensGraph } from "../graph/mod.ts";
import {
  type Binding,
  takingTurns,
  tensor,
  type TensorData,
  type Tensors,
} from "../runtime/mod.ts";
import type { LogitRows } from "./logit_rows.ts";
import { type LazySession, lazySession } from "./lazy_session.ts";
import { type Held, trusted } from "./mixture.ts";

/** Most probable tokens that are found of every row. */
export const SHORTLIST = 64;

/** The most probable tokens of a row. */
export interface TopTokens {
  /** Their ids by descending logit, the lower id first among equals. */
  readonly ids: ArrayLike<number>;
  /** Their raw logits. */
  readonly logits: ArrayLike<number>;
}

/** `softmax(logits / temperature)` over all tokens. */
export interface Softmax {
  /** The temperature that was asked for. */
  readonly temperature: number;
  /** Probabilities `[V]`. */
  readonly probabilities: Float32Array;
  /** Where they are, if not here: they are then read when `probabilities` is. */
  readonly held?: Held;
  /** Entropy in nats; NaN where a logit is −∞. */
  readonly entropy: number;
}

/** What is found of a row. */
export interface NextTokens {
  /** The {@linkcode SHORTLIST} most probable tokens. */
  readonly top: TopTokens;
  /** One softmax per temperature that was asked for. */
  readonly softmax: readonly Softmax[];
}

/** Looks at rows of logits. */
export interface NextToken extends Disposable {
  /**
   * Looks at n rows of raw logits `[n · V]` or more, or at those that an engine left where they are; always the
   * same few arrays, as what is found of each is kept beside it. It is valid until the next call with the same.
   *
   * @param temperatures For each row those of which the softmax is wanted, above 0.
   */
  of(
    logits: Float32Array<ArrayBuffer> | LogitRows,
    temperatures: readonly (readonly number[])[],
  ): Promise<readonly NextTokens[]>;
  /** More of the most probable tokens of one row `[V]`. */
  top(row: Float32Array<ArrayBuffer>, count: number): Promise<TopTokens>;
}

/**
 * The sessions of a model, started when first needed.
 *
 * @param threads Threads within an operator; default: one per physical core.
 */
export function nextTokenSource(vocabularySize: number, threads?: number) {
  const options = given({ threads }), scope = new AsyncDisposableStack();
  const softmax = scope.use(lazySession(() => softmaxGraph(vocabularySize), options));
  const top = scope.use(lazySession(() => topTokensGraph(vocabularySize), options));
  return {
    /** Opens buffers; the caller disposes them. */
    open: () => openNextToken(top, softmax, vocabularySize),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}

/** Makes the logits of rows of a vocabulary that stand for no token −∞: those from the number of tokens on. */
export function hidePadding(
  logits: Float32Array,
  rows: number,
  vocabularySize: number,
  tokens: number,
): void {
  if (tokens >= vocabularySize) return;
  for (let row = 0; row < rows; row++) {
    logits.fill(-Infinity, row * vocabularySize + tokens, (row + 1) * vocabularySize);
  }
}

/** Bounds of the factor that logits are multiplied with: beyond, a temperature is as good as 0 or ∞. */
const MAX_INVERSE = 1e30, MIN_INVERSE = 1e-30;
/** Largest product of a logit with that factor. */
const LARGEST = 1e38;

/** 1 / temperature; a product beyond float32 is no number, and below that any difference is certainty. */
export function inverseOf(temperature: number, best: number): number {
  const most = Math.min(MAX_INVERSE, LARGEST / Math.abs(best));
  return Math.max(MIN_INVERSE, Math.min(most, 1 / temperature));
}

function openNextToken(top: LazySession, softmax: LazySession, size: number): NextToken {
  const N = NEXT_TOKEN, scope = new DisposableStack();
  const count = BigInt64Array.of(BigInt(SHORTLIST));
  const view = (data: TensorData, ...dims: number[]) => scope.use(tensor(data, dims));
  const split = <T extends Float32Array | Int32Array>(values: T, width: number) =>
    Array.from(
      { length: values.length / width },
      (_, row) => values.subarray(row * width, (row + 1) * width) as T,
    );
  /** Makes what runs a session on the first n rows of one array of logits. */
  const runner = (session: LazySession) => {
    const turns = takingTurns();
    return (bind: (n: number) => readonly [Tensors, Tensors]) => {
      const made: Binding[] = [];
      return async (n: number) => {
        const own = await session.session();
        await turns(made[n] ??= scope.use(own.bind(...bind(n))));
      };
    };
  };
  const topRunner = runner(top), softmaxRunner = runner(softmax);
  // the arrays beside one of logits are filled anew at every run
  const topOf = (logits: Float32Array<ArrayBuffer>) => {
    const length = logits.length / size * SHORTLIST;
    const ids = new Int32Array(length), best = new Float32Array(length);
    const own = split(best, SHORTLIST);
    const rows = split(ids, SHORTLIST).map((ids, row): NextTokens => ({
      top: { ids, logits: own[row]! },
      softmax: [],
    }));
    const run = topRunner((n) => [
      { [N.logits]: view(logits, n, size), [N.count]: view(count, 1) },
      { [N.topIds]: view(ids, n, SHORTLIST), [N.topLogits]: view(best, n, SHORTLIST) },
    ]);
    return { rows, run, softmax: [] as ReturnType<typeof softmaxOf>[] };
  };
  /** Of each row's first temperature, or of its second; made when needed: most samplers truncate. */
  const softmaxOf = (logits: Float32Array<ArrayBuffer>) => {
    const rows = logits.length / size, all = new Float32Array(logits.length);
    const inverse = new Float32Array(rows), entropy = new Float32Array(rows);
    const run = softmaxRunner((n) => [
      { [N.logits]: view(logits, n, size), [N.inverseTemperature]: view(inverse, n, 1) },
      { [N.probabilities]: view(all, n, size), [N.entropy]: view(entropy, n, 1) },
    ]);
    return { inverse, entropy, run, probabilities: split(all, size).map(trusted) };
  };
  const known = new Map<Float32Array, ReturnType<typeof topOf>>();
  return {
    async of(given, temperatures) {
      const n = temperatures.length, logits = "count" in given ? given.all() : given;
      let results = known.get(logits);
      if (!results) known.set(logits, results = topOf(logits));
      const { rows, softmax: made } = results;
      await results.run(n);
      const most = temperatures.reduce((most, { length }) => Math.max(most, length), 0);
      for (let at = 0; at < most; at++) {
        const { inverse, run } = made[at] ??= softmaxOf(logits);
        for (let row = 0; row < n; row++) {
          inverse[row] = inverseOf(temperatures[row]![at] ?? 1, rows[row]!.top.logits[0]!);
        }
        await run(n);
      }
      return temperatures.map((own, row) => {
        if (own.length === 0) return rows[row]!;
        return {
          top: rows[row]!.top,
          softmax: own.map((temperature, at) => ({
            temperature,
            probabilities: made[at]!.probabilities[row]!,
            entropy: made[at]!.entropy[row]!,
          })),
        };
      });
    },
    async top(row, count) {
      const ids = new Int32Array(count), logits = new Float32Array(count);
      using own = new DisposableStack();
      const view = (data: TensorData, ...dims: number[]) => own.use(tensor(data, dims));
      const binding = (await top.session()).bind(
        {
          [N.logits]: view(row, 1, size),
          [N.count]: view(BigInt64Array.of(BigInt(count)), 1),
        },
        { [N.topIds]: view(ids, 1, count), [N.topLogits]: view(logits, 1, count) },
      );
      await own.use(binding).runAsync();
      return { ids, logits };
    },
    [Symbol.dispose]: () => scope.dispose(),
  };
}
