import { assert, assertEquals, assertRejects } from "@std/assert";
import { pathToFileURL } from "node:url";
import { readRuns, type Run } from "@moi/moi/study";
import { openStore } from "../../lib/study/store.ts";
import { withStore } from "./_letters.ts";
import { deno } from "../_process.ts";

/** A made-up run. */
function run(i: number, text = ""): Run {
  return {
    study: "0123456789abcdef",
    model: "mock@0",
    device: "cpu",
    dtype: "fp32",
    task: "letters",
    problem: `p${i}`,
    method: "standard",
    parameters: { name: "standard" },
    repeat: 0,
    studySeed: 0,
    seed: 2 ** 53 - 1,
    sampler: { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 9 },
    prompt: "0123456789abcdef",
    promptTokens: 3,
    tokens: [1, 2, i],
    text,
    finishReason: "stop",
    grade: { correct: i % 2 === 0, extracted: text },
    mixing: { meanEntropy: 0.1, meanOffSampleMass: 1 / 3 },
    timing: { prefillMs: 0.1, decodeMs: 1e-7 },
    versions: { moi: "0.1.0" },
  };
}

async function write(path: string, runs: readonly Run[]): Promise<void> {
  using store = await openStore(path);
  for (const one of runs) store.append(one);
}

Deno.test("openStore() makes the file, appends whole lines, and gives them back", async () => {
  await withStore(async (path) => {
    await write(path, [run(0), run(1)]);
    await write(path, [run(2)]);
    using store = await openStore(path);
    assertEquals(store.runs, [run(0), run(1), run(2)]);
    const text = await Deno.readTextFile(path);
    assertEquals(text.split("\n").length, 4);
    assert(text.endsWith("}\n"));
  });
});

Deno.test("readRuns() gives back any text", async () => {
  await withStore(async (path) => {
    const texts = ['a\nb\r\n"\\', "\u2028\u2029\0\x1b", "é 漢字 👩‍🔬", "\ud800 half a pair", "<eos>"];
    await write(path, texts.map((text, i) => run(i, text)));
    assertEquals((await readRuns(path)).map(({ text }) => text), texts);
  });
});

Deno.test("readRuns() reads lines across the borders of its reads", async () => {
  await withStore(async (path) => {
    const runs = Array.from({ length: 40 }, (_, i) => run(i, "漢é👩".repeat(9_000 + i)));
    runs.push(run(40, "x".repeat(3 << 20)));
    await write(path, runs);
    assert((await Deno.stat(path)).size > 6 << 20);
    assertEquals(await readRuns(path), runs);
  });
});

Deno.test("readRuns() takes a path, a file URL, and its text", async () => {
  await withStore(async (path) => {
    const odd = `${path.slice(0, -6)} %20é#?.jsonl`, url = pathToFileURL(odd);
    await write(odd, [run(0)]);
    for (const store of [odd, url, url.href]) assertEquals(await readRuns(store), [run(0)]);
  });
});

Deno.test("readRuns() of an empty file is no runs", async () => {
  await withStore(async (path) => {
    await Deno.writeTextFile(path, "");
    assertEquals(await readRuns(path), []);
  });
});

Deno.test("openStore() makes the folders of a new file, readRuns() none", async () => {
  await withStore(async (path) => {
    const folder = `${path}.d`, deep = `${folder}/b/runs.jsonl`;
    await assertRejects(() => readRuns(deep), Deno.errors.NotFound);
    await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
    await write(deep, [run(0)]);
    assertEquals(await readRuns(deep), [run(0)]);
    await Deno.remove(folder, { recursive: true });
  });
});

Deno.test("readRuns() of a missing file rejects, and makes none", async () => {
  await withStore(async (path) => {
    await assertRejects(() => readRuns(path), Deno.errors.NotFound);
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  });
});

for (const path of ["/dev/null", "/tmp"]) {
  Deno.test({
    name: `openStore() and readRuns() refuse ${path}`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const rule = `'store' must be a regular file: current value is ${path}`;
      await assertRejects(() => openStore(path), TypeError, rule);
      await assertRejects(() => readRuns(path), TypeError, rule);
    },
  });
}

