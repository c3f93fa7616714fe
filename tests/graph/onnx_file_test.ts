import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { encodeGraph, encodeModel, type Graph, parseModel } from "@moi/moi/graph";
import { createSession, tensor } from "@moi/moi/runtime";
import { makeExport, withExternalData } from "./_exports.ts";

/** A field of a message: varint for numbers, length-delimited for the rest. */
function field(no: number, value: number | string | readonly number[]): number[] {
  const varint = (n: number): number[] => n > 127 ? [n & 127 | 128, ...varint(n >>> 7)] : [n];
  if (typeof value === "number") return [...varint(no << 3), ...varint(value)];
  const bytes = typeof value === "string" ? [...new TextEncoder().encode(value)] : value;
  return [...varint(no << 3 | 2), ...varint(bytes.length), ...bytes];
}

const fileOf = (graph: readonly number[], ...rest: readonly number[][]) =>
  Uint8Array.from([...field(1, 10), ...field(7, graph), ...field(8, field(2, 21)), ...rest.flat()]);

const node = (op: string, inputs: string[], outputs: string[], ...rest: number[][]) =>
  field(1, [
    ...inputs.flatMap((name) => field(1, name)),
    ...outputs.flatMap((name) => field(2, name)),
    ...field(4, op),
    ...rest.flat(),
  ]);

const value = (no: number, name: string) =>
  field(no, [
    ...field(1, name),
    ...field(2, field(1, [...field(1, 1), ...field(2, field(1, field(2, "n")))])),
  ]);

Deno.test("parseModel() and encodeModel() keep all that encodeGraph() writes", () => {
  for (const options of [{}, { bits: 4, embedding: "blocks" }, { type: "float16" }] as const) {
    const { graph } = makeExport(options), file = encodeGraph(graph);
    const model = parseModel(file, "f");
    assertEquals(model.graph.nodes.map(({ op }) => op), graph.nodes.map(({ op }) => op));
    assertEquals(
      model.graph.initializers.map(({ name }) => name),
      graph.initializers.map(({ name }) => name),
    );
    const again = parseModel(encodeModel(model), "g");
    assertEquals(again.graph.nodes, model.graph.nodes);
    assertEquals(again.graph.initializers, model.graph.initializers);
    assertEquals(again.graph.inputs, model.graph.inputs);
    assertEquals(again.graph.outputs, model.graph.outputs);
    assertEquals(again.opsets, model.opsets);
  }
});

Deno.test("encodeModel() of what was read runs and gives the same numbers", async () => {
  const file = fileOf([
    ...node("Mul", ["x", "w"], ["y"]),
    ...field(5, [
      ...field(1, 2),
      ...field(2, 1),
      ...field(8, "w"),
      ...field(9, [
        ...new Uint8Array(Float32Array.of(2, 3).buffer),
      ]),
    ]),
    ...value(11, "x"),
    ...value(12, "y"),
  ]);
  for (const bytes of [file, encodeModel(parseModel(file, "f"))]) {
    using session = await createSession(bytes);
    const y = new Float32Array(2);
    using input = tensor(Float32Array.of(5, 7), [2]);
    using output = tensor(y, [2]);
    using binding = session.bind({ x: input }, { y: output });
    binding.run();
    assertEquals([...y], [10, 21]);
  }
});

Deno.test("encodeModel() keeps fields that nobody understands, at every level", () => {
  const remark = (no: number, text: string) => field(no, text);
  const file = fileOf(
    [
      ...node(
        "Abs",
        ["x"],
        ["y"],
        remark(3, "its name"),
        remark(99, "of the node"),
        field(5, [
          ...field(1, "strange"),
          ...field(77, "of the attribute"),
        ]),
      ),
      ...field(5, [
        ...field(1, 0),
        ...field(2, 1),
        ...field(8, "w"),
        ...field(88, "of the tensor"),
      ]),
      ...value(11, "x"),
      ...value(12, "y"),
      ...field(13, field(1, "shape of y")),
      ...remark(2, "the graph's name"),
      ...remark(66, "of the graph"),
    ],
    remark(55, "of the model"),
    field(14, [...field(1, "key"), ...field(2, "metadata")]),
  );
  const model = parseModel(file, "f");
  const text = new TextDecoder().decode(encodeModel(model));
  for (
    const words of [
      "its name",
      "of the node",
      "of the attribute",
      "of the tensor",
      "shape of y",
      "the graph's name",
      "of the graph",
      "of the model",
      "metadata",
    ]
  ) assert(text.includes(words), words);
});

