/**
 * ONNX files that others made: read from untrusted bytes into values that can be edited, and
 * written again without losing what is not understood.
 *
 * Every message keeps the bytes of its fields that are not interpreted here, and every part that is
 * not edited is written as it was read. The elements of tensors are views of the file, never copies;
 * those in external files are not read at all.
 *
 * Field numbers are those of `onnx.proto` (IR version 10).
 *
 * @module
 */

import { BinaryReader, BinaryWriter, WireType } from "npm:@bufbuild/protobuf@2.17.0/wire";
import { shown } from "../_check.ts";
import type { Attribute, OnnxType, ValueInfo } from "./onnx.ts";
import { ONNX_TYPE } from "./onnx.ts";

/** Where the elements of a tensor lie. */
export type TensorPlace =
  /** In the file, little-endian. */
  | { readonly kind: "raw"; readonly bytes: Uint8Array }
  /** In another file. */
  | {
    readonly kind: "external";
    readonly location: string;
    readonly offset: number;
    /** Number of bytes; undefined: as many as the shape takes. */
    readonly length: number | undefined;
  }
  /** In the file, in fields of the message that depend on the type; small tensors only. */
  | { readonly kind: "fields"; readonly integers: readonly number[] };

/** A constant tensor. */
export interface ReadTensor {
  /** Name; "" for the value of an attribute. */
  readonly name: string;
  /** Element type, a number of `TensorProto.DataType`. */
  readonly type: number;
  /** Shape. */
  readonly dims: readonly number[];
  /** Where its elements lie. */
  readonly place: TensorPlace;
  /** The message as it is written. */
  readonly encoded: Uint8Array;
}

/** An input or output. */
export interface ReadValue {
  /** Name. */
  readonly name: string;
  /** Element type, a number of `TensorProto.DataType`; 0 where it is not a tensor or not given. */
  readonly type: number;
  /** Shape: a size, a symbol, or "" where nothing is said; undefined where no shape is given. */
  readonly dims: readonly (number | string)[] | undefined;
  /** The message as it is written. */
  readonly encoded: Uint8Array;
}

/** An attribute of a node. */
export interface ReadAttribute {
  /** Name. */
  readonly name: string;
  /** Its integer, if that is what it is. */
  readonly int?: number;
  /** Its float. */
  readonly float?: number;
  /** Its text. */
  readonly text?: string;
  /** Its integers. */
  readonly ints: readonly number[];
  /** Its tensor. */
  readonly tensor?: ReadTensor;
  /** Its graphs, as control flow has them. */
  readonly graphs: readonly ReadGraph[];
  /** The message as it is written. */
  readonly encoded: Uint8Array;
}

