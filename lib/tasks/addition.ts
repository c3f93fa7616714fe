/**
 * Addition: sums of two numbers, a ladder from easy to hard on which a small model has room both ways.
 *
 * @module
 */

import { checkOptions, listOf, number, refusal, type Rules } from "../_check.ts";
import { seededRandom } from "./_random.ts";
import { judged } from "./answer/grade.ts";
import { findNumber } from "./answer/number.ts";
import { numbered } from "./synthetic.ts";
import type { Grade, Problem, Task } from "./task.ts";

/** Two numbers. */
export interface AdditionProblem extends Problem {
  /** The first number. */
  readonly left: number;
  /** The second number. */
  readonly right: number;
  /** Digits of each. */
  readonly digits: number;
}

/** Options of {@linkcode addition}. */
export interface AdditionOptions {
  /** Numbers of digits, in turn. Default: 1, 2, 3, 4. */
  readonly digits?: readonly number[];
  /** Number of problems, at most 10,000. Default: 400. */
  readonly limit?: number;
  /** Seed of the problems. Default: 0. */
  readonly seed?: number;
}

/** Most digits: sums are then exact as JavaScript numbers. */
const MOST_DIGITS = 15;

const RULES: Rules<AdditionOptions> = {
  digits: listOf(number({ min: 1, max: MOST_DIGITS, integer: true })),
  limit: number({ min: 1, max: 10_000, integer: true }),
  seed: number({ min: 0, integer: true }),
};

/**
 * "What is 17 + 25?", graded exactly: the number that the text gives as its answer is the sum.
 *
 * The i-th problem depends on the seed, the digits and i alone, so that a smaller limit gives the first of
 * a larger one. Recommended sampling: temperature 0.6, top-p 0.95, 32 new tokens.
 *
 * @param options Digits, number of problems, seed.
 * @throws {TypeError} Where an option is unknown or of the wrong kind.
 * @throws {RangeError} Where one is outside its rule.
 *
 * @example The ladder
 * ```ts
 * import { addition } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const task = addition({ limit: 5 });
 * const problems = await task.problems();
 * assertEquals(problems.map(({ digits }) => digits), [1, 2, 3, 4, 1]);
 * const { left, right } = problems[1]!;
 * assertEquals(task.grade(problems[1]!, `${left} + ${right} = ${left + right}.`).correct, true);
 * ```
 */
export function addition(options: AdditionOptions = {}): Task<AdditionProblem> {
  checkOptions("make addition", options, RULES);
  const { digits = [1, 2, 3, 4], limit = 400, seed = 0 } = options;
  if (digits.length === 0) {
    throw new TypeError(
      refusal("make addition", "digits", "be a list of numbers of digits", digits),
    );
  }
  return {
    name: "addition",
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens: 32 },
    parameters: { digits: digits.join(","), seed },
    problems() {
      const random = seededRandom(seed);
      return Array.from({ length: limit }, (_, i): AdditionProblem => {
        const count = digits[i % digits.length]!, least = count === 1 ? 0 : 10 ** (count - 1);
        const number = () => least + random.below(10 ** count - least);
        const [left, right] = [number(), number()];
        return {
          id: `addition-seed${seed}-${digits.join("")}-${numbered(i)}`,
          ...{ left, right, digits: count },
        };
      });
    },
    prompt: ({ left, right }) => [{ role: "user", content: `What is ${left} + ${right}?` }],
    grade({ left, right }, text): Grade {
      const found = findNumber(text), sum = left + right;
      const correct = found.exact?.some((value) => value.equals(sum)) ?? false;
      return judged(found, `${sum}`, correct);
    },
  };
}
