import { assertEquals } from "@std/assert";
import { Fraction, integerOf } from "../../lib/tasks/rational.ts";

Deno.test("a fraction is in lowest terms and carries its sign apart", () => {
  const { s, n, d } = new Fraction(6n, -4n);
  assertEquals([s, n, d], [-1n, 3n, 2n]);
  assertEquals(new Fraction(-1, 2).toFraction(), "-1/2");
});

Deno.test("integerOf() is for integers of either sign", () => {
  const values = [new Fraction(-6, 2), new Fraction(0), new Fraction(1, 2), undefined];
  assertEquals(values.map(integerOf), [-3n, 0n, undefined, undefined]);
});
