import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { executeNotebooks, findPython, runPython } from "../../scripts/_notebook.ts";
import { temporaryFolder } from "../_temporary.ts";

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
    const figures = outputs.filter(({ data }) => data && "application/vnd.plotly.v1+json" in data);
    assert(figures.length > 0);
    assert(figures.every(({ data }) => "image/png" in data!), "a picture each");
    assert(Deno.statSync(new URL(name, folder)).size < 600_000, "plotly.js is in no notebook");
    assertEquals(outputs.filter(({ output_type }) => output_type === "error"), []);
    assert(!JSON.stringify(outputs.map(({ text }) => text)).includes("/home/"));
  });
}

Deno.test({
  name: `the notebooks run in a real Deno kernel and show figures${skipped}`,
  ignore,
  async fn() {
    await using outputs = await temporaryFolder();
    const output = `${outputs.path}/new/folder`;
    const files = names.map((name) => fileURLToPath(new URL(name, folder)));
    const result = await executeNotebooks(python!, ["--output", output, ...files], {
      MOI_REAL_MODEL: "", // minutes; the model itself is tested elsewhere
      MOI_VLLM_URL: "", // half a minute, and tested elsewhere
    });
    assertEquals(result.code, 0, result.stderr);
    for (const name of names) {
      const fresh = read(`${output}/${name}`), committed = read(new URL(name, folder));
      assertEquals(fresh.map(({ source }) => source), committed.map(({ source }) => source));
      const figures = (cells: Cell[]) =>
        cells.flatMap(({ outputs = [] }) => outputs)
          .filter(({ data }) => data && "application/vnd.plotly.v1+json" in data).length;
      assert(figures(fresh) > 0);
      const painted = fresh.flatMap(({ outputs = [] }) => outputs)
        .filter(({ data }) => data && "application/vnd.plotly.v1+json" in data);
      assert(painted.every(({ data }) => data && "image/png" in data), `${name}: a picture each`);
      // GSM8K, which is not part of the repository, and vLLM
      const leftOut = ["08", "09"].some((number) => name.startsWith(number)) ? 1 : 0;
      assertEquals(figures(fresh), figures(committed) - leftOut);
    }
  },
});

interface Output {
  readonly text?: string;
  readonly error?: string;
  readonly kind?: string;
  readonly data?: Record<string, unknown>;
}

