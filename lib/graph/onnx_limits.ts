/**
 * What is checked of an ONNX file before the protobuf runtime reads it: the runtime reads 60 MB of empty
 * nodes as more objects than memory holds, does not compare a field's wire type with the one that is
 * due, and lets a message end behind the one that it is in.
 *
 * @module
 */

import { type DescField, type DescMessage, ScalarType } from "npm:@bufbuild/protobuf@2.17.0";
import { BinaryReader, WireType } from "npm:@bufbuild/protobuf@2.17.0/wire";
import { GraphProtoSchema } from "./onnx_pb.ts";

/** Largest file: protobuf's own limit. */
const MAX_BYTES = 2 ** 31 - 1;
/** Most fields of a file; large models have a million. */
const MAX_FIELDS = 1 << 22;
/** Graphs within graphs. */
const MAX_DEPTH = 8;
/** Bytes of a name, or of a list of numbers. */
export const MAX_NAME = 1 << 16;

/** Refuses a file. */
export function fail(why: string): never {
  throw new SyntaxError(why);
}

/** Refuses a file for a value. */
export function refuse(what: string, rule: string, value: unknown): never {
  fail(`${what} must ${rule}: current value is ${value}`);
}

/** How a field is due on the wire; numbers of a list may also be packed. */
function wireTypeOf({ message, scalar }: DescField): WireType {
  if (message || scalar === ScalarType.STRING || scalar === ScalarType.BYTES) {
    return WireType.LengthDelimited;
  }
  return scalar === ScalarType.FLOAT ? WireType.Bit32 : WireType.Varint;
}

/** Refuses what is malformed, too large or too deep. Elements of tensors are skipped, not touched. */
export function checkMessage(schema: DescMessage, bytes: Uint8Array): void {
  if (bytes.length > MAX_BYTES) fail(`it has ${bytes.length} bytes, more than protobuf allows`);
  let fields = 0;
  const check = (schema: DescMessage, bytes: Uint8Array, outside: number): void => {
    const depth = schema === GraphProtoSchema ? outside + 1 : outside;
    if (depth > MAX_DEPTH) fail(`graphs are nested more than ${MAX_DEPTH} deep`);
    const reader = new BinaryReader(bytes), seen = new Set<number>();
    while (reader.pos < reader.len) {
      const [no, wire] = reader.tag(), field = schema.fields.find(({ number }) => number === no);
      if (wire === WireType.StartGroup || wire === WireType.EndGroup) fail("a field is a group");
      if (++fields > MAX_FIELDS) fail(`it has more than ${MAX_FIELDS} fields`);
      const value = reader.skip(wire, no);
      if (!field) continue;
      const due = wireTypeOf(field), isList = field.fieldKind === "list";
      if (wire !== due && !(isList && wire === WireType.LengthDelimited)) {
        fail(`${field} has wire type ${wire} where ${due} is due`);
      }
      if (field.message) {
        if (!isList && seen.has(no)) fail(`it has two of ${field}`);
        seen.add(no);
        check(field.message, new BinaryReader(value).bytes(), depth);
      } else if (field.scalar !== ScalarType.BYTES && value.length > MAX_NAME) {
        fail(`${field} is a name of ${value.length} bytes`);
      }
    }
  };
  check(schema, bytes, -1);
}
