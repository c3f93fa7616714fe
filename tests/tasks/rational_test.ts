import { assertEquals, assertThrows } from "@std/assert";
import {
  add,
  divide,
  equalsInteger,
  format,
  multiply,
  negate,
  rational,
} from "../../lib/tasks/rational.ts";

Deno.test("rational() is in lowest terms with a positive denominator", () => {
  assertEquals(rational(6n, -4n), { numerator: -3n, denominator: 2n });
  assertEquals(rational(-6n, -4n), { numerator: 3n, denominator: 2n });
  assertEquals(rational(0n, -5n), { numerator: 0n, denominator: 1n });
  assertEquals(rational(7n), { numerator: 7n, denominator: 1n });
});

Deno.test("rational() refuses a denominator of 0", () => {
  assertThrows(() => rational(1n, 0n), RangeError, "Cannot divide by zero");
  assertThrows(() => divide(rational(1n), rational(0n)), RangeError, "Cannot divide by zero");
});

Deno.test("rational arithmetic is exact", () => {
  const third = rational(1n, 3n);
  const half = rational(1n, 2n);
  assertEquals(add(third, half), rational(5n, 6n));
  assertEquals(multiply(third, half), rational(1n, 6n));
  assertEquals(divide(third, negate(half)), rational(-2n, 3n));
  assertEquals(equalsInteger(add(add(third, third), third), 1n), true);
  assertEquals(equalsInteger(half, 0n), false);
});

Deno.test("format() writes integers without a bar", () => {
  assertEquals([rational(66n), rational(1n, -2n)].map(format), ["66", "-1/2"]);
});
