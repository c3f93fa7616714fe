import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { encodeGraph, type Graph } from "@moi/moi/graph";
import { forward, type Input, loadModel, type Mixture, type Model } from "@moi/moi/model";
import { allocate, createSession, tensor, tensorIn } from "@moi/moi/runtime";
import { exportFiles, type ExportOptions, makeExport, type TestExport } from "../graph/_exports.ts";
import { maxDifference, randomNumbers, temporaryFolder } from "../golden/golden.ts";

const half = (data: ArrayBuffer) => Float32Array.from(new Float16Array(data));

/** Logits of an export as it is, for token ids or rows of embeddings, at all positions. */
async function original(
  { options: { vocabulary: V, hidden, headDim, type, head } }: TestExport,
  graph: Graph,
  feed: readonly number[] | Float32Array,
): Promise<Float32Array[]> {
  const S = feed instanceof Float32Array ? feed.length / hidden : feed.length;
  const width = type === "float16" ? 2 : 4;
  const big = (values: readonly number[]) => BigInt64Array.from(values, BigInt);
  using session = await createSession(encodeGraph(graph), { threads: 1 });
  using scope = new DisposableStack();
  const memory = (bytes: number) => scope.use(allocate(Math.max(4, bytes)));
  const all: Record<string, ReturnType<typeof tensor>> = {};
  for (const { name, dims } of graph.inputs) {
    if (name === "input_ids") all[name] = tensor(big(feed as number[]), [1, S]);
    else if (name === "attention_mask") all[name] = tensor(big(Array(S).fill(1)), [1, S]);
    else if (name === "position_ids") all[name] = tensor(big([...Array(S).keys()]), [1, S]);
    else if (name === "inputs_embeds") {
      const block = memory(S * hidden * width);
      if (type === "float16") new Float16Array(block.buffer, 0, S * hidden).set(feed);
      else new Float32Array(block.buffer, 0, S * hidden).set(feed);
      all[name] = tensorIn(block, 0, type, [1, S, hidden]);
    } else all[name] = tensorIn(memory(4), 0, type, [1, dims[1] as number, 0, headDim]);
    scope.use(all[name]!);
  }
  const rows = head === "last" ? 1 : S, logits = memory(rows * V * width);
  const outputs = Object.fromEntries(graph.outputs.map(({ name, dims }) => {
    if (name === "logits") return [name, scope.use(tensorIn(logits, 0, type, [1, rows, V]))];
    const shape = [1, dims[1] as number, S, headDim];
    const block = memory(shape.reduce((a, b) => a * b) * width);
    return [name, scope.use(tensorIn(block, 0, type, shape))];
  }));
  scope.use(session.bind(all, outputs)).run();
  const bytes = logits.buffer.slice(0, rows * V * width);
  const values = type === "float16" ? half(bytes) : new Float32Array(bytes);
  return Array.from({ length: rows }, (_, row) => values.slice(row * V, (row + 1) * V));
}

/** Rows of embeddings of tokens and mixtures. */
function rowsOf({ table, options }: TestExport, inputs: readonly Input[]): Float32Array {
  const { hidden: D, scale, embedding } = options;
  const factor = embedding === "embeds" ? scale : 1;
  const rows = new Float32Array(inputs.length * D);
  inputs.forEach((input, i) => {
    const mixture = typeof input === "number" ? { ids: [input], weights: [1] } : input;
    for (let d = 0; d < D; d++) {
      let sum = 0;
      for (let k = 0; k < mixture.ids.length; k++) {
        sum += mixture.weights[k]! * table[mixture.ids[k]! * D + d]!;
      }
      rows[i * D + d] = factor * sum;
    }
  });
  return rows;
}

