/**
 * A graph under construction: operators are functions from tensor names to tensor names.
 *
 * @module
 */

import {
  type Attribute,
  castTo,
  type FileRange,
  type Graph,
  type Initializer,
  type Node,
  type OnnxType,
  type ValueInfo,
} from "./onnx.ts";
import { CPU_TARGET, type Target } from "./target.ts";

/** A tensor of a file: element type, shape, byte range. */
export interface StoredTensor extends FileRange {
  /** Element type. */
  readonly type: OnnxType;
  /** Shape. */
  readonly dims: readonly number[];
}

/** A block-quantised copy of a matrix, in the form that MatMulNBits reads. */
export interface QuantizedWeight {
  /** Bits of a weight. */
  readonly bits: 4 | 8;
  /** Weights that share a scale. */
  readonly blockSize: number;
  /** First byte of the matrix: a range of its rows that was made a weight finds its rows by it. */
  readonly sourceOffset: number;
  /** The numbers, uint8 `[out, blocks, blockSize · bits / 8]`. */
  readonly data: StoredTensor;
  /** The scales, float32 `[out, blocks]`. */
  readonly scales: StoredTensor;
  /** What is added to the numbers of a block, float32 `[out, blocks]`; default: nothing. */
  readonly minima?: StoredTensor;
}

/** The columns of so many rows of a matrix `[out, in]`, block-quantised along the rows. */
export interface QuantizedColumns extends Pick<QuantizedWeight, "bits" | "blockSize"> {
  /** The rows. */
  readonly rows: number;
  /** The numbers, uint8 `[in, blocks, blockSize · bits / 8]`. */
  readonly data: StoredTensor;
  /** The scales, float32 `[in, blocks]`. */
  readonly scales: StoredTensor;
}

/** A tensor of the checkpoint, and how it is to be used. */
export interface Weight extends StoredTensor {
  /** The copy that linear layers use instead; embedding rows are still gathered from the original. */
  readonly quantized?: QuantizedWeight;
  /** The copy that sums over all rows use instead: its columns, a part of the rows after the other. */
  readonly columns?: readonly QuantizedColumns[];
  /** Type to whose precision the numbers are rounded before use; default: none. */
  readonly roundTo?: "float16";
  /** Name of its number format where nothing here reads it; `type` then only counts its bytes. */
  readonly unread?: string;
}

/**
 * What a graph takes a tensor for: its numbers; or a product with it, or the sum of its rows, for which
 * quantised copies will do.
 */
export type WeightUse = "numbers" | "product" | "sum";

/**
 * Weights by their name in the checkpoint. Whoever asks says which shape is due and what for, so that
 * weights may also be made from that, and note what is used.
 */
export interface Weights {
  /** Names of all tensors. */
  readonly names: ReadonlySet<string>;
  /** The tensor of a name; undefined where there is none. */
  find(name: string, dims: readonly number[], use: WeightUse): Weight | undefined;
}

/** The weights in a table. */
export function weightsIn(tensors: ReadonlyMap<string, Weight>): Weights {
  return { names: new Set(tensors.keys()), find: (name) => tensors.get(name) };
}

/** How the table of embeddings and the head are named, whatever stands before. */
const TABLE = "embed_tokens.weight", HEAD = "lm_head.weight";

/**
 * Where a checkpoint has the tensors of a causal language model, `model.embed_tokens.weight` and so on:
 * base models are saved without `model.`, the text part of a multimodal one stands under
 * `language_model.model.`, `model.language_model.`, `model.text_model.` and others. What stands before
 * `embed_tokens` is what stands before all of them.
 *
 * @param names Names of its tensors.
 * @returns The name in the checkpoint of a tensor, as it would be if it were there.
 *
 * @example A base model
 * ```ts
 * import { namesIn } from "@moi/moi/graph";
 * import { assertEquals } from "@std/assert";
 * const nameOf = namesIn(new Set(["embed_tokens.weight", "norm.weight"]));
 * assertEquals(nameOf("model.norm.weight"), "norm.weight");
 * assertEquals(nameOf("lm_head.weight"), "lm_head.weight");
 * ```
 */
export function namesIn(names: ReadonlySet<string>): (name: string) => string {
  const before = (suffix: string) =>
    [...names].filter((name) => name === suffix || name.endsWith(`.${suffix}`))
      .map((name) => name.slice(0, -suffix.length));
  const tables = before(TABLE), heads = before(HEAD);
  const own = tables.find((prefix) => names.has(`${prefix}norm.weight`)) ?? tables[0] ?? "model.";
  return (name) => {
    if (names.has(name)) return name;
    if (name === HEAD) return `${heads[0] ?? ""}${HEAD}`;
    return name.startsWith("model.") ? own + name.slice("model.".length) : name;
  };
}

