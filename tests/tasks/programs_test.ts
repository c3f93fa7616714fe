/**
 * Programs that read stdin: what each comes to under the judge of LiveCodeBench. CPython 3.11 prints the
 * same for those that pass, after the benchmark's imports.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { PREAMBLE } from "../../lib/tasks/live_code_bench.ts";
import { liveCodeBench, type Program, runPython } from "../../lib/tasks/mod.ts";
import { compareOutputs, decimalOf } from "../../lib/tasks/output.ts";

const sameOutput = (a: string, b: string) => compareOutputs(a, b) === "same";

/** Verdict on a program that is given one input and must print one output. */
async function verdictOn(
  code: string,
  input: string,
  output: string,
  options: { tolerance?: number; timeMs?: number; memoryMb?: number } = {},
) {
  const task = liveCodeBench({ source: "none.jsonl", ...options });
  const cases = [{ input, output }, { input, output }]; // the second finds what the first left
  const problem = { id: "p", question: "?", starter: "", method: "", cases, samplesOnly: false };
  return await task.grade(problem, `\`\`\`python\n${code}\n\`\`\``);
}

/** Programs, their input, and what they must print. */
type Table = readonly (readonly [code: string, input: string, output: string])[];

/** Runs each program twice, all in one interpreter: none finds what another left. */
async function allPass(table: Table) {
  const programs = table.flatMap(([code, stdin]): Program[] => {
    const program = { code, stdin, preamble: PREAMBLE, program: true };
    return [program, program];
  });
  const results = await runPython(programs);
  for (const [i, { verdict, output, error }] of results.entries()) {
    const [code, , expected] = table[i >> 1]!;
    assertEquals([verdict, error], ["pass", undefined], code);
    assert(sameOutput(expected, output), `${code}: ${output.slice(0, 200)}`);
  }
  assertEquals(results.length, programs.length);
}

/** Programs and their verdicts, on the input "3". */
async function come(to: readonly (readonly [code: string, reason: string])[], options = {}) {
  for (const [code, expected] of to) {
    const { correct, reason } = await verdictOn(code, "3", "3", options);
    assertEquals([correct, reason], [false, `${expected} in test 1 of 2`], code);
  }
}

Deno.test("a program may exit with code 0, by any road", async () => {
  await allPass([
    ["import sys\nprint(3); sys.exit()", "", "3"],
    ["print(3); exit(0)", "", "3"],
    ["print(3); quit()", "", "3"],
    ["print(3)\nraise SystemExit", "", "3"],
    ["print(3)\nraise SystemExit(0)", "", "3"],
    ["print(3); sys.exit(None)", "", "3"],
    ["print(3); sys.exit(False)", "", "3"],
    ["import os\nprint(3, flush=True)\nos._exit(0)", "", "3"],
    ["import os\nprint(3)\nos._exit(0)", "", "3"],
    ["def main():\n    print(3)\n    return 0\nsys.exit(main())", "", "3"],
    ["try:\n    print(3)\n    sys.exit()\nfinally:\n    print(4)", "", "3\n4"],
    ["import atexit\natexit.register(print, 4)\nprint(3)", "", "3\n4"],
    ["import atexit\natexit.register(print, 4)\nprint(3)\nexit()", "", "3\n4"],
    ["print(3)\nexit(256)", "", "3"], // the code's low byte
  ]);
});

Deno.test("another exit code is a verdict that names it", async () => {
  await come([
    ["print(3); sys.exit(1)", "exit: exit code 1"],
    ["print(3); exit(2)", "exit: exit code 2"],
    ["print(3); sys.exit('no solution')", "exit: exit code 1"],
    ["print(3); sys.exit(-1)", "exit: exit code 255"],
    ["print(3); raise SystemExit(True)", "exit: exit code 1"],
    ["import os\nprint(3); os._exit(7)", "exit: exit code 7"],
    ["print(3)\n1 / 0", "error: ZeroDivisionError: division by zero"],
    ["print(3)\nraise KeyboardInterrupt", "error: KeyboardInterrupt"],
    ["print(3)\nassert False, 'no'", "wrong answer: AssertionError: no"],
    ["print(int(input()))\ninput()", "error: EOFError: EOF when reading a line"],
    ["print(4)", "wrong answer"],
    ["exit()\nprint(3)", "wrong answer"],
    ["print(3", "error: SyntaxError: '(' was never closed"],
    ["", "wrong answer"],
  ]);
});

