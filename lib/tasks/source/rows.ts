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
import {
  anything,
  boolean,
  callable,
  checkOptions,
  kind,
  refusal,
  type Rule,
  type Rules,
  signal as abortSignal,
  text as string,
} from "../../_check.ts";
import { textIn } from "../../_json.ts";
import { type DatasetOptions, downloadDataset } from "../../model/mod.ts";
import { dataFiles, formatOf, FORMATS, type Wanted } from "./files.ts";
import { parseParquet } from "./parquet.ts";
import { fault, parseLines, parseTable, parseWhole, type Row } from "./text.ts";

export type { Row };

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

/** Rules of {@linkcode SourceOptions}: what only the hub reads, its client checks. */
export const SOURCE_RULES: Rules<SourceOptions> = {
  ...{ split: string, config: string, offline: boolean, signal: abortSignal, onProgress: callable },
  ...{ revision: anything, token: anything, endpoint: anything, retries: anything },
  ...{ timeout: anything, cacheDir: anything },
};

/** Where problems are. */
export const SOURCE: Rule = kind(
  "be a file, an address or 'org/name' of a data set on the hub",
  (value) => typeof value === "string" || value instanceof URL,
);

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
  checkOptions(VERB, options, SOURCE_RULES);
  SOURCE(VERB, "source", source);
  const rows: Row[][] = [];
  for (const { path, bytes } of await filesOf(String(source), options)) {
    rows.push(await parse(await bytes(), path, options.split));
  }
  return rows.flat();
}

type Bytes = Uint8Array<ArrayBuffer>;

/** A file of a source, which is read when its turn comes. */
interface SourceFile {
  readonly path: string;
  readonly bytes: () => Promise<Bytes>;
}

const onDisk = (path: string): SourceFile => ({
  path,
  async bytes() {
    if ((await Deno.stat(path)).size > LARGEST) tooLarge(path);
    return await Deno.readFile(path);
  },
});

/** The files of a source: one behind an address or a path, or those of a data set in a folder or on the hub. */
async function filesOf(source: string, options: SourceOptions): Promise<SourceFile[]> {
  const { split, config, ...hub } = options, wanted = { split, config };
  if (/^https?:/i.test(source)) {
    const url = new URL(source);
    return [theOne({ path: url.pathname, bytes: () => fetched(url, hub) }, wanted)];
  }
  const path = /^file:/i.test(source) ? fileURLToPath(source) : source;
  const found = await Deno.stat(path).catch(() => undefined);
  if (found?.isFile) return [theOne(onDisk(path), wanted)];
  if (found?.isDirectory) {
    const names = await namesBelow(path);
    const card = names.includes(CARD) ? await Deno.readTextFile(join(path, CARD)) : undefined;
    return dataFiles(path, names, wanted, card).map((name) => onDisk(join(path, name)));
  }
  if (found || !/^[\w.-]+\/[\w.-]+$/.test(source) || formatOf(source)) {
    const formats = FORMATS.join(", ");
    const rule = `be a ${formats} file that there is, an address of one, or 'org/name' on the hub`;
    throw new Deno.errors.NotFound(refusal(VERB, "source", rule, source));
  }
  const files = await downloadDataset(
    source,
    async (names, read) => dataFiles(source, names, wanted, await read(CARD)),
    hub,
  );
  return files.map(onDisk);
}

/** The only file of a source; what chooses among files is refused. */
function theOne(file: SourceFile, { split, config }: Wanted): SourceFile {
  const isChosen = split !== undefined && formatOf(file.path) !== "json";
  const name = config !== undefined ? "config" : isChosen ? "split" : undefined;
  if (name === undefined) return file;
  throw new TypeError(
    `Cannot ${VERB} as '${name}' chooses within a data set: ${basename(file.path)} is one file`,
  );
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

function tooLarge(name: string): never {
  throw new RangeError(`Cannot ${VERB} as ${name} must have at most 1 GiB`);
}

/** The bytes behind an address. */
async function fetched(url: URL, { offline, signal }: SourceOptions): Promise<Bytes> {
  if (offline) throw new RangeError(`Cannot ${VERB} as ${url} cannot be asked offline`);
  const response = await fetch(url, signal ? { signal } : {});
  if (!response.ok) {
    await response.body?.cancel();
    throw new Deno.errors.NotFound(`Cannot ${VERB} as ${url.host} answered ${response.status}`);
  }
  const chunks: Bytes[] = [];
  let size = 0;
  for await (const chunk of response.body!) {
    if ((size += chunk.length) > LARGEST) tooLarge(url.href);
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** The rows in the bytes of a file. */
async function parse(packed: Bytes, path: string, split: string | undefined): Promise<Row[]> {
  const name = basename(path), format = formatOf(path);
  if (!format) {
    throw new SyntaxError(`Cannot ${VERB} as ${name} must end in .${FORMATS.join(", .")}`);
  }
  let bytes: Bytes;
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
