/**
 * A table as a value, and the four ways in which it is written: text, HTML and Markdown have the cells as they
 * are read, CSV the values behind them with all their digits.
 *
 * @module
 */

import { isObject } from "../_check.ts";
import { escapeHtml } from "../_escape.ts";

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
}

/** A table: plain data. */
export interface Table {
  /** What stands above it. */
  readonly title?: string;
  /** Its columns: heading, names of the values in a cell, side, least width. */
  readonly columns: readonly (Required<Pick<Column<never>, "heading" | "align" | "width">> & {
    readonly fields: readonly string[];
  })[];
  /** Its cells: what they hold, and how it is written. */
  readonly rows: readonly (readonly {
    readonly values: readonly Value[];
    readonly text: string;
  }[])[];
  /** What must be known to read it, below it. */
  readonly notes: readonly string[];
}

/**
 * Makes a table. Notes that are false or undefined are left out.
 *
 * @example Three ways to write it
 * ```ts
 * import { tableCsv, tableMarkdown, tableOf, tableText } from "@moi/moi/plot";
 * import { assertEquals } from "@std/assert";
 * const table = tableOf([{ method: "moi", gain: 0.0421 }], [
 *   { heading: "method", of: "method" },
 *   { heading: "gain, points", of: "gain", as: (gain: number) => (100 * gain).toFixed(1) },
 * ], { notes: ["N = 500"] });
 * assertEquals(tableText(table), "method  gain, points\nmoi              4.2\nN = 500");
 * assertEquals(tableMarkdown(table).split("\n")[2], "| moi | 4.2 |");
 * assertEquals(tableCsv(table), "method,gain\r\nmoi,0.0421\r\n");
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
    columns: all.map(({ heading, fields, align, width = 0 }, i) => ({
      ...{ heading, fields, align: align ?? (i === 0 ? "left" : "right"), width },
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

/** Heading and cells as they are written, row by row, each on one line. */
const written = ({ columns, rows }: Table) =>
  [columns.map(({ heading }) => heading), ...rows.map((row) => row.map(({ text }) => text))]
    .map((row) => row.map((text) => text.replaceAll(/\r\n?|\n/g, " ")));

/** A table as text: columns in line, notes below. Without headings there is no line for them. */
export function tableText(table: Table): string {
  const { title, columns, notes } = table;
  const lines = written(table).slice(columns.every(({ heading }) => heading === "") ? 1 : 0);
  const sizeOf = (text: string) => [...text].length;
  const widths = columns.map(({ width }, i) =>
    lines.reduce((most, line) => Math.max(most, sizeOf(line[i]!)), width)
  );
  const pad = (text: string, i: number) => {
    const space = " ".repeat(widths[i]! - sizeOf(text));
    return columns[i]!.align === "left" ? text + space : space + text;
  };
  const text = lines.map((line) => line.map(pad).join("  ").trimEnd());
  return [...title === undefined ? [] : [title], ...text, ...notes].join("\n");
}

/** A table as HTML, every text in it escaped. */
export function tableHtml(table: Table): string {
  const cell = (tag: string, text: string, i: number) =>
    `<${tag} style="text-align:${table.columns[i]!.align};padding:1px 7px;white-space:nowrap">${
      escapeHtml(text)
    }</${tag}>`;
  const rows = written(table).map((line, i) =>
    `<tr>${line.map((text, column) => cell(i === 0 ? "th" : "td", text, column)).join("")}</tr>`
  );
  const paragraph = (text: string) =>
    `<p style="font-size:12px;margin:4px 0">${escapeHtml(text)}</p>`;
  return (table.title === undefined ? "" : paragraph(table.title)) +
    `<div style="overflow-x:auto"><table style="border-collapse:collapse;font-size:12px">${
      rows.join("\n")
    }</table></div>${table.notes.map((note) => paragraph(`${note}.`)).join("")}`;
}

/** A table as Markdown, for a README. */
export function tableMarkdown(table: Table): string {
  const { title, columns, notes } = table, [head, ...rows] = written(table);
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll(/[\\|]/g, "\\$&")).join(" | ")} |`;
  const rule = columns.map(({ align }) => align === "left" ? "---" : "--:");
  const above = title === undefined ? [] : [title, ""];
  const below = notes.flatMap((note) => ["", `${note}.`]);
  return [...above, line(head!), line(rule), ...rows.map(line), ...below].join("\n");
}

/**
 * A table as CSV (RFC 4180): a column a value, called as its field, with all digits; empty where there is
 * none. Title and notes are left out.
 */
export function tableCsv({ columns, rows }: Table): string {
  const field = (value: Value) => {
    const text = typeof value === "number" && !Number.isFinite(value) ? "" : `${value ?? ""}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [
    columns.flatMap(({ fields }) => fields),
    ...rows.map((row) => row.flatMap((c) => c.values)),
  ]
    .map((line) => `${line.map(field).join(",")}\r\n`).join("");
}
