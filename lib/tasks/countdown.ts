/**
 * Countdown, the null control: reach a target with every given number once.
 *
 * The puzzle is that of TinyZero (https://github.com/Jiayi-Pan/TinyZero), small enough for
 * `countdown-tiny-baseline`, which never saw a mixture and is certain of nearly every token: there is next
 * to nothing to mix, and an honest instrument finds no gain from mixed inputs. (Its twin `countdown-tiny` did
 * see mixtures in training.) Nearly all answers that are finished are right, so that accuracy is the share
 * of answers finished within the token limit.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { isObject, oneOf, type Rules } from "../_check.ts";
import { evaluate, ExpressionError, LONGEST } from "./_expression.ts";
import type { Random } from "./_random.ts";
import { lastAnswer } from "./answer/pieces.ts";
import { lastBoxed } from "./answer/math.ts";
import {
  benchmark,
  BENCHMARK_RULES,
  type BenchmarkOptions,
  GRADING,
  unknownLayout,
} from "./benchmark.ts";
import { HELD_OUT } from "./held_out/countdown.ts";
import { releasedEquation, releasedRight } from "./released.ts";
import type { Row } from "./source/rows.ts";
import { type SyntheticOptions, syntheticProblems } from "./synthetic.ts";
import type { Grade, Problem, Task } from "./task.ts";

/** Numbers and the target to reach with them. */
export interface CountdownProblem extends Problem {
  /** The numbers, in the order of the prompt; one may occur twice. */
  readonly numbers: readonly number[];
  /** The value that an answer must have. */
  readonly target: number;
}

/**
 * The countdown task: "Using the numbers [13, 24, 6], create an equation that equals 66."
 *
 * The answer is the last `<answer>…</answer>` of the text. It is right where its value is the target
 * exactly, over the rationals, and it uses every number exactly once. It may use `+ - * /`,
 * `× ÷ −`, parentheses, a minus sign before a factor (any such answer has a twin without, so the
 * sign makes no problem easier) and a final `= target`, which must then be right. Fractions on the
 * way are allowed; division by zero, more than 1000 characters and more than 64 levels of nesting
 * are wrong. Text is parsed, never run.
 *
 * Held-out problems are those of `countdown-tiny`. Generated ones follow the recipe of its training:
 * 88 % have three numbers from 1 to 25, 12 % four from 1 to 12; the target is one of the values from
 * 10 to 99 that the numbers reach, evenly, and is none of the numbers; intermediates are positive
 * integers, products at most 200, divisions exact and by more than 1. Three properties hold:
 *
 * - none was in training: the numbers are a held-out multiset, one for which the MD5 of the sorted
 *   numbers, written as Python's `str` of a tuple (`"(6, 13, 24)"`) and read as a hexadecimal
 *   integer, is 0 mod 10. A four-number training trace can contain such a triple as a sub-problem;
 * - none is a held-out problem, so a setting chosen on generated problems can be tested on those;
 * - none comes twice. Held-out triples leave about a thousand three-number problems, so a large
 *   `count` nearly uses them up and then poses rarer ones: at most 1000.
 *
 * Recommended sampling: temperature 0.6, top-p 0.95, 128 new tokens.
 *
 * @param options Which problems: 1000 held out by default, or `count` generated ones, at most 1000, as
 * "countdown-seed7-0000" of seed 7.
 * @throws {TypeError} For an unknown option, one of the wrong type, or one the source ignores.
 * @throws {RangeError} For a value outside its range.
 *
 * @example Grading evaluates the last answer exactly
 * ```ts
 * import { countdown } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 *
 * const task = countdown();
 * const problem = { id: "mine", numbers: [13, 24, 6], target: 66 };
 * assertEquals(task.prompt(problem), [{
 *   role: "user",
 *   content: "Using the numbers [13, 24, 6], create an equation that equals 66.",
 * }]);
 * assertEquals(task.grade(problem, "<answer> (24 - 13) * 6 </answer>").correct, true);
 * assertEquals(task.grade(problem, "<answer>6 * 11</answer>"), {
 *   correct: false,
 *   extracted: "6 * 11",
 *   reason: "the answer uses 11, which is not given",
 * });
 * ```
 */
