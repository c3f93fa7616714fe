import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { BLOCK_SIZE, quantizeRows } from "@moi/moi/graph";
import { randomNumbers } from "../golden/golden.ts";
import vectors from "./quantize_vectors.json" with { type: "json" };

const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const floats = (text: string) => new Float32Array(bytes(text).buffer);
const raw = (values: Float32Array<ArrayBuffer>) => new Uint8Array(values.buffer);

for (const { name, columns, values, expected } of vectors.cases) {
  for (const [kind, parts] of Object.entries(expected)) {
    Deno.test(`quantizeRows() of ${name}, ${kind}, has the bytes of ONNX Runtime`, () => {
      const found = quantizeRows(floats(values), columns, {
        bits: kind.startsWith("int4") ? 4 : 8,
      });
      assertEquals(found.data, bytes(parts.data));
      assertEquals(raw(found.scales), bytes(parts.scales));
    });
  }
}

Deno.test("quantizeRows() errs by at most half a step", () => {
  const random = randomNumbers(1), columns = 100, rows = 20;
  const values = Float32Array.from({ length: rows * columns }, () => random() - 0.4);
  for (const bits of [4, 8] as const) {
    const { data, scales } = quantizeRows(values, columns, { bits });
    const blocks = Math.ceil(columns / BLOCK_SIZE), rowBytes = blocks * BLOCK_SIZE * bits / 8;
    const zero = 2 ** (bits - 1);
    const half = (part: Uint8Array, row: number, width: number, i: number) =>
      bits === 8
        ? part[row * width + i]!
        : (part[row * width + (i >> 1)]! >> (i % 2 === 0 ? 0 : 4)) & 15;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const scale = scales[row * blocks + Math.floor(column / BLOCK_SIZE)]!;
        const q = half(data, row, rowBytes, column);
        // the range ends one step short on one side
        const bound = (q < 2 ** bits - 1 ? 0.5 : 1) * Math.abs(scale) * 1.001;
        assertAlmostEquals((q - zero) * scale, values[row * columns + column]!, bound);
      }
    }
  }
});

Deno.test("quantizeRows() refuses NaN and infinity anywhere, by name and column", () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const at of [0, 31, 32, 39, 40, 79]) {
      for (const bits of [4, 8] as const) {
        const values = new Float32Array(80).fill(0.5);
        values[at] = bad;
        assertThrows(
          () => quantizeRows(values, 40, { bits, name: "lm_head.weight" }),
          RangeError,
          `'lm_head.weight' must hold finite numbers: current value is ${bad} in column ${at % 40}`,
        );
      }
    }
  }
});

Deno.test("quantizeRows() takes numbers whose scale is subnormal", () => {
  for (const bits of [4, 8] as const) {
    const { data } = quantizeRows(new Float32Array(32).fill(1e-44), 32, { bits });
    assertEquals(data.length, 4 * bits);
  }
});

Deno.test("quantizeRows() of no rows is empty", () => {
  assertEquals(quantizeRows(new Float32Array(0), 32, { bits: 4 }).data.length, 0);
});
