/**
 * What a researcher writes stays short: programs as in a notebook, each with one thing of its own, on
 * the names of the package and nothing else.
 */

import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { loadModel, moi, runStudy, standard, toHtml, votes } from "@moi/moi";
import { deno } from "./_process.ts";
import { root } from "./_repository.ts";
import { temporaryFolder } from "./_temporary.ts";

/** Most lines of what a program adds, by the start of its declaration. */
const ADDED: Readonly<Record<string, readonly [start: string, most: number]>> = {
  "own_method.ts": ["function echo", 15],
  "own_task.ts": ["function sums", 15],
  "own_transform.ts": ["const noEcho", 10],
};

/** Rows of the table, the first of which is the baseline. */
const ROWS: Readonly<Record<string, readonly string[]>> = {
  "own_method.ts": ["standard", "moi", "echo"],
  "own_task.ts": ["standard", "moi"],
  "own_transform.ts": ["temperature", "noEcho"],
  "two_models.ts": ["countdown-tiny-baseline@", "countdown-tiny@"],
  "old_runs.ts": ["standard", "moi"],
};

const FOLDER = new URL("cells/", import.meta.url);
const NAMES = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();

/** Lines of a declaration at the left margin: up to the line that closes it. */
function linesOf(source: string, start: string): number {
  const lines = source.split("\n"), from = lines.findIndex((line) => line.startsWith(start));
  return lines.slice(from).findIndex((line) => /^[}\])]/.test(line)) + 1;
}

Deno.test("every program is looked at", () => {
  assertEquals(NAMES, Object.keys(ROWS).sort());
});

for (const name of NAMES) {
  Deno.test(`cells/${name} runs on the names of the package alone`, async () => {
    const source = await Deno.readTextFile(new URL(name, FOLDER));
    const imported = [...source.matchAll(/\bfrom "([^"]+)"/g)].map(([, from]) => from);
    assertEquals([...new Set(imported)], ["@moi/moi"]);
    assertLess(source.split("\n").length, 40);
    const [start, most] = ADDED[name] ?? ["", Infinity];
    const added = linesOf(source, start);
    assert(start === "" || (added > 1 && added <= most), `${start} has ${added} lines`);

    await using folder = await temporaryFolder();
    const store = `${folder.path}/runs.jsonl`;
    if (name === "old_runs.ts") {
      await using model = await loadModel("votes-tiny");
      const methods = { standard: standard(), moi: moi({ beta: 0.25 }) };
      await runStudy({ model, task: votes({ limit: 20 }), methods }, { store });
      Deno.env.set("RUNS", store);
    }
    const { rows, table, figure, ...others } = await import(new URL(name, FOLDER).href);
    Deno.env.delete("RUNS");
    const named = rows.map((row: { method: string }, i: number) =>
      row.method.startsWith(ROWS[name]![i]!)
    );
    assertEquals(named, ROWS[name]!.map(() => true));
    const text: string = table.text,
      page = await toHtml([table, figure, ...Object.values<never>(others)]);
    for (const row of ROWS[name]!) assertStringIncludes(text, row);
    assertStringIncludes(page, "plotly");
  });
}

Deno.test("a folder of one's own needs one import, and the permissions that README names", async () => {
  const config = { imports: { "@moi/moi": new URL("mod.ts", root).href } };
  const program = `
    import { loadModel, runStudy, standard, votes } from "@moi/moi";
    import { typicalP } from "@moi/moi/decode";
    await using model = await loadModel("votes-tiny");
    const study = { model, task: votes({ limit: 1 }), methods: { standard: standard() } };
    const runs = await runStudy({ ...study, sampler: [typicalP(0.9)] }, { store: "runs/x.jsonl" });
    console.log(runs.length, (await Deno.stat("runs/x.jsonl")).isFile);`;
  await using folder = await temporaryFolder({
    "deno.json": JSON.stringify(config),
    "main.ts": program,
  });
  const allowed = ["read", "write", "env", "ffi", "sys", "net"].map((name) => `--allow-${name}`);
  const { stdout, stderr } = await deno(["run", "--no-prompt", ...allowed, "main.ts"], {
    cwd: folder.path,
  });
  assertEquals(stdout, "1 true\n", stderr);
});
