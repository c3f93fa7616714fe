/**
 * ONNX files: untrusted bytes into graphs, and graphs into bytes.
 *
 * The wire format is `@bufbuild/protobuf`'s and the messages are those of onnx.proto. What is not
 * understood here is written as it was read; so is every constant, attribute, input and output that
 * was read and not replaced, whatever of it is understood. The elements of tensors are views of the
 * file, never copies; those in external files are not read at all.
 *
 * @module
 */

import {
  create,
  type DescMessage,
  fromBinary,
  isFieldSet,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "npm:@bufbuild/protobuf@2.17.0";
import { BinaryReader, WireType } from "npm:@bufbuild/protobuf@2.17.0/wire";
import { shown } from "../_check.ts";
import { elements } from "../runtime/tensor.ts";
import {
  type Attribute,
  type Graph,
  type Initializer,
  type Node,
  type OnnxModel,
  tensorBytes,
  typeNamed,
  typeNumber,
  type UnreadField,
  type ValueInfo,
} from "./onnx.ts";
import { checkMessage, fail, MAX_NAME, refuse } from "./onnx_limits.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./onnx_pb.ts";

/** Dimensions of a tensor. */
const MAX_RANK = 64;
/** Most bytes of integers that are read from fields that depend on the type. */
const MAX_INTEGERS = 1 << 13;

/** What was read, and the message that it was read from. */
const messages = new WeakMap<object, Message>();

/** Remembers where a value comes from, so that it is written as it was read. */
function from<Value extends object>(message: Message, value: Value): Value {
  messages.set(value, message);
  return value;
}

/** A name that cannot lead out of the folder, on any system. */
function isFileName(name: string): boolean {
  // deno-lint-ignore no-control-regex
  return /^[^/\\:\x00-\x1f]{1,200}$/.test(name) && !/^\.+$/.test(name);
}

const bytesOf = (fields: readonly UnreadField[] = []) =>
  fields.reduce((sum, { data }) => sum + data.length, 0);

/** Integers in fields that depend on the type, if there are not many, as elements of it. */
function elementsIn({ $unknown = [] }: TensorProto, type: Initializer["type"]): Uint8Array {
  const INT32_DATA = 5, INT64_DATA = 7;
  const no = { int32: INT32_DATA, int64: INT64_DATA }[type as "int32"];
  const fields = $unknown.filter((field) => field.no === no);
  if (bytesOf(fields) > MAX_INTEGERS) return new Uint8Array();
  const values = fields.flatMap(({ data, wireType }) => {
    const reader = new BinaryReader(data), found: bigint[] = [];
    if (wireType === WireType.LengthDelimited) reader.uint32(); // they are packed behind their length
    while (reader.pos < reader.len) found.push(BigInt(reader.int64()));
    return found;
  });
  const array = type === "int64" ? BigInt64Array.from(values) : Int32Array.from(values, Number);
  return new Uint8Array(array.buffer);
}

function readTensor(tensor: TensorProto, isWithinNode = false): Initializer {
  const { name, rawData } = tensor, type = typeNamed(tensor.dataType);
  const what = `tensor ${shown(name)}`, dims = tensor.dims.map(Number);
  if (isFieldSet(tensor, TensorProtoSchema.field.segment)) fail(`${what} is a segment`);
  if (dims.length > MAX_RANK) fail(`${what} must have at most ${MAX_RANK} dimensions`);
  if (!dims.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    refuse(`the shape of ${what}`, "hold integers of at least 0", `[${dims}]`);
  }
  if (!type) return fail(`${what} has the unknown type ${tensor.dataType}`);
  const length = tensorBytes({ type, dims });
  if (!Number.isSafeInteger(length)) fail(`the shape of ${what} is too large: [${dims}]`);
  const read = (data: Initializer["data"]) => from(tensor, { name, type, dims, data });
  if (tensor.dataLocation === 1) {
    if (isWithinNode) fail(`${what} within a node must not lie in an external file`);
    if (type === "string") fail(`${what} holds text in an external file`);
    return read(readRange(tensor, what, dims, length));
  }
  if (isFieldSet(tensor, TensorProtoSchema.field.rawData)) {
    if (type === "string" || rawData.length !== length) {
      refuse(`${what} of shape [${dims}]`, `take ${length} bytes`, rawData.length);
    }
    return read(rawData);
  }
  // an element takes a byte at least, two of four bits half of one
  const bytes = bytesOf(tensor.$unknown);
  if (elements(dims) > 2 * bytes) {
    fail(`${what} of shape [${dims}] has too few elements in ${bytes} bytes`);
  }
  return read(elementsIn(tensor, type));
}

/** Where the elements of a tensor lie in an external file. */
function readRange(
  { externalData }: TensorProto,
  what: string,
  dims: readonly number[],
  length: number,
) {
  const entries = new Map(externalData.map(({ key, value }) => [key, value]));
  const size = (key: string, absent: number) => {
    const value = entries.get(key);
    if (value === undefined) return absent;
    if (/^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value);
    return refuse(`'${key}' of ${what}`, "be an integer of at least 0", shown(value));
  };
  const location = entries.get("location") ?? "", offset = size("offset", 0);
  if (!isFileName(location)) {
    const file = `the external file of ${what}`;
    refuse(file, "be a plain name in the same folder", shown(location));
  }
  const stated = size("length", length);
  if (stated !== length) {
    refuse(`${what} of shape [${dims}]`, `take ${length} external bytes`, stated);
  }
  return { location, offset, length };
}

function readValue(value: ValueInfoProto): ValueInfo {
  const { name, type } = value, { elemType, shape } = type?.tensorType ?? {};
  if (name === "") fail("an input or output has no name");
  if (shape && shape.dim.length > MAX_RANK) {
    fail(`'${name}' has more than ${MAX_RANK} dimensions`);
  }
  const dims = shape?.dim.map((dim) =>
    Object.hasOwn(dim, "dimValue") ? Number(dim.dimValue) : dim.dimParam
  );
  return from(value, { name, type: typeNamed(elemType), dims });
}

/** Numbers of `AttributeProto.AttributeType`. */
const KIND = { float: 1, int: 2, text: 3 } as const;

function readAttribute(attribute: AttributeProto): Attribute {
  const { type, f, i, s, t, ints, tensors, g, graphs } = attribute;
  const isKind = (kind: keyof typeof KIND, field: "f" | "i" | "s") =>
    type === KIND[kind] || type === 0 && Object.hasOwn(attribute, field);
  for (const tensor of tensors) readTensor(tensor, true);
  return from(attribute, {
    ...(isKind("float", "f") && { float: f }),
    ...(isKind("int", "i") && { int: Number(i) }),
    ...(isKind("text", "s") && { text: new TextDecoder().decode(s.subarray(0, MAX_NAME)) }),
    ...(ints.length > 0 && { ints: ints.map(Number) }),
    ...(t && { tensor: readTensor(t, true) }),
    ...((g || graphs.length > 0) && {
      graphs: [...g ? [g] : [], ...graphs].map((graph) => readGraph(graph, true)),
    }),
  });
}

const unread = ({ $unknown }: Message): { rest?: readonly UnreadField[] } =>
  $unknown ? { rest: $unknown } : {};

/** Both names mean ONNX itself. */
const domainOf = (name: string) => name === "ai.onnx" ? "" : name;

function readGraph(graph: GraphProto, isWithinNode = false): Graph {
  if (graph.sparseInitializer.length > 0) {
    fail("a graph has sparse constants, which are not implemented");
  }
  const names = new Set<string>();
  for (const { name } of graph.initializer) {
    if (name === "") fail("a constant has no name");
    if (names.has(name)) fail(`the constant ${shown(name)} is there twice`);
    names.add(name);
  }
  return {
    name: graph.name,
    nodes: graph.node.map((node): Node => {
      const { name, opType: op, domain, input, output, attribute } = node;
      if (op === "") fail("a node has no operator");
      const attributes = attribute.map((value) => [value.name, readAttribute(value)] as const);
      return {
        ...{ name, op, domain: domainOf(domain), inputs: input, outputs: output },
        attributes: Object.fromEntries(attributes),
        ...unread(node),
      };
    }),
    initializers: graph.initializer.map((tensor) => readTensor(tensor, isWithinNode)),
    inputs: graph.input.map(readValue),
    outputs: graph.output.map(readValue),
    shapes: graph.valueInfo,
    ...unread(graph),
  };
}

/**
 * Reads an ONNX file.
 *
 * @param file The bytes; what is returned holds views of them.
 * @param name Name of the file, for error messages.
 * @throws {SyntaxError} Where it is malformed, too large or too deep, or a shape contradicts its data.
 */
export function parseModel(file: Uint8Array, name: string): Required<OnnxModel> {
  try {
    checkMessage(ModelProtoSchema, file);
    const model = fromBinary(ModelProtoSchema, file);
    if (!model.graph) return fail("it has no graph");
    return {
      graph: readGraph(model.graph),
      opsets: new Map(
        model.opsetImport.map(({ domain, version }) => [domainOf(domain), Number(version)]),
      ),
      version: Number(model.irVersion),
      producer: model.producerName,
      rest: model.$unknown ?? [],
    };
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    const why = words === "premature EOF" ? "it ends within a field: is it cut off?" : words;
    throw new SyntaxError(`Cannot read ${name} as ${why}`, { cause });
  }
}

/** A message with the fields that are not understood here. */
function made<Schema extends DescMessage>(
  schema: Schema,
  fields: MessageInitShape<Schema>,
  rest: readonly UnreadField[] = [],
): MessageShape<Schema> {
  return Object.assign(create(schema, fields), { $unknown: [...rest] });
}

/** The message that a value was read from, or a new one. */
function written<Proto extends Message>(value: object, write: () => Proto): Proto {
  return messages.get(value) as Proto | undefined ?? write();
}

const writeTensor = (tensor: Initializer): TensorProto =>
  written(tensor, () => {
    const { name, type, dims, data } = tensor;
    const head = { name, dataType: typeNumber(type), dims: dims.map(BigInt) };
    if (data instanceof Uint8Array) return made(TensorProtoSchema, { ...head, rawData: data });
    const externalData = Object.entries(data).map(([key, value]) => ({ key, value: `${value}` }));
    return made(TensorProtoSchema, { ...head, externalData, dataLocation: 1 });
  });

const writeValue = (value: ValueInfo): ValueInfoProto =>
  written(value, () => {
    const { name, type, dims } = value;
    const dim = dims?.map((size) =>
      typeof size === "number" ? { dimValue: BigInt(size) } : { dimParam: size }
    );
    const elemType = type && { elemType: typeNumber(type) };
    const tensorType = { ...elemType, ...dim && { shape: { dim } } };
    return made(ValueInfoProtoSchema, { name, type: { tensorType } });
  });

const writeAttribute = (name: string, value: Attribute): AttributeProto => {
  const attribute = written(value, () => {
    const { int, float, text } = value;
    if (float !== undefined) return made(AttributeProtoSchema, { f: float, type: KIND.float });
    if (int !== undefined) return made(AttributeProtoSchema, { i: BigInt(int), type: KIND.int });
    if (text === undefined) throw new Error(`internal: attribute ${name} is of a kind only read`);
    return made(AttributeProtoSchema, { s: new TextEncoder().encode(text), type: KIND.text });
  });
  return attribute.name === name
    ? attribute
    : Object.assign(made(AttributeProtoSchema, {}), attribute, { name });
};

const writeNode = ({ name, op, domain, inputs, outputs, attributes, rest }: Node, i: number) =>
  made(NodeProtoSchema, {
    ...{ input: [...inputs], output: [...outputs], name: name ?? `${op}_${i}`, opType: op, domain },
    attribute: Object.entries(attributes).map(([name, value]) => writeAttribute(name, value)),
  }, rest);

const writeGraph = (graph: Graph): GraphProto =>
  made(GraphProtoSchema, {
    name: graph.name ?? "decoder",
    node: graph.nodes.map(writeNode),
    initializer: graph.initializers.map(writeTensor),
    input: graph.inputs.map(writeValue),
    output: graph.outputs.map(writeValue),
    valueInfo: [...graph.shapes ?? []],
  }, graph.rest);

/** Operator sets that graphs are built for here. */
const OPSETS: ReadonlyMap<string, number> = new Map([["", 21], ["com.microsoft", 1]]);

/**
 * Serializes a model.
 *
 * @param model What {@linkcode parseModel} read, or a graph that was built, and what was edited since.
 */
export function encodeModel(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const { graph, opsets = OPSETS, version = 10, producer = "moi", rest } = model;
  const message = made(ModelProtoSchema, {
    ...{ irVersion: BigInt(version), producerName: producer, graph: writeGraph(graph) },
    opsetImport: [...opsets].map(([domain, version]) => ({ domain, version: BigInt(version) })),
  }, rest);
  return toBinary(ModelProtoSchema, message);
}

/**
 * Serializes a graph: its bytes, as a `.onnx` file holds them.
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
  return encodeModel({ graph });
}
