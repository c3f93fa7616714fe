import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { progressBar, type ProgressBarOptions } from "../../lib/runtime/mod.ts";
import { deno } from "../_process.ts";

/** A bar with a clock and a writer that the test holds. */
function fake(options: ProgressBarOptions) {
  const clock = { time: 0 };
  const out: string[] = [];
  const bar = progressBar({
    now: () => clock.time,
    write: (text) => out.push(text),
    columns: 80,
    ...options,
  });
  return { clock, out, bar };
}

Deno.test("progressBar() in a log writes a line every 5 s and a last one", async () => {
  const { clock, out, bar } = fake({ mode: "log", label: "study" });
  for (let done = 0; done <= 120; done++) {
    clock.time = 100 * done;
    bar.update({ done, total: 200, note: "moi-1" });
  }
  await bar.close();
  assertEquals(out, [
    "study 0/200 moi-1\n",
    "study 50/200 10/s 15 s left moi-1\n",
    "study 100/200 10/s 10 s left moi-1\n",
    "study 120/200 10/s 8 s left moi-1\n",
  ]);
});

Deno.test("progressBar() in a terminal redraws one line and ends it once", async () => {
  const { clock, out, bar } = fake({ mode: "terminal" });
  bar.update({ done: 0, total: 4 });
  clock.time = 50; // too early to draw
  bar.update({ done: 1, total: 4 });
  clock.time = 2000;
  bar.update({ done: 2, total: 4 });
  bar.update({ done: 4, total: 4 });
  bar.update({ done: 4, total: 4 });
  await bar.close();
  await bar.close();
  assertEquals(out, [
    `\r\x1b[2K${"░".repeat(20)} 0/4`,
    `\r\x1b[2K${"█".repeat(10)}${"░".repeat(10)} 2/4 1.0/s 2 s left`,
    `\r\x1b[2K${"█".repeat(20)} 4/4 2.0/s done in 2 s`,
    "\n",
  ]);
});

Deno.test("progressBar() ends an open line when it is closed early", async () => {
  const { out, bar } = fake({ mode: "terminal" });
  {
    await using open = bar;
    open.update({ done: 1, total: 4 });
  }
  assertEquals(out.at(-1), "\n");
  assertEquals(out.length, 2);
});

Deno.test("progressBar() cuts a line that a terminal would wrap", () => {
  const { out, bar } = fake({ mode: "terminal", columns: 40 });
  bar.update({ done: 1, total: 4, note: "x".repeat(100) });
  assertEquals([...out[0]!.replace("\r\x1b[2K", "")].length, 39);
});

Deno.test("progressBar() in a notebook updates one display", async () => {
  const sent: [Record<string, string>, { display_id: string; update: boolean }][] = [];
  const { clock, out, bar } = fake({
    mode: "notebook",
    // deno-lint-ignore no-explicit-any
    display: (...args: any) => (sent.push(args), Promise.resolve()),
  });
  bar.update({ done: 1, total: 4, note: "<b>" });
  clock.time = 300;
  bar.update({ done: 2, total: 4 });
  await bar.close();
  assertEquals(sent[0]![0]["text/plain"], "1/4 (from 1) <b>"); // resumed
  const [drawn, , last] = sent.map(([bundle]) => bundle["text/html"]!);
  assertStringIncludes(drawn!, 'value="1" max="4"></progress> <code>1/4 (from 1) &lt;b');
  assertEquals(last, "<code>2/4 (from 1) 3.3/s stopped after 0 s</code>"); // a line, no bar
  assertEquals(sent.map(([, options]) => options.update), [false, true, true]);
  assertEquals(new Set(sent.map(([, options]) => options.display_id)).size, 1);
  assertEquals(out, []);
});

Deno.test("progressBar() measures the rate of a resumed study from its first report", () => {
  const { clock, out, bar } = fake({ mode: "log" });
  bar.update({ done: 900, total: 1000 });
  clock.time = 100_000;
  bar.update({ done: 910, total: 1000 });
  assertEquals(out.at(-1), "910/1000 6.0/min 15.0 min left\n");
});

Deno.test("progressBar() says seconds, minutes or hours", () => {
  const left = (total: number) => {
    const { clock, out, bar } = fake({ mode: "log" });
    bar.update({ done: 0, total });
    clock.time = 10_000;
    bar.update({ done: 10, total });
    return /(\S+ \S+) left/.exec(out.at(-1)!)![1];
  };
  assertEquals([left(99), left(610), left(7210)], ["89 s", "10.0 min", "2.0 h"]);
});

Deno.test("progressBar() begins a new line for a new label", async () => {
  const { clock, out, bar } = fake({ mode: "log", unit: "bytes" });
  bar.update({ done: 0, total: 2e6, label: "config" });
  bar.update({ done: 2e6, total: 2e6, label: "config" });
  bar.update({ done: 0, total: 3e9, label: "weights" });
  clock.time = 6000;
  bar.update({ done: 3e8, total: 3e9, label: "weights" });
  await bar.close();
  assertEquals(out, [
    "config 0 kB/2 MB\n",
    "config 2 MB/2 MB done in 0 s\n",
    "weights 0 kB/3.00 GB\n",
    "weights 300 MB/3.00 GB 50 MB/s 54 s left\n",
  ]);
});

Deno.test("progressBar() removes control characters from notes and labels", () => {
  const { out, bar } = fake({ mode: "log" });
  bar.update({ done: 1, total: 2, label: "a\nb", note: "\x1b[31mred\x07\r\u202eevil" });
  assertEquals(out, ["a b 1/2 [31mred evil\n"]);
});

Deno.test("progressBar() counts without a total, or with that of its options", () => {
  const { out, bar } = fake({ mode: "log" });
  bar.update({ done: 7, total: 0 });
  const known = fake({ mode: "log", total: 9 });
  known.bar.update({ done: 7, total: 0 });
  assertEquals([out, known.out], [["7\n"], ["7/9\n"]]);
});

Deno.test("progressBar() never throws from update() or close()", async () => {
  const fail = () => {
    throw new Error("closed pipe");
  };
  const { bar } = fake({ mode: "log", write: fail });
  bar.update({ done: 1, total: 2 });
  bar.update(undefined as unknown as { done: number; total: number });
  bar.update({ done: NaN, total: NaN });
  await bar.close();
  const rejects = fake({ mode: "notebook", display: () => Promise.reject(new Error("gone")) });
  rejects.bar.update({ done: 1, total: 2 });
  await rejects.bar.close();
});

Deno.test("progressBar() writes on stderr when nothing else is said", async () => {
  const mod = new URL("../../lib/runtime/progress_bar.ts", import.meta.url).href;
  const { stdout, stderr } = await deno([
    ...["eval", "--quiet"],
    `import { progressBar } from "${mod}";
    await using bar = progressBar({ label: "x" });
    bar.update({ done: 1, total: 2 });`,
  ]);
  assertEquals(stdout, "");
  assert(stderr.endsWith("x 1/2\n"));
});

Deno.test("progressBar() refuses options it does not know", () => {
  assertThrows(() => progressBar({ totl: 1 } as ProgressBarOptions), TypeError, "'totl'");
  assertThrows(() => progressBar({ total: -1 }), RangeError, "'total'");
});