/** An operator. */
export interface ReadNode {
  /** Operator name. */
  readonly op: string;
  /** Operator set: "" is ONNX itself. */
  readonly domain: string;
  /** Names of the inputs; "" leaves an optional one out. */
  readonly inputs: readonly string[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** Attributes by name. */
  readonly attributes: ReadonlyMap<string, ReadAttribute>;
  /** Fields that are not interpreted, tags included. */
  readonly rest: readonly Uint8Array[];
}

/** A graph. */
export interface ReadGraph {
  /** Operators. */
  readonly nodes: readonly ReadNode[];
  /** Constants by name. */
  readonly initializers: ReadonlyMap<string, ReadTensor>;
  /** Inputs. */
  readonly inputs: readonly ReadValue[];
  /** Outputs. */
  readonly outputs: readonly ReadValue[];
  /** Remarks on the shapes of intermediate tensors, tags included. */
  readonly shapes: readonly Uint8Array[];
  /** Fields that are not interpreted, tags included. */
  readonly rest: readonly Uint8Array[];
}

/** A model: a graph and the operator sets that it uses. */
export interface ReadModel {
  /** Versions of the operator sets by domain. */
  readonly opsets: ReadonlyMap<string, number>;
  /** The graph. */
  readonly graph: ReadGraph;
  /** Fields that are not interpreted, tags included. */
  readonly rest: readonly Uint8Array[];
}

/** Largest file: protobuf's own limit. */
const MAX_BYTES = 2 ** 31 - 1;
/** Most nodes, constants, inputs or outputs of one graph; large models have some ten thousand. */
const MAX_PARTS = 1_000_000;
/** Graphs within graphs. */
const MAX_DEPTH = 8;
/** Dimensions of a tensor. */
const MAX_RANK = 64;
/** Longest name. */
const MAX_NAME = 1 << 16;

/** Bits of an element by the number of its type; types that are missing hold no plain numbers. */
const BITS: Readonly<Record<number, number>> = {
  1: 32,
  2: 8,
  3: 8,
  4: 16,
  5: 16,
  6: 32,
  7: 64,
  9: 8,
  10: 16,
  11: 64,
  12: 32,
  13: 64,
  14: 64,
  15: 128,
  16: 16,
  17: 8,
  18: 8,
  19: 8,
  20: 8,
  21: 4,
  22: 4,
  23: 4,
};

function fail(why: string): never {
  throw new SyntaxError(why);
}

/** Number of elements. */
function count(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** Bytes that the elements of a tensor take. */
export function tensorBytes({ type, dims }: Pick<ReadTensor, "type" | "dims">): number {
  return Math.ceil(count(dims) * (BITS[type] ?? 8) / 8);
}

interface Field {
  readonly no: number;
  /** Tag and value. */
  readonly raw: Uint8Array;
  /** The value of a length-delimited field. */
  bytes(): Uint8Array;
  text(): string;
  integer(): number;
  /** One integer, or several that are packed. */
  integers(): number[];
  float(): number;
}

function* fields(message: Uint8Array): Generator<Field> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [no, wire] = reader.tag();
    if (wire === WireType.StartGroup || wire === WireType.EndGroup) fail("a field is a group");
    const value = reader.skip(wire, no);
    const expect = (type: WireType) => {
      if (wire !== type) fail(`field ${no} has wire type ${wire} where ${type} is due`);
      return new BinaryReader(value);
    };
    const bytes = () => expect(WireType.LengthDelimited).bytes();
    yield {
      no,
      raw: message.subarray(start, reader.pos),
      bytes,
      text() {
        if (value.length > MAX_NAME) fail(`field ${no} is a name of ${value.length} bytes`);
        return expect(WireType.LengthDelimited).string(true);
      },
      integer: () => safe(expect(WireType.Varint).int64()),
      integers() {
        if (wire === WireType.Varint) return [safe(new BinaryReader(value).int64())];
        const packed = new BinaryReader(bytes()), result: number[] = [];
        while (packed.pos < packed.len) result.push(safe(packed.int64()));
        return result;
      },
      float: () => expect(WireType.Bit32).float(),
    };
  }
}

/** An integer as a number; the largest of int64 stands for "to the end" and loses its last digits. */
function safe(value: bigint | string): number {
  return Number(value);
}

