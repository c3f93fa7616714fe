import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { generate, type Method, moi, standard } from "@moi/moi/decode";
import type { Progress } from "@moi/moi/model";
import {
  completePairs,
  planStudy,
  readRuns,
  type Run,
  type RunOptions,
  runStudy,
  type Study,
} from "@moi/moi/study";
import { openStore } from "../../lib/study/store.ts";
import type { Grade, Task } from "@moi/moi/tasks";
import manifest from "../../deno.json" with { type: "json" };
import { certain, ids, mockModel, type MockOptions, prefills } from "../_mock_model.ts";
import { seeded } from "../_random.ts";
import { type Letters, letters, sorted, timeless, withStore } from "./_letters.ts";

const METHODS = { standard: standard(), half: moi({ beta: 0.5 }) };

/** A study of letters with a model of its own, so that its diary is that of one call. */
function studyOf(study: Partial<Study<Letters>> = {}, mock: MockOptions = {}) {
  const model = mockModel({ maxLength: 32, ...mock });
  return { model, task: letters(), methods: METHODS, maxNewTokens: 12, ...study };
}

/** Runs a study of letters, and says how many prompts it prefilled. */
async function ran(
  study: Partial<Study<Letters>> = {},
  options: RunOptions = {},
  mock: MockOptions = {},
) {
  const own = studyOf(study, mock);
  const runs = await runStudy(own, options);
  return { runs, prefilled: prefills(own.model as ReturnType<typeof mockModel>).length };
}

const lines = async (path: string) => (await Deno.readTextFile(path)).split("\n").slice(0, -1);

Deno.test("runStudy() stores every field of every run", async () => {
  await withStore(async (store) => {
    const { runs } = await ran({ repeats: 2, seed: 7 }, { store });
    assertEquals(runs.length, 4 * 2 * 2);
    const plan = await planStudy(studyOf({ repeats: 2, seed: 7 }));
    for (const [i, run] of runs.entries()) {
      const { tokens, text, finishReason, grade, mixing, timing, ...known } = run;
      const { study, model, method, repeat, seed, prompt, wording, ...rest } = plan.runs[i]!;
      const { problem, tokens: input } = plan.problems.get(rest.problem)!;
      assertEquals(known, {
        study,
        model,
        device: "cpu",
        dtype: "fp32",
        task: "letters",
        problem: problem.id,
        method,
        parameters: rest.parameters,
        repeat,
        studySeed: 7,
        seed,
        sampler: { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 12 },
        prompt,
        wording: wording!,
        problemFields: rest.problemFields!,
        promptTokens: input.length,
        versions: {
          moi: manifest.version,
          mock: "1.2.3",
          deno: Deno.version.deno,
        },
      });
      assert(tokens.length > 0 && tokens.length <= 12);
      assert(finishReason === "stop" || tokens.length === 12);
      assertEquals(grade, letters().grade(problem, text));
      assertEquals(mixing.meanOffSampleMass > 0, method === "half");
      assert(timing.prefillMs >= 0 && timing.decodeMs >= 0);
    }
    assertEquals(sorted(await readRuns(store)), sorted(runs));
  });
});

Deno.test("runStudy() makes of a run what generate() makes of its seed and settings", async () => {
  const { runs } = await ran({ repeats: 2, temperature: 1.5, topK: 9 });
  for (const { problem, method, seed, sampler, ...run } of runs) {
    const task = letters();
    const problems = await task.problems();
    const prompt = task.prompt(problems.find(({ id }) => id === problem)!);
    const options = { method: METHODS[method as keyof typeof METHODS], seed, ...sampler };
    const { tokens, text, mixing } = await generate(mockModel({ maxLength: 32 }), prompt, options);
    assertEquals([run.tokens, run.text, run.mixing], [tokens, text, mixing]);
  }
});

Deno.test("runStudy() is wholly reproducible, however many slots there are", async () => {
  const expected = timeless((await ran({ repeats: 3 })).runs);
  for (const slots of [1, 2, 5, 100]) {
    assertEquals(timeless((await ran({ repeats: 3 }, { slots })).runs), expected);
  }
});

