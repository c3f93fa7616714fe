/**
 * Problems from files: JSONL, JSON, CSV and Parquet, from a disk, an address or the Hugging Face Hub.
 *
 * Files are untrusted. What a row holds is plain data, a file is refused above a size, and a fault is
 * named with its file and line.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { basename } from "node:path";
import { checkOptions, refusal } from "../_check.ts";
import { type DatasetOptions, downloadDataset } from "../model/mod.ts";

/** A row: values by column. */
export type Row = Readonly<Record<string, unknown>>;

/** Options of {@linkcode readRows}. */
export interface SourceOptions extends DatasetOptions {
  /** Part of a data set on the hub, such as "test". Default: "test", or the only file there is. */
  readonly split?: string;
  /** Folder of a data set on the hub that has several, such as "main". Default: none. */
  readonly config?: string;
}

const VERB = "read problems";
/** Largest file, in bytes. */
const LARGEST = 2 ** 30;
const FORMATS = ["parquet", "jsonl", "ndjson", "json", "csv"] as const;
type Format = typeof FORMATS[number];

/** Format and compression by the end of a name. */
function formatOf(name: string): { format: Format; gzip: boolean } | undefined {
  const found = /\.(parquet|jsonl|ndjson|json|csv)(\.gz)?$/i.exec(name);
  return found
    ? { format: found[1]!.toLowerCase() as Format, gzip: found[2] !== undefined }
    : undefined;
}

/**
 * Reads the rows of a source.
 *
 * @param source Path or file URL of a `.jsonl`, `.json`, `.csv` or `.parquet` file (the first three
 * also with `.gz`), an http(s) address of one, or "org/name" of a data set on the hub. A file of that
 * path wins over the hub.
 * @param options Split and configuration of a data set, revision, cache folder, offline, token.
 * @returns All rows, in the order of the file.
 * @throws {Deno.errors.NotFound} Where there is no such file or data set.
 * @throws {RangeError} Where a data set's files are ambiguous, or a file is too large.
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
    return await parse(await fetched(new URL(text), hub), new URL(text).pathname);
  }
  const path = /^file:/i.test(text) ? fileURLToPath(text) : text;
  const found = await Deno.stat(path).catch(() => undefined);
  if (found?.isFile) {
    if (found.size > LARGEST) tooLarge(path);
    return await parse(await Deno.readFile(path), path);
  }
  if (found || !/^[\w.-]+\/[\w.-]+$/.test(text) || formatOf(text)) {
    throw new Deno.errors.NotFound(refusal(
      VERB,
      "source",
      `be a ${FORMATS.join(", ")} file that there is, an address of one, or 'org/name' on the hub`,
      text,
    ));
  }
  const choose = (names: readonly string[]) => filesOf(text, names, split, config);
  const rows: Row[] = [];
  for (const file of await downloadDataset(text, choose, hub)) {
    const bytes = await Deno.readFile(file);
    for (const row of await parse(bytes, file)) rows.push(row);
  }
  return rows;
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

/** The files of a data set that hold a split. */
function filesOf(
  id: string,
  names: readonly string[],
  split: string | undefined,
  config: string | undefined,
): string[] {
  const all = names.filter((name) => formatOf(name) !== undefined);
  const data = config === undefined ? all : all.filter((name) => name.split("/").includes(config));
  const refuse = (rule: string, list: readonly string[]): never => {
    throw new RangeError(
      `Cannot ${VERB} of ${id} as ${rule}: it has ${
        list.slice(0, 8).join(", ") || "no data files"
      }`,
    );
  };
  const wanted = split ?? "test";
  const named = new RegExp(`(^|[/_.-])${wanted.replace(/[^\w-]/g, "\\$&")}([/_.-]|$)`, "i");
  let chosen = data.filter((name) => named.test(name));
  if (chosen.length === 0) {
    if (split !== undefined || data.length !== 1) {
      return refuse(`'split' must name some of its files, not "${wanted}"`, data);
    }
    chosen = data;
  }
  const format = FORMATS.find((one) => chosen.some((name) => formatOf(name)!.format === one));
  chosen = chosen.filter((name) => formatOf(name)!.format === format).sort();
  const folders = new Set(chosen.map((name) => name.slice(0, name.lastIndexOf("/") + 1)));
  const stems = new Set(chosen.map((name) => name.replace(/-\d+-of-\d+(?=\.)/, "")));
  if (folders.size > 1) return refuse("'config' must name one of its folders", [...folders]);
  if (stems.size > 1) return refuse("'split' must name one of its files", chosen);
  return chosen;
}

/** The rows in the bytes of a file. */
async function parse(bytes: Uint8Array<ArrayBuffer>, path: string): Promise<Row[]> {
  const name = basename(path), known = formatOf(path);
  if (!known) {
    throw new SyntaxError(`Cannot ${VERB} as ${name} must end in .${FORMATS.join(", .")}`);
  }
  const { format, gzip } = known;
  if (format === "parquet") return await parseParquet(bytes, name);
  const plain = gzip
    ? await gathered(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")), name)
    : bytes;
  const text = new TextDecoder().decode(plain); // without a byte order mark
  if (format === "csv") return parseCsv(text, name);
  return format === "json" ? parseJson(text, name) : parseLines(text, name);
}

function fault(name: string, where: string, what: string, cause?: unknown): never {
  throw new SyntaxError(`Cannot ${VERB} as ${where} of ${name} ${what}`, { cause });
}

const isObject = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function parseLines(text: string, name: string): Row[] {
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      fault(name, `line ${i + 1}`, "is not valid JSON", cause);
    }
    return isObject(value) ? [value] : fault(name, `line ${i + 1}`, "is not an object");
  });
}

/** A list of objects, or an object of which one field is such a list. */
function parseJson(text: string, name: string): Row[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    fault(name, "the text", "is not valid JSON", cause);
  }
  const lists = Array.isArray(value)
    ? [value]
    : isObject(value)
    ? Object.values(value).filter((field): field is unknown[] => Array.isArray(field))
    : [];
  const [rows] = lists;
  if (rows === undefined || lists.length > 1) fault(name, "the text", "is not one list of rows");
  const bad = rows!.findIndex((row) => !isObject(row));
  if (bad >= 0) fault(name, `item ${bad}`, "is not an object");
  return rows as Row[];
}

/** Comma-separated values by RFC 4180: the first line names the columns. */
function parseCsv(text: string, name: string): Row[] {
  const lines: { fields: string[]; line: number }[] = [];
  let fields: string[] = [], line = 1, start = 1, at = 0;
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
      const next = /[,\r\n]/g;
      next.lastIndex = at;
      const stop = next.exec(text)?.index ?? text.length;
      field = text.slice(at, stop);
      at = stop;
    }
    line += field.split("\n").length - 1;
    fields.push(field);
    if (text[at] === ",") {
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
    fault(name, "line 1", "names a column twice");
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
  const { parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  const { buffer, byteOffset, byteLength } = bytes;
  const file = {
    byteLength,
    slice: (from: number, to = byteLength) => buffer.slice(byteOffset + from, byteOffset + to),
  };
  try {
    return (await parquetReadObjects({ file, compressors })).map((row) => plain(row) as Row);
  } catch (cause) {
    return fault(name, "the file", `is not usable Parquet (${(cause as Error).message})`, cause);
  }
}

/** Values as JSON has them: 64-bit integers that a number can hold become numbers, others text. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  }
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return new TextDecoder().decode(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, plain(own)]));
}
