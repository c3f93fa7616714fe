/**
 * Rows in texts: JSON lines, JSON, and separated values.
 *
 * @module
 */

import { isObject } from "../../_check.ts";
import { parseJson } from "../../_json.ts";

/** A row: values by column. */
export type Row = Readonly<Record<string, unknown>>;

/** Problems cannot be read, as files are not what their names say. */
export function fault(name: string, where: string, what: string, cause?: unknown): never {
  throw new SyntaxError(`Cannot read problems as ${where} of ${name} ${what}`, { cause });
}

/** One object a line; a list of objects too. */
export function parseLines(text: string, name: string): Row[] {
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
export function parseWhole(text: string, name: string, split: string | undefined): Row[] {
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

/** How much of a first line is looked at. */
const LONGEST_HEAD = 2 ** 16;

/**
 * What stands between the fields: a tab in .tsv; in .csv a comma, or where the first line has none
 * outside of quotes, the semicolon or tab that it has. Spreadsheets say it in a line of its own.
 */
function separatorOf(text: string, format: "csv" | "tsv"): { by: string; start: number } {
  const said = /^sep=([,;\t|])\r?\n/i.exec(text);
  if (said) return { by: said[1]!, start: said[0].length };
  const head = text.slice(0, LONGEST_HEAD).replace(/"[^"]*"?/g, "").split(/[\r\n]/, 1)[0]!;
  const by = format === "tsv" ? "\t" : [",", ";", "\t"].find((one) => head.includes(one));
  return { by: by ?? ",", start: 0 };
}

/**
 * Separated values by RFC 4180: the first line names the columns. A quote within a field that begins with none is
 * a quote. (csv-parse takes that or tells what is wrong with a quoted field, not both.)
 */
export function parseTable(text: string, name: string, format: "csv" | "tsv"): Row[] {
  const { by, start } = separatorOf(text, format), stop = new RegExp(`[${by}\r\n]|$`, "g");
  const lines: { fields: string[]; line: number }[] = [];
  for (let at = start, line = start > 0 ? 2 : 1; at < text.length; line++) {
    const fields: string[] = [], first = line;
    do {
      if (fields.length > 0) at++;
      const { field, to } = fieldAt(at, first);
      fields.push(field);
      line += field.split("\n").length - 1;
      at = to;
    } while (text[at] === by);
    const [ending = ""] = /^\r?\n|^\r/.exec(text.slice(at, at + 2)) ?? [];
    if (ending === "" && at < text.length) fault(name, `line ${line}`, "has text after a quote");
    at += ending.length;
    if (fields.length > 1 || fields[0] !== "") lines.push({ fields, line: first });
  }
  const [head, ...rest] = lines;
  if (!head) return fault(name, "the text", "names no columns");
  const { fields: columns } = head;
  if (new Set(columns).size < columns.length) {
    fault(name, `line ${head.line}`, "names a column twice");
  }
  return rest.map(({ fields, line }) => {
    if (fields.length !== columns.length) {
      fault(name, `line ${line}`, `has ${fields.length} fields, not ${columns.length}`);
    }
    return Object.fromEntries(fields.map((field, i) => [columns[i]!, field]));
  });

  function fieldAt(at: number, line: number): { field: string; to: number } {
    if (text[at] !== '"') {
      stop.lastIndex = at;
      const to = stop.exec(text)!.index;
      return { field: text.slice(at, to), to };
    }
    for (let field = "", from = at + 1;;) {
      const to = text.indexOf('"', from);
      if (to < 0) fault(name, `line ${line}`, "has a quote that does not end");
      field += text.slice(from, to);
      if (text[to + 1] !== '"') return { field, to: to + 1 };
      field += '"';
      from = to + 2;
    }
  }
}
