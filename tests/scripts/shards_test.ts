/** Shards from the command line: `scripts/cluster.md`, and the variables of clusters. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readRuns, shardOf } from "@moi/moi/study";
import { root } from "../_repository.ts";
import { script } from "../_process.ts";
import { temporaryFolder } from "../_temporary.ts";

const PAGE = await Deno.readTextFile(new URL("scripts/cluster.md", root));

/** The blocks of shell commands of the page. */
const BLOCKS = [...PAGE.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block!);

/** Runs shell commands of the page in a folder of their own, with this very Deno. */
async function bash(commands: string, cwd: string) {
  const deno = `deno() { "$DENO" run -A --quiet --config "$ROOT/deno.json" ` +
    `"$ROOT/scripts/$2.ts" "\${@:3}"; }`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    ...{ args: ["-ec", `${deno}\n${commands}`], cwd, stdin: "null" },
    env: { NO_COLOR: "1", DENO: Deno.execPath(), ROOT: new URL(root).pathname.replace(/\/$/, "") },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out!, stderr: err! };
}

/** A table without its measured times. */
const timeless = (text: string) => text.replace(/took [\d.]+ s/g, "").split("\nreport:")[0]!;

Deno.test({
  name: "the first commands of cluster.md give the tables of a single process",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await temporaryFolder();
    const [first] = BLOCKS;
    const { code, stdout, stderr } = await bash(first!, folder.path);
    assertEquals(code, 0, stderr);
    const options = /sweep (.*) --shard/.exec(first!)![1]!.split(" ");
    const single = await script("sweep", [...options, "--out", `${folder.path}/single`]);
    assertEquals(single.code, 0, single.stderr);
    const table = stdout.slice(stdout.indexOf("\nvotes-tiny on votes"));
    assertEquals(timeless(table), timeless(single.stdout));
    for (const name of ["votes-tiny-votes", "votes-tiny-votes-greedy"]) {
      const lines = async (path: string) =>
        (await Deno.readTextFile(`${folder.path}/${path}/${name}.jsonl`)).trimEnd().split("\n")
          .map((line) => line.replace(/"timing":\{[^}]*\}/, "")).sort();
      assertEquals(await lines("runs"), await lines("single"));
    }
    const page = await Deno.readTextFile(`${folder.path}/report.html`);
    assertStringIncludes(page, "--shard 4/4</code>"); // the commands of all shards
    assertStringIncludes(page, "deno task merge");
    // no shard makes a report of its own
    const names = [...Deno.readDirSync(`${folder.path}/runs`)].map(({ name }) => name);
    assertEquals(names.filter((name) => name.endsWith(".html")), []);
  },
});

