import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { encodeGraph, graphBuilder, quantizeRows, type Weight, weightsIn } from "@moi/moi/graph";
import { createSession, memoryOver, tensor } from "@moi/moi/runtime";
import { linear, type LinearOptions } from "../../lib/graph/linear.ts";
import { maxDifference, randomNumbers } from "../golden/golden.ts";

const floats = (length: number, seed: number) => {
  const random = randomNumbers(seed);
  return Float32Array.from({ length }, () => random() * 2 - 1);
};

/** A matrix [out, input] and its quantised copy, with random minima if asked, in one file. */
function stored(w: Float32Array, input: number, bits: 4 | 8, hasMinima = false) {
  const out = w.length / input, { data, scales } = quantizeRows(w, input, { bits });
  const minima = floats(hasMinima ? scales.length : 0, 17);
  const parts = [w, data, scales, minima];
  const file = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let end = 0;
  const [plain, q, s, m] = parts.map((part) => {
    file.set(new Uint8Array(part.buffer), end);
    const place = { location: "w", offset: end, length: part.byteLength };
    end += part.byteLength;
    return place;
  });
  const blocks = Math.ceil(input / 32);
  const weight: Weight = {
    type: "float32",
    dims: [out, input],
    ...plain!,
    quantized: {
      bits,
      blockSize: 32,
      sourceOffset: plain!.offset,
      data: { type: "uint8", dims: [out, blocks, 4 * bits], ...q! },
      scales: { type: "float32", dims: [out, blocks], ...s! },
      ...(hasMinima ? { minima: { type: "float32", dims: [out, blocks], ...m! } } : {}),
    },
  };
  const unpack = (part: Uint8Array, row: number, width: number, i: number) =>
    bits === 8 ? part[row * width + i]! : part[row * width + (i >> 1)]! >> (4 * (i % 2)) & 15;
  const dequantized = w.map((_, at) => {
    const row = Math.floor(at / input), column = at % input, block = Math.floor(column / 32);
    const q = unpack(data, row, blocks * 4 * bits, column) - 2 ** (bits - 1);
    return q * scales[row * blocks + block]! + (minima[row * blocks + block] ?? 0);
  });
  return { weight, file, dequantized };
}

/** x Wᵀ through a session. */
async function run(
  { weight, file }: { weight: Weight; file: Uint8Array<ArrayBuffer> },
  x: Float32Array<ArrayBuffer>,
  options: LinearOptions = {},
) {
  const [out, input] = weight.dims as [number, number], rows = x.length / input;
  const b = graphBuilder(
    weightsIn(
      new Map([["w", weight], ["b", {
        type: "float32",
        dims: [out],
        location: "w",
        offset: 0,
        length: 4 * out,
      }]]),
    ),
  );
  linear(b, b.input("x", "float32", ["R", input]), "w", out, input, {
    ...{ output: "y", leading: 1 },
    ...options,
  });
  b.output("y", "float32", ["R", out]);
  const graph = b.graph(), y = new Float32Array(rows * out);
  using session = await createSession(encodeGraph(graph), {
    externalData: { w: memoryOver(file.buffer) },
    threads: 1,
  });
  using given = tensor(x, [rows, input]);
  using result = tensor(y, [rows, out]);
  using binding = session.bind({ x: given }, { y: result });
  binding.run();
  return { y, ops: graph.nodes.map(({ op }) => op) };
}

const product = (x: Float32Array, w: Float32Array, input: number) => {
  const rows = x.length / input, out = w.length / input;
  return Float32Array.from({ length: rows * out }, (_, i) => {
    const row = Math.floor(i / out), column = i % out;
    let sum = 0;
    for (let k = 0; k < input; k++) sum += x[row * input + k]! * w[column * input + k]!;
    return sum;
  });
};

