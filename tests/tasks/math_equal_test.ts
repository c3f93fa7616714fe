import { assert, assertEquals } from "@std/assert";
import { mathAnswer, mathEqual } from "../../lib/tasks/mod.ts";
import { DIFFERENT, SAME } from "./math_pairs.ts";

const pairs = (text: string) =>
  text.split("\n").filter((line) => line.includes(" | ") && !line.startsWith("#"))
    .map((line) => line.split(" | ").map((side) => side.trim()) as [string, string]);

Deno.test("answers that mean the same are equal, either way round", () => {
  const list = pairs(SAME);
  assert(list.length >= 400, `${list.length}`);
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
    "10000!^{10000}",
    many("5000!", 150),
    many("\\binom{9999}{4999}", 50),
    many("\\frac{10^{2000}+1}{10^{2000}-1}+", 30) + "1",
    many("\\arctan", 120) + "2",
    many("\\sin x+", 120) + "1",
    "\\{" + many("\\ln 2,", 62) + "\\ln 3\\}",
    Array.from({ length: 40 }, (_, i) => `x\\ne\\sqrt{${i}}`).join(","),
    many("9^", 300) + "9",
    many("\\{1,", 38) + "1" + many("\\}", 38),
    many("1", 100_000),
    many("1,", 50_000),
    many("1,000", 20_000),
    many("\\", 100_000),
    many("=", 100_000),
    many("\\text{a}", 12_000),
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

Deno.test("numbers of any length are compared exactly, longer texts as texts", () => {
  const digits = "1234567890".repeat(5000);
  assertEquals(mathEqual(digits, `${digits}.000`), true);
  assertEquals(mathEqual(digits, `+${digits}`), true);
  assertEquals(mathEqual(digits, `${digits.slice(0, -1)}1`), false);
  assertEquals(mathEqual(`0.${digits}`, `0.${digits}1`), false);
  const long = `1${"+1".repeat(600)}`;
  assertEquals(mathEqual(long, ` ${long}`), true);
  assertEquals(mathEqual(long, "601"), false);
});
