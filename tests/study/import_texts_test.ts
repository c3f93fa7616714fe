/** Texts of anybody's own harness: plain lines, and outputs of batches; hostile ones, too. */

import zlib from "node:zlib";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ImportOptions, importRuns, regrade, verdictOf } from "@moi/moi/study";
import { temporaryFolder } from "../_temporary.ts";

async function read(content: string | Uint8Array | readonly unknown[], options?: ImportOptions) {
  const text = Array.isArray(content)
    ? content.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("")
    : content as string | Uint8Array;
  await using folder = await temporaryFolder({ "texts.jsonl": text });
  return await importRuns(`${folder.path}/texts.jsonl`, options);
}

const of = ({ runs }: Awaited<ReturnType<typeof read>>) =>
  runs.map(({ problem, repeat, text, finishReason }) => [problem, repeat, text, finishReason]);

/** An answer to a request of a batch. */
const answer = (custom_id: unknown, choices: unknown, more: object = {}) => ({
  ...{ id: "batch_req_1", custom_id, error: null, ...more },
  response: { status_code: 200, request_id: "r", body: { model: "org/m", choices, usage: {} } },
});

const chat = (content: unknown, finish_reason: unknown = "stop", more: object = {}) => ({
  ...{ message: { role: "assistant", content, reasoning: null }, finish_reason, ...more },
});

Deno.test("importRuns() reads plain lines: ids of either kind, repeats, cut and missing texts", async () => {
  const imported = await read([
    { id: "gsm8k/0", text: "It is 42." },
    { id: 7, text: "" },
    { id: "gsm8k/0", text: "It is 43.", finish_reason: "length", tokens: [1, 2] },
    { id: "gsm8k/1", text: null },
    { id: "gsm8k/2", text: "half of a th", finish_reason: "abort" },
    { id: "gsm8k/0", text: "It is 44.", finish_reason: "stop", answer: "44" },
  ]);
  assertEquals(of(imported), [
    ["gsm8k/0", 0, "It is 42.", "stop"],
    ["7", 0, "", "stop"],
    ["gsm8k/0", 1, "It is 43.", "length"],
    ["gsm8k/0", 2, "It is 44.", "stop"],
  ]);
  const { format, task, leftOut, problems, runs, claimed } = imported;
  assertEquals([format, task, leftOut, claimed], ["plain", "unknown", { errored: 2 }, undefined]);
  assertEquals(problems, [{ id: "gsm8k/0" }, { id: "7" }]);
  assertEquals(runs.map(verdictOf), Array(4).fill("ungradable"));
  const fields = ["model", "method", "parameters", "versions"] as const;
  assertEquals(fields.map((name) => runs[0]![name]), [
    ...["unknown", "imported", { name: "imported" }, { imported: "plain" }],
  ] as never[]);
  for (const name of ["tokens", "seed", "sampler", "mixing"]) assert(!(name in runs[0]!), name);
});

Deno.test("importRuns() reads a batch that vllm run-batch wrote", async () => {
  // vLLM 0.32.0: n = 2; one answer; max_tokens too large; no such model; max_tokens below 0
  const file = new URL("../golden/vllm_run_batch.jsonl", import.meta.url);
  const imported = await read(await Deno.readTextFile(file));
  assertEquals(of(imported), [
    ["votes-test-0000", 0, " d f d f b k e l", "length"],
    ["votes-test-0000", 1, " d l f a l b i a", "length"],
    [
      ...["votes-test-0001", 0],
      ...[" d f d f b k e l e i e k f h g h k h d e b h g k e a e j c h", "length"],
    ],
  ]);
  const { format, leftOut, runs } = imported;
  assertEquals([format, leftOut, runs[0]!.model], ["openai-batch", { errored: 3 }, "votes-tiny"]);
});