/** Runs cells one after another in a kernel; see kernel_cells.py. */
async function cells(
  list: readonly { code: string; stopAfter?: number; pause?: number }[],
): Promise<Output[][]> {
  await using folder = await temporaryFolder({ "cells.json": JSON.stringify(list) });
  const here = fileURLToPath(new URL(".", import.meta.url));
  const script = new URL("kernel_cells.py", import.meta.url), file = `${folder.path}/cells.json`;
  const { code, stdout, stderr } = await runPython(python!, script, [here, file]);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Seconds after which a stop is over, for a person that runs the next cell by hand. */
const PAUSE = 1.5;

const said = (outputs: Output[]) => outputs.map(({ text = "" }) => text).join("");

Deno.test({
  name: `the stop button ends the cell with partial runs and leaves the kernel alive${skipped}`,
  ignore,
  async fn() {
    const names = "countdown, interruptSignal, loadModel, moi, runStudy, standard";
    const study = {
      code: `const methods = { standard: standard(), moi: moi() }, signal = interruptSignal();
        let told = false;
        const runs = await runStudy({ model, task: countdown(), methods, repeats: 50 }, {
          signal,
          onProgress: ({ done }) => { if (done > 20 && !told) { told = true; console.log("going"); } },
        });
        console.log(JSON.stringify({ runs: runs.length, aborted: signal.aborted }));`,
      stopAfter: 0,
    };
    const [, first, second, after] = await cells([
      {
        code: `import { ${names} } from "../../mod.ts";
          const model = await loadModel("countdown-tiny");`,
      },
      ...[study, { ...study, pause: PAUSE }],
      { code: "console.log(`alive ${model.id}`)" },
    ]);
    for (const stopped of [first!, second!]) {
      const { runs, aborted } = JSON.parse(said(stopped).replace("going\n", ""));
      assertEquals(aborted, true);
      assert(runs > 20 && runs < 100_000, `${runs} runs`);
    }
    assertEquals(said(after!), "alive countdown-tiny\n");
  },
});

Deno.test({
  name: `the stop button works from the import on, without a signal in any call${skipped}`,
  ignore,
  async fn() {
    const names =
      "betaGrid, countdown, generate, generateBatch, loadModel, plotMixing, runStudy, stream";
    const [imported, idle, study, figure, one, batch, steps, after] = await cells([
      { code: `import { ${names} } from "../../mod.ts";` },
      {
        code: `console.log("going"); await new Promise((r) => setTimeout(r, 1000));`,
        stopAfter: 0.2,
      },
      {
        code: `const model = await loadModel("countdown-tiny"), task = countdown({ limit: 500 });
          console.log("going");
          const runs = await runStudy({ model, task, methods: betaGrid() });
          console.log(runs.length < runs.planned.runs ? "partial" : "all");`,
        stopAfter: 1.5,
      },
      { code: "plotMixing(runs)" },
      {
        ...{ pause: PAUSE },
        code: `console.log("going"); const options = { maxNewTokens: 500, ignoreEos: true };
          const reasons = [];
          for (let seed = 0; !reasons.includes("aborted"); seed++) {
            reasons.push((await generate(model, [1, 5, 6], { ...options, seed })).finishReason);
          }
          console.log("ended");`,
        stopAfter: 0.3,
      },
      {
        ...{ pause: PAUSE },
        code: `console.log("going");
          const requests = Array.from({ length: 2000 }, () => ({ prompt: [1, 5, 6], ...options }));
          const ends = new Set();
          for await (const { generation } of generateBatch(model, requests)) ends.add(generation.finishReason);
          console.log(ends.has("aborted"));`,
        stopAfter: 0.5,
      },
      {
        ...{ pause: PAUSE },
        code: `console.log("going"); let steps = 0, rounds = 0;
          do {
            steps = 0;
            for await (const _ of stream(model, [1, 5, 6], options)) steps++;
          } while (steps === 500);
          console.log(steps < 500);`,
        stopAfter: 0.5,
      },
      { code: "console.log(model.id)" },
    ]);
    assertEquals(imported, []);
    assertEquals(said(idle!), "going\n");
    assertEquals(said(study!), "going\npartial\n");
    assert(figure!.some(({ data }) => data && "image/png" in data));
    assert(String(figure![0]!.data!["text/plain"]).includes("partial: "));
    assertEquals(said(one!), "going\nended\n");
    assertEquals(said(batch!), "going\ntrue\n");
    assertEquals(said(steps!), "going\ntrue\n");
    assertEquals(said(after!), "countdown-tiny\n");
  },
});

Deno.test({
  name: `a cell that ends with a figure, a table or a report shows it${skipped}`,
  ignore,
  async fn() {
    const names =
      "betaGrid, gains, gainsTable, initPlots, loadModel, plotGains, runStudy, show, studyReport, votes";
    const [, figure, table, report, shown, live, own] = await cells([
      {
        code: `import { ${names} } from "../../mod.ts";
          const model = await loadModel("votes-tiny"), methods = betaGrid({ betas: [0.25, 1], controls: false });
          const runs = await runStudy({ model, task: votes({ limit: 20 }), methods });
          const rows = gains(runs, { baseline: "standard" });`,
      },
      { code: "plotGains(rows)" },
      { code: "gainsTable(rows)" },
      { code: "studyReport(runs)" },
      { code: "await show(plotGains(rows))" },
      { code: "await initPlots(); await show([plotGains(rows), plotGains(rows)])" },
      { code: "runs" },
    ]);
    const forms = (outputs: Output[]) =>
      outputs.map(({ data = {} }) => Object.keys(data).sort().join());
    const painted = "application/vnd.plotly.v1+json,image/png,text/plain";
    assertEquals(forms(figure!), [painted]);
    assertEquals(forms(table!), ["text/html,text/plain"]);
    assertEquals(new Set(forms(report!)), new Set([painted, "text/html,text/plain"]));
    assertEquals(report!.length, 5);
    assertEquals(forms(shown!), [painted]);
    assert(JSON.stringify(figure).length < 60_000);
    assertEquals(forms(live!), [painted, painted]); // of plotly.js nothing is kept
    assertEquals(own![0]!.data!["text/plain"], "60 runs: 20 problems × 3 methods × 1 repeat");
  },
});
