/** Texts that a model could write, and that mean something where tables are written. */
export const HOSTILE: readonly string[] = [
  Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("").trim(),
  "β = ½, −3 × 2 – 4 — … ≤ ∞ → ↓ √ α Ω ² ₃",
  ...["éñåçž łøßæ", "文字 🎉 ℝ \u0007", "[1, 2]", "* star", "+ plus", "- minus", "-3", "=1+1"],
  ...["``a'' -- --- ,, ?` !`", "\\input{x} \\end{tabular} $x$ #1 ~ ^", "a\nb\r\nc\rd", ""],
  ...["|x|", "\\|", "\\\\|", "<script>alert(1)</script>", "<b>", "&lt; &amp; &#65;", "`code`"],
  ...["[a](http://x.org)", "![a](x)", "[x]: http://y.org", "1. a", "2) b", "> q", "# h"],
  ...["~~s~~ __b__ *i* _u_", "$a$ $$b$$", "---", "===", "    code", 'say "x", 1', '"', "\t tab"],
];
