/**
 * ONNX graphs as values: what is built, read, edited and written. They are never changed in place; an
 * edit is a copy with other parts.
 *
 * @module
 */

import { elements, type ElementType } from "../runtime/tensor.ts";
import { DataType } from "./onnx_pb.ts";

/** Name of an element type of a graph that is built here. */
export type OnnxType = ElementType;

/** Name of an element type of any graph. */
export type TensorType = Exclude<keyof typeof DataType, "none">;

/** Number of an element type. */
export const typeNumber = (type: TensorType): number => DataType[type];

/** What the operator Cast is told. */
export const castTo = (type: TensorType) => ({ attributes: { to: { int: typeNumber(type) } } });

/** The element type of a number; undefined where ONNX has none. */
export const typeNamed = (number: number | undefined): TensorType | undefined =>
  number ? DataType[number] as TensorType | undefined : undefined;

/** A field of a message that is not understood here, and passed on. */
export interface UnreadField {
  /** Its number. */
  readonly no: number;
  /** How it is written. */
  readonly wireType: number;
  /** Its bytes. */
  readonly data: Uint8Array;
}

/** The value of an attribute: of the first three, those that are built here have one. */
export interface Attribute {
  /** An integer. */
  readonly int?: number;
  /** A float. */
  readonly float?: number;
  /** A text. */
  readonly text?: string;
  /** Integers. */
  readonly ints?: readonly number[];
  /** A tensor. */
  readonly tensor?: Initializer;
  /** Graphs, as control flow has them. */
  readonly graphs?: readonly Graph[];
}

/** One operator of a graph. */
export interface Node {
  /** Name, which no other node has; default: made of the operator and the place in the graph. */
  readonly name?: string;
  /** Operator name. */
  readonly op: string;
  /** Operator set: "" is ONNX itself. */
  readonly domain: string;
  /** Names of the inputs; "" leaves an optional one out. */
  readonly inputs: readonly string[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** Attributes by name. */
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** What else a file says of it. */
  readonly rest?: readonly UnreadField[];
}

/** A byte range of a file. */
export interface FileRange {
  /** Name of the file. */
  readonly location: string;
  /** First byte. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
}

/** A constant tensor. */
export interface Initializer {
  /** Name by which nodes use it; "" for the value of an attribute. */
  readonly name: string;
  /** Element type. */
  readonly type: TensorType;
  /** Shape. */
  readonly dims: readonly number[];
  /**
   * The elements, little-endian, or where they lie. No bytes, whatever the shape, where a file has them
   * in fields that depend on the type and they are not a few integers: these are passed on unread.
   */
  readonly data: Uint8Array | FileRange;
}

/** An input or output of a graph. */
export interface ValueInfo {
  /** Name. */
  readonly name: string;
  /** Element type; undefined where it is not a tensor, or a file does not say. */
  readonly type: TensorType | undefined;
  /**
   * Shape: a size, a name where it may differ from run to run, "" where nothing is said; undefined where
   * a file gives no shape.
   */
  readonly dims: readonly (number | string)[] | undefined;
}

/** A graph. */
export interface Graph {
  /** Name; default "decoder". */
  readonly name?: string;
  /** Operators in an order in which they can run. */
  readonly nodes: readonly Node[];
  /** Constants. */
  readonly initializers: readonly Initializer[];
  /** Inputs. */
  readonly inputs: readonly ValueInfo[];
  /** Outputs. */
  readonly outputs: readonly ValueInfo[];
  /**
   * Of a decoder that was built here the values `[B, S, D]` of its residual stream: what the first layer gets, and
   * what stands in the stream after each layer. Not part of a file.
   */
  readonly streams?: readonly string[];
  /** Remarks of a file on the shapes of other values, unread. */
  readonly shapes?: readonly Uint8Array[];
  /** What else a file says of it. */
  readonly rest?: readonly UnreadField[];
}

/** A graph and what a file says of it. */
export interface OnnxModel {
  /** The graph. */
  readonly graph: Graph;
  /** Versions of the operator sets by domain; default: those that graphs are built for here. */
  readonly opsets?: ReadonlyMap<string, number>;
  /** Version of the format; default 10. */
  readonly version?: number;
  /** The tool that made it; default "moi". */
  readonly producer?: string;
  /** What else a file says. */
  readonly rest?: readonly UnreadField[];
}

/** Bits of the types whose elements are not of a byte; the name of the others ends with them. */
const BITS: Partial<Record<TensorType, number>> = { string: 8, bool: 8, float4e2m1: 4 };

/** Bytes that the elements of a tensor take. */
export function tensorBytes({ type, dims }: Pick<Initializer, "type" | "dims">): number {
  const bits = BITS[type] ?? (type.startsWith("float8") ? 8 : Number(/\d+$/.exec(type)![0]));
  return Math.ceil(elements(dims) * bits / 8);
}
