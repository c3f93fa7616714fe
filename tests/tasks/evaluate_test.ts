import { assertEquals } from "@std/assert";
import { placeOf, realOf, sameValue } from "../../lib/tasks/math/evaluate.ts";
import { exactOf } from "../../lib/tasks/math/exact.ts";
import { integerRoot } from "../../lib/tasks/math/float.ts";
import { parseFormula } from "../../lib/tasks/math/formula.ts";

const EXACT: Readonly<Record<string, string | undefined>> = {
  "\\frac{1}{2}+\\frac13": "5/6",
  "0.1+0.2": "3/10",
  "2^{-3}": "1/8",
  "(-8)^{\\frac13}": undefined,
  "\\sqrt[3]{-8}": "-2",
  "\\sqrt{\\frac94}": "3/2",
  "8^{\\frac23}": "4",
  "\\sqrt2": undefined,
  "\\lfloor -3.5\\rfloor": "-4",
  "\\lceil -3.5\\rceil": "-3",
  "|-7|": "7",
  "10!": "3628800",
  "\\binom{10}{3}": "120",
  "\\binom{3}{10}": "0",
  "\\binom{-5}{2}": "15",
  "\\gcd(12,18)": "6",
  "\\max(1,\\frac32)": "3/2",
  "0^0": undefined,
  "\\frac{1}{0}": undefined,
  "1^{10^{100}}": "1",
  "(-1)^{10^{100}+1}": "-1",
  "9^{9^9}": undefined, // beyond 65,536 bits
  "100000!": undefined,
  "x": undefined,
};

for (const [text, value] of Object.entries(EXACT)) {
  Deno.test(`exactOf() gives ${value} for ${text}`, () => {
    const own = exactOf(parseFormula(text));
    assertEquals(own && own.toFraction(), value);
  });
}

Deno.test("sameValue() tells apart what agrees to many digits", () => {
  const same = (a: string, b: string) => sameValue(parseFormula(a), parseFormula(b));
  assertEquals(same("e^{\\pi\\sqrt{163}}", "262537412640768744"), false); // 7.5e-13 apart
  assertEquals(same("\\sqrt{2}+10^{-50}", "\\sqrt2"), false);
  assertEquals(same("\\sqrt{8}-2\\sqrt2", "0"), true);
  assertEquals(same("\\sqrt{8}-2\\sqrt2", "10^{-400}"), false);
  assertEquals(same("\\sqrt{8}-2\\sqrt2", "\\sqrt{18}-3\\sqrt2"), true);
  assertEquals(same("e^{-1000}", "e^{-1001}"), false);
  assertEquals(same("e^{-1000}", "0"), false);
});

Deno.test("sameValue() compares names by identity, at values of either sign", () => {
  const same = (a: string, b: string) => sameValue(parseFormula(a), parseFormula(b));
  assertEquals(same("(x+1)^{10^{9}}", "(1+x)^{10^9}"), true);
  assertEquals(same("(x+1)^{10^{9}}", "(x+1)^{10^9+1}"), false);
  assertEquals(same("\\sqrt{x^2}", "x"), false);
  assertEquals(same("\\sqrt{x}\\sqrt{y}", "\\sqrt{xy}"), true);
  assertEquals(same("|x|", "x"), false);
  assertEquals(same("|x|", "\\sqrt{x^2}"), true);
  assertEquals(same("f(2x)", "f(x+x)"), true);
  assertEquals(same("f(2x)", "2f(x)"), false);
  assertEquals(same("\\frac{1}{x-x}", "\\frac{2}{x-x}"), false);
});

Deno.test("sameValue() decides by form what is beyond all bounds", () => {
  const same = (a: string, b: string) => sameValue(parseFormula(a), parseFormula(b));
  assertEquals(same("9^{9^{9^9}}", "9^{9^{8+1+8}}"), false);
  assertEquals(same("9^{9^{9^9}}+1", "1+9^{9^{9^9}}"), true);
  assertEquals(same("9^{9^{9^9}}", "9^{9^{9^9}}+1"), false);
  assertEquals(same("10000000!", "10000000!-1"), false);
  assertEquals(same("\\sin 10^{9999}", "\\sin 10^{9999}"), true);
  assertEquals(same("\\sin 10^{9999}", "\\cos 10^{9999}"), false);
  assertEquals(same("\\sqrt{2}\\cdot 9^{9^9}", "\\sqrt2\\cdot 9^{9^9}+1"), false);
});

Deno.test("placeOf() and realOf() are for real numbers", () => {
  assertEquals(placeOf(parseFormula("-\\infty")), -Infinity);
  assertEquals(placeOf(parseFormula("\\frac34")), 0.75);
  assertEquals(placeOf(parseFormula("\\sqrt2")), Math.SQRT2);
  assertEquals(placeOf(parseFormula("i")), undefined);
  assertEquals(placeOf(parseFormula("x")), undefined);
  assertEquals(realOf(parseFormula("\\sqrt{-1}")), undefined);
  const root = realOf(parseFormula("\\sqrt2"))!; // 1.41421… to some 70 digits
  assertEquals(10n ** 60n * root.n / root.d, integerRoot(2n * 10n ** 120n));
});
