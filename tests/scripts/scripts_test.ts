import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { pathToFileURL } from "node:url";
import { notesOf, standard } from "@moi/moi/decode";
import { loadModel } from "@moi/moi/model";
import { readProblems, runStudy } from "@moi/moi/study";
import { gsm8k } from "@moi/moi/tasks";
import { SMALL, writeCheckpoint } from "../../scripts/bench/checkpoint.ts";
import { makeModel } from "../../scripts/bench/weights.ts";
import { temporaryFolder } from "../_temporary.ts";
import { script as commandLine } from "../_process.ts";

const script = (name: string, ...args: string[]) => commandLine(name, args);

async function temporary(run: (dir: string) => Promise<void>): Promise<void> {
  await using folder = await temporaryFolder();
  await run(folder.path);
}

for (
  const name of ["sweep", "generate", "serve", "play", "report", "merge", "notebooks", "bench/main"]
) {
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
  [
    "sweep",
    ["--model", "votes-tiny", "--chat-template-kwargs", "{x"],
    "--chat-template-kwargs as it must be a JSON object",
  ],
  [
    "sweep",
    ["--model", "votes-tiny", "--chat-template-kwargs", "5"],
    "--chat-template-kwargs as it must be a JSON object",
  ],
  ["sweep", ["--repeats"], "--repeats as it needs a value"],
  ["sweep", ["words"], 'Cannot use "words" as it is no option'],
  ["sweep", ["--colder", "-1"], "'temperature' must be a number at least 0: current value is -1"],
  ["sweep", ["--bandwidth", "9"], "--bandwidth without --dry-run"],
  ["sweep", ["--dry-run", "--bandwidth", "0"], "'--bandwidth' must be a number greater than 0"],
  ["sweep", ["--dry-run", "--top-p", "2"], "'topP'"],
  [
    "sweep",
    ["--dry-run", "--model", "votes-tny", "--task", "votes"],
    '(did you mean "votes-tiny"?)',
  ],
  ["sweep", ["--task", "gsm8", "--model", "votes-tiny"], '(did you mean "gsm8k"?)'],
  ["sweep", ["--methods", "mio"], '(did you mean "moi"?)'],
  ["generate", [""], "the prompt is empty"],
  ["generate", ["x", "--raw=false"], "--raw with a value as it takes none"],
  ["coverage", ["words"], 'Cannot use "words" as it is no option'],
  ["coverage", ["--studies", "0"], "'--studies' must be an integer at least 1"],
  ["grade", ["lib"], "lib is a folder"],
  ["notebooks", ["mod.ts"], "mod.ts must be a file named"],
  ["sweep", ["--server", "http://127.0.0.1:9", "--traces"], "--traces with --server"],
  ["generate", [], "one prompt, in quotes, must be given"],
  [
    "generate",
    ["--", "x", "--beta", "NaN"],
    '--beta as it must be a number: current value is "NaN"',
  ],
  ["generate", ["--", "x", "--method", "linear", "--beta", "1"], "linear takes no --beta"],
  ["generate", ["--", "x", "--method", "magic"], 'current value is "magic"'],
  ["generate", ["--", "1 ".repeat(600)], "the model's context"],
  ["sweep", ["--shard", "0/4"], "'shard.index' must be an integer at least 1: current value is 0"],
  ["sweep", ["--shard", "5/4"], "at least 1 and at most 4: current value is 5"],
  ["sweep", ["--shard", "4"], 'must be of the form 3/16, auto/16 or auto: current value is "4"'],
  ["report", [], "no file is named"],
  ["merge", ["--out", "x.jsonl"], "no file is named"],
  ["merge", ["x.jsonl"], "--out must name a file"],
  ["merge", ["no-such-file.jsonl", "--out", "x.jsonl"], "no-such-file.jsonl"],
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
    const base = ["--model", "votes-tiny", "--problems", "8", "--methods", "moi-1"];
    const args = [...base, "--traces", "--out", dir];
    const first = await script("sweep", ...args);
    assertEquals(first.code, 0, first.stderr);
    assertMatch(
      first.stdout,
      /votes-tiny on votes\nmethod .*\nstandard .*\nmoi-1 \* .*\ngreedy .*\n\nmethod .*(?:\n.*){3}\nN = 8 /,
    );
    const runs = await Deno.readTextFile(`${dir}/votes-tiny-votes.jsonl`);
    const lines = runs.trimEnd().split("\n");
    assertEquals(lines.length, 16);
    assert(lines.every((line) => notesOf(JSON.parse(line).trace)));
    assertEquals((await readProblems(`${dir}/votes-tiny-votes.jsonl`)).size, 8);
    const page = await Deno.readTextFile(`${dir}/report.html`);
    assertStringIncludes(page, "votes-tiny on votes");
    assertStringIncludes(page, "; seed 0; preset paper; temperature 1");
    const made = `deno task sweep ${args.join(" ")}`;
    assertStringIncludes(page, `Made by <code>${made}</code>`);
    assertEquals(await Deno.readTextFile(`${dir}/votes-tiny-votes.command.txt`), `${made}\n`);
    const second = await script("sweep", ...args);
    assertEquals(second.stdout, first.stdout);
    assertEquals(await Deno.readTextFile(`${dir}/votes-tiny-votes.jsonl`), runs);
    assertEquals(await Deno.readTextFile(`${dir}/votes-tiny-votes.command.txt`), `${made}\n`);
    const pages = () =>
      [...Deno.readDirSync(dir)].map(({ name }) => name).filter((name) => /html$/.test(name))
        .sort();
    assertEquals(pages(), ["report.html"]);

    const other = await script("sweep", ...args, "--seed", "1");
    assertEquals(other.code, 1);
    assertStringIncludes(other.stderr, "another seed: 0 there, 1 here; name another file");
    assertEquals(await Deno.readTextFile(`${dir}/report.html`), page);

    const report = await script(
      "report",
      `${dir}/votes-tiny-votes.jsonl`,
      `${dir}/votes-tiny-votes-greedy.jsonl`,
      ...["--out", `${dir}/again.html`],
      ...["csv", "md", "tex", "svg", "png"].flatMap((
        name,
      ) => [`--${name}`, `${dir}/new/a.${name}`]),
    );
    assertEquals(report.code, 0, report.stderr);
    assertEquals(report.stdout.split("\nreport:")[0], first.stdout.split("\nreport:")[0]);
    const again = await Deno.readTextFile(`${dir}/again.html`);
    assertStringIncludes(again, "greedy at temperature 0");
    assertStringIncludes(again, `Made by <code>${made}</code>`);
    const written = (name: string) => Deno.readTextFile(`${dir}/new/a.${name}`);
    assertStringIncludes(await written("svg"), "N = 8 problems");
    assertStringIncludes(await written("md"), "| moi-1 \\* |");
    assertStringIncludes(await written("tex"), "\\toprule\nmethod & accuracy \\%");
    const [head, ...rows] = (await written("csv")).split("\r\n");
    assertStringIncludes(head!, "model,task,method,parameters.name,");
    assertEquals(rows.map((row) => row.split(",")[2]), ["standard", "moi-1", "greedy", undefined]);
    assertEquals([...(await Deno.readFile(`${dir}/new/a.png`)).subarray(1, 4)], [80, 78, 71]);
    assertStringIncludes(report.stdout, `\ncsv: ${dir}/new/a.csv\nmd: ${dir}/new/a.md\n`);
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
      return lines.slice(first, lines.indexOf("", first))
        .map((line) => line.split(" ")[0]);
    };
    assertEquals(await rows("selar,moi, linearMixture", "some"), [
      ...["standard", "moi-0.5", "moi-2", "linearMixture", "selar", "greedy"],
    ]);
    const grid = ["standard", "moi-0.5", "moi-2", "direct", "linear-0.25", "linear-0.5"];
    assertEquals(await rows("all", "all"), [
      ...[...grid, "linear-0.75", "linear-like-0.5", "linear-like-1", "random-0.5", "random-1"],
      ...["random-expected-0.5", "random-expected-1"],
      ...["moi", "fixedMass", "softThinking", "gumbelSoftThinking", "dirichletSoftThinking"],
      ...["swiReasoning", "selar", "multiplex", "thinkRouter", "greedy"],
    ]);
    const runs = await Deno.readTextFile(`${dir}/all/votes-tiny-votes.jsonl`);
    const soft = runs.split("\n").find((line) => line.includes('"softThinking"'))!;
    assertEquals(JSON.parse(soft).parameters.phase, "thinking"); // this model has markers
  });
});

