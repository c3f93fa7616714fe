import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { root, servedRepository } from "./_repository.ts";
import { temporaryFolder } from "./_temporary.ts";
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

Deno.test("the package imported by URL grades programs", async () => {
  await using server = servedRepository();
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const npm = Object.entries<string>(imports).filter(([, to]) => to.startsWith("npm:"));
  const row = { task_id: 1, text: "Add one.", test_list: ["assert f(1) == 2"] };
  await using folder = await temporaryFolder({
    "deno.json": JSON.stringify({ imports: Object.fromEntries(npm) }),
    "rows.jsonl": JSON.stringify(row),
    "main.ts": `
      import { mbpp } from "${server.address}/lib/tasks/mod.ts";
      const source = new URL("rows.jsonl", import.meta.url);
      const task = mbpp({ source }), [problem] = await task.problems();
      const { correct, reason } = await task.grade(problem, "def f(x): return x + 1");
      console.log(JSON.stringify([correct, reason]));
    `,
  });
  const reload = `--reload=${server.address}`;
  const args = ["run", "-A", "--quiet", "--no-check", "--no-lock", reload, "main.ts"];
  assertEquals(await ran(args, { cwd: folder.path }), [true, "pass: 1 test"]);
});
