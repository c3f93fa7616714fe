/** What a study asked stands beside its runs, goes where they go, and is read with care. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { moi, notesOf, standard } from "@moi/moi/decode";
import {
  type AskedProblem,
  askedProblem,
  mergeRuns,
  readProblems,
  readRuns,
  type Run,
  runStudy,
  type Study,
} from "@moi/moi/study";
import { mockModel } from "../_mock_model.ts";
import { temporaryFolder } from "../_temporary.ts";
import { type Letters, letters, timeless, withStore } from "./_letters.ts";

const methods = { standard: standard(), moi: moi({ beta: 0.25 }) };
const study = (count: number): Study<Letters> => ({
  ...{ model: mockModel(), task: letters({ count }), methods, maxNewTokens: 12 },
});

/** The problems of the task of so many letters. */
async function asked(count: number): Promise<Map<string, AskedProblem>> {
  const { prompt, problems } = letters({ count });
  return new Map((await problems()).map((one) => [one.id, askedProblem(one, prompt(one))]));
}

/** A path beside a store. */
const beside = (store: string) => store.replace(/\.jsonl$/, ".problems.ndjson");

Deno.test("runStudy() keeps what it asked beside the runs, once a problem", async () => {
  await withStore(async (store) => {
    await runStudy(study(3), { store });
    const before = await Deno.readTextFile(beside(store));
    assertEquals(
      before.split("\n")[0],
      '{"problem":"letters-0","prompt":"a","fields":{"letters":"a"}}',
    );
    assertEquals(await readProblems(store), await asked(3));
    assertEquals((await readRuns(store)).length, 6); // a line a run, as ever

    const { mtime } = await Deno.stat(beside(store));
    await runStudy(study(3), { store });
    assertEquals((await Deno.stat(beside(store))).mtime, mtime);
    await runStudy(study(5), { store }); // more problems
    assertEquals(await readProblems(new URL(`file://${store}`)), await asked(5));
    await runStudy({ ...study(5), limit: 2 }, { store }); // fewer: none is lost
    assertEquals(await readProblems(store), await asked(5));

    await Deno.remove(beside(store)); // as in a file of an earlier release
    assertEquals((await readProblems(store)).size, 0);
    await runStudy(study(5), { store });
    assertEquals(await readProblems(store), await asked(5));
  });
});

Deno.test("a study that is refused keeps nothing, nor one without a store", async () => {
  await withStore(async (store) => {
    await runStudy(study(2), { store });
    const before = await Deno.readTextFile(beside(store));
    await assertRejects(() => runStudy({ ...study(4), seed: 1 }, { store }), Error, "another seed");
    assertEquals(await Deno.readTextFile(beside(store)), before);
    await runStudy(study(2)); // without a store there is no file
    assertEquals(await readProblems(`${store}.other`), new Map());
  });
});

Deno.test("shards keep their own problems, and a merge all of them", async () => {
  await using folder = await temporaryFolder();
  const files = [1, 2, 3].map((index) => `${folder.path}/part-${index}.jsonl`);
  for (const [i, store] of files.entries()) {
    await runStudy({ ...study(9), shard: { index: i + 1, count: 3 } }, { store });
  }
  const parts = await Promise.all(files.map(readProblems)), all = await asked(9);
  assert(parts.every(({ size }) => size < 9));
  const out = `${folder.path}/all.jsonl`;
  await mergeRuns(files.slice(0, 2), { out, partial: true });
  assertEquals((await readProblems(out)).size, parts[0]!.size + parts[1]!.size);
  await mergeRuns(files.slice(2), { out });
  const merged = await readProblems(out);
  assertEquals(new Map([...merged].sort()), new Map([...all].sort()));
});

Deno.test("askedProblem() keeps what JSON can hold, and the beginning of what is long", () => {
  const long = "x".repeat(5000), many = Array.from({ length: 3000 }, (_, i) => i);
  const { fields, cut, prompt } = askedProblem({
    ...{ id: "a", answer: "1", big: 2n ** 70n, half: "\ud800", nothing: null, unknown: undefined },
    ...{ numbers: Float32Array.of(1, 2), endless: Infinity, map: new Map([["a", 1]]) },
    ...{ long, many, ["__proto__"]: "own" },
  });
  assertEquals(prompt, undefined);
  assertEquals(Object.entries(fields).filter(([name]) => name !== "long" && name !== "many"), [
    ...[["answer", "1"], ["big", `${2n ** 70n}n`], ["half", "\ud800"], ["nothing", null]],
    ...[["numbers", [1, 2]], ["endless", "Infinity"], ["map", [["a", 1]]], ["__proto__", "own"]],
  ] as [string, unknown][]);
  assertEquals(cut, { long: 5000, many: JSON.stringify(many).length });
  assertEquals([fields.long, fields.many], [
    long.slice(0, 4000),
    JSON.stringify(many).slice(0, 4000),
  ]);
  const itself: Record<string, unknown> = {};
  itself.own = itself;
  assertThrows(() => askedProblem({ id: "a", itself }), TypeError, "refers to itself");
});

