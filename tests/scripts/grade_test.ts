/** `deno task grade` of texts that other programs generated. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { script } from "../_process.ts";
import { temporaryFolder } from "../_temporary.ts";

const jsonl = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

const DATA = jsonl([1, 2, 3, 4].map((n) => ({ question: `What is ${n}?`, answer: `#### ${n}` })));

/** Plain lines of texts that end with a number; none where it is null. */
const plain = (answers: readonly (number | null)[]) =>
  jsonl(answers.map((n, i) => ({ id: `gsm8k/${i}`, text: n === null ? null : `It is ${n}.` })));

const BATCH = jsonl([1, 2, 3, 9].map((n, i) => ({
  ...{ custom_id: `gsm8k/${i}`, error: null },
  response: {
    ...{ status_code: 200, request_id: "r" },
    body: { model: "m", choices: [{ index: 0, message: { content: `\\boxed{${n}}` } }] },
  },
})));

Deno.test("grade compares plain lines and batches in pairs, on the problems that all have", async () => {
  await using folder = await temporaryFolder({
    ...{ "data.jsonl": DATA, "a.jsonl": plain([1, 7, 7, null]), "batch.jsonl": BATCH },
    ...{ "b/a.jsonl": plain([1, 2, 7, 4]), "numbered.jsonl": jsonl([{ id: 0, text: "It is 1." }]) },
    "other.jsonl": plain([null, null, null, 4]),
  });
  const grade = (...names: string[]) =>
    script("grade", [
      ...names.map((name) => `${folder.path}/${name}`),
      ...["--task", "gsm8k", "--source", `${folder.path}/data.jsonl`, "--prompt", "plain"],
    ]);
  const two = await grade("a.jsonl", "batch.jsonl");
  assertEquals(two.code, 0, two.stderr);
  assertMatch(two.stdout, /plain results on unknown, unknown: N = 3 texts\nas stored +0 of 0 /);
  assertMatch(
    two.stdout,
    /last answer +1 of 3 \(33\.3 %\)\nchanged +3 of 3 verdicts: ungradable → /,
  );
  assertMatch(two.stdout, /openai-batch results on unknown, m: N = 4 texts/);
  assertMatch(
    two.stdout,
    /\na +33\.3 .*\nbatch +100\.0 .* 2\/0 .*\n\n(?:.*\n){3}N = 3 problems × 1 repeat/,
  );
  assertStringIncludes(two.stderr, "a.jsonl: 1 errored, left out");
  assertStringIncludes(two.stderr, "1 of 7 texts are left out, as not every file has their pair");

  const alike = await grade("a.jsonl", "b/a.jsonl"); // of one name in two folders
  assertMatch(
    alike.stdout,
    /\n[^\s/]+\/a +33\.3 .*\nb\/a +66\.7 .* 0\.50\n[^]*\nb\/a +1\/0 /,
  );
  const three = await grade("batch.jsonl", "a.jsonl", "b/a.jsonl");
  assertMatch(
    three.stdout,
    /\n[^\s/]+\/batch +100\.0 .*\n[^\s/]+\/a +33\.3 .*\nb\/a +66\.7/,
  );
  const none = await grade("a.jsonl", "other.jsonl");
  assertEquals(none.code, 0, none.stderr);
  assertStringIncludes(none.stderr, "4 of 4 texts are left out");

  const numbered = await grade("numbered.jsonl");
  assertEquals(numbered.code, 1);
  assertStringIncludes(
    numbered.stderr,
    "the problems must hold '0': they are 'gsm8k/0', 'gsm8k/1'",
  );
  const without = await script("grade", [`${folder.path}/a.jsonl`]);
  assertStringIncludes(without.stderr, "'--task' must be one of");
});

Deno.test("grade compares texts of another program with runs of a sweep", async () => {
  await using folder = await temporaryFolder();
  const args = [
    "--model",
    "votes-tiny",
    "--problems",
    "4",
    "--methods",
    "moi-1",
    "--colder",
    "none",
  ];
  const sweep = await script("sweep", [...args, "--out", folder.path]);
  assertEquals(sweep.code, 0, sweep.stderr);
  const runs = `${folder.path}/votes-tiny-votes.jsonl`, theirs = `${folder.path}/theirs.jsonl`;
  const stored = (await Deno.readTextFile(runs)).trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  const own = stored.filter(({ method }) => method === "moi-1")
    .map(({ problem, text }) => ({ id: problem, text }));
  await Deno.writeTextFile(theirs, jsonl(own));
  const { code, stdout, stderr } = await script("grade", [runs, theirs, "--task", "votes"]);
  assertEquals(code, 0, stderr);
  const row = (name: string) => new RegExp(`\\n${name} +([\\d.]+ \\[.*?\\]) +(\\S+ \\[.*?\\])`);
  const [, ...moi] = row("moi-1").exec(stdout)!, [, ...their] = row("theirs").exec(stdout)!;
  assertEquals(their, moi); // the same texts
  assertMatch(stdout, /\nstandard +\d/);
});