function parseTensor(encoded: Uint8Array): ReadTensor {
  const dims: number[] = [], integers: number[] = [], entries = new Map<string, string>();
  let name = "", type = 0, raw: Uint8Array | undefined, external = false, segment = false;
  const INTEGER_FIELDS = [5, 7], MAX_INTEGERS = 1024;
  for (const field of fields(encoded)) {
    if (field.no === 1) dims.push(...field.integers().slice(0, MAX_RANK + 1));
    else if (field.no === 2) type = field.integer();
    else if (field.no === 3) segment = true;
    else if (INTEGER_FIELDS.includes(field.no) && field.raw.length < 8 * MAX_INTEGERS) {
      integers.push(...field.integers());
    } else if (field.no === 8) name = field.text();
    else if (field.no === 9) raw = field.bytes();
    else if (field.no === 13) {
      let key = "", value = "";
      for (const part of fields(field.bytes())) {
        if (part.no === 1) key = part.text();
        if (part.no === 2) value = part.text();
      }
      entries.set(key, value);
    } else if (field.no === 14) external = field.integer() === 1;
    if (dims.length > MAX_RANK) break;
  }
  const what = `tensor ${shown(name)}`;
  if (segment) fail(`${what} is a segment`);
  if (dims.length > MAX_RANK) fail(`${what} must have at most ${MAX_RANK} dimensions`);
  if (!dims.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    fail(`the shape of ${what} must hold integers of at least 0: current value is [${dims}]`);
  }
  const STRING = 8;
  if (BITS[type] === undefined && type !== STRING) fail(`${what} has the unknown type ${type}`);
  const bytes = tensorBytes({ type, dims });
  if (!Number.isSafeInteger(bytes)) fail(`the shape of ${what} is too large: [${dims}]`);
  const tensor = (place: TensorPlace): ReadTensor => ({ name, type, dims, place, encoded });
  if (external) {
    if (type === STRING) fail(`${what} holds text in an external file`);
    const size = (key: string, absent: number | undefined) => {
      const value = entries.get(key);
      if (value === undefined) return absent;
      if (/^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value);
      return fail(
        `'${key}' of ${what} must be an integer of at least 0: current value is ${shown(value)}`,
      );
    };
    const location = entries.get("location") ?? "", offset = size("offset", 0)!;
    const length = size("length", undefined);
    if (!isFileName(location)) {
      fail(
        `the external file of ${what} must be a plain name in the same folder: current value is ${
          shown(location)
        }`,
      );
    }
    if (length !== undefined && length !== bytes) {
      fail(
        `${what} of shape [${dims}] must take ${bytes} external bytes: current value is ${length}`,
      );
    }
    return tensor({ kind: "external", location, offset, length });
  }
  if (raw) {
    if (type === STRING || raw.length !== bytes) {
      fail(`${what} of shape [${dims}] must take ${bytes} bytes: current value is ${raw.length}`);
    }
    return tensor({ kind: "raw", bytes: raw });
  }
  // an element takes a byte at least, two of four bits half of one
  if (count(dims) > 2 * encoded.length) {
    fail(`${what} of shape [${dims}] has too few elements in ${encoded.length} bytes`);
  }
  return tensor({ kind: "fields", integers });
}

/** A tensor where there is no reason for an external file, and so none is opened. */
function inlineTensor(encoded: Uint8Array): ReadTensor {
  const tensor = parseTensor(encoded);
  if (tensor.place.kind === "external") {
    fail(`tensor ${shown(tensor.name)} within a node must not lie in an external file`);
  }
  return tensor;
}

/** A name that cannot lead out of the folder, on any system. */
function isFileName(name: string): boolean {
  // deno-lint-ignore no-control-regex
  return /^[^/\\:\x00-\x1f]{1,200}$/.test(name) && !/^\.+$/.test(name);
}

function parseValue(encoded: Uint8Array): ReadValue {
  let name = "", type = 0, dims: (number | string)[] | undefined;
  for (const field of fields(encoded)) {
    if (field.no === 1) name = field.text();
    if (field.no !== 2) continue;
    for (const kind of fields(field.bytes())) {
      if (kind.no !== 1) continue;
      for (const part of fields(kind.bytes())) {
        if (part.no === 1) type = part.integer();
        if (part.no !== 2) continue;
        dims = [];
        for (const dim of fields(part.bytes())) {
          if (dim.no !== 1) continue;
          let size: number | string = "";
          for (const value of fields(dim.bytes())) {
            if (value.no === 1) size = value.integer();
            if (value.no === 2) size = value.text();
          }
          dims.push(size);
          if (dims.length > MAX_RANK) fail(`'${name}' has more than ${MAX_RANK} dimensions`);
        }
      }
    }
  }
  if (name === "") fail("an input or output has no name");
  return { name, type, dims, encoded };
}

