/**
 * How near a step of one sequence comes to the bound that memory sets: all weights of the linear
 * layers must be read once per step.
 *
 * The bound is measured in the same rounds, by the runtime, with the same number of threads: passes
 * over a buffer of as many bytes as the step reads, by three operators that do next to nothing with a
 * number (a sum over rows, and a product with one vector from either side). The fastest of the three
 * is the bound, since how well one of them is made should not be: which it is differs between
 * machines. A buffer of the same size makes caches help both alike: on a machine whose cache is larger
 * than the weights this is a bound of the cache.
 */

import { standard } from "../../../lib/decode/mod.ts";
import { encodeGraph, type Node } from "../../../lib/graph/mod.ts";
import {
  allocate,
  type Binding,
  createSession,
  type Session,
  type Tensor,
  tensor,
  tensorIn,
} from "../../../lib/runtime/mod.ts";
import type { Bench } from "../bench.ts";
import { linearBytes, openQuantized } from "../quantized_copy.ts";
import { digits, medianTime, paired, quantile } from "../rows.ts";
import { stepTimes } from "../steps.ts";

/** Passes over a buffer. */
interface Passes extends AsyncDisposable {
  /** Milliseconds of the fastest operator's pass, medians of three. */
  run(): Promise<number>;
}

const COLUMNS = 4096, REPEATS = 3;

/** The operators: their node, and the shapes of the matrix and of the result by its other dimension. */
const OPERATORS: readonly {
  readonly node: Omit<Node, "outputs">;
  readonly matrix: (rows: number) => number[];
  readonly result: (rows: number) => number[];
}[] = [
  {
    node: {
      ...{ op: "ReduceSum", domain: "", inputs: ["x", "axis"] },
      attributes: { keepdims: { int: 0 } },
    },
    matrix: (rows) => [rows, COLUMNS],
    result: (rows) => [rows],
  },
  ...[0, 1].map((transB) => ({
    node: {
      op: "FusedMatMul",
      domain: "com.microsoft" as const,
      inputs: ["v", "x"],
      attributes: { transB: { int: transB } },
    },
    matrix: (rows: number) => transB === 1 ? [rows, COLUMNS] : [COLUMNS, rows],
    result: (rows: number) => [1, rows],
  })),
];

async function openPasses(bytes: number, threads: number | undefined): Promise<Passes> {
  const rows = Math.ceil(bytes / (4 * COLUMNS)), memory = allocate(4 * COLUMNS * rows);
  new Float32Array(memory.buffer).fill(1); // pages that nothing was written to are all the same one
  const sessions: Session[] = [], bindings: Binding[] = [];
  for (const { node, matrix, result } of OPERATORS) {
    const axis = new Uint8Array(BigInt64Array.of(1n).buffer);
    const inputs: Record<string, Tensor> = { x: tensorIn(memory, 0, "float32", matrix(rows)) };
    if (node.inputs.includes("v")) inputs.v = tensor(new Float32Array(COLUMNS), [1, COLUMNS]);
    const y = tensor(new Float32Array(rows), result(rows));
    const float = (name: string, { dims }: Tensor) => ({ name, type: "float32" as const, dims });
    const session = await createSession(
      encodeGraph({
        nodes: [{ ...node, outputs: ["y"] }],
        initializers: [{ name: "axis", type: "int64", dims: [1], data: axis }],
        inputs: Object.entries(inputs).map(([name, value]) => float(name, value)),
        outputs: [float("y", y)],
      }),
      threads === undefined ? {} : { threads },
    );
    sessions.push(session);
    bindings.push(session.bind(inputs, { y }));
  }
  return {
    async run() {
      const medians: number[] = [];
      for (const { runAsync } of bindings) medians.push(await medianTime(REPEATS, runAsync));
      return Math.min(...medians);
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) await session[Symbol.asyncDispose]();
      memory[Symbol.dispose]();
    },
  };
}

const TARGETS = { fp32: 95, int4: 75 } as const;

export async function bandwidth(bench: Bench): Promise<void> {
  const { name, folder, cacheDir } = await bench.checkpoint("qwen3-0.6b");
  using copy = await openQuantized(folder, cacheDir);
  for (const dtype of ["int4", "fp32"] as const) {
    const bytes = linearBytes(copy, dtype);
    for (const threads of [1, undefined]) {
      const options = threads === undefined ? {} : { threads };
      await using model = await bench.load("qwen3-0.6b", dtype, { maxLength: 1024, ...options });
      await using passes = await openPasses(bytes, threads);
      const decoding = { batch: 1, context: 64, steps: 12, method: standard(), topK: 50 };
      const step = async () => quantile(await stepTimes(model, decoding), 0.5);
      const pair = await paired(bench.rounds, step, passes.run);
      const place = { model: name, dtype, batch: 1 };
      const where = { ...place, threads: threads ?? navigator.hardwareConcurrency };
      const rate = (ms: number) => bytes / ms / 1e6, { b, ratio } = pair;
      const read = { median: rate(b.median), low: rate(b.high), high: rate(b.low) };
      const suite = "bandwidth", detail = `${(bytes / 1e6).toFixed(0)} MB`;
      bench.row({ suite, what: "read bandwidth", ...where, unit: "GB/s", ...read, detail });
      bench.row({
        ...{ suite, what: "share of the bandwidth bound", ...where, unit: "%" },
        ...{ median: 100 * ratio.median, low: 100 * ratio.low, high: 100 * ratio.high },
        target: { atLeast: TARGETS[dtype] },
        detail: `step ${digits(pair.a.median)} ms, bound ${digits(b.median)} ms`,
      });
    }
  }
}
