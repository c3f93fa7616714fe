/** Tables as text, for terminals and logs: columns in line, no line longer than a terminal is wide. @module */

import { checkOptions, number, type Rules } from "../_check.ts";
import { columnsOf } from "../_text_width.ts";
import {
  aboveOf,
  linesOf,
  meaningsOf,
  notesOf,
  type Table,
  tablesIn,
  type Tabular,
} from "./table.ts";

/** Options of {@linkcode toText}. */
export interface ToTextOptions {
  /** Most columns of a line, from 20 on, of which a Chinese letter takes two; Infinity breaks none. Default: 80. */
  readonly width?: number;
}

const RULES: Rules<ToTextOptions> = { width: number({ min: 20, infinite: true }) };

/**
 * Tables as text: columns in line, notes below. Where a table is wider than a line, its columns go on in a
 * further block below, which begins with the first column again; titles and notes go on in a further line.
 * Without headings there is no line for them.
 *
 * @param tables A table, what `gainsTable` and its like return, or a list of these.
 * @throws {TypeError} If it is anything else.
 *
 * @example A table that is wider than a line
 * ```ts
 * import { tableOf, toText } from "@moi/moi/plot";
 * import { assertEquals } from "@std/assert";
 * const table = tableOf([{ method: "moi-0.25", gain: "+14.0", won: 16, lost: 2 }], [
 *   { heading: "method", of: "method" },
 *   { heading: "gain", of: "gain" },
 *   { heading: "won", of: "won" },
 *   { heading: "lost", of: "lost" },
 * ]);
 * assertEquals(toText(table), "method     gain  won  lost\nmoi-0.25  +14.0   16     2");
 * assertEquals(toText(table, { width: 20 }), [
 *   ...["method     gain  won", "moi-0.25  +14.0   16", ""],
 *   ...["method    lost", "moi-0.25     2"],
 * ].join("\n"));
 * ```
 */
export function toText(tables: Tabular, options: ToTextOptions = {}): string {
  checkOptions("write text", options, RULES);
  const { width = 80 } = options;
  return tablesIn("write text", tables).map((table) => textOf(table, width)).join("\n\n");
}

/** Characters between two columns. */
const GAP = "  ";

function textOf(table: Table, most: number): string {
  const { columns } = table;
  const lines = linesOf(table).slice(columns.every(({ heading }) => heading === "") ? 1 : 0);
  const widths = columns.map(({ width }, i) =>
    lines.reduce((widest, line) => Math.max(widest, columnsOf(line[i]!)), width)
  );
  const cell = (line: readonly string[], i: number) => {
    const space = " ".repeat(widths[i]! - columnsOf(line[i]!));
    return columns[i]!.align === "left" ? line[i] + space : space + line[i];
  };
  const blocks = blocksOf(widths, most).map((block) =>
    lines.map((line) => block.map((i) => cell(line, i)).join(GAP).trimEnd()).join("\n")
  );
  return [
    ...aboveOf(table).map((title) => wrapped(title, most)),
    blocks.join("\n\n"),
    ...[...notesOf(table), ...meaningsOf(table)].map((note) => wrapped(note, most)),
  ].join("\n");
}

/** The columns of each block; the first stands in all of them. */
function blocksOf(widths: readonly number[], most: number): number[][] {
  const [first = 0, ...others] = widths.map((width) => width + GAP.length);
  const blocks = [[0]];
  let used = first;
  for (const [i, width] of others.entries()) {
    if (used + width - GAP.length > most && blocks.at(-1)!.length > 1) {
      blocks.push([0]);
      used = first;
    }
    blocks.at(-1)!.push(i + 1);
    used += width;
  }
  return widths.length === 0 ? [[]] : blocks;
}

/** A line broken between words; what goes on is set in. */
function wrapped(text: string, most: number): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && columnsOf(line) + 1 + columnsOf(word) <= most) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(line === undefined ? word : GAP + word);
  }
  return lines.join("\n");
}
