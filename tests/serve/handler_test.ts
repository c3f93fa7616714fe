/** Answers: the texts that `generate` gives, in OpenAI's shapes, whole and in pieces. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { generate, METHODS, type Prompt } from "@moi/moi/decode";
import { loadModel } from "@moi/moi/model";
import { fieldsOf, openHandler } from "@moi/moi/serve";
import { answerOf, headOf } from "../../lib/serve/answer.ts";
import { choicesOf } from "../../lib/serve/choices.ts";
import { readRequest } from "../../lib/serve/request.ts";
import { mockModel } from "../_mock_model.ts";
import { answer, type Json, refusal, request, streamed } from "./_client.ts";

/** Messages and prompts, and what generate() takes for them. */
const PROMPTS: readonly (readonly [body: object, prompt: Prompt])[] = [
  [{ prompt: "a b c" }, "a b c"],
  [{ prompt: [1, 5, 7] }, [1, 5, 7]],
  [{ messages: [{ role: "user", content: "a b" }] }, [{ role: "user", content: "a b" }]],
];

/** The text of a choice, whichever its route. */
const textOf = ({ text, message }: Json): string => text ?? message.content;

/** The pieces of a choice's text, joined. */
const joined = (chunks: readonly Json[], index = 0): string =>
  chunks.flatMap(({ choices }) => choices).filter((choice) => choice.index === index)
    .map(({ text, delta }) => text ?? delta.content ?? "").join("");

Deno.test("every method answers as generate(), for texts, ids and conversations", async () => {
  await using model = await loadModel("votes-tiny");
  await using handler = openHandler(model, { slots: 8 });
  for (const [body, prompt] of PROMPTS) {
    await Promise.all(
      Object.values(METHODS).map(async ({ make }, i) => {
        const method = make({ phase: "all" }), options = { temperature: 0.9, seed: i };
        const own = { ...body, ...options, max_tokens: 12, vllm_xargs: fieldsOf(method) };
        const alone = await generate(model, prompt, { ...options, method, maxNewTokens: 12 });
        const { choices: [choice], usage } = await answer(handler.handle, own);
        assertEquals([textOf(choice), choice.finish_reason], [alone.text, alone.finishReason]);
        const { version: _, ...moi } = choice.moi;
        assertEquals(moi, {
          method: method.name,
          parameters: method.parameters ?? {},
          mean_entropy: alone.mixing.meanEntropy,
          mean_off_sample_mass: alone.mixing.meanOffSampleMass,
          seed: i,
        });
        const read = alone.promptTokens, written = alone.tokens.length;
        assertEquals(usage, {
          prompt_tokens: read,
          completion_tokens: written,
          total_tokens: read + written,
        });
        const chunks = await streamed(handler.handle, own);
        assertEquals(joined(chunks), alone.text);
        assertEquals(chunks.at(-1)!.choices[0].moi, choice.moi);
      }),
    );
  }
});

Deno.test("sampler settings are those of generate()", async () => {
  await using model = await loadModel("votes-tiny");
  await using handler = openHandler(model);
  const { text } = await generate(model, [1], {
    ...{ temperature: 1.3, topP: 0.9, topK: 9, minP: 0.01, repetitionPenalty: 1.2, seed: 5 },
    ...{ presencePenalty: 0.1, frequencyPenalty: 0.2, typicalP: 0.95, logitBias: { 5: 2 } },
    ...{ maxNewTokens: 20, ignoreEos: true },
  });
  const { choices: [choice] } = await answer(handler.handle, {
    ...{ prompt: [1], temperature: 1.3, top_p: 0.9, top_k: 9, min_p: 0.01, seed: 5 },
    ...{ repetition_penalty: 1.2, presence_penalty: 0.1, frequency_penalty: 0.2 },
    ...{ typical_p: 0.95, logit_bias: { 5: 2 }, max_tokens: 20, ignore_eos: true },
  });
  assertEquals(choice.text, text);
  const refused = await refusal(handler.handle, { prompt: [1], top_p: 2 });
  assertEquals([refused.status, refused.param], [400, "top_p"]);
  assertEquals(
    refused.message,
    "Cannot sample as 'top_p' must be a number greater than 0 and at most 1: current value is 2",
  );
});

