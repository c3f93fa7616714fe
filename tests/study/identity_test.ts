/** What a stored study is known by: what may change between two calls, and what is refused by name. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { moi, standard } from "@moi/moi/decode";
import type { Model, Progress } from "@moi/moi/model";
import { readRuns, regradedRun, type Run, runStudy, type Study } from "@moi/moi/study";
import type { Grade, Problem, Task } from "@moi/moi/tasks";
import { mockModel } from "../_mock_model.ts";
import { timeless, withStore } from "./_letters.ts";

interface Asked extends Problem {
  readonly question: string;
  readonly answer: unknown;
}

const PROBLEMS: readonly Asked[] = [
  { id: "q0", question: "ab", answer: "e", tests: [{ in: [1, 2], out: null }] },
  { id: "q1", question: "cd", answer: "k", tests: [] },
  { id: "q2", question: "ef", answer: "m", tests: [] },
];

type Options = Partial<Task<Asked, Grade | Promise<Grade>>>;

/** Questions in a conversation; an answer is right where the text holds the gold letter. */
function asked(problems: readonly object[] = PROBLEMS, rest: Options = {}) {
  const task: Task<Asked, Grade | Promise<Grade>> = {
    name: "asked",
    parameters: { grading: "last", prompt: "plain" },
    problems: () => [...problems] as Asked[],
    prompt: ({ question }) => [{ role: "user", content: question }],
    grade: ({ answer }, text) => ({ correct: text.includes(String(answer)), extracted: null }),
    ...rest,
  };
  return task;
}

const METHODS = { standard: standard(), half: moi({ beta: 0.5 }) };

function studyOf(study: Partial<Study<Asked>> = {}): Study<Asked> {
  return {
    ...{ model: mockModel({ maxLength: 32 }), task: asked(), methods: METHODS, maxNewTokens: 12 },
    ...study,
  };
}

/** The problems with some fields of one of them changed. */
function withFields(id: string, fields: object): object[] {
  return PROBLEMS.map((problem) => problem.id === id ? { ...problem, ...fields } : problem);
}