function parseAttribute(encoded: Uint8Array, depth: number): ReadAttribute {
  let name = "", type = 0, int: number | undefined, float: number | undefined;
  let text: string | undefined, tensor: ReadTensor | undefined;
  const ints: number[] = [], graphs: ReadGraph[] = [];
  for (const field of fields(encoded)) {
    if (field.no === 1) name = field.text();
    else if (field.no === 2) float = field.float();
    else if (field.no === 3) int = field.integer();
    else if (field.no === 4) text = new TextDecoder().decode(field.bytes().subarray(0, MAX_NAME));
    else if (field.no === 5) tensor = inlineTensor(field.bytes());
    else if (field.no === 6 || field.no === 11) graphs.push(parseGraph(field.bytes(), depth + 1));
    else if (field.no === 8) ints.push(...field.integers());
    else if (field.no === 10) inlineTensor(field.bytes());
    else if (field.no === 20) type = field.integer();
  }
  const FLOAT = 1, INT = 2, STRING = 3;
  return {
    name,
    ...(int !== undefined && (type === INT || type === 0) ? { int } : {}),
    ...(float !== undefined && (type === FLOAT || type === 0) ? { float } : {}),
    ...(text !== undefined && (type === STRING || type === 0) ? { text } : {}),
    ...(type === INT && int === undefined ? { int: 0 } : {}),
    ints,
    ...(tensor ? { tensor } : {}),
    graphs,
    encoded,
  };
}

function parseNode(encoded: Uint8Array, depth: number): ReadNode {
  const inputs: string[] = [], outputs: string[] = [], rest: Uint8Array[] = [];
  const attributes = new Map<string, ReadAttribute>();
  let op = "", domain = "";
  for (const field of fields(encoded)) {
    if (field.no === 1) inputs.push(field.text());
    else if (field.no === 2) outputs.push(field.text());
    else if (field.no === 4) op = field.text();
    else if (field.no === 5) {
      const attribute = parseAttribute(field.bytes(), depth);
      attributes.set(attribute.name, attribute);
    } else if (field.no === 7) domain = field.text();
    else rest.push(field.raw);
  }
  if (op === "") fail("a node has no operator");
  // both names mean ONNX itself
  return { op, domain: domain === "ai.onnx" ? "" : domain, inputs, outputs, attributes, rest };
}

function parseGraph(encoded: Uint8Array, depth: number): ReadGraph {
  if (depth > MAX_DEPTH) fail(`graphs are nested more than ${MAX_DEPTH} deep`);
  const nodes: ReadNode[] = [], inputs: ReadValue[] = [], outputs: ReadValue[] = [];
  const initializers = new Map<string, ReadTensor>();
  const shapes: Uint8Array[] = [], rest: Uint8Array[] = [];
  let parts = 0;
  for (const field of fields(encoded)) {
    if (++parts > MAX_PARTS) fail(`a graph has more than ${MAX_PARTS} parts`);
    if (field.no === 1) nodes.push(parseNode(field.bytes(), depth));
    else if (field.no === 5) {
      const tensor = depth === 0 ? parseTensor(field.bytes()) : inlineTensor(field.bytes());
      if (tensor.name === "") fail("a constant has no name");
      if (initializers.has(tensor.name)) fail(`the constant ${shown(tensor.name)} is there twice`);
      initializers.set(tensor.name, tensor);
    } else if (field.no === 11) inputs.push(parseValue(field.bytes()));
    else if (field.no === 12) outputs.push(parseValue(field.bytes()));
    else if (field.no === 13) shapes.push(field.raw);
    else if (field.no === 15) fail("a graph has sparse constants, which are not implemented");
    else rest.push(field.raw);
  }
  return { nodes, initializers, inputs, outputs, shapes, rest };
}

