/** Files of shards as the file of the whole study. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { pathToFileURL } from "node:url";
import { gains } from "@moi/moi/stats";
import { mergeRuns, readRuns, type Run, runStudy, shardOf, type Study } from "@moi/moi/study";
import { openStore } from "../../lib/study/store.ts";
import { deno } from "../_process.ts";
import { seeded } from "../_random.ts";
import { temporaryFolder } from "../_temporary.ts";
import { type Letters, timeless } from "./_letters.ts";
import { mockStudy, votesStudy } from "./_study_process.ts";

const PROCESS = new URL("./_study_process.ts", import.meta.url).href;
const COUNT = 16, PROBLEMS = 40;

/** The lines of a file in an order of their own, their timings left out. */
async function linesOf(path: string): Promise<string[]> {
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
  return lines.map((line) => line.replace(/"timing":\{[^}]*\}/, "")).sort();
}

/** A shard in a process of its own, killed once its file has so many runs. */
async function killed(store: string, index: number, after: number): Promise<void> {
  const args = ["run", "-A", PROCESS, "votes-tiny", store, "1", `${PROBLEMS}`];
  const runs = () => Deno.readTextFile(store).then((text) => text.split("\n").length - 1, () => 0);
  for (let tries = 0; tries < 20; tries++) {
    const { signal } = await deno([...args, `${index}/${COUNT}`], {
      async meanwhile(child) {
        let hasEnded = false;
        child.status.then(() => hasEnded = true);
        while (!hasEnded && await runs() < after) {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        if (!hasEnded) child.kill("SIGKILL");
      },
    });
    if (signal === "SIGKILL") return;
    await Deno.remove(store); // it was faster, and has written all of it
  }
  throw new Error("the process always ended before it was killed");
}

Deno.test({
  name: "16 shards in any order, one killed and started again, merge to the file of one process",
  ignore: Deno.build.os === "windows",
  async fn() {
    const study = await votesStudy(PROBLEMS);
    await using _ = study.model;
    await using folder = await temporaryFolder();
    const fileOf = (index: number) => `${folder.path}/${index}.jsonl`;
    const single = `${folder.path}/single.jsonl`, out = `${folder.path}/merged.jsonl`;
    const runs = await runStudy(study, { store: single });

    const random = seeded(16), left = Array.from({ length: COUNT }, (_, i) => i + 1);
    const order: number[] = [];
    while (left.length > 0) order.push(...left.splice(random.below(left.length), 1));
    const sizes = Map.groupBy(runs, ({ problem }) => shardOf(problem, COUNT));
    const largest = order.toSorted((a, b) =>
      (sizes.get(b)?.length ?? 0) - (sizes.get(a)?.length ?? 0)
    )[0]!;
    const shard = (index: number) =>
      runStudy({ ...study, shard: { index, count: COUNT } }, { store: fileOf(index) });
    await killed(fileOf(largest), largest, 3);
    const torn = (await Deno.readTextFile(fileOf(largest))).trimEnd();
    await Deno.writeTextFile(fileOf(largest), torn.slice(0, -9)); // as a kill within a write leaves it
    for (const index of order.filter((index) => index !== largest)) await shard(index);

    const files = order.map(fileOf), there = (await readRuns(fileOf(largest))).length;
    assert(there >= 1 && there < sizes.get(largest)!.length, `${there} runs before the kill`);
    const words = `${there} of ${
      sizes.get(largest)!.length
    } of shard ${largest} of ${COUNT}; finish`;
    await assertRejects(() => mergeRuns(files, { out }), Error, words);
    assertEquals(await Deno.stat(out).catch(() => "none"), "none");

    await shard(largest);
    const merged = await mergeRuns(files, { out });
    const { duplicates, planned, missing } = merged;
    assertEquals([duplicates, planned, missing], [0, 4 * PROBLEMS, undefined]);
    assertEquals(await linesOf(out), await linesOf(single));
    assertEquals(timeless(merged.runs), timeless(runs));
    assertEquals(timeless(await readRuns(out)), timeless(await readRuns(single)));
    assertEquals(gains(await readRuns(out)).length, 4);

    const text = await Deno.readTextFile(out); // the study has nothing to add to it
    await runStudy(study, { store: out });
    assertEquals(await Deno.readTextFile(out), text);
    await mergeRuns(files.toReversed(), { out: `${folder.path}/other.jsonl` });
    assertEquals(await Deno.readTextFile(`${folder.path}/other.jsonl`), text);
    const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
    assertEquals(names.filter((name) => name.endsWith(".part")), []);
  },
});

/** A study of letters in so many shards of a folder, and its files. */
async function shards(
  path: string,
  count = 3,
  more: Partial<Study<Letters>> = {},
  problems = 12,
): Promise<string[]> {
  const files = Array.from({ length: count }, (_, i) => `${path}/${i + 1}-of-${count}.jsonl`);
  for (const [i, store] of files.entries()) {
    const shard = { index: i + 1, count };
    await runStudy({ ...mockStudy(problems), ...more, shard }, { store });
  }
  return files;
}

/** Rewrites the lines of a file. */
async function edit(path: string, change: (run: Run) => unknown): Promise<void> {
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
  const edited = lines.map((line) => `${JSON.stringify(change(JSON.parse(line)))}\n`);
  await Deno.writeTextFile(path, edited.join(""));
}

Deno.test("mergeRuns() drops what is there again, and keeps the first", async () => {
  await using folder = await temporaryFolder();
  const files = await shards(folder.path), copy = `${folder.path}/copy.jsonl`;
  await Deno.copyFile(files[0]!, copy);
  const timing = { prefillMs: 1, decodeMs: 2 }, versions = { moi: "another" };
  await edit(copy, (run) => ({ ...run, timing, versions }));
  const once = await mergeRuns(files);
  const own = (await readRuns(copy)).length;
  const twice = await mergeRuns([...files, copy]);
  assertEquals([twice.duplicates, twice.planned, twice.missing], [own, 48, undefined]);
  assertEquals(twice.runs, once.runs);
  const first = await mergeRuns([copy, ...files]);
  assertEquals(first.runs.filter(({ versions }) => versions.moi === "another").length, own);
  // other shards of the same study hold nothing else
  const others = await shards(folder.path, 5);
  const both = await mergeRuns([...others, ...files]);
  assertEquals([both.duplicates, timeless(both.runs)], [48, timeless(once.runs)]);
  assertEquals((await mergeRuns([pathToFileURL(files[0]!), ...files.slice(1)])).runs, once.runs);
});

Deno.test("mergeRuns() refuses another result of the same run, naming both", async () => {
  await using folder = await temporaryFolder();
  const files = await shards(folder.path), copy = `${folder.path}/copy.jsonl`;
  const changes: [Partial<Run>, string][] = [
    [{ text: "else" }, "has another text of problem 'letters-"],
    [{ seed: 7 }, "has another seed of problem"],
    [{ tokens: [1] }, "has another tokens of problem"],
    [{ finishReason: "stop", grade: { correct: true, extracted: "x" } }, "has another"],
    [{ grade: { correct: true, extracted: "x" } }, "has another grade of problem"],
  ];
  for (const [change, message] of changes) {
    await Deno.copyFile(files[0]!, copy);
    await edit(copy, (run) => ({ ...run, ...change }));
    await assertRejects(() => mergeRuns([...files, copy]), Error, `${copy} ${message}`);
  }
});

Deno.test("mergeRuns() refuses runs of another study, saying what differs", async () => {
  await using folder = await temporaryFolder();
  const files = await shards(folder.path), rest = files.slice(1);
  const other: [(run: Run) => unknown, string][] = [
    [(run) => ({ ...run, studySeed: 1 }), "seed: 1 there, 0 before"],
    [(run) => ({ ...run, model: "mock@1" }), 'model: "mock@1" there, '],
    [(run) => ({ ...run, dtype: "int4" }), 'dtype: "int4" there, "fp32" before'],
    [(run) => ({ ...run, device: "webgpu" }), 'device: "webgpu" there, "'],
    [(run) => ({ ...run, task: "digits" }), 'task: "digits" there, "letters" before'],
    [
      (run) => ({ ...run, sampler: { ...run.sampler, temperature: 0.5 } }),
      "(temperature: 0.5 there, 1 before)",
    ],
    [
      (run) => ({ ...run, taskParameters: { grading: "last" } }),
      "option 'grading' of the task: \"last\" there, none before",
    ],
    [
      (run) => ({ ...run, chat: { enable_thinking: false } }),
      "chat variable 'enable_thinking': false there, none before",
    ],
    [(run) => ({ ...run, parameters: { ...run.parameters, beta: 7 } }), "method '"],
  ];
  for (const [change, message] of other) {
    const copy = `${folder.path}/copy.jsonl`;
    await Deno.copyFile(files[0]!, copy);
    await edit(copy, change);
    const merge = () => mergeRuns([...rest, copy]);
    const error = await assertRejects(merge, Error, `Cannot merge runs as those of ${copy} have`);
    assertStringIncludes(error.message, message);
  }
  // problems that are in two files
  const copy = `${folder.path}/copy.jsonl`;
  const problems: [(run: Run) => unknown, string][] = [
    [(run) => ({ ...run, repeat: 1, wording: "0" }), "another prompt for problem 'letters-"],
    [(run) => ({ ...run, repeat: 1, problemFields: { letters: "0" } }), "another 'letters' of pro"],
  ];
  for (const [change, message] of problems) {
    await Deno.copyFile(files[0]!, copy);
    await edit(copy, change);
    await assertRejects(() => mergeRuns([...files, copy]), Error, message);
  }
});

Deno.test("mergeRuns() says which shards are missing, and takes what is there if told to", async () => {
  await using folder = await temporaryFolder();
  const files = await shards(folder.path, 16, {}, 60);
  const sizes = await Promise.all(files.map(async (file) => (await readRuns(file)).length));
  const without = async (...gone: number[]) => {
    const left = files.filter((_, i) => !gone.includes(i + 1));
    const { missing, planned, runs } = await mergeRuns(left, { partial: true });
    assertEquals([planned, runs.length], [240, 240 - gone.reduce((n, i) => n + sizes[i - 1]!, 0)]);
    await assertRejects(() => mergeRuns(left), Error, `as there are ${missing}; finish them`);
    return missing!;
  };
  const full = sizes.flatMap((n, i) => n > 0 ? [i + 1] : []);
  assertEquals(full.length, 16);
  assertEquals(await without(5), `${240 - sizes[4]!} of 240 runs: none of shard 5 of 16`);
  const words = await without(1, 2, 3, 9, 16);
  assertEquals(words.split(": ")[1], "none of shards 1–3, 9, 16 of 16");
  // the last lines of a shard
  const text = await Deno.readTextFile(files[6]!), lines = text.trimEnd().split("\n");
  await Deno.writeTextFile(files[6]!, `${lines.slice(0, 3).join("\n")}\n${lines[3]!.slice(0, 40)}`);
  sizes[6] = 3;
  const some = `3 of ${lines.length} of shard 7 of 16`;
  const { missing } = await mergeRuns(files, { partial: true });
  assertEquals(missing, `${240 - lines.length + 3} of 240 runs: ${some}`);
  const both = (await mergeRuns(files.filter((_, i) => i !== 4), { partial: true })).missing!;
  assertEquals(both.split(": ")[1], `none of shard 5 of 16; ${some}`);
});

Deno.test("mergeRuns() says what is missing however many shards a file tells of", async () => {
  await using folder = await temporaryFolder();
  const [file] = await shards(folder.path, 2) as [string];
  const { length } = await readRuns(file), count = 9_000_000_000_000_000;
  const shard = { index: 1, count, runs: 1, of: length + 9 };
  await edit(file, (run) => Object.assign(run, { shard }));
  const { missing } = await mergeRuns([file], { partial: true });
  assertMatch(missing!, new RegExp(`none of shards 1–\\d+, .*–${count} of ${count}`));
});

Deno.test("an empty shard is not missed, with an empty file or with none", async () => {
  await using folder = await temporaryFolder();
  const files = await shards(folder.path, 16, {}, 5);
  const sizes = await Promise.all(files.map(async (file) => (await readRuns(file)).length));
  assert(sizes.filter((n) => n === 0).length > 8);
  const all = await mergeRuns(files);
  assertEquals([all.runs.length, all.missing], [20, undefined]);
  const full = files.filter((_, i) => sizes[i]! > 0);
  assertEquals((await mergeRuns(full)).missing, undefined);
  // of one that is cut the others are known to be whole
  const lines = (await Deno.readTextFile(full[0]!)).split("\n");
  await Deno.writeTextFile(full[0]!, `${lines[0]}\n`);
  const { missing } = await mergeRuns(files, { partial: true });
  const index = files.indexOf(full[0]!) + 1;
  assertEquals(missing!.split(": ")[1], `1 of ${lines.length - 1} of shard ${index} of 16`);
  const empty = files.filter((_, i) => sizes[i] === 0);
  await assertRejects(() => mergeRuns(empty), Error, "Cannot merge runs as no file holds one");
});

Deno.test("files of other methods, repeats and whole studies are joined, and their grid is looked at", async () => {
  await using folder = await temporaryFolder();
  const path = (name: string) => `${folder.path}/${name}.jsonl`;
  const study = mockStudy(4), { standard: base, ...others } = study.methods;
  await runStudy({ ...study, methods: { standard: base! } }, { store: path("base") });
  await runStudy({ ...study, methods: others }, { store: path("others") });
  const { runs } = await mergeRuns([path("base"), path("others")], { out: path("all") });
  assertEquals(runs.length, 16);
  assertEquals(timeless(runs.toSorted()).length, 16);
  await runStudy(study, { store: path("all") }); // nothing is left to do
  assertEquals((await readRuns(path("all"))).length, 16);

  await runStudy({ ...study, methods: { standard: base! }, repeats: 2 }, { store: path("base") });
  const words = "as there are 20 of 32 runs: not every method has every problem and repeat; finish";
  await assertRejects(() => mergeRuns([path("base"), path("others")]), Error, words);
});

Deno.test("a file that is there is joined, and written whole or not at all", async () => {
  await using folder = await temporaryFolder();
  const [first, ...rest] = await shards(folder.path), out = `${folder.path}/new/all.jsonl`;
  await mergeRuns(rest, { out, partial: true });
  const before = await Deno.readTextFile(out);
  await assertRejects(() => mergeRuns([rest[0]!], { out }), Error, "none of shard 1 of 3");
  const merged = await mergeRuns([first!], { out }); // the others are in it
  assertEquals([merged.runs.length, merged.missing], [48, undefined]);
  assertEquals((await mergeRuns([out], { out })).duplicates, 48);

  await Deno.writeTextFile(out, before);
  const other = `${folder.path}/other.jsonl`;
  await runStudy({ ...mockStudy(12), seed: 1 }, { store: other });
  await assertRejects(() => mergeRuns([other], { out, partial: true }), Error, "another seed");
  {
    using _store = await openStore(out); // a study is running
    await assertRejects(
      () => mergeRuns([first!, ...rest], { out }),
      Error,
      "another process writes",
    );
  }
  assertEquals(await Deno.readTextFile(out), before);
  const names = [...Deno.readDirSync(`${folder.path}/new`)].map(({ name }) => name);
  assertEquals(names.sort(), ["all.jsonl", "all.problems.ndjson"]);

  await Deno.writeTextFile(`${out}.part`, "what a process left that died");
  await mergeRuns([first!, ...rest], { out });
  assertEquals((await readRuns(out)).length, 48);
  await assertRejects(() => mergeRuns([first!], { out: folder.path }), TypeError, "a regular file");
});

Deno.test("models in other folders have one name in the merged file", async () => {
  await using folder = await temporaryFolder();
  const [first, second, third] = await shards(folder.path);
  await edit(second!, (run) => ({ ...run, model: `other-name@${run.model.split("@")[1]}` }));
  const { runs } = await mergeRuns([first!, second!, third!]);
  assertEquals(new Set(runs.map(({ model }) => model)).size, 1);
  assertEquals(gains(runs).length, 4);
});

Deno.test("mergeRuns() refuses what it cannot merge", async () => {
  await using folder = await temporaryFolder({ "a.jsonl": '{"id":1}\n' });
  const files = await shards(folder.path);
  await assertRejects(() => mergeRuns([]), TypeError, "'files' must name one file at least");
  await assertRejects(() => mergeRuns("x" as never), TypeError, "'files' must name");
  await assertRejects(() => mergeRuns(files, { partial: 1 as never }), TypeError, "'partial'");
  await assertRejects(() => mergeRuns(files, { to: 1 } as never), TypeError, "'to' is not an opt");
  await assertRejects(() => mergeRuns([`${folder.path}/a.jsonl`]), SyntaxError, "line 1 of");
  await assertRejects(() => mergeRuns([`${folder.path}/none`]), Deno.errors.NotFound);
  // records that are none tell nothing
  await edit(files[0]!, (run) => ({ ...run, shard: { index: 9, count: 3, runs: 1e9, of: -1 } }));
  assertEquals((await mergeRuns(files)).runs.length, 48);
});
