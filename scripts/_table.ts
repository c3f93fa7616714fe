/** Tables that are printed while they are made. */

import { type Column, type Table, tableOf, tableText } from "../lib/plot/table.ts";
import { print } from "./_cli.ts";

/**
 * Prints the headings of a table, and then line by line the rows that are found. Columns of text are in line
 * where they have a width.
 */
export function printing<Row extends object>(
  columns: readonly Column<Row>[],
  write: (table: Table) => string = tableText,
): (row: Row) => void {
  const head = write(tableOf<Row>([], columns));
  if (head !== "") print(`${head}\n`);
  return (row) => print(`${write(tableOf([row], columns)).split("\n").at(-1)}\n`);
}
