import { assertEquals } from "@std/assert";
import { deno } from "../_process.ts";

const MOD = new URL("../../lib/runtime/interrupt.ts", import.meta.url).href;

/** Runs a program that sends itself signals; resolves to its output and how it ended. */
async function run(source: string): Promise<{ out: string; code: number; signal: string | null }> {
  const { stdout, code, signal } = await deno([
    ...["eval", "--quiet"],
    `import { interruptSignal } from "${MOD}";
      const sigint = async () => {
        Deno.kill(Deno.pid, "SIGINT");
        await new Promise((r) => setTimeout(r, 200));
      };
      ${source}`,
  ]);
  return { out: stdout.trim(), code, signal };
}

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "interruptSignal() aborts at SIGINT, and the next signal is a fresh one",
  ignore,
  async fn() {
    const { out, code } = await run(`
      const first = interruptSignal();
      await sigint();
      console.log(first.aborted, first.reason.name, interruptSignal().aborted);
      const second = interruptSignal();
      await sigint();
      console.log(second.aborted);
    `);
    assertEquals([out, code], ["true AbortError false\ntrue", 0]);
  },
});

Deno.test({
  name: "interruptSignal() lets a second Ctrl-C end a program, and does not keep it running",
  ignore,
  async fn() {
    const { signal } = await run("interruptSignal(); await sigint(); await sigint();");
    assertEquals(signal, "SIGINT");
    assertEquals((await run("interruptSignal();")).code, 0);
  },
});
