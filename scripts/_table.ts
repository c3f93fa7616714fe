/** Tables as commands print them, at once or while they are made, and what stands in them. */

import { type Column, type Table, tableOf, type Tabular, toText } from "../lib/plot/mod.ts";
import { print } from "./_cli.ts";

/** Columns of a terminal, where nothing tells how many it has. */
const COLUMNS = 80;

/** Tables as text, as wide as the terminal that it is for. */
export function textOf(tables: Tabular): string {
  const columns = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : 0;
  return toText(tables, { width: columns >= 20 ? columns : COLUMNS });
}

/**
 * Prints the headings of a table, and then line by line the rows that are found. Columns of text are in line
 * where they have a width.
 */
export function printing<Row extends object>(
  columns: readonly Column<Row>[],
  write: (table: Table) => string = (table) => toText(table, { width: Infinity }),
): (row: Row) => void {
  const head = write(tableOf<Row>([], columns));
  if (head !== "") print(`${head}\n`);
  return (row) => print(`${write(tableOf([row], columns)).split("\n").at(-1)}\n`);
}

/** Bytes in the largest unit of which there is one. */
export function gib(bytes: number): string {
  if (bytes < 2 ** 20) return `${(bytes / 2 ** 10).toFixed(1)} KiB`;
  if (bytes < 2 ** 30) return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
