/**
 * A study on a server, in a process of its own, to be killed: `deno run -A _served_study_process.ts URL STORE`.
 * Writes the number of finished runs to stdout, one a line.
 */

import { moi, standard } from "@moi/moi/decode";
import type { Model } from "@moi/moi/model";
import { serverModel } from "@moi/moi/serve";
import { runStudy, type Study } from "@moi/moi/study";
import { votes, type VotesProblem } from "@moi/moi/tasks";

/** The study. */
export function servedStudy(model: Model): Study<VotesProblem> {
  const methods = {
    "standard": standard(),
    "moi-0.25": moi({ beta: 0.25 }),
    "moi-8": moi({ beta: 8 }),
  };
  return { model, task: votes({ limit: 120 }), methods };
}

if (import.meta.main) {
  const [url = "", store = ""] = Deno.args;
  await using model = await serverModel({ url, concurrency: 3, patience: 120_000 });
  await runStudy(servedStudy(model), {
    store,
    onProgress: ({ done }) => void Deno.stdout.writeSync(new TextEncoder().encode(`${done}\n`)),
  });
}