Deno.test("openStore() and readRuns() refuse what is no path", async () => {
  for (const store of [5, null, { path: "x" }] as unknown as string[]) {
    await assertRejects(() => openStore(store), TypeError, "'store' must be a path or file URL");
    await assertRejects(() => readRuns(store), TypeError, "'store' must be a path or file URL");
  }
  await assertRejects(() => readRuns(new URL("https://example.org/runs.jsonl")), TypeError);
});

const GARBAGE: [string, string, string][] = [
  ["no JSON", "{oops", "line 2 of PATH is not valid JSON"],
  ["an empty line", "", "line 2 of PATH is not valid JSON"],
  ["half a run", JSON.stringify(run(1)).slice(0, -9), "line 2 of PATH is not valid JSON"],
  ["a number", "5", "line 2 of PATH must be a run with study, model, task, problem, method"],
  ["null", "null", "line 2 of PATH must be a run"],
  ["another object", '{"study":"x"}', "line 2 of PATH must be a run"],
  ["a run without its grade", JSON.stringify({ ...run(1), grade: null }), "must be a run"],
  ["a run whose repeat is text", JSON.stringify({ ...run(1), repeat: "0" }), "must be a run"],
];
for (const [what, line, sentence] of GARBAGE) {
  Deno.test(`openStore() and readRuns() refuse ${what} between runs, by its number`, async () => {
    await withStore(async (path) => {
      const text = [JSON.stringify(run(0)), line, JSON.stringify(run(2)), ""].join("\n");
      await Deno.writeTextFile(path, text);
      const message = `Cannot read runs as ${sentence.replace("PATH", path)}`;
      const words = sentence.includes("PATH") ? message : sentence;
      await assertRejects(() => readRuns(path), SyntaxError, words);
      await assertRejects(() => openStore(path), SyntaxError, words);
      assertEquals(await Deno.readTextFile(path), text);
      using _ = await Deno.open(path).then(async (file) => {
        assert(await file.tryLock(true)); // the refused store holds no lock
        return file;
      });
    });
  });
}

Deno.test("readRuns() passes over a torn last line, and openStore() writes in its place", async () => {
  await withStore(async (path) => {
    const lines = [run(0, "é"), run(1, "漢字"), run(2)].map((one) => `${JSON.stringify(one)}\n`);
    const whole = new TextEncoder().encode(lines[0]! + lines[1]!);
    const last = new TextEncoder().encode(lines[2]);
    for (const keep of [1, 10, last.length - 2]) {
      await Deno.writeFile(path, new Uint8Array([...whole, ...last.subarray(0, keep)]));
      assertEquals(await readRuns(path), [run(0, "é"), run(1, "漢字")]);
      {
        using store = await openStore(path);
        assertEquals(store.runs.length, 2);
        assertEquals((await Deno.stat(path)).size, whole.length + keep); // as it was, until then
        store.append(run(7));
        store.append(run(8));
      }
      assertEquals((await readRuns(path)).map(({ problem }) => problem), ["p0", "p1", "p7", "p8"]);
    }
  });
});

Deno.test("openStore() and readRuns() take a torn first line, but no other single line", async () => {
  await withStore(async (path) => {
    const line = JSON.stringify(run(0));
    for (const torn of [line.slice(0, 3), line.slice(0, 40), line.slice(0, -1)]) {
      await Deno.writeTextFile(path, torn);
      assertEquals(await readRuns(path), []);
      (await openStore(path))[Symbol.dispose]();
    }
    for (const foreign of ["my notes", "{", '{"name":"@moi/moi"}'].map((text) => `${text} `)) {
      await Deno.writeTextFile(path, foreign);
      const sentence = `line 1 of ${path} is not the start of a run`;
      await assertRejects(() => openStore(path), SyntaxError, sentence);
      await assertRejects(() => readRuns(path), SyntaxError, sentence);
      assertEquals(await Deno.readTextFile(path), foreign);
    }
  });
});

Deno.test("openStore() refuses a second opening until the first is disposed", async () => {
  await withStore(async (path) => {
    const store = await openStore(path);
    store.append(run(0));
    const sentence = `Cannot open runs as another process writes to ${path}`;
    await assertRejects(() => openStore(path), Error, sentence);
    assertEquals(await readRuns(path), [run(0)]); // reading is free
    store[Symbol.dispose]();
    using again = await openStore(path);
    assertEquals(again.runs.length, 1);
  });
});

