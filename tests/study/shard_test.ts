/** Which problems are in a shard, and that its runs are those of the whole study. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  parseShard,
  planStudy,
  readRuns,
  runStudy,
  type Shard,
  shardOf,
  type Study,
} from "@moi/moi/study";
import { type Letters, timeless, withStore } from "./_letters.ts";
import { mockStudy } from "./_study_process.ts";

Deno.test("shardOf() is the SHA-256 of the id modulo the count", async () => {
  // Python: 1 + int.from_bytes(hashlib.sha256(id.encode()).digest()[:4], "big") % count
  const known: [string, number, number][] = [
    ["gsm8k/0", 4, 2],
    ["gsm8k/0", 16, 10],
    ["gsm8k/1", 16, 1],
    ["", 1000, 611],
    ["é 漢字 👩‍🔬", 1000, 185],
  ];
  assertEquals(known.map(([id, count]) => shardOf(id, count)), known.map(([, , index]) => index));
  for (const id of ["votes-test-0007", "addition-seed0-3-0001"]) {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(id));
    assertEquals(shardOf(id, 7), 1 + new DataView(digest).getUint32(0) % 7);
  }
});

Deno.test("shardOf() spreads problems as draws at random would", () => {
  const sizes = new Array(16).fill(0);
  for (let i = 0; i < 16_000; i++) sizes[shardOf(`gsm8k/${i}`, 16) - 1]++;
  const chi2 = sizes.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
  assert(chi2 > 5 && chi2 < 31, `χ² of 15 degrees of freedom is ${chi2}`); // 99 % of draws
});

const SLURM = { SLURM_ARRAY_TASK_ID: "3", SLURM_ARRAY_TASK_COUNT: "16" };
const WHOLE = { ...SLURM, SLURM_ARRAY_TASK_MIN: "1", SLURM_ARRAY_TASK_MAX: "16" };
const ALONE = { ...WHOLE, SLURM_ARRAY_TASK_COUNT: "1", SLURM_ARRAY_TASK_MIN: "3" };

Deno.test("parseShard() reads a shard from its name and from the environment", () => {
  const known: [string, Record<string, string>, number, number][] = [
    ["1/1", {}, 1, 1],
    ["16/16", WHOLE, 16, 16], // what is said counts
    ["auto", WHOLE, 3, 16],
    ["auto/16", WHOLE, 3, 16],
    ["auto/16", { ...ALONE, SLURM_ARRAY_TASK_MAX: "3" }, 3, 16], // a task that is run again
    ["auto/16", { JOB_COMPLETION_INDEX: "0" }, 1, 16],
    ["auto/16", { JOB_COMPLETION_INDEX: "15" }, 16, 16],
  ];
  for (const [text, env, index, count] of known) {
    assertEquals(parseShard(text, env), { index, count });
  }
});

Deno.test("parseShard() refuses what names no shard", () => {
  const both = { ...WHOLE, JOB_COMPLETION_INDEX: "2" };
  const bad: [string, Record<string, string>, string][] = [
    ["0/16", {}, "'shard.index' must be an integer at least 1"],
    [
      "17/16",
      {},
      "'shard.index' must be an integer at least 1 and at most 16: current value is 17",
    ],
    ["1/0", {}, "'shard.count' must be an integer at least 1"],
    ["3", {}, "must be of the form 3/16, auto/16 or auto"],
    ["3/", {}, "must be of the form"],
    ["/16", {}, "must be of the form"],
    ["-1/16", {}, "must be of the form"],
    ["1.5/16", {}, "must be of the form"],
    ["3/16/2", {}, "must be of the form"],
    ["3/16\n", {}, "must be of the form"],
    ["auto", {}, "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set"],
    ["auto/16", {}, "neither SLURM_ARRAY_TASK_ID nor"],
    ["auto", { JOB_COMPLETION_INDEX: "0" }, "'auto' must be told how many there are"],
    ["auto", SLURM, "'auto' must be told how many there are"],
    ["auto", { ...ALONE, SLURM_ARRAY_TASK_MAX: "3" }, "'auto' must be told how many"],
    ["auto", { ...WHOLE, SLURM_ARRAY_TASK_MIN: "0", SLURM_ARRAY_TASK_MAX: "15" }, "'auto' must be"],
    [
      "auto/16",
      { ...WHOLE, SLURM_ARRAY_TASK_ID: "0" },
      "'shard.index' must be an integer at least",
    ],
    ["auto/16", { JOB_COMPLETION_INDEX: "16" }, "at most 16: current value is 17"],
    ["auto/16", { JOB_COMPLETION_INDEX: "" }, "JOB_COMPLETION_INDEX must be a whole number"],
    ["auto/16", { SLURM_ARRAY_TASK_ID: "1e1" }, "SLURM_ARRAY_TASK_ID must be a whole number"],
    ["auto/16", both, "both SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX are set"],
  ];
  for (const [text, env, message] of bad) {
    assertThrows(() => parseShard(text, env), Error, message, text);
  }
});

/** A study of letters, or one of its shards. */
const study = (count: number, shard?: Shard, more: Partial<Study<Letters>> = {}) => ({
  ...mockStudy(count),
  ...more,
  ...(shard !== undefined && { shard }),
});