Deno.test("the other commands of cluster.md are ones that sweep and merge know", async () => {
  const options = BLOCKS.join("\n").replaceAll("\\\n", " ").match(
    /deno task (sweep|merge) [^"\n]*/g,
  );
  const usage = await Promise.all(["sweep", "merge"].map(async (name) => {
    const { stdout } = await script(name, ["--help"]);
    return [name, stdout] as const;
  }));
  for (const command of options!) {
    const own = usage.find(([name]) => command.startsWith(`deno task ${name} `))![1];
    for (const [option] of command.matchAll(/--[a-z-]+/g)) assertStringIncludes(own, option);
  }
});

const SHARED = [
  "--model",
  "votes-tiny",
  "--problems",
  "6",
  "--methods",
  "moi-1",
  "--colder",
  "none",
];

Deno.test("sweep --shard auto takes the shard from Slurm and from Kubernetes", async () => {
  await using folder = await temporaryFolder();
  const out = ["--out", folder.path];
  const slurm = (id: string) => ({
    ...{ SLURM_ARRAY_TASK_ID: id, SLURM_ARRAY_TASK_COUNT: "3" },
    ...{ SLURM_ARRAY_TASK_MIN: "1", SLURM_ARRAY_TASK_MAX: "3" },
  });
  const started: [string, Record<string, string>][] = [
    ["auto", slurm("1")],
    ["auto/3", { SLURM_ARRAY_TASK_ID: "2", SLURM_ARRAY_TASK_COUNT: "1" }],
    ["auto/3", { JOB_COMPLETION_INDEX: "2" }],
  ];
  for (const [i, [shard, env]] of started.entries()) {
    const { code, stdout, stderr } = await script("sweep", [...SHARED, ...out, "--shard", shard], {
      env,
    });
    assertEquals(code, 0, stderr);
    assertMatch(
      stdout,
      new RegExp(`^shard ${i + 1} of 3 of votes-tiny: \\d+ problems, \\d+ runs: `),
    );
    const runs = await readRuns(`${folder.path}/votes-tiny-votes.shard-${i + 1}-of-3.jsonl`);
    assertEquals(runs.filter(({ problem }) => shardOf(problem, 3) !== i + 1), []);
  }
  const files = [1, 2, 3].map((i) => `${folder.path}/votes-tiny-votes.shard-${i}-of-3.jsonl`);
  const merged = `${folder.path}/merged.jsonl`;
  const some = await script("merge", [...files.slice(1), "--out", merged]);
  assertEquals([some.code, some.stdout], [1, ""]);
  assertMatch(some.stderr, /^error: Cannot merge .* of 12 runs: none of shard 1 of 3; finish them/);
  const partial = await script("merge", [...files.slice(1), "--out", merged, "--partial"]);
  assertEquals(partial.code, 0, partial.stderr);
  assertMatch(partial.stderr, /^partial: \d+ of 12 runs: none of shard 1 of 3\n$/);
  const all = await script("merge", [...files, "--out", merged]);
  assertEquals([all.code, all.stdout], [0, `12 of 12 runs: ${merged}\n`], all.stderr);
  assertMatch(all.stderr, /^\d+ runs were there again\n$/);

  const without = await script("sweep", [...SHARED, ...out, "--shard", "auto/3"]);
  assertEquals([without.code, without.stdout], [1, ""]);
  assertStringIncludes(without.stderr, "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX");
  // they are not read unless it is asked for
  const whole = await script("sweep", [...SHARED, "--out", `${folder.path}/whole`], {
    env: { ...slurm("2"), JOB_COMPLETION_INDEX: "1" },
  });
  assertStringIncludes(whole.stdout, "N = 6 problems");
});

Deno.test("a shard without problems says so, in a sweep and in a dry run", async () => {
  await using folder = await temporaryFolder();
  const args = [...SHARED.slice(0, 3), "1", ...SHARED.slice(4), "--out", folder.path];
  const index = shardOf("votes-test-0000", 1000) === 1 ? 2 : 1;
  const shard = ["--shard", `${index}/1000`];
  const { code, stdout, stderr } = await script("sweep", [...args, ...shard]);
  const file = `${folder.path}/votes-tiny-votes.shard-${index}-of-1000.jsonl`;
  const words = `shard ${index} of 1000 of votes-tiny: 0 problems, 0 runs: ${file}\n`;
  assertEquals([code, stdout], [0, words], stderr);
  assertEquals(await Deno.readTextFile(file), "");
  const dry = await script("sweep", [...args, ...shard, "--dry-run"]);
  assertMatch(
    dry.stdout,
    /^shard \d of 1000 of votes-tiny on votes: 0 of 1 problems .* nothing to do/,
  );
});

Deno.test("sweep --dry-run --shard prints the share of the shard", async () => {
  const args = ["--model", "votes-tiny", "--methods", "moi-1", "--dry-run", "--bandwidth", "10"];
  let sum = 0;
  for (const shard of ["1/3", "2/3", "3/3"]) {
    const { stdout } = await script("sweep", [...args, "--shard", shard]);
    const [, share, runs] = /: (\d+) of 500 problems × 2 methods × 1 repeats = (\d+) runs/.exec(
      stdout,
    )!;
    assertEquals(Number(runs), 2 * Number(share));
    assertStringIncludes(stdout, "smallest gain that the whole study finds");
    sum += Number(share);
  }
  assertEquals(sum, 500);
});
