/** Text as LaTeX writes it, with commands of its kernel alone. @module */

/** What is not itself in text. */
const TEXT: Readonly<Record<string, string>> = {
  ...{ "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" },
  ...{ "{": "\\{", "}": "\\}", _: "\\_", "%": "\\%", "&": "\\&", "#": "\\#", $: "\\$" },
  ...{
    '"': "{\\char34}",
    "`": "{\\char96}",
    "\t": " ",
    "\u00a0": "~",
    "\u202f": "\\,",
    "\u2009": "\\,",
  },
  ...{
    "–": "--{}",
    "—": "---{}",
    "‘": "`{}",
    "’": "'{}",
    "“": "``{}",
    "”": "''{}",
    "…": "\\ldots{}",
  },
  ...{ "§": "\\S{}", "©": "\\copyright{}", "£": "\\pounds{}", "¿": "?`{}", "¡": "!`{}" },
  ...{ ß: "\\ss{}", æ: "\\ae{}", Æ: "\\AE{}", œ: "\\oe{}", Œ: "\\OE{}", ø: "\\o{}", Ø: "\\O{}" },
  ...{ ł: "\\l{}", Ł: "\\L{}", ı: "\\i{}" },
};

/** What is a sign of math mode. */
const SIGNS: Readonly<Record<string, string>> = {
  ...{ "<": "<", ">": ">", "|": "|", "−": "-", "×": "\\times", "·": "\\cdot", "÷": "\\div" },
  ...{ "±": "\\pm", "∓": "\\mp", "≤": "\\le", "≥": "\\ge", "≠": "\\ne", "≈": "\\approx" },
  ...{ "≡": "\\equiv", "∼": "\\sim", "∝": "\\propto", "∞": "\\infty", "∂": "\\partial" },
  ...{ "∇": "\\nabla", "√": "\\surd", "∑": "\\sum", "∏": "\\prod", "∫": "\\int", "∈": "\\in" },
  ...{ "∉": "\\notin", "∅": "\\emptyset", "⊂": "\\subset", "⊆": "\\subseteq", "∪": "\\cup" },
  ...{ "∩": "\\cap", "∧": "\\wedge", "∨": "\\vee", "¬": "\\neg", "∀": "\\forall", "∃": "\\exists" },
  ...{ "⊕": "\\oplus", "∘": "\\circ", "°": "^{\\circ}", "→": "\\to", "←": "\\leftarrow" },
  ...{ "↔": "\\leftrightarrow", "⇒": "\\Rightarrow", "⇔": "\\Leftrightarrow", "↑": "\\uparrow" },
  ...{ "↓": "\\downarrow", "ℓ": "\\ell", "†": "\\dagger", "‡": "\\ddagger", "•": "\\bullet" },
  ...{ "¼": "\\frac{1}{4}", "½": "\\frac{1}{2}", "¾": "\\frac{3}{4}", "⅓": "\\frac{1}{3}" },
  ...{ "⅔": "\\frac{2}{3}", "⅛": "\\frac{1}{8}" },
  ...{ α: "\\alpha", β: "\\beta", γ: "\\gamma", δ: "\\delta", ε: "\\varepsilon", ζ: "\\zeta" },
  ...{ η: "\\eta", θ: "\\theta", ι: "\\iota", κ: "\\kappa", λ: "\\lambda", μ: "\\mu", µ: "\\mu" },
  ...{ ν: "\\nu", ξ: "\\xi", ο: "o", π: "\\pi", ρ: "\\rho", ς: "\\varsigma", σ: "\\sigma" },
  ...{ τ: "\\tau", υ: "\\upsilon", φ: "\\varphi", χ: "\\chi", ψ: "\\psi", ω: "\\omega" },
  ...{
    Γ: "\\Gamma",
    Δ: "\\Delta",
    Θ: "\\Theta",
    Λ: "\\Lambda",
    Ξ: "\\Xi",
    Π: "\\Pi",
    Σ: "\\Sigma",
  },
  ...{ Υ: "\\Upsilon", Φ: "\\Phi", Ψ: "\\Psi", Ω: "\\Omega" },
  ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((digit, i) => [digit, `^{${i}}`])),
  ...Object.fromEntries([..."₀₁₂₃₄₅₆₇₈₉"].map((digit, i) => [digit, `_{${i}}`])),
};

/** Accents, by the character that follows the letter where the two are apart. */
const ACCENTS: Readonly<Record<string, string>> = {
  ...{ "\u0300": "\\`", "\u0301": "\\'", "\u0302": "\\^", "\u0303": "\\~", "\u0304": "\\=" },
  ...{ "\u0306": "\\u", "\u0307": "\\.", "\u0308": '\\"', "\u030a": "\\r", "\u030b": "\\H" },
  ...{ "\u030c": "\\v", "\u0323": "\\d", "\u0327": "\\c", "\u0331": "\\b" },
};

/** A letter, and the accent on it. */
const ACCENTED = /^([A-Za-z])(.)$/u;

/** Signs that fonts join with the same one after them: two hyphens are a dash. */
const JOINED = "-',";

function commandOf(char: string): string {
  if (Object.hasOwn(TEXT, char)) return TEXT[char]!;
  if (Object.hasOwn(SIGNS, char)) return `$${SIGNS[char]}$`;
  if (char >= " " && char <= "~") return char;
  const [, letter, accent = ""] = ACCENTED.exec(char.normalize("NFD")) ?? [];
  if (Object.hasOwn(ACCENTS, accent)) return `${ACCENTS[accent]}{${letter}}`;
  const number = char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  return `\\texttt{U+${number}}`;
}

/** Text that LaTeX shows as it is; a character that its fonts lack is its number, `U+4E2D`. */
export function latexText(text: string): string {
  return [...text.normalize("NFC")].map((char, i, all) =>
    JOINED.includes(char) && all[i + 1] === char ? `${char}{}` : commandOf(char)
  ).join("");
}
