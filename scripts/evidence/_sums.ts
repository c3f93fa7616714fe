/** Sums that a small model gets right in two of five, in short sentences: the task of two studies. @module */

import { seededRandom } from "../../lib/tasks/_random.ts";
import { addition, type AdditionProblem, type Task } from "../../lib/tasks/mod.ts";

/** A sum, its wording, and the sum that is answered before it. */
interface SumProblem extends AdditionProblem {
  readonly ask: number;
  readonly shown: { readonly left: number; readonly right: number };
  readonly shownAsk: number;
  readonly said: number;
}

/** What decides which sums are asked. */
export interface SumSettings {
  /** Number of problems. */
  readonly problems: number;
  /** Seed of the problems. */
  readonly problemSeed: number;
  /** The summands are from 1 to this. */
  readonly most: number;
}

type Words = (left: number, right: number) => string;

const ASKS: readonly Words[] = [
  (left, right) => `What is ${left} + ${right}?`,
  (left, right) => `How much is ${left} plus ${right}?`,
  (left, right) => `Add ${left} and ${right}.`,
  (left, right) => `Calculate ${left} + ${right}.`,
  (left, right) => `What is the sum of ${left} and ${right}?`,
  (left, right) => `What do ${left} and ${right} make together?`,
];

const SAID: readonly Words[] = [
  (left, right) => `If we add ${right} to ${left}, we get ${left + right}.`,
  (left, right) => `Together, ${left} and ${right} make ${left + right}.`,
  (left, right) => `The answer is ${left + right}, because ${left} + ${right} = ${left + right}.`,
  (left, right) => `Counting ${right} on from ${left} leads to ${left + right}.`,
];

const asked = (ask: number, { left, right }: { left: number; right: number }) =>
  `${ASKS[ask]!(left, right)} Answer in one short sentence.`;

/** The conversation: another sum, its answer, and the sum. */
const wordsOf = (problem: SumProblem) => {
  const { shown, shownAsk, said, ask } = problem;
  return [
    { role: "user" as const, content: asked(shownAsk, shown) },
    { role: "assistant" as const, content: SAID[said]!(shown.left, shown.right) },
    { role: "user" as const, content: asked(ask, problem) },
  ];
};

/** Problems without end, no prompt twice; the example has another sum, and is asked in other words. */
function* drawn({ problemSeed, most }: SumSettings): Generator<SumProblem, never> {
  const random = seededRandom(problemSeed), there = new Set<string>();
  const pair = () => ({ left: 1 + random.below(most), right: 1 + random.below(most) });
  for (;;) {
    const own = pair(), shown = pair();
    const ask = random.below(ASKS.length), said = random.below(SAID.length);
    const shownAsk = (ask + 1 + random.below(ASKS.length - 1)) % ASKS.length;
    const id = `sums-seed${problemSeed}-${`${there.size}`.padStart(4, "0")}`;
    const problem = { id, ...own, digits: `${most}`.length, ask, shown, shownAsk, said };
    const key = JSON.stringify(wordsOf(problem));
    if (there.has(key) || own.left + own.right === shown.left + shown.right) continue;
    there.add(key);
    yield problem;
  }
}

/** The problems; fewer are the first of more. */
export const sumProblems = (settings: SumSettings): SumProblem[] =>
  drawn(settings).take(settings.problems).toArray();

/** The task: the number that the text gives as its answer is the sum. */
export function oneShotSums(settings: SumSettings): Task<SumProblem> {
  const { problemSeed, most } = settings, { grade } = addition();
  return {
    name: "one-shot sums",
    parameters: { problemSeed, most },
    problems: () => sumProblems(settings),
    prompt: wordsOf,
    grade,
  };
}
