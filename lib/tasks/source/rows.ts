/**
 * Problems from files: JSONL, JSON, CSV, TSV and Parquet, from a disk, an address or the Hugging Face Hub.
 *
 * Files are untrusted. What a row holds is plain data, a file is refused above a size, and a fault is
 * named with its file and line. No digit is lost: a number that a double cannot hold as it is written
 * (an integer beyond 2^53 − 1, a decimal of more digits) is text. What is missing is null: also NaN and
 * Infinity, as Python writes them.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { basename, join } from "node:path";
import { unpacked } from "../../_archive.ts";
import { checkOptions, refusal } from "../../_check.ts";
import { exactNumber, parseJson, textIn } from "../../_json.ts";
import { type DatasetOptions, downloadDataset } from "../../model/mod.ts";
import { dataFiles, formatOf, FORMATS } from "./files.ts";

/** A row: values by column. */
export type Row = Readonly<Record<string, unknown>>;

/** Options of {@linkcode readRows}. */
export interface SourceOptions extends DatasetOptions {
  /**
   * Part of a data set, such as "test": of a folder or a data set on the hub, or of a JSON file that is
   * an object of lists. Default: "test", or the only part there is.
   */
  readonly split?: string;
  /**
   * Configuration of a data set that has several, as its card names it, or else the folder or file, such
   * as "main" or "gpqa_diamond". Default: the card's default, or the only one.
   */
  readonly config?: string;
}

const VERB = "read problems";
/** Largest file, in bytes. */
const LARGEST = 2 ** 30;
/** Most files of a folder. */
const MOST_FILES = 100_000;
const CARD = "README.md";

/**
 * Reads the rows of a source.
 *
 * @param source Path or file URL of a `.jsonl`, `.json`, `.csv`, `.tsv` or `.parquet` file (also packed
 * with gzip or Zstandard) or of a folder that holds a data set, an http(s) address of a file, or
 * "org/name" of a data set on the hub. A file or folder of that path wins over the hub.
 * @param options Split and configuration of a data set, revision, cache folder, offline, token.
 * @returns All rows, in the order of the file.
 * @throws {Deno.errors.NotFound} Where there is no such file or data set.
 * @throws {RangeError} Where a data set's files are ambiguous or not whole, or a file is too large.
 * @throws {SyntaxError} Where a file is not what its name says, naming the line.
 *
 * @example Two rows
 * ```ts
 * import { readRows } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const path = await Deno.makeTempFile({ suffix: ".jsonl" });
 * await Deno.writeTextFile(path, '{"question":"1 + 1?","answer":"2"}\n{"question":"?","answer":"!"}\n');
 * assertEquals((await readRows(path)).map((row) => row.answer), ["2", "!"]);
 * await Deno.remove(path);
 * ```
 */
export async function readRows(source: string | URL, options: SourceOptions = {}): Promise<Row[]> {
  checkOptions(VERB, options, SOURCE_OPTIONS);
  const { split, config, ...hub } = options;
  if (typeof source !== "string" && !(source instanceof URL)) {
    throw new TypeError(
      refusal(VERB, "source", "be a path, an address or a data set's id", source),
    );
  }
  const text = String(source);
  if (/^https?:/i.test(text)) {
    const url = new URL(text);
    checkOneFile(url.pathname, split, config);
    return await parse(await fetched(url, hub), url.pathname, split);
  }
  const path = /^file:/i.test(text) ? fileURLToPath(text) : text;
  const found = await Deno.stat(path).catch(() => undefined);
  if (found?.isFile) {
    checkOneFile(path, split, config);
    return await readFile(path, split);
  }
  const wanted = { split, config };
  if (found?.isDirectory) {
    const names = await namesBelow(path);
    const card = names.includes(CARD) ? await Deno.readTextFile(join(path, CARD)) : undefined;
    const files = dataFiles(path, names, wanted, card);
    return (await Promise.all(files.map((name) => readFile(join(path, name), split)))).flat();
  }
  if (found || !/^[\w.-]+\/[\w.-]+$/.test(text) || formatOf(text)) {
    throw new Deno.errors.NotFound(refusal(
      VERB,
      "source",
      `be a ${FORMATS.join(", ")} file that there is, an address of one, or 'org/name' on the hub`,
      text,
    ));
  }
  const files = await downloadDataset(
    text,
    async (names, read) => dataFiles(text, names, wanted, await read(CARD)),
    hub,
  );
  const rows: Row[] = [];
  for (const file of files) {
    for (const row of await readFile(file, split)) rows.push(row);
  }
  return rows;
}

