import { assertEquals, assertThrows } from "@std/assert";
import {
  allocate,
  ELEMENT_TYPES,
  elements,
  tensor,
  type TensorData,
  tensorIn,
} from "@moi/moi/runtime";

Deno.test("elements() multiplies the sizes, and is 1 for a scalar", () => {
  assertEquals([elements([2, 3, 4]), elements([]), elements([5, 0])], [24, 1, 0]);
});

Deno.test("tensor() takes its type from the array", () => {
  const arrays = [
    [new Float32Array(2), "float32"],
    [new Int32Array(2), "int32"],
    [new BigInt64Array(2), "int64"],
    [new Uint8Array(2), "uint8"],
    [new Float16Array(2), "float16"],
  ] as const;
  for (const [array, type] of arrays) {
    using t = tensor(array, [2]);
    assertEquals([t.type, t.dims], [type, [2]]);
  }
});

Deno.test("tensor() refuses arrays of other types", () => {
  const others = [
    new Float64Array(2),
    new Int8Array(2),
    new Uint16Array(2),
    new DataView(
      new ArrayBuffer(8),
    ),
  ];
  for (const array of others) {
    assertThrows(
      () => tensor(array as unknown as TensorData, [1]),
      TypeError,
      `current value is [object ${array.constructor.name}]`,
    );
  }
});

Deno.test("tensor() may use only the start of its array", () => {
  using t = tensor(new Float32Array(10), [2, 2]);
  assertEquals(t.dims, [2, 2]);
});

Deno.test("tensor() refuses a shape larger than its array", () => {
  assertThrows(() => tensor(new Float32Array(3), [2, 2]), RangeError, "must lie within the block");
});

Deno.test("tensor() refuses a shape that leaves a subarray though not its buffer", () => {
  const part = new Float32Array(8).subarray(2, 4);
  using inside = tensor(part, [2]);
  assertEquals(inside.dims, [2]);
  assertThrows(() => tensor(part, [3]), RangeError, "bytes 8 to 20");
});

Deno.test("tensorIn() refuses what leaves its memory", () => {
  using memory = allocate(64);
  const outside = [[0, [17]], [4, [4, 4]], [64, [1]], [0, [2 ** 30, 2 ** 30]]] as const;
  for (const [offset, dims] of outside) {
    assertThrows(() => tensorIn(memory, offset, "float32", dims), RangeError, "must lie within");
  }
  using whole = tensorIn(memory, 0, "float32", [4, 4]);
  using end = tensorIn(memory, 63, "uint8", [1]);
  using nothing = tensorIn(memory, 64, "float32", [0, 3]);
  assertEquals([whole.dims, end.dims, nothing.dims], [[4, 4], [1], [0, 3]]);
});

Deno.test("tensorIn() refuses offsets and shapes that are no sizes", () => {
  using memory = allocate(64);
  for (const bad of [-1, 0.5, NaN, Infinity, -Infinity, 2 ** 53]) {
    assertThrows(() => tensorIn(memory, bad, "float32", [1]), RangeError, "at least 0");
    assertThrows(() => tensorIn(memory, 0, "float32", [bad]), RangeError, "at least 0");
  }
  // two negative sizes have a positive product
  assertThrows(() => tensorIn(memory, 0, "float32", [-2, -2]), RangeError, "[-2,-2]");
});

Deno.test("tensorIn() takes every element type at its width", () => {
  using memory = allocate(64);
  for (const [type, { bytes }] of Object.entries(ELEMENT_TYPES)) {
    using full = tensorIn(memory, 0, type as keyof typeof ELEMENT_TYPES, [64 / bytes]);
    assertEquals(full.type, type);
    assertThrows(
      () => tensorIn(memory, 0, type as keyof typeof ELEMENT_TYPES, [64 / bytes + 1]),
      RangeError,
    );
  }
});

Deno.test("tensorIn() keeps its memory reachable", () => {
  const memory = allocate(16);
  using t = tensorIn(memory, 0, "float32", [4]);
  assertEquals(t.memory, memory);
});

Deno.test("tensors can be disposed twice", () => {
  const t = tensor(new Float32Array(1), [1]);
  t[Symbol.dispose]();
  t[Symbol.dispose]();
});
