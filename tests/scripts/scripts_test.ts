import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

async function script(name: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", `scripts/${name}.ts`, ...args],
    cwd: root,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function temporary(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

for (const name of ["sweep", "generate", "report", "notebooks", "bench/main"]) {
  Deno.test(`${name} --help prints its usage on stdout`, async () => {
    const { code, stdout, stderr } = await script(name, "--help");
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /usage: deno task/);
  });

  Deno.test(`${name} refuses an unknown option in one line`, async () => {
    const { code, stdout, stderr } = await script(name, "--no-such-option", "1");
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^error: [^\n]*--no-such-option[^\n]*\n$/);
  });
}

const BAD: [name: string, args: string[], message: string][] = [
  ["sweep", ["--betas", "-1"], "'beta' must be a number at least 0: current value is -1"],
  ["sweep", ["--betas", "x"], '--betas as it must be a number: current value is "x"'],
  ["sweep", ["--methods", "magic"], 'current value is "magic"'],
  ["sweep", ["--methods", "all,magic"], "selar, multiplex, thinkRouter, all: current value is"],
  ["sweep", ["--methods", "toString"], 'current value is "toString"'],
  ["sweep", ["--preset", "papers"], "'preset' must be 'paper' or 'mixinputs-0.1.1'"],
  ["sweep", ["--model", "votes-tiny", "--temperature", "-1"], "'temperature'"],
  [
    "sweep",
    ["--model", "votes-tiny", "--task", "chess"],
    "'--task' must be one of votes, countdown",
  ],
  ["sweep", ["--model", "no/such/model"], "'--task' must be given"],
  ["sweep", ["--model", "no/such/model", "--task", "votes"], "'id' must be"],
  ["sweep", ["--problems", "0"], "'limit'"],
  ["sweep", ["--repeats"], "--repeats as it needs a value"],
  ["sweep", ["words"], '"words" is no option'],
  ["generate", [], "one prompt must be given"],
  [
    "generate",
    ["--", "x", "--beta", "NaN"],
    '--beta as it must be a number: current value is "NaN"',
  ],
  ["generate", ["--", "x", "--method", "linear", "--beta", "1"], "linear takes no --beta"],
  ["generate", ["--", "x", "--method", "magic"], 'current value is "magic"'],
  ["generate", ["--", "1 ".repeat(600)], "the model's context"],
  ["report", [], "no file is named"],
  ["report", ["no-such-file.jsonl"], "no-such-file.jsonl"],
];

for (const [name, args, message] of BAD) {
  const shown = args.join(" ").slice(0, 60);
  Deno.test(`${name} ${shown} fails with one clear line and leaves no report`, async () => {
    await temporary(async (dir) => {
      const out = name === "sweep" ? ["--out", `${dir}/out`] : [];
      const { code, stdout, stderr } = await script(name, ...args, ...out);
      assertEquals([code, stdout], [1, ""], stderr);
      const lines = stderr.trimEnd().split("\n");
      assertStringIncludes(lines.at(-1)!, message);
      assertEquals(lines.filter((line) => line.startsWith("error: ")).length, 1, stderr);
      const report = await Deno.stat(`${dir}/out/report.html`).catch(() => undefined);
      assertEquals(report, undefined);
    });
  });
}

Deno.test("sweep writes runs, a table and a page, and does nothing twice", async () => {
  await temporary(async (dir) => {
    const args = ["--model", "votes-tiny", "--problems", "8", "--methods", "moi-1", "--out", dir];
    const first = await script("sweep", ...args);
    assertEquals(first.code, 0, first.stderr);
    assertMatch(
      first.stdout,
      /votes-tiny on votes\nmethod .*\nstandard .*\nmoi-1 .*\nN = 8 problems/,
    );
    const runs = await Deno.readTextFile(`${dir}/votes-tiny-votes.jsonl`);
    assertEquals(runs.trimEnd().split("\n").length, 16);
    assertStringIncludes(await Deno.readTextFile(`${dir}/report.html`), "votes-tiny on votes");
    const second = await script("sweep", ...args);
    assertEquals(second.stdout, first.stdout);
    assertEquals(await Deno.readTextFile(`${dir}/votes-tiny-votes.jsonl`), runs);

    const other = await script("sweep", ...args, "--seed", "1");
    assertEquals(other.code, 1);
    assertStringIncludes(other.stderr, "name another file");

    const report = await script(
      "report",
      `${dir}/votes-tiny-votes.jsonl`,
      `${dir}/votes-tiny-votes-greedy.jsonl`,
      ...["--out", `${dir}/again.html`, "--svg", `${dir}/picture.svg`],
    );
    assertEquals(report.code, 0, report.stderr);
    assertEquals(report.stdout.split("\nreport:")[0], first.stdout.split("\nreport:")[0]);
    assertStringIncludes(await Deno.readTextFile(`${dir}/again.html`), "Greedy decoding");
    assertStringIncludes(await Deno.readTextFile(`${dir}/picture.svg`), "N = 8 problems");
  });
});

