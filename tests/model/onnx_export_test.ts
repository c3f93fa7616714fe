import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import {
  encodeGraph,
  encodeModel,
  type Graph,
  type Initializer,
  type Node,
  parseModel,
  type TensorType,
} from "@moi/moi/graph";
import {
  forward,
  type Input,
  loadModel,
  type LoadOptions,
  type Mixture,
  type Model,
} from "@moi/moi/model";
import { allocate, createSession, tensor, tensorIn } from "@moi/moi/runtime";
import { exportFiles, type ExportOptions, makeExport, type TestExport } from "../graph/_exports.ts";
import { temporaryFolder } from "../_temporary.ts";
import { checkpoint, maxDifference, randomNumbers } from "../golden/golden.ts";
import { deno } from "../_process.ts";

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
    } else all[name] = tensorIn(memory(4), 0, type, [1, dims![1] as number, 0, headDim]);
    scope.use(all[name]!);
  }
  const rows = head === "last" ? 1 : S, logits = memory(rows * V * width);
  const outputs = Object.fromEntries(graph.outputs.map(({ name, dims }) => {
    if (name === "logits") return [name, scope.use(tensorIn(logits, 0, type, [1, rows, V]))];
    const shape = [1, dims![1] as number, S, headDim];
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
  await cache.copy(1, 4, lengths[1]!);
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
    assertLess(one, bound);
    assertLess(many, bound);
  });
}

const SMALL = { layers: 1, vocabulary: 40 } as const;

async function refused(
  files: Readonly<Record<string, string | Uint8Array>>,
  kind: typeof SyntaxError | typeof RangeError | typeof Deno.errors.NotFound,
  words: string,
  options: LoadOptions = {},
): Promise<void> {
  await using folder = await temporaryFolder(files);
  await assertRejects(() => loadModel(folder.path, options), kind, words);
}

/** An export with its graph changed. */
function changed(
  options: ExportOptions,
  change: (graph: Graph) => Partial<Graph>,
): Record<string, string | Uint8Array> {
  const e = makeExport({ ...SMALL, ...options });
  return exportFiles({ ...e, graph: { ...e.graph, ...change(e.graph) } });
}

const nodeChanged = (graph: Graph, op: string, change: (node: Node) => Partial<Node>) => ({
  nodes: graph.nodes.map((node) => node.op === op ? { ...node, ...change(node) } : node),
});

Deno.test("loadModel() chooses among exports by dtype", async () => {
  const exact = makeExport(SMALL), rough = makeExport({ ...SMALL, bits: 4 });
  await using folder = await temporaryFolder({
    ...exportFiles(rough, { suffix: "_q4" }),
    ...exportFiles(exact),
  });
  for (const [dtype, expected] of [["auto", "fp32"], ["fp32", "fp32"], ["int4", "int4"]] as const) {
    await using model = await loadModel(folder.path, { dtype });
    assertEquals(model.dtype, expected);
  }
  const choice =
    "'dtype' must choose one of the exports that are there (model.onnx, model_q4.onnx)";
  await assertRejects(() => loadModel(folder.path, { dtype: "int8" }), RangeError, choice);
});

Deno.test("loadModel() takes the only export, whatever its suffix, and tells what it is", async () => {
  for (const prefix of ["onnx/", ""]) {
    await using folder = await temporaryFolder(
      exportFiles(makeExport({ ...SMALL, bits: 8 }), { suffix: "_quantized", prefix }),
    );
    await using model = await loadModel(folder.path);
    assertEquals(model.dtype, "int8");
    await assertRejects(
      () => loadModel(folder.path, { dtype: "fp32" }),
      RangeError,
      "'dtype' must be 'int8' or 'auto' for model_quantized.onnx",
    );
  }
});

Deno.test("loadModel() does not choose among several exports without fp32", async () => {
  const e = makeExport({ ...SMALL, bits: 4 });
  await refused(
    { ...exportFiles(e, { suffix: "_q4" }), ...exportFiles(e, { suffix: "_q4f16" }) },
    RangeError,
    "(model_q4.onnx, model_q4f16.onnx)",
  );
});

Deno.test("a safetensors checkpoint wins over an export", async () => {
  const e = exportFiles(makeExport(SMALL));
  await using folder = await checkpoint({}, {});
  await Deno.mkdir(`${folder.path}/onnx`);
  await Deno.writeFile(`${folder.path}/onnx/model.onnx`, e["onnx/model.onnx"] as Uint8Array);
  await using model = await loadModel(folder.path);
  assertEquals(model.config.vocabularySize, 384);
});