const REFUSED: [what: string, study: Partial<Study<Asked>>, sentence: string][] = [
  [
    "a gold answer",
    { task: asked(withFields("q1", { answer: "x" })) },
    "'answer' of problem 'q1'; grade its texts again",
  ],
  ["the kind of a gold answer", {
    task: asked(withFields("q1", { answer: ["k"] })),
  }, "'answer' of problem 'q1'; grade its texts again"],
  ["a gold answer that is gone", {
    task: asked(withFields("q2", { answer: undefined })),
  }, "'answer' of problem 'q2'; grade its texts again"],
  ["all gold answers", {
    task: asked(PROBLEMS.map((problem) => ({ ...problem, answer: "z" }))),
  }, "'answer' of problem 'q0', and 2 other problems changed; grade"],
  ["a test deep in a problem", {
    task: asked(withFields("q0", { tests: [{ in: [1, 3], out: null }] })),
  }, "'tests' of problem 'q0'; grade its texts again"],
  ["the order within a field", {
    task: asked(withFields("q0", { tests: [{ in: [2, 1], out: null }] })),
  }, "'tests' of problem 'q0'; grade its texts again"],
  ["a field more", {
    task: asked(withFields("q0", { unit: "m" })),
  }, "'unit' of problem 'q0'; grade its texts again"],
  ["an integer beyond 2⁵³", {
    task: asked(withFields("q0", { tests: 9007199254740993n })),
  }, "'tests' of problem 'q0'; grade its texts again"],
  ["rows in another order, the ids counted", {
    task: asked([1, 0, 2].map((i, at) => ({ ...PROBLEMS[i]!, id: `q${at}` }))),
  }, "prompt for problem 'q0': "],
  ["the words of a question", {
    task: asked(withFields("q2", { question: "eg" })),
  }, "prompt for problem 'q2': "],
  ["the words around all questions", {
    task: asked(PROBLEMS, {
      prompt: ({ question }) => [{ role: "user", content: `a ${question}` }],
    }),
  }, "prompt for problem 'q0': "],
  ["a system prompt", {
    task: asked(PROBLEMS, {
      prompt: ({ question }) => [
        { role: "system", content: "x" },
        { role: "user", content: question },
      ],
    }),
  }, "prompt for problem 'q0': "],
  ["a role", {
    task: asked(PROBLEMS, { prompt: ({ question }) => [{ role: "system", content: question }] }),
  }, "prompt for problem 'q0': "],
  ["the task's grading", {
    task: asked(PROBLEMS, { parameters: { grading: "released", prompt: "plain" } }),
  }, `option 'grading' of the task: "last" there, "released" here`],
  ["an option that is gone", {
    task: asked(PROBLEMS, { parameters: { grading: "last" } }),
  }, `option 'prompt' of the task: "plain" there, none here`],
  ["an option more", {
    task: asked(PROBLEMS, { parameters: { grading: "last", prompt: "plain", tolerance: 1e-6 } }),
  }, "option 'tolerance' of the task: none there, 0.000001 here"],
  ["no option at all", {
    task: { ...asked(), parameters: undefined } as never,
  }, `option 'grading' of the task: "last" there, none here`],
  ["the kind of an option", {
    task: asked(PROBLEMS, { parameters: { grading: true, prompt: "plain" } }),
  }, `option 'grading' of the task: "last" there, true here`],
  [
    "the task's name",
    { task: asked(PROBLEMS, { name: "other" }) },
    `task: "asked" there, "other" here`,
  ],
  ["a chat variable", {
    chat: { enable_thinking: false },
  }, "chat variable 'enable_thinking': none there, false here"],
  [
    "the weights",
    { model: mockModel({ maxLength: 32, id: "b" }) },
    'model: "mock@27c36ea0e9b3118e" there',
  ],
  ["the device", {
    model: { ...mockModel({ maxLength: 32 }), device: "cuda" },
  }, 'device: "cpu" there, "cuda" here'],
  ["the number format", {
    model: { ...mockModel({ maxLength: 32 }), dtype: "int4" },
  }, 'dtype: "fp32" there, "int4" here'],
  ["keys and values", {
    model: { ...mockModel({ maxLength: 32 }), kv: "int8" },
  }, 'dtype: "fp32" there, "fp32, kv int8" here'],
  ["the seed", { seed: 5 }, "seed: 0 there, 5 here"],
  ["the temperature", { temperature: 0.5 }, "(temperature: 1 there, 0.5 here); name another file"],
  ["top-k", { topK: 9 }, "(topK: 0 there, 9 here)"],
  ["a penalty", { repetitionPenalty: 1.2 }, "(repetitionPenalty: none there, 1.2 here)"],
  ["a bias", { logitBias: { 5: 1, 6: 2 } }, "(logitBias: none there, "],
  ["the token budget", { maxNewTokens: 13 }, "(maxNewTokens: 12 there, 13 here)"],
  ["a model that recommends", {
    model: mockModel({ maxLength: 32, defaults: { topP: 0.9 } }),
  }, "(topP: 1 there, 0.9 here)"],
  ["a task that recommends", {
    task: asked(PROBLEMS, { defaults: { minP: 0.1 } }),
  }, "(minP: 0 there, 0.1 here)"],
  ["a knob", { methods: { half: moi({ beta: 0.25 }) } }, "(beta: 0.5 there, 0.25 here)"],
];
for (const [what, study, sentence] of REFUSED) {
  Deno.test(`runStudy() refuses a file where ${what} changed, and says so`, async () => {
    await withStore(async (store) => {
      await runStudy(studyOf(), { store });
      const before = await Deno.readFile(store), own = studyOf(study);
      const { message } = await assertRejects(() => runStudy(own, { store }), Error);
      const start = `Cannot continue the study in ${store} as its runs have another `;
      assert(message.startsWith(start) && message.includes(sentence), message);
      assert(message.endsWith("name another file"), message);
      const isGrading = /another (option|'\w+' of problem)/.test(message); // the prompts are the same
      assertEquals(message.includes("; grade its texts again"), isGrading, message);
      assertEquals(await Deno.readFile(store), before);
    });
  });
}

const TAKEN: [what: string, study: Partial<Study<Asked>>][] = [
  ["nothing changed", {}],
  ["fields come in another order", {
    task: asked(
      PROBLEMS.map(({ id, ...rest }) =>
        Object.fromEntries([...Object.entries(rest).reverse(), ["id", id]])
      ),
    ),
  }],
  ["a field is undefined", { task: asked(PROBLEMS.map((own) => ({ ...own, unit: undefined }))) }],
  ["options come in another order", {
    task: asked(PROBLEMS, { parameters: { prompt: "plain", grading: "last" } }),
  }],
  ["settings are undefined", {
    ...{ temperature: undefined, seed: undefined, limit: undefined, repeats: undefined } as object,
    chat: { unused: undefined },
  }],
  ["settings are told that are the same", {
    temperature: 1,
    topK: 0,
    repetitionPenalty: 1,
    seed: 0,
  }],
  ["the model was moved", { model: { ...mockModel({ maxLength: 32 }), id: "/new/place" } }],
  ["it is less", { limit: 1, methods: { half: METHODS.half } }],
];
for (const [what, study] of TAKEN) {
  Deno.test(`runStudy() continues a file where ${what}`, async () => {
    await withStore(async (store) => {
      const first = await runStudy(studyOf(), { store });
      const own = studyOf(study), again = await runStudy(own, { store });
      assertEquals((own.model as ReturnType<typeof mockModel>).caches, []);
      const wanted = new Set(again.map((run) => `${run.problem} ${run.method}`));
      assertEquals(again, first.filter((run) => wanted.has(`${run.problem} ${run.method}`)));
      assert(again.length > 0);
    });
  });
}

