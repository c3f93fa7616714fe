import { assertEquals, assertLess } from "@std/assert";
import {
  type DecoderConfig,
  DENSE,
  denseMixtureGraph,
  graphBuilder,
  PORTS,
  weightsIn,
} from "@moi/moi/graph";
import { memoryOver } from "@moi/moi/runtime";
import { attention, rotaryOf, slotInputs } from "../../lib/graph/attention.ts";
import { addAndNorm, gatedMlp, head, rmsNorm } from "../../lib/graph/decoder.ts";
import { linear } from "../../lib/graph/linear.ts";
import { mixtureOfEmbeddings } from "../../lib/graph/mixture.ts";
import { roundedToHalf } from "../../lib/model/dtype.ts";
import { maxDifference, randomNumbers } from "../golden/golden.ts";
import { evaluate } from "./_evaluate.ts";

const CONFIG: DecoderConfig = {
  architecture: "qwen3",
  hiddenSize: 8,
  layers: 1,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  intermediateSize: 12,
  vocabularySize: 10,
  maxPositions: 64,
  rmsNormEps: 1e-3,
  ropeTheta: 1e4,
  tiedEmbeddings: true,
  kv: [],
};

/** Random float32 tensors as a weights file in memory. */
function weightsOf(shapes: Readonly<Record<string, readonly number[]>>, seed = 1) {
  const random = randomNumbers(seed), table = new Map(), values: Record<string, Float32Array> = {};
  const sizes = Object.values(shapes).map((dims) => dims.reduce((a, b) => a * b, 1));
  const all = Float32Array.from(
    { length: sizes.reduce((a, b) => a + b, 0) },
    () => random() * 2 - 1,
  );
  let start = 0;
  Object.entries(shapes).forEach(([name, dims], i) => {
    const [offset, length] = [4 * start, 4 * sizes[i]!];
    table.set(name, { type: "float32", dims, location: "w", offset, length });
    values[name] = all.subarray(start, start += sizes[i]!);
  });
  return { weights: weightsIn(table), values, files: { w: memoryOver(all.buffer) } };
}

/** `rows · Wᵀ` in float64. */
function multiply(x: ArrayLike<number>, w: ArrayLike<number>, out: number, size: number): number[] {
  return Array.from({ length: x.length / size * out }, (_, i) => {
    const row = Math.floor(i / out), column = i % out;
    let sum = 0;
    for (let k = 0; k < size; k++) sum += x[row * size + k]! * w[column * size + k]!;
    return sum;
  });
}

function normalize(x: ArrayLike<number>, w: ArrayLike<number>, eps: number): number[] {
  const size = w.length;
  return Array.from({ length: x.length }, (_, i) => {
    const start = i - i % size;
    let squares = 0;
    for (let k = 0; k < size; k++) squares += x[start + k]! ** 2;
    return x[i]! / Math.sqrt(squares / size + eps) * w[i % size]!;
  });
}

const values = (length: number, seed = 2) => {
  const random = randomNumbers(seed);
  return Float32Array.from({ length }, () => random() * 4 - 2);
};

Deno.test("linear() multiplies with the transposed matrix of the checkpoint", async () => {
  const { weights, values: w, files } = weightsOf({ m: [3, 8] });
  const b = graphBuilder(weights), x = values(2 * 8);
  const y = linear(b, b.input("x", "float32", [1, 2, 8]), "m", 3, 8);
  b.output(y, "float32", [1, 2, 3]);
  const result = await evaluate(b.graph(), { x: [x, [1, 2, 8]] }, { [y]: [1, 2, 3] }, files);
  assertLess(maxDifference(result[y]!, multiply(x, w.m!, 3, 8)), 1e-5);
});

Deno.test("rmsNorm() is the plain formula, epsilon included", async () => {
  const { weights, values: w, files } = weightsOf({ n: [8] });
  const b = graphBuilder(weights), x = values(3 * 8).map((value, i) => i < 8 ? value / 100 : value);
  const y = rmsNorm(b, b.input("x", "float32", [1, 3, 8]), "n", 8, 1e-3);
  b.output(y, "float32", [1, 3, 8]);
  const result = await evaluate(b.graph(), { x: [x, [1, 3, 8]] }, { [y]: [1, 3, 8] }, files);
  assertLess(maxDifference(result[y]!, normalize(x, w.n!, 1e-3)), 1e-6);
});

