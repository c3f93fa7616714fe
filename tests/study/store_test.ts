import { assert, assertEquals, assertRejects } from "@std/assert";
import { pathToFileURL } from "node:url";
import { openStore, readRuns, type Run } from "@moi/moi/study";
import { withStore } from "./_letters.ts";

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
    for (const keep of [1, 10, last.length - 2, last.length - 1]) {
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
    for (const torn of [line.slice(0, 3), line.slice(0, 40), line]) {
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
    const script = `import { openStore } from "@moi/moi/study";
      await openStore(Deno.args[0]).then(() => console.log("opened"), (e) => console.log(e.message));`;
    const child = async () => {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "--ext=ts", script, path],
        cwd: new URL("../..", import.meta.url),
      }).output();
      return new TextDecoder().decode(stdout).trim();
    };
    {
      using _ = await openStore(path);
      assertEquals(await child(), `Cannot open runs as another process writes to ${path}`);
    }
    assertEquals(await child(), "opened");
  });
});