Deno.test("an export does not need an architecture that is built here", async () => {
  await using folder = await temporaryFolder(exportFiles(makeExport(SMALL)));
  await using model = await loadModel(folder.path);
  assertEquals(model.config.architecture, "test");
  assertEquals([model.config.hiddenSize, model.config.layers, model.config.headDim], [32, 1, 16]);
  assertEquals(model.maxLength, 64);
  await assertRejects(() => loadModel(folder.path, { maxLength: 65 }), RangeError, "at most 64");
  await using short = await loadModel(folder.path, { maxLength: 3 });
  assertEquals((await forward(short, [1, 2, 3])).length, 3);
});

Deno.test("a disposed or refused export leaves no memory mapped", async () => {
  const maps = async () =>
    (await Deno.readTextFile("/proc/self/maps")).split("\n").filter((l) => l.includes(".onnx"));
  await using folder = await temporaryFolder(
    exportFiles(makeExport(SMALL), { data: ["model.onnx_data"] }),
  );
  for (let i = 0; i < 3; i++) {
    await using model = await loadModel(folder.path);
    assert((await maps()).length >= 2);
    assertEquals(model.dtype, "fp32");
  }
  await assertRejects(() => loadModel(folder.path, { maxLength: 1000 }), RangeError);
  await Deno.writeTextFile(`${folder.path}/config.json`, '{"hidden_size":33}');
  await assertRejects(() => loadModel(folder.path), SyntaxError, "'hidden_size'");
  assertEquals(await maps(), []);
});

Deno.test("loadModel() refuses exports that cannot be cut, with the reason", async () => {
  const cut = "Cannot cut the export at its embedding as ";
  const no = (files: Record<string, string | Uint8Array>, words: string) =>
    refused(files, SyntaxError, cut + words);
  await no(
    changed({}, (g) => ({
      inputs: g.inputs.filter(({ name }) => !name.startsWith("past")),
      outputs: g.outputs.slice(0, 1),
      nodes: g.nodes.map((n) =>
        n.op === "GroupQueryAttention"
          ? { ...n, inputs: n.inputs.map((name) => name.startsWith("past") ? "" : name) }
          : n
      ),
    })),
    "it has no cache",
  );
  await no(
    changed({}, (g) => ({
      nodes: [...g.nodes, {
        op: "Cast",
        domain: "",
        inputs: ["input_ids"],
        outputs: ["c"],
        attributes: { to: { int: 1 } },
      }, {
        op: "Mul",
        domain: "",
        inputs: ["c", "c"],
        outputs: ["unused"],
        attributes: {},
      }],
    })),
    "'input_ids' is also used by Mul",
  );
  await no(
    changed({}, (g) => ({
      inputs: [...g.inputs, { name: "pixel_values", type: "float32", dims: [1] }],
      nodes: g.nodes.map((n) =>
        n.op === "Identity" ? { ...n, op: "Add", inputs: [n.inputs[0]!, "pixel_values"] } : n
      ),
    })),
    'its input "pixel_values" is none that this version can supply',
  );
  await no(
    changed({}, (g) => ({
      outputs: g.outputs.map((o) => o.name === "logits" ? { ...o, dims: ["b", 1, 40] } : o),
      nodes: g.nodes.map((n) =>
        n.op === "Identity"
          ? {
            ...n,
            op: "ReduceMax",
            attributes: { keepdims: { int: 1 } },
            inputs: [n.inputs[0]!, "i1_1"],
          }
          : n
      ),
    })),
    "its logits are those of the last position alone",
  );
  await no(
    changed({}, (g) =>
      nodeChanged(g, "GroupQueryAttention", (n) => ({
        attributes: { ...n.attributes, sliding_window_cache: { int: 1 } },
      }))),
    "its cache holds a window only",
  );
  await no(
    changed({}, (g) => ({
      inputs: g.inputs.map((v) => v.name.startsWith("past") ? { ...v, type: "int8" as const } : v),
    })),
    "its cache must be float32 or float16 throughout",
  );
  await no(
    changed(
      {},
      (g) =>
        nodeChanged(
          g,
          "Gather",
          (n) => n.inputs[1] === "input_ids" ? { attributes: { axis: { int: 1 } } } : {},
        ),
    ),
    "the embedding must be a lookup of rows",
  );
  const apart = exportFiles(makeExport({ ...SMALL, embedding: "embeds" }));
  delete apart["onnx/embed_tokens.onnx"];
  await refused(
    apart,
    Deno.errors.NotFound,
    "must have one embed_tokens.onnx beside it: found none",
  );
});

