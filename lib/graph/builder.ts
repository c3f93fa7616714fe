/**
 * A graph under construction: operators are functions from tensor names to tensor names.
 *
 * @module
 */

import type { Attribute, Graph, Initializer, Node, OnnxType, ValueInfo } from "./onnx.ts";

/** A tensor of a weights file: element type, shape, byte range. */
export interface Weight {
  /** Element type. */
  readonly type: OnnxType;
  /** Shape. */
  readonly dims: readonly number[];
  /** File (external data location) that holds it. */
  readonly location: string;
  /** First byte in the file. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
}

/** Weights by their name in the checkpoint. */
export type Weights = ReadonlyMap<string, Weight>;

/** Options of {@linkcode Builder.op}. */
export interface OpOptions {
  /** Attributes by name. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Names of the outputs; default: one with a fresh name. */
  readonly outputs?: readonly string[];
  /** Operator set; default "" (ONNX). */
  readonly domain?: Node["domain"];
}

/** Collects the nodes and constants of one graph. */
export interface Builder {
  /** Adds an operator; returns the name of its first output. */
  op(name: string, inputs: readonly string[], options?: OpOptions): string;
  /** Declares an input; returns its name. */
  input(name: string, type: OnnxType, dims: ValueInfo["dims"]): string;
  /** Declares an output. */
  output(name: string, type: OnnxType, dims: ValueInfo["dims"]): void;
  /** An integer constant (int64); the same values share one tensor. */
  integers(values: readonly number[], dims?: readonly number[]): string;
  /** A float constant. */
  floats(name: string, values: Float32Array, dims: readonly number[]): string;
  /** A tensor of the weights file as float32, by its name there, of the shape that is due. */
  weight(name: string, dims: readonly number[]): string;
  /** The finished graph. */
  graph(): Graph;
}

const bytesOf = (data: BigInt64Array | Float32Array) =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/**
 * Starts a graph.
 *
 * @param weights The checkpoint's tensors.
 * @returns The builder.
 */
export function graphBuilder(weights: Weights = new Map()): Builder {
  const nodes: Node[] = [], inputs: ValueInfo[] = [], outputs: ValueInfo[] = [];
  const initializers = new Map<string, Initializer>();
  const casts = new Map<string, string>();

  const op = (name: string, ins: readonly string[], options: OpOptions = {}): string => {
    const outs = options.outputs ?? [`t${nodes.length}`];
    const { domain = "", attributes = {} } = options;
    nodes.push({ op: name, domain, inputs: ins, outputs: outs, attributes });
    return outs[0]!;
  };
  const constant = (value: Initializer): string => {
    if (!initializers.has(value.name)) initializers.set(value.name, value);
    return value.name;
  };

  return {
    op,
    input(name, type, dims) {
      inputs.push({ name, type, dims });
      return name;
    },
    output(name, type, dims) {
      outputs.push({ name, type, dims });
    },
    integers(values, dims = [values.length]) {
      const name = `i${dims.join("x")}_${values.join("_")}`;
      return constant({
        name,
        type: "int64",
        dims,
        data: bytesOf(BigInt64Array.from(values, BigInt)),
      });
    },
    floats(name, values, dims) {
      return constant({ name, type: "float32", dims, data: bytesOf(values) });
    },
    weight(name, dims) {
      const found = weights.get(name);
      if (!found) {
        throw new SyntaxError(`Cannot build the graph as the checkpoint has no tensor '${name}'`);
      }
      if (found.dims.length !== dims.length || found.dims.some((size, i) => size !== dims[i])) {
        throw new SyntaxError(
          `Cannot build the graph as '${name}' must have the shape [${dims}] that the config asks for: current value is [${found.dims}]`,
        );
      }
      const { type, location, offset, length } = found;
      constant({ name, type, dims, data: { location, offset, length } });
      if (type === "float32") return name;
      if (type !== "float16" && type !== "bfloat16") {
        throw new SyntaxError(
          `Cannot build the graph as '${name}' must hold floating-point numbers: current value is ${type}`,
        );
      }
      // a cast of a constant is folded when the session starts
      const known = casts.get(name);
      if (known) return known;
      const cast = op("Cast", [name], { attributes: { to: { int: 1 } } });
      casts.set(name, cast);
      return cast;
    },
    graph: () => ({ nodes, initializers: [...initializers.values()], inputs, outputs }),
  };
}
