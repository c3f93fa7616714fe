import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { executeNotebooks, findPython, runPython } from "../../scripts/_notebook.ts";

interface Cell {
  readonly cell_type: string;
  readonly source: string[];
  readonly execution_count?: number | null;
  readonly outputs?: { output_type: string; data?: Record<string, unknown>; text?: string[] }[];
}

const folder = new URL("../../notebooks/", import.meta.url);
const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
  .filter((name) => name.endsWith(".ipynb")).sort();
const python = await findPython();
/** Continuous integration has Jupyter: there its absence is a failure, not a reason to skip. */
const ignore = python === undefined && Deno.env.get("CI") === undefined;
const skipped = ignore ? " (skipped: no Python with nbclient found)" : "";

const read = (file: URL | string): Cell[] => JSON.parse(Deno.readTextFileSync(file)).cells;

for (const name of names) {
  Deno.test(`${name} is committed executed, in order, without an error`, () => {
    const code = read(new URL(name, folder)).filter((cell) => cell.cell_type === "code");
    assertEquals(code.map((cell) => cell.execution_count), code.map((_, i) => i + 1));
    const outputs = code.flatMap((cell) => cell.outputs ?? []);
    assert(outputs.some(({ data }) => data && "text/html" in data));
    assertEquals(outputs.filter(({ output_type }) => output_type === "error"), []);
    assert(!JSON.stringify(outputs.map(({ text }) => text)).includes("/home/"));
  });
}

Deno.test({
  name: `the notebooks run in a real Deno kernel and show figures${skipped}`,
  ignore,
  async fn() {
    const output = await Deno.makeTempDir();
    try {
      const files = names.map((name) => fileURLToPath(new URL(name, folder)));
      const result = await executeNotebooks(python!, ["--output", output, ...files], {
        MOI_REAL_MODEL: "", // minutes; the model itself is tested elsewhere
      });
      assertEquals(result.code, 0, result.stderr);
      for (const name of names) {
        const fresh = read(`${output}/${name}`), committed = read(new URL(name, folder));
        assertEquals(fresh.map(({ source }) => source), committed.map(({ source }) => source));
        const figures = (cells: Cell[]) =>
          cells.flatMap(({ outputs = [] }) => outputs)
            .filter(({ data }) => data && "application/vnd.plotly.v1+json" in data).length;
        assert(figures(fresh) > 0);
        const leftOut = name.startsWith("08") ? 1 : 0; // GSM8K, which is not part of the repository
        assertEquals(figures(fresh), figures(committed) - leftOut);
      }
    } finally {
      await Deno.remove(output, { recursive: true });
    }
  },
});

Deno.test({
  name: `the stop button ends the cell with partial runs and leaves the kernel alive${skipped}`,
  ignore,
  async fn() {
    const here = fileURLToPath(new URL(".", import.meta.url));
    const script = new URL("stop_button.py", import.meta.url);
    const { code, stdout, stderr } = await runPython(python!, script, [here]);
    assertEquals(code, 0, stderr);
    const { stopped, after } = JSON.parse(stdout);
    assertEquals(stopped.length, 2);
    for (const { runs, aborted } of stopped) {
      assertEquals(aborted, true);
      assert(runs > 20 && runs < 100_000, `${runs} runs`);
    }
    assertEquals(after, "alive countdown-tiny");
  },
});
