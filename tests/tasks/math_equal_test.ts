import { assert, assertEquals } from "@std/assert";
import { mathAnswer, mathEqual } from "../../lib/tasks/mod.ts";
import { DIFFERENT, SAME } from "./math_pairs.ts";

const pairs = (text: string) =>
  text.split("\n").filter((line) => line.includes("|") && !line.startsWith("#"))
    .map((line) => line.split("|").map((side) => side.trim()) as [string, string]);

Deno.test("answers that mean the same are equal, either way round", () => {
  const list = pairs(SAME);
  assert(list.length >= 140, `${list.length}`);
  const failed = list.filter(([a, b]) => !mathEqual(a, b) || !mathEqual(b, a));
  assertEquals(failed, []);
});

Deno.test("answers that do not mean the same are not, either way round", () => {
  const failed = pairs(DIFFERENT).filter(([a, b]) => mathEqual(a, b) || mathEqual(b, a));
  assertEquals(failed, []);
});

Deno.test("an answer is the same bare, in dollars, in a box and in a sentence", () => {
  for (const [gold] of pairs(SAME)) {
    if (/boxed|\$|answer|[a-z]{3} [a-z]/i.test(gold)) continue;
    const forms = [`$${gold}$`, `\\boxed{${gold}}`, `We find that \\(x\\) is $\\boxed{${gold}}$.`];
    forms.push(`1 is wrong.\n\nThe final answer is $${gold}$. I hope it is correct.`);
    assertEquals(forms.filter((form) => !mathEqual(gold, form)), [], gold);
  }
});

Deno.test("mathAnswer() finds the last answer", () => {
  const answers: readonly [string, string][] = [
    ["no answer at all", "no answer at all"],
    ["\\boxed{1} then \\boxed{2", ""], // cut off: its answer is not known
    ["\\boxed{{a}_{b}}", "{a}_{b}"],
    ["\\boxed{\\}}", "\\}"],
    ["\\fbox{4}", "4"],
    ["$a$ or $b$", "a, b"],
    ["", ""],
  ];
  for (const [text, expected] of answers) assertEquals(mathAnswer(text), expected);
});

Deno.test("hostile answers end within a second, without a fault", () => {
  const many = (piece: string, n: number) => piece.repeat(n);
  const hostile = [
    "9^{9^{9^{9^{9}}}}",
    "99999999999999!",
    "\\binom{10^9}{5\\cdot 10^8}",
    "\\sum_{k=1}^{10^{12}} k",
    "\\int_0^{10^9} x dx",
    many("(", 5000),
    many("{", 5000) + many("}", 5000),
    many("\\frac{1}{", 300) + "2" + many("}", 300),
    many("\\sqrt{", 900),
    many("1+", 490) + "1",
    many("\\pm 1 ", 100),
    many("x_", 400),
    many("$", 9999),
    many("\\boxed{", 4000),
    many("1,", 3000),
    many("a \\cup ", 500),
    "1" + many("0", 900),
    "\\begin{pmatrix}" + many("1 & ", 300) + "\\end{pmatrix}",
    many("answer is ", 2000),
    "\u0000\ud800 \\unknown{x} \\text{",
    many("\\left(", 200),
    many(" ", 100_000) + "1",
    many("and ", 20_000),
    many("1 ", 50_000),
    many("$1$ and ", 5_000),
  ];
  mathEqual("1", "2"); // loads the parser
  for (const text of hostile) {
    const start = performance.now();
    for (const other of ["1", text + " "]) {
      mathEqual("2", text);
      mathEqual(text, other);
    }
    const took = performance.now() - start;
    assert(took < 4000, `${text.slice(0, 40)}: ${took} ms for four comparisons`);
  }
});