Deno.test("n choices of several prompts have seeds of their own", async () => {
  const model = mockModel();
  await using handler = openHandler(model, { slots: 3 });
  const body = { prompt: [[3], [4, 5]], n: 3, seed: 8, max_tokens: 6, ignore_eos: true };
  const { choices, usage } = await answer(handler.handle, body);
  assertEquals(choices.map(({ index }: Json) => index), [0, 1, 2, 3, 4, 5]);
  const options = { maxNewTokens: 6, ignoreEos: true };
  for (const { index, text, moi } of choices) {
    const prompt = index < 3 ? [3] : [4, 5], seed = 8 + index % 3;
    assertEquals([moi.seed, text], [
      seed,
      (await generate(model, prompt, { ...options, seed })).text,
    ]);
  }
  assertEquals(usage, { prompt_tokens: 3, completion_tokens: 36, total_tokens: 39 });
  const options_ = { stream_options: { include_usage: true } };
  const chunks = await streamed(handler.handle, { ...body, ...options_ });
  for (const { index, text } of choices) assertEquals(joined(chunks, index), text);
  assertEquals([chunks.at(-1).choices, chunks.at(-1).usage], [[], usage]);
  assert(chunks.slice(0, -1).every((chunk) => chunk.usage === null));
});

Deno.test("without a seed there is a random one, which gives the same text again", async () => {
  await using handler = openHandler(mockModel());
  const body = { prompt: [[3], [3]], n: 2, max_tokens: 20, ignore_eos: true };
  const { choices } = await answer(handler.handle, body);
  const seeds = choices.map(({ moi }: Json) => moi.seed);
  assertEquals(new Set(seeds).size, 4);
  assertEquals([seeds[1] - seeds[0], seeds[3] - seeds[2]], [1, 1]);
  const again = await answer(handler.handle, { ...body, prompt: [3], seed: seeds[2] });
  assertEquals(again.choices.map(textOf), choices.slice(2).map(textOf));
});

Deno.test("a stop text is cut off, and told; so are the length and the end of text", async () => {
  const model = mockModel();
  await using handler = openHandler(model);
  const body = { prompt: [3], seed: 2, max_tokens: 30, ignore_eos: true };
  const { choices: [whole] } = await answer(handler.handle, body);
  const stop = whole.text.slice(7, 9), at = whole.text.indexOf(stop);
  const own = { ...body, stop: ["<never>", stop] };
  const { choices: [cut] } = await answer(handler.handle, own);
  assertEquals(
    [cut.text, cut.finish_reason, cut.stop_reason],
    [whole.text.slice(0, at), "stop", stop],
  );
  const chunks = await streamed(handler.handle, own), last = chunks.at(-1).choices[0];
  assertEquals([joined(chunks), last.finish_reason, last.stop_reason], [cut.text, "stop", stop]);
  assertEquals([whole.finish_reason, whole.stop_reason], ["length", null]);
  const ends = Array.from({ length: 40 }, (_, seed) => ({ prompt: [3], seed, max_tokens: 60 }));
  const all = await Promise.all(ends.map((one) => answer(handler.handle, one)));
  const ended = all.map(({ choices: [one] }) => one).filter((one) => one.finish_reason === "stop");
  assert(ended.length > 0);
  assert(ended.every((one) => one.stop_reason === null && !one.text.includes("<eos>")));
});

Deno.test("new tokens that are left out: 16, of a chat what the model says or the context holds", async () => {
  const counts = async (defaults: object, length: number) => {
    await using handler = openHandler(mockModel({ defaults, maxLength: 64 }), { length });
    const shared = { ignore_eos: true, seed: 1 };
    const { usage: a } = await answer(handler.handle, { ...shared, prompt: [3, 4, 5, 6] });
    const messages = [{ role: "user", content: "ab" }]; // <bos>ab.
    const { usage: b } = await answer(handler.handle, { ...shared, messages });
    return [a.completion_tokens, b.completion_tokens];
  };
  assertEquals(await counts({}, 64), [16, 61]);
  assertEquals(await counts({ maxNewTokens: 20 }, 64), [16, 20]);
  assertEquals(await counts({ maxNewTokens: 20 }, 8), [5, 5]);
});