function sequence(V: number, length: number, seed: number, mixed: boolean): Input[] {
  const random = randomNumbers(seed);
  const id = () => Math.floor(random() * V);
  return Array.from({ length }, (_, i): Input => {
    if (!mixed || i % 3 === 0) return id();
    const size = [2, 7, 20][i % 3]!, start = id();
    const ids = Array.from({ length: size }, (_, k) => (start + k) % V);
    const raw = ids.map(() => random() + 0.01), total = raw.reduce((a, b) => a + b);
    return { ids, weights: raw.map((w) => w / total) } satisfies Mixture;
  });
}

const scaleOf = (rows: readonly Float32Array[]) =>
  Math.max(...rows.map((row) => row.reduce((most, x) => Math.max(most, Math.abs(x)), 0)));

/** Largest difference of rows, relative to the largest logit. */
function difference(found: readonly Float32Array[], expected: readonly Float32Array[]): number {
  assertEquals(found.length, expected.length);
  return Math.max(...found.map((row, i) => maxDifference(row, expected[i]!))) / scaleOf(expected);
}

async function prompts(model: Model, e: TestExport): Promise<number> {
  const V = e.options.vocabulary;
  let worst = 0;
  for (const [length, seed] of [[1, 1], [7, 2], [23, 3]] as const) {
    const ids = sequence(V, length, seed, false) as number[];
    const found = await forward(model, ids);
    if (e.options.head === "last") {
      for (let i = 0; i < length; i++) {
        const graph = e.options.embedding === "embeds" ? e.fromRows : e.graph;
        const feed = e.options.embedding === "embeds" ? rowsOf(e, ids) : ids;
        if (i < length - 1) continue;
        worst = Math.max(worst, difference([found[i]!], await original(e, graph, feed)));
      }
      continue;
    }
    const expected = e.options.embedding === "embeds"
      ? await original(e, e.fromRows, rowsOf(e, ids))
      : await original(e, e.graph, ids);
    worst = Math.max(worst, difference(found, expected));
    if (e.options.embedding === "embeds") continue;
    const rows = await original(e, e.fromRows, rowsOf(e, ids)); // the test's own rows are right
    assertLess(difference(rows, expected), e.options.type === "float16" ? 5e-3 : 1e-5);
  }
  return worst;
}

/** Ragged sequences of tokens and mixtures in one cache, stepped together, some slots copied. */
async function batches(model: Model, e: TestExport): Promise<number> {
  const V = e.options.vocabulary, lengths = [3, 9, 1, 14], steps = 5;
  const all = lengths.map((length, i) => sequence(V, length + steps, 10 + i, true));
  const copied = [...all[1]!.slice(0, lengths[1]), ...sequence(V, steps, 99, true)];
  const lists = [...all, copied];
  const expected = await Promise.all(lists.map((list) => original(e, e.fromRows, rowsOf(e, list))));
  using cache = model.openCache({ slots: 5, length: 21 });
  let worst = 0;
  const compare = (found: Float32Array, slot: number, at: number) => {
    worst = Math.max(worst, difference([found], [expected[slot]![at]!]));
  };
  for (const [slot, length] of lengths.entries()) {
    // the longer ones in two chunks, in both orders of slots
    const list = lists[slot]!, first = length > 5 ? 4 : length;
    let logits = await cache.prefill(slot, 0, list.slice(0, first), "last");
    if (first < length) {
      logits = await cache.prefill(slot, first, list.slice(first, length), "last");
    }
    compare(logits, slot, length - 1);
  }
  cache.copy(1, 4, lengths[1]!);
  const places = [...lengths, lengths[1]!];
  for (let t = 0; t < steps; t++) {
    const logits = await cache.step(
      lists.map((list, slot) => list[places[slot]! + t]!),
      places.map((place) => place + t),
    );
    lists.forEach((_, slot) =>
      compare(logits.slice(slot * V, (slot + 1) * V), slot, places[slot]! + t)
    );
  }
  // a slot that is filled again, shorter than before
  const again = sequence(V, 2, 77, true);
  const filled = await original(e, e.fromRows, rowsOf(e, again));
  const found = await cache.prefill(3, 0, again, "last");
  worst = Math.max(worst, difference([found], [filled[1]!]));
  return worst;
}