Deno.test("addAndNorm() gives the sum and its norm", async () => {
  const { weights, values: w, files } = weightsOf({ n: [8] });
  const b = graphBuilder(weights), x = values(16, 3), y = values(16, 4);
  const shape = [1, 2, 8];
  const names = addAndNorm(
    b,
    b.input("x", "float32", shape),
    b.input("y", "float32", shape),
    "n",
    8,
    1e-3,
  );
  for (const name of Object.values(names)) b.output(name, "float32", shape);
  const result = await evaluate(
    b.graph(),
    { x: [x, shape], y: [y, shape] },
    { [names.normed]: shape, [names.residual]: shape },
    files,
  );
  const sum = Array.from(x, (value, i) => value + y[i]!);
  assertLess(maxDifference(result[names.residual]!, sum), 1e-6);
  assertLess(maxDifference(result[names.normed]!, normalize(sum, w.n!, 1e-3)), 1e-5);
});

const ACTIVATIONS = {
  silu: (x: number) => x / (1 + Math.exp(-x)),
  gelu_tanh: (x: number) =>
    x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
} as const;

for (const [activation, act] of Object.entries(ACTIVATIONS)) {
  for (const bias of [false, true]) {
    const title = `gatedMlp() is down(${activation}(gate(x)) · up(x)), biases: ${bias}`;
    Deno.test(title, async () => {
      const { weights, values: w, files } = weightsOf({
        "p.gate_proj.weight": [12, 8],
        "p.up_proj.weight": [12, 8],
        "p.down_proj.weight": [8, 12],
        "p.gate_proj.bias": [12],
        "p.up_proj.bias": [12],
        "p.down_proj.bias": [8],
      });
      const b = graphBuilder(weights), x = values(2 * 8), shape = [1, 2, 8];
      const options = { bias, activation: activation as keyof typeof ACTIVATIONS };
      const y = gatedMlp(b, b.input("x", "float32", shape), "p", CONFIG, options);
      b.output(y, "float32", shape);
      const result = await evaluate(b.graph(), { x: [x, shape] }, { [y]: shape }, files);
      const project = (x: ArrayLike<number>, part: string, out: number, size: number) =>
        multiply(x, w[`p.${part}_proj.weight`]!, out, size).map((value, i) =>
          value + (bias ? w[`p.${part}_proj.bias`]![i % out]! : 0)
        );
      const up = project(x, "up", 12, 8);
      const product = project(x, "gate", 12, 8).map((gate, i) => act(gate) * up[i]!);
      assertLess(maxDifference(result[y]!, project(product, "down", 8, 12)), 1e-5);
    });
  }
}

