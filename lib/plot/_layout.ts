/**
 * A table as text and as HTML: names on the left, figures on the right, notes below.
 *
 * @module
 */

import { plannedOf } from "../study/mod.ts";
import { displayable } from "./_bundle.ts";
import { escapeHtml } from "./escape.ts";
import type { Html } from "./figure.ts";

/** Lays out a table; all lines have as many cells as the header. */
export function tableOf(
  header: readonly string[],
  lines: readonly (readonly string[])[],
  notes: readonly string[] = [],
): Html {
  const all = [header, ...lines];
  const widths = header.map((_, i) => Math.max(...all.map((line) => [...line[i]!].length)));
  const pad = (text: string, i: number) => {
    const space = " ".repeat(widths[i]! - [...text].length);
    return i === 0 ? text + space : space + text;
  };
  const cell = (tag: string, text: string, i: number) =>
    `<${tag} style="text-align:${i === 0 ? "left" : "right"};padding:1px 7px;white-space:nowrap">${
      escapeHtml(text)
    }</${tag}>`;
  const rows = all.map((line, i) =>
    `<tr>${line.map((text, column) => cell(i === 0 ? "th" : "td", text, column)).join("")}</tr>`
  );
  return displayable({
    html: `<div style="overflow-x:auto"><table style="border-collapse:collapse;font-size:12px">${
      rows.join("\n")
    }</table></div>${
      notes.map((note) => `<p style="font-size:12px;margin:4px 0">${escapeHtml(note)}.</p>`).join(
        "",
      )
    }`,
    text: [...all.map((line) => line.map(pad).join("  ").trimEnd()), ...notes].join("\n"),
  });
}

/** Tables and notes below one another. */
export function below(...parts: readonly Html[]): Html {
  return displayable({
    html: parts.map(({ html }) => html).join("\n"),
    text: parts.map(({ text }) => text).join("\n\n"),
  });
}

/** What is said in place of the table of a study that was stopped before a problem was finished. */
export function nothingFinished(rows: readonly unknown[]): Html | undefined {
  const planned = rows.length === 0 ? plannedOf(rows) : undefined;
  return planned && tableOf(["partial: no problem has been finished by all methods yet"], [], [
    `planned: ${planned.problems} problems × ${planned.methods.length} methods × ${planned.repeats} ` +
    `repeat${planned.repeats === 1 ? "" : "s"}`,
  ]);
}