Deno.test("parseModel() keeps the elements of tensors as views of the file", () => {
  const file = encodeGraph(makeExport().graph);
  const { data } = parseModel(file, "f").graph.initializers.find(({ name }) =>
    name === "lm_head.MatMul.weight"
  )!;
  assert(data instanceof Uint8Array);
  assertStrictEquals(data.buffer, file.buffer);
});

Deno.test("parseModel() tells where external elements lie and reads none", () => {
  const { graph, files } = withExternalData(makeExport().graph, ["a.data", "b.data"]);
  const { initializers } = parseModel(encodeGraph(graph), "f").graph;
  const external = initializers.flatMap(({ data }) => data instanceof Uint8Array ? [] : [data]);
  assert(external.length > 10);
  assertEquals(new Set(external.map(({ location }) => location)), new Set(Object.keys(files)));
  for (const { location, offset, length } of external) {
    assert(offset + length <= files[location]!.length);
  }
});

Deno.test("parseModel() reads dimensions that are packed and those that are not", () => {
  for (const dims of [[...field(1, 2), ...field(1, 3)], field(1, [2, 3])]) {
    const tensor = [...dims, ...field(2, 2), ...field(8, "w"), ...field(9, [1, 2, 3, 4, 5, 6])];
    const { initializers } = parseModel(fileOf(field(5, tensor)), "f").graph;
    assertEquals(initializers[0]!.dims, [2, 3]);
  }
});

Deno.test("parseModel() reads integers in fields of their own", () => {
  const tensor = [...field(1, 2), ...field(2, 7), ...field(8, "w"), ...field(7, [5, 6])];
  const [read] = parseModel(fileOf(field(5, tensor)), "f").graph.initializers;
  const { buffer } = read!.data as Uint8Array<ArrayBuffer>;
  assertEquals([...new BigInt64Array(buffer)], [5n, 6n]);
});

Deno.test("parseModel() reads attributes of every kind in use", () => {
  const file = encodeGraph({
    nodes: [{
      op: "X",
      domain: "com.microsoft",
      inputs: ["a", "", "b"],
      outputs: ["y"],
      attributes: { i: { int: -3 }, f: { float: 0.5 }, s: { text: "größe" } },
    }],
    initializers: [],
    inputs: [],
    outputs: [],
  });
  const [read] = parseModel(file, "f").graph.nodes;
  assertEquals([read!.domain, read!.inputs, read!.outputs], ["com.microsoft", ["a", "", "b"], [
    "y",
  ]]);
  const { i, f, s } = read!.attributes;
  assertEquals([i, f, s], [{ int: -3 }, { float: 0.5 }, { text: "größe" }]);
});

Deno.test("parts that are made are read as they were meant", () => {
  const graph: Graph = {
    name: "g",
    nodes: [{
      name: "n",
      op: "Op",
      domain: "d",
      inputs: ["x"],
      outputs: ["y"],
      attributes: { a: { int: -1 }, b: { float: 2 }, c: { text: "t" } },
    }],
    initializers: [
      { name: "w", type: "float32", dims: [1], data: new Uint8Array(4) },
      {
        name: "o",
        type: "float32",
        dims: [5],
        data: { location: "f", offset: 7, length: 20 },
      },
    ],
    inputs: [{ name: "x", type: "int64", dims: ["n", 3] }],
    outputs: [{ name: "y", type: "float16", dims: [] }, {
      name: "z",
      type: "bool",
      dims: undefined,
    }],
    shapes: [],
  };
  const opsets = new Map([["", 21], ["d", 3]]);
  const read = parseModel(encodeModel({ opsets, graph, version: 9, producer: "p" }), "f");
  assertEquals(read, { opsets, graph, version: 9, producer: "p", rest: [] });
});