Deno.test("loadModel() refuses an export whose cut graph has other logits, with the difference", async () => {
  // rotates by the distance from the end, which a cache cannot keep: keys change at every step
  await refused(
    changed({ rotary: "nodes" }, (g) => ({
      nodes: [
        { op: "Shape", domain: "", inputs: ["attention_mask"], outputs: ["s"], attributes: {} },
        { op: "Gather", domain: "", inputs: ["s", "i1_1"], outputs: ["t"], attributes: {} },
        {
          op: "Sub",
          domain: "",
          inputs: ["t", "position_ids"],
          outputs: ["turned"],
          attributes: {},
        },
        ...g.nodes.map((n) =>
          n.op === "RotaryEmbedding"
            ? { ...n, inputs: n.inputs.map((name) => name === "position_ids" ? "turned" : name) }
            : n
        ),
      ],
    })),
    SyntaxError,
    "logits after a step of the graph cut at its embedding must equal the export's own within 0.0001",
  );
});

Deno.test("loadModel() refuses an export with weights that are no numbers", async () => {
  for (const name of ["model.embed_tokens.weight", "lm_head.MatMul.weight"]) {
    await refused(
      changed({}, (g) => ({
        initializers: g.initializers.map((t) =>
          t.name === name
            ? {
              ...t,
              data: new Uint8Array(new Float32Array(t.dims[0]! * t.dims[1]!).fill(NaN).buffer),
            }
            : t
        ),
      })),
      SyntaxError,
      "the difference is NaN",
    );
  }
});

/** A message of one field. */
const field = (no: number, wire: number, ...bytes: number[]) => [(no << 3) | wire, ...bytes];

