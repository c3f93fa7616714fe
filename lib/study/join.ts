/**
 * Studies that differ in their sampler, as one table. Methods of one study share its sampler: standard decoding
 * at other temperatures is run in studies of its own, and joined here.
 *
 * @module
 */

import { refusal, shown } from "../_check.ts";
import { given } from "../_given.ts";
import { sha256 } from "../_sha256.ts";
import { canonical } from "./_digest.ts";
import { partialOf, plannedOf, type StudyRuns, withPlanned } from "./partial.ts";
import type { Run } from "./run.ts";

const VERB = "join studies";

/** What joined studies share. */
const SHARED = ["model", "task", "taskParameters", "dtype", "device", "chat"] as const;

/** Whether a study decodes greedily, so that all repeats of a problem are the same. */
const isGreedy = (runs: readonly Run[]) => runs.every(({ sampler }) => sampler.temperature === 0);

const repeatsOf = (runs: readonly Run[]) => [...new Set(runs.map(({ repeat }) => repeat))];

/** Joined runs, which know that they are not all where one of their studies was stopped. */
function told(joined: Run[], studies: readonly (readonly Run[])[]): StudyRuns {
  if (!studies.some((runs) => partialOf(runs))) return joined;
  const first = studies.map(plannedOf).find((planned) => planned !== undefined)!;
  const methods = [...new Set(joined.map(({ method }) => method))];
  const all = studies.flatMap((runs) =>
    plannedOf(runs)?.methods ?? [...new Set(runs.map((run) => run.method))]
  );
  const { problems, repeats } = first;
  return withPlanned(joined, { problems, methods, repeats, runs: problems * repeats * all.length });
}

/**
 * Runs of several studies as runs of one.
 *
 * Only problems that all of them have are kept. A study at temperature 0 gives the same text in every
 * repeat, so one repeat of it stands for all repeats of the first study. What was declared as the primary
 * comparison of the first study is that of all. Where one of them was stopped, the joined runs say so, as
 * those of `runStudy` do.
 *
 * @param studies Runs of each study; the first one's settings are those that a report names.
 * @throws {RangeError} Where there is no study, two have a method of the same key, or they differ in model,
 * task and its options, number format, device or chat variables.
 *
 * @example Standard decoding at two temperatures
 * ```ts
 * import { gains, joinStudies, loadModel, runStudy, standard, votes } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const task = votes({ limit: 3 });
 * const warm = await runStudy({ model, task, methods: { standard: standard() } });
 * const cold = await runStudy({ model, task, temperature: 0.3, methods: { cold: standard() } });
 * assertEquals(gains(joinStudies([warm, cold])).map(({ method }) => method), ["standard", "cold"]);
 * ```
 */
export function joinStudies(studies: readonly (readonly Run[])[]): StudyRuns {
  const [main, ...others] = studies.filter((runs) => runs.length > 0);
  if (main === undefined && studies.some((runs) => partialOf(runs))) return told([], studies);
  if (main === undefined) {
    throw new RangeError(refusal(VERB, "studies", "hold runs of one study at least", studies));
  }
  const first = main[0]!, taken = new Set(main.map(({ method }) => method));
  for (const runs of others) {
    for (const field of SHARED) {
      if (canonical(runs[0]![field]) === canonical(first[field])) continue;
      throw new RangeError(
        `Cannot ${VERB} as they must have the same ${field}: current value is ${
          shown(first[field])
        } and ${shown(runs[0]![field])}`,
      );
    }
    const keys = new Set(runs.map(({ method }) => method));
    const twice = [...keys].find((key) => taken.has(key));
    if (twice !== undefined) {
      throw new RangeError(`Cannot ${VERB} as two of them have a method ${shown(twice)}`);
    }
    for (const key of keys) taken.add(key);
  }
  const problems = [main, ...others].map((runs) => new Set(runs.map(({ problem }) => problem)))
    .reduce((all, own) => all.intersection(own));
  const study = sha256(canonical([main, ...others].map((runs) => runs[0]!.study)));
  const shared = { study, model: first.model, ...given({ primary: first.primary }) };
  const repeats = repeatsOf(main);
  const joined = [main, ...others].flatMap((runs) => {
    const copied = isGreedy(runs) && repeatsOf(runs).length === 1;
    return (copied ? repeats.flatMap((repeat) => runs.map((run) => ({ ...run, repeat }))) : runs)
      .filter(({ problem }) => problems.has(problem))
      .map((run) => ({ ...run, ...shared }));
  });
  return told(joined, studies);
}