export function countdown(
  options: SyntheticOptions | CountdownFileOptions = {},
): Task<CountdownProblem> {
  if (isFile(options)) return countdownOfFile(options);
  return {
    name: "countdown",
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens: 128 },
    problems: syntheticProblems(
      { name: "countdown", heldOut: HELD_OUT, mostGenerated: 1000, parse, generate },
      options,
    ),
    prompt: ({ numbers, target }) => [{ role: "user", content: ask(numbers, target) }],
    grade,
  };
}

/** Options of {@linkcode countdown} on problems of a file, such as those of TinyZero. */
export interface CountdownFileOptions extends BenchmarkOptions {
  /**
   * "paper": the words of TinyZero, which ask for thoughts and an answer in tags; "plain": the sentence
   * of the embedded control. Default: "paper".
   */
  readonly prompt?: "paper" | "plain";
  /**
   * "last": exact, of the last answer tag, else the last box; "released": the rule of the released MoI
   * code. Default: "last".
   */
  readonly grading?: "last" | "released";
}

const FILE_RULES: Rules<CountdownFileOptions> = {
  ...BENCHMARK_RULES,
  prompt: oneOf("paper", "plain"),
  grading: GRADING,
};

function isFile(options: SyntheticOptions | CountdownFileOptions): options is CountdownFileOptions {
  const { source } = options;
  return source !== undefined && source !== "held-out" && source !== "generated" &&
    (typeof source === "string" ? /[/.]/.test(source) : source instanceof URL);
}

function ask(numbers: readonly number[], target: number): string {
  return `Using the numbers [${numbers.join(", ")}], create an equation that equals ${target}.`;
}

/** The words of TinyZero's data set, as a user's message. */
function askAtLength(numbers: readonly number[], target: number): string {
  return "A conversation between User and Assistant. The user asks a question, and the Assistant solves " +
    "it. The assistant first thinks about the reasoning process in the mind and then provides the user " +
    `with the answer.\nUser: ${ask(numbers, target)} You can use basic arithmetic operations ` +
    "(+, -, *, /) and each number can only be used once. Show your work in <think> </think> tags. And " +
    "return the final answer in <answer> </answer> tags, for example <answer> (1 + 2) / 3 </answer>.\n";
}

const isIntegers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((n) => Number.isSafeInteger(n) && n >= 0);

function problemOf(row: Row, id: string, at: number): CountdownProblem {
  const reward = isObject(row.reward_model) ? row.reward_model.ground_truth : undefined;
  const from = isObject(reward) ? reward : row;
  const numbers = from.numbers ?? from.nums, { target } = from;
  if (!isIntegers(numbers) || !Number.isSafeInteger(target)) {
    const needs = "nums or numbers and target, or reward_model.ground_truth with these";
    return unknownLayout("countdown", needs, row, at);
  }
  return { id, numbers, target: target as number };
}

function countdownOfFile(options: CountdownFileOptions): Task<CountdownProblem> {
  return benchmark("countdown", options, FILE_RULES, ({ prompt, grading }) => ({
    maxNewTokens: 8192,
    problem: problemOf,
    words: ({ numbers, target }) => (prompt === "plain" ? ask : askAtLength)(numbers, target),
    grade: grading === "released" ? gradeReleased : gradeTagOrBox,
  }));
}

/** The same as the control's, where a model may also have put its answer into a box. */
function gradeTagOrBox(problem: CountdownProblem, text: string): Grade {
  const boxed = lastAnswer(text) === null ? lastBoxed(text) : null;
  return grade(problem, boxed === null ? text : `<answer>${boxed}</answer>`);
}

/** Grades by the rule of the released MoI code. */
function gradeReleased({ numbers, target }: CountdownProblem, text: string): Grade {
  const extracted = releasedEquation(text);
  if (extracted === null) return { correct: false, extracted, reason: "no equation found" };
  const correct = releasedRight(extracted, numbers, target);
  const reason = correct ? `equals ${target}` : `is no way to ${target}`;
  return { correct, extracted: extracted.length > LONGEST ? null : extracted, reason };
}

function grade(problem: CountdownProblem, text: string): Grade {
  const answer = lastAnswer(text);
  if (answer === null) return { correct: false, extracted: null, reason: "no complete answer tag" };
  const extracted = answer.length > LONGEST ? null : answer, fault = faultOf(answer, problem);
  const reason = `the answer ${fault ?? `equals ${problem.target}`}`;
  return { correct: fault === null, extracted, reason };
}

