/**
 * Matrices, and sums of products of matrices and numbers.
 *
 * @module
 */

import { enclosed } from "./brackets.ts";
import { expressionOf } from "./leaf.ts";
import { type Expression, negated, op } from "./tree.ts";
import { asExpression, type Reader, type Value } from "./value.ts";

/** Most rows and columns that are multiplied. */
const LARGEST = 8;
const BEGIN = "\\begin{pmatrix}", END = "\\end{pmatrix}";

type Rows = readonly (readonly Expression[])[];

const cellsOf = (text: string): string[][] =>
  text.slice(BEGIN.length, -END.length).split("\\\\").map((row) => row.trim())
    .filter((row) => row !== "").map((row) => row.split("&").map((cell) => cell.trim()));

export function matrixOf(text: string, reader: Reader): Value | undefined {
  if (!text.includes("\\begin{")) return undefined;
  const inside = enclosed(text)?.body.trim();
  if (inside?.startsWith("\\begin{") && inside.endsWith("}")) {
    const own = matrixOf(inside, reader);
    if (own) return own;
  }
  const pieces = text.split(/(\\begin\{pmatrix\}.*?\\end\{pmatrix\})/).map((piece) => piece.trim());
  if (pieces.length === 3 && pieces[0] === "" && pieces[2] === "") {
    return { kind: "matrix", rows: cellsOf(pieces[1]!).map((row) => row.map(reader.read)) };
  }
  const rows = sumOf(pieces);
  return rows && { kind: "matrix", rows: rows.map((row) => row.map(asExpression)) };
}

/** The sum that pieces are: what stands between matrices, and matrices, in turn. */
function sumOf(pieces: readonly string[]): Rows | undefined {
  let total: Rows | undefined, product: Rows | undefined, scale: Expression[] = [], minus = false;
  const end = () => {
    const own = product?.map((row) => row.map((x) => scaled(minus ? negated(x) : x, scale)));
    return total && own ? added(total, own) : total ? undefined : own;
  };
  for (const [i, piece] of pieces.entries()) {
    if (i % 2 === 1) {
      const rows = cellsOf(piece).map((row) => row.map(expressionOf));
      if (rows.flat().includes(undefined)) return undefined;
      product = product ? multiplied(product, rows as Rows) : rows as Rows;
      if (!product) return undefined;
      continue;
    }
    const between = piece.replace(/\\cdot|\\times/g, "").trim();
    if (i === pieces.length - 1) return between === "" ? end() : undefined;
    const sign = /^[+-]|[+-]$/.exec(between)?.[0], plain = between.replace(/^[+-]/, "").trim();
    if (product && sign) {
      total = end();
      [product, scale] = [undefined, []];
    }
    if (sign) minus = sign === "-";
    if (plain === "") continue;
    const own = expressionOf(plain);
    if (own === undefined) return undefined;
    scale.push(own);
  }
}

const scaled = (x: Expression, scale: readonly Expression[]): Expression =>
  scale.length === 0 ? x : op("multiply", ...scale, x);

function added(a: Rows, b: Rows): Rows | undefined {
  if (a.length !== b.length || a.some((row, i) => row.length !== b[i]!.length)) return undefined;
  return a.map((row, i) => row.map((x, j) => op("add", x, b[i]![j]!)));
}

function multiplied(a: Rows, b: Rows): Rows | undefined {
  if (Math.max(a.length, b.length, ...b.map((row) => row.length)) > LARGEST) return undefined;
  if (a.some((row) => row.length !== b.length)) return undefined;
  return a.map((row) =>
    b[0]!.map((_, j) => op("add", ...row.map((x, k) => op("multiply", x, b[k]![j]!))))
  );
}
