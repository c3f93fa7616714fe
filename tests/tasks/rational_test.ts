import { assertEquals, assertThrows } from "@std/assert";
import {
  add,
  compare,
  divide,
  equalsInteger,
  floor,
  format,
  greatestCommonDivisor,
  multiply,
  negate,
  power,
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

Deno.test("power() takes integers below 0 too", () => {
  assertEquals(power(rational(-2n, 3n), 3n), rational(-8n, 27n));
  assertEquals(power(rational(-2n, 3n), -3n), rational(-27n, 8n));
  assertEquals(power(rational(7n), 0n), rational(1n));
  assertThrows(() => power(rational(0n), -1n), RangeError, "Cannot divide by zero");
});

Deno.test("compare(), floor() and greatestCommonDivisor() mind the sign", () => {
  const [third, half] = [rational(1n, 3n), rational(1n, 2n)];
  assertEquals([compare(third, half), compare(half, third), compare(half, half)], [-1, 1, 0]);
  assertEquals(compare(negate(half), third), -1);
  const values = [rational(7n, 2n), rational(-7n, 2n), rational(-3n), rational(0n)];
  assertEquals(values.map(floor), [3n, -4n, -3n, 0n]);
  assertEquals(greatestCommonDivisor(-12n, 18n), 6n);
  assertEquals(greatestCommonDivisor(0n, -5n), 5n);
});
