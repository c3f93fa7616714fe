/**
 * Values as the JSON that plotly reads, which has one kind of array: a typed array would be an object with
 * its indices as names, which plotly takes for no data at all.
 *
 * @module
 */

import { refusal } from "../_check.ts";

/**
 * Writes JSON. Typed arrays become arrays; NaN and infinities become null, which plotly draws as a
 * gap; big integers become numbers, or text where a number would round them.
 *
 * @throws {TypeError} If there is something that JSON would lose: a Map, a Set, an ArrayBuffer, a
 * promise. What JSON leaves out by rule (undefined, functions) is left out.
 */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, plain);
}

function plain(this: Readonly<Record<string, unknown>>, name: string, json: unknown): unknown {
  const own = this[name], value = ArrayBuffer.isView(own) ? own : json; // a Buffer has its own toJSON
  if (typeof value === "bigint") {
    return BigInt(Number(value)) === value ? Number(value) : `${value}`;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if (ArrayBuffer.isView(value) && Symbol.iterator in value) return Array.from(value as Uint8Array);
  if (Symbol.iterator in value || OPAQUE.some((kind) => value instanceof kind)) {
    throw new TypeError(refusal("draw", name, "be a value, an array or a typed array", value));
  }
  return value;
}

const OPAQUE = [ArrayBuffer, SharedArrayBuffer, DataView, Promise, WeakMap, WeakSet];
