/**
 * One spelling for answers: of the ways in which LaTeX and plain text write a thing, the one that is read.
 *
 * @module
 */

import { isBracketed } from "./brackets.ts";

/** Characters, and what LaTeX has for them. */
const CHARACTERS: Readonly<Record<string, string>> = {
  ...{ "−": "-", "–": "-", "÷": "/", "×": "\\cdot ", "·": "\\cdot ", "∙": "\\cdot " },
  ...{ "∪": "\\cup ", "∩": "\\cap ", "∈": "\\in ", "∅": "\\emptyset ", "∖": "\\setminus " },
  ...{ "∞": "\\infty ", "ℝ": "\\mathbb{R}", π: "\\pi ", α: "\\alpha ", β: "\\beta " },
  ...{ γ: "\\gamma ", δ: "\\delta ", θ: "\\theta ", λ: "\\lambda ", μ: "\\mu ", ρ: "\\rho " },
  ...{ σ: "\\sigma ", τ: "\\tau ", φ: "\\phi ", ω: "\\omega " },
};

/** Commands of which one spelling is read, or a character. */
const COMMANDS: ReadonlyMap<string, string> = new Map([
  ...["le", "leq", "leqslant", "leqq"].map((name) => [name, "≤"] as const),
  ...["ge", "geq", "geqslant", "geqq"].map((name) => [name, "≥"] as const),
  ...["vert", "lvert", "rvert", "mid"].map((name) => [name, "|"] as const),
  ...[["ne", "≠"], ["neq", "≠"], ["lt", "<"], ["gt", ">"], ["cdots", "…"]] as const,
  ...[["lor", "∨"], ["vee", "∨"], ["land", "∧"], ["wedge", "∧"]] as const,
  ...[["langle", "("], ["lparen", "("], ["rangle", ")"], ["rparen", ")"]] as const,
  ...[["lbrace", "\\{"], ["rbrace", "\\}"], ["R", "\\mathbb{R}"], ["bigcup", "\\cup "]] as const,
  ...["backslash", "smallsetminus"].map((name) => [name, "\\setminus "] as const),
  ["varnothing", "\\emptyset "],
]);

/** Replacements that bring an answer into one spelling, in their order. */
const SPELLINGS: readonly (readonly [RegExp, string | ((own: string) => string)])[] = [
  [/[\u00a0\u2009\u202f]/g, " "],
  [/(\d)(?:,\\!|\\!,)\s*(?=\d{3})/g, "$1"],
  [/(\d)\{,\}(?=\d{3})/g, "$1"],
  [/\\(?:left|right)(?![a-z])\s?\.?/g, ""],
  [/\\(?:[bB]igg?[lrm]?|displaystyle|textstyle|limits)(?![a-zA-Z])/g, ""],
  [/\\[dtc]frac(?![a-zA-Z])/g, "\\frac"],
  [/\\(?:mbox|textrm|textnormal|textit|textbf)(?=\s?\{)/g, "\\text"],
  [/\\q?quad|\\(?:h|v)space\s?\{[^{}]*\}|\\(?:text)?color\s?\{[a-z]*\}/g, " "],
  [/(?<!\\)\\[,;:! ]|~/g, " "],
  [/\\text\s?\{\s?and\s?\}/g, "∧"],
  [/\\text\s?\{\s?or\s?\}/g, "∨"],
  [/(?<![\\a-zA-Z])and(?![a-zA-Z])/g, "∧"],
  [/(?<![\\a-zA-Z])or(?![a-zA-Z])/g, "∨"],
  [/\\\$|\$|£|€/g, ""],
  [/\.\.\./g, "…"],
  [/(?<=\d)(?=[ck]?m[²³])/g, " "],
  [/([²³])(?![⁰¹²³⁴-⁹])(?<![⁰¹²³⁴-⁹⁺⁻].)/g, (own: string) => own === "²" ? "^2" : "^3"],
  [/[⁰¹²³⁴-⁹⁺⁻]{1,40}/g, (own: string) => `^{${own.normalize("NFKC").replace("−", "-")}}`],
  [/√\s?(\d+|\([^()]{1,200}\))/g, "\\sqrt{$1}"],
  [new RegExp(`[${Object.keys(CHARACTERS).join("")}]`, "g"), (own: string) => CHARACTERS[own]!],
  [/<=/g, "≤"],
  [/>=/g, "≥"],
  [/!=|\\not\s?=/g, "≠"],
  [/\\mathbb\s?R|\\mathbf\s?\{R\}/g, "\\mathbb{R}"],
  [/\\[a-zA-Z]+/g, (own: string) => COMMANDS.get(own.slice(1)) ?? own],
  [/\*\*/g, "^"],
  [/^(?:=|\\approx(?![a-zA-Z])|≈)/g, ""],
  [/\\begin\{cases\}|\\end\{cases\}/g, ""],
  [/=([^=]{0,200})(?:\\approx(?![a-zA-Z])|≈).*$/g, "=$1"],
  [/\\approx(?![a-zA-Z])|≈|\\coloneqq(?![a-zA-Z])|:=/g, "="],
  [/[[(]?\\begin\{array\}\s?(?:\{[^{}]*\})?/g, "\\begin{pmatrix}"],
  [/\\end\{array\}\s?[\])]?/g, "\\end{pmatrix}"],
  [/\\begin\{(?:[bB]|small)?matrix\}/g, "\\begin{pmatrix}"],
  [/\\end\{(?:[bB]|small)?matrix\}/g, "\\end{pmatrix}"],
];

/** The same answer in one spelling. */
export function tidy(text: string): string {
  let out = text.trim().replace(/\s+/g, " ");
  // a system of equations is a list of them
  if (out.includes("\\begin{cases}") && !out.includes("&")) out = out.replaceAll("\\\\", ",");
  for (const [pattern, word] of SPELLINGS) out = out.replace(pattern, word as string);
  out = out.replace(/\s+/g, " ").trim();
  while (out.endsWith(".") || out.endsWith(",")) out = out.slice(0, -1).trimEnd();
  // 1,000,000 is one number, outside of brackets
  out = out.replace(
    /(?<![\d,.])[1-9]\d{0,2}(?:,\d{3})+(?!\d)/g,
    (own, at: number) =>
      isBracketed(out, at) || !partsThousands(own) ? own : own.replaceAll(",", ""),
  );
  return out.replace(/(?<![\d.])\d{1,3}(?: \d{3})+(?!\d|\/)/g, (own) => own.replaceAll(" ", ""));
}

/** Whether the commas of a number can part thousands: all groups but the first have three digits. */
export const partsThousands = (text: string): boolean => /^[1-9]\d{0,2}(?:,\d{3})+$/.test(text);

/** Words as they are compared: capitals count in formulas only, spaces between digits and words. */
export function words(text: string): string {
  const own = text.replace(
    /\\(?:text|mathrm|mbox|textbf|mathbf|operatorname)\s?\{([^{}]*)\}/g,
    "$1",
  )
    .replace(/\\[,;:! ]|[$~]/g, " ").replace(/\s+/g, " ");
  const inner = own.replace(/^[ ("'.]+|(?<![ )"'.])[ )"'.]+$/g, "");
  return /[\\^_=<>+*/]/.test(inner) ? inner : inner.toLowerCase();
}