Deno.test("stdout and stderr are two streams", async () => {
  await allPass([
    ["print('debug', file=sys.stderr)\nprint(3)", "", "3"],
    ["import warnings\nwarnings.warn('careful')\nprint(3)", "", "3"],
    ["import warnings\nwarnings.warn('old', DeprecationWarning)\nprint(3)", "", "3"],
    ["re.findall('\\d', '1')\nprint(3)", "", "3"],
    ["x = 3\nif x is 3: print(3)", "", "3"],
    ["sys.stderr.write('x' * 1_000_000)\nprint(3)", "", "3"],
    ["import os\nos.write(2, b'x')\nprint(3)", "", "3"],
    ["import logging\nlogging.warning('careful')\nprint(3)", "", "3"],
    ["import traceback\ntry: 1 / 0\nexcept Exception: traceback.print_exc()\nprint(3)", "", "3"],
    ["sys.stderr.buffer.write(b'\\xff')\nprint('\\ud800', file=sys.stderr)\nprint(3)", "", "3"],
  ]);
});

Deno.test("the benchmark's imports are there, and the builtins are themselves", async () => {
  await allPass([
    ["print(pow(3, 4, 5), abs(-1), sum([1, 2]), open)", "", "1 1 3 <built-in function open>"],
    ["print(deepcopy([1]), copy.copy([2]))", "", "[1] [2]"],
    ["print(json.dumps([1]), loads('2'))", "", "[1] 2"],
    ["print(datetime.date(2024, 2, 29), timedelta(1))", "", "2024-02-29 1 day, 0:00:00"],
    ["print(statistics.mean([1, 2]), median([1, 5, 9]))", "", "1.5 5"],
    ["print(Counter('aab')['a'], defaultdict(int)[0], deque([1]))", "", "2 0 deque([1])"],
    ["print(gcd(4, 6), math.lcm(4, 6), comb(4, 2), inf)", "", "2 12 6 inf"],
    ["print(list(accumulate([1, 2])), reduce(lambda a, b: a * b, [2, 3]))", "", "[1, 3] 6"],
    ["h = [3, 1]\nheapify(h)\nprint(heappop(h), bisect_left([1, 2], 2))", "", "1 1"],
    ["def f(a: List[int]) -> Optional[int]: return a[0]\nprint(f([1]))", "", "1"],
    [
      "print(itemgetter(1)([1, 2]), ascii_lowercase[:2], compile('1', 'x', 'eval') is None)",
      "",
      "2 ab False",
    ],
    ["from datetime import datetime\nprint(datetime(2024, 1, 1).year)", "", "2024"],
    ["import random\nrandom.seed(1)\nprint(randint(1, 1))", "", "1"],
    ["from math import *\nprint(pow(2, 2))", "", "4.0"], // the program's own shadowing stays
    ["print(stdin.readline(), end='')", "7\n", "7"],
  ]);
});