Deno.test("what does not fit is refused", async () => {
  await using handler = openHandler(mockModel(), { length: 10, slots: 2, queue: 3 });
  const refused: readonly (readonly [body: object, param: string, message: string])[] = [
    [{ prompt: [3, 4, 5], max_tokens: 9 }, "max_tokens", "at most 8, as the prompt has 3 tokens"],
    [{ prompt: Array(10).fill(3) }, "prompt", "1 to 9 tokens, as the context has 10"],
    [{ prompt: "a".repeat(321) }, "prompt", "at most 320 characters"],
    [{ messages: [{ role: "user", content: "a".repeat(321) }] }, "messages", "at most 320 char"],
    [{ messages: [{ role: "user", content: "a".repeat(20) }] }, "messages", "1 to 9 tokens"],
    [{ messages: [{ role: "a".repeat(321), content: "a" }] }, "messages", "at most 320 characters"],
    [{ messages: Array(90).fill({ role: "user", content: "" }) }, "messages", "at most 320 char"],
    [
      {
        messages: [{ role: "user", content: "a" }],
        chat_template_kwargs: { a: ["b".repeat(320)] },
      },
      "messages",
      "at most 320 characters",
    ],
    [{ prompt: [3], logit_bias: { "01": 1 } }, "logit_bias", "name token ids"],
    [{ prompt: [3], allowed_token_ids: Array(34).fill(3) }, "allowed_token_ids", "at most 33"],
    [{ prompt: [99] }, "prompt", "at most 32"],
    [{ prompt: [1.5] }, "prompt", "be an integer"],
    [{ prompt: [3], logit_bias: { 99: 1 } }, "logit_bias", "at most 32"],
    [{ prompt: [3], n: 6 }, "n", "more than 5 choices at once"],
  ];
  for (const [body, param, message] of refused) {
    const error = await refusal(handler.handle, body);
    assertEquals([error.status, error.type, error.param], [400, "invalid_request_error", param]);
    assert(error.message.includes(message), error.message);
  }
  const fits = { prompt: [3, 4, 5], max_tokens: 8, ignore_eos: true };
  assertEquals((await answer(handler.handle, fits)).usage.completion_tokens, 8);
});

Deno.test("log probabilities are those of the distribution sampled from", async () => {
  await using model = await loadModel("votes-tiny");
  await using handler = openHandler(model);
  const body = { prompt: [1], seed: 3, max_tokens: 9, temperature: 0.8, top_k: 12 };
  const { trace } = await generate(model, [1], {
    ...{ seed: 3, maxNewTokens: 9, temperature: 0.8, topK: 12, trace: { top: 20 } },
  });
  const own = { ...body, logprobs: 20, return_token_ids: true };
  const { choices: [{ logprobs, token_ids, prompt_token_ids, text }] } = await answer(
    handler.handle,
    own,
  );
  assertEquals([token_ids, prompt_token_ids], [trace!.map(({ token }) => token), [1]]);
  let offset = 0;
  for (const [i, step] of trace!.entries()) {
    const token = model.tokenizer.decode([step.token]);
    assertEquals([logprobs.tokens[i], logprobs.text_offset[i]], [token, offset]);
    assertAlmostEquals(logprobs.token_logprobs[i], Math.log(step.probability), 1e-12);
    const top = Object.values<number>(logprobs.top_logprobs[i]);
    assertEquals(top.length, 12); // as the sampler keeps no more
    assertAlmostEquals(top.reduce((sum, one) => sum + Math.exp(one), 0), 1, 1e-6);
    assertEquals(logprobs.top_logprobs[i][token], logprobs.token_logprobs[i]);
    offset += token.length;
  }
  const chunks = (await streamed(handler.handle, own)).flatMap(({ choices }) => choices);
  const pieces = chunks.map(({ logprobs }) => logprobs).filter((one) => one !== null);
  assertEquals(joined([{ choices: chunks }]), text);
  for (const name of ["tokens", "token_logprobs", "top_logprobs", "text_offset"]) {
    assertEquals(pieces.flatMap((one) => one[name]), logprobs[name]);
  }
  assertEquals(chunks.flatMap((one) => one.token_ids), token_ids);
  assertEquals(chunks.flatMap((one) => one.prompt_token_ids ?? []), [1]);
});

