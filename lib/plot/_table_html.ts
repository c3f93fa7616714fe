/**
 * A table as HTML: every text in it escaped, headings and the first column marked as such. It takes the colours
 * of where it stands. Where it is wider than its place it is scrolled, by keyboard too, and its first column
 * stays.
 *
 * @module
 */

import { escapeHtml } from "../_escape.ts";
import { aboveOf, belowOf, linesOf, type Table } from "./table.ts";

/**
 * What is behind a row, whose first cell the others go under: the background of JupyterLab, VS Code or Colab,
 * or else that of pages in the reader's colours.
 */
const BEHIND = "var(--jp-layout-color0,var(--vscode-editor-background," +
  "var(--colab-primary-surface-color,Canvas)))";

const ROW = `<tr style="background:${BEHIND}">`,
  FIRST = "position:sticky;left:0;background:inherit";

/** A space that a line of a heading must not end with: before a sign, "accuracy %". */
const LAST = / (?=\S{1,2}$)/;

/** Writes a table as HTML. */
export function tableHtml(table: Table): string {
  const [head, ...rows] = linesOf(table), { columns } = table;
  const style = (i: number, more: string) =>
    `style="text-align:${columns[i]!.align};padding:1px 6px;${more}${i === 0 ? `;${FIRST}` : ""}"`;
  const heading = (text: string, i: number) => {
    const means = columns[i]!.means, own = escapeHtml(text.replace(LAST, "\u00a0"));
    return `<th scope="col" ${style(i, "vertical-align:bottom")}>${
      means === undefined ? own : `<abbr title="${escapeHtml(means)}">${own}</abbr>`
    }</th>`;
  };
  const cell = (text: string, i: number) =>
    i === 0
      ? `<th scope="row" ${style(i, "font-weight:normal;white-space:nowrap")}>${
        escapeHtml(text)
      }</th>`
      : `<td ${style(i, "white-space:nowrap")}>${escapeHtml(text)}</td>`;
  const [title] = aboveOf(table);
  const label = title ?? `Table: ${columns.map((column) => column.heading).join(", ")}`;
  const caption = title === undefined
    ? ""
    : `<caption style="text-align:left;padding:4px 6px">${escapeHtml(title)}</caption>`;
  const body = rows.map((row) => `${ROW}${row.map(cell).join("")}</tr>`).join("\n");
  const notes = belowOf(table).map((note) =>
    `<p style="font-size:12px;margin:4px 0">${escapeHtml(note)}.</p>`
  );
  return `<div role="group" tabindex="0" aria-label="${
    escapeHtml(label)
  }" style="overflow-x:auto;margin-top:8px">` +
    `<table style="border-collapse:collapse;font-size:12px">${caption}` +
    `<thead>${ROW}${
      head!.map(heading).join("")
    }</tr></thead>\n<tbody>${body}</tbody></table></div>` +
    notes.join("");
}
