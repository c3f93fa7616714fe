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

import { NEXT_TOKEN, softmaxGraph, topTokensGraph } from "../graph/mod.ts";
import {
  type Binding,
  takingTurns,
  tensor,
  type TensorData,
  type Tensors,
} from "../runtime/mod.ts";
import { type LazySession, lazySession } from "./lazy_session.ts";
import { trusted } from "./mixture.ts";

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
   * Looks at n rows of raw logits `[n · V]` or more; always the same few arrays, as what is found of each is
   * kept beside it. It is valid until the next call with the same array.
   *
   * @param temperatures For each row those of which the softmax is wanted, above 0.
   */
  of(
    logits: Float32Array<ArrayBuffer>,
    temperatures: readonly (readonly number[])[],
  ): Promise<readonly NextTokens[]>;
  /** More of the most probable tokens of one row `[V]`. */
  top(row: Float32Array<ArrayBuffer>, count: number): Promise<TopTokens>;
}

/** What a model opens them with. */
export interface NextTokenSource extends AsyncDisposable {
  /** Opens buffers; the caller disposes them. */
  open(): NextToken;
}

/**
 * The sessions of a model, started when first needed.
 *
 * @param vocabularySize Size of the vocabulary, V.
 * @param threads Threads within an operator; default: one per physical core.
 */
export function nextTokenSource(vocabularySize: number, threads?: number): NextTokenSource {
  const options = threads === undefined ? {} : { threads };
  const top = lazySession(() => topTokensGraph(vocabularySize), options);
  const softmax = lazySession(() => softmaxGraph(vocabularySize), options);
  return {
    open: () => openNextToken(top, softmax, vocabularySize),
    async [Symbol.asyncDispose]() {
      await top[Symbol.asyncDispose]();
      await softmax[Symbol.asyncDispose]();
    },
  };
}

/** Bounds of the factor that logits are multiplied with: beyond, a temperature is as good as 0 or ∞. */
const MAX_INVERSE = 1e30, MIN_INVERSE = 1e-30;
/** Largest product of a logit with that factor. */
const LARGEST = 1e38;

/** 1 / temperature; a product beyond float32 is no number, and below that any difference is certainty. */
function inverseOf(temperature: number, best: number): number {
  const most = Math.min(MAX_INVERSE, LARGEST / Math.abs(best));
  return Math.max(MIN_INVERSE, Math.min(most, 1 / temperature));
}

/** Runs a graph on the first n rows of one array of logits. */
type Run = (n: number) => Promise<void>;

/** What is kept beside one array of logits; the arrays are filled anew at every run. */
interface Results {
  readonly rows: readonly NextTokens[];
  readonly run: Run;
  /** Of each row's first temperature, of its second; made when needed: most samplers truncate. */
  readonly softmax: {
    readonly inverse: Float32Array<ArrayBuffer>;
    readonly probabilities: readonly Float32Array[];
    readonly entropy: Float32Array<ArrayBuffer>;
    readonly run: Run;
  }[];
}

const NONE: readonly Softmax[] = [];

function openNextToken(top: LazySession, softmax: LazySession, size: number): NextToken {
  const N = NEXT_TOKEN, scope = new DisposableStack(), known = new Map<Float32Array, Results>();
  const turns = { top: takingTurns(), softmax: takingTurns() }, sessions = { top, softmax };
  const count = BigInt64Array.of(BigInt(SHORTLIST));
  const view = (data: TensorData, ...dims: number[]) => scope.use(tensor(data, dims));
  const split = <T extends Float32Array | Int32Array>(values: T, width: number) =>
    Array.from(
      { length: values.length / width },
      (_, row) => values.subarray(row * width, (row + 1) * width) as T,
    );
  const running = (
    graph: "top" | "softmax",
    bind: (n: number) => readonly [Tensors, Tensors],
  ): Run => {
    const made: Binding[] = [];
    return async (n) => {
      const session = await sessions[graph].session();
      await turns[graph](made[n] ??= scope.use(session.bind(...bind(n))));
    };
  };
  const resultsOf = (logits: Float32Array<ArrayBuffer>): Results => {
    const length = logits.length / size * SHORTLIST;
    const ids = new Int32Array(length), best = new Float32Array(length);
    const own = split(best, SHORTLIST);
    return {
      rows: split(ids, SHORTLIST).map((ids, row) => ({
        top: { ids, logits: own[row]! },
        softmax: NONE,
      })),
      softmax: [],
      run: running("top", (n) => [
        { [N.logits]: view(logits, n, size), [N.count]: view(count, 1) },
        { [N.topIds]: view(ids, n, SHORTLIST), [N.topLogits]: view(best, n, SHORTLIST) },
      ]),
    };
  };
  const softmaxOf = (logits: Float32Array<ArrayBuffer>): Results["softmax"][number] => {
    const rows = logits.length / size, all = new Float32Array(logits.length);
    const inverse = new Float32Array(rows), entropy = new Float32Array(rows);
    return {
      ...{ inverse, entropy, probabilities: split(all, size).map(trusted) },
      run: running("softmax", (n) => [
        { [N.logits]: view(logits, n, size), [N.inverseTemperature]: view(inverse, n, 1) },
        { [N.probabilities]: view(all, n, size), [N.entropy]: view(entropy, n, 1) },
      ]),
    };
  };
  return {
    async of(logits, temperatures) {
      const n = temperatures.length;
      let results = known.get(logits);
      if (!results) known.set(logits, results = resultsOf(logits));
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