/** Refuses what chooses among files, where there is one. */
function checkOneFile(path: string, split: unknown, config: unknown): void {
  const name = config !== undefined
    ? "config"
    : split !== undefined && formatOf(path) !== "json"
    ? "split"
    : undefined;
  if (name === undefined) return;
  throw new TypeError(
    `Cannot ${VERB} as '${name}' chooses within a data set: ${basename(path)} is one file`,
  );
}

async function readFile(path: string, split: string | undefined): Promise<Row[]> {
  if ((await Deno.stat(path)).size > LARGEST) tooLarge(path);
  return await parse(await Deno.readFile(path), path, split);
}

/** Names of the files below a folder, with "/" between them; what is hidden is left out. */
async function namesBelow(folder: string): Promise<string[]> {
  const names: string[] = [], folders = [""];
  for (let before = folders.pop(); before !== undefined; before = folders.pop()) {
    for await (const { name, isDirectory } of Deno.readDir(join(folder, before))) {
      if (name.startsWith(".")) continue;
      if (isDirectory) folders.push(`${before}${name}/`);
      else names.push(`${before}${name}`);
      if (names.length + folders.length > MOST_FILES) {
        throw new RangeError(`Cannot ${VERB} as ${folder} must have at most ${MOST_FILES} files`);
      }
    }
  }
  return names;
}

/** Names of the options of {@linkcode readRows}. */
export const SOURCE_OPTIONS = [
  "split",
  "config",
  "revision",
  "token",
  "endpoint",
  "retries",
  "timeout",
  "signal",
  "sleep",
  "now",
  "cacheDir",
  "offline",
  "onProgress",
] as const satisfies (keyof SourceOptions)[];

function tooLarge(name: string): never {
  throw new RangeError(`Cannot ${VERB} as ${name} must have at most 1 GiB`);
}

/** The bytes behind an address. */
async function fetched(
  url: URL,
  { offline, signal }: SourceOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  if (offline) throw new RangeError(`Cannot ${VERB} as ${url} cannot be asked offline`);
  const response = await fetch(url, signal ? { signal } : {});
  if (!response.ok) {
    await response.body?.cancel();
    throw new Deno.errors.NotFound(`Cannot ${VERB} as ${url.host} answered ${response.status}`);
  }
  return await gathered(response.body!, url.href);
}

async function gathered(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of stream) {
    if ((size += chunk.length) > LARGEST) tooLarge(name);
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** The rows in the bytes of a file. */
async function parse(
  packed: Uint8Array<ArrayBuffer>,
  path: string,
  split: string | undefined,
): Promise<Row[]> {
  const name = basename(path), format = formatOf(path);
  if (!format) {
    throw new SyntaxError(`Cannot ${VERB} as ${name} must end in .${FORMATS.join(", .")}`);
  }
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = unpacked(packed, LARGEST);
  } catch (cause) {
    if (cause instanceof RangeError) return tooLarge(name);
    return fault(name, "the packing", `is not usable (${(cause as Error).message})`, cause);
  }
  const start = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart().toLowerCase();
  if (start.startsWith("version https://git-lfs")) {
    return fault(name, "the text", "is a pointer of Git LFS: `git lfs pull` brings the file");
  }
  if (/^<(!doctype|html)/.test(start)) return fault(name, "the text", "is a web page, no data");
  if (format === "parquet") return await parseParquet(bytes, name);
  let text: string;
  try {
    text = textIn(bytes); // without a byte order mark
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    return fault(name, "the text", "is not UTF-8", cause);
  }
  if (format === "csv" || format === "tsv") return parseTable(text, name, format);
  return format === "json" ? parseWhole(text, name, split) : parseLines(text, name);
}

function fault(name: string, where: string, what: string, cause?: unknown): never {
  throw new SyntaxError(`Cannot ${VERB} as ${where} of ${name} ${what}`, { cause });
}

const isObject = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function parseLines(text: string, name: string): Row[] {
  if (text.trimStart().startsWith("[")) { // a list after all
    try {
      const list = parseJson(text);
      if (Array.isArray(list) && list.every(isObject)) return list;
    } catch { // its lines say what is wrong
    }
  }
  return text.split(/\r\n|\n|\r/).flatMap((line, i) => {
    if (line.trim() === "") return [];
    let value: unknown;
    try {
      value = parseJson(line);
    } catch (cause) {
      fault(name, `line ${i + 1}`, "is not valid JSON", cause);
    }
    return isObject(value) ? [value] : fault(name, `line ${i + 1}`, "is not an object");
  });
}

/** Fields of an object that hold its rows. */
const LISTS = ["data", "rows", "examples", "problems"];

