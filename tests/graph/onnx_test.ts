import { assertEquals, assertRejects } from "@std/assert";
import { encodeGraph, type Graph, graphBuilder, type Node } from "@moi/moi/graph";
import { allocate, createSession, ELEMENT_TYPES, OrtError } from "@moi/moi/runtime";
import { evaluate } from "./_evaluate.ts";

const node = (
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Node["attributes"] = {},
  domain: Node["domain"] = "",
): Node => ({ op, domain, inputs, outputs, attributes });

/** A graph from x of a shape to y of a shape. */
const graphOf = (
  nodes: Node[],
  dims: (number | string)[] = ["n"],
  initializers: Graph["initializers"] = [],
): Graph => ({
  nodes,
  initializers,
  inputs: [{ name: "x", type: "float32", dims }],
  outputs: [{ name: "y", type: "float32", dims: dims.map((_, i) => `y${i}`) }],
});

const bytes = (data: Float32Array | BigInt64Array) => new Uint8Array(data.buffer.slice(0));

Deno.test("encodeGraph() writes a graph without attributes", async () => {
  const x = new Float32Array([-1, 2]);
  const { y } = await evaluate(graphOf([node("Abs", ["x"], ["y"])]), { x: [x, [2]] }, { y: [2] });
  assertEquals([...y], [1, 2]);
});

Deno.test("encodeGraph() writes integer attributes, negative ones too", async () => {
  for (
    const [axis, expected] of [[-1, [1, 3, 3, 7]], [1, [1, 3, 3, 7]], [0, [1, 2, 4, 6]]] as const
  ) {
    const graph = graphOf(
      [node("CumSum", ["x", "axis"], ["y"], { exclusive: { int: 0 } })],
      [2, 2],
      [{ name: "axis", type: "int64", dims: [], data: bytes(BigInt64Array.of(BigInt(axis))) }],
    );
    const { y } = await evaluate(graph, { x: [new Float32Array([1, 2, 3, 4]), [2, 2]] }, {
      y: [2, 2],
    });
    assertEquals([...y], [...expected]);
  }
  const graph = graphOf([node("Softmax", ["x"], ["y"], { axis: { int: -2 } })], [2, 1]);
  const { y } = await evaluate(graph, { x: [new Float32Array([1, 1]), [2, 1]] }, { y: [2, 1] });
  assertEquals([...y], [0.5, 0.5]);
});

Deno.test("encodeGraph() writes float attributes", async () => {
  const graph = graphOf([node("LeakyRelu", ["x"], ["y"], { alpha: { float: 0.25 } })]);
  const { y } = await evaluate(graph, { x: [new Float32Array([-4, 4]), [2]] }, { y: [2] });
  assertEquals([...y], [-1, 4]);
});

Deno.test("encodeGraph() writes text attributes", async () => {
  for (
    const [reduction, expected] of [["add", [11, 2]], ["mul", [10, 2]], ["none", [10, 2]]] as const
  ) {
    const graph = graphOf(
      [node("ScatterElements", ["x", "i", "u"], ["y"], {
        axis: { int: 0 },
        reduction: { text: reduction },
      })],
      ["n"],
      [
        { name: "i", type: "int64", dims: [1], data: bytes(BigInt64Array.of(0n)) },
        { name: "u", type: "float32", dims: [1], data: bytes(Float32Array.of(10)) },
      ],
    );
    const { y } = await evaluate(graph, { x: [new Float32Array([1, 2]), [2]] }, { y: [2] });
    assertEquals([...y], [...expected], reduction);
  }
});

Deno.test("encodeGraph() leaves out optional inputs and outputs by an empty name", async () => {
  const clip = graphOf(
    [node("Clip", ["x", "", "max"], ["y"])],
    ["n"],
    [{ name: "max", type: "float32", dims: [], data: bytes(Float32Array.of(1)) }],
  );
  const { y } = await evaluate(clip, { x: [new Float32Array([-5, 5]), [2]] }, { y: [2] });
  assertEquals([...y], [-5, 1]);

  const skip = graphOf(
    [node(
      "SkipSimplifiedLayerNormalization",
      ["x", "x", "one"],
      ["normed", "", "", "y"],
      { epsilon: { float: 1e-6 } },
      "com.microsoft",
    )],
    [1, 2],
    [{ name: "one", type: "float32", dims: [2], data: bytes(Float32Array.of(1, 1)) }],
  );
  const { y: sum } = await evaluate(skip, { x: [new Float32Array([1, 2]), [1, 2]] }, { y: [1, 2] });
  assertEquals([...sum], [2, 4]);
});

Deno.test("encodeGraph() writes operators of the com.microsoft set", async () => {
  const graph = graphOf(
    [node("QuickGelu", ["x"], ["y"], { alpha: { float: 1 } }, "com.microsoft")],
  );
  const { y } = await evaluate(graph, { x: [new Float32Array([0, 20]), [2]] }, { y: [2] });
  assertEquals([...y], [0, 20]);
});