Deno.test("sweep stops at Ctrl-C with exit code 130 and finishes at the next call", async () => {
  await temporary(async (dir) => {
    const args = ["--model", "countdown-tiny", "--problems", "60", "--methods", "moi,direct"];
    const file = `${dir}/countdown-tiny-countdown.jsonl`;
    const size = () => Deno.stat(file).then(({ size }) => size, () => 0);
    const { code, stderr } = await commandLine("sweep", [...args, "--out", dir], {
      async meanwhile(child) {
        while (await size() < 20_000) await new Promise((resolve) => setTimeout(resolve, 10));
        child.kill("SIGINT");
      },
    });
    assertEquals(code, 130);
    assertMatch(stderr, /stopped with \d+ of 480 runs/);
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

Deno.test("sweep into the same folder keeps the report of another command", async () => {
  await temporary(async (dir) => {
    const sweep = async (...args: string[]) => {
      const all = ["--model", "votes-tiny", "--out", dir, ...args];
      const { code, stderr } = await script("sweep", ...all);
      assertEquals(code, 0, stderr);
      return stderr;
    };
    const page = (name: string) => Deno.readTextFile(`${dir}/${name}`);
    await Deno.writeTextFile(`${dir}/report.html`, "my own page");
    assertStringIncludes(await sweep("--problems", "3", "--methods", "moi-1"), "report-1.html");
    assertEquals(await page("report-1.html"), "my own page");
    const first = await page("report.html");
    await sweep("--problems", "30", "--methods", "moi-1"); // a prefix of it is another command
    assertEquals(await page("report-2.html"), first);
    await sweep("--problems", "3", "--methods", "direct");
    assertStringIncludes(await page("report-3.html"), "N = 30");
    const commands = (await page("votes-tiny-votes.command.txt")).trimEnd().split("\n");
    assertEquals(commands.length, 3);
    const third = await page("report.html"); // a command that runs again takes the name from the last one
    assertStringIncludes(await sweep("--problems", "3", "--methods", "moi-1"), "report-2.html");
    assertEquals([await page("report-2.html"), await page("report.html")], [third, first]);
    await assertRejects(() => page("report-4.html"), Deno.errors.NotFound);
    const { stdout } = await script(
      "report",
      `${dir}/votes-tiny-votes.jsonl`,
      "--out",
      `${dir}/new/r`,
    );
    assertMatch(stdout, /\nstandard .*\nmoi-1 .*\ndirect .*\n/);
    for (const command of commands) {
      assertStringIncludes(await page("new/r"), `<code>${command}</code>`);
    }
  });
});

Deno.test("grade takes task and options from a file of runs, says what changed, and a sweep goes on", async () => {
  await temporary(async (dir) => {
    const rows = (gold: string) =>
      ["11", "12", "13"].map((n, i) =>
        JSON.stringify({ id: `p${i}`, question: `a ${n}?`, answer: i === 1 ? gold : "1" })
      ).join("\n");
    const source = `${dir}/data.jsonl`, file = `${dir}/runs.jsonl`;
    await Deno.writeTextFile(source, rows("7"));
    const task = gsm8k({ source, prompt: "plain" }), problems = await task.problems();
    await using model = await loadModel("countdown-tiny");
    const study = { model, methods: { standard: standard() }, maxNewTokens: 4 };
    const texts = ["It is 1.", "It is 42.", "It is 3."];
    const answered = { ...task, grade: (p: never, _: string) => task.grade(p, text(p)) };
    const text = ({ id }: { id: string }) => texts[Number(id[1])]!;
    const runs = (await runStudy({ ...study, task: answered as typeof task }))
      .map((run) => ({ ...run, text: text({ id: run.problem }) }));
    await Deno.writeTextFile(file, runs.map((run) => `${JSON.stringify(run)}\n`).join(""));
    const more = ["--source", source, "--prompt", "plain"];
    const same = await script("grade", file, ...more);
    assertEquals(same.code, 0, same.stderr);
    assertMatch(
      same.stdout,
      /runs on gsm8k.* N = 3 texts\nas stored +1 of 3 .*\nchanged +0 of 3 verd/s,
    );

    // the options that the file tells are taken, but for one that is told otherwise than it is given
    const told = { prompt: "plain", grading: "released", system: null, digits: "1,2" };
    for (const taskParameters of [{ ...told, digits: null }, told]) {
      const path = `${dir}/told.jsonl`;
      const lines = runs.map((run) => `${JSON.stringify({ ...run, taskParameters })}\n`);
      await Deno.writeTextFile(path, lines.join(""));
      const { code, stdout, stderr } = await script("grade", path, "--source", source);
      assertEquals(code, 0, stderr);
      assertEquals(stderr.includes("worded otherwise"), false);
      assertMatch(stdout, /released rule +[01] of 3/);
    }

    await Deno.writeTextFile(source, rows("42"));
    const changed = gsm8k({ source, prompt: "plain" });
    const again = () => runStudy({ ...study, task: changed }, { store: file });
    await assertRejects(again, Error, "another 'answer' of problem 'p1'; grade its texts again");
    const { code, stdout, stderr } = await script("grade", file, ...more, "--out", file);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /changed +1 of 3 verdicts: (wrong|cut) → right 1\n/);
    const { prompt, fields } = (await readProblems(file)).get("p1")!; // what the file was graded by
    assertEquals([prompt, fields.answer], [undefined, "42"]); // no file told the prompt
    assertEquals((await again()).map(({ grade }) => grade.correct), [true, true, false]);
    assertEquals((await readProblems(file)).get("p1")!.prompt, task.prompt(problems[1]!));

    await Deno.writeTextFile(source, rows("42").replace("a 13", "b 13"));
    const reworded = await script("grade", file, ...more);
    assertStringIncludes(
      reworded.stderr,
      "1 of 3 texts answered a prompt that is worded otherwise",
    );
    assertEquals(problems.length, 3);

    const restyled = runs.map((run) =>
      JSON.stringify(Object.fromEntries(Object.entries(run).sort()))
    );
    await Deno.writeTextFile(file, `\ufeff${restyled.join("\r\n")}\r\n\r\n`);
    const styled = await script("grade", file, ...more);
    assertStringIncludes(styled.stdout, "runs on gsm8k");
  });
});

Deno.test("sweep --dry-run takes a GGUF file, a folder with one, and a folder", async () => {
  await temporary(async (dir) => {
    await Deno.mkdir(`${dir}/hf`);
    await writeCheckpoint(`${dir}/hf`, SMALL);
    await Deno.mkdir(`${dir}/one`);
    const { id } = await makeModel(dir, "small", "int4");
    await Deno.rename(id, `${dir}/one/model.gguf`);
    const shown = async (model: string) => {
      const args = ["--dry-run", "--task", "votes", "--bandwidth", "10", "--model", model];
      const { code, stdout, stderr } = await script("sweep", ...args);
      assertEquals(code, 0, stderr);
      assertMatch(stdout, /: 500 problems × 17 methods/);
      return stdout.split("\n").slice(1).join("\n");
    };
    const folder = await shown(`${dir}/hf`);
    const url = pathToFileURL(`${dir}/one/model.gguf`).href;
    for (const model of [`${dir}/one/model.gguf`, `${dir}/one`, url]) {
      assertEquals(await shown(model), folder);
    }
    const missing = ["--dry-run", "--task", "votes", "--model", `${dir}/no.gguf`];
    const { code, stderr } = await script("sweep", ...missing);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^error: Cannot tell the shape of .*no\.gguf as there is no such file.*\n$/,
    );
  });
});
