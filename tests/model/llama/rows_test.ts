/** Rows of embeddings of every type, and sums over all of them. */

import { assert, assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import { openLlama } from "../../../lib/llama/library.ts";
import { startThreads } from "../../../lib/model/llama/threads.ts";
import { openProduct } from "../../../lib/model/llama/product.ts";
import { rowReader } from "../../../lib/model/llama/rows.ts";
import { dequantize } from "../../../lib/model/gguf/blocks.ts";
import { GGUF_TYPES, type GgufType } from "../../../lib/model/gguf/parse.ts";
import { maxDifference, randomNumbers } from "../../golden/golden.ts";

const llama = () => openLlama("cpu");

function randomBytes(seed: number, count: number): Uint8Array<ArrayBuffer> {
  const random = randomNumbers(seed);
  return Uint8Array.from({ length: count }, () => Math.floor(256 * random()));
}

Deno.test("rows of each type are those of the toolkit's own reader, bit for bit", async () => {
  const rows = 9, width = 512;
  for (const [seed, [name, { bytes: size, numbers }]] of Object.entries(GGUF_TYPES).entries()) {
    const type = name as GgufType, bytes = randomBytes(seed, rows * width / numbers * size);
    const due = new Float32Array(rows * width), found = new Float32Array(rows * width);
    dequantize(type, bytes, due);
    const read = rowReader(await llama(), { type, bytes, rows, width });
    for (const row of [8, 0, 5, 1, 2, 3, 4, 6, 7]) read(row, found.subarray(row * width));
    const isSame = (value: number, i: number) => Object.is(value, due[i]); // any NaN is one
    assert(found.every(isSame), `${type} ${found.findIndex((value, i) => !isSame(value, i))}`);
  }
});

Deno.test("rows that are not there, and tables that are cut off or of no type of floats", async () => {
  const own = await llama(), rows = 4, width = 32, bytes = randomBytes(1, rows * 34);
  const read = rowReader(own, { type: "Q8_0", bytes, rows, width }), into = new Float32Array(width);
  for (const row of [4, -1, 0.5, NaN, Infinity]) {
    assertThrows(() => read(row, into), RangeError, `Cannot read row ${row} of 4`);
  }
  assertThrows(() => read(0, new Float32Array(31)), RangeError, "to 31 numbers");
  assertEquals(into, new Float32Array(width));
  for (
    const wrong of [
      { bytes: bytes.subarray(1) },
      { rows: 5 },
      { width: 48 },
      { type: "F32" as const },
      { type: "I8" as const, width: 8 }, // what ggml does not widen
    ]
  ) {
    const table = { type: "Q8_0" as const, bytes, rows, width, ...wrong };
    assertThrows(() => rowReader(own, table), SyntaxError, "Cannot read embeddings as");
  }
});

const V = 5000, D = 24, COLUMNS = 8;

/** A random table, and weights like those of a distribution: most of it on a few tokens, and all the rest. */
function example() {
  const random = randomNumbers(7);
  const table = Float32Array.from({ length: V * D }, () => random() - 0.5);
  const weights = Array.from({ length: COLUMNS }, () => {
    const own = Float32Array.from({ length: V }, () => Math.exp(12 * random() - 12));
    const sum = own.reduce((a, b) => a + b);
    return own.map((weight) => weight / sum);
  });
  const due = weights.map((own) =>
    Array.from({ length: D }, (_, d) => own.reduce((sum, w, id) => sum + w * table[id * D + d]!, 0))
  );
  const read = (row: number, into: Float32Array) => into.set(table.subarray(row * D, row * D + D));
  return { read, weights, due };
}

for (const [exact, most] of [[true, 1e-7], [false, 2e-3]] as const) {
  Deno.test(`sums over a vocabulary in ${exact ? "float32" : "8 bits"}`, async () => {
    const { read, weights, due } = example(), own = await llama();
    using threads = startThreads(own, 1);
    const options = { read, rows: V, width: D, exact, threads };
    using product = openProduct(own, options);
    assertEquals(product.stride, 5024);
    assertEquals(product.weights.length, COLUMNS * product.stride);
    const run = async (...columns: readonly number[]) => {
      product.weights.fill(0);
      columns.forEach((column, at) => product.weights.set(weights[column]!, at * product.stride));
      return (await product.run(columns.length)).slice();
    };
    const all = await run(0, 1, 2, 3, 4, 5, 6, 7);
    for (const [column, sum] of due.entries()) {
      const found = all.slice(column * D, column * D + D);
      assertLess(maxDifference(found, sum), most);
      assertEquals((await run(column)).slice(0, D), found);
    }
    const [, last] = [await run(3), await run(0, 0, 0, 0, 0, 0, 0, 3)];
    assertEquals(last.slice(7 * D), all.slice(3 * D, 4 * D));
    assertAlmostEquals(last[0]!, due[0]![0]!, most);
  });
}

Deno.test("sums with two threads are those with one, bit for bit", async () => {
  const { read, weights } = example(), own = await llama();
  const found: Float32Array[] = [];
  for (const count of [1, 2]) {
    using threads = startThreads(own, count);
    const options = { read, rows: V, width: D, exact: true, threads };
    using product = openProduct(own, options);
    weights.forEach((weights, column) => product.weights.set(weights, column * product.stride));
    found.push((await product.run(COLUMNS)).slice());
  }
  assertEquals(found[0], found[1]);
});