Deno.test("any text comes back as it was", async () => {
  const texts = ["</script>", "\u2028\u2029\0", "\ud800 half", "漢字 👩‍🔬", "\u202e", "a\r\nb"];
  const task = letters({
    count: texts.length,
    problems: () => texts.map((letters, i) => ({ id: `p${i}${letters}`, letters })),
    prompt: ({ letters }) => [
      { role: `user${letters}`, content: "abc" },
      { role: "assistant", content: "de" },
    ],
  });
  await withStore(async (store) => {
    await runStudy({ model: mockModel(), task, methods, maxNewTokens: 2 }, { store });
    const problems = await readProblems(store);
    for (const [i, letters] of texts.entries()) {
      const { fields, prompt } = problems.get(`p${i}${letters}`)!;
      assertEquals([fields, prompt], [{ letters }, task.prompt({ id: "", letters })]);
    }
  });
});

Deno.test("readProblems() refuses what is no problem, naming the line", async () => {
  await withStore(async (store) => {
    const good = '{"problem":"a","fields":{},"prompt":"b","more":1}';
    await Deno.writeTextFile(
      beside(store),
      `\ufeff${good}\r\n\r\n{"problem":"b","fields":{"n":1}}`,
    );
    assertEquals([...(await readProblems(store)).keys()], ["a", "b"]);
    const wrong = [
      ...["", "7", "[]", "{", '{"problem":"a"}', '{"problem":7,"fields":{}}'],
      ...['{"problem":"a","fields":[]}', '{"problem":"a","fields":{},"prompt":7}'],
      ...['{"problem":"a","fields":{},"prompt":[{"role":"user"}]}'],
      ...['{"problem":"a","fields":{},"prompt":[["user","x"]]}'],
      ...['{"problem":"a","fields":{},"cut":{"n":"x"}}', '{"problem":"a","fields":{},"cut":null}'],
    ].slice(1);
    for (const line of wrong) {
      await Deno.writeTextFile(beside(store), `${good}\n${line}\n`);
      await assertRejects(() => readProblems(store), SyntaxError, "line 2 of ");
    }
    await Deno.writeFile(beside(store), Uint8Array.of(123, 0xff, 125, 10));
    await assertRejects(() => readProblems(store), SyntaxError, "line 1 of ");
    await assertRejects(() => runStudy(study(2), { store }), SyntaxError, "writes it again");
    await Deno.remove(beside(store));
    await runStudy(study(2), { store });
    assertEquals(await readProblems(store), await asked(2));
  });
});

Deno.test("traces change nothing else, and a study goes on with or without them", async () => {
  const plain = await runStudy(study(4));
  const bare = (runs: readonly Run[]) => timeless(runs.map(({ trace: _, ...run }) => run));
  await withStore(async (store) => {
    await runStudy(study(2), { store, traces: true });
    const runs = await runStudy(study(4), { store });
    assertEquals(bare(runs), bare(plain));
    const stored = await readRuns(store);
    assertEquals(stored.map(({ trace }) => trace !== undefined), [
      ...Array.from({ length: 4 }, () => true),
      ...Array.from({ length: 4 }, () => false),
    ]);
    for (const { trace, tokens, text } of stored.slice(0, 4)) {
      const notes = notesOf(trace)!;
      assertEquals(notes.length, tokens.length);
      assertEquals(notes.reduce((sum, { length }) => sum + length, 0), text.length);
    }
    const out = `${store}.merged.jsonl`;
    assertEquals((await mergeRuns([store], { out })).runs, stored); // traces go with the runs
  });
  assertEquals("trace" in plain[0]!, false);
});

Deno.test("traces of a model that decodes elsewhere are refused by name", async () => {
  const remote = { concurrency: 1, check: () => {}, complete: () => Promise.reject() };
  const model = { ...mockModel(), device: "a server", remote };
  await assertRejects(
    () => runStudy({ ...study(1), model }, { traces: true }),
    TypeError,
    "Cannot run the study as 'traces' must be left out, as a server does not tell",
  );
});
