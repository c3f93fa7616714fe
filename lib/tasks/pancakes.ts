/**
 * Pancakes, the control that reasons: sort a stack by turning over its top, in few flips.
 *
 * A flip reverses the first letters of the stack, as many as one likes. The models `decisions-tiny-1`, `-2` and
 * `-3` write the stack down flip by flip, and then the flips. What they were taught is a function of the
 * stack, so that every uncertainty is the model's own ignorance, and nearly all of it lies on one token
 * a line: the first, which decides what is turned. They never saw a mixture.
 *
 * Neighbours that are none in the sorted stack are a gap, and a flip closes one at best. Where exactly one flip
 * closes a gap, that is the flip to make, as a rule; a *decision* is a flip where none does, or several, so that
 * only looking further ahead tells which is right.
 *
 * The puzzle is Goodman's (American Mathematical Monthly 82, 1975); the lower bound by gaps is from
 * Helmert (2010), "Landmark Heuristics for the Pancake Problem". The task is this project's own.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Random } from "./_random.ts";
import { lastAnswer } from "./answer/pieces.ts";
import { HELD_OUT } from "./held_out/pancakes.ts";
import { type SyntheticOptions, syntheticProblems } from "./synthetic.ts";
import type { Grade, Problem, Task } from "./task.ts";

/** A stack to be sorted. */
export interface PancakesProblem extends Problem {
  /** The letters `a` to `i`, each once, the top first. */
  readonly stack: string;
  /** The fewest flips that sort it. */
  readonly fewest: number;
}

/**
 * The pancakes task: "Sort by few flips: hcabdgfei".
 *
 * The answer is the last `<answer>cgahb</answer>` of the text: the letter that each flip brings to the top, in
 * order; white space is free. It is right where these flips sort the stack and are at most 2 more than
 * the fewest. A flip must move something: it cannot name the letter that is on top already. Only the
 * answer is graded, not the stacks that were written before it.
 *
 * All problems take 6, 7 or 8 flips, two or more of them decisions, and are evenly drawn among such stacks. A stack
 * can be a problem of this task where the MD5 of its letters, read as a hexadecimal integer, is 0 mod 10, and starts a
 * training text only where it is not: no problem was asked in training, held out or generated. (A text that sorts
 * another stack can pass through it.) Generated problems are not among the held-out ones, and none comes twice.
 *
 * Recommended sampling: temperature 1, no top-p, 200 new tokens.
 *
 * @param options Which problems: 1000 held out by default, or `count` generated ones, at most 10 000.
 * @throws {TypeError} For an unknown option, one of the wrong type, or one the source ignores.
 * @throws {RangeError} For a value outside its range.
 *
 * @example Grading turns the stack over
 * ```ts
 * import { pancakes } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 *
 * const task = pancakes();
 * const problem = { id: "mine", stack: "cbadefghi", fewest: 1 };
 * assertEquals(task.grade(problem, "<answer>a</answer>").correct, true);
 * assertEquals(task.grade(problem, "<answer>dcda</answer>"), {
 *   correct: false,
 *   extracted: "dcda",
 *   reason: "4 flips, where 3 are allowed",
 * });
 * ```
 */
export function pancakes(options: SyntheticOptions = {}): Task<PancakesProblem> {
  return {
    name: "pancakes",
    defaults: { temperature: 1, topP: 1, maxNewTokens: 200 },
    problems: syntheticProblems(
      { name: "pancakes", heldOut: HELD_OUT, mostGenerated: 10_000, parse, generate },
      options,
    ),
    prompt: ({ stack }) => [{ role: "user", content: `Sort by few flips: ${stack}` }],
    grade,
  };
}

