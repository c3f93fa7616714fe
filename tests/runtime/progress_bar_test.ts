import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
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

/** Lines of a log without the times at which they were written. */
function untimed(lines: readonly string[]): string[] {
  return lines.map((line) => {
    assertMatch(line, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S/);
    return line.slice(20);
  });
}

Deno.test("progressBar() in a log writes a line now and then, and a last one", async () => {
  const { clock, out, bar } = fake({ mode: "log", label: "study" });
  const start = new Date(2026, 1, 28, 23, 59, 55).getTime();
  for (let done = 0; done <= 120; done++) {
    clock.time = start + 100 * done;
    bar.update({ done, total: 200, note: "moi-1" });
  }
  await bar.close();
  assertEquals(out, [
    "2026-02-28 23:59:55 study 0/200 0 % moi-1\n",
    "2026-03-01 00:00:00 study 50/200 25 % 10/s 15 s left moi-1\n",
    "2026-03-01 00:00:05 study 100/200 50 % 10/s 10 s left moi-1\n",
    "2026-03-01 00:00:07 study 120/200 60 % 10/s stopped after 12 s moi-1\n",
  ]);
});

Deno.test("progressBar() in a log says that work was stopped after its last line, too, but an end once", async () => {
  for (const total of [2, 1]) {
    const { out, bar } = fake({ mode: "log" });
    bar.update({ done: 1, total });
    await bar.close();
    await bar.close();
    const ends = total === 1
      ? ["1/1 100 % done in 0 s\n"]
      : ["1/2 50 %\n", "1/2 50 % stopped after 0 s\n"];
    assertEquals(untimed(out), ends);
  }
});

Deno.test("progressBar() in a log writes tens of lines in a night, and until when the work may last", async () => {
  const { clock, out, bar } = fake({ mode: "log", label: "study" });
  const start = new Date(2026, 10, 27, 20).getTime(), total = 36_000; // a step a second, for ten hours
  for (let done = 0; done <= total; done++) {
    clock.time = start + 1000 * done;
    bar.update({ done, total });
  }
  await bar.close();
  const seconds = out.map((line) => (new Date(line.slice(0, 19)).getTime() - start) / 1000);
  assertEquals(seconds.slice(0, 9), [0, 5, 10, 15, 20, 25, 32, 40, 50]);
  assertEquals(out.length < 70, true, `${out.length} lines`);
  assertEquals(seconds.slice(1).every((one, i) => one - seconds[i]! <= 900), true);
  assertEquals(
    out[4],
    "2026-11-27 20:00:20 study 20/36000 0 % 1.0/s 10.0 h left, until 2026-11-28 06:00\n",
  );
  const late = out.findLast((line) => line.includes("until"))!;
  assertMatch(late, /^2026-11-28 04:\d\d:\d\d .* 6\d\.0 min left, until 06:00\n$/);
  assertEquals(out.at(-1), "2026-11-28 06:00:00 study 36000/36000 100 % 1.0/s done in 10.0 h\n");
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

Deno.test("progressBar() cuts by the columns that characters take, of a terminal as wide as it is now", () => {
  const sizes = [40, 20], { consoleSize } = Deno;
  Deno.consoleSize = () => ({ columns: sizes[0]!, rows: 24 });
  try {
    const clock = { time: 0 }, out: string[] = [];
    const bar = progressBar({
      ...{ mode: "terminal", now: () => clock.time, write: (text) => out.push(text) },
    });
    bar.update({ done: 0, total: 0, note: "日本語のモデルを読み込んでいます、少々お待ちください" });
    sizes.shift();
    clock.time = 1000;
    bar.update({ done: 1, total: 0, note: "日本語のモデルを読み込んでいます、少々お待ちください" });
    assertEquals(out, [
      "\r\x1b[2K0 日本語のモデルを読み込んでいます、少…",
      "\r\x1b[2K1 1.0/s 日本語のモ…",
    ]);
  } finally {
    Deno.consoleSize = consoleSize;
  }
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
  assertEquals(untimed(out).at(-1), "910/1000 91 % 6.0/min 15.0 min left\n");
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
  assertEquals(untimed(out), [
    "config 0 kB/2 MB 0 %\n",
    "config 2 MB/2 MB 100 % done in 0 s\n",
    "weights 0 kB/3.00 GB 0 %\n",
    "weights 300 MB/3.00 GB 10 % 50 MB/s 54 s left\n",
    "weights 300 MB/3.00 GB 10 % 50 MB/s stopped after 6 s\n",
  ]);
});

Deno.test("progressBar() removes control characters from notes and labels", () => {
  const { out, bar } = fake({ mode: "log" });
  bar.update({ done: 1, total: 2, label: "a\nb", note: "\x1b[31mred\x07\r\u202eevil" });
  assertEquals(untimed(out), ["a b 1/2 50 % [31mred evil\n"]);
});

Deno.test("progressBar() counts without a total, or with that of its options", () => {
  const { out, bar } = fake({ mode: "log" });
  bar.update({ done: 7, total: 0 });
  const known = fake({ mode: "log", total: 9 });
  known.bar.update({ done: 7, total: 0 });
  assertEquals([out, known.out].map(untimed), [["7\n"], ["7/9 77 %\n"]]);
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
  const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;
  const line = `${time} x 1/2 50 %`;
  assertMatch(stderr, RegExp(`^${line}\n${line} stopped after 0 s\n$`));
});

Deno.test("progressBar() redraws in a terminal that can, before a person, and writes a log elsewhere", async () => {
  const mod = new URL("../../lib/runtime/progress_bar.ts", import.meta.url).href;
  const code = `
    Deno.stderr.isTerminal = () => true;
    import { progressBar } from "${mod}";
    await using bar = progressBar();
    bar.update({ done: 1, total: 2 });`;
  const modes: readonly (readonly [Record<string, string>, boolean])[] = [
    [{ TERM: "xterm", CI: "" }, true],
    [{ TERM: "xterm", CI: "false", NO_COLOR: "1" }, true],
    [{ TERM: "dumb", CI: "" }, false],
    [{ TERM: "xterm", CI: "true" }, false],
  ];
  await Promise.all(modes.map(async ([env, isTerminal]) => {
    const { stderr } = await deno(["eval", "--quiet", code], { env });
    assertEquals(stderr.startsWith("\r\x1b[2K"), isTerminal, JSON.stringify([env, stderr]));
    // deno-lint-ignore no-control-regex
    if (!isTerminal) assertEquals(/[\x00-\x09\x0b-\x1f\x7f]/.test(stderr), false);
  }));
});

Deno.test("progressBar() refuses options it does not know", () => {
  assertThrows(() => progressBar({ totl: 1 } as ProgressBarOptions), TypeError, "'totl'");
  assertThrows(() => progressBar({ total: -1 }), RangeError, "'total'");
});