Deno.test("planStudy() of all shards has the runs of the study, each once, as they are there", async () => {
  const whole = (await planStudy(study(12, undefined, { repeats: 2 }))).runs;
  for (const count of [1, 3, 16]) {
    const runs = [];
    for (let index = 1; index <= count; index++) {
      const plan = await planStudy(study(12, { index, count }, { repeats: 2 }));
      assertEquals(plan.whole, whole);
      assertEquals([...plan.problems.keys()], [...new Set(plan.runs.map((run) => run.problem))]);
      assertEquals(plan.runs, whole.filter(({ problem }) => shardOf(problem, count) === index));
      runs.push(...plan.runs);
    }
    assertEquals(runs.length, whole.length);
  }
});

Deno.test("a limit chooses the problems before the shard does", async () => {
  const shard = { index: 2, count: 3 };
  const all = (await planStudy(study(30, shard))).runs.map(({ problem }) => problem);
  const some = (await planStudy(study(30, shard, { limit: 9 }))).runs.map(({ problem }) => problem);
  assertEquals(some, all.filter((id) => Number(id.split("-")[1]) < 9));
});

Deno.test("planStudy() refuses shards that are none", async () => {
  const bad: [unknown, string][] = [
    [{ index: 0, count: 3 }, "'shard.index' must be an integer at least 1"],
    [{ index: 4, count: 3 }, "'shard.index' must be an integer at least 1 and at most 3"],
    [{ index: 1.5, count: 3 }, "'shard.index' must be an integer"],
    [{ index: 1 }, "'shard.count' must be an integer"],
    [{ index: 1, count: 2, size: 3 }, "'size' is not an option"],
    ["1/2", "'shard' must be { index, count }"],
    [null, "'shard' must be"],
  ];
  for (const [shard, message] of bad) {
    await assertRejects(() => planStudy(study(3, shard as Shard)), Error, message);
  }
});

Deno.test("a prompt that does not fit is refused in every shard, as in the whole study", async () => {
  const long = { maxLength: 4 };
  const { model } = mockStudy(4), task = mockStudy(4).task;
  const own = { ...study(4), model: { ...model, ...long }, task };
  for (const index of [1, 2, 3]) {
    await assertRejects(
      () => planStudy({ ...own, shard: { index, count: 3 } }),
      RangeError,
      "prompt",
    );
  }
});

Deno.test("a shard continues its file, and refuses that of another one", async () => {
  const shard = { index: 2, count: 3 };
  await withStore(async (store) => {
    const runs = await runStudy(study(12, shard), { store });
    assertEquals(runs.planned!.runs, runs.length);
    assertEquals(timeless(await readRuns(store)), timeless(runs)); // no trace of the shard
    const text = await Deno.readTextFile(store);
    const records = text.trimEnd().split("\n").map((line) => JSON.parse(line).shard);
    const record = { ...shard, runs: runs.length, of: 48 };
    assertEquals(records, records.map(() => record));

    await runStudy(study(12, shard), { store });
    assertEquals(await Deno.readTextFile(store), text);
    await runStudy(study(24, shard), { store }); // more problems, each in its shard as before
    assert((await Deno.readTextFile(store)).startsWith(text));

    const other = () => runStudy(study(12, { index: 1, count: 3 }), { store });
    await assertRejects(other, Error, "as its runs must be of shard 1 of 3: problem 'letters-");
    const seed = () => runStudy(study(12, shard, { seed: 1 }), { store });
    await assertRejects(seed, Error, "another seed: 0 there, 1 here");
  });
  await withStore(async (store) => {
    await runStudy(study(12), { store });
    const own = () => runStudy(study(12, shard), { store });
    await assertRejects(own, Error, "as its runs must be of shard 2 of 3");
  });
});

Deno.test("a shard without problems has no runs, and refuses other studies all the same", async () => {
  const problems = [0, 1].map((i) => shardOf(`letters-${i}`, 16));
  const index = [1, 2, 3].find((i) => !problems.includes(i))!;
  await withStore(async (store) => {
    const runs = await runStudy(study(2, { index, count: 16 }), { store });
    assertEquals([runs.length, runs.planned!.runs, runs.planned!.problems], [0, 0, 0]);
    assertEquals(await readRuns(store), []); // the file is there

    const more = await runStudy(study(60, { index, count: 16 }), { store });
    assert(more.length > 0);
    assertEquals((await runStudy(study(2, { index, count: 16 }), { store })).length, 0);
    const other = () => runStudy(study(2, { index, count: 16 }, { seed: 1 }), { store });
    await assertRejects(other, Error, "another seed");
  });
});