/** What is wrong with an answer, or null. */
function faultOf(answer: string, { numbers, target }: CountdownProblem): string | null {
  const [expression = "", ...claims] = answer.length > LONGEST ? [answer] : answer.split("=");
  let evaluated: ReturnType<typeof evaluate>;
  try {
    evaluated = evaluate(expression);
  } catch (error) {
    if (error instanceof ExpressionError) return error.message;
    throw error;
  }
  const misuse = misuseOf(numbers, evaluated.numbers);
  if (misuse !== null) return misuse;
  const { value } = evaluated;
  if (!value.equals(target)) return `equals ${value.toFraction()}, not ${target}`;
  if (claims.length > 1) return "has more than one '='";
  const [claim] = claims;
  if (claim !== undefined && claim.trim() !== `${target}`) return `does not say '= ${target}'`;
  return null;
}

/** How the numbers used differ from the numbers given, or null where they are the same multiset. */
function misuseOf(given: readonly number[], used: readonly bigint[]): string | null {
  const left = given.map(BigInt);
  for (const number of used) {
    const at = left.indexOf(number);
    if (at >= 0) left.splice(at, 1);
    else if (given.map(BigInt).includes(number)) return `uses ${number} too often`;
    else return `uses ${number}, which is not given`;
  }
  return left.length > 0 ? `does not use ${left[0]}` : null;
}

function parse(line: string, id: string): CountdownProblem {
  const numbers = line.split(" ").map(Number), target = numbers.pop()!;
  return { id, numbers, target };
}

function* generate(random: Random, id: (index: number) => string): Generator<CountdownProblem> {
  const taken = new Set(HELD_OUT.split("\n").map((line) => keyOf(parse(line, ""))));
  const known = new Map<string, number[]>();
  for (let i = 0;; i++) {
    const [size, largest] = random.below(100) < 88 ? [3, 25] : [4, 12];
    let problem: CountdownProblem | null = null;
    while (problem === null || taken.has(keyOf(problem))) {
      const numbers = Array.from({ length: size }, () => 1 + random.below(largest));
      const targets = targetsOf(numbers, known);
      problem = targets.length === 0 ? null : { id: id(i), numbers, target: random.pick(targets) };
    }
    taken.add(keyOf(problem));
    yield problem;
  }
}

/** The targets of held-out numbers; none for the numbers of training problems. */
function targetsOf(numbers: readonly number[], known: Map<string, number[]>): number[] {
  const multiset = tuple(numbers);
  let targets = known.get(multiset);
  if (targets === undefined) {
    const all = isHeldOut(multiset) ? [...reachable(numbers)].sort((a, b) => a - b) : [];
    targets = all.filter((t) => t >= 10 && t <= 99 && !numbers.includes(t));
    known.set(multiset, targets);
  }
  return targets;
}

function isHeldOut(multiset: string): boolean {
  return BigInt(`0x${createHash("md5").update(multiset).digest("hex")}`) % 10n === 0n;
}

/** The sorted numbers as Python writes a tuple. */
function tuple(numbers: readonly number[]): string {
  return `(${numbers.toSorted((a, b) => a - b).join(", ")})`;
}

function keyOf({ numbers, target }: CountdownProblem): string {
  return `${tuple(numbers)} ${target}`;
}

/** Largest product formed on the way to a target. */
const LARGEST_PRODUCT = 200;

/** All values that use every number once, by the rule of the training. */
function reachable(numbers: readonly number[], found = new Set<number>()): Set<number> {
  if (numbers.length === 1) found.add(numbers[0]!);
  for (const [i, a] of numbers.entries()) {
    for (const [j, b] of numbers.entries()) {
      if (i === j || a < b || (a === b && i > j)) continue; // each pair once, the larger first
      const rest = numbers.filter((_, k) => k !== i && k !== j);
      for (const result of results(a, b)) reachable([...rest, result], found);
    }
  }
  return found;
}

function results(a: number, b: number): number[] {
  const out = [a + b];
  if (a > b) out.push(a - b);
  if (a * b <= LARGEST_PRODUCT) out.push(a * b);
  if (b > 1 && a % b === 0) out.push(a / b);
  return out;
}