/** A list of objects, an object of which one field is such a list, or lines of objects. */
function parseWhole(text: string, name: string, split: string | undefined): Row[] {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    const [first = "", second] = text.split(/\r\n|\n|\r/, 10_000).filter((line) => line.trim());
    if (second !== undefined && isLine(first)) return parseLines(text, name);
    fault(name, "the text", "is not valid JSON", cause);
  }
  const rows = Array.isArray(value)
    ? value
    : isObject(value)
    ? listIn(value, name, split)
    : undefined;
  if (rows === undefined) return fault(name, "the text", "is not one list of rows");
  const bad = rows.findIndex((row) => !isObject(row));
  if (bad >= 0) fault(name, `item ${bad}`, "is not an object");
  return rows.map((row) => isObject(row.row) && "row_idx" in row ? row.row : row);
}

function isLine(line: string): boolean {
  try {
    return isObject(parseJson(line));
  } catch {
    return false;
  }
}

/** The list of rows in an object: of the split, of a usual name, or the only one. */
function listIn(value: Row, name: string, split: string | undefined): Row[] | undefined {
  const all = Object.entries(value).filter((field): field is [string, Row[]] =>
    Array.isArray(field[1])
  );
  const lists = all.filter(([, list]) => list.length > 0 && list.every(isObject));
  const called = (wanted: string) => all.find(([own]) => own === wanted)?.[1];
  if (split !== undefined && called(split)) return called(split);
  const [only, another] = lists.length > 0 ? lists : all;
  if (only && !another && (split === undefined || LISTS.includes(only[0]))) return only[1];
  const usual = LISTS.map(called).find((list) => list !== undefined);
  if (usual || lists.length === 0) return usual;
  const byDefault = split === undefined ? called("test") : undefined;
  return byDefault ?? fault(
    name,
    "the text",
    `is not one list of rows: 'split' must name one of ${lists.map(([own]) => own).join(", ")}`,
  );
}

/**
 * What stands between the fields: a tab in .tsv; in .csv a comma, or where the first line has none
 * outside of quotes, the semicolon or tab that it has. Spreadsheets say it in a line of its own.
 */
function separatorOf(text: string, format: "csv" | "tsv"): { by: string; start: number } {
  const said = /^sep=([,;\t|])\r?\n/i.exec(text);
  if (said) return { by: said[1]!, start: said[0].length };
  if (format === "tsv") return { by: "\t", start: 0 };
  const seen = new Set<string>();
  for (let at = 0, quoted = false; at < text.length; at++) {
    const own = text[at]!;
    if (own === '"') quoted = !quoted;
    else if (!quoted && (own === "\n" || own === "\r")) break;
    else if (!quoted) seen.add(own);
  }
  return { by: [",", ";", "\t"].find((one) => seen.has(one)) ?? ",", start: 0 };
}

/** Separated values by RFC 4180: the first line names the columns. */
function parseTable(text: string, name: string, format: "csv" | "tsv"): Row[] {
  const { by, start: from } = separatorOf(text, format);
  const lines: { fields: string[]; line: number }[] = [];
  let fields: string[] = [], line = from > 0 ? 2 : 1, start = line, at = from;
  const end = () => {
    if (fields.length > 1 || fields[0] !== "") lines.push({ fields, line: start });
    fields = [];
    start = line;
  };
  while (at < text.length) {
    let field = "";
    if (text[at] === '"') {
      for (let from = ++at;; from = at) {
        at = text.indexOf('"', from);
        if (at < 0) fault(name, `line ${start}`, "has a quote that does not end");
        field += text.slice(from, at++);
        if (text[at] !== '"') break;
        field += '"';
        at++;
      }
    } else {
      let stop = at;
      while (
        stop < text.length && text[stop] !== by && text[stop] !== "\n" && text[stop] !== "\r"
      ) {
        stop++;
      }
      field = text.slice(at, stop);
      at = stop;
    }
    line += field.split("\n").length - 1;
    fields.push(field);
    if (text[at] === by) {
      at++;
      if (at === text.length) fields.push("");
      continue;
    }
    const [ending = ""] = /^\r?\n|^\r/.exec(text.slice(at, at + 2)) ?? [];
    if (ending === "" && at < text.length) fault(name, `line ${line}`, "has text after a quote");
    at += ending.length;
    line++;
    end();
  }
  if (fields.length > 0) end();
  const [head, ...rest] = lines;
  if (!head) fault(name, "the text", "names no columns");
  if (new Set(head!.fields).size < head!.fields.length) {
    fault(name, `line ${head!.line}`, "names a column twice");
  }
  return rest.map(({ fields, line }) => {
    if (fields.length !== head!.fields.length) {
      fault(name, `line ${line}`, `has ${fields.length} fields, not ${head!.fields.length}`);
    }
    return Object.fromEntries(fields.map((field, i) => [head!.fields[i]!, field]));
  });
}

/** Parquet, by a library that is loaded when it is first needed. */
async function parseParquet(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<Row[]> {
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