Deno.test("encodeGraph() writes constants of any shape, also a scalar and an empty one", async () => {
  const graph = graphOf(
    [node("Add", ["x", "s"], ["t"]), node("Concat", ["t", "none"], ["y"], { axis: { int: 0 } })],
    ["n"],
    [
      { name: "s", type: "float32", dims: [], data: bytes(Float32Array.of(0.5)) },
      { name: "none", type: "float32", dims: [0], data: new Uint8Array(0) },
    ],
  );
  const { y } = await evaluate(graph, { x: [new Float32Array([1]), [1]] }, { y: [1] });
  assertEquals([...y], [1.5]);
});

Deno.test("encodeGraph() writes large and negative integers", async () => {
  const graph: Graph = {
    nodes: [node("Cast", ["c"], ["t"], { to: { int: 1 } }), node("Mul", ["x", "t"], ["y"])],
    initializers: [{
      name: "c",
      type: "int64",
      dims: [3],
      data: bytes(BigInt64Array.of(-1n, 2n ** 40n, -(2n ** 62n))),
    }],
    inputs: [{ name: "x", type: "float32", dims: [1] }],
    outputs: [{ name: "y", type: "float32", dims: [3] }],
  };
  const { y } = await evaluate(graph, { x: [Float32Array.of(1), [1]] }, { y: [3] });
  assertEquals([...y], [-1, 2 ** 40, -(2 ** 62)]);
});

Deno.test("encodeGraph() writes external constants of every type in use", async () => {
  using memory = allocate(64);
  new Float32Array(memory.buffer, 0, 2).set([1, 2]);
  new BigInt64Array(memory.buffer, 8, 2).set([3n, 4n]);
  new Int32Array(memory.buffer, 24, 2).set([5, 6]);
  new Int8Array(memory.buffer, 32, 2).set([-7, 8]);
  new Uint8Array(memory.buffer, 34, 2).set([200, 9]);
  new Uint16Array(memory.buffer, 36, 2).set([0x3f80, 0xc000]); // bfloat16 1, −2
  new Uint16Array(memory.buffer, 40, 2).set([0x3c00, 0xc000]); // float16 1, −2
  new Float64Array(memory.buffer, 48, 2).set([1.5, -2]);
  const places = [
    ["float32", 0, 8, [1, 2]],
    ["int64", 8, 16, [3, 4]],
    ["int32", 24, 8, [5, 6]],
    ["int8", 32, 2, [-7, 8]],
    ["uint8", 34, 2, [200, 9]],
    ["bfloat16", 36, 4, [1, -2]],
    ["float16", 40, 4, [1, -2]],
    ["float64", 48, 16, [1.5, -2]],
  ] as const;
  assertEquals(places.map(([type]) => type).toSorted(), Object.keys(ELEMENT_TYPES).toSorted());
  for (const [type, offset, length, expected] of places) {
    const graph = graphOf(
      [node("Cast", ["w"], ["t"], { to: { int: 1 } }), node("Mul", ["x", "t"], ["y"])],
      ["n"],
      [{ name: "w", type, dims: [2], data: { location: "f", offset, length } }],
    );
    const { y } = await evaluate(graph, { x: [Float32Array.of(1, 1), [2]] }, { y: [2] }, {
      f: memory,
    });
    assertEquals([...y], [...expected], type);
  }
});

Deno.test("encodeGraph() keeps dimensions that differ from run to run", async () => {
  const graph = graphOf([node("Abs", ["x"], ["y"])], ["a", 2]);
  for (const rows of [1, 5]) {
    const x = new Float32Array(rows * 2).fill(-1);
    const { y } = await evaluate(graph, { x: [x, [rows, 2]] }, { y: [rows, 2] });
    assertEquals([...y], Array(rows * 2).fill(1));
  }
});

Deno.test("encodeGraph() fixes the dimensions that are numbers", async () => {
  const graph = graphOf([node("Abs", ["x"], ["y"])], ["a", 2]);
  await assertRejects(
    () => evaluate(graph, { x: [new Float32Array(3), [1, 3]] }, { y: [1, 3] }),
    OrtError,
    "x",
  );
});

Deno.test("encodeGraph() gives the same bytes for the same graph", () => {
  const b = graphBuilder();
  b.output(b.op("Add", [b.input("x", "float32", [2]), b.integers([1])]), "float32", [2]);
  assertEquals(encodeGraph(b.graph()), encodeGraph(structuredClone(b.graph())));
});

Deno.test("a graph that adds its input to itself is loaded with its names", async () => {
  using session = await createSession(encodeGraph(graphOf([node("Add", ["x", "x"], ["y"])])));
  assertEquals([session.inputs, session.outputs], [["x"], ["y"]]);
});