/** Operator set of ONNX Runtime itself. */
export const MICROSOFT = { domain: "com.microsoft" } as const;

/** Options of {@linkcode Builder.op}. */
export interface OpOptions {
  /** Attributes by name. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Names of the outputs; default: one with a fresh name. */
  readonly outputs?: readonly string[];
  /** Operator set; default "" (ONNX). */
  readonly domain?: string;
}

/** A quantised matrix placed in the graph. */
export interface QuantizedInputs extends Pick<QuantizedWeight, "bits" | "blockSize"> {
  /** Names of the numbers and the scales. */
  readonly inputs: readonly string[];
  /** Name of the minima, where there are any. */
  readonly minima?: string;
}

/** Collects the nodes and constants of one graph. */
export interface Builder {
  /** What the graph is built for. */
  readonly target: Target;
  /** Adds an operator; returns the name of its first output. */
  op(name: string, inputs: readonly string[], options?: OpOptions): string;
  /** Adds a conversion; returns the name of the result. */
  cast(x: string, type: OnnxType, outputs?: readonly string[]): string;
  /** Declares an input; returns its name. */
  input(name: string, type: OnnxType, dims: readonly (number | string)[]): string;
  /** Declares an output. */
  output(name: string, type: OnnxType, dims: readonly (number | string)[]): void;
  /** An integer constant (int64); the same values share one tensor. */
  integers(values: readonly number[], dims?: readonly number[]): string;
  /** A float constant. */
  floats(name: string, values: Float32Array, dims: readonly number[]): string;
  /**
   * A tensor of the weights file as float32, by its name there, of the shape that is due; or a range
   * of its rows, as a constant of its own.
   */
  weight(name: string, dims: readonly number[], range?: Range): string;
  /** The quantised copy of a matrix, where the weights have one, of the matrix's shape. */
  quantized(name: string, dims: readonly number[]): QuantizedInputs | undefined;
  /** Those of the columns, part by part of so many rows, where the weights have any. */
  quantizedColumns(
    name: string,
    dims: readonly number[],
  ): readonly (QuantizedInputs & { readonly rows: number })[] | undefined;
  /** The finished graph. */
  graph(): Graph;
}

const FLOATS: readonly string[] = ["float32", "float16", "bfloat16", "float64"];

const bytesOf = (data: BigInt64Array | Float32Array) =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** An integer constant (int64) whose name says its shape and values, behind a prefix. */
export function integerConstant(
  values: readonly number[],
  dims: readonly number[] = [values.length],
  prefix = "",
): Initializer {
  const name = `${prefix}i${dims.join("x")}_${values.join("_")}`;
  return { name, type: "int64", dims, data: bytesOf(BigInt64Array.from(values, BigInt)) };
}

/** A range of the first dimension of a tensor. */
export interface Range {
  /** First row. */
  readonly first: number;
  /** Number of rows. */
  readonly rows: number;
}