Deno.test("runStudy() prefills the prompt of a problem once for all methods and repeats", async () => {
  assertEquals((await ran({ repeats: 5 }, { slots: 3 })).prefilled, 4);
});

Deno.test("runStudy() on a finished file runs nothing and leaves it as it is", async () => {
  await withStore(async (store) => {
    const first = await ran({}, { store });
    const before = await Deno.readFile(store);
    const again = await ran({}, { store });
    assertEquals(again, { ...first, prefilled: 0 });
    assertEquals(await Deno.readFile(store), before);
  });
});

Deno.test("runStudy() of more methods, problems or repeats runs only those", async () => {
  await withStore(async (store) => {
    const problem0 = { task: letters({ count: 1 }), methods: { standard: standard() } };
    const grown: [Partial<Study<Letters>>, number, number][] = [
      [problem0, 1, 1],
      [{ ...problem0, methods: METHODS }, 1, 1], // 1 more run
      [{ task: letters({ count: 3 }) }, 4, 2],
      [{ task: letters({ count: 3 }), repeats: 2 }, 6, 3],
      [{ repeats: 2 }, 4, 1],
    ];
    let kept: string[] = [];
    for (const [study, added, prefilled] of grown) {
      const own = await ran(study, { store });
      const now = await lines(store);
      assertEquals(now.slice(0, kept.length), kept);
      assertEquals([now.length - kept.length, own.prefilled], [added, prefilled]);
      kept = now;
    }
    const whole = await ran({ repeats: 2 });
    assertEquals(timeless(sorted(await readRuns(store))), timeless(sorted(whole.runs)));
  });
});

Deno.test("runStudy() of less than the file has returns that, and keeps the rest", async () => {
  await withStore(async (store) => {
    const whole = await ran({ repeats: 2 }, { store });
    const before = await Deno.readFile(store);
    const less = await ran({ limit: 2, methods: { half: METHODS.half } }, { store });
    assertEquals(less.prefilled, 0);
    const expected = whole.runs.filter(({ problem, method, repeat }) =>
      problem <= "letters-1" && method === "half" && repeat === 0
    );
    assertEquals(less.runs, expected);
    assertEquals(await Deno.readFile(store), before);
  });
});

Deno.test("runStudy() that was stopped and finished equals one that was not", async () => {
  const expected = timeless((await ran({ repeats: 2 })).runs);
  for (const after of [1, 5, 15]) {
    await withStore(async (store) => {
      const controller = new AbortController();
      const stopped = await ran({ repeats: 2 }, {
        store,
        slots: 3,
        signal: controller.signal,
        onProgress: ({ done }) => {
          if (done === after) controller.abort();
        },
      });
      assert(stopped.runs.length >= after && stopped.runs.length < 16);
      assertEquals((await lines(store)).length, stopped.runs.length);
      assert(stopped.runs.every(({ finishReason }) => finishReason !== "aborted"));
      const { runs } = await ran({ repeats: 2 }, { store });
      assertEquals(timeless(runs), expected);
      assertEquals((await lines(store)).length, 16);
    });
  }
});

Deno.test("runStudy() with a signal aborted before runs nothing", async () => {
  await withStore(async (store) => {
    const own = await ran({}, { store, signal: AbortSignal.abort() });
    assertEquals(own, { runs: [], prefilled: 0 });
    assertEquals(await readRuns(store), []);
  });
});

Deno.test("runStudy() repairs a last line that is torn at any byte", async () => {
  await withStore(async (store) => {
    const whole = (await ran({ limit: 2 }, { store, slots: 1 })).runs;
    const bytes = await Deno.readFile(store);
    const start = bytes.lastIndexOf(10, bytes.length - 2) + 1;
    const kept = new TextDecoder().decode(bytes.subarray(0, start));
    for (let end = start; end < bytes.length - 1; end++) { // without its newline it is whole
      await Deno.writeFile(store, bytes.subarray(0, end));
      const own = await ran({ limit: 2 }, { store });
      assertEquals(own.prefilled, 1);
      assertEquals(timeless(own.runs), timeless(whole));
      const text = await Deno.readTextFile(store);
      assertEquals(text.slice(0, kept.length), kept);
      assertEquals((await readRuns(store)).length, 4);
      assert(text.endsWith("}\n"));
    }
  });
});