Deno.test("importRuns() reads batches of chats and completions, and counts what failed", async () => {
  const failed = { custom_id: "f", response: null, error: { code: "batch_expired", message: "…" } };
  const imported = await read([
    answer("a", [chat("second", "stop", { index: 1 }), chat("first", "length", { index: 0 })]),
    answer(3, [{ text: "plain", finish_reason: "stop", index: 0 }]),
    failed,
    { custom_id: "g", response: { status_code: 500, request_id: "r", body: null }, error: null },
    { custom_id: "h", response: { status_code: 400, body: { error: { message: "no" } } } },
    answer("i", [chat("x")], { error: "Request must not be sent in stream mode" }),
    answer("f", [chat("sent again")]),
    answer("j", [chat(null, "length"), chat("", "error")]), // cut within its thought; given up
    answer("k", [chat(null, "tool_calls")]),
  ]);
  assertEquals(of(imported), [
    ["a", 1, "second", "stop"],
    ["a", 0, "first", "length"],
    ["3", 0, "plain", "stop"],
    ["f", 0, "sent again", "stop"],
    ["j", 0, "", "length"],
    ["k", 0, "", "stop"],
  ]);
  assertEquals(imported.leftOut, { errored: 5 });
  assertEquals(imported.runs[0]!.model, "org/m");
  const models = [answer("a", [chat("x")]), answer("b", [chat("x")])];
  models[1]!.response.body.model = "org/other";
  assertEquals((await read(models)).runs.map(({ model }) => model), ["unknown", "unknown"]);
});

Deno.test("what Python writes, byte order marks, line ends and packing are read here, too", async () => {
  const lines = '{"id": 12345678901234567890, "text": "a\\u00e9\\ud83d", "score": NaN}\n';
  const expected = [["12345678901234567890", 0, "aé\ud83d", "stop"]];
  const crlf = `\ufeff${lines.trimEnd()}\r\n\r\n`;
  for (const content of [lines, crlf, lines.trimEnd(), new Uint8Array(zlib.gzipSync(lines))]) {
    assertEquals(of(await read(content)), expected);
  }
  const one = JSON.stringify(answer("a", [chat("x")]));
  assertEquals(of(await read(new Uint8Array(zlib.zstdCompressSync(one)))), [["a", 0, "x", "stop"]]);
  const names = '{"id": "__proto__", "text": "a", "__proto__": {"text": "b"}, "question": "q"}';
  const { runs, problems } = await read([names, '{"id": "constructor", "text": "c"}']);
  assertEquals(runs.map(({ problem, text }) => [problem, text]), [
    ["__proto__", "a"],
    ["constructor", "c"],
  ]);
  assertEquals(problems[0], { question: "q", id: "__proto__" });
});

