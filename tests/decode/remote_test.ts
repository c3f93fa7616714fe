/** Generation where the model decodes elsewhere. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { generate, generateBatch, moi, stream, temperature } from "@moi/moi/decode";
import { createModel, type Remote, type TextRequest } from "@moi/moi/model";
import { mockModel } from "../_mock_model.ts";

/** A model whose texts are told by a function. */
function remoteModel(
  complete: (request: TextRequest, signal: AbortSignal) => Promise<string>,
  check: Remote["check"] = () => {},
) {
  const { config, tokenizer, maxLength } = mockModel();
  const remote: Remote = {
    concurrency: 3,
    check,
    async complete(request, signal) {
      const text = await complete(request, signal!), { prompt } = request;
      const mixing = { meanEntropy: 0.5, meanOffSampleMass: 0.25 };
      return { text, tokens: [3], finishReason: "stop", promptTokens: prompt.length, mixing };
    },
  };
  const openCache = () => {
    throw new TypeError("no caches");
  };
  const engine = {
    ...{ device: "there", remote, versions: { there: "1" }, openCache },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return createModel({ id: "far", config, tokenizer, maxLength, engine });
}

Deno.test("requests are sent as plain data, so many at once, and every one is answered once", async () => {
  let now = 0, most = 0;
  const seen: TextRequest[] = [];
  const model = remoteModel(async (request) => {
    most = Math.max(most, ++now);
    seen.push(request);
    await new Promise((resolve) => setTimeout(resolve, 5 - request.seed % 3));
    now--;
    return `text ${request.seed}`;
  });
  const requests = Array.from({ length: 11 }, (_, seed) => ({
    ...{ prompt: [3, 4], method: moi({ beta: Infinity }), temperature: 0.5, seed },
    ...{ stop: ["x"], maxNewTokens: 7 },
  }));
  const texts: string[] = [];
  for await (const { index, generation } of generateBatch(model, requests)) {
    assert(!(index in texts));
    texts[index] = generation.text;
    assertEquals(generation.sampler.temperature, 0.5);
  }
  assertEquals([texts.length, texts[10], most], [11, "text 10", 3]);
  assertEquals(JSON.parse(JSON.stringify(seen.find(({ seed }) => seed === 4))), {
    prompt: [3, 4],
    method: { name: "moi", parameters: { beta: "Infinity", preset: "paper" } },
    sampler: { temperature: 0.5, topK: 0, topP: 1, minP: 0 },
    ...{ maxNewTokens: 7, stop: ["x"], seed: 4, ignoreEos: false },
  });
});

Deno.test("where one request fails, those under way are aborted and the rest is not sent", async () => {
  let sent = 0, aborted = 0;
  const model = remoteModel(async ({ seed }, signal) => {
    sent++;
    if (seed === 1) throw new Error("no answer");
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    aborted++;
    throw signal.reason;
  });
  const requests = [0, 1, 2, 3, 4, 5].map((seed) => ({ prompt: [3], seed }));
  await assertRejects(() => Array.fromAsync(generateBatch(model, requests)), Error, "no answer");
  assertEquals([sent, aborted], [3, 2]);
});

Deno.test("an aborted signal ends what is under way, and nothing more is sent", async () => {
  const end = new AbortController();
  let sent = 0;
  const model = remoteModel(async ({ seed }, signal) => {
    sent++;
    if (seed === 0) return "done";
    if (seed === 2) queueMicrotask(() => end.abort());
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    throw signal.reason;
  });
  const requests = [0, 1, 2, 3, 4, 5, 6].map((seed) => ({ prompt: [3], seed }));
  const options = { signal: end.signal, slots: 2 };
  const made = await Array.fromAsync(generateBatch(model, requests, options));
  const reasons = made.sort((a, b) => a.index - b.index).map((one) => one.generation.finishReason);
  assertEquals([sent, reasons], [3, ["stop", ...Array(6).fill("aborted")]]);
});

Deno.test("what is not told elsewhere is refused before anything is sent", async () => {
  let sent = 0;
  const check = ({ method: { name } }: TextRequest) => {
    if (name !== "standard") throw new TypeError("only standard");
  };
  const model = remoteModel(() => Promise.resolve(`${sent++}`), check);
  const refused = (options: object, words: string) =>
    assertRejects(() => generate(model, [3], options), TypeError, words);
  await refused({ trace: true }, "'trace' must be left out, as there does not tell");
  await refused({ sampler: [temperature(1)] }, "'sampler' must be settings");
  await refused({ method: moi() }, "only standard");
  await assertRejects(() => stream(model, [3]).next(), TypeError, "'trace' must be left out");
  assertThrows(() => model.openCache({ slots: 1, length: 4 }), TypeError, "no caches");
  assertEquals(sent, 0);
});
