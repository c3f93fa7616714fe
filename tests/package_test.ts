/** The package as others use it: imported by URL, by path, and in a notebook of their own. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import manifest from "../deno.json" with { type: "json" };
import { executeNotebooks, findPython } from "../scripts/_notebook.ts";
import { deno, type ProcessOptions } from "./_process.ts";
import { root, servedRepository } from "./_repository.ts";
import { type TemporaryFolder, temporaryFolder } from "./_temporary.ts";

/** What a Deno in a process of its own writes, which is JSON. */
async function ran(args: readonly string[], options: ProcessOptions): Promise<unknown> {
  const { code, stdout, stderr } = await deno(args, options);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

/** A cache of Deno's that holds the npm packages of this one, and nothing else. */
async function freshCache(): Promise<TemporaryFolder> {
  const { stdout } = await deno(["info", "--json"]);
  const folder = await temporaryFolder();
  await Deno.symlink(JSON.parse(stdout).npmCache, join(folder.path, "npm"));
  return folder;
}

/** A program of someone who has the package from a registry: from a model to figures, and graded programs. */
const PROGRAM = `
  import { betaGrid, gains, gainsTable, loadModel, mbpp, plotGains, runStudy } from "@moi/moi";
  import { studyReport, toHtml, toSvg, votes } from "@moi/moi";
  import { play } from "@moi/moi/play";
  import { toPng } from "@moi/moi/plot";
  await using model = await loadModel("votes-tiny");
  const methods = betaGrid({ betas: [1], controls: false });
  const runs = await runStudy({ model, task: votes({ limit: 8 }), methods });
  const rows = gains(runs, { baseline: "standard" }), figure = plotGains(rows);
  const png = await toPng(figure);
  const task = mbpp({ source: new URL("rows.jsonl", import.meta.url) });
  const [problem] = await task.problems();
  const grades = await Promise.all(["x + 1", "x"].map((body) =>
    task.grade(problem, "def f(x): return " + body)));
  await using server = play(model, { port: 0 });
  console.log(JSON.stringify({
    texts: runs.map(({ text }) => text),
    table: gainsTable(rows).text,
    svg: await toSvg(figure),
    html: await toHtml(studyReport(runs)),
    png: String.fromCharCode(...png.subarray(1, 4)),
    grades: grades.map(({ correct, reason }) => [correct, reason]),
    page: await (await fetch(server.url)).text(),
  }));
`;

Deno.test("the package imported by URL does all that it does from a folder, and again without a network", async () => {
  const cache = await freshCache(), repository = servedRepository();
  await using _ = cache;
  const addresses = Object.entries(manifest.exports).map(([name, path]) => [
    `@moi/moi${name.slice(1)}`,
    new URL(path, `${repository.address}/`).href,
  ]);
  const row = { task_id: 1, text: "Add one.", test_list: ["assert f(1) == 2"] };
  await using folder = await temporaryFolder({
    "deno.json": JSON.stringify({ imports: Object.fromEntries(addresses) }),
    "rows.jsonl": JSON.stringify(row),
    "main.ts": PROGRAM,
  });
  const env = {
    ...{ DENO_DIR: cache.path, XDG_CACHE_HOME: cache.path, LOCALAPPDATA: cache.path },
  };
  const run = (...flags: string[]) =>
    ran(["run", "-A", "--quiet", ...flags, "main.ts"], { cwd: folder.path, env });
  let first: Awaited<ReturnType<typeof run>>;
  try {
    first = await run();
  } finally {
    await repository[Symbol.asyncDispose]();
  }
  const { texts, table, svg, html, png, grades, page } = first as Record<string, string>;
  assertEquals(texts!.length, 16);
  assertMatch(table!, /^method .*\nstandard .*\nmoi-1 /);
  assertMatch(svg!, /^<svg .*<\/svg>/s);
  assertMatch(html!.slice(-1000), /<\/html>\s*$/);
  assertEquals(png, "PNG");
  const wrong = "wrong answer: AssertionError in test 1 of 1";
  assertEquals(grades as unknown, [[true, "pass: 1 test"], [false, wrong]]);
  assertMatch(page!.slice(-1000), /<\/html>\s*$/);
  const counted = Object.groupBy(repository.requested, (path) => path);
  assertEquals(Object.values(counted).filter((paths) => paths!.length > 1), []);
  assertEquals(counted["/lib/model/embedded/votes-tiny/model.safetensors"]?.length, 1);
  assertEquals((await run("--cached-only") as Record<string, string>).texts, texts);
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

const python = await findPython();
/** Continuous integration has Jupyter: there its absence is a failure, not a reason to skip. */
const ignore = python === undefined && Deno.env.get("CI") === undefined;

Deno.test({
  name: "a notebook in a folder of one's own needs one import" +
    (ignore ? " (skipped: no Python with nbclient found)" : ""),
  ignore,
  async fn() {
    const source = `
      import { loadModel, moi, plotGains, gains, runStudy, standard, votes } from "@moi/moi";
      import { typicalP } from "@moi/moi/decode";
      await using model = await loadModel("votes-tiny");
      const methods = { standard: standard(), moi: moi() };
      const study = { model, task: votes({ limit: 4 }), methods, sampler: [typicalP(0.9)] };
      plotGains(gains(await runStudy(study, { store: "runs.jsonl" }), { baseline: "standard" }))`;
    const cell = { cell_type: "code", execution_count: null, id: "a", metadata: {}, outputs: [] };
    const kernelspec = { display_name: "Deno", language: "typescript", name: "deno" };
    const notebook = { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec } };
    await using folder = await temporaryFolder({
      "deno.json": JSON.stringify({ imports: { "@moi/moi": new URL("mod.ts", root).href } }),
      "own.ipynb": JSON.stringify({ ...notebook, cells: [{ ...cell, source }] }),
    });
    const file = join(folder.path, "own.ipynb");
    const { code, stderr } = await executeNotebooks(python!, [file]);
    assertEquals(code, 0, stderr);
    const [{ outputs }] = JSON.parse(await Deno.readTextFile(file)).cells;
    const data = outputs.map((output: { data?: object }) => Object.keys(output.data ?? {})).flat();
    assertStringIncludes(data.join(" "), "application/vnd.plotly.v1+json");
    assertEquals((await Deno.stat(join(folder.path, "runs.jsonl"))).isFile, true);
  },
});