Deno.test("openStore() refuses a second process", async () => {
  await withStore(async (path) => {
    const script = `import { openStore } from "${new URL(
      "../../lib/study/store.ts",
      import.meta.url,
    )}";
      await openStore(Deno.args[0]).then(() => console.log("opened"), (e) => console.log(e.message));`;
    const child = async () => (await deno(["eval", "--ext=ts", script, path])).stdout.trim();
    {
      using _ = await openStore(path);
      assertEquals(await child(), `Cannot open runs as another process writes to ${path}`);
    }
    assertEquals(await child(), "opened");
  });
});

/** Ways in which whole files of two runs are found, and what an appended run is preceded by. */
const lineOf = (i: number) => JSON.stringify(run(i));
const RESTYLED = JSON.stringify(Object.fromEntries(Object.entries(run(0)).reverse()))
  .replaceAll('":', '": ');
const WHOLE: [what: string, text: string, kept: string][] = [
  ["no end of the last line", `${lineOf(0)}\n${lineOf(1)}`, `${lineOf(0)}\n${lineOf(1)}\n`],
  ["a blank line at the end", `${lineOf(0)}\n${lineOf(1)}\n\n`, `${lineOf(0)}\n${lineOf(1)}\n`],
  ["blanks without an end", `${lineOf(0)}\n${lineOf(1)}\n \t`, `${lineOf(0)}\n${lineOf(1)}\n`],
  ["many blank lines", `${lineOf(0)}\n${lineOf(1)}\n\n  \n\r\n`, `${lineOf(0)}\n${lineOf(1)}\n`],
  ["CRLF", `${lineOf(0)}\r\n${lineOf(1)}\r\n`, `${lineOf(0)}\r\n${lineOf(1)}\r\n`],
  ["CRLF and no end", `${lineOf(0)}\r\n${lineOf(1)}`, `${lineOf(0)}\r\n${lineOf(1)}\n`],
  [
    "CRLF, a blank line",
    `${lineOf(0)}\r\n${lineOf(1)}\r\n\r\n`,
    `${lineOf(0)}\r\n${lineOf(1)}\r\n`,
  ],
  ["a byte-order mark", `\ufeff${lineOf(0)}\n${lineOf(1)}\n`, `\ufeff${lineOf(0)}\n${lineOf(1)}\n`],
  ["a mark and no end", `\ufeff${lineOf(0)}\n${lineOf(1)}`, `\ufeff${lineOf(0)}\n${lineOf(1)}\n`],
  ["blanks around", `  ${lineOf(0)} \n\t${lineOf(1)}  `, `  ${lineOf(0)} \n\t${lineOf(1)}  \n`],
  [
    "keys in another order, and blanks within",
    `${RESTYLED}\n${lineOf(1)}\n`,
    `${RESTYLED}\n${lineOf(1)}\n`,
  ],
  [
    "a torn line after",
    `${lineOf(0)}\n${lineOf(1)}\n${lineOf(2).slice(0, 99)}`,
    `${lineOf(0)}\n${lineOf(1)}\n`,
  ],
  ["blanks and a torn line", `${lineOf(0)}\n${lineOf(1)}\n\n{"stu`, `${lineOf(0)}\n${lineOf(1)}\n`],
  [
    "zeros of a power failure",
    `${lineOf(0)}\n${lineOf(1)}\n\0\0\0`,
    `${lineOf(0)}\n${lineOf(1)}\n`,
  ],
  [
    "zeros in a line of a power failure",
    `${lineOf(0)}\n${lineOf(1)}\n${lineOf(2).slice(0, 50)}\0\0`,
    `${lineOf(0)}\n${lineOf(1)}\n`,
  ],
];
for (const [what, text, kept] of WHOLE) {
  Deno.test(`openStore() and readRuns() take a file with ${what}, and append after its runs`, async () => {
    await withStore(async (path) => {
      await Deno.writeTextFile(path, text);
      assertEquals(await readRuns(path), [run(0), run(1)]);
      {
        using store = await openStore(path);
        assertEquals(store.runs, [run(0), run(1)]);
      }
      assertEquals(await Deno.readTextFile(path), text); // opening changes nothing
      await write(path, [run(7), run(8)]);
      assertEquals(
        new TextDecoder("utf-8", { ignoreBOM: true }).decode(await Deno.readFile(path)),
        `${kept}${lineOf(7)}\n${lineOf(8)}\n`,
      );
      assertEquals(await readRuns(path), [run(0), run(1), run(7), run(8)]);
    });
  });
}

