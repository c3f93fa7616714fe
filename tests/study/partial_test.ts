/** A study that was stopped says so, in its runs and in what is made of them. */

import { assert, assertEquals } from "@std/assert";
import { moi, standard } from "@moi/moi/decode";
import {
  completePairs,
  partialOf,
  partialText,
  plannedOf,
  readRuns,
  runStudy,
  withPlanned,
} from "@moi/moi/study";
import type { Task } from "@moi/moi/tasks";
import { mockModel } from "../_mock_model.ts";
import { type Letters, letters, withStore } from "./_letters.ts";

const METHODS = { standard: standard(), half: moi({ beta: 0.5 }) };
const PLANNED = { problems: 4, methods: ["standard", "half"], repeats: 2, runs: 16 };

/** Runs a study of 16 runs until so many are there. */
function stoppedAfter(count: number, store?: string) {
  const controller = new AbortController();
  if (count === 0) controller.abort();
  return runStudy({
    ...{ model: mockModel({ maxLength: 32 }), task: letters(), methods: METHODS },
    ...{ repeats: 2, maxNewTokens: 12 },
  }, {
    ...{ slots: 1, signal: controller.signal, ...(store === undefined ? {} : { store }) },
    onProgress: ({ done }) => {
      if (done === count) controller.abort();
    },
  });
}

Deno.test("runStudy() knows how many runs were planned, finished or not", async () => {
  for (const count of [0, 1, 2, 3, 7, 15, 16]) {
    const runs = await stoppedAfter(count);
    assertEquals(runs.length, count);
    assertEquals(plannedOf(runs), PLANNED);
    assertEquals(partialOf(runs), count < 16 ? { finished: count, planned: 16 } : undefined);
  }
});

Deno.test("runStudy() that goes on in a store is partial until all of it is there", async () => {
  await withStore(async (store) => {
    assertEquals(partialText(partialOf(await stoppedAfter(3, store))!), "partial: 3 of 16 runs");
    assertEquals(partialText(partialOf(await stoppedAfter(5, store))!), "partial: 5 of 16 runs");
    assertEquals(partialOf(await readRuns(store)), undefined); // a file does not know
    assertEquals(partialOf(await stoppedAfter(16, store)), undefined);
  });
});

Deno.test("the mark is no part of the data", async () => {
  const runs = await stoppedAfter(3);
  assertEquals(Object.keys(runs), ["0", "1", "2"]);
  assertEquals(JSON.parse(JSON.stringify(runs)).length, 3);
  assertEquals(plannedOf(runs.slice()), undefined);
  assertEquals(plannedOf([...runs]), undefined);
  assertEquals([...runs], runs.filter(() => true));
});

Deno.test("completePairs() counts on the methods and repeats that were planned", async () => {
  for (
    const [count, judged] of [[0, 0], [1, 0], [2, 0], [3, 0], [4, 4], [5, 4], [7, 4], [15, 12]]
  ) {
    const runs = await stoppedAfter(count!), problems = completePairs(runs);
    assertEquals(problems.length, judged, `${count} runs`);
    assertEquals(partialOf(problems), { finished: judged!, planned: 16 });
  }
  const all = await stoppedAfter(16);
  assertEquals([...completePairs(all)], [...all]);
  assertEquals(partialOf(completePairs(all)), undefined);
});

Deno.test("withPlanned() marks whatever is made of runs, and marks it anew", () => {
  const rows = withPlanned([{ method: "standard" }], PLANNED);
  assertEquals(partialOf(rows), { finished: 1, planned: 16 });
  assertEquals(plannedOf(withPlanned(rows, { ...PLANNED, runs: 1 }))!.runs, 1);
});

Deno.test("a task with a measure is followed by its scores, and its runs say what they are", async () => {
  const measure = { name: "vowels", unit: "%", scale: 100, digits: 1, better: "lower" } as const;
  const run = async (better: "lower" | "higher") => {
    const own = letters(), notes: string[] = [];
    const task: Task<Letters> = {
      ...own,
      measure: { ...measure, better },
      grade: (problem, text) => ({
        ...own.grade(problem, text),
        score: text.replaceAll(/[^aeiou]/g, "").length / Math.max(1, text.length),
      }),
    };
    const runs = await runStudy(
      { model: mockModel({ maxLength: 32 }), task, methods: METHODS, maxNewTokens: 12 },
      { onProgress: ({ note }) => notes.push(note ?? "") },
    );
    assert(runs.every((run) => run.measure?.better === better));
    return notes.at(-1)!;
  };
  const low = await run("lower"), high = await run("higher");
  const share = "\\d+\\.\\d %";
  assert(new RegExp(`^vowels: standard ${share}, lowest half ${share}$`).test(low), low);
  assert(new RegExp(`^vowels: standard ${share}, highest half ${share}$`).test(high), high);
});
