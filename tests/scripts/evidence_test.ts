/** `deno task evidence`: plans that can run, and a study of a few tokens. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { methodsOf, planOf, planPath, type WrittenMethod } from "../../scripts/evidence/_plan.ts";
import { oneShotSums, sumProblems } from "../../scripts/evidence/_sums.ts";
import type { LossSettings } from "../../scripts/evidence/losses.ts";
import type { SuperpositionSettings } from "../../scripts/evidence/superposition.ts";
import { script } from "../_process.ts";
import { temporaryFolder } from "../_temporary.ts";

Deno.test("every plan says what decides it, and every study its result", async () => {
  const folder = new URL("../../scripts/evidence/plans/", import.meta.url);
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  assert(names.length > 0);
  for (const file of names) {
    const plan = await planOf<Record<string, unknown>>(planPath(file.replace(/\.json$/, "")));
    const { name, question, model, primary, secondary, exclusions, analysis, power, tried } =
      plan as unknown as Record<string, string>;
    assertEquals(`${name}.json`, file);
    for (const text of [question, model, primary, secondary, exclusions, analysis, power, tried]) {
      assertEquals(typeof text, "string", file);
    }
    for (const value of Object.values(plan.settings)) {
      const [first] = Object.values((value ?? {}) as Record<string, WrittenMethod>);
      if (typeof first?.name === "string") methodsOf(value as Record<string, WrittenMethod>);
    }
    const found = await Deno.readTextFile(new URL(`../${name}.md`, folder));
    assertMatch(found, /plan\b.*`[0-9a-f]{7,}`/i, `${name}.md names the plan's commit`);
  }
});

Deno.test("a study runs as its plan says, and is computed once", async () => {
  await using folder = await temporaryFolder();
  const plan = await planOf<LossSettings>(planPath("losses"));
  const small = {
    speeches: 2,
    chapters: 2,
    characters: 400,
    context: 4,
    tokens: 12,
    leastAnswer: 1,
  };
  const settings = { ...plan.settings, ...small, rivalDocuments: 2, closedDocuments: 2 };
  const file = `${folder.path}/plan.json`;
  await Deno.writeTextFile(file, JSON.stringify({ ...plan, settings }));
  const env = { MOI_RUNS: folder.path };
  const run = () =>
    script("evidence", ["losses", "--model", "countdown-tiny", "--plan", file], { env });
  const first = await run();
  assertEquals(first.code, 0, first.stderr);
  assertMatch(first.stdout, /β → ∞ +0\.000 \[0\.000, 0\.000\] +1\.0/);
  assertStringIncludes(first.stdout, "MoI 1 was declared beforehand");
  for (const title of ["By entropy", "own continuation, sampled", "Closed loop", "Rivals"]) {
    assertStringIncludes(first.stdout, title);
  }
  assert((await Deno.stat(`${folder.path}/evidence/losses.svg`)).size > 1000);
  const again = await run();
  const tables = (text: string) => text.replace(/wall time .*/, "");
  assertEquals(tables(again.stdout), tables(first.stdout));
});

Deno.test("the study of superposition runs on the embedded models", async () => {
  await using folder = await temporaryFolder();
  const plan = await planOf<SuperpositionSettings>(planPath("superposition"));
  const parts = Object.fromEntries(
    Object.entries(plan.settings.parts).filter(([, { model }]) => model !== "real")
      .map(([key, part]) => [key, { ...part, documents: 3 }]),
  );
  const file = `${folder.path}/plan.json`;
  await Deno.writeTextFile(
    file,
    JSON.stringify({ ...plan, settings: { ...plan.settings, parts } }),
  );
  const args = ["superposition", "--model", "countdown-tiny", "--plan", file];
  const run = () => script("evidence", args, { env: { MOI_RUNS: folder.path } });
  const first = await run();
  assertEquals(first.code, 0, first.stderr);
  for (const key of Object.keys(parts)) assertStringIncludes(first.stdout, `## ${key}: MoI ¼ of 4`);
  // before the first layer the stream is the mixture
  assertMatch(first.stdout, / 1\.000 \[1\.000, 1\.000\]/);
  const again = await run(), tables = (text: string) => text.replace(/wall time .*/, "");
  assertEquals(tables(again.stdout), tables(first.stdout));
});

Deno.test("evidence says what it lacks", async () => {
  const unknown = await script("evidence", ["gains"]);
  assertEquals(unknown.code, 1);
  assertStringIncludes(unknown.stderr, 'a study named "gains"');
  const none = await script("evidence", ["losses"], { env: { MOI_REAL_MODEL: "" } });
  assertStringIncludes(none.stderr, "--model names none, and MOI_REAL_MODEL names no folder");
  const pilot = await script("evidence", ["pilot", "--model", "votes-tiny"]);
  assertStringIncludes(pilot.stderr, "--source must name a file");
});

Deno.test("sums are posed in prompts that come once, after another sum", async () => {
  const settings = { problems: 300, problemSeed: 1, most: 10 }, task = oneShotSums(settings);
  const problems = await task.problems();
  assertEquals(problems.slice(0, 9), sumProblems({ ...settings, problems: 9 }));
  const prompts = problems.map((problem) => JSON.stringify(task.prompt(problem)));
  assertEquals(new Set(prompts).size, 300);
  for (const problem of problems) {
    const { left, right, shown } = problem, sum = left + right;
    assert([left, right].every((value) => value >= 1 && value <= 10));
    assert(sum !== shown.left + shown.right);
    assertEquals(task.grade(problem, `That makes ${sum}.`).correct, true);
    assertEquals(task.grade(problem, `That makes ${sum + 1}.`).correct, false);
  }
});

Deno.test("studies of generated texts run as their plans say, and go on where they stopped", async () => {
  await using folder = await temporaryFolder();
  const env = { MOI_RUNS: folder.path };
  const run = async (name: string, small: object) => {
    const plan = await planOf<object>(planPath(name)), file = `${folder.path}/${name}.json`;
    await Deno.writeTextFile(
      file,
      JSON.stringify({ ...plan, settings: { ...plan.settings, ...small } }),
    );
    const found = await script("evidence", [name, "--model", "countdown-tiny", "--plan", file], {
      env,
    });
    assertEquals(found.code, 0, found.stderr);
    return found.stdout;
  };
  const sums = await run("sums", { problems: 6, maxNewTokens: 3 });
  assertStringIncludes(sums, "moi-1 was declared as the primary comparison");
  assertStringIncludes(sums, "pairs of summands as problems");
  const colder = await run("temperature", { problems: 4, maxNewTokens: 3 });
  assertMatch(colder, /moi-0\.25 T 1 +standard T 1/);
  assertStringIncludes(colder, "Chosen on one half, judged on the other");
  const lines = await Deno.readTextFile(`${folder.path}/evidence/sums-t0.6.jsonl`);
  assertEquals(lines.trim().split("\n").length, 24); // the colder study took its part from there
  const words = { topics: ["a kite"], maxNewTokens: 6, surprisedPrompts: 4 };
  const repeated = await run("repetition", words);
  assertStringIncludes(repeated, "NLL, nats a token");
  assertMatch(repeated, /N = 10 problems[^]*N = 4 problems/);
});