Deno.test("stdin and stdout are those of a process", async () => {
  await allPass([
    ["sys.stdout.buffer.write(b'3')", "", "3"],
    ["sys.stdout.write('3')", "", "3"],
    ["print(3, end='')", "", "3"],
    ["import os\nos.write(1, b'3\\n')", "", "3"],
    ["print(len(sys.stdin.buffer.read()))", "ä\n", "3"],
    ["print(sum(map(int, open(0).read().split())))", "1 2\n3\n", "6"],
    ["print(sum(map(int, open(0))))", "1\n2\n", "3"],
    ["with open('/dev/stdin') as f: print(f.read().strip())", "3\n", "3"],
    ["import os\nprint(os.read(0, 100).decode().strip())", "3\n", "3"],
    ["input = sys.stdin.readline\nprint(int(input()) + int(input()))", "1\n2", "3"],
    ["input = lambda: sys.stdin.readline().rstrip()\nprint(input())", "3\n", "3"],
    ["import builtins\nbuiltins.input = sys.stdin.readline\nprint(int(input()))", "3\n", "3"],
    ["data = iter(sys.stdin.read().split())\nprint(next(data), list(data))", "1 2", "1 ['2']"],
    ["for line in sys.stdin: print(line.strip())", "1\n2\n", "1\n2"],
    ["print(*(line.strip() for line in sys.stdin.readlines()))", "1\r\n2\r\n", "1 2"],
    ["print(repr(input()))", "a\r\n", "'a\\r'"], // as on Linux
    ["try:\n    while True: print(input())\nexcept EOFError: pass", "1\n2", "1\n2"],
    ["while (line := sys.stdin.readline()): print(line, end='')", "1\n\n2", "1\n\n2"],
    ["import fileinput\nfor line in fileinput.input(): print(line.strip())", "1\n2", "1\n2"],
    ["print = sys.stdout.write\nprint('3')", "", "3"],
    ["import builtins\nbuiltins.print = lambda *a: sys.stdout.write('3')\nprint(4)", "", "3"],
    ["def print(*a, _p=print): _p('<', *a)\nprint(3)", "", "< 3"],
    [
      "out = io.StringIO()\nsys.stdout = out\nprint(3)\nsys.__stdout__.write(out.getvalue())",
      "",
      "3",
    ],
    [
      "from contextlib import redirect_stdout\nwith redirect_stdout(io.StringIO()): print(4)\nprint(3)",
      "",
      "3",
    ],
    ["print(3)\nsys.stdout.close()", "", "3"],
    ["print(3, flush=True)\nimport os\nos.close(1)", "", "3"],
    ["sys.stdin.close()\nprint(3)", "", "3"],
    ["print('3', end='\\r\\n')", "", "3\n"],
    ["print('ä€😀')", "", "ä€😀"],
    ["print(3)\nprint()\nprint()", "", "3"],
    ["sys.setrecursionlimit(10)\nprint(3)", "", "3"],
    [
      "import os\nclass Out:\n    def __init__(self): self.parts = []\n" +
      "    def write(self, s): self.parts.append(s)\n" +
      "    def flush(self): os.write(1, ''.join(self.parts).encode()); self.parts = []\n" +
      "sys.stdout = Out()\nprint(3)",
      "",
      "3",
    ],
  ]);
});

