/**
 * Mixtures of token embeddings: the entry of every graph, and sums over a whole large vocabulary.
 *
 * Dimensions: B slots, S positions fed at once, K entries of a mixture, D hidden size, V vocabulary,
 * R rows.
 *
 * @module
 */

import { type Builder, graphBuilder, type Range, type Weights, weightsIn } from "./builder.ts";
import type { DecoderConfig } from "./config.ts";
import { multiplyQuantized } from "./linear.ts";
import { type Graph, type OnnxType, typeNumber } from "./onnx.ts";
import { PORTS } from "./ports.ts";
import { BLOCK_SIZE } from "./quantize.ts";

/**
 * Largest vocabulary that is small: a mixture is a row of V weights, and rows of logits are worked on
 * outside the runtime.
 */
export const SMALL_VOCABULARY = 1024;

/**
 * `h = Σ_k w_k · E[id_k]`, the one idea of this project.
 *
 * With a small vocabulary a mixture is a row of V weights, multiplied with the embedding table, and
 * costs the same whatever it holds; with a large one K rows are gathered, and what lies on the whole
 * vocabulary is added (see {@linkcode denseMixtureGraph}). Entries of weight 0 add nothing, bit for
 * bit, so mixtures of different sizes share a batch.
 */
export function mixtureOfEmbeddings(b: Builder, table: string, config: DecoderConfig): string {
  const { vocabularySize, hiddenSize } = config;
  const rows = b.weight(table, [vocabularySize, hiddenSize]); // [V, D]
  if (vocabularySize <= SMALL_VOCABULARY) {
    const dense = b.input(PORTS.weights, "float32", ["B", "S", vocabularySize]);
    return b.op("MatMul", [dense, rows]); // [B, S, D]
  }
  const ids = b.input(PORTS.ids, "int32", ["B", "S", "K"]);
  const weights = b.input(PORTS.weights, "float32", ["B", "S", "K"]);
  const gathered = b.op("Gather", [rows, ids], { attributes: { axis: { int: 0 } } }); // [B, S, K, D]
  const listed = weightedSum(b, weights, gathered); // [B, S, D]
  return b.op("Add", [listed, b.input(PORTS.dense, "float32", ["B", "S", hiddenSize])]);
}

/** `Σ_k w_k · rows_k` of weights `[B, S, K]` and rows `[B, S, K, D]`. */
export function weightedSum(
  b: Pick<Builder, "op" | "integers">,
  weights: string,
  rows: string,
): string {
  const axis = b.integers([2]), w = b.op("Unsqueeze", [weights, axis]); // [B, S, 1, K]
  return b.op("Squeeze", [b.op("MatMul", [w, rows]), axis]);
}

/**
 * Numbers of a table of V rows in a product. The runtime packs a matrix while it holds the original:
 * for a whole head that is 622 MB above all weights in Qwen3-0.6B (peak / weights 1.18, not 0.98).
 */
export const TABLE_PART = 2 ** 24;

/** Names of the input and output of {@linkcode denseMixtureGraph}. */
export const DENSE = {
  /** Weights of all tokens, float32 [R, V]. */
  weights: "weights",
  /** Their mixtures, float32 [R, D]. */
  embeddings: "embeddings",
} as const;

/** The parts of a table `[rows, columns]` whose columns are quantised: whole blocks, but for the last. */
export function columnParts(
  [rows, columns]: readonly [rows: number, columns: number],
): readonly Range[] {
  const part = BLOCK_SIZE * Math.ceil(TABLE_PART / (BLOCK_SIZE * columns));
  return Array.from({ length: Math.ceil(rows / part) }, (_, i) => {
    const first = i * part;
    return { first, rows: Math.min(part, rows - first) };
  });
}

/** The operator that gathers the embeddings of a decoder, and their table, before any conversion. */
export function embeddingTable({ nodes, initializers }: Graph) {
  const lookup = nodes.find(({ op, inputs }) => op === "Gather" && inputs[1] === PORTS.ids)!;
  let [name] = lookup.inputs as [string, string];
  for (;;) {
    const table = initializers.find((one) => one.name === name);
    if (table) return { lookup, table };
    name = nodes.find(({ outputs }) => outputs[0] === name)!.inputs[0]!;
  }
}

/** The table of a decoder's graph as a weight, and whether its numbers are rounded to fp16. */
function tableOf(graph: Graph) {
  const { nodes } = graph, { lookup: { outputs }, table } = embeddingTable(graph);
  const { name, type, dims, data } = table;
  if (data instanceof Uint8Array) throw new Error("internal: the embedding table is in a file");
  const isRounded = nodes.some(({ op, inputs: [input], attributes }) =>
    op === "Cast" && input === outputs[0] && attributes.to?.int === typeNumber("float16")
  );
  const rounded = isRounded ? { roundTo: "float16" } as const : {};
  return { name, weight: { type: type as OnnxType, dims, ...data, ...rounded } };
}

/**
 * `h = Σ_i w_i · E[i]` over all tokens: a product with the whole table of a decoder's graph, in parts
 * so that no more than a part is there twice while the runtime packs it, and so that the weights of a
 * part stay in the processor's cache while it is read. Where the weights have a quantised copy of
 * its columns, that one is read.
 *
 * @param decoder A graph with the port {@linkcode PORTS}`.ids`.
 * @param weights What it was built on; default: the table alone, as it is stored.
 */
export function denseMixtureGraph(decoder: Graph, weights?: Weights): Graph {
  const { name, weight } = tableOf(decoder), { dims } = weight;
  const [vocabularySize, hiddenSize] = dims as [number, number];
  const b = graphBuilder(weights ?? weightsIn(new Map([[name, weight]])));
  const w = b.input(DENSE.weights, "float32", ["R", vocabularySize]), axis = b.integers([1]);
  const copies = b.quantizedColumns(name, dims);
  let sum: string | undefined;
  for (const [i, { first, rows }] of columnParts([vocabularySize, hiddenSize]).entries()) {
    const own = b.op("Slice", [w, b.integers([first]), b.integers([first + rows]), axis]);
    const product = copies
      ? multiplyQuantized(b, own, copies[i]!, [hiddenSize, rows], 1)
      : b.op("MatMul", [own, b.weight(name, dims, { first, rows })]);
    sum = sum === undefined ? product : b.op("Add", [sum, product]);
  }
  b.op("Identity", [sum!], { outputs: [DENSE.embeddings] });
  b.output(DENSE.embeddings, "float32", ["R", hiddenSize]);
  return b.graph();
}
