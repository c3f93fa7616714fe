import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { root, servedRepository } from "./_repository.ts";
import { temporaryFolder } from "./_temporary.ts";
import { findPython, runPython } from "../scripts/_notebook.ts";
import { deno, type ProcessOptions } from "./_process.ts";

/** What a Deno in a process of its own writes, which is JSON. */
async function ran(args: readonly string[], options: ProcessOptions): Promise<unknown> {
  const { code, stdout, stderr } = await deno(args, options);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("the package imported by URL fetches an embedded model once and decodes with it", async () => {
  await using server = servedRepository();
  await using folder = await temporaryFolder();
  const code = `
    import { generate, loadModel, moi } from "${server.address}/mod.ts";
    const model = await loadModel("votes-tiny");
    const { tokens } = await generate(model, [1, 26], { method: moi(), seed: 1, maxNewTokens: 4 });
    console.log(JSON.stringify(tokens));
  `;
  const run = () =>
    ran(["eval", "--config", fileURLToPath(new URL("deno.json", root)), code], {
      env: { XDG_CACHE_HOME: folder.path, LOCALAPPDATA: folder.path },
    });
  const weights = () => server.requested.filter((path) => path.endsWith("model.safetensors"));
  const first = await run();
  assertEquals((first as number[]).length, 4);
  assertEquals(weights().length, 1);
  assertEquals(await run(), first);
  assertEquals(weights().length, 1);
});

Deno.test("the package imported by path runs in folders with a configuration of their own or none", async () => {
  const main = `
    import { generate, loadModel, mathEqual } from ${JSON.stringify(new URL("mod.ts", root).href)};
    await using model = await loadModel("votes-tiny");
    const { tokens } = await generate(model, [1, 26], { maxNewTokens: 4 });
    console.log(JSON.stringify([tokens.length, mathEqual("1/2", "0.5")]));
  `;
  for (const config of [undefined, "{}", `{"imports":{"x":"./x.ts"}}`]) {
    await using folder = await temporaryFolder({
      "main.ts": main,
      ...(config === undefined ? {} : { "deno.json": config }),
    });
    assertEquals(await ran(["run", "-A", "main.ts"], { cwd: folder.path }), [4, true]);
  }
});

/** A study whose figure is drawn in all ways, as a program of someone's own. */
const study = `
  await using model = await loadModel("votes-tiny");
  const methods = betaGrid({ betas: [1], controls: false }), task = votes({ limit: 10 });
  const runs = await runStudy({ model, task, methods }, { store: "runs/own.jsonl" });
  const figure = plotGains(gains(runs, { baseline: "standard" }));
  const pages = [await toSvg(figure), await toHtml(figure)].map((page) => page.slice(0, 4));
  const [, ...png] = (await toPng(figure)).slice(0, 4);
  console.log(JSON.stringify([runs.length, ...pages, String.fromCharCode(...png)]));
`;
const listed = "betaGrid, gains, loadModel, plotGains, runStudy, toHtml, toSvg, votes";
const drawn = [20, "<svg", "<!do", "PNG"];

Deno.test("the package imported by URL runs a study, draws it and grades programs", async () => {
  await using server = servedRepository();
  const row = { task_id: 1, text: "Add one.", test_list: ["assert f(1) == 2"] };
  await using folder = await temporaryFolder({
    "rows.jsonl": JSON.stringify(row),
    "study.ts": `import { ${listed} } from "${server.address}/mod.ts";
      import { toPng } from "${server.address}/lib/plot/mod.ts";
      ${study}`,
    "grade.ts": `
      import { mbpp } from "${server.address}/lib/tasks/mod.ts";
      const source = new URL("rows.jsonl", import.meta.url);
      const task = mbpp({ source }), [problem] = await task.problems();
      const { correct, reason } = await task.grade(problem, "def f(x): return x + 1");
      console.log(JSON.stringify([correct, reason]));
    `,
  });
  const reload = `--reload=${server.address}`;
  const run = (name: string) =>
    ran(["run", "-A", "--quiet", "--no-check", "--no-lock", reload, name], { cwd: folder.path });
  assertEquals(await run("study.ts"), drawn);
  assertEquals(await run("grade.ts"), [true, "pass: 1 test"]);
});

/** A folder of one's own with one import. */
const ownFolder = (files: Readonly<Record<string, string>>) => {
  const imports = { "@moi/moi": fileURLToPath(new URL("mod.ts", root)) };
  return temporaryFolder({ ...files, "deno.json": JSON.stringify({ imports }) });
};

Deno.test("a folder of one's own with one import runs a study, without all permissions", async () => {
  const program = `import { ${listed} } from "@moi/moi";
    import { toPng } from "@moi/moi/plot";
    ${study}`;
  await using folder = await ownFolder({ "own.ts": program });
  const allowed = ["read", "write", "env", "ffi", "sys", "net"].map((name) => `--allow-${name}`);
  const flags = ["--quiet", "--no-prompt", "--no-lock", ...allowed];
  assertEquals(await ran(["run", ...flags, "own.ts"], { cwd: folder.path }), drawn);
});

Deno.test("a folder of one's own imports each folder of the package by name", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const names = Object.keys(exports).map((name) => `@moi/moi${name.slice(1)}`);
  const program = `const all = await Promise.all([${
    names.map((name) => `import("${name}")`).join(", ")
  }]);
  console.log(JSON.stringify(all.map((one) => Object.keys(one).length > 0)));`;
  await using folder = await ownFolder({ "own.ts": program });
  const args = ["run", "-A", "--quiet", "--no-check", "--no-lock", "own.ts"];
  assertEquals(await ran(args, { cwd: folder.path }), names.map(() => true));
});

/** Continuous integration has Jupyter: there its absence is a failure, not a reason to skip. */
const python = await findPython();
const ignore = python === undefined && Deno.env.get("CI") === undefined;

Deno.test({
  name: `a notebook in a folder of one's own shows a figure${
    ignore ? " (skipped: no Python with nbclient found)" : ""
  }`,
  ignore,
  async fn() {
    const cells = [
      `import { ${listed} } from "@moi/moi";\nimport { typicalP } from "@moi/moi/decode";`,
      "typeof typicalP",
      `const model = await loadModel("votes-tiny"), methods = betaGrid({ betas: [1], controls: false });
      const rows = gains(await runStudy({ model, task: votes({ limit: 10 }), methods }), {
        baseline: "standard",
      });`,
      "plotGains(rows)",
    ].map((code) => ({ code }));
    await using folder = await ownFolder({ "cells.json": JSON.stringify(cells) });
    const script = new URL("tests/notebooks/kernel_cells.py", root);
    const args = [folder.path, `${folder.path}/cells.json`];
    const { code, stdout, stderr } = await runPython(python!, script, args);
    assertEquals(code, 0, stderr);
    const [imported, known, run, figure] = JSON.parse(stdout);
    assertEquals([imported, run, known[0].data["text/plain"]], [[], [], '"function"']);
    assertEquals(Object.keys(figure[0].data).includes("image/png"), true);
  },
});