Deno.test("a program is read and run as a file", async () => {
  await allPass([
    ["from __future__ import annotations\nprint(3)", "", "3"],
    ["'''Doc.'''\nfrom __future__ import annotations\nprint(__doc__)", "", "Doc."],
    [
      "# comment\n\nfrom __future__ import annotations\ndef f(a: Nope): return 3\nprint(f(1))",
      "",
      "3",
    ],
    ["def main():\n    print(3)\nif __name__ == '__main__':\n    main()", "", "3"],
    ["import __main__\nx = 3\nprint(__main__.x)", "", "3"],
    [
      "from dataclasses import dataclass, field\n@dataclass(order=True)\nclass A:\n    x: int\n    y: list = field(default_factory=list)\nprint(A(3))",
      "",
      "A(x=3, y=[])",
    ],
    [
      "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom typing import ClassVar\n@dataclass\nclass A:\n    k: ClassVar[int] = 1\n    x: int = 2\nprint(A())",
      "",
      "A(x=2)",
    ],
    ["x = 1\ndef f():\n    global x\n    x += 2\nf()\nprint(x)", "", "3"],
    ["\ufeffprint(3)", "", "3"],
    ["# -*- coding: latin-1 -*-\nprint('ä')", "", "ä"],
    ["print(3)\r\nprint(4)\r\n", "", "3\n4"],
    [
      "import sys, threading\nsys.setrecursionlimit(10**6)\nthreading.stack_size(2**27)\ndef main():\n    def f(n): return 0 if n == 0 else 1 + f(n - 1)\n    print(f(int(input())))\nt = threading.Thread(target=main)\nt.start()\nt.join()",
      "30000",
      "30000",
    ],
    ["import threading\nthreading.Thread(target=lambda: print(3)).start()", "", "3"],
    [
      "import threading\nts = [threading.Thread(target=print, args=(i,)) for i in range(3)]\nfor t in ts: t.start()\nfor t in ts: t.join()\nprint(any(t.is_alive() for t in ts))",
      "",
      "0\n1\n2\nFalse",
    ],
    [
      "import _thread\n_thread.start_new_thread(print, (3,))\nimport time\ntime.sleep(0.1)",
      "",
      "3",
    ],
    [
      "import threading\ndef f(): exit()\nt = threading.Thread(target=f)\nt.start()\nprint(3)",
      "",
      "3",
    ],
    [
      "import asyncio\nasync def main():\n    await asyncio.sleep(0.01)\n    print(3)\nasyncio.run(main())",
      "",
      "3",
    ],
    ["import gc\ngc.disable()\nprint(3)", "", "3"],
    ["print(sys.maxsize > 10**18, min(sys.maxsize, 10**18))", "", "True 1000000000000000000"],
    [
      "from array import array\na = array('l', [10**12])\na.append(1)\nprint(a[0], len(a))",
      "",
      "1000000000000 2",
    ],
    ["import time\nt = time.time()\ntime.sleep(0.01)\nprint(time.time() > t)", "", "True"],
    ["def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\nprint(f(15))", "", "610"],
    [
      "from decimal import *\ngetcontext().prec = 50\nprint(Decimal(1) / 3)",
      "",
      `0.${"3".repeat(50)}`,
    ],
    ["import os\nprint(os.environ.get('HOME') is None or 1, sys.argv[1:])", "", "1 []"],
  ]);
});

Deno.test("recursion goes as deep as the released harness allows", async () => {
  await allPass([
    ["def f(n): return 0 if n == 0 else 1 + f(n - 1)\nprint(f(3000))", "", "3000"],
    ["def f(n): return 0 if n == 0 else 1 + f(n - 1)\nprint(f(49000))", "", "49000"],
    ["@cache\ndef f(n): return 0 if n == 0 else 1 + f(n - 1)\nprint(f(1000))", "", "1000"],
    [
      "@lru_cache(None)\ndef f(n): return 0 if n == 0 else 1 + f(n - 1)\nprint(f(12000))",
      "",
      "12000",
    ],
    [
      "class T:\n    def __init__(self, n): self.t = T(n - 1) if n else None\nT(5000)\nprint(3)",
      "",
      "3",
    ],
    ["def f(n): return 0 if n == 0 else 1 + max(map(f, [n - 1]))\nprint(f(5000))", "", "5000"],
    [
      "sys.setrecursionlimit(10**9)\ndef f(n): return 0 if n == 0 else 1 + f(n - 1)\nprint(f(200_000))",
      "",
      "200000",
    ],
    ["def g(n):\n    if n: yield from g(n - 1)\n    yield n\nprint(sum(g(2000)))", "", "2001000"],
  ]);
  const endless = await verdictOn("def f(): return f()\nf()", "", "");
  assertEquals(
    [endless.correct, endless.reason],
    [false, "error: RecursionError: maximum recursion depth exceeded in test 1 of 2"],
  );
  const cached = await verdictOn("@cache\ndef f(n): return f(n + 1)\nf(0)", "", "");
  assertEquals(cached.correct, false);
  assert(/RecursionError|recursion/.test(cached.reason!), cached.reason);
});

