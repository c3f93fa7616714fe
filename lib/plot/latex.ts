/** Tables as LaTeX, for a paper. @module */

import { aboveOf, belowOf, linesOf, type Table, tablesIn, type Tabular } from "./table.ts";
import { latexText } from "./_latex_text.ts";

/**
 * Tables as LaTeX: a `tabular` each, with the rules of booktabs, title above and notes below, to be put into a
 * `table` with a caption of one's own. It compiles with pdfLaTeX and needs `\usepackage{booktabs}`, nothing else.
 * Every character is text: `_ % & # $ { } ~ ^ \` are escaped, Greek letters, signs, fractions and accents are
 * commands, and a character that LaTeX's own fonts lack is written as its number, `U+4E2D`.
 *
 * @param tables A table, what `gainsTable` and its like return, or a list of these.
 * @throws {TypeError} If it is anything else.
 *
 * @example A gain with its sign
 * ```ts
 * import { tableOf, toLatex } from "@moi/moi/plot";
 * import { assertStringIncludes } from "@std/assert";
 * const table = tableOf([{ method: "moi_1, β = ½", gain: "−3.5" }], [
 *   { heading: "method", of: "method" },
 *   { heading: "gain, %", of: "gain" },
 * ]);
 * const latex = toLatex(table); // Deno.writeTextFile("gains.tex", latex), and \input{gains}
 * assertStringIncludes(latex, "method & gain, \\% \\\\\n\\midrule");
 * assertStringIncludes(latex, "moi\\_1, $\\beta$ = $\\frac{1}{2}$ & $-$3.5 \\\\");
 * ```
 */
export function toLatex(tables: Tabular): string {
  return tablesIn("write LaTeX", tables).map(latexOf).join("\n\n\\bigskip\n");
}

function latexOf(table: Table): string {
  const [head, ...rows] = linesOf(table).map((line) => `${line.map(cell).join(" & ")} \\\\`);
  const sides = table.columns.map(({ align }) => align === "left" ? "l" : "r").join("");
  return [
    ...aboveOf(table).map((title) => `${latexText(title)}\\par\\smallskip`),
    `\\begin{tabular}{@{}${sides}@{}}`,
    ...["\\toprule", head!, "\\midrule", ...rows, "\\bottomrule", "\\end{tabular}"],
    ...belowOf(table).map((note) => `\\par\\smallskip{\\footnotesize ${latexText(note)}.\\par}`),
  ].join("\n");
}

/** Text of a cell. A bracket or a star at its beginning would belong to the command before it. */
const cell = (text: string) => latexText(text).replace(/^[[*]/, "{$&}");
