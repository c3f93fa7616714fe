/** Contexts: calls that are wrong throw, and what comes after them is as if they had not been. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import type { Context, ContextOptions, Place } from "../../lib/llama/context.ts";
import { openLlama } from "../../lib/llama/library.ts";
import { loadLlamaModel } from "../../lib/llama/model.ts";
import { startThreads } from "../../lib/model/llama/threads.ts";
import { pathOf } from "../golden/llama.ts";
import { tiny } from "./_tiny.ts";

const SHAPE = { sequences: 2, length: 256, batch: 32, kv: "fp32" } as const;

const place = (position: number, sequence = 0, logits = true): Place => ({
  ...{ sequence, position, logits },
});
/** Consecutive places of a sequence, of which the last asks for logits. */
const places = (count: number, from = 0, sequence = 0) =>
  Array.from({ length: count }, (_, k) => place(from + k, sequence, k === count - 1));

const ids = (...values: number[]) => Int32Array.from(values);
const many = (count: number) => Int32Array.from({ length: count }, (_, k) => 3 + k % 60);

/** Logits after some ids of a sequence, in an array of its own. */
const logitsOf = async (context: Context, ids: Int32Array, from = 0, sequence = 0) =>
  (await context.decode(places(ids.length, from, sequence), ids)).slice();

Deno.test("inputs that do not fit are refused, and the context goes on as before", async () => {
  using model = await tiny();
  using context = await model.openContext(SHAPE);
  await logitsOf(context, ids(5, 6));
  const due = await logitsOf(context, ids(7), 2);
  context.cut(0, 2);
  const V = model.vocabularySize, D = model.hiddenSize;
  const wrong: readonly [readonly Place[], Int32Array | Float32Array, string][] = [
    [[], ids(), "'places.length' must be an integer at least 1 and at most 32"],
    [places(33, 2), many(33), "'places.length'"],
    [[place(2)], ids(), "'input.length' must be a number at least 1"],
    [[place(2)], new Float32Array(D - 1), `'input.length' must be a number at least ${D}`],
    [[place(2)], ids(V), "'id' must be"],
    [[place(2)], ids(-1), "'id' must be"],
    [[place(3)], ids(7), "'position' must be an integer at least 2 and at most 2"],
    [[place(1)], ids(7), "'position'"],
    [[place(-1)], ids(7), "'position'"],
    [[place(NaN)], ids(7), "'position'"],
    [[place(2), place(2)], ids(7, 8), "'position'"],
    [[place(2), place(4)], ids(7, 8), "'position'"],
    [[place(2), place(1, 1)], ids(7, 8), "'position'"],
    [[place(0, 2)], ids(7), "'sequence' must be an integer at least 0 and at most 1"],
    [[place(0, -1)], ids(7), "'sequence'"],
    [[place(0, 0.5)], ids(7), "'sequence'"],
  ];
  for (const [places, input, message] of wrong) {
    await assertRejects(() => context.decode(places, input), RangeError, message);
    assertEquals(context.end(0), 2);
    assertEquals(context.end(1), 0);
  }
  assertEquals(await logitsOf(context, ids(7), 2), due);
});

Deno.test("the last position of a context is there, the next is refused", async () => {
  using model = await tiny();
  using context = await model.openContext({ ...SHAPE, batch: 256 });
  await logitsOf(context, many(255));
  assert((await logitsOf(context, ids(5), 255)).every(Number.isFinite));
  await assertRejects(() => context.decode([place(256)], ids(5)), RangeError, "at most 255");
  assertEquals(context.end(0), 256);
  context.cut(0, 255);
  assert((await logitsOf(context, ids(5), 255)).every(Number.isFinite));
});

Deno.test("sequences are cut and copied, and only those that are there", async () => {
  using model = await tiny();
  using context = await model.openContext({ ...SHAPE, sequences: 3 });
  const due = await logitsOf(context, many(9)), after = await logitsOf(context, ids(4), 9);
  context.copy(1, 2); // of nothing, nothing
  assertEquals(context.end(2), 0);
  context.copy(0, 2);
  context.copy(2, 1);
  context.copy(1, 1);
  context.cut(1, 9);
  assertEquals([0, 1, 2].map((sequence) => context.end(sequence)), [10, 9, 10]);
  assertEquals(await logitsOf(context, ids(4), 9, 1), after);
  context.cut(2, 8);
  await logitsOf(context, many(9).slice(8), 8, 2); // as many at once as were never at once
  assertEquals(context.end(2), 9);
  const refuses = (call: () => void, message: string) => assertThrows(call, RangeError, message);
  for (const wrong of [3, -1, 1.5, NaN]) {
    refuses(() => context.copy(0, wrong), "Cannot copy a sequence as 'sequence' must be");
    refuses(() => context.copy(wrong, 0), "'sequence'");
    refuses(() => context.cut(wrong, 0), "'sequence'");
    refuses(() => context.end(wrong), "'sequence'");
  }
  for (const wrong of [11, -1, 1.5, NaN]) refuses(() => context.cut(0, wrong), "'position'");
  context.cut(0, 10); // nothing to cut
  context.cut(0, 0);
  assertEquals(await logitsOf(context, many(9)), due);
});

Deno.test("ids, and rows that are no numbers or huge, give an answer", async () => {
  using model = await tiny();
  using context = await model.openContext(SHAPE);
  const D = model.hiddenSize;
  const nothing = await context.decode([place(0, 0, false)], ids(5));
  assertEquals(nothing.length, 0);
  for (const value of [NaN, 1e30, Infinity, 0]) {
    context.cut(0, 0);
    const found = await context.decode([place(0)], new Float32Array(D).fill(value));
    assertEquals(found.length, model.vocabularySize);
  }
  context.cut(0, 0);
  const due = await logitsOf(context, ids(5));
  assert(due.every(Number.isFinite));
});

