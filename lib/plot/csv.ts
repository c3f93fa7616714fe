/**
 * Tables, rows and runs as CSV (RFC 4180) for pandas, R and their like: `pandas.read_csv(file)`.
 *
 * Text in UTF-8 without a byte-order mark, lines that end in CRLF, a heading line. Numbers have all their
 * digits; an infinity is `inf`, and what is missing or NaN is an empty field, as an empty text is `""`. Data
 * stays data: a text that begins with `=` is written as it is, which a spreadsheet takes for a formula unless
 * the column is imported as text. A program that reads columns of texts says so, too, or "007" may become 7:
 * `read_csv(file, dtype={"grade.extracted": str}, keep_default_na=False)`.
 *
 * @module
 */

import { isObject, refusal } from "../_check.ts";
import { type Run, verdictOf } from "../study/mod.ts";
import { isTable, type Table, tablesIn, type Tabular } from "./table.ts";

const VERB = "write CSV";

/** A row: its fields by their columns. */
type Fields = ReadonlyMap<string, unknown>;

/**
 * Tables, or plain rows, as CSV.
 *
 * - A **table** gives a column a value, called as its field. Titles and notes are left out. Several tables
 *   stand below one another, with the columns of all and a first one, `table`, that counts them from 1.
 * - **Rows**, such as those of `gains` and `scoreGains`, give a column a field; those of an object within it
 *   have names with a dot, `mixing.meanEntropy`, as `pandas.json_normalize` calls them. Lists are JSON.
 * - **Runs** are rows too, with two exceptions: `tokens` is their number, and `verdict`, before `grade`, is
 *   "right", "wrong", "cut" or "ungradable". (Digests of the problem's fields are left out.)
 *
 * @param of A table, what `gainsTable` and its like return, a list of these, or rows.
 * @returns The text; an empty one of an empty list.
 * @throws {TypeError} If it is anything else, or a row holds what is neither a value nor a list.
 *
 * @example Rows, and objects within them
 * ```ts
 * import { toCsv } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * const rows = [{ method: "moi, β = 1", mixing: { meanEntropy: 0.31 } }, { method: "standard" }];
 * assertEquals(toCsv(rows), 'method,mixing.meanEntropy\r\n"moi, β = 1",0.31\r\nstandard,\r\n');
 * ```
 */
export function toCsv(of: Tabular | readonly object[]): string {
  if (!Array.isArray(of) || of.some((one) => isTable(one) || isObject(one) && "tables" in one)) {
    return ofTables(tablesIn(VERB, of));
  }
  return csv(of.map((row: unknown) => {
    if (!isObject(row)) throw new TypeError(refusal(VERB, "rows", "be objects", row));
    return new Map(flat(isRun(row) ? entriesOf(row) : Object.entries(row)));
  }));
}

function ofTables(tables: readonly Table[]): string {
  const namesIn = ({ columns }: Table) => columns.flatMap(({ fields }) => fields);
  const rows = tables.flatMap((table, i): Fields[] => {
    const names = namesIn(table), number = tables.length > 1 ? [["table", i + 1] as const] : [];
    return table.rows.map((row) => {
      const values = row.flatMap((cell) => cell.values);
      return new Map([...number, ...names.map((name, at) => [name, values[at]] as const)]);
    });
  });
  return csv(rows, rows.length > 0 ? undefined : tables.flatMap(namesIn));
}

const isRun = (row: object): row is Run =>
  ["problem", "method", "text", "finishReason", "grade"].every((name) => name in row);

/** What a line says of a run. */
function entriesOf(run: Run): [string, unknown][] {
  return Object.entries(run).flatMap(([name, value]): [string, unknown][] => {
    if (name === "problemFields") return [];
    if (name === "tokens") return [[name, run.tokens.length || undefined]]; // none: nobody told them
    return name === "grade" ? [["verdict", verdictOf(run)], [name, value]] : [[name, value]];
  });
}

/** Fields, those of objects by their path. */
function flat(entries: readonly (readonly [string, unknown])[]): (readonly [string, unknown])[] {
  return entries.flatMap(([name, value]) =>
    isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value))
      ? flat(Object.entries(value).map(([inner, own]) => [`${name}.${inner}`, own]))
      : [[name, value]]
  );
}

function csv(rows: readonly Fields[], names = namesOf(rows)): string {
  if (names.length === 0) return "";
  const lines = rows.map((row) => names.map((name) => field(name, row.get(name))));
  return [names.map((name) => field("a name", name)), ...lines]
    .map((line) => `${line.join(",") || '""'}\r\n`).join(""); // readers pass over empty lines
}

/** The columns of all rows, those of an object beside one another, whichever row has them first. */
function namesOf(rows: readonly Fields[]): string[] {
  const groups = new Map<string, Set<string>>();
  for (const row of rows) {
    for (const name of row.keys()) {
      const owner = name.split(".", 1)[0]!, group = groups.get(owner) ?? new Set();
      groups.set(owner, group.add(name));
    }
  }
  return [...groups.values()].flatMap((group) => [...group]);
}

function field(name: string, value: unknown): string {
  if (value === undefined || value === null) return "";
  switch (typeof value) {
    case "number":
      if (Number.isNaN(value)) return "";
      return Number.isFinite(value) ? `${value}` : value < 0 ? "-inf" : "inf";
    case "boolean":
    case "bigint":
      return `${value}`;
    case "string":
      return value === "" || /[",\r\n]/.test(value) ? quoted(value) : value;
  }
  if (Array.isArray(value)) return quoted(JSON.stringify(value));
  throw new TypeError(refusal(VERB, name, "be a value, a list or a plain object", value));
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
