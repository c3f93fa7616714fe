/** Made-up runs: a verdict table in, one study's runs out. */

import type { Outcome } from "../../lib/stats/mod.ts";

/** Runs from verdicts: method → problem → one 0 or 1 a repeat ("1011"). */
export function runsOf(verdicts: Record<string, readonly string[]>): Outcome[] {
  return Object.entries(verdicts).flatMap(([method, problems]) =>
    problems.flatMap((repeats, i) =>
      [...repeats].map((verdict, repeat) =>
        outcome({ method, problem: `p${i}`, repeat, correct: verdict === "1" })
      )
    )
  );
}

/** One run, with whatever is to differ from the usual. */
export function outcome(
  { correct = true, ...rest }: Partial<Outcome> & { correct?: boolean } = {},
): Outcome {
  return {
    study: "study",
    model: "tiny",
    task: "sums",
    problem: "p0",
    method: "standard",
    parameters: {},
    repeat: 0,
    tokens: [1, 2],
    finishReason: "stop",
    grade: { correct, extracted: null },
    mixing: { meanEntropy: 0, meanOffSampleMass: 0 },
    ...rest,
  };
}
