import { assertEquals, assertThrows } from "@std/assert";
import { checkNumber, checkOptions, number, refusal, type Rules, shown } from "../lib/_check.ts";

Deno.test("shown() quotes text and keeps numbers", () => {
  assertEquals(
    ["a\n", 1, -0, NaN, undefined, null, true, 3n].map(shown),
    ['"a\\n"', "1", "-0", "NaN", "undefined", "null", "true", "3n"],
  );
});

Deno.test("shown() is short and one line whatever it is given", () => {
  const values = [
    "x".repeat(500),
    [1, 2, 3],
    { a: { b: { c: 1 } }, text: "y".repeat(300) },
    () => 1,
    new Map([["k", "v"]]),
  ];
  for (const value of values) {
    const text = shown(value);
    assertEquals([text.length <= 120, text.includes("\n")], [true, false], text);
  }
});

Deno.test("refusal() is one sentence with the name, the rule and the value", () => {
  assertEquals(
    refusal("decode", "beta", "be at least 0", -1),
    "Cannot decode as 'beta' must be at least 0: current value is -1",
  );
});

Deno.test("checkNumber() returns a number inside its rule", () => {
  assertEquals(checkNumber("v", "n", 0, { min: 0 }), 0);
  assertEquals(checkNumber("v", "n", 1, { min: 0, max: 1 }), 1);
  assertEquals(checkNumber("v", "n", -2.5, {}), -2.5);
  assertEquals(checkNumber("v", "n", Infinity, { min: 0, infinite: true }), Infinity);
});

Deno.test("checkNumber() throws a RangeError outside its rule", () => {
  const cases = [
    [-1, { min: 0 }],
    [2, { max: 1 }],
    [0, { min: 0, exclusiveMin: true }],
    [0.5, { integer: true }],
    [2 ** 53, { integer: true }],
    [NaN, {}],
    [Infinity, {}],
    [-Infinity, { infinite: true }],
    [Infinity, { infinite: true, integer: true }],
  ] as const;
  for (const [value, rule] of cases) {
    assertThrows(() => checkNumber("v", "n", value, rule), RangeError, `value is ${value}`);
  }
});

Deno.test("checkNumber() throws a TypeError for what is no number", () => {
  for (const value of ["1", 1n, null, undefined, [1], true]) {
    assertThrows(() => checkNumber("v", "n", value, {}), TypeError, "'n' must be a number");
  }
});

Deno.test("checkNumber() tells the bounds", () => {
  const message = (rule: Parameters<typeof checkNumber>[3]) =>
    assertThrows(() => checkNumber("run", "n", NaN, rule), RangeError).message;
  assertEquals(
    message({ min: 1, max: 4, integer: true }),
    "Cannot run as 'n' must be an integer at least 1 and at most 4: current value is NaN",
  );
  assertEquals(
    message({ min: 0, exclusiveMin: true }),
    "Cannot run as 'n' must be a number greater than 0: current value is NaN",
  );
  assertEquals(message({}), "Cannot run as 'n' must be a number: current value is NaN");
});

Deno.test("checkOptions() refuses an unknown name and lists the known ones", () => {
  const rules: Rules<{ a?: number; b?: number }> = { a: number(), b: number() };
  checkOptions("sample", { a: 1 }, rules);
  assertThrows(
    () => checkOptions<{ a?: number; b?: number }>("sample", { a: 1, ...{ c: 2 } }, rules),
    TypeError,
    "'c' is not an option: known options are a, b",
  );
});