Deno.test("limits are named", async () => {
  await come([["while True: pass", "time: took more than 1000 ms"]], { timeMs: 1000 });
  await come([["a = bytearray(10**10)", "memory: needs more than 512 MiB"]]);
  await come([["while True: print('x' * 1000)", "output: printed more than 16 MiB"]]);
  await come([[
    "try:\n    while True: print('x' * 10000)\nexcept BaseException: pass",
    "output: printed more than 16 MiB",
  ]]);
  const much = "1\n".repeat(700_000);
  await allPass([
    ["print(*['1'] * 700_000, sep='\\n')", "", much],
    ["for _ in range(700_000): print(1)", "", much],
    ["sys.stdout.write('12345678\\n' * 1_000_000)", "", "12345678\n".repeat(1_000_000)],
    ["print(len(sys.stdin.read()))", "x".repeat(3_000_000), "3000000"],
  ]);
});

Deno.test("what only the sandbox lacks makes a program not gradable", async () => {
  const lacking = [
    ["import resource\nprint(3)", "resource"],
    ["from tkinter import *\nprint(3)", "tkinter"],
    [
      "from multiprocessing import Pool\nwith Pool(2) as p: print(p.map(abs, [3])[0])",
      "_multiprocessing",
    ],
  ] as const;
  for (const [code, module] of lacking) {
    const { correct, ungradable, reason } = await verdictOn(code, "", "3");
    const expected = `not gradable: the sandbox has no module '${module}' in test 1 of 2`;
    assertEquals([correct, ungradable, reason], [false, true, expected]);
  }
  await come([
    ["import no_such_module", "error: ModuleNotFoundError: No module named 'no_such_module'"],
    ["import msvcrt", "error: ModuleNotFoundError: No module named 'msvcrt'"], // not on Linux either
    ["raise ModuleNotFoundError(name='json')", "error: ModuleNotFoundError"], // it is there
  ]);
  await allPass([["try: import resource\nexcept ImportError: pass\nprint(3)", "", "3"]]);
});

Deno.test("work of a pool of threads is done where it is handed in", async () => {
  await allPass([
    [
      "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(4) as pool:\n    print(*pool.map(abs, [-1, 2]))",
      "",
      "1 2",
    ],
    [
      "import concurrent.futures as cf\nwith cf.ThreadPoolExecutor() as pool:\n    fs = [pool.submit(pow, 2, i) for i in range(3)]\n    print(sum(f.result() for f in cf.as_completed(fs)), len(cf.wait(fs).done))",
      "",
      "7 3",
    ],
    [
      "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(initializer=print, initargs=('up',))\nf = pool.submit(lambda: 1 / 0)\npool.submit(int)\npool.shutdown()\nprint(type(f.exception()).__name__)",
      "",
      "up\nZeroDivisionError",
    ],
    [
      "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as pool:\n    pool.submit(print, 3).add_done_callback(lambda f: print(f.done()))",
      "",
      "3\nTrue",
    ],
    ["import asyncio\nprint(asyncio.run(asyncio.to_thread(abs, -3)))", "", "3"],
    [
      "import threading, queue\nq = queue.Queue()\nlock = threading.Lock()\ndef f(i):\n    with lock: q.put(i)\nts = [threading.Thread(target=f, args=(i,)) for i in range(3)]\nfor t in ts: t.start()\nfor t in ts: t.join()\nprint(q.get(), q.get(), q.get())",
      "",
      "0 1 2",
    ],
    [
      "import threading\ne = threading.Event()\nthreading.Thread(target=e.set).start()\nprint(e.wait(), e.wait(1))",
      "",
      "True True",
    ],
    ["import queue\nq = queue.SimpleQueue()\nq.put(3)\nprint(q.get())", "", "3"],
    ["import os\nprint(os.read(0, os.fstat(0).st_size).decode())", "1 ä\n", "1 ä"],
    ["import os, stat\nprint(stat.S_ISREG(os.fstat(0).st_mode))", "1", "True"],
    ["import signal\nsignal.signal(signal.SIGPIPE, signal.SIG_DFL)\nprint(3)", "", "3"],
    ["import signal\nsignal.alarm(0)\nprint(3)", "", "3"],
  ]);
});