Deno.test("importRuns() refuses lines that are no texts, naming them", async () => {
  const good = { id: "a", text: "x" }, ok = answer("a", [chat("x")]);
  const body = (body: unknown) => ({ custom_id: "b", response: { status_code: 200, body } });
  const bad: [readonly unknown[], string][] = [
    [[good, { text: "x" }], "line 2 must have an id, a text or a number"],
    [[good, { id: null, text: "x" }], "line 2 must have an id"],
    [[good, { id: true, text: "x" }], "line 2 must have an id"],
    [[good, { id: ["a"], text: "x" }], "line 2 must have an id"],
    [[good, { id: "b" }], "line 2 must have a text that is a string, or null"],
    [[good, { id: "b", text: 5 }], "line 2 must have a text"],
    [[good, { id: "b", text: ["x", "y"] }], "line 2 must have a text"],
    [[good, { id: "b", text: "x", finish_reason: 1 }], "line 2 must have a finish_reason"],
    [[good, "[1]"], "line 2 must be an object"],
    [[good, '{"id": "b", "text": "x'], "line 2 must be valid JSON"],
    [[{ id: "a", text: null }], "texts.jsonl must have a text: every line is without"],
    [[{ id: "a", output: "x" }], "texts.jsonl must be results of the released MoI code, samples"],
    [
      [{ ...good, question: "1 + 1?" }, { ...good, question: "2 + 2?" }],
      "line 2 must ask what line 1 asks, as both are of 'a'",
    ],
    [[{ ...good, question: "1 + 1?" }, good], "line 2 must ask what line 1 asks"],
    [[ok, answer(null, [chat("x")])], "line 2 must have a custom_id"],
    [[ok, answer("a", [chat("y")])], "line 2 must not answer 'a' of line 1 again"],
    [[ok, answer("b", [])], "line 2 must have choices"],
    [[ok, answer("b", "x")], "line 2 must have choices"],
    [[ok, answer("b", [null])], "line 2 must have choices"],
    [[ok, answer("b", [chat(5)])], "line 2 must have a text in each choice"],
    [[ok, answer("b", [chat([{ type: "text", text: "x" }])])], "line 2 must have a text in each"],
    [[ok, answer("b", [{ finish_reason: "stop" }])], "line 2 must have a text in each choice"],
    [[ok, answer("b", [chat("x", 5)])], "line 2 must have a finish_reason that is a string"],
    [[ok, answer("b", [chat("x", "stop", { index: -1 })])], "line 2 must number its choices"],
    [[ok, answer("b", [chat("x", "stop", { index: "0" })])], "line 2 must number its choices"],
    [[ok, answer("b", [1, 1].map((index) => chat("x", "stop", { index })))], "each once"],
    [[ok, body(undefined)], "line 2 must have a body in its response"],
    [[ok, body("text")], "line 2 must have a body in its response"],
    [[ok, body({ data: [{ embedding: [0] }] })], "line 2 must have choices"],
    [[ok, { custom_id: "b", response: "text" }], "line 2 must have an object as response"],
    [
      [ok, { custom_id: "b", method: "POST", body: {} }],
      "line 2 must have a response: it is of the",
    ],
    [[{ custom_id: "b", response: null }], "must have an answer: every request failed"],
  ];
  for (const [lines, message] of bad) {
    await assertRejects(() => read(lines), SyntaxError, message, JSON.stringify(lines));
  }
  for (const option of ["filter", "metric", "scorer"]) {
    await assertRejects(() => read([good], { [option]: "x" }), TypeError, `'${option}' chooses`);
  }
});

Deno.test("texts are paired with problems by id, or by the question where a line has it", async () => {
  const problems = ["q0 is?", "q1 is?"].map((question, i) => ({ id: `gsm8k/${i}`, question }));
  const grade = ({ id }: { id: string }, text: string) => ({
    correct: text === `text of ${id}`,
    extracted: text,
  });
  const graded = async (lines: readonly unknown[]) => {
    const { runs, problems: told } = await read(lines);
    const again = await regrade(runs, problems, grade, told);
    return again.map(({ problem, grade }) => [problem, grade.correct]);
  };
  const right = [["gsm8k/1", true], ["gsm8k/0", true]];
  const texts = ["text of gsm8k/1", "text of gsm8k/0"];
  assertEquals(await graded(texts.map((text, i) => ({ id: `gsm8k/${1 - i}`, text }))), right);
  assertEquals(
    await graded(texts.map((text, i) => answer(`gsm8k/${1 - i}`, [chat(text)]))),
    right,
  );
  // numbered in another way, with the question
  const asked = texts.map((text, i) => ({ id: i + 1, question: `q${1 - i} is?`, text }));
  assertEquals(await graded(asked), right);
  // and without: never by their place
  const numbered = () => graded(texts.map((text, id) => ({ id, text })));
  const words = "the problems must hold '0': they are 'gsm8k/0', 'gsm8k/1'";
  await assertRejects(numbered, RangeError, words);
  await assertRejects(() => graded([{ id: "gsm8k/0 ", text: "x" }]), RangeError, "'gsm8k/0 '");
  const other = () => graded([{ id: "gsm8k/0", question: "something else?", text: "x" }]);
  await assertRejects(other, RangeError, "1 of 1 ask something else, such as 'gsm8k/0'");
});
