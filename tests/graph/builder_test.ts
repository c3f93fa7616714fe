import { assertEquals, assertThrows } from "@std/assert";
import { CPU_TARGET, graphBuilder, type Target, type Weight, weightsIn } from "@moi/moi/graph";
import { evaluate } from "./_evaluate.ts";

const weight = (type: Weight["type"], dims: number[]): Weight => ({
  type,
  dims,
  location: "w.safetensors",
  offset: 0,
  length: 1,
});

Deno.test("graphBuilder() chains operators by the names of their results", async () => {
  const b = graphBuilder();
  const x = b.input("x", "float32", [2]);
  const sum = b.op("Add", [x, b.floats("one", Float32Array.of(1, 2), [2])]);
  b.op("Mul", [sum, sum], { outputs: ["y"] });
  b.output("y", "float32", [2]);
  const { y } = await evaluate(b.graph(), { x: [Float32Array.of(3, 4), [2]] }, { y: [2] });
  assertEquals([...y], [16, 36]);
});

Deno.test("integers() shares one constant among equal values of one shape", () => {
  const b = graphBuilder();
  assertEquals(b.integers([1, -2]), b.integers([1, -2]));
  b.integers([1]);
  assertEquals(b.graph().initializers.length, 2);
});

Deno.test("integers() keeps the same values of different shapes apart", () => {
  const b = graphBuilder();
  const values = [1, 2, 3, 4, 5, 6];
  const names = [[6], [2, 3], [3, 2], [1, 6]].map((dims) => b.integers(values, dims));
  assertEquals(new Set(names).size, 4);
  assertEquals(b.graph().initializers.map(({ dims }) => dims), [[6], [2, 3], [3, 2], [1, 6]]);
});

Deno.test("integers() tells 1, 23 from 12, 3", () => {
  const b = graphBuilder();
  assertEquals(b.integers([1, 23]) === b.integers([12, 3]), false);
});

Deno.test("weight() places a float32 tensor of the file once", () => {
  const b = graphBuilder(weightsIn(new Map([["w", weight("float32", [2, 3])]])));
  assertEquals([b.weight("w", [2, 3]), b.weight("w", [2, 3])], ["w", "w"]);
  const { nodes, initializers } = b.graph();
  assertEquals(nodes, []);
  assertEquals(initializers, [{
    name: "w",
    type: "float32",
    dims: [2, 3],
    data: { location: "w.safetensors", offset: 0, length: 1 },
  }]);
});

Deno.test("weight() casts half-precision tensors once", () => {
  for (const type of ["float16", "bfloat16"] as const) {
    const b = graphBuilder(weightsIn(new Map([["w", weight(type, [4])]])));
    assertEquals(b.weight("w", [4]), b.weight("w", [4]));
    assertEquals(b.graph().nodes, []); // not where nothing uses it
    b.output(b.op("Neg", [b.weight("w", [4])]), "float32", [4]);
    const { nodes, initializers } = b.graph();
    assertEquals(nodes.map(({ op, inputs }) => [op, inputs]), [["Cast", ["w"]], [
      "Neg",
      ["w#float32"],
    ]]);
    assertEquals(initializers.map(({ type }) => type), [type]);
  }
});

Deno.test("a table in a format that a device does not gather is converted as a whole", () => {
  const opsOf = (type: Weight["type"], gathers: NonNullable<Target["gathers"]>) => {
    const file = weightsIn(new Map([["w", weight(type, [3, 2])]]));
    const b = graphBuilder(file, { ...CPU_TARGET, gathers });
    b.op("Gather", [b.weight("w", [3, 2]), b.integers([1])]);
    return b.graph().nodes.map(({ op }) => op);
  };
  for (const type of ["float16", "bfloat16"] as const) {
    assertEquals(opsOf(type, ["float32", type]), ["Gather", "Cast"]);
    assertEquals(opsOf(type, ["float32"]), ["Cast", "Gather"]);
  }
  assertEquals(opsOf("float32", ["float32"]), ["Gather"]);
});

Deno.test("weight() refuses a tensor that the checkpoint lacks", () => {
  assertThrows(
    () => graphBuilder(weightsIn(new Map())).weight("model.norm.weight", [4]),
    SyntaxError,
    "the checkpoint has no tensor 'model.norm.weight'",
  );
});

Deno.test("weight() refuses another shape than the one that is due", () => {
  const b = graphBuilder(weightsIn(new Map([["w", weight("float32", [2, 3])]])));
  for (const dims of [[3, 2], [6], [2, 3, 1], [], [2, 4]]) {
    assertThrows(
      () => b.weight("w", dims),
      SyntaxError,
      `'w' must have the shape [${dims}] that the config asks for: current value is [2,3]`,
    );
  }
});

Deno.test("weight() refuses integer tensors", () => {
  for (const type of ["int64", "int32", "int8", "uint8"] as const) {
    const b = graphBuilder(weightsIn(new Map([["w", weight(type, [2])]])));
    assertThrows(
      () => b.weight("w", [2]),
      SyntaxError,
      `'w' must hold floating-point numbers: current value is ${type}`,
    );
  }
});
