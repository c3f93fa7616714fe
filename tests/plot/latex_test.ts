import { assert, assertEquals } from "@std/assert";
import { gainsTable, tableOf, toLatex } from "../../lib/plot/mod.ts";
import { HOSTILE } from "./_hostile.ts";
import { standard } from "./_rows.ts";

const cellsOf = (texts: readonly string[]) =>
  toLatex(tableOf(texts.map((text) => ({ text })), [{ heading: "h", of: "text" }])).split("\n")
    .slice(4, -2).map((line) => line.replace(/ ?\\\\$/, ""));

Deno.test("toLatex() writes a tabular with the rules of booktabs, title above and notes below", () => {
  const table = tableOf([{ method: "moi_1", gain: "−3.5" }], [
    { heading: "method", of: "method" },
    { heading: "gain, %", of: "gain", means: "over 100 %" },
  ], { title: "A & B", notes: ["N = 2"] });
  assertEquals(toLatex(table).split("\n"), [
    "A \\& B\\par\\smallskip",
    ...["\\begin{tabular}{@{}lr@{}}", "\\toprule", "method & gain, \\% \\\\", "\\midrule"],
    ...["moi\\_1 & $-$3.5 \\\\", "\\bottomrule", "\\end{tabular}"],
    "\\par\\smallskip{\\footnotesize N = 2.\\par}",
    "\\par\\smallskip{\\footnotesize gain, \\%: over 100 \\%.\\par}",
  ]);
  assertEquals(toLatex([gainsTable([standard]), table]).match(/\\begin\{tabular\}/g)?.length, 2);
});

Deno.test("toLatex() writes every character as text", () => {
  const expected: Record<string, string> = {
    "_%&#${}": "\\_\\%\\&\\#\\$\\{\\}",
    "\\~^": "\\textbackslash{}\\textasciitilde{}\\textasciicircum{}",
    "<|>": "$<$$|$$>$",
    "`\"'": "{\\char96}{\\char34}'",
    "β = ½ × −2 ≤ ∞": "$\\beta$ = $\\frac{1}{2}$ $\\times$ $-$2 $\\le$ $\\infty$",
    "a – b — c …": "a --{} b ---{} c \\ldots{}",
    "a--b '' ,,": "a-{}-b '{}' ,{},", // else a dash and quotation marks
    "[1, 2]": "{[}1, 2]", // else an argument of the line before
    "*": "{*}",
    "é Å ç ň ß Ł": "\\'{e} \\r{A} \\c{c} \\v{n} \\ss{} \\L{}",
    "e\u0301": "\\'{e}",
    "10²⁰ x₁": "10$^{2}$$^{0}$ x$_{1}$",
    "5\u00a0% \u202f": "5~\\% \\,",
    "文 🎉": "\\texttt{U+6587} \\texttt{U+1F389}",
    "a\nb\u0000": "a b\\texttt{U+0000}",
  };
  assertEquals(cellsOf(Object.keys(expected)), Object.values(expected));
});

Deno.test("toLatex() leaves nothing that TeX would read as more than text", () => {
  const known =
    /\\(?:[_%&#${}]|[`'^~="](?=\{[A-Za-z]\})|[a-zA-Z]+(?=\{|\}|\$|,))|\$[^$]*\$|\{\\char\d+\}|\\,/g;
  for (const cell of cellsOf(HOSTILE)) {
    const rest = cell.replaceAll(known, "").replaceAll(/\{(?:[[*]|[A-Za-z]|U\+[0-9A-F]+)?\}/g, "");
    assert(!/[\\%#$&_^{}~]/.test(rest), `${cell}: ${rest}`);
    assert(/^[ -~]*$/.test(cell), cell);
  }
});
