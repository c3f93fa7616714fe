/** Rows as lines of a table. */

import { counted } from "../../lib/_counted.ts";
import type { Column } from "../../lib/plot/table.ts";
import { printing } from "../_table.ts";
import { digits, meets, type Place, type Row } from "./rows.ts";

function placeText({ model, dtype, batch, context, threads }: Place): string {
  const parts = [
    dtype === undefined ? model : `${model} ${dtype}`,
    batch === undefined ? [] : `B ${batch}`,
    context === undefined ? [] : `ctx ${context}`,
    threads === undefined ? [] : counted(threads, "thread"),
  ];
  return parts.flat().join(", ");
}

/** A row with what the table shows beside what it tells. */
function shown({ target, ...row }: Row) {
  const aim = target && ("atLeast" in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`);
  return {
    ...{ ...row, detail: row.detail ?? "", where: placeText(row) },
    target: target && `${aim} ${meets(row, target) ? "yes" : "NO"}`,
  };
}

const ends = (low: number, high: number) => `[${digits(low)}, ${digits(high)}]`;

const COLUMNS: readonly Column<ReturnType<typeof shown>>[] = [
  { heading: "", of: "what", align: "left", width: 41 },
  { heading: "where", of: "where", align: "left", width: 42 },
  {
    ...{ heading: "median", of: ["median", "unit"], align: "left", width: 8 },
    as: (median: number, unit: string) => `${digits(median)} ${unit}`,
  },
  { heading: "[quartiles]", of: ["low", "high"], as: ends, align: "left", width: 17 },
  { heading: "target", of: "target", align: "left", width: 9 },
  { heading: "", of: "detail", align: "left" },
];

/** Prints the table's first line, and then row by row. */
export function printingRows(): (row: Row) => void {
  const line = printing(COLUMNS);
  return (row) => line(shown(row));
}
