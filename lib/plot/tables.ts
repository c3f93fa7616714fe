/** Tables below one another, as the functions of this folder return them. @module */

import { displayable, htmlOf } from "./display.ts";
import type { Html } from "./figure.ts";
import { nothingFinished } from "./_notes.ts";
import { type Table, tableOf } from "./table.ts";

/** Tables written as HTML and as text, with the values at hand. */
export interface Tables extends Html {
  /** The tables, for `toText` in another width, `toCsv`, `toMarkdown` and `toLatex`. */
  readonly tables: readonly Table[];
}

/**
 * Writes tables as HTML and as text.
 *
 * @example A table of one's own in a notebook
 * ```ts
 * import { tableOf, tablesOf } from "@moi/moi/plot";
 * import { assertEquals } from "@std/assert";
 * const squares = [{ n: 1, square: 1 }, { n: 2, square: 4 }];
 * const table = tableOf(squares, [{ heading: "n", of: "n" }, { heading: "n²", of: "square" }]);
 * assertEquals(tablesOf(table).text, "n  n²\n1   1\n2   4");
 * ```
 */
export function tablesOf(...tables: readonly Table[]): Tables {
  const parts = tables.map(htmlOf), html = parts.map((part) => part.html).join("\n");
  return displayable({ html, text: parts.map(({ text }) => text).join("\n\n"), tables });
}

/** The tables of rows; without rows, what there is to say of a study that was stopped too early. */
export function tablesOfRows<Row>(
  rows: readonly Row[],
  make: (rows: readonly Row[]) => readonly Table[],
): Tables {
  if (rows.length > 0) return tablesOf(...make(rows));
  const nothing = nothingFinished(rows);
  if (!nothing) throw new RangeError("Cannot make a table as 'rows' must hold a row");
  const columns = [{ heading: `partial: ${nothing.what}`, of: [] }];
  return tablesOf(tableOf([], columns, { notes: [nothing.size] }));
}