Deno.test("openStore() and readRuns() take a file without any run that an editor saved", async () => {
  await withStore(async (path) => {
    for (const text of ["", "\n", "\r\n\r\n", " ", "\ufeff", "\ufeff\n"]) {
      await Deno.writeTextFile(path, text);
      assertEquals(await readRuns(path), []);
      await write(path, [run(3)]);
      assertEquals(await readRuns(path), [run(3)]);
    }
  });
});

const NOT_OURS: [string, string | Uint8Array, string][] = [
  ["notes after the runs", `${lineOf(0)}\nmy notes`, "line 2 of PATH is not the start of a run"],
  ["an object after the runs", `${lineOf(0)}\n{"a":1}`, "line 2 of PATH is not the start of a run"],
  ["a number after the runs", `${lineOf(0)}\n5`, "line 2 of PATH is not the start of a run"],
  ["two runs on a line", `${lineOf(0)}${lineOf(1)}\n`, "line 1 of PATH is not valid JSON"],
  [
    "runs after a blank line",
    `${lineOf(0)}\n\n\n${lineOf(1)}\n`,
    "line 2 of PATH is not valid JSON",
  ],
  ["a run as a list", `[${lineOf(0)}]\n`, "line 1 of PATH must be a run"],
  ["a run over many lines", JSON.stringify(run(0), null, 2), "line 1 of PATH is not valid JSON"],
  [
    "text that is no UTF-8",
    new Uint8Array([...new TextEncoder().encode(lineOf(0).slice(0, -2)), 0xe9, 0x22, 0x7d, 10]),
    "line 1 of PATH is not valid UTF-8",
  ],
  [
    "UTF-16",
    new Uint8Array([0xff, 0xfe, ...[...lineOf(0)].flatMap((c) => [c.charCodeAt(0), 0])]),
    "line 1 of PATH must be UTF-8 text: it is UTF-16",
  ],
];
for (const [what, content, sentence] of NOT_OURS) {
  Deno.test(`openStore() and readRuns() refuse ${what}, and leave the file`, async () => {
    await withStore(async (path) => {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(path, bytes);
      const words = `Cannot read runs as ${sentence.replace("PATH", path)}`;
      await assertRejects(() => readRuns(path), SyntaxError, words);
      await assertRejects(() => openStore(path), SyntaxError, words);
      assertEquals(await Deno.readFile(path), bytes);
    });
  });
}

Deno.test("readRuns() gives runs in the order of their study, whenever they were finished", async () => {
  const own = (problem: string, method: string, repeat = 0): Run => ({
    ...{ ...run(0), problem, method, repeat },
  });
  await withStore(async (path) => {
    {
      using store = await openStore(path);
      store.append(own("q2", "moi"), [1, 1]);
      store.append(own("q1", "moi", 1), [0, 1]);
      store.append(own("q1", "standard", 1), [0, 0]);
      store.append(own("q1", "moi"), [0, 1]);
      store.append(own("q2", "standard"), [1, 0]);
      store.append(own("q1", "standard"), [0, 0]);
    }
    const order = async () =>
      (await readRuns(path)).map((run) => `${run.problem} ${run.method} ${run.repeat}`);
    const expected = [
      ...["q1 standard 0", "q1 moi 0", "q1 standard 1", "q1 moi 1", "q2 standard 0", "q2 moi 0"],
    ];
    assertEquals(await order(), expected);
    assertEquals(Object.keys((await readRuns(path))[0]!), Object.keys(run(0))); // no trace of it
    // a line of an earlier release comes first, in the order of the file
    await write(path, [own("q0", "standard")]);
    assertEquals(await order(), ["q0 standard 0", ...expected]);
  });
});
