/** A study on a server, where either is killed at any moment. */

import { assert, assertEquals } from "@std/assert";
import { loadModel } from "@moi/moi/model";
import { readRuns, runStudy } from "@moi/moi/study";
import { freePort } from "../_port.ts";
import { seeded } from "../_random.ts";
import { root } from "../_repository.ts";
import { placeless, withStore } from "../study/_letters.ts";
import { servedStudy } from "./_served_study_process.ts";

const PROCESS = new URL("./_served_study_process.ts", import.meta.url).href;
const KILLS = 20, RUNS = 360;

/** A process that is killed where it has not ended by itself. */
interface Running extends AsyncDisposable {
  /** Resolves once it has written a line for which that holds; rejects where it ends before. */
  until(holds: (line: string) => boolean): Promise<void>;
  /** Kills it. */
  kill(): Promise<void>;
  readonly ended: Promise<Deno.CommandStatus>;
}

function start(args: readonly string[], from: "stdout" | "stderr"): Running {
  const child = new Deno.Command(Deno.execPath(), {
    ...{ args: ["run", "-A", "--quiet", ...args], cwd: root, env: { NO_COLOR: "1" } },
    ...{ stdin: "null", stdout: "null", stderr: "inherit", [from]: "piped" },
  }).spawn();
  let text = "", isOver = false, wake = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const chunk of child[from].pipeThrough(new TextDecoderStream())) {
      text += chunk;
      wake.resolve();
      wake = Promise.withResolvers();
    }
    isOver = true;
    wake.resolve();
  })();
  const kill = async () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await Promise.all([reading, child.status]);
  };
  return {
    async until(holds) {
      while (!text.split("\n").slice(0, -1).some(holds)) {
        if (isOver) throw new Error(`ended before: ${text.slice(-400)}`);
        await wake.promise;
      }
    },
    kill,
    ended: child.status,
    [Symbol.asyncDispose]: kill,
  };
}

/** Starts the server and waits until it answers. */
async function served(port: number): Promise<Running> {
  const args = ["scripts/serve.ts", "--model", "votes-tiny", "--port", `${port}`];
  const server = start(args, "stderr");
  await server.until((line) => line.startsWith("serving"));
  return server;
}

Deno.test({
  name:
    "a study and its server killed 20 times lose no run, double none, and end as if they were not",
  ignore: Deno.build.os === "windows",
  async fn() {
    const random = seeded(18), port = freePort(), url = `http://127.0.0.1:${port}`;
    await withStore(async (store) => {
      await using processes = new AsyncDisposableStack();
      const begin = () => processes.use(start([PROCESS, url, store], "stdout"));
      let server = processes.use(await served(port)), client = begin(), kept = "", partial = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const before = kept.split("\n").length - 1,
          wanted = Math.min(RUNS, before + random.below(12));
        await client.until((line) => Number(line) >= wanted);
        await new Promise((resolve) => setTimeout(resolve, 60 * random.next()));
        if (kill % 2 === 0) {
          await server.kill();
          server = processes.use(await served(port));
        } else {
          await client.kill();
          client = begin();
        }
        const now = await Deno.readTextFile(store);
        assertEquals(now.slice(0, kept.length), kept, "whole lines stay as they are");
        kept = now.slice(0, now.lastIndexOf("\n") + 1);
        if (kept.split("\n").length - 1 < RUNS) partial++;
      }
      assert(partial === KILLS, `${partial} kills hit a partial file`);
      assertEquals((await client.ended).code, 0);

      await using votesTiny = await loadModel("votes-tiny");
      const runs = await readRuns(store);
      assertEquals(placeless(runs), placeless(await runStudy(servedStudy(votesTiny))));
      const keys = runs.map(({ problem, method, repeat }) => `${problem} ${method} ${repeat}`);
      assertEquals([runs.length, new Set(keys).size], [RUNS, RUNS]);
    });
  },
});