Deno.test("sweep --methods names any method, or all", async () => {
  await temporary(async (dir) => {
    const rows = async (methods: string, out: string) => {
      const args = ["--model", "votes-tiny", "--problems", "2", "--betas", "0.5,2"];
      const options = ["--methods", methods, "--out", `${dir}/${out}`];
      const { code, stdout, stderr } = await script("sweep", ...args, ...options);
      assertEquals(code, 0, stderr);
      const lines = stdout.split("\n"),
        first = lines.findIndex((line) => /^method /.test(line)) + 1;
      return lines.slice(first, lines.findIndex((line) => /^N = /.test(line)))
        .map((line) => line.split(" ")[0]);
    };
    assertEquals(await rows("selar,moi, linearMixture", "some"), [
      ...["standard", "moi-0.5", "moi-2", "linearMixture", "selar"],
    ]);
    const grid = ["standard", "moi-0.5", "moi-2", "direct", "linear-0.25", "linear-0.5"];
    assertEquals(await rows("all", "all"), [
      ...[...grid, "linear-0.75", "random-0.5", "random-1"],
      ...["moi", "fixedMass", "softThinking", "gumbelSoftThinking", "dirichletSoftThinking"],
      ...["swiReasoning", "selar", "multiplex", "thinkRouter"],
    ]);
    const runs = await Deno.readTextFile(`${dir}/all/votes-tiny-votes.jsonl`);
    const soft = runs.split("\n").find((line) => line.includes('"softThinking"'))!;
    assertEquals(JSON.parse(soft).parameters.phase, "thinking"); // this model has markers
  });
});

Deno.test("sweep stops at Ctrl-C with exit code 130 and finishes at the next call", async () => {
  await temporary(async (dir) => {
    const args = ["--model", "countdown-tiny", "--problems", "60", "--methods", "moi,direct"];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "scripts/sweep.ts", ...args, "--out", dir],
      cwd: root,
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const file = `${dir}/countdown-tiny-countdown.jsonl`;
    const size = () => Deno.stat(file).then(({ size }) => size, () => 0);
    while (await size() < 20_000) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    assertEquals(code, 130);
    assertMatch(new TextDecoder().decode(stderr), /stopped with \d+ of 480 runs/);
    const stopped = (await Deno.readTextFile(file)).trimEnd().split("\n");
    assert(stopped.length < 480);
    const finished = await script("sweep", ...args, "--out", dir);
    assertEquals(finished.code, 0, finished.stderr);
    const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
    assertEquals(lines.length, 480);
    assertEquals(lines.slice(0, stopped.length), stopped);
  });
});

Deno.test("generate prints the text, and with --trace a line per token", async () => {
  const args = ["--", "Using the numbers [12, 11, 8], create an equation that equals 36."];
  const plain = await script("generate", ...args, "--beta", "1", "--seed", "2");
  assertEquals(plain.code, 0, plain.stderr);
  assertMatch(plain.stdout, /\d+ [-+*/] \d+ = \d+/);
  const traced = await script("generate", ...args, "--beta", "1", "--seed", "2", "--trace");
  assert(traced.stdout.startsWith(plain.stdout.trimEnd()));
  assertMatch(traced.stdout, /mean H 0\.\d+, mean off-sample mass 0\.\d+, \d+ tokens, moi\n$/);
});
