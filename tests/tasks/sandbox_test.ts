/** Untrusted Python: what it may do, and what each attack comes to. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { runPython } from "../../lib/tasks/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const verdictOf = async (code: string, options = {}) => {
  const results = await runPython({ code }, options);
  return results.at(-1)!;
};

Deno.test("a program passes where it runs to its end", async () => {
  const result = await verdictOf("def f(a):\n  return a + 1\nassert f(1) == 2\nprint('done')");
  assertEquals(result, { verdict: "pass", output: "done\n" });
  const names = await verdictOf("assert __name__ == '__main__'");
  assertEquals(names.verdict, "pass");
});

Deno.test("verdicts say what happened", async () => {
  assertEquals((await verdictOf("assert 1 == 2, 'no'")).verdict, "wrong answer");
  const fault = await verdictOf("print('before')\nx = 1 / 0");
  assertEquals([fault.verdict, fault.output], ["error", "before\n"]);
  assertStringIncludes(fault.error!, "ZeroDivisionError");
  assertStringIncludes((await verdictOf("def f(:")).error!, "SyntaxError");
  assertStringIncludes((await verdictOf("def f(n): return f(n)\nf(0)")).error!, "RecursionError");
});

Deno.test("programs share what they are told to share, and have a stdin of their own", async () => {
  const results = await runPython([
    { code: "x = int(input())", stdin: "41\n" },
    { code: "print(x + 1)", fresh: false },
    { code: "import sys\nprint(sys.stdin.buffer.read())", stdin: "ä" },
    { code: "print(x)" },
    { code: "print('never')" },
  ]);
  assertEquals(results.map(({ verdict, output }) => [verdict, output]), [
    ["pass", ""],
    ["pass", "42\n"],
    ["pass", "b'\\xc3\\xa4'\n"],
    ["error", ""], // x is not there
  ]);
});

Deno.test("an endless loop ends with its time", async () => {
  const start = performance.now();
  const { verdict, error } = await verdictOf("while True: pass", { timeMs: 1000 });
  assertEquals([verdict, error], ["time", "took more than 1000 ms"]);
  assert(performance.now() - start < 30_000);
});

Deno.test("memory ends with its bound", async () => {
  assertEquals((await verdictOf("a = bytearray(10**10)")).verdict, "memory");
  const slowly = "a = []\nwhile True: a.append(bytearray(20_000_000))";
  assertEquals((await verdictOf(slowly, { timeMs: 60_000 })).verdict, "memory");
});

Deno.test("no program passes by ending early", async () => {
  for (
    const code of [
      "import sys\nsys.exit(0)",
      "raise SystemExit",
      "import os\nos._exit(0)",
      "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\nassert False",
      "import pyodide_js\npyodide_js.runPython.constructor('Deno.exit(0)')()",
      "import pyodide_js\npyodide_js.runPython.constructor('Deno.exit(7)')()",
    ]
  ) {
    assertEquals((await verdictOf(code)).verdict === "pass", false, code);
  }
});

Deno.test("streams, exit codes and names are told apart", async () => {
  const program = { code: "import sys\nprint(1)\nprint(2, file=sys.stderr)\nsys.exit(0)" };
  const exit = { output: "1\n", stderr: "2\n", exitCode: 0 };
  assertEquals(await runPython(program), [{ verdict: "exit", ...exit, error: "exit code 0" }]);
  assertEquals(await runPython({ ...program, program: true }), [{ verdict: "pass", ...exit }]);
  const results = await runPython([
    { code: "print(__name__, x)", name: "solution", preamble: "x = 1" },
    { code: "from solution import x\nprint(x, __name__)", fresh: false, name: "solution" },
    { code: "print(2)\n\nThat is all.", prefix: true },
    { code: "import sys\nsys.exit(3)", program: true },
  ]);
  assertEquals(results, [
    { verdict: "pass", output: "solution 1\n" },
    { verdict: "pass", output: "1 solution\n" },
    { verdict: "pass", output: "2\n" },
    { verdict: "exit", output: "", error: "exit code 3", exitCode: 3 },
  ]);
});

Deno.test("a program starts no other", async () => {
  for (
    const code of [
      "import os\nwhile True: os.fork()",
      "import subprocess\nsubprocess.run(['ls'])",
      "import os\nassert os.system('ls') == 0",
      "import threading\nthreading.Thread(target=print).start()",
      "import pyodide_js\npyodide_js.runPython.constructor('new Deno.Command(\"ls\").outputSync()')()",
    ]
  ) {
    assertEquals((await verdictOf(code)).verdict === "pass", false, code);
  }
});

Deno.test("a program reads no file of the machine, and reaches no network", async () => {
  await using folder = await temporaryFolder({ secret: "secret" });
  const secret = `${folder.path}/secret`;
  const path = JSON.stringify(secret);
  const js = (code: string) =>
    `import pyodide_js\nprint(pyodide_js.runPython.constructor(${JSON.stringify(code)})())`;
  for (
    const code of [
      `print(open(${path}).read())`,
      js(`return Deno.readTextFileSync(${path})`),
      js(`Deno.writeTextFileSync(${path}, "x")`),
      js("return Deno.env.toObject()"),
      js("return Deno.hostname()"),
      js("return Deno.connect({ port: 80, hostname: '127.0.0.1' })"),
      js("return Deno.dlopen('libc.so.6', {})"),
      "import socket\nsocket.create_connection(('127.0.0.1', 80), timeout=1)",
      "import urllib.request\nurllib.request.urlopen('http://127.0.0.1/')",
    ]
  ) {
    const { output, verdict } = await verdictOf(code);
    assert(!output.includes("secret"), code);
    if (!code.includes("connect({")) assert(verdict !== "pass", code); // that one is a rejected promise
  }
  assertEquals(await Deno.readTextFile(secret), "secret");
});

Deno.test("nothing that a program does changes another's verdict", async () => {
  const tamper = [
    "import builtins, sys",
    "builtins.len = lambda x: 42",
    "builtins.AssertionError = Exception",
    "sys.stdout.write = lambda x: None",
    "open('/tmp/left', 'w').write('x')",
  ].join("\n");
  assertEquals((await verdictOf(tamper)).verdict, "pass");
  const check = "import os\nassert len([1]) == 1 and not os.path.exists('/tmp/left')\nprint('ok')";
  assertEquals(await verdictOf(check), { verdict: "pass", output: "ok\n" });
  assertEquals((await verdictOf("assert False")).verdict, "wrong answer");
});

Deno.test("printing does not pass for an answer, nor does much of it hurt", async () => {
  const forged =
    'import sys\nsys.__stdout__.write(\'{"ready":true}\\n\')\nprint(\'{"output":""}\')\nassert False';
  assertEquals((await verdictOf(forged)).verdict, "wrong answer");
  const much = await verdictOf("print('x' * 5_000_000)");
  assertEquals([much.verdict, much.output.length], ["pass", 1_000_000]);
});

Deno.test("runPython() can be stopped, and refuses what is outside its rules", async () => {
  const controller = new AbortController();
  const running = runPython({ code: "while True: pass" }, {
    signal: controller.signal,
    timeMs: 60_000,
  });
  setTimeout(() => controller.abort(new Error("enough")), 700);
  await assertRejects(() => running, Error, "enough");
  const code = "1";
  await assertRejects(() => runPython({ code }, { timeMs: 0 }), RangeError, "'timeMs'");
  await assertRejects(() => runPython({ code }, { memoryMb: 1 }), RangeError, "'memoryMb'");
  await assertRejects(() => runPython({ code: 1 } as never), TypeError, "'code'");
  await assertRejects(() => runPython({ code }, { time: 1 } as never), TypeError, "'time'");
});