Deno.test("timers, processes and threads that wait make a program not gradable", async () => {
  const threads = "threads that wait for one another";
  for (
    const [code, what] of [
      ["import signal\nsignal.alarm(5)\nprint(3)", "signal.alarm"],
      [
        "import signal\nsignal.signal(signal.SIGALRM, lambda *a: exit())\nprint(3)",
        "signal.SIGALRM",
      ],
      ["import signal\nsignal.setitimer(signal.ITIMER_REAL, 5)", "signal.setitimer"],
      ["import os\nif os.fork() == 0: os._exit(0)\nprint(3)", "os.fork"],
      ["import os\ntry: os.fork()\nexcept: print(3)", "os.fork"],
      ["import os\nos.system('echo 3')", "os.system"],
      ["import subprocess\nsubprocess.run(['echo', '3'])", "processes"],
      ["import multiprocessing as m\nq = m.Queue()", "module '_multiprocessing'"],
      ["import multiprocessing as m\nm.Process(target=print).start()", "module '_multiprocessing'"],
      [
        "from concurrent.futures import ProcessPoolExecutor as E\nwith E() as e: print(*e.map(abs, [3]))",
        "processes",
      ],
      [
        "import threading, queue\nq = queue.Queue()\nt = threading.Thread(target=lambda: print(q.get()))\nt.start()\nq.put(3)",
        threads,
      ],
      [
        "import threading, queue\nq = queue.SimpleQueue()\nt = threading.Thread(target=lambda: print(q.get()))\nt.start()\nq.put(3)",
        threads,
      ],
      [
        "import threading\ne = threading.Event()\nt = threading.Thread(target=lambda: e.wait(9))\nt.start()\ne.set()",
        threads,
      ],
      [
        "import threading\nl = threading.Lock()\nl.acquire()\nt = threading.Thread(target=l.acquire)\nt.start()\nl.release()",
        threads,
      ],
      [
        "import threading\nb = threading.Barrier(2)\nts = [threading.Thread(target=b.wait) for _ in '12']\nfor t in ts: t.start()",
        threads,
      ],
      [
        "from concurrent.futures import ThreadPoolExecutor\nimport threading\ne = threading.Event()\nwith ThreadPoolExecutor(2) as p:\n    f = p.submit(e.wait)\n    p.submit(e.set)\n    print(f.result())",
        threads,
      ],
    ] as const
  ) {
    const { correct, ungradable, reason } = await verdictOn(code, "3", "3");
    const expected = `not gradable: the sandbox has no ${what} in test 1 of 2`;
    assertEquals([correct, ungradable, reason], [false, true, expected], code);
  }
});