for (const vocabularySize of [10, 1024, 1025, 2000]) {
  const config = { ...CONFIG, vocabularySize };
  const setup = weightsOf({ e: [vocabularySize, 8] });
  const mix = async (
    ids: number[],
    weights: number[],
    dims: [number, number, number],
    added?: Float32Array<ArrayBuffer>,
  ) => {
    const b = graphBuilder(setup.weights);
    const y = mixtureOfEmbeddings(b, "e", config);
    const shape = [dims[0], dims[1], 8];
    b.output(y, "float32", shape);
    const graph = b.graph();
    const isDense = !graph.inputs.some(({ name }) => name === PORTS.ids);
    assertEquals(isDense, vocabularySize <= 1024);
    const row = new Float32Array(dims[0] * dims[1] * vocabularySize);
    ids.forEach((id, i) => row[Math.floor(i / dims[2]) * vocabularySize + id]! += weights[i]!);
    const inputs: Parameters<typeof evaluate>[1] = isDense
      ? { [PORTS.weights]: [row, [dims[0], dims[1], vocabularySize]] }
      : {
        [PORTS.ids]: [Int32Array.from(ids), dims],
        [PORTS.weights]: [Float32Array.from(weights), dims],
        [PORTS.dense]: [added ?? new Float32Array(dims[0] * dims[1] * 8), shape],
      };
    const result = await evaluate(graph, inputs, { [y]: shape }, setup.files);
    return result[y]!;
  };
  const row = (id: number) => [...setup.values.e!.subarray(8 * id, 8 * id + 8)];

  Deno.test(`mixtureOfEmbeddings() of one entry is that row exactly, of ${vocabularySize}`, async () => {
    const last = vocabularySize - 1;
    assertEquals([...await mix([3, last], [1, 1], [1, 2, 1])], [...row(3), ...row(last)]);
  });

  Deno.test(`mixtureOfEmbeddings() is the weighted sum of rows, of ${vocabularySize}`, async () => {
    const ids = [5, 0, 9, 1, 2, vocabularySize - 1], weights = [0.5, 0.25, 0.25, 0.7, 0.2, 0.1];
    const expected = [0, 1].flatMap((position) =>
      Array.from({ length: 8 }, (_, d) => {
        let sum = 0;
        for (let k = 0; k < 3; k++) {
          sum += weights[3 * position + k]! * row(ids[3 * position + k]!)[d]!;
        }
        return sum;
      })
    );
    for (const dims of [[1, 2, 3], [2, 1, 3]] as const) {
      assertLess(maxDifference(await mix(ids, weights, [...dims]), expected), 1e-6);
    }
  });

  Deno.test(`mixtureOfEmbeddings() adds repeated ids, of ${vocabularySize}`, async () => {
    const twice = await mix([7, 7], [0.25, 0.75], [1, 1, 2]);
    assertLess(maxDifference(twice, row(7)), 1e-6);
  });

  Deno.test(`mixtureOfEmbeddings() ignores padding bit for bit, of ${vocabularySize}`, async () => {
    const bare = await mix([4, 8], [0.3, 0.7], [1, 1, 2]);
    const padded = await mix([4, 8, 0, 0, 0, 0], [0.3, 0.7, 0, 0, 0, 0], [1, 1, 6]);
    assertEquals([...padded], [...bare]);
    assertEquals([...await mix([6, 0, 0], [1, 0, 0], [1, 1, 3])], row(6));
  });

  if (vocabularySize <= 1024) continue;

  Deno.test(`mixtureOfEmbeddings() adds what is given to the rows, of ${vocabularySize}`, async () => {
    const added = values(8), mixed = await mix([3], [1], [1, 1, 1], added);
    assertEquals([...mixed], row(3).map((value, d) => Math.fround(value + added[d]!)));
  });

  Deno.test(`denseMixtureGraph() is the weighted sum of all rows, of ${vocabularySize}`, async () => {
    for (const weights of [setup.weights, roundedToHalf(setup.weights)]) {
      const b = graphBuilder(weights);
      mixtureOfEmbeddings(b, "e", config);
      const w = values(2 * vocabularySize);
      const { embeddings } = await evaluate(
        denseMixtureGraph(b.graph()),
        { [DENSE.weights]: [w, [2, vocabularySize]] },
        { [DENSE.embeddings]: [2, 8] },
        setup.files,
      );
      const expected = [0, 1].flatMap((r) =>
        Array.from({ length: 8 }, (_, d) => {
          let sum = 0;
          for (let id = 0; id < vocabularySize; id++) {
            const element = setup.values.e![8 * id + d]!;
            const used = weights === setup.weights ? element : Math.f16round(element);
            sum += w[r * vocabularySize + id]! * used;
          }
          return sum;
        })
      );
      assertLess(maxDifference(embeddings!, expected), 1e-4);
    }
  });
}

Deno.test("head() gives the logits of the rows asked for, in their order", async () => {
  const { weights, values: w, files } = weightsOf({ e: [10, 8] });
  const b = graphBuilder(weights), x = values(2 * 3 * 8);
  head(b, b.input("x", "float32", [2, 3, 8]), "e", CONFIG);
  const all = multiply(x, w.e!, 10, 8);
  for (const rows of [[0, 1, 2, 3, 4, 5], [5], [4, 0]]) {
    const result = await evaluate(
      b.graph(),
      {
        x: [x, [2, 3, 8]],
        [PORTS.rows]: [BigInt64Array.from(rows, BigInt), [rows.length]],
      },
      { [PORTS.logits]: [rows.length, 10] },
      files,
    );
    const expected = rows.flatMap((row) => all.slice(10 * row, 10 * row + 10));
    assertLess(maxDifference(result[PORTS.logits], expected), 1e-5);
  }
});

Deno.test("head() bounds logits by a softcap", async () => {
  const { weights, values: w, files } = weightsOf({ e: [10, 8] });
  const b = graphBuilder(weights), x = values(8);
  head(b, b.input("x", "float32", [1, 1, 8]), "e", CONFIG, 1.5);
  const result = await evaluate(
    b.graph(),
    { x: [x, [1, 1, 8]], [PORTS.rows]: [BigInt64Array.of(0n), [1]] },
    { [PORTS.logits]: [1, 10] },
    files,
  );
  const expected = multiply(x, w.e!, 10, 8).map((logit) => 1.5 * Math.tanh(logit / 1.5));
  assertLess(maxDifference(result[PORTS.logits], expected), 1e-5);
});

interface PlainShape {
  readonly headDim: number;
  readonly dims: number;
  readonly window: number;
  readonly scale: number;
}

/** Rotary embedding of the first `dims` of a head at a position: halves, as in the published code. */
function rotate(x: readonly number[], position: number, dims: number): number[] {
  const half = dims / 2;
  return x.map((value, i) => {
    if (i >= dims) return value;
    const angle = position * CONFIG.ropeTheta ** (-2 * (i % half) / dims);
    const other = i < half ? -x[i + half]! : x[i - half]!;
    return value * Math.cos(angle) + other * Math.sin(angle);
  });
}