function grade({ stack, fewest }: PancakesProblem, text: string): Grade {
  const answer = lastAnswer(text)?.replaceAll(/\s/g, "");
  if (answer === undefined) {
    return { correct: false, extracted: null, reason: "no complete answer tag" };
  }
  if (!/^[a-i]{1,99}$/.test(answer)) {
    return { correct: false, extracted: null, reason: "the answer is not letters from a to i" };
  }
  const most = fewest + SPARE, allowed = `${answer.length} flips, where ${most} are allowed`;
  if (answer.length > most) return { correct: false, extracted: answer, reason: allowed };
  let sorted = stack;
  for (const letter of answer) {
    if (sorted[0] === letter) {
      return { correct: false, extracted: answer, reason: `${letter} is on top of ${sorted}` };
    }
    sorted = flipped(sorted, sorted.indexOf(letter) + 1);
  }
  const correct = sorted === SORTED, reason = correct ? allowed : `ends with ${sorted}`;
  return { correct, extracted: answer, reason };
}

const LETTERS = [..."abcdefghi"], SORTED = LETTERS.join("");

/** Flips that a right answer may have beyond the fewest. */
const SPARE = 2;

/** Flips that the problems take, and the fewest decisions among them. */
const FLIPS = [6, 7, 8], DECISIONS = 2;

/** The stack after its first letters were turned over. */
function flipped(stack: string, letters: number): string {
  return [...stack.slice(0, letters)].reverse().join("") + stack.slice(letters);
}

/** Neighbours that are none in the sorted stack; no flip mends more than one of them. */
function gaps(stack: string): number {
  let count = 0;
  for (let i = 0; i < LETTERS.length; i++) {
    const next = i + 1 < LETTERS.length ? stack.charCodeAt(i + 1) : SORTED.charCodeAt(i) + 1;
    if (Math.abs(stack.charCodeAt(i) - next) !== 1) count++;
  }
  return count;
}

/** The stacks on a way of at most so many flips, first tried with the smallest flips; or null. */
function wayWithin(stack: string, flips: number): string[] | null {
  if (stack === SORTED) return [stack];
  if (gaps(stack) > flips) return null;
  for (let letters = 2; letters <= LETTERS.length; letters++) {
    const rest = wayWithin(flipped(stack, letters), flips - 1);
    if (rest !== null) return [stack, ...rest];
  }
  return null;
}

/**
 * The stacks from a given one to the sorted one in the fewest flips; where several ways are as short, the one whose
 * first flip turns the fewest letters, and so on. This is what the models were taught to write.
 *
 * @param stack The letters `a` to `i` in any order.
 */
export function shortestWay(stack: string): string[] {
  for (let flips = gaps(stack);; flips++) {
    const way = wayWithin(stack, flips);
    if (way !== null) return way;
  }
}

/**
 * Which flips of a way are decisions: those where not exactly one flip would close a gap.
 *
 * @param way Stacks, as {@linkcode shortestWay} gives them.
 * @returns Indices of flips from 0, ascending.
 */
export function decisionsOf(way: readonly string[]): number[] {
  return way.slice(0, -1).flatMap((stack, i) => {
    const after = LETTERS.slice(1).map((_, k) => gaps(flipped(stack, k + 2)));
    return after.filter((count) => count < gaps(stack)).length === 1 ? [] : [i];
  });
}

/** The text that the models were taught to answer with, from their first thought on. */
export function taughtAnswer(stack: string): string {
  const way = shortestWay(stack), flips = way.slice(1).map((next) => next[0]).join("");
  return `${way.join("\n")}\n</think>\n<answer>${flips}</answer>`;
}

/** Whether no training text starts with a stack. */
function isHeldOut(stack: string): boolean {
  return BigInt(`0x${createHash("md5").update(stack).digest("hex")}`) % 10n === 0n;
}

function parse(line: string, id: string): PancakesProblem {
  const [stack = "", fewest] = line.split(" ");
  return { id, stack, fewest: Number(fewest) };
}

function* generate(random: Random, id: (index: number) => string): Generator<PancakesProblem> {
  const taken = new Set(HELD_OUT.split("\n").map((line) => parse(line, "").stack));
  for (let i = 0; i < Infinity;) {
    const stack = random.shuffled(LETTERS).join("");
    if (taken.has(stack) || !isHeldOut(stack)) continue;
    const way = shortestWay(stack), fewest = way.length - 1;
    if (!FLIPS.includes(fewest) || decisionsOf(way).length < DECISIONS) continue;
    taken.add(stack);
    yield { id: id(i++), stack, fewest };
  }
}
