/** Tables as Markdown, for a README, an issue or a paper's repository. @module */

import { xmlText } from "../_escape.ts";
import { aboveOf, belowOf, linesOf, type Table, tablesIn, type Tabular } from "./table.ts";

/**
 * Tables as Markdown in GitHub's dialect. What stands in cells, titles and notes is text: nothing in it is
 * markup, a formula, an entity or the end of a cell.
 *
 * @param tables A table, what `gainsTable` and its like return, or a list of these.
 * @throws {TypeError} If it is anything else.
 *
 * @example A row with a bar in it
 * ```ts
 * import { tableOf, toMarkdown } from "@moi/moi/plot";
 * import { assertEquals } from "@std/assert";
 * const table = tableOf([{ answer: "|x| <b>", count: 3 }], [
 *   { heading: "answer", of: "answer" },
 *   { heading: "count", of: "count" },
 * ]);
 * assertEquals(toMarkdown(table).split("\n")[2], "| \\|x\\| \\<b\\> | 3 |");
 * ```
 */
export function toMarkdown(tables: Tabular): string {
  return tablesIn("write Markdown", tables).map(markdownOf).join("\n\n");
}

function markdownOf(table: Table): string {
  const { columns } = table, [head, ...rows] = linesOf(table);
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
  const rule = columns.map(({ align }) => align === "left" ? "---" : "--:").join(" | ");
  const above = aboveOf(table).flatMap((title) => [paragraph(title), ""]);
  const below = belowOf(table).flatMap((note) => ["", paragraph(`${note}.`)]);
  return [...above, line(head!), `| ${rule} |`, ...rows.map(line), ...below].join("\n");
}

/** Text whose punctuation means nothing: brackets are but where they could be a link's. */
function escaped(text: string): string {
  return xmlText(text).replace(/[\\`*_~|<>&$]|\](?=[([:])/g, "\\$&");
}

/** Text that begins no heading, no list and no block. */
function paragraph(text: string): string {
  return escaped(text).trimStart().replace(
    /^([#+-]|\d+(?=[.)]))/,
    (found) => /\d/.test(found) ? `${found}\\` : `\\${found}`,
  );
}