Deno.test("contexts of shapes that would end the process are refused", async () => {
  using model = await tiny();
  const refuses = (options: Partial<ContextOptions>, message: string) =>
    assertRejects(() => model.openContext({ ...SHAPE, ...options }), Error, message);
  await refuses({ sequences: 0 }, "'sequences' must be an integer at least 1");
  await refuses({ sequences: NaN }, "'sequences'");
  await refuses({ sequences: 300, batch: 300 }, "n_seq_max must be <= 256");
  await refuses({ sequences: 33 }, "'batch' must be an integer at least 33");
  await refuses({ length: 2 ** 31 }, "'length' must be an integer at least 1");
  await refuses({ length: 2 ** 30 }, "'length'");
  await refuses({ length: 0 }, "'length'");
  await refuses({ batch: 2 ** 31 }, "'batch'");
  using context = await model.openContext({ ...SHAPE, sequences: 256, batch: 256 });
  assertEquals((await logitsOf(context, ids(5), 0, 255)).length, model.vocabularySize);
});

Deno.test("one run at a time, and nothing beside it", async () => {
  using model = await tiny();
  using context = await model.openContext({ ...SHAPE, batch: 256 });
  const due = await logitsOf(context, many(200));
  context.cut(0, 0);
  const first = context.decode(places(200), many(200));
  const ended = "the run before must have ended";
  await assertRejects(() => context.decode(places(9, 0, 1), many(9)), Error, ended);
  for (const call of [() => context.cut(0, 0), () => context.copy(0, 1)]) {
    assertThrows(call, Error, ended);
  }
  assertThrows(() => context[Symbol.dispose](), Error, ended);
  assertEquals((await first).slice(), due);
});

Deno.test("a run that is stopped throws, and the same run again gives the same numbers", async () => {
  using model = await tiny("granite");
  using context = await model.openContext({ ...SHAPE, length: 2048, batch: 1024 });
  const prompt = many(1024), due = await logitsOf(context, prompt);
  const next = await logitsOf(context, prompt, 1024);
  for (const from of [0, 1024]) {
    context.cut(0, from);
    context.stop(); // the next run ends at its first look
    await assertRejects(() => logitsOf(context, prompt, from), Error, "as it was stopped");
    assertEquals(context.end(0), from);
    const run = logitsOf(context, prompt, from);
    const timer = setTimeout(() => context.stop(), 3);
    const found = await run.catch((error: Error) => error.message); // it may have ended before
    clearTimeout(timer);
    if (typeof found === "string") {
      assertMatch(found, /as it was stopped$/);
      assertEquals(await logitsOf(context, prompt, from), from === 0 ? due : next);
    }
  }
});

Deno.test("what is freed is not used, and a model lives as long as its contexts", async () => {
  const model = await tiny(), context = await model.openContext(SHAPE);
  const due = await logitsOf(context, ids(5, 6));
  context.cut(0, 0);
  model[Symbol.dispose]();
  model[Symbol.dispose]();
  await assertRejects(() => model.openContext(SHAPE), Error, "as the model is disposed");
  assertEquals(await logitsOf(context, ids(5, 6)), due);
  context[Symbol.dispose]();
  context[Symbol.dispose]();
  await assertRejects(() => context.decode([place(0)], ids(5)), Error, "the context is freed");
  assertThrows(() => context.cut(0, 0), Error, "the context is freed");
  assertThrows(() => context.copy(0, 1), Error, "the context is freed");
});

Deno.test("a load is aborted, and what a caller's report throws is thrown", async () => {
  const llama = await openLlama("cpu"), threads = startThreads(llama, 1), path = pathOf("falcon");
  const parts: number[] = [];
  (await loadLlamaModel(llama, path, { threads, onProgress: (part) => parts.push(part) }))
    [Symbol.dispose]();
  assertEquals(parts, parts.toSorted((a, b) => a - b));
  assertEquals(parts.at(-1), 1);
  for (const at of [parts[0]!, parts[parts.length >> 1]!, 1]) {
    const gone = new AbortController();
    const onAbort = (part: number) => part >= at && gone.abort(new Error("enough"));
    const options = { threads, signal: gone.signal, onProgress: onAbort };
    await assertRejects(() => loadLlamaModel(llama, path, options), Error, "enough");
    const onProgress = (part: number) => {
      if (part >= at) throw new RangeError(`at ${at}`);
    };
    const failing = loadLlamaModel(llama, path, { threads, onProgress });
    await assertRejects(() => failing, RangeError, `at ${at}`);
  }
  const signal = AbortSignal.abort(new Error("before"));
  await assertRejects(() => loadLlamaModel(llama, path, { threads, signal }), Error, "before");
});

Deno.test("four numbers a position: ids and their rows give the same, in batches too", async () => {
  using model = await tiny("qwen2vl");
  using context = await model.openContext({ ...SHAPE, sequences: 3 });
  const due = [await logitsOf(context, many(20)), await logitsOf(context, ids(9), 20)];
  assert(due.flatMap((row) => [...row]).every(Number.isFinite));
  await logitsOf(context, many(20), 0, 1);
  context.copy(1, 2);
  const both = await context.decode([place(20, 1), place(20, 2)], ids(9, 9)), V = both.length / 2;
  assertEquals(both.slice(0, V), both.slice(V));
});