/** Causal grouped-query attention in float64 over `[S, heads · headDim]` inputs from position 0. */
function plainAttention(
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  positions: number,
  { headDim, dims, window, scale }: PlainShape,
) {
  const { heads, kvHeads } = CONFIG;
  const part = (x: Float32Array, count: number, position: number, h: number) => [
    ...x.subarray((position * count + h) * headDim, (position * count + h + 1) * headDim),
  ];
  const out: number[] = [];
  for (let t = 0; t < positions; t++) {
    for (let h = 0; h < heads; h++) {
      const group = Math.floor(h / (heads / kvHeads)), first = Math.max(0, t - window + 1);
      const query = rotate(part(q, heads, t, h), t, dims);
      const scores = Array.from({ length: t + 1 - first }, (_, s) => {
        const key = rotate(part(k, kvHeads, first + s, group), first + s, dims);
        return scale * query.reduce((sum, value, d) => sum + value * key[d]!, 0);
      });
      const max = Math.max(...scores), powers = scores.map((score) => Math.exp(score - max));
      const total = powers.reduce((a, b) => a + b);
      for (let d = 0; d < headDim; d++) {
        out.push(
          powers.reduce((sum, p, s) => sum + p / total * part(v, kvHeads, first + s, group)[d]!, 0),
        );
      }
    }
  }
  return out;
}

const SHAPES = [
  // width of a head, rotated dimensions: by the operator itself, then by an operator before it
  [16, 16],
  [32, 16],
  [80, 80],
  [8, 8],
  [24, 24],
  [32, 24],
  [64, 20],
  [16, 2],
] as const;

for (const [headDim, dims] of SHAPES) {
  for (const window of [undefined, 1, 3]) {
    const title = `attention() of heads of ${headDim}, ${dims} rotated, window ${window ?? "none"}`;
    Deno.test(`${title}, is causal, with a cache in place`, async () => {
      const { heads, kvHeads } = CONFIG, length = 12, positions = 9;
      const scale = window === 3 ? 0.2 : headDim ** -0.5;
      const widths = [heads * headDim, kvHeads * headDim, kvHeads * headDim];
      const [q, k, v] = widths.map((width, i) => values(positions * width, 10 + i));
      const plain = { headDim, dims, window: window ?? positions, scale };
      const expected = plainAttention(q!, k!, v!, positions, plain);

      const b = graphBuilder();
      const inputs = ["q", "k", "v"].map((name, i) =>
        b.input(name, "float32", ["B", "S", widths[i]!])
      );
      const rope = { dims, theta: CONFIG.ropeTheta, scaling: { type: "default" } } as const;
      const rotary = rotaryOf(b, slotInputs(b), rope, headDim, length);
      const shape = { heads, kvHeads, headDim, window, ...(window === 3 ? { scale } : {}) };
      const y = attention(b, 0, inputs as [string, string, string], rotary, shape);
      b.output(y, "float32", ["B", "S", widths[0]!]);
      const isFused = !b.graph().nodes.some(({ op }) => op === "RotaryEmbedding");
      assertEquals(isFused, headDim % 16 === 0 && dims % 16 === 0);

      // four positions at once, then three, then one by one: the cache carries what came before
      const cacheDims = [1, kvHeads, length, headDim];
      const cache = ["key", "value"].map(() => new Float32Array(kvHeads * length * headDim));
      const found: number[] = [];
      for (const [from, to] of [[0, 4], [4, 7], [7, 8], [8, 9]] as const) {
        const slice = (x: Float32Array, i: number) =>
          [x.slice(from * widths[i]!, to * widths[i]!), [1, to - from, widths[i]!]] as const;
        const result = await evaluate(
          b.graph(),
          {
            q: slice(q!, 0),
            k: slice(k!, 1),
            v: slice(v!, 2),
            [PORTS.past(0, "key")]: [cache[0]!, cacheDims],
            [PORTS.past(0, "value")]: [cache[1]!, cacheDims],
            [PORTS.lastPosition]: [Int32Array.of(to - 1), [1]],
            [PORTS.length]: [Int32Array.of(to), [1]],
          },
          {
            [y]: [1, to - from, widths[0]!],
            [PORTS.present(0, "key")]: [cache[0]!, cacheDims],
            [PORTS.present(0, "value")]: [cache[1]!, cacheDims],
          },
        );
        found.push(...result[y]!);
      }
      assertLess(maxDifference(found, expected), 1e-5);
      assertEquals(
        [...cache[1]!.subarray(positions * headDim, length * headDim)].some(Boolean),
        false,
      );
    });
  }
}