Deno.test("log probabilities of a chat name tokens by text and bytes", async () => {
  const model = mockModel({
    logits: () => Array.from({ length: 33 }, (_, id) => -((id - 31) ** 2)),
  });
  await using handler = openHandler(model);
  const messages = [{ role: "user", content: "a" }];
  const body = { messages, seed: 3, max_tokens: 4, logprobs: true, return_token_ids: true };
  const all = { ...body, top_logprobs: 2, temperature: 1 };
  const { choices: [{ logprobs, token_ids }], prompt_token_ids } = await answer(
    handler.handle,
    all,
  );
  assertEquals([logprobs.content.length, token_ids.length], [4, 4]);
  assertEquals(prompt_token_ids, [0, 3, 30]);
  for (const one of logprobs.content) {
    assertEquals(one.top_logprobs.length, 2);
    // a byte of é alone is no text
    assertEquals(one.bytes, one.token === "\ufffd" ? null : [one.token.charCodeAt(0)]);
  }
  const chunks = await streamed(handler.handle, all);
  const pieces = chunks.flatMap(({ choices: [one] }) => one.logprobs?.content ?? []);
  assertEquals(pieces, logprobs.content);
  assertEquals(chunks[0].choices[0].delta, { role: "assistant", content: "" });
  assertEquals(chunks[0].prompt_token_ids, [0, 3, 30]);
  assertEquals(chunks.flatMap(({ choices: [one] }) => one.token_ids ?? []), token_ids);
  const none = await answer(handler.handle, body);
  assert(none.choices[0].logprobs.content.every((one: Json) => one.top_logprobs.length === 0));
});

Deno.test("the least log probability is a number, as JSON has no infinity", async () => {
  const model = mockModel(), asked = readRequest("completions", { prompt: [3], logprobs: 1 }, "m");
  const generation = await generate(model, [3], { maxNewTokens: 2, ignoreEos: true, trace: true });
  const trace = generation.trace!.map((step) => ({ ...step, probability: 0 })); // as of a forced one
  const { signal } = new AbortController();
  const [choice] = await choicesOf(model, asked, 64, signal);
  const all = [{ choice: choice!, generation: { ...generation, trace } }];
  const { choices: [{ logprobs }] } = answerOf(
    headOf("completions", "m"),
    model.tokenizer,
    asked,
    all,
  ) as Json;
  assertEquals(logprobs.token_logprobs, [-9999, -9999]);
});

Deno.test("a method that refuses the run costs nobody else anything", async () => {
  const model = mockModel();
  await using handler = openHandler(model, { slots: 2 });
  const body = { prompt: [3], seed: 1, max_tokens: 20, ignore_eos: true };
  const beside = streamed(handler.handle, body);
  const vllm_xargs = { moi_method: "selar", moi_phase: "thinking" };
  for (const stream of [false, true]) {
    const error = await refusal(handler.handle, { ...body, vllm_xargs, stream });
    assertEquals([error.status, error.param], [400, "moi_open"]);
  }
  const alone = await generate(model, [3], { seed: 1, maxNewTokens: 20, ignoreEos: true });
  assertEquals(joined(await beside), alone.text);
});

Deno.test("a sampler that leaves no number costs nobody else anything", async () => {
  await using handler = openHandler(mockModel(), { slots: 4 });
  const body = { prompt: [3, 4], seed: 2, max_tokens: 20, ignore_eos: true };
  const alone = await answer(handler.handle, body), beside = answer(handler.handle, body);
  for (const more of [{ repetition_penalty: 1e-320 }, { logit_bias: { 5: 1.7e308, 6: 1.7e308 } }]) {
    const error = await refusal(handler.handle, { ...body, presence_penalty: -1.7e308, ...more });
    assertEquals([error.status, error.message.startsWith("Cannot sample")], [400, true]);
  }
  assertEquals((await beside).choices[0].text, alone.choices[0].text);
  assertEquals((await answer(handler.handle, body)).choices[0].text, alone.choices[0].text);
});

Deno.test("where the model fails, those that run get an error, and later ones 503", async () => {
  let fails = false;
  const model = mockModel({
    before() {
      if (fails) throw new Error("Cannot go on");
    },
  });
  await using handler = openHandler(model);
  const ask = (body: object) => handler.handle(request(body));
  const body = { prompt: [3], max_tokens: 50, ignore_eos: true, n: 2 };
  const whole = ask(body);
  const response = await ask({ ...body, stream: true });
  fails = true;
  const text = await response.text();
  assertEquals(JSON.parse(text.trim().split("data: ").at(-1)!).error.type, "server_error");
  assertEquals((await whole).status, 500);
  assertEquals((await ask(body)).status, 503);
  const health = await handler.handle(new Request("http://localhost/health"));
  assertEquals(health.status, 503);
  assertEquals(await handler.finished.catch(({ message }) => message), "Cannot go on");
});