Deno.test("runStudy() keeps the names of the file for the runs that it adds", async () => {
  await withStore(async (store) => {
    await runStudy(studyOf({ limit: 1 }), { store });
    const model = { ...mockModel({ maxLength: 32 }), id: "/new/place" };
    const runs = await runStudy(studyOf({ model, repeats: 2 }), { store });
    assertEquals(runs.length, 12);
    for (const field of ["study", "model"] as const) {
      assertEquals(new Set(runs.map((run) => run[field])).size, 1, field);
    }
  });
});

/** A model whose chat template prints the day. */
function dated(day: string): Model {
  const own = mockModel({ maxLength: 32 });
  return { ...own, chat: (messages) => `<bos>${day}.${messages.map((m) => m.content).join(".")}` };
}

Deno.test("runStudy() goes on where the chat template prints another date, and says so", async () => {
  await withStore(async (store) => {
    const first = await runStudy(studyOf({ model: dated("fri"), limit: 2 }), { store });
    const notes: (string | undefined)[] = [];
    const onProgress = ({ note }: Progress) => void notes.push(note);
    const runs = await runStudy(studyOf({ model: dated("sat"), repeats: 2 }), {
      store,
      onProgress,
    });
    assertEquals(runs.length, 12);
    assertEquals(runs.filter(({ problem, repeat }) => problem < "q2" && repeat === 0), first);
    assert(notes[0]!.endsWith("the prompts of 4 stored runs were rendered otherwise (a date?)"));
    const digests = runs.filter(({ problem }) => problem === "q0").map(({ prompt }) => prompt);
    assertEquals(new Set(digests).size, 2); // both are told
    const [one] = runs;
    assertEquals(runs.every((run) => run.study === one!.study), true);
  });
});

Deno.test("runStudy() refuses prompts that another chat template rendered", async () => {
  await withStore(async (store) => {
    const of = (day: string, template: string) => ({ ...dated(day), template });
    const first = await runStudy(studyOf({ model: of("fri", "a"), limit: 1 }), { store });
    assertEquals(first.map(({ template }) => template), first.map(() => "a"));
    await runStudy(studyOf({ model: of("sat", "a"), limit: 1 }), { store }); // the date alone
    await assertRejects(
      () => runStudy(studyOf({ model: of("sat", "b"), limit: 1 }), { store }),
      Error,
      'another chat template: "a" there, "b" here',
    );
  });
});

Deno.test("runStudy() refuses other tokens of a prompt that no template rendered", async () => {
  const task = asked(PROBLEMS, { prompt: ({ question }) => question });
  await withStore(async (store) => {
    await runStudy(studyOf({ task }), { store });
    const model = mockModel({ maxLength: 32, bos: false });
    await assertRejects(() => runStudy(studyOf({ task, model }), { store }), Error, "prompt for");
  });
});

Deno.test("runStudy() records chat variables, hands them to the template, and knows them", async () => {
  const given: unknown[] = [];
  const model = (): Model => {
    const own = mockModel({ maxLength: 32 });
    return {
      ...own,
      chat: (messages, options) => {
        given.push(options?.variables);
        return own.chat(messages, options);
      },
    };
  };
  await withStore(async (store) => {
    const chat = { enable_thinking: false, effort: { level: [1, "low", null] }, none: undefined };
    const recorded = { enable_thinking: false, effort: { level: [1, "low", null] } };
    const runs = await runStudy(studyOf({ model: model(), chat }), { store });
    assertEquals(given, [recorded, recorded, recorded]);
    assert(runs.every((run) => JSON.stringify(run.chat) === JSON.stringify(recorded)));
    assertEquals((await readRuns(store))[0]!.chat, recorded);
    for (
      const [other, sentence] of [
        [{ ...recorded, enable_thinking: true }, "'enable_thinking': false there, true here"],
        [undefined, "'enable_thinking': false there, none here"],
        [{ ...recorded, effort: { level: [2] } }, "'effort'"],
      ] as const
    ) {
      const study = studyOf(other ? { chat: other } : {});
      await assertRejects(() => runStudy(study, { store }), Error, sentence);
    }
    const without = await runStudy(studyOf({ chat: {} }));
    assert(without.every((run) => !("chat" in run)));
    assert(without[0]!.study !== runs[0]!.study);
  });
});

