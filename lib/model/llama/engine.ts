/**
 * The engine over llama.cpp.
 *
 * @module
 */

import { LLAMA_VERSION } from "../../llama/api.ts";
import type { Llama } from "../../llama/library.ts";
import { type LlamaModel, loadLlamaModel } from "../../llama/model.ts";
import { startThreads } from "./threads.ts";
import { openProduct, type Product } from "./product.ts";
import { type ReadRow, rowReader, type Table } from "./rows.ts";
import { SMALL_VOCABULARY } from "../../graph/mod.ts";
import { inOrder } from "../../_in_order.ts";
import { given } from "../../_given.ts";
import type { Engine } from "../engine.ts";
import { openLlamaCache } from "./cache.ts";
import { embeddingFactor, type OpenTrial, rowRule } from "./check.ts";
import { embeddingWriter } from "./embeddings.ts";
import { nextTokenSource } from "../next_token.ts";

/** What an engine is started with. */
export interface LlamaEngineOptions {
  /** The file, of a split one its first part; its header was found sound. */
  readonly path: string;
  /** The table of embeddings in it. */
  readonly table: Table;
  /** Types of its matrices. */
  readonly types: ReadonlySet<string>;
  readonly kv: "fp32" | "fp16";
  /** Longest context that it was made for. */
  readonly maxPositions: number;
  /** Bytes of keys and values of a position, and those that are free for them. */
  readonly bytes: number;
  readonly free: () => number;
  readonly threads: number;
  readonly onProgress?: ((part: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Types whose table is kept in float32 where a mixture is summed over the whole vocabulary. */
const FLOATS = ["F32", "F16", "BF16"];

/** How drivers that emulate a GPU name it. */
const EMULATORS = /llvmpipe|swiftshader/i;

/** Starts an engine, and the model that it runs; `model` is disposed with it. */
export async function startLlama(
  llama: Llama,
  { path, table, types, kv, maxPositions, threads: count, bytes, free, ...load }:
    LlamaEngineOptions,
): Promise<{ readonly engine: Engine; readonly model: LlamaModel; readonly read: ReadRow }> {
  await using scope = new AsyncDisposableStack();
  const threads = scope.use(startThreads(llama, count)), turn = inOrder();
  const model = scope.use(await loadLlamaModel(llama, path, { threads, ...load }));
  const { vocabularySize, hiddenSize } = model, read = rowReader(llama, table);
  if (table.rows !== vocabularySize || table.width !== hiddenSize) {
    throw new SyntaxError(
      `Cannot load the model by llama.cpp as its embeddings must be ${vocabularySize} × ${hiddenSize}: they are ` +
        `${table.rows} × ${table.width}`,
    );
  }
  let opened: Product | undefined, isDisposed = false;
  const product = () =>
    opened ??= openProduct(llama, {
      ...{ read, rows: vocabularySize, width: hiddenSize, threads },
      exact: FLOATS.includes(table.type),
    });
  const parts = { vocabularySize, hiddenSize, read, product };
  const openWith: OpenTrial = (factor, rows, shape) =>
    openLlamaCache(
      {
        ...{ model, kv, rows, bytes, free, turn: live, lastTurn: turn },
        write: embeddingWriter({ ...parts, factor }),
      },
      shape,
    );
  /** Does work on the model; none once it is disposed. */
  const live = <T>(work: () => Promise<T>): Promise<T> =>
    turn(() => {
      if (isDisposed) throw new Error("Cannot decode as the model is disposed");
      return work();
    });
  const factor = await embeddingFactor(openWith, { vocabularySize, hiddenSize, maxPositions });
  load.signal?.throwIfAborted();
  const isOnGpu = llama.gpus.length > 0,
    isEmulated = llama.gpus.some(({ description }) => EMULATORS.test(description));
  const about = { types, isOnGpu, isEmulated, vocabularySize, maxPositions };
  const { rows, checked } = await rowRule(openWith, factor, about);
  const nextToken = vocabularySize > SMALL_VOCABULARY
    ? scope.use(nextTokenSource(vocabularySize, count))
    : undefined;
  const owned = scope.move();
  const engine: Engine = {
    device: llama.device,
    ...given({ threads: isOnGpu ? undefined : count }),
    checked,
    versions: { "llama.cpp": LLAMA_VERSION },
    openCache: (shape) => openWith(factor, rows, shape),
    ...(nextToken && { openNextToken: () => nextToken.open() }),
    async [Symbol.asyncDispose]() {
      await turn(() => {
        isDisposed = true;
        opened?.[Symbol.dispose]();
        return Promise.resolve();
      });
      await owned.disposeAsync();
    },
  };
  return { engine, model, read };
}
