/**
 * Rows as lines of a table.
 *
 * @module
 */

import { digits, meets, type Place, type Row, type Target } from "./rows.ts";

const WIDTHS = [42, 43, 9, 18, 10];

function line(cells: readonly string[]): string {
  return `${cells.map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0)).join(" ").trimEnd()}\n`;
}

/** The table's first line. */
export const HEADER: string = line(["", "where", "median", "[quartiles]", "target", ""]);

function placeText({ model, dtype, batch, context, threads }: Place): string {
  const parts = [
    dtype === undefined ? model : `${model} ${dtype}`,
    batch === undefined ? [] : `B ${batch}`,
    context === undefined ? [] : `ctx ${context}`,
    threads === undefined ? [] : `${threads} thread${threads === 1 ? "" : "s"}`,
  ];
  return parts.flat().join(", ");
}

function targetText(target: Target): string {
  return "atLeast" in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

/** A row as a line. */
export function lineOf(row: Row): string {
  const { what, median, low, high, unit, target, detail } = row;
  return line([
    what,
    placeText(row),
    `${digits(median)} ${unit}`,
    `[${digits(low)}, ${digits(high)}]`,
    target ? `${targetText(target)} ${meets(row, target) ? "yes" : "NO"}` : "–",
    detail ?? "",
  ]);
}
