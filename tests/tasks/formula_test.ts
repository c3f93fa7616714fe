import { assertEquals, assertThrows } from "@std/assert";
import { parseFormula } from "../../lib/tasks/math/formula.ts";
import type { Expression } from "../../lib/tasks/math/tree.ts";

/** A tree in one line: operations before their parts. */
function shown(e: Expression): string {
  if (e.op === "number") return `${e.decimal ? "~" : ""}${e.value.toFraction()}`;
  if (e.op === "base") return `${e.value.toFraction()}#${e.base}`;
  if (e.op === "name") return e.name;
  return `${e.op === "call" ? e.name : e.op}(${e.args.map(shown).join(" ")})`;
}

const FORMULAS: Readonly<Record<string, string>> = {
  // numbers
  "12345678901234567890": "12345678901234567890",
  "0.50": "~1/2",
  ".5": "~1/2",
  "1.5e-7": "~3/20000000",
  "1e5": "100000",
  "2e-3": "add(multiply(2 e) -3)",
  "0.(3)": "1/3",
  "0.1\\overline{6}": "1/6",
  "0.1\\dot{6}": "1/6",
  "0.2727\\ldots": "3/11",
  "101_2": "5#2",
  "2516_{8}": "1358#8",
  // mixed numbers have a proper fraction
  "1 1/4": "add(1 1/4)",
  "1\\frac{1}{4}": "add(1 divide(1 4))",
  "-2\\frac13": "multiply(-1 add(2 divide(1 3)))",
  "3-1\\frac12": "add(3 multiply(-1 add(1 divide(1 2))))",
  "2\\frac{7}{3}": "multiply(2 divide(7 3))",
  "2\\cdot\\frac13": "multiply(2 divide(1 3))",
  "x\\frac13": "multiply(x divide(1 3))",
  "\\frac123": "multiply(divide(1 2) 3)",
  // what binds tighter
  "-3^2": "multiply(-1 power(3 2))",
  "2^3^2": "power(2 power(3 2))",
  "2^{-3}": "power(2 -3)",
  "2^10": "power(2 10)",
  "1/2x": "divide(1 multiply(2 x))",
  "a/b/c": "divide(divide(a b) c)",
  "2x^2y": "multiply(2 power(x 2) y)",
  "n!^2": "power(factorial(n) 2)",
  "5--3": "add(5 3)",
  // functions
  "\\sin 2x": "sin(multiply(2 x))",
  "\\sin x\\cos y": "multiply(sin(x) cos(y))",
  "\\sin^2 x": "power(sin(x) 2)",
  "\\sin^{-1} x": "arcsin(x)",
  "\\sin(x)y": "multiply(sin(x) y)",
  "\\tan\\pi/4": "tan(divide(π 4))",
  "\\cos 60^\\circ": "cos(degree(60))",
  "\\log_2 8": "log(8 2)",
  "\\ln|x|": "ln(abs(x))",
  "\\sqrt[3]{2}": "root(2 3)",
  "\\sqrt2x": "multiply(root(2 2) x)",
  "sqrt(2)/2": "divide(root(2 2) 2)",
  "2sinx": "multiply(2 sin(x))",
  "|x-|y||": "abs(add(x multiply(-1 abs(y))))",
  "\\lfloor x \\rfloor": "floor(x)",
  "\\binom{n}{2}": "binomial(n 2)",
  "\\max(1,2)": "max(1 2)",
  // names
  "a_{10}": "a_10",
  "a_{n+1}": "a_(add(n 1))",
  "f(x+1)": "f(add(x 1))",
  "f'(x)": "f'(x)",
  "x(y+1)": "multiply(x add(y 1))",
  "\\alpha\\beta": "multiply(\\alpha \\beta)",
  "\\vec{v}": "vec(v)",
  "\\mathrm{e}": "e",
  "1\\pm\\sqrt2": "add(1 plusminus(root(2 2)))",
  "\\sum_{k=1}^n k^2": "sum_{k=1}^{n}(power(k 2))",
};

for (const [text, tree] of Object.entries(FORMULAS)) {
  Deno.test(`parseFormula() reads ${text}`, () => assertEquals(shown(parseFormula(text)), tree));
}

const REFUSED = [
  ...[
    "",
    "1 2",
    "12 3",
    "1.2.3",
    "1.2.(3)",
    "sqrt",
    "1+",
    "(1",
    "1)",
    "{1",
    "|x",
    "\\frac{1}",
    "x^",
    "2^{3}{",
    "(1,2)",
  ],
  ...["\\zzz", "\\text{if }x", "apples", "5!!", "3_2", "0.5\\ldots", "\\", "1/", "x=1", "\ud800"],
  ...["(".repeat(100) + "1" + ")".repeat(100), "-".repeat(500) + "1", "9^".repeat(300) + "9"],
];

for (const text of REFUSED) {
  Deno.test(`parseFormula() refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
    assertThrows(() => parseFormula(text), SyntaxError);
  });
}