Deno.test("compareOutputs() follows the released rule", () => {
  const same: [string, string][] = [
    ["1 2\n3\n", " 1 2 \n3"],
    ["0.50", "0.5"],
    ["1", "1.0"],
    ["1", "01"],
    ["-0", "0"],
    ["+5", "5"],
    ["1e3", "1000"],
    ["1E+400", "10e399"],
    ["1_000", "1000"], // as Python's Decimal reads it
    ["٣", "3"],
    ["Infinity", "inf"],
    ["1  2", "1 2"],
    ["\r\n1\r\n2\r\n", "1\n2"],
    ["1e999999999999999999", "10e999999999999999998"],
    ["a\u00a0", "a"],
    ["", "\n\n"],
  ];
  for (const [a, b] of same) assert(sameOutput(a, b) && sameOutput(b, a), `${a} = ${b}`);
  const different: [string, string][] = [
    ["9007199254740992", "9007199254740993"],
    ["10000000000000000000", "10000000000000000001"],
    ["16", "0x10"],
    ["2", "0b10"],
    ["0.333333333333", "0.3333333333333333"],
    ["1", "1.00000000000000000000000000000000001"],
    ["1", "-1"],
    ["Yes", "YES"],
    ["Yes 0.5", "Yes 0.50"], // every word of the line must be a decimal
    ["Yes  1", "Yes 1"],
    ["1 2", "12"],
    ["1 2", "1 2 3"],
    ["1\n2", "1"],
    ["1\n\n2", "1\n2"],
    ["nan", "NaN"],
    ["1,000", "1000"],
    ["1e1000000000000000000", "10e999999999999999999"], // beyond what Decimal holds
    ["\ufeff1", "1"],
    ["1e400", "1e401"],
    ["", "0"],
    ["[1,2]", "[1, 2]"],
  ];
  for (const [a, b] of different) assert(!sameOutput(a, b) && !sameOutput(b, a), `${a} ≠ ${b}`);
  assert(sameOutput("nan", "nan")); // as text
  assertEquals(decimalOf(`${"1".repeat(1_000_000)}x`), undefined); // in linear time
});

Deno.test("a tolerance is for numbers with a point or an exponent", () => {
  const cases: [string, string, "same" | "near" | "different"][] = [
    ["0.333333333333", "0.3333333333333333", "near"],
    ["0.5", "0.50", "same"],
    ["1.000000", "1.0000009", "near"],
    ["1.000000", "1.000002", "different"],
    ["1e9", "1000000999", "near"], // relative
    ["1e-9", "0", "near"], // absolute
    ["1000000000", "1000000001", "different"], // integers stay exact
    ["1000000000", "1000000001.0", "different"],
    ["3", "3.0000001", "different"],
    ["Case 1: 0.5", "Case 1: 0.5000001", "near"],
    ["Case 1: 0.5", "Case 2: 0.5", "different"],
    ["1 0.5\n2", "1.0 0.5000001\n2", "near"],
    ["0.5", "nan", "different"],
    ["0.5", "inf", "different"],
    ["1e400", "1e401", "different"],
    ["0.5\n1", "0.5", "different"],
    ["1.5", "0x1.8p0", "different"],
  ];
  for (const [expected, given, likeness] of cases) {
    assertEquals(compareOutputs(expected, given, 1e-6), likeness, `${expected} ${given}`);
  }
  assertEquals(compareOutputs("0.333333333333", "0.3333333333333333"), "different");
});

Deno.test("a verdict says where only the tolerance decides", async () => {
  const third = "print(1 / 3)";
  const strict = await verdictOn(third, "", "0.333333333333");
  assertEquals([strict.correct, strict.reason], [false, "wrong answer in test 1 of 2"]);
  const near = await verdictOn(third, "", "0.333333333333", { tolerance: 1e-6 });
  assertEquals([near.correct, near.reason], [
    true,
    "pass: 2 tests, 2 only within the tolerance of 0.000001 (first test 1)",
  ]);
  const exact = await verdictOn(third, "", "0.3333333333333333", { tolerance: 1e-6 });
  assertEquals([exact.correct, exact.reason], [true, "pass: 2 tests"]);
  const source = "none.jsonl";
  assertEquals(liveCodeBench({ source, tolerance: 1e-6 }).parameters, {
    ...{ prompt: "chat", system: null, timeMs: 10_000, memoryMb: 512, tolerance: 1e-6 },
  });
  assertEquals(liveCodeBench({ source }).parameters!.tolerance, null);
  assertThrows(() => liveCodeBench({ source, tolerance: 0 }), RangeError, "'tolerance'");
  assertThrows(() => liveCodeBench({ source, tolerance: 2 }), RangeError, "'tolerance'");
});
