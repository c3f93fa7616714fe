import { assertEquals, assertThrows } from "@std/assert";
import { DEEPEST, evaluate, ExpressionError, LONGEST } from "../../lib/tasks/_expression.ts";

const VALUES: Record<string, string> = {
  "7": "7",
  "2 + 3 * 4": "14",
  "(2 + 3) * 4": "20",
  "10 - 4 - 3": "3",
  "10 - (4 - 3)": "9",
  "100 / 5 / 2": "10",
  "1 / 3": "1/3",
  "8 / (3 - 8 / 3)": "24",
  "6 × 4 ÷ 3 − 2": "6",
  "-(3 - 8) * 2": "10",
  "2 - -3": "5",
  "2--3": "5",
  "2 * -3": "-6",
  "−1 + 4": "3",
  " \t\n( 1\u00a0+1 ) ": "2",
  "007": "7",
  "0 / 5": "0",
  "99999999999999999999 * 99999999999999999999": "9999999999999999999800000000000000000001",
};

for (const [text, value] of Object.entries(VALUES)) {
  Deno.test(`evaluate() gives ${value} for ${JSON.stringify(text)}`, () => {
    assertEquals(evaluate(text).value.toFraction(), value);
  });
}

const FAULTS: Record<string, string> = {
  "": "is unfinished",
  "1 +": "is unfinished",
  "(1 + 2": "is unfinished",
  "()": "has ')' out of place",
  "1 + 2)": "has ')' out of place",
  "1 2": "has '2' out of place",
  "2(3)": "has '(' out of place",
  "2 ** 3": "has '*' out of place",
  "7 // 2": "has '/' out of place",
  "+3": "has '+' out of place",
  "1 / 0": "divides by zero",
  "1 / (2 - 2)": "divides by zero",
  "1 / (1 / 3 * 3 - 1)": "divides by zero",
  "1.5": "has '.', no arithmetic",
  "1e9": "has 'e', no arithmetic",
  "0x10": "has 'x', no arithmetic",
  "2^3": "has '^', no arithmetic",
  "7 % 2": "has '%', no arithmetic",
  "1; 2": "has ';', no arithmetic",
  "１": "has '１', no arithmetic",
  "😀": "has '😀', no arithmetic",
  "<b>1</b>": "has '<', no arithmetic",
  "__proto__": "has '_', no arithmetic",
  "constructor": "has 'c', no arithmetic",
  "Deno.exit()": "has 'D', no arithmetic",
};

for (const [text, fault] of Object.entries(FAULTS)) {
  Deno.test(`evaluate() says that ${JSON.stringify(text)} ${fault}`, () => {
    assertThrows(() => evaluate(text), ExpressionError, fault);
  });
}

Deno.test("evaluate() lists the numbers as written", () => {
  assertEquals(evaluate("3 * (1 + 3) - 20").numbers, [3n, 1n, 3n, 20n]);
});

Deno.test("evaluate() nests to its limit and no deeper", () => {
  const nested = (depth: number) => `${"(".repeat(depth)}1${")".repeat(depth)}`;
  assertEquals(evaluate(nested(DEEPEST)).value.toFraction(), "1");
  assertThrows(() => evaluate(nested(DEEPEST + 1)), ExpressionError, "nested deeper than 64");
  assertEquals(evaluate(`${"-".repeat(DEEPEST)}1`).value.toFraction(), "1");
  assertThrows(() => evaluate(`${"-".repeat(DEEPEST + 1)}1`), ExpressionError, "nested deeper");
});

Deno.test("evaluate() reads to its longest and no further", () => {
  const digits = "9".repeat(LONGEST);
  assertEquals(evaluate(digits).value.toFraction(), digits);
  assertThrows(() => evaluate(`${digits}9`), ExpressionError, "longer than 1000 characters");
});

Deno.test("evaluate() takes a long chain without nesting", () => {
  assertEquals(evaluate("1+".repeat(499) + "1").value.toFraction(), "500");
});
