/** Small graphs for the tests of the runtime. */
import { encodeGraph, type Node } from "@moi/moi/graph";

const op = (name: string, inputs: string[], outputs: string[]): Node => ({
  op: name,
  domain: "",
  inputs,
  outputs,
  attributes: {},
});

/** `y = x + x`, vectors of two. */
export function doubling(): Uint8Array<ArrayBuffer> {
  const vector = { type: "float32", dims: [2] } as const;
  return encodeGraph({
    nodes: [op("Add", ["x", "x"], ["y"])],
    initializers: [],
    inputs: [{ name: "x", ...vector }],
    outputs: [{ name: "y", ...vector }],
  });
}

/** `c = a · b`, matrices of any size. */
export function product(): Uint8Array<ArrayBuffer> {
  return encodeGraph({
    nodes: [op("MatMul", ["a", "b"], ["c"])],
    initializers: [],
    inputs: [
      { name: "a", type: "float32", dims: ["m", "k"] },
      { name: "b", type: "float32", dims: ["k", "n"] },
    ],
    outputs: [{ name: "c", type: "float32", dims: ["m", "n"] }],
  });
}

/** Side of the matrices of {@linkcode heavy}. */
export const HEAVY_SIZE = 512;

/** `y = x · x · … · x`, long enough to be watched while it runs: 64 take 50 ms. */
export function heavy(products = 64): Uint8Array<ArrayBuffer> {
  const matrix = { type: "float32", dims: [HEAVY_SIZE, HEAVY_SIZE] } as const;
  const nodes = Array.from(
    { length: products },
    (_, i) =>
      op("MatMul", [i === 0 ? "x" : `t${i}`, "x"], [i === products - 1 ? "y" : `t${i + 1}`]),
  );
  return encodeGraph({
    nodes,
    initializers: [],
    inputs: [{ name: "x", ...matrix }],
    outputs: [{ name: "y", ...matrix }],
  });
}

/** A permutation matrix: its powers are exact. */
export function rotation(): Float32Array<ArrayBuffer> {
  const x = new Float32Array(HEAVY_SIZE * HEAVY_SIZE);
  for (let row = 0; row < HEAVY_SIZE; row++) x[row * HEAVY_SIZE + (row + 1) % HEAVY_SIZE] = 1;
  return x;
}

/** Whether a matrix is the given power of {@linkcode rotation}. */
export function isRotation(y: Float32Array, power: number): boolean {
  return y.every((value, i) => {
    const row = Math.floor(i / HEAVY_SIZE), column = i % HEAVY_SIZE;
    return value === ((row + power) % HEAVY_SIZE === column ? 1 : 0);
  });
}
