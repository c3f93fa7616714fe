/**
 * Ctrl-C in programs, in processes of their own: what it ends, what it leaves, and that one press that
 * arrives twice is one. The stop button in a kernel: tests/notebooks.
 */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { defaultSignal, jupyter } from "../../lib/runtime/mod.ts";
import { findPython } from "../../scripts/_notebook.ts";
import { temporaryFolder } from "../_temporary.ts";
import { deno } from "../_process.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const ignore = Deno.build.os === "windows";

/** Runs a program that can press Ctrl-C; resolves to its output and how it ended. */
async function run(source: string): Promise<{ out: string; code: number; signal: string | null }> {
  const { stdout, code, signal } = await deno([
    ...["eval", "--quiet", "--config", CONFIG],
    `import { betaGrid, generate, generateBatch, interruptSignal, loadModel, runStudy, stream, votes } from "${MOD}";
      const wait = (ms) => new Promise((r) => setTimeout(r, ms));
      const press = () => Deno.kill(Deno.pid, "SIGINT");
      ${source}`,
  ]);
  return { out: stdout.trim(), code, signal };
}

Deno.test("a program that is no notebook has no default signal", () => {
  assertEquals([jupyter(), defaultSignal()], [undefined, undefined]);
});

Deno.test({
  name: "Ctrl-C ends a program that has not asked for the signal, also during a study",
  ignore,
  async fn() {
    assertEquals((await run("press(); await wait(2000); console.log('on');")).signal, "SIGINT");
    const { out, signal } = await run(`
      const model = await loadModel("votes-tiny");
      setTimeout(press, 300);
      await runStudy({ model, task: votes(), methods: betaGrid() });
      console.log("on");
    `);
    assertEquals([out, signal], ["", "SIGINT"]);
  },
});

Deno.test({
  name: "one press that arrives twice, or thrice, is one: the report is written",
  ignore,
  async fn() {
    for (
      const more of [
        "press();",
        "press(); press();",
        "setTimeout(press, 1); setTimeout(press, 5);",
      ]
    ) {
      const { out, code } = await run(`
        const signal = interruptSignal();
        const told = new Promise((r) => signal.addEventListener("abort", () => setTimeout(r, 60)));
        press(); ${more}
        await told;
        console.log("closing");
        console.log(signal.aborted);
      `);
      assertEquals([out, code], ["closing\ntrue", 0], more);
    }
  },
});

Deno.test({
  name: "a second press ends the program, however long the first is past",
  ignore,
  async fn() {
    for (const later of [200, 500]) {
      const { out, signal } = await run(`
        interruptSignal();
        press();
        await wait(${later});
        console.log("still here");
        press();
        await wait(2000);
        console.log("still here");
      `);
      assertEquals([out, signal], ["still here", "SIGINT"]);
    }
  },
});

Deno.test({
  name: "a signal asked for right after a press is not aborted by the same press",
  ignore,
  async fn() {
    const { out } = await run(`
      const first = interruptSignal();
      first.addEventListener("abort", () => { globalThis.second = interruptSignal(); });
      press(); press();
      await wait(300);
      const { aborted } = second;
      press();
      await wait(50);
      console.log(first.aborted, aborted, second.aborted);
    `);
    assertEquals(out, "true false true");
  },
});

Deno.test({
  name: "the signal that was asked for is the default of everything that decodes",
  ignore,
  async fn() {
    const { out, code } = await run(`
      const model = await loadModel("votes-tiny"), methods = betaGrid();
      const options = { maxNewTokens: 500, ignoreEos: true };
      interruptSignal();
      setTimeout(press, 300);
      const runs = await runStudy({ model, task: votes(), methods });
      const planned = runs.planned.runs;
      const { finishReason } = await generate(model, [1], options); // begun after the press
      interruptSignal();
      await wait(120); // another press
      setTimeout(press, 20);
      const reasons = new Set();
      const requests = Array.from({ length: 200 }, () => ({ prompt: [1], ...options }));
      for await (const { generation } of generateBatch(model, requests)) reasons.add(generation.finishReason);
      interruptSignal();
      await wait(120); // another press
      let steps = 0;
      for await (const step of stream(model, [1], options)) if (++steps === 3) { press(); await wait(20); }
      const own = new AbortController();
      const explicit = await generate(model, [1], { maxNewTokens: 2, ignoreEos: true, signal: own.signal });
      console.log(JSON.stringify([runs.length < planned, finishReason, reasons.has("aborted"), steps, explicit.finishReason]));
    `);
    assertEquals(code, 0);
    const [stopped, after, batch, steps, explicit] = JSON.parse(out);
    assertEquals([stopped, after, batch, explicit], [true, "aborted", true, "length"]);
    assert(steps >= 3 && steps < 10, `${steps} steps`);
  },
});

const python = ignore ? undefined : await findPython("pty");

Deno.test({
  name: "Ctrl-C under deno task: the closing message is there each time" +
    (python === undefined ? " (skipped: no Python found)" : ""),
  ignore: python === undefined,
  async fn() {
    await using folder = await temporaryFolder();
    const task = `${Deno.execPath()} run -A --quiet --config ${CONFIG} main.ts`;
    await Deno.writeTextFile(`${folder.path}/deno.json`, JSON.stringify({ tasks: { main: task } }));
    await Deno.writeTextFile(
      `${folder.path}/main.ts`,
      `import { interruptSignal } from "${MOD}";
      const signal = interruptSignal();
      console.log("going");
      await new Promise((resolve) => {
        const timer = setInterval(() => {}, 1000);
        signal.addEventListener("abort", () => { clearInterval(timer); setTimeout(resolve, 300); });
      });
      console.log("stopped and told");
      Deno.exitCode = 130;`,
    );
    const script = fileURLToPath(new URL("ctrl_c.py", import.meta.url));
    for (let turn = 0; turn < 5; turn++) {
      const { stdout } = await new Deno.Command(python!, {
        args: [script, "going", Deno.execPath(), "task", "main"],
        cwd: folder.path,
      }).output();
      const out = new TextDecoder().decode(stdout);
      assert(out.includes("stopped and told"), out);
    }
  },
});
