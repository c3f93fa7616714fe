/**
 * A table as a value: headings, cells, and what must be known to read them. How it is written is the matter of
 * others: `toText`, `toMarkdown` and `toLatex` have the cells as they are read, `toCsv` the values behind them
 * with all their digits, and pages and notebooks show it as HTML.
 *
 * @module
 */

import { isObject, refusal } from "../_check.ts";

/** What stands in a cell; a dash is written where there is nothing. */
export type Value = string | number | boolean | null | undefined;

/** A column: which fields of a row it shows, and how they are written. */
export interface Column<Row> {
  /** Heading, with the unit. */
  readonly heading: string;
  /** A field, or several that are written as one, such as a mean and both ends of its interval. */
  readonly of: (keyof Row & string) | readonly (keyof Row & string)[];
  /** Writes their values. Default: as they are, a comma between several. */
  readonly as?: (...values: never[]) => string;
  /** Default: the first column left, the others right. */
  readonly align?: "left" | "right";
  /** Least width in characters of text, for tables that are printed line by line. Default: 0. */
  readonly width?: number;
  /** What the heading means, where it is short: told below the table, and where a pointer rests on it. */
  readonly means?: string;
}

/** A table: plain data. */
export interface Table {
  /** What stands above it. */
  readonly title?: string;
  /** Its columns: heading and what it means, names of the values in a cell, side, least width. */
  readonly columns: readonly (
    & Required<Pick<Column<never>, "heading" | "align" | "width">>
    & Pick<Column<never>, "means">
    & { readonly fields: readonly string[] }
  )[];
  /** Its cells: what they hold, and how it is written. */
  readonly rows: readonly (readonly {
    readonly values: readonly Value[];
    readonly text: string;
  }[])[];
  /** What must be known to read it, below it. */
  readonly notes: readonly string[];
}

/** What holds tables: one, what `gainsTable` and its like return, or a list of these. */
export type Tabular =
  | Table
  | { readonly tables: readonly Table[] }
  | readonly (Table | { readonly tables: readonly Table[] })[];

/**
 * Makes a table. Notes that are false or undefined are left out.
 *
 * @example Three ways to write it
 * ```ts
 * import { tableOf, toCsv, toMarkdown, toText } from "@moi/moi/plot";
 * import { assertEquals } from "@std/assert";
 * const table = tableOf([{ method: "moi", gain: 0.0421 }], [
 *   { heading: "method", of: "method" },
 *   { heading: "gain, points", of: "gain", as: (gain: number) => (100 * gain).toFixed(1) },
 * ], { notes: ["N = 500"] });
 * assertEquals(toText(table), "method  gain, points\nmoi              4.2\nN = 500");
 * assertEquals(toMarkdown(table).split("\n")[2], "| moi | 4.2 |");
 * assertEquals(toCsv(table), "method,gain\r\nmoi,0.0421\r\n");
 * ```
 */
export function tableOf<Row extends object>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  more: {
    readonly title?: string;
    readonly notes?: readonly (string | false | undefined)[];
  } = {},
): Table {
  const all = columns.map(({ of, ...column }) => ({ ...column, fields: [of].flat() }));
  return {
    ...(more.title === undefined ? {} : { title: more.title }),
    columns: all.map(({ heading, fields, align, width = 0, means }, i) => ({
      ...{ heading, fields, align: align ?? (i === 0 ? "left" : "right"), width },
      ...(means === undefined ? {} : { means }),
    })),
    rows: rows.map((row) =>
      all.map(({ fields, as }) => {
        const values = fields.map((field) => row[field as keyof Row] as Value);
        const isNone = values[0] === undefined || values[0] === null;
        const text = isNone ? "–" : as ? as(...values as never[]) : values.join(", ");
        return { values: isNone ? values.map(() => undefined) : values, text };
      })
    ),
    notes: (more.notes ?? []).filter((note) => typeof note === "string"),
  };
}

/** Whether a value is a {@linkcode Table}. */
export function isTable(value: unknown): value is Table {
  return isObject(value) && [value.columns, value.rows, value.notes].every(Array.isArray);
}

/** The tables of what holds them. */
export function tablesIn(verb: string, value: unknown): readonly Table[] {
  if (isTable(value)) return [value];
  const all = isObject(value) ? value.tables : value;
  if (Array.isArray(all)) return all.flatMap((one) => tablesIn(verb, one));
  const rule = "be a table, what gainsTable or its like returns, or a list of these";
  throw new TypeError(refusal(verb, "tables", rule, value));
}

const onOneLine = (text: string) => text.replaceAll(/\r\n?|\n/g, " ");

/** What stands above a table, if anything does. */
export function aboveOf({ title }: Table): string[] {
  return title === undefined ? [] : [onOneLine(title)];
}

/** Headings and cells as they are written, row by row, each on one line. */
export function linesOf({ columns, rows }: Table): string[][] {
  return [columns.map(({ heading }) => heading), ...rows.map((row) => row.map(({ text }) => text))]
    .map((row) => row.map(onOneLine));
}

/** Its notes. */
export function notesOf({ notes }: Table): string[] {
  return notes.map(onOneLine);
}

/** What the short headings of a table mean: "H: mean entropy / ln V". */
export function meaningsOf({ columns }: Table): string[] {
  return columns.flatMap(({ heading, means }) => means ? [onOneLine(`${heading}: ${means}`)] : []);
}

/** What stands below a table: its notes, and in one sentence what its short headings mean. */
export function belowOf(table: Table): string[] {
  const meanings = meaningsOf(table).join("; ");
  return [...notesOf(table), ...(meanings === "" ? [] : [meanings])];
}