Deno.test("runStudy() refuses a file with garbage between its lines, by number", async () => {
  await withStore(async (store) => {
    await ran({}, { store });
    const all = await lines(store);
    const text = [...all.slice(0, 2), all[2]!.slice(5), ...all.slice(3), ""].join("\n");
    await Deno.writeTextFile(store, text);
    await assertRejects(
      () => ran({ repeats: 2 }, { store }),
      SyntaxError,
      `Cannot read runs as line 3 of ${store} is not valid JSON`,
    );
    assertEquals(await Deno.readTextFile(store), text);
  });
});

const OTHERS: [string, Partial<Study<Letters>>, MockOptions, RegExp][] = [
  ["model", {}, { id: "other" }, /another model: "mock@[0-9a-f]{16}" there, "other@/],
  [
    "task",
    { task: letters({ name: "numbers" }) },
    {},
    /another task: "letters" there, "numbers" h/,
  ],
  [
    "temperature",
    { temperature: 0.5 },
    {},
    /another sampler: .*temperature: 1,.* there, .*temperature: 0.5,/,
  ],
  ["token budget", { maxNewTokens: 13 }, {}, /another sampler: .*maxNewTokens: 12 .*Tokens: 13 }/],
  ["seed", { seed: 1 }, {}, /another seed: 0 there, 1 here/],
  [
    "knob of a method",
    { methods: { ...METHODS, half: moi({ beta: 0.25 }) } },
    {},
    /another method 'half': \{ name: "moi", beta: 0.5, .* there, \{ name: "moi", beta: 0.25,/,
  ],
  [
    "method under a key",
    { methods: { half: standard() } },
    {},
    /another method 'half': .* \{ name: "standard" \} here/,
  ],
  [
    "prompt",
    { task: letters({ prompt: ({ letters }) => `${letters}x` }) },
    {},
    /another prompt for problem 'letters-[0-2]': /,
  ],
];
for (const [what, study, mock, sentence] of OTHERS) {
  Deno.test(`runStudy() refuses the file of a study with another ${what}, and leaves it`, async () => {
    await withStore(async (store) => {
      await ran({ limit: 3 }, { store });
      const whole = await Deno.readFile(store);
      for (const bytes of [whole, whole.subarray(0, -20)]) { // the second one has a torn last line
        await Deno.writeFile(store, bytes);
        const own = studyOf(study, mock);
        const error = await assertRejects(() => runStudy(own, { store }), Error);
        const { message } = error as Error;
        assert(
          message.startsWith(`Cannot continue the study in ${store} as its runs have`),
          message,
        );
        assert(sentence.test(message), message);
        assertEquals((own.model as ReturnType<typeof mockModel>).caches, []);
        assertEquals(await Deno.readFile(store), bytes);
      }
    });
  });
}

Deno.test("runStudy() knows a method by its knobs, whatever their order", async () => {
  await withStore(async (store) => {
    const own = (parameters: Record<string, number>): Method => ({ ...standard(), parameters });
    await ran({ methods: { own: own({ a: 1, b: 2 }) } }, { store });
    const again = await ran({ methods: { own: own({ b: 2, a: 1 }) } }, { store });
    assertEquals(again.prefilled, 0);
    await assertRejects(
      () => ran({ methods: { own: own({ a: 2, b: 1 }) } }, { store }),
      Error,
      "another method 'own'",
    );
  });
});

Deno.test("runStudy() refuses a file that another one writes to", async () => {
  await withStore(async (store) => {
    let refused: unknown;
    const { runs } = await ran({}, { store, slots: 1 }, {
      before: async (made) => {
        if (made !== 3 || refused) return;
        refused = await ran({}, { store }).catch((error) => error);
      },
    });
    assertEquals(
      (refused as Error).message,
      `Cannot open runs as another process writes to ${store}`,
    );
    assertEquals((await lines(store)).length, runs.length);
    (await openStore(store))[Symbol.dispose](); // and lets go of it
  });
});

for (const store of ["/dev/null", "/tmp"]) {
  Deno.test({
    name: `runStudy() refuses ${store} as a store`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await assertRejects(() => ran({}, { store }), TypeError, "must be a regular file");
    },
  });
}

const twice = letters({ problems: () => ["a", "a"].map((id) => ({ id, letters: id })) });
const REFUSED: [string, object, object, typeof RangeError | typeof TypeError, string][] = [
  ["no methods", { methods: {} }, {}, TypeError, "'methods' must name a method"],
  ["no task", { task: undefined }, {}, TypeError, "'task' must be a task"],
  ["no problems", { task: letters({ count: 0 }) }, {}, TypeError, "'letters' has no problems"],
  ["two problems of one id", { task: twice }, {}, TypeError, "two problems are a"],
  ["repeats 0", { repeats: 0 }, {}, RangeError, "'repeats' must be an integer at least 1"],
  ["limit 0", { limit: 0 }, {}, RangeError, "'limit' must be an integer at least 1"],
  ["seed 0.5", { seed: 0.5 }, {}, RangeError, "'seed' must be an integer at least 0"],
  ["an unknown setting", { betas: [1] }, {}, TypeError, "'betas' is not an option"],
  ["an unknown option", {}, { path: "x" }, TypeError, "'path' is not an option: known options are"],
  ["slots 0", {}, { slots: 0 }, RangeError, "'slots' must be an integer at least 1"],
  ["slots '2'", {}, { slots: "2" }, TypeError, "'slots' must be an integer at least 1"],
];
for (const [what, study, options, type, sentence] of REFUSED) {
  Deno.test(`runStudy() refuses ${what} before it makes a file`, async () => {
    await withStore(async (store) => {
      await assertRejects(
        () => ran(study, { store, ...options }),
        type,
        `Cannot run the study as ${sentence}`,
      );
      await assertRejects(() => Deno.stat(store), Deno.errors.NotFound);
    });
  });
}

Deno.test("runStudy() tells its progress: all runs, those stored included", async () => {
  await withStore(async (store) => {
    const told: Progress[] = [];
    const onProgress = (progress: Progress) => void told.push(progress);
    await ran({ limit: 2 }, { store, onProgress });
    assertEquals(told.map(({ done, total }) => [done, total]), [0, 1, 2, 3, 4].map((n) => [n, 4]));
    assertEquals([told[0]!.label, told[0]!.note], ["letters", ""]);
    told.length = 0;
    await ran({}, { store, onProgress });
    assertEquals(told.map(({ done }) => done), [4, 5, 6, 7, 8]);
    assertEquals(told[0]!.total, 8);
  });
});

Deno.test("runStudy() tells the accuracy of the first method and the best other", async () => {
  const feeding = (letter: string): Method => ({
    ...standard(),
    step: () => ({ input: { ids: ids(letter), weights: [1] }, state: undefined }),
  });
  let note = "";
  await runStudy(
    // the second token is what the method fed: only "e" is right
    studyOf({
      task: letters({ prompt: () => "a" }),
      methods: { a: feeding("x"), b: feeding("y"), c: feeding("e") },
      maxNewTokens: 2,
    }, { logits: (history) => certain(history.at(-1)!.ids[0]!) }),
    { onProgress: (progress) => note = progress.note ?? "" },
  );
  assertEquals(note, "a 0.0 %, best c 100.0 %");
});

Deno.test("runStudy() leaves out of the accuracy what nothing can judge, and counts it", async () => {
  const notes: (string | undefined)[] = [];
  const verdicts: Record<string, object> = {
    "letters-0": { correct: true },
    "letters-1": { correct: false, ungradable: true },
    "letters-2": { correct: true, ungradable: true }, // which it must not be
    "letters-3": { correct: false },
  };
  const grade = ({ id }: Letters) => ({ extracted: null, ...verdicts[id]! }) as Grade;
  const runs = async (task: Partial<Task<Letters>>, store?: string) =>
    await ran({ task: letters(task) }, {
      ...(store ? { store } : {}),
      slots: 1,
      onProgress: ({ note }) => void notes.push(note),
    });
  await withStore(async (store) => {
    await runs({ grade }, store);
    assertEquals(notes.at(-1), "standard 50.0 %, best half 50.0 %, 4 ungradable");
    notes.length = 0;
    await runs({ grade }, store); // and so after a resume
    assertEquals(notes, ["standard 50.0 %, best half 50.0 %, 4 ungradable"]);
  });
  notes.length = 0;
  await runs({ grade: () => grade({ id: "letters-1", letters: "" }) });
  assertEquals(notes.slice(0, 2), ["", "1 ungradable"]);
  assertEquals(notes.at(-1), "8 ungradable");
});

Deno.test("runStudy() of a grader that throws keeps the runs before, and can be finished", async () => {
  await withStore(async (store) => {
    const failure = new Error("no grade");
    let graded = 0;
    const task = letters({
      grade: (problem, text) => {
        if (++graded === 4) throw failure;
        return letters().grade(problem, text);
      },
    });
    const error = await assertRejects(() => ran({ task }, { store, slots: 2 }));
    assertStrictEquals(error, failure);
    assertEquals((await lines(store)).length, 3);
    assertEquals(timeless((await ran({}, { store })).runs), timeless((await ran()).runs));
  });
});

Deno.test("runStudy() of a listener that throws keeps the runs told of, and frees the file", async () => {
  await withStore(async (store) => {
    const onProgress = ({ done }: Progress) => {
      if (done === 3) throw new Error("no more");
    };
    await assertRejects(() => ran({}, { store, onProgress }), Error, "no more");
    assertEquals((await lines(store)).length, 3);
    assertEquals((await ran({}, { store })).runs.length, 8);
  });
});

Deno.test("runStudy() survives 40 stops at random moments", async () => {
  const random = seeded(61);
  const expected = timeless((await ran({ repeats: 3 })).runs);
  await withStore(async (store) => {
    let kept: string[] = [], partial = 0;
    for (let round = 0; round < 40; round++) {
      const controller = new AbortController();
      const at = random.below(30);
      await ran({ repeats: 3 }, {
        store,
        slots: 1 + random.below(4),
        signal: controller.signal,
      }, { before: (made) => made >= at ? controller.abort() : undefined });
      const now = await lines(store);
      assertEquals(now.slice(0, kept.length), kept);
      if (now.length > kept.length && now.length < expected.length) partial++;
      kept = now;
    }
    assert(partial > 5, `${partial} stops with some new runs`);
    assertEquals(timeless((await ran({ repeats: 3 }, { store })).runs), expected);
    assertEquals(new Set(await lines(store)).size, expected.length);
  });
});

/** A run by its key alone. */
const keyed = (problem: string, method: string, repeat = 0) => ({ problem, method, repeat }) as Run;

Deno.test("completePairs() keeps problems that all methods finished in all repeats", () => {
  const runs = ["a", "b"].flatMap((method) =>
    [0, 1].flatMap((repeat) => ["x", "y", "z"].map((problem) => keyed(problem, method, repeat)))
  );
  assertEquals(completePairs(runs).length, 12);
  const torn = runs.filter(({ problem, method, repeat }) =>
    !(problem === "y" && method === "b" && repeat === 1)
  );
  const kept = completePairs(torn);
  assertEquals(kept.length, 8);
  assert(kept.every(({ problem }) => problem !== "y"));
  assertEquals(completePairs([]), []);
});

Deno.test("completePairs() of a study that was stopped can be compared", async () => {
  await withStore(async (store) => {
    const controller = new AbortController();
    const { runs } = await ran({ repeats: 2 }, {
      store,
      slots: 2,
      signal: controller.signal,
      onProgress: ({ done }) => done === 9 && controller.abort(),
    });
    const kept = completePairs(runs);
    assert(kept.length > 0 && kept.length <= runs.length);
    for (const own of Map.groupBy(kept, ({ problem }) => problem).values()) {
      assertEquals(own.length, 4);
    }
    assert(kept.every(({ problem }) => problem !== "letters-3"));
  });
});