Deno.test("encodeModel() writes an edited part as it is now, the others as they were read", () => {
  const large = 2n ** 62n + 1n; // no number
  const varint = (n: bigint): number[] =>
    n > 127n ? [Number(n & 127n) | 128, ...varint(n >> 7n)] : [Number(n)];
  const attribute = field(5, [...field(1, "a"), 3 << 3, ...varint(large), ...field(20, 2)]);
  const file = fileOf([
    ...node("Op", ["x"], ["y"], attribute, field(99, "of the node")),
    ...value(11, "x"),
    ...value(12, "y"),
  ]);
  const { graph, ...model } = parseModel(file, "f");
  const nodes = graph.nodes.map((node) => ({ ...node, inputs: ["x", "x"] }));
  const edited = encodeModel({ ...model, graph: { ...graph, nodes } });
  assertEquals(parseModel(edited, "g").graph.nodes[0]!.inputs, ["x", "x"]);
  const hex = (bytes: ArrayLike<number>) =>
    Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  assert(hex(edited).includes(hex(attribute)));
  assert(new TextDecoder().decode(edited).includes("of the node"));
});

Deno.test("parseModel() refuses what is no ONNX file, with the file's name", () => {
  const cases: [string, Uint8Array, string][] = [
    ["empty", Uint8Array.of(), "it has no graph"],
    ["cut off", encodeGraph(makeExport().graph).slice(0, 5000), "is it cut off?"],
    ["text", new TextEncoder().encode("<html>"), ""],
    ["bad UTF-8", fileOf(node("Abs", [], ["y"], [1 << 3 | 2, 1, 0xff])), ""],
    ["a name of a megabyte", fileOf(node("A".repeat(1 << 20), [], ["y"])), "is a name of"],
    ["no operator", fileOf(field(1, field(2, "y"))), "a node has no operator"],
    ["a constant without a name", fileOf(field(5, field(2, 1))), ""],
    ["sparse constants", fileOf(field(15, "")), "sparse constants"],
    ["a constant in segments", fileOf(field(5, [...field(3, ""), ...field(8, "w")])), "a segment"],
  ];
  for (const [what, file, words] of cases) {
    const error = assertThrows(() => parseModel(file, "some.onnx"), SyntaxError, words);
    assert(error.message.startsWith("Cannot read some.onnx as "), `${what}: ${error.message}`);
  }
});

Deno.test("parseModel() refuses what would take memory without end, before it takes any", () => {
  const nodes = new Uint8Array(2 * 5_000_000).map((_, i) => i % 2 ? 0 : 0x0a);
  const length = [0x80 | nodes.length & 127, 0x80 | nodes.length >> 7 & 127];
  const rest = [0x80 | nodes.length >> 14 & 127, nodes.length >> 21];
  const file = Uint8Array.from([7 << 3 | 2, ...length, ...rest, ...nodes]);
  assertThrows(() => parseModel(file, "f"), SyntaxError, "more than 4194304 fields");
  const overrun = field(7, [1 << 3 | 2, 9, 4 << 3 | 2, 1, 65]); // a node longer than its graph
  assertThrows(
    () => parseModel(Uint8Array.from([...overrun, ...overrun]), "f"),
    SyntaxError,
    "cut",
  );
  const mistyped = fileOf(field(1, [4 << 3, 1]));
  assertThrows(() => parseModel(mistyped, "f"), SyntaxError, "has wire type 0 where 2 is due");
});

Deno.test("parseModel() refuses external data within nodes, wherever it is", () => {
  const tensor = [
    ...field(1, 1),
    ...field(2, 1),
    ...field(13, [...field(1, "location"), ...field(2, "f")]),
    ...field(14, 1),
  ];
  for (const no of [5, 10]) {
    const file = fileOf(
      node("Constant", [], ["y"], field(5, [...field(1, "v"), ...field(no, tensor)])),
    );
    assertThrows(() => parseModel(file, "f"), SyntaxError, "must not lie in an external file");
  }
  const inner = field(5, [...tensor, ...field(8, "w")]);
  const nested = fileOf(node("If", ["c"], ["y"], field(5, [...field(1, "g"), ...field(6, inner)])));
  assertThrows(() => parseModel(nested, "f"), SyntaxError, "must not lie in an external file");
});
