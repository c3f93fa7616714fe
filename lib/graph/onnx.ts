/**
 * ONNX protobuf messages: the fields that graphs built here use, and their encoding.
 *
 * Field numbers are those of `onnx.proto` (IR version 10). The wire format itself is
 * `@bufbuild/protobuf`'s.
 *
 * @module
 */

import { BinaryWriter, WireType } from "npm:@bufbuild/protobuf@2.17.0/wire";

/** Numbers of `TensorProto.DataType`. */
export const ONNX_TYPE = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  float16: 10,
  float64: 11,
  bfloat16: 16,
} as const;

/** Name of an element type of a graph. */
export type OnnxType = keyof typeof ONNX_TYPE;

/** An attribute value: integer, float or text. */
export type Attribute = { readonly int: number } | { readonly float: number } | {
  readonly text: string;
};

/** One operator of a graph. */
export interface Node {
  /** Operator name. */
  readonly op: string;
  /** Operator set: "" is ONNX itself. */
  readonly domain: "" | "com.microsoft";
  /** Names of the inputs; "" leaves an optional one out. */
  readonly inputs: readonly string[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** Attributes by name. */
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A constant tensor: its bytes, or where they lie in an external file. */
export interface Initializer {
  /** Name by which nodes use it. */
  readonly name: string;
  /** Element type. */
  readonly type: OnnxType;
  /** Shape. */
  readonly dims: readonly number[];
  /** The elements, little-endian, or a byte range of a file. */
  readonly data: Uint8Array | {
    readonly location: string;
    readonly offset: number;
    readonly length: number;
  };
}

/** An input or output of a graph; a string is a dimension that may differ from run to run. */
export interface ValueInfo {
  /** Name. */
  readonly name: string;
  /** Element type. */
  readonly type: OnnxType;
  /** Shape. */
  readonly dims: readonly (number | string)[];
}

/** A graph. */
export interface Graph {
  /** Operators in an order in which they can run. */
  readonly nodes: readonly Node[];
  /** Constants. */
  readonly initializers: readonly Initializer[];
  /** Inputs. */
  readonly inputs: readonly ValueInfo[];
  /** Outputs. */
  readonly outputs: readonly ValueInfo[];
}

const IR_VERSION = 10, OPSET = 21, MICROSOFT_OPSET = 1;

type Write = (writer: BinaryWriter) => void;

const text = (field: number, value: string): Write => (w) =>
  w.tag(field, WireType.LengthDelimited).string(value);
const int64 = (field: number, value: number): Write => (w) =>
  w.tag(field, WireType.Varint).int64(value);
const message = (field: number, parts: readonly Write[]): Write => (w) => {
  w.tag(field, WireType.LengthDelimited).fork();
  for (const part of parts) part(w);
  w.join();
};

function attribute(name: string, value: Attribute): Write {
  const FLOAT = 1, INT = 2, STRING = 3;
  if ("float" in value) {
    const float: Write = (w) => w.tag(2, WireType.Bit32).float(value.float);
    return message(5, [text(1, name), float, int64(20, FLOAT)]);
  }
  if ("int" in value) return message(5, [text(1, name), int64(3, value.int), int64(20, INT)]);
  return message(5, [text(1, name), text(4, value.text), int64(20, STRING)]);
}

function node(value: Node, index: number): Write {
  return message(1, [
    ...value.inputs.map((name) => text(1, name)),
    ...value.outputs.map((name) => text(2, name)),
    text(3, `${value.op}_${index}`),
    text(4, value.op),
    ...Object.entries(value.attributes).map(([name, v]) => attribute(name, v)),
    text(7, value.domain),
  ]);
}

function initializer({ name, type, dims, data }: Initializer): Write {
  const head = [...dims.map((size) => int64(1, size)), int64(2, ONNX_TYPE[type]), text(8, name)];
  if (data instanceof Uint8Array) {
    return message(5, [...head, (w) => w.tag(9, WireType.LengthDelimited).bytes(data)]);
  }
  const EXTERNAL = 1;
  const entries = Object.entries(data).map(([key, value]) =>
    message(13, [text(1, key), text(2, String(value))])
  );
  return message(5, [...head, ...entries, int64(14, EXTERNAL)]);
}

function valueInfo(field: number, { name, type, dims }: ValueInfo): Write {
  const shape = dims.map((size) =>
    message(1, [typeof size === "number" ? int64(1, size) : text(2, size)])
  );
  return message(field, [
    text(1, name),
    message(2, [message(1, [int64(1, ONNX_TYPE[type]), message(2, shape)])]),
  ]);
}

/**
 * Serializes a graph as a `ModelProto`.
 *
 * @param graph The graph.
 * @returns Its bytes, as a `.onnx` file holds them.
 *
 * @example A graph that adds its input to itself, run once
 * ```ts
 * import { encodeGraph } from "@moi/moi/graph";
 * import { createSession, tensor } from "@moi/moi/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const vector = { type: "float32", dims: [2] } as const;
 * using session = await createSession(encodeGraph({
 *   nodes: [{ op: "Add", domain: "", inputs: ["x", "x"], outputs: ["y"], attributes: {} }],
 *   initializers: [],
 *   inputs: [{ name: "x", ...vector }],
 *   outputs: [{ name: "y", ...vector }],
 * }));
 * const y = new Float32Array(2);
 * using x = tensor(new Float32Array([1, 2]), [2]);
 * using out = tensor(y, [2]);
 * using binding = session.bind({ x }, { y: out });
 * binding.run();
 * assertEquals([...y], [2, 4]);
 * ```
 */
export function encodeGraph(graph: Graph): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  const parts = [
    int64(1, IR_VERSION),
    text(2, "moi"),
    message(7, [
      ...graph.nodes.map(node),
      text(2, "decoder"),
      ...graph.initializers.map(initializer),
      ...graph.inputs.map((value) => valueInfo(11, value)),
      ...graph.outputs.map((value) => valueInfo(12, value)),
    ]),
    message(8, [text(1, ""), int64(2, OPSET)]),
    message(8, [text(1, "com.microsoft"), int64(2, MICROSOFT_OPSET)]),
  ];
  for (const part of parts) part(writer);
  return writer.finish() as Uint8Array<ArrayBuffer>;
}