Deno.test("runStudy() refuses chat variables that are none, or that nothing renders", async () => {
  for (const chat of [5, "x", [], null, { f: () => 1 }, { n: NaN }, { b: 1n }]) {
    const own = studyOf({ chat: chat as never });
    await assertRejects(() => runStudy(own), TypeError, "Cannot run the study as 'chat");
  }
  const task = asked(PROBLEMS, { prompt: ({ question }) => question });
  await assertRejects(
    () => runStudy(studyOf({ task, chat: { enable_thinking: true } })),
    TypeError,
    "'chat' must be left out where prompts are plain text",
  );
});

/** A file as an earlier release wrote it. */
async function asBefore(store: string, change: (run: Run) => object = (run) => run): Promise<void> {
  const lines = (await readRuns(store)).map((run) => {
    const { wording: _, problemFields: __, taskParameters: ___, chat: ____, ...old } = run;
    return `${JSON.stringify({ ...old, ...change(old) })}\n`;
  });
  await Deno.writeTextFile(store, lines.join(""));
}

Deno.test("runStudy() continues a file of an earlier release whose verdicts are still given", async () => {
  await withStore(async (store) => {
    const first = await runStudy(studyOf({ limit: 2 }), { store });
    await asBefore(store);
    let graded = 0;
    const task = asked(PROBLEMS, {
      grade: (problem, text) => {
        graded++;
        return asked().grade(problem, text);
      },
    });
    const runs = await runStudy(studyOf({ task }), { store });
    assertEquals(graded, 4 + 2); // the stored texts, and the new ones
    assertEquals(runs.slice(0, 4).map(({ text }) => text), first.map(({ text }) => text));
    assertEquals([runs[0]!.problemFields, "problemFields" in runs[0]!], [undefined, false]);
  });
});

const VERDICTS: [what: string, grade: Task<Asked>["grade"], says: string][] = [
  ["right", () => ({ correct: true, extracted: null }), "right here"],
  ["wrong", () => ({ correct: false, extracted: null }), " there, "],
  ["ungradable", () => ({ correct: false, ungradable: true, extracted: null }), "ungradable here"],
  ["scored", (p, t) => ({ ...asked().grade(p, t) as Grade, score: 0.5 }), "(0.5) here"],
];
for (const [what, grade, says] of VERDICTS) {
  for (const earlier of [true, false]) {
    const where = earlier ? "of an earlier release" : "of a task that names no options";
    Deno.test(`runStudy() refuses a file ${where} whose texts are now ${what}`, async () => {
      await withStore(async (store) => {
        const options = earlier ? {} : { parameters: undefined } as object;
        await runStudy(studyOf({ task: asked(PROBLEMS, options) }), { store });
        if (earlier) await asBefore(store);
        const before = await Deno.readFile(store);
        const own = studyOf({ task: asked(PROBLEMS, { ...options, grade }) });
        const { message } = await assertRejects(() => runStudy(own, { store }), Error);
        assert(message.includes("another verdict on problem 'q"), message);
        assert(message.includes(says) && message.includes(" of 6 verdicts in all; grade"), message);
        assertEquals(await Deno.readFile(store), before);
      });
    });
  }
}

Deno.test("runStudy() refuses a gold answer that an earlier release's file cannot tell of", async () => {
  await withStore(async (store) => {
    const runs = await runStudy(studyOf(), { store });
    await asBefore(store);
    const right = runs.find(({ grade }) => grade.correct)!;
    const task = asked(withFields(right.problem, { answer: "<nowhere>" }));
    await assertRejects(
      () => runStudy(studyOf({ task }), { store }),
      Error,
      `problem '${right.problem}', method '${right.method}', repeat 0: right there, `,
    );
  });
});

