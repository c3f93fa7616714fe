/** A process that is killed at any moment. */

import { assert, assertEquals } from "@std/assert";
import { readRuns, runStudy } from "@moi/moi/study";
import { seeded } from "../_random.ts";
import { votesStudy } from "./_study_process.ts";
import { timeless, withStore } from "./_letters.ts";

const PROCESS = new URL("./_study_process.ts", import.meta.url).href;
const KILLS = 20, PROBLEMS = 60, RUNS = 4 * PROBLEMS;

/**
 * Starts the study in a process of its own and kills it some time after it has told of so many runs;
 * says how many it told of.
 */
async function killed(store: string, after: number, milliseconds: number): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", PROCESS, "votes-tiny", store, "6", `${PROBLEMS}`],
    cwd: new URL("../..", import.meta.url),
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "", killing: Promise<void> | undefined;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.split("\n").length <= after + 1 || killing) continue;
    killing = new Promise((resolve) => setTimeout(resolve, milliseconds)).then(() => {
      try {
        child.kill("SIGKILL");
      } catch {
        // it had ended
      }
    });
  }
  await killing;
  await child.status;
  return Number(text.split("\n").at(-2));
}

Deno.test({
  name: "runStudy() killed 20 times loses no run, doubles none, and ends as if it was not",
  ignore: Deno.build.os === "windows",
  async fn() {
    const random = seeded(71);
    const study = await votesStudy(PROBLEMS);
    await using _ = study.model;
    await withStore(async (store) => {
      let kept = "", partial = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const told = await killed(store, random.below(18), 12 * random.next());
        const now = await Deno.readTextFile(store);
        const runs = await readRuns(store);
        // whole lines stay as they are, and what was told of is there
        assertEquals(now.slice(0, kept.length), kept);
        assert(runs.length >= told, `${runs.length} runs of ${told}`);
        if (runs.length > 0 && runs.length < RUNS) partial++;
        kept = now.slice(0, now.lastIndexOf("\n") + 1);
      }
      assert(partial >= KILLS / 2, `${partial} kills hit a partial file`);

      const finished = await runStudy(study, { store });
      assertEquals(timeless(finished), timeless(await runStudy(study)));
      const runs = await readRuns(store);
      const keys = runs.map(({ problem, method, repeat }) => `${problem} ${method} ${repeat}`);
      assertEquals([runs.length, new Set(keys).size], [RUNS, RUNS]);
    });
  },
});
