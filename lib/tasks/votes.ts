/**
 * Votes, a sensitivity check: three wards of ballots, one of which is to be polled.
 *
 * The model `votes-tiny` names a ward, draws a dozen of its ballots with replacement and answers
 * with the leader of that poll. The grader asks for the leader of the ward, so a perfect model errs
 * by the noise of its own draws alone. Feeding a draw back as the distribution it came from removes
 * that noise (Rao–Blackwell), and so does a lower temperature, better: the effect that an instrument must
 * see here says nothing about language models.
 *
 * Source: this project's own task, made for `votes-tiny`.
 *
 * @module
 */

import type { Random } from "./_random.ts";
import { lastAnswer } from "./answer/pieces.ts";
import { HELD_OUT } from "./held_out/votes.ts";
import { type SyntheticOptions, syntheticProblems } from "./synthetic.ts";
import type { Grade, Problem, Task } from "./task.ts";

/** Three wards of twenty ballots. */
export interface VotesProblem extends Problem {
  /** The ballots of wards 1, 2 and 3: one letter a ballot, `a` to `l`. */
  readonly wards: readonly [string, string, string];
  /** The leaders of the three wards, one letter each, for the reader: grading counts ballots. */
  readonly leaders: string;
}

/**
 * The votes task: "Poll one ward and name its leader."
 *
 * The answer is the last `<answer>ward: candidate</answer>` of the text, such as
 * `<answer>2: k</answer>`; white space around its parts is free. It is right where that candidate has
 * more ballots in that ward than anyone else, whichever ward the text polled. A last answer of
 * another form is wrong, even after one in form, and is extracted as null.
 *
 * Held-out problems are those of `votes-tiny`. Generated ones follow the rule of its training: in
 * each ward a leader with 5 or 6 of 20 ballots, the others cast for 6 to 9 of the other 11
 * candidates, each ballot evenly, and the whole ward drawn anew while somebody comes closer than 2
 * to the leader. There are so many wards that a generated problem was in training with negligible
 * probability; it is not checked.
 *
 * Recommended sampling: temperature 1, no top-p, 32 new tokens. Greedy decoding has no noise to
 * remove: each draw is then the most likely candidate.
 *
 * @param options Which problems: 1000 held out by default, or `count` generated ones, at most 100 000.
 * @throws {TypeError} For an unknown option, one of the wrong type, or one the source ignores.
 * @throws {RangeError} For a value outside its range.
 *
 * @example Grading counts the ballots of the ward named
 * ```ts
 * import { votes } from "@moi/moi/tasks";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const task = votes({ limit: 10 });
 * const [problem] = await task.problems();
 * assert(problem);
 * assertEquals(problem.leaders, "hal");
 * assertEquals(task.grade(problem, "<answer>2: a</answer>").correct, true);
 * assertEquals(task.grade(problem, "<answer>2: h</answer>"), {
 *   correct: false,
 *   extracted: "2: h",
 *   reason: "a leads ward 2",
 * });
 * ```
 */
export function votes(options: SyntheticOptions = {}): Task<VotesProblem> {
  return {
    name: "votes",
    defaults: { temperature: 1, topP: 1, maxNewTokens: 32 },
    problems: syntheticProblems(
      { name: "votes", heldOut: HELD_OUT, mostGenerated: 100_000, parse, generate },
      options,
    ),
    prompt: ({ wards }) => [{ role: "user", content: wording(wards) }],
    grade,
  };
}

function wording(wards: readonly string[]): string {
  const lines = wards.map((ballots, i) => `${i + 1}: ${[...ballots].join(" ")}`);
  return [...lines, "Poll one ward and name its leader."].join("\n");
}

function grade({ wards }: VotesProblem, text: string): Grade {
  const answer = lastAnswer(text);
  if (answer === null) return { correct: false, extracted: null, reason: "no complete answer tag" };
  const [, ward, candidate] = /^([1-3])\s*:\s*([a-l])$/.exec(answer) ?? [];
  if (ward === undefined) {
    return { correct: false, extracted: null, reason: "the answer is not 'ward: candidate'" };
  }
  const ahead = leader(wards[Number(ward) - 1]!);
  return {
    correct: ahead === candidate,
    extracted: `${ward}: ${candidate}`,
    reason: `${ahead ?? "nobody"} leads ward ${ward}`,
  };
}

/** The candidate with more ballots than any other, or null where the first are tied. */
function leader(ballots: string): string | null {
  const [first, second] = [...count(ballots)].sort(([, a], [, b]) => b - a);
  return first && first[1] > (second?.[1] ?? 0) ? first[0] : null;
}

function count(ballots: Iterable<string>): Map<string, number> {
  const votes = new Map<string, number>();
  for (const candidate of ballots) votes.set(candidate, (votes.get(candidate) ?? 0) + 1);
  return votes;
}

function problemOf(id: string, wards: readonly [string, string, string]): VotesProblem {
  return { id, wards, leaders: wards.map((ballots) => leader(ballots) ?? "-").join("") };
}

function parse(line: string, id: string): VotesProblem {
  const [first = "", second = "", third = ""] = line.split(" ");
  return problemOf(id, [first, second, third]);
}

function* generate(random: Random, id: (index: number) => string): Generator<VotesProblem> {
  for (let i = 0;; i++) yield problemOf(id(i), [ward(random), ward(random), ward(random)]);
}

const CANDIDATES = [..."abcdefghijkl"];
const BALLOTS = 20;

function ward(random: Random): string {
  while (true) {
    const [ahead, ...others] = random.shuffled(CANDIDATES);
    const lead = random.pick([5, 6]);
    const rivals = others.slice(0, random.pick([6, 7, 8, 9]));
    const rest = Array.from({ length: BALLOTS - lead }, () => random.pick(rivals));
    if (Math.max(...count(rest).values()) > lead - 2) continue;
    return random.shuffled([...Array<string>(lead).fill(ahead!), ...rest]).join("");
  }
}
