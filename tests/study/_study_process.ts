/**
 * A study in a process of its own, to be killed or to run out of disk:
 * `deno run -A _study_process.ts mock|votes-tiny STORE SLOTS PROBLEMS [SHARD]`. Writes the number of finished
 * runs to stdout, one a line.
 */

import { directMixture, moi, standard } from "@moi/moi/decode";
import { loadModel } from "@moi/moi/model";
import { parseShard, type RunOptions, runStudy, type Study } from "@moi/moi/study";
import { votes, type VotesProblem } from "@moi/moi/tasks";
import { mockModel } from "../_mock_model.ts";
import { type Letters, letters } from "./_letters.ts";

const methods = {
  "standard": standard(),
  "moi-0.25": moi({ beta: 0.25 }),
  "moi-1": moi({ beta: 1 }),
  "direct": directMixture(),
};

/** The study on the mock model. */
export function mockStudy(count: number): Study<Letters> {
  return { model: mockModel(), task: letters({ count }), methods, maxNewTokens: 12 };
}

/** The study on votes-tiny. */
export async function votesStudy(limit: number): Promise<Study<VotesProblem>> {
  return { model: await loadModel("votes-tiny"), task: votes({ limit }), methods };
}

if (import.meta.main) {
  const [kind = "", store = "", slots, problems, part] = Deno.args;
  const shard = part === undefined ? {} : { shard: parseShard(part, {}) };
  const options: RunOptions = {
    store,
    slots: Number(slots),
    onProgress: ({ done }) => void Deno.stdout.writeSync(new TextEncoder().encode(`${done}\n`)),
  };
  if (kind === "mock") await runStudy({ ...mockStudy(Number(problems)), ...shard }, options);
  else await runStudy({ ...await votesStudy(Number(problems)), ...shard }, options);
}
