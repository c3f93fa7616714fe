/**
 * Rows in Parquet files: values as JSON has them, no digit lost.
 *
 * @module
 */

import { exactNumber, parseJson, textIn } from "../../_json.ts";
import { fault, type Row } from "./text.ts";

/** Parquet, by a library that is loaded when it is first needed. */
export async function parseParquet(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<Row[]> {
  const { parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import(
    "npm:hyparquet@1.33.0"
  );
  const { compressors } = await import("npm:hyparquet-compressors@1.1.2");
  const { buffer, byteOffset, byteLength } = bytes;
  const file = {
    byteLength,
    slice: (from: number, to = byteLength) => buffer.slice(byteOffset + from, byteOffset + to),
  };
  const parsers = {
    dateFromDays: (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10),
    jsonFromBytes: (own: Uint8Array | undefined) => own && parseJson(textIn(own)),
  };
  try {
    const metadata = await parquetMetadataAsync(file);
    const tree = parquetSchema(metadata) as Column;
    exactDecimals(tree);
    // without `utf8`, bytes that are no text by the schema stay bytes; decimals may be such
    const options = { file, metadata, compressors, parsers: parsers as never, utf8: false };
    return (await parquetReadObjects(options)).map((row) => plain(row, tree) as Row);
  } catch (cause) {
    return fault(name, "the file", `is not usable Parquet (${(cause as Error).message})`, cause);
  }
}

/** A column of a Parquet file, or a group of them. */
interface Column {
  readonly element: {
    readonly name: string;
    converted_type?: string;
    readonly logical_type?: { readonly type: string; readonly scale?: number };
    readonly scale?: number;
  };
  readonly children: readonly Column[];
  /** Digits after the point, where it holds decimals. */
  scale?: number;
}

/** Decimals are left as the integers that they are stored as, since the library makes doubles of them. */
function exactDecimals(column: Column): void {
  const { element, children } = column, { converted_type, logical_type } = element;
  if (converted_type === "MAP" || logical_type?.type === "MAP") return;
  if (converted_type === "DECIMAL" || logical_type?.type === "DECIMAL") {
    column.scale = element.scale ?? logical_type?.scale ?? 0;
    delete element.converted_type;
  }
  children.forEach(exactDecimals);
}

/** The column of a field below another, past the groups that lists have. */
function below(column: Column | undefined, name: string): Column | undefined {
  for (let own = column; own; own = own.children.length === 1 ? own.children[0] : undefined) {
    const found = own.children.find(({ element }) => element.name === name);
    if (found) return found;
  }
}

/** A stored integer with a point before its last digits. */
function decimal(value: bigint | number | Uint8Array, scale: number): number | string {
  let whole = 0n;
  if (value instanceof Uint8Array) {
    for (const byte of value) whole = whole << 8n | BigInt(byte);
    whole = BigInt.asIntN(8 * value.length, whole);
  } else whole = BigInt(value);
  const digits = `${whole < 0n ? -whole : whole}`.padStart(scale + 1, "0");
  const point = digits.length - scale;
  const text = scale > 0 ? `${digits.slice(0, point)}.${digits.slice(point)}` : digits;
  return exactNumber(whole < 0n ? `-${text}` : text);
}

/** Values as JSON has them: numbers that a double can hold, else text; what is missing is null. */
function plain(value: unknown, column: Column | undefined): unknown {
  if (Array.isArray(value)) return value.map((own) => plain(own, column));
  if (value === null || value === undefined) return null;
  if (typeof value === "object" && !(value instanceof Date) && !ArrayBuffer.isView(value)) {
    const fields = Object.entries(value);
    return Object.fromEntries(fields.map(([key, own]) => [key, plain(own, below(column, key))]));
  }
  let leaf = column;
  while (leaf?.children.length === 1) leaf = leaf.children[0];
  if (leaf?.scale !== undefined) return decimal(value as bigint, leaf.scale);
  if (typeof value === "bigint") return exactNumber(`${value}`);
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  if (value instanceof Date) return value.toISOString();
  return ArrayBuffer.isView(value) ? new TextDecoder().decode(value) : value;
}