/** Name of the tensor that a constant of a graph is a range of, `name#rows8`, or its own. */
export function wholeName(name: string): string {
  return name.replace(/#rows\d+$/, "");
}

/** A range of a tensor's rows as a tensor. */
export function rowsOf(tensor: StoredTensor, { first, rows }: Range): StoredTensor {
  const { dims, offset, length } = tensor, rowBytes = length / dims[0]!;
  return {
    ...tensor,
    dims: [rows, ...dims.slice(1)],
    offset: offset + first * rowBytes,
    length: rows * rowBytes,
  };
}

/** The weight of a name: of the shape that is due, and of numbers that are read here. */
export function weightOf(
  weights: Weights,
  name: string,
  dims: readonly number[],
  use: WeightUse,
): Weight {
  const found = weights.find(name, dims, use);
  const fail = (why: string): never => {
    throw new SyntaxError(`Cannot build the graph as ${why}`);
  };
  if (!found) return fail(`the checkpoint has no tensor '${name}'`);
  if (found.dims.length !== dims.length || found.dims.some((size, i) => size !== dims[i])) {
    const rule = `have the shape [${dims}] that the config asks for`;
    fail(`'${name}' must ${rule}: current value is [${found.dims}]`);
  }
  const type = found.unread ?? found.type;
  if (!FLOATS.includes(type)) {
    fail(`'${name}' must hold floating-point numbers: current value is ${type}`);
  }
  return found;
}

/** Starts a graph on the tensors of a checkpoint; default target: the CPU. */
export function graphBuilder(
  weights: Weights = weightsIn(new Map()),
  target: Target = CPU_TARGET,
): Builder {
  const nodes: Node[] = [], inputs: ValueInfo[] = [], outputs: ValueInfo[] = [];
  const nameOf = namesIn(weights.names);
  const initializers = new Map<string, Initializer>();
  /** Conversions of weights to float32 by the name of their result: made where something uses it. */
  const conversions = new Map<
    string,
    { readonly name: string; readonly type: OnnxType; readonly types: OnnxType[] }
  >();

  const convert = (input: string, types: readonly OnnxType[], output: string): Node[] =>
    types.map((type, i): Node => {
      const from = i === 0 ? input : `${output}#${i}`;
      const to = i === types.length - 1 ? output : `${output}#${i + 1}`;
      return { op: "Cast", domain: "", inputs: [from], outputs: [to], ...castTo(type) };
    });

  /** The table whose rows are gathered, and what is done to them; undefined where it is converted before. */
  const gatheredFrom = (
    result: string,
  ): { name: string; types: readonly OnnxType[] } | undefined => {
    const table = conversions.get(result);
    if (!table || (target.gathers?.includes(table.type) ?? true)) return table;
    if (target.activations === "float32") return undefined;
    const half = `${table.name}#float16`; // half the memory of float32
    if (!nodes.some(({ outputs }) => outputs[0] === half)) {
      nodes.push(...convert(table.name, ["float16"], half));
    }
    return { name: half, types: ["float32"] };
  };

  const op = (name: string, ins: readonly string[], options: OpOptions = {}): string => {
    const outs = options.outputs ?? [`t${nodes.length}`];
    const { domain = "", attributes = {} } = options;
    const table = name === "Gather" ? gatheredFrom(ins[0]!) : undefined;
    if (table) { // only the rows that are gathered are converted
      const rows = `${outs[0]}#rows`, gathered = [table.name, ...ins.slice(1)];
      nodes.push({ op: name, domain, inputs: gathered, outputs: [rows], attributes });
      nodes.push(...convert(rows, table.types, outs[0]!));
    } else {
      nodes.push({ op: name, domain, inputs: ins, outputs: outs, attributes });
    }
    return outs[0]!;
  };
  const constant = (value: Initializer): string => {
    if (!initializers.has(value.name)) initializers.set(value.name, value);
    return value.name;
  };
  const stored = (name: string, { type, dims, location, offset, length }: StoredTensor): string =>
    constant({ name, type, dims, data: { location, offset, length } });
  return {
    target,
    op,
    cast: (x, type, outputs) => op("Cast", [x], { ...castTo(type), ...(outputs && { outputs }) }),
    input(name, type, dims) {
      inputs.push({ name, type, dims });
      return name;
    },
    output(name, type, dims) {
      outputs.push({ name, type, dims });
    },
    integers: (values, dims) => constant(integerConstant(values, dims)),
    floats: (name, values, dims) =>
      constant({ name, type: "float32", dims, data: bytesOf(values) }),
    weight(asked, dims, range) {
      const whole = nameOf(asked);
      const found = weightOf(weights, whole, dims, "numbers"), { type, roundTo = type } = found;
      const name = range ? `${whole}#rows${range.first}` : whole;
      stored(name, range ? rowsOf(found, range) : found);
      const types: OnnxType[] = [];
      if (roundTo !== type) types.push(roundTo);
      if (roundTo !== "float32") types.push("float32");
      if (types.length === 0) return name;
      const result = `${name}#float32`;
      conversions.set(result, { name, type, types });
      return result;
    },
    quantized(asked, dims) {
      const name = nameOf(asked);
      const { quantized, offset, length } = weightOf(weights, name, dims, "product"),
        rows = dims[0]!;
      if (!quantized) return undefined;
      const { bits, blockSize, sourceOffset, data, scales, minima } = quantized;
      const first = (offset - sourceOffset) / (length / rows);
      const place = (part: string, tensor: StoredTensor) =>
        stored(`${name}#${part}`, rowsOf(tensor, { first, rows }));
      const inputs = [place(`int${bits}`, data), place("scales", scales)];
      return { bits, blockSize, inputs, ...(minima && { minima: place("minima", minima) }) };
    },
    quantizedColumns(asked, dims) {
      const name = nameOf(asked);
      return weightOf(weights, name, dims, "sum").columns?.map((part, i) => {
        const { bits, blockSize, rows, data, scales } = part;
        const inputs = [
          stored(`${name}#columns${i}`, data),
          stored(`${name}#column_scales${i}`, scales),
        ];
        return { bits, blockSize, rows, inputs };
      });
    },
    graph() {
      const used = new Set(nodes.flatMap((node) => node.inputs));
      const needed = [...conversions].filter(([result]) => used.has(result));
      // conversions of constants are folded when the session starts
      const casts = needed.flatMap(([result, { name, types }]) => convert(name, types, result));
      const constants = [...initializers.values()];
      return { nodes: [...casts, ...nodes], initializers: constants, inputs, outputs };
    },
  };
}