const FAMILIES: Readonly<
  Record<string, readonly [ExportOptions, bound: number, data?: readonly string[]]>
> = {
  "A, rotation in attention": [{}, 1e-5],
  "A, large vocabulary": [{ vocabulary: 1500 }, 1e-5],
  "A, rotation in nodes": [{ rotary: "nodes" }, 1e-5],
  "A, ids cast and reshaped": [{ rotary: "nodes", detours: true }, 1e-5],
  "A, logits of the last position": [{ head: "last", rotary: "nodes" }, 1e-5],
  "A, large vocabulary, last": [{ head: "last", vocabulary: 1200 }, 1e-5],
  "A-q, 4 bits": [{ bits: 4, embedding: "blocks", vocabulary: 1100 }, 1e-5, ["model.onnx_data"]],
  "A-q, 4 bits, small vocabulary": [{ bits: 4, embedding: "blocks" }, 1e-5, ["model.onnx.data"]],
  "A-q, 8 bits": [{ bits: 8, rotary: "nodes" }, 1e-5],
  "A-q, 4 bits, int8 activations": [{ bits: 4, accuracy: 4 }, 5e-2],
  "rows of integers": [{ embedding: "integers" }, 1e-5],
  "rows of integers, large": [{ embedding: "integers", vocabulary: 1100, detours: true }, 1e-5],
  "B, scaled, tied by a transpose": [{ scale: 5.5, head: "tied", rotary: "nodes" }, 1e-5],
  "B, softcap": [{ scale: 5.5, head: "softcap", vocabulary: 1100 }, 1e-5],
  "no product at the end": [{ head: "added" }, 1e-5],
  "genai, embeddings apart, packed": [{ embedding: "embeds", packed: true }, 1e-5, [
    "model.onnx.data",
  ]],
  "genai, embeddings apart, scaled, 4 bits": [
    { embedding: "embeds", packed: true, bits: 4, scale: 3, vocabulary: 1100 },
    1e-5,
    ["model.onnx.data"],
  ],
  "two files of data": [{ vocabulary: 1100 }, 1e-5, ["model.onnx_data", "model.onnx_data_1"]],
  "float16": [{ type: "float16" }, 1e-2],
  "float16, nodes, large, softcap": [
    { type: "float16", rotary: "nodes", vocabulary: 1100, head: "softcap", scale: 2 },
    1e-2,
  ],
  "float16, 4 bits": [
    { type: "float16", bits: 4, embedding: "blocks" },
    1e-2,
    ["model_q4f16.onnx_data"],
  ],
  "C, concatenated": [{ attention: "concatenated" }, 1e-5],
  "C, large vocabulary, tied": [
    { attention: "concatenated", vocabulary: 1100, head: "tied", detours: true },
    1e-5,
  ],
  "C, float16": [{ attention: "concatenated", type: "float16" }, 1e-2],
  "no rotation": [{ rotary: "none" }, 1e-5],
};

for (const [name, [options, bound, data = []]] of Object.entries(FAMILIES)) {
  Deno.test(`loadModel() takes an export: ${name}`, async () => {
    const e = makeExport(options);
    await using folder = await temporaryFolder();
    await Deno.mkdir(`${folder.path}/onnx`);
    for (const [file, content] of Object.entries(exportFiles(e, { data }))) {
      if (typeof content === "string") await Deno.writeTextFile(`${folder.path}/${file}`, content);
      else await Deno.writeFile(`${folder.path}/${file}`, content);
    }
    await using model = await loadModel(folder.path);
    assertEquals(model.config.vocabularySize, e.options.vocabulary);
    const one = await prompts(model, e);
    const many = e.options.head === "last" ? 0 : await batches(model, e);
    if (Deno.env.has("SHOW")) console.log(name, model.dtype, one, many);
    assertLess(one, bound);
    assertLess(many, bound);
  });
}