for (const input of [32, 64, 100, 33, 320]) {
  for (const bits of [4, 8] as const) {
    for (const minima of input % 32 === 0 ? [false, true] : [false]) {
      const name = `of ${input} inputs, int${bits}${minima ? ", with minima" : ""}`;
      Deno.test(`linear() ${name}, multiplies with the quantised weights`, async () => {
        const matrix = stored(floats(24 * input, 1), input, bits, minima);
        const x = floats(3 * input, 2), { y, ops } = await run(matrix, x);
        const added = ["Reshape", "ReduceSum", "FusedMatMul", "Add"];
        assertEquals(ops, ["MatMulNBits", ...(minima ? added : [])]);
        // int8 inputs err by at most 1/254 of their block's largest; sums of random signs
        assertLess(
          maxDifference(y, product(x, matrix.dequantized, input)),
          0.02 * Math.sqrt(input),
        );
      });

      Deno.test(`linear() ${name}, gives a row the same bits alone and in a batch`, async () => {
        const matrix = stored(floats(40 * input, 3), input, bits, minima);
        const rows = 9, x = floats(rows * input, 4), { y } = await run(matrix, x);
        for (let row = 0; row < rows; row++) {
          const alone = await run(matrix, x.slice(row * input, (row + 1) * input));
          assertEquals(alone.y, y.slice(row * 40, (row + 1) * 40));
        }
      });
    }
  }
}

Deno.test("linear() that must be exact ignores the quantised copy", async () => {
  const w = floats(8 * 64, 1), matrix = stored(w, 64, 4), x = floats(64, 2);
  const { y, ops } = await run(matrix, x, { exact: true });
  assertEquals(ops, ["FusedMatMul"]);
  assertLess(maxDifference(y, product(x, w, 64)), 1e-5);
});

Deno.test("linear() adds a bias to a quantised product", async () => {
  const w = floats(8 * 64, 1), matrix = stored(w, 64, 8), x = floats(64, 2);
  const [plain, biased] = [await run(matrix, x), await run(matrix, x, { bias: "b" })];
  assertEquals(biased.ops, ["MatMulNBits", "Add"]);
  assertLess(maxDifference(biased.y, plain.y.map((value, i) => value + w[i]!)), 1e-6);
});

Deno.test("linear() in ranges of rows gives the same bits, and ignores them where it is quantised", async () => {
  const matrix = stored(floats(150 * 96, 1), 96, 8), { weight, file } = matrix;
  const { quantized: _, ...plain } = weight;
  for (const rows of [1, 7]) {
    const x = floats(rows * 96, 2), whole = await run({ weight: plain, file }, x);
    for (const [part, count] of [[64, 3], [75, 2], [149, 2]] as const) {
      const { y, ops } = await run({ weight: plain, file }, x, { rows: part });
      assertEquals(ops, [...Array(count).fill("FusedMatMul"), "Concat"]);
      assertEquals(y, whole.y);
    }
    assertEquals((await run({ weight: plain, file }, x, { rows: 150 })).ops, ["FusedMatMul"]);
    assertEquals((await run(matrix, x, { rows: 64 })).ops, ["MatMulNBits"]);
  }
});

Deno.test("linear() refuses another shape, quantised or not", () => {
  const { weight } = stored(floats(8 * 64, 1), 64, 8), { quantized: _, ...plain } = weight;
  for (const w of [weight, plain]) {
    const b = graphBuilder(weightsIn(new Map([["w", w]])));
    assertThrows(() => linear(b, "x", "w", 64, 8), SyntaxError, "'w' must have the shape [64,8]");
  }
});

Deno.test("linear() of a range of a matrix's rows uses that range of the quantised copy", async () => {
  for (const minima of [false, true]) {
    const matrix = stored(floats(10 * 96, 1), 96, 4, minima), x = floats(96, 2);
    const whole = await run(matrix, x);
    const { weight, file } = matrix, rowBytes = 4 * 96;
    const part = {
      ...weight,
      dims: [3, 96],
      offset: weight.offset + 5 * rowBytes,
      length: 3 * rowBytes,
    };
    const { y, ops } = await run({ weight: part, file }, x);
    assertEquals(ops, whole.ops);
    assertLess(maxDifference(y, whole.y.slice(5, 8)), 1e-5); // other rows beside it: another sum order
  }
});

Deno.test("linear() takes no rows, as an expert of a mixture may get none", async () => {
  const { weight, file } = stored(floats(8 * 64, 1), 64, 8);
  const b = graphBuilder(weightsIn(new Map([["w", weight]])));
  linear(b, b.input("x", "float32", ["R", 64]), "w", 8, 64, { output: "y" });
  b.output("y", "float32", ["R", 8]);
  using session = await createSession(encodeGraph(b.graph()), {
    externalData: { w: memoryOver(file.buffer) },
  });
  using x = tensor(new Float32Array(64), [0, 64]);
  using y = tensor(new Float32Array(8), [0, 8]);
  using binding = session.bind({ x }, { y });
  binding.run();
});