Deno.test("runStudy() grades again what another release graded, programs too", async () => {
  for (const parameters of [{ grading: "last" }, undefined]) {
    await withStore(async (store) => {
      let graded = 0;
      const task = {
        ...asked(),
        parameters,
        grade: (problem: Asked, text: string) => {
          graded++;
          return Promise.resolve(asked().grade(problem, text));
        },
      } as Task<Asked, Grade | Promise<Grade>>;
      await runStudy(studyOf({ task }), { store });
      graded = 0;
      await runStudy(studyOf({ task }), { store });
      assertEquals(graded, parameters ? 0 : 1); // one to see that grading takes time
      const lines = (await readRuns(store)).map((run) => ({
        ...run,
        versions: { ...run.versions, moi: "0.0.9" },
      }));
      await Deno.writeTextFile(store, lines.map((run) => `${JSON.stringify(run)}\n`).join(""));
      graded = 0;
      await runStudy(studyOf({ task }), { store });
      assertEquals(graded, 6);
    });
  }
});

Deno.test("regradedRun() makes of a changed gold answer a file that goes on", async () => {
  await withStore(async (store) => {
    const first = await runStudy(studyOf({ limit: 2 }), { store });
    const task = asked(withFields("q1", { answer: "x" })), problems = await task.problems();
    await assertRejects(() => runStudy(studyOf({ task }), { store }), Error, "'answer' of problem");
    const again = await Promise.all(first.map(async (run) => {
      const problem = problems.find(({ id }) => id === run.problem)!;
      return regradedRun(run, problem, task, await task.grade(problem, run.text));
    }));
    await Deno.writeTextFile(store, again.map((run) => `${JSON.stringify(run)}\n`).join(""));
    const runs = await runStudy(studyOf({ task }), { store });
    const whole = await runStudy(studyOf({ task }));
    const bare = (all: readonly Run[]) => timeless(all).map(({ versions: _, ...run }) => run);
    assertEquals(bare(runs), bare(whole));
  });
});

Deno.test("runStudy() tells problems apart by what JSON cannot hold", async () => {
  const values: unknown[] = [
    ...[1, 1n, "1", NaN, Infinity, null, [], {}, [[]], true, new Date(0), new Date(1), /a/, /b/],
    ...[new Map([[1, 2]]), new Map([[1, 3]]), new Set([7]), new Uint8Array([1, 2]), [2, 1]],
    ...[() => 1, () => 2, 9007199254740992n, 9007199254740993n, { a: { b: 1 } }, { a: { b: 2 } }],
    ...[new URL("http://a/"), new URL("http://b/"), "", " ", "é", "e\u0301"],
  ];
  const digests = await Promise.all(values.map(async (extra) => {
    const [run] = await runStudy(studyOf({ task: asked([{ ...PROBLEMS[0]!, extra }]) }));
    return run!.problemFields!.extra;
  }));
  assertEquals(new Set(digests).size, values.length);
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  await assertRejects(
    () => runStudy(studyOf({ task: asked(withFields("q1", { loop })) })),
    TypeError,
    "'loop' of problem 'q1' must be plain data: it refers to itself",
  );
});

Deno.test("runStudy() of an infinite knob is read back as it was, and goes on", async () => {
  const methods = { all: moi({ beta: Infinity }) };
  await withStore(async (store) => {
    const first = await runStudy(studyOf({ methods, limit: 1 }), { store });
    assertEquals(await readRuns(store), first);
    assertEquals(first[0]!.parameters.beta, "Infinity");
    await asBefore(store, (run) => ({ parameters: { ...run.parameters, beta: null } }));
    const runs = await runStudy(studyOf({ methods }), { store });
    assertEquals(runs.map(({ parameters }) => parameters.beta), Array(3).fill("Infinity"));
  });
});

Deno.test("readRuns() gives a study back in its order, which it was not finished in", async () => {
  await withStore(async (store) => {
    const methods = { "z": standard(), "a": moi({ beta: 1 }), "m": moi({ beta: 0.5 }) };
    const problems = [2, 0, 1].map((i) => PROBLEMS[i]!);
    const task = asked(problems),
      order = (runs: readonly Run[]) =>
        runs.map(({ problem, method, repeat }) => `${problem} ${method} ${repeat}`);
    const { m } = methods;
    await runStudy(studyOf({ task, methods: { m } }), { store }); // the last method first
    const runs = await runStudy(studyOf({ task, methods, repeats: 2 }), { store, slots: 2 });
    assertEquals(order(runs).slice(0, 4), ["q2 z 0", "q2 a 0", "q2 m 0", "q2 z 1"]);
    assertEquals(await readRuns(store), runs);
    assertEquals(await runStudy(studyOf({ task, methods, repeats: 2 }), { store }), runs);
  });
});
