import { assert, assertEquals, assertThrows } from "@std/assert";
import { addition, measured, repetition } from "../../lib/tasks/mod.ts";

Deno.test("addition poses the same problems for a seed, in a ladder of digits", async () => {
  const problems = await addition({ limit: 200 }).problems();
  assertEquals(problems.slice(0, 20), await addition({ limit: 20 }).problems());
  assertEquals(new Set(problems.map(({ id }) => id)).size, 200);
  for (const { left, right, digits } of problems) {
    for (const value of [left, right]) assertEquals(`${value}`.length, digits);
  }
  const other = await addition({ limit: 20, seed: 1 }).problems();
  assert(other.some(({ left }, i) => left !== problems[i]!.left));
  assertEquals((await addition({ digits: [9], limit: 1 }).problems())[0]!.digits, 9);
});

Deno.test("addition takes the last number of a text", () => {
  const task = addition(), problem = { id: "x", left: 17, right: 25, digits: 2 };
  assertEquals(task.prompt(problem), [{ role: "user", content: "What is 17 + 25?" }]);
  const texts: readonly [string, boolean][] = [
    ["17 + 25 = 42", true],
    ["The answer is 42.", true],
    ["**42**", true],
    ["17 + 25 = 43", false],
    ["I do not know.", false],
    ["", false],
  ];
  for (const [text, correct] of texts) {
    assertEquals(task.grade(problem, text).correct, correct, text);
  }
  assertThrows(() => addition({ digits: [] }), TypeError, "'digits'");
  assertThrows(() => addition({ digits: [16] }), RangeError, "'digits'");
  assertThrows(() => addition({ limit: 0 }), RangeError, "'limit'");
});

Deno.test("repetition scores the share of 4-grams that come again", async () => {
  const task = repetition({ limit: 3 }), problems = await task.problems();
  assertEquals(problems.length, 3);
  const grade = (text: string) => task.grade(problems[0]!, text);
  assertEquals(grade("one two three four").score, 0);
  assertEquals(grade("").score, 0);
  assertEquals([grade("").correct, grade("one two three four").correct], [false, true]);
  const again = grade("A b c d. A B, c d! a b c d"); // 9 four-grams, 4 different
  assertEquals(again.score, 1 - 4 / 9);
  assertEquals(again.correct, false);
  assertEquals(again.extracted, "12 words");
  assert(again.reason!.includes("55.6 % of 4-grams repeated, distinct-1 0.333"));
});

Deno.test("repetition says what its score is, and which way is up", () => {
  const { measure } = repetition();
  assertEquals([measure?.name, measure?.better], ["repeated 4-grams", "lower"]);
  assertEquals(measured(measure!, 5 / 9), "55.56 %");
  assertEquals(measured({ name: "gain", better: "higher", digits: 1 }, -0.25), "−0.3");
});