/**
 * Reads an ONNX file.
 *
 * @param file The bytes; what is returned holds views of them.
 * @param name Name of the file, for error messages.
 * @returns The model.
 * @throws {SyntaxError} Where it is malformed, too large or too deep, or a shape contradicts its data.
 *
 * @example What was written is read
 * ```ts
 * import { encodeGraph, parseModel } from "@moi/moi/graph";
 * import { assertEquals } from "@std/assert";
 * const file = encodeGraph({
 *   nodes: [{ op: "Abs", domain: "", inputs: ["x"], outputs: ["y"], attributes: {} }],
 *   initializers: [],
 *   inputs: [{ name: "x", type: "float32", dims: ["n"] }],
 *   outputs: [{ name: "y", type: "float32", dims: ["n"] }],
 * });
 * const { graph, opsets } = parseModel(file, "abs.onnx");
 * assertEquals(graph.nodes.map(({ op }) => op), ["Abs"]);
 * assertEquals(graph.inputs[0]?.dims, ["n"]);
 * assertEquals(opsets.get(""), 21);
 * ```
 */
export function parseModel(file: Uint8Array, name: string): ReadModel {
  try {
    if (file.length > MAX_BYTES) fail(`it has ${file.length} bytes, more than protobuf allows`);
    const opsets = new Map<string, number>(), rest: Uint8Array[] = [];
    let graph: ReadGraph | undefined;
    for (const field of fields(file)) {
      if (field.no === 7) {
        if (graph) fail("it has two graphs");
        graph = parseGraph(field.bytes(), 0);
      } else if (field.no === 8) {
        let domain = "", version = 0;
        for (const part of fields(field.bytes())) {
          if (part.no === 1) domain = part.text();
          if (part.no === 2) version = part.integer();
        }
        opsets.set(domain === "ai.onnx" ? "" : domain, version);
      } else {
        rest.push(field.raw);
      }
    }
    return graph ? { opsets, graph, rest } : fail("it has no graph");
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    const why = words === "premature EOF" ? "it ends within a field: is it cut off?" : words;
    throw new SyntaxError(`Cannot read ${name} as ${why}`, { cause });
  }
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function bytes(writer: BinaryWriter, field: number, value: Uint8Array): void {
  writer.tag(field, WireType.LengthDelimited).bytes(value);
}

function int64(writer: BinaryWriter, field: number, value: number | bigint): void {
  writer.tag(field, WireType.Varint).int64(value);
}

function message(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

/** An attribute to be added to a node. */
export function newAttribute(name: string, value: Attribute): ReadAttribute {
  const FLOAT = 1, INT = 2, STRING = 3;
  const encoded = message((w) => {
    text(w, 1, name);
    if ("int" in value) int64(w, 3, value.int);
    else if ("float" in value) w.tag(2, WireType.Bit32).float(value.float);
    else text(w, 4, value.text);
    int64(w, 20, "int" in value ? INT : "float" in value ? FLOAT : STRING);
  });
  return { name, ...value, ints: [], graphs: [], encoded };
}

/** A node to be added; `name` must differ from those of all others. */
export function newNode(
  name: string,
  { op, domain = "", inputs, outputs, attributes = {} }: {
    readonly op: string;
    readonly domain?: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly attributes?: Readonly<Record<string, Attribute>>;
  },
): ReadNode {
  const named = Object.entries(attributes).map(([key, value]) =>
    [key, newAttribute(key, value)] as const
  );
  const rest = [message((w) => text(w, 3, name))];
  return { op, domain, inputs, outputs, attributes: new Map(named), rest };
}

/** A constant to be added, its elements in the file or in another one. */
export function newTensor(
  name: string,
  type: number,
  dims: readonly number[],
  place: Exclude<TensorPlace, { kind: "fields" }>,
): ReadTensor {
  const EXTERNAL = 1;
  const encoded = message((w) => {
    for (const size of dims) int64(w, 1, size);
    int64(w, 2, type);
    text(w, 8, name);
    if (place.kind === "raw") return bytes(w, 9, place.bytes);
    const { location, offset, length = tensorBytes({ type, dims }) } = place;
    for (const [key, value] of Object.entries({ location, offset, length })) {
      bytes(
        w,
        13,
        message((entry) => {
          text(entry, 1, key);
          text(entry, 2, String(value));
        }),
      );
    }
    int64(w, 14, EXTERNAL);
  });
  return { name, type, dims, place, encoded };
}

/** An input or output to be added. */
export function newValue(name: string, type: OnnxType, dims: ValueInfo["dims"]): ReadValue {
  const shape = message((w) => {
    for (const size of dims) {
      bytes(
        w,
        1,
        message((dim) => typeof size === "number" ? int64(dim, 1, size) : text(dim, 2, size)),
      );
    }
  });
  const tensor = message((w) => {
    int64(w, 1, ONNX_TYPE[type]);
    bytes(w, 2, shape);
  });
  const encoded = message((w) => {
    text(w, 1, name);
    bytes(w, 2, message((kind) => bytes(kind, 1, tensor)));
  });
  return { name, type: ONNX_TYPE[type], dims, encoded };
}

/**
 * Serializes a model: what {@linkcode parseModel} read, and what was added since.
 *
 * @param model The model.
 * @returns Its bytes, as a `.onnx` file holds them.
 */
export function encodeModel({ opsets, graph, rest }: ReadModel): Uint8Array<ArrayBuffer> {
  const body = new BinaryWriter();
  for (const { op, domain, inputs, outputs, attributes, rest: others } of graph.nodes) {
    body.tag(1, WireType.LengthDelimited).fork();
    for (const input of inputs) text(body, 1, input);
    for (const output of outputs) text(body, 2, output);
    text(body, 4, op);
    for (const { encoded } of attributes.values()) bytes(body, 5, encoded);
    text(body, 7, domain);
    for (const raw of others) body.raw(raw);
    body.join();
  }
  for (const { encoded } of graph.initializers.values()) bytes(body, 5, encoded);
  for (const { encoded } of graph.inputs) bytes(body, 11, encoded);
  for (const { encoded } of graph.outputs) bytes(body, 12, encoded);
  for (const raw of [...graph.shapes, ...graph.rest]) body.raw(raw);
  const writer = new BinaryWriter();
  for (const raw of rest) writer.raw(raw);
  bytes(writer, 7, body.finish());
  for (const [domain, version] of opsets) {
    bytes(
      writer,
      8,
      message((w) => {
        text(w, 1, domain);
        int64(w, 2, version);
      }),
    );
  }
  return writer.finish() as Uint8Array<ArrayBuffer>;
}

/**
 * Moves the elements of large constants out of the model: they become references to the file that
 * they were read from, so that a session can use the mapped file instead of a copy.
 *
 * @param graph The graph, as {@linkcode parseModel} gave it.
 * @param file The bytes that were read.
 * @param location Name under which a session finds the file.
 */
export function withoutData(graph: ReadGraph, file: Uint8Array, location: string): ReadGraph {
  const LARGE = 4096; // shapes and axes must stay where the runtime reads them early
  const moved = ([name, tensor]: [string, ReadTensor]): [string, ReadTensor] => {
    const { place, type, dims } = tensor;
    if (place.kind !== "raw" || place.bytes.length < LARGE) return [name, tensor];
    const offset = place.bytes.byteOffset - file.byteOffset;
    const elsewhere = { kind: "external", location, offset, length: place.bytes.length } as const;
    return [name, newTensor(name, type, dims, elsewhere)];
  };
  return { ...graph, initializers: new Map([...graph.initializers].map(moved)) };
}

/**
 * Gives the external files of a graph other names.
 *
 * @param graph The graph.
 * @param nameOf The new name of a file.
 */
export function withLocations(graph: ReadGraph, nameOf: (location: string) => string): ReadGraph {
  const renamed = ([name, tensor]: [string, ReadTensor]): [string, ReadTensor] => {
    const { place, type, dims } = tensor;
    if (place.kind !== "external") return [name, tensor];
    const location = nameOf(place.location);
    return [name, newTensor(name, type, dims, { ...place, location })];
  };
  return { ...graph, initializers: new Map([...graph.initializers].map(renamed)) };
}