/** Damaged exports by what was done to them. */
function damaged(): Record<string, Record<string, string | Uint8Array>> {
  const cases: Record<string, Record<string, string | Uint8Array>> = {};
  const e = makeExport({ ...SMALL, rotary: "nodes" }), sound = exportFiles(e);
  const file = sound["onnx/model.onnx"] as Uint8Array;
  const put = (name: string, bytes: Uint8Array) =>
    cases[name] = { ...sound, "onnx/model.onnx": bytes };
  for (let i = 0; i < 24; i++) {
    const at = Math.floor(file.length * i / 24);
    put(`truncated at ${at}`, file.slice(0, at || 1));
  }
  const numbers = (name: string, ...bytes: number[]) => put(name, Uint8Array.from(bytes));
  numbers("a length of 4 GiB", ...field(7, 2, 0xff, 0xff, 0xff, 0xff, 0x0f));
  numbers("a length that does not end", ...field(7, 2, ...Array(12).fill(0xff)));
  numbers("a varint that does not end", ...field(1, 0, ...Array(12).fill(0xff)));
  numbers("a group", ...field(3, 3, ...Array(1000).fill((3 << 3) | 3)));
  numbers("wire type 6", ...field(3, 6, 0));
  numbers("field 0", 0, 0);
  numbers("no graph", ...field(1, 0, 10));
  put("text", new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\n"));
  put("zeros", new Uint8Array(1000));
  put("two graphs", Uint8Array.from([...file, ...field(7, 2, 0)]));
  // a graph in an attribute of a node of a graph, a thousand deep
  let deep = Uint8Array.of();
  const wrap = (no: number, inner: Uint8Array) => {
    const length: number[] = [];
    for (let rest = inner.length; length.length === 0 || rest > 0; rest >>>= 7) {
      length.push((rest & 127) | (rest > 127 ? 128 : 0));
    }
    return Uint8Array.from([(no << 3) | 2, ...length, ...inner]);
  };
  for (let i = 0; i < 1000; i++) {
    deep = wrap(1, Uint8Array.from([...wrap(4, Uint8Array.of(73)), ...wrap(5, wrap(6, deep))]));
  }
  put("graphs nested a thousand deep", wrap(7, deep));

  const model = parseModel(file, "model.onnx");
  const edit = (name: string, change: Partial<Graph>) =>
    put(name, encodeModel({ ...model, graph: { ...model.graph, ...change } }));
  const tensors = model.graph.initializers;
  const withTensor = (
    name: string,
    target: string,
    type: TensorType,
    dims: readonly number[],
    data: Initializer["data"],
  ) =>
    edit(name, {
      initializers: tensors.map((tensor) =>
        tensor.name === target ? { name: target, type, dims, data } : tensor
      ),
    });
  const TABLE = "model.embed_tokens.weight", NORM = "model.norm.weight";
  const raw = (bytes: number) => new Uint8Array(bytes);
  withTensor("a negative size", TABLE, "float32", [-40, -32], raw(40 * 32 * 4));
  withTensor("a size of 2⁶²", TABLE, "float32", [2 ** 62, 1], raw(16));
  withTensor(
    "sizes whose product overflows",
    TABLE,
    "float32",
    [2 ** 32, 2 ** 32, 2 ** 32],
    raw(16),
  );
  withTensor("a size of 0", TABLE, "float32", [0, 32], raw(0));
  withTensor("too few bytes", TABLE, "float32", [40, 32], raw(40 * 32 * 4 - 1));
  withTensor("too many bytes", TABLE, "float32", [40, 32], raw(40 * 32 * 4 + 4));
  withTensor("a hundred dimensions", TABLE, "float32", Array(100).fill(1), raw(4));
  withTensor("an unknown type", TABLE, "unknown" as TensorType, [40, 32], raw(40 * 32 * 4));
  withTensor("text as weights", TABLE, "string", [40, 32], raw(40 * 32 * 4));
  withTensor("a table of int64", TABLE, "int64", [40, 32], raw(40 * 32 * 8));
  withTensor("a table of bfloat16", TABLE, "bfloat16", [40, 32], raw(40 * 32 * 2));
  withTensor("a table of one dimension", TABLE, "float32", [1280], raw(40 * 32 * 4));
  withTensor("a table with fewer rows", TABLE, "float32", [39, 32], raw(39 * 32 * 4));
  withTensor("a table of another width", TABLE, "float32", [40, 31], raw(40 * 31 * 4));
  withTensor("a norm of another width", NORM, "float32", [31], raw(31 * 4));
  withTensor("a norm of float16", NORM, "float16", [32], raw(64));
  withTensor("a cosine table of another width", "cos_cache", "float32", [64, 6], raw(64 * 6 * 4));
  withTensor("a short sine table", "sin_cache", "float32", [2, 8], raw(64));
  withTensor("numbers without elements", TABLE, "float32", [2 ** 40, 32], raw(0));
  for (const name of [TABLE, NORM, "cos_cache", "lm_head.MatMul.weight"]) {
    edit(`without ${name}`, {
      initializers: tensors.filter((tensor) => tensor.name !== name),
    });
  }
  const outside = (name: string, location: string, offset = 0, dims = [40, 32]) =>
    withTensor(name, TABLE, "float32", dims, {
      location,
      offset,
      length: 4 * dims.reduce((a, b) => a * b),
    });
  outside("external data in the parent folder", "../config.json");
  outside("external data by an absolute path", "/etc/passwd");
  outside("external data in a folder", "a/b");
  outside("external data by a Windows path", "..\\config.json");
  outside("external data by a drive", "C:data");
  outside("external data of no name", "");
  outside("external data named ..", "..");
  outside("external data with a NUL", "model\0.onnx");
  outside("external data that is missing", "model.onnx_data");
  outside("external data past the end", "model.onnx", file.length - 8);
  outside("external data far past the end", "model.onnx", 2 ** 52);
  outside("external data of a negative offset", "model.onnx", -8);
  outside("external data of a huge shape", "model.onnx", 0, [2 ** 40, 32]);

  const { nodes, inputs, outputs } = model.graph;
  const swap = (op: string, change: (node: Node) => Partial<Node>) =>
    nodes.map((node) => node.op === op ? { ...node, ...change(node) } : node);
  const residual = nodes.findIndex(({ op }) => op === "Add");
  edit("a cycle", {
    nodes: nodes.map((node, i) =>
      i === residual ? { ...node, inputs: [node.inputs[0]!, nodes.at(-2)!.outputs[0]!] } : node
    ),
  });
  edit("a node that reads itself", {
    nodes: swap("Sigmoid", (node) => ({ inputs: node.outputs })),
  });
  edit("a value computed twice", { nodes: [...nodes, nodes[0]!] });
  edit("an input that nothing gives", { nodes: swap("Sigmoid", () => ({ inputs: ["nowhere"] })) });
  edit("an unknown operator", { nodes: swap("Sigmoid", () => ({ op: "Sigmoidal" })) });
  edit("an unknown domain", { nodes: swap("Sigmoid", () => ({ domain: "evil" })) });
  edit("no nodes", { nodes: [] });
  edit("no outputs", { outputs: [] });
  edit("no inputs", { inputs: [] });
  edit("no logits", { outputs: outputs.slice(1) });
  edit("one cache missing", {
    inputs: inputs.filter(({ name }) => name !== "past_key_values.0.key"),
  });
  edit("a cache without an output", {
    outputs: outputs.filter(({ name }) => name !== "present.0.key"),
  });
  const cache = (dims: (number | string)[]) =>
    inputs.map((value) =>
      value.name.startsWith("past") ? { ...value, type: "float32" as const, dims } : value
    );
  edit("a cache of three dimensions", { inputs: cache(["b", 2, 16]) });
  edit("a cache of no heads", { inputs: cache(["b", 0, "p", 16]) });
  edit("a cache of negative width", { inputs: cache(["b", 2, "p", -16]) });
  edit("a cache of a huge width", { inputs: cache(["b", 2, "p", 2 ** 40]) });
  edit("a cache of other heads", { inputs: cache(["b", 4, "p", 16]) });
  edit("a cache of another width", { inputs: cache(["b", 2, "p", 32]) });
  const attribute = (op: string, name: string, value: number) =>
    edit(`${op} with ${name} ${value}`, {
      nodes: swap(op, ({ attributes }) => ({
        attributes: { ...attributes, [name]: { int: value } },
      })),
    });
  for (const value of [0, -1, 3, 2 ** 40]) attribute("GroupQueryAttention", "num_heads", value);
  for (const value of [0, -2, 3, 2 ** 40]) attribute("GroupQueryAttention", "kv_num_heads", value);
  attribute("SimplifiedLayerNormalization", "axis", 9);
  for (const opset of [0, 1, 12, 99]) {
    put(
      `operator set ${opset}`,
      encodeModel({ ...model, opsets: new Map([["", opset], ["com.microsoft", 1]]) }),
    );
  }

  const q = makeExport({ ...SMALL, bits: 4, embedding: "blocks" });
  const packed = parseModel(exportFiles(q)["onnx/model.onnx"] as Uint8Array, "q");
  const quantized = (name: string, op: string, key: string, value: number) => {
    const nodes = packed.graph.nodes.map((node) =>
      node.op === op
        ? {
          ...node,
          attributes: { ...node.attributes, [key]: { int: value } },
        }
        : node
    );
    put(name, encodeModel({ ...packed, graph: { ...packed.graph, nodes } }));
  };
  for (
    const [key, values] of Object.entries({
      N: [0, 33, 2 ** 30],
      K: [-1, 4096],
      block_size: [0, 32],
      bits: [0, 3, 8],
    })
  ) {
    for (const value of values) {
      quantized(`MatMulNBits with ${key} ${value}`, "MatMulNBits", key, value);
    }
  }
  for (const value of [0, 7, 2 ** 40]) {
    quantized(
      `GatherBlockQuantized of blocks of ${value}`,
      "GatherBlockQuantized",
      "block_size",
      value,
    );
  }
  quantized("GatherBlockQuantized of 8 bits", "GatherBlockQuantized", "bits", 8);
  cases["config.json that contradicts the graph"] = {
    ...sound,
    "config.json": '{"hidden_size": 7}',
  };
  cases["config.json that is no object"] = { ...sound, "config.json": "[]" };
  cases["an empty file"] = { ...sound, "onnx/model.onnx": new Uint8Array(0) };
  return cases;
}

/** Loads folders in a process of its own. */
async function loadApart(folders: readonly string[]) {
  const own = ["run", "-A", "--no-check", "--quiet", "tests/model/_load_process.ts"];
  const { code, stdout, stderr } = await deno([...own, ...folders]);
  assertEquals(code, 0, `the process ended: ${stderr}\n${stdout.slice(-500)}`);
  return stdout.trim().split("\n").map((line) =>
    JSON.parse(line) as { folder: string; ms: number; name?: string; message?: string }
  );
}

Deno.test("loadModel() refuses damaged exports with a clear error, within a second, and lives on", async () => {
  await using all = await temporaryFolder({});
  const cases = Object.entries(damaged()), folders: string[] = [];
  assert(cases.length >= 60);
  for (const [i, [, files]] of cases.entries()) {
    const folder = `${all.path}/${i}`;
    await Deno.mkdir(`${folder}/onnx`, { recursive: true });
    for (const [file, content] of Object.entries(files)) {
      if (typeof content === "string") await Deno.writeTextFile(`${folder}/${file}`, content);
      else await Deno.writeFile(`${folder}/${file}`, content);
    }
    folders.push(folder);
  }
  const found = await loadApart(folders);
  assertEquals(found.length, cases.length);
  for (const [i, { ms, name, message }] of found.entries()) {
    const what = `${cases[i]![0]}: ${name}: ${message}`;
    assert(name !== undefined, `${cases[i]![0]} was loaded`);
    assert(["SyntaxError", "RangeError", "NotFound"].includes(name), what);
    assertMatch(message!, /^Cannot .* as |^Cannot map /, what);
    assertLess(ms, 1000, what);
  }
});
