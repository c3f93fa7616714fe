/**
 * OpenAI's own client, as it comes from npm, against `deno task serve`: its answers are those of the
 * library, its errors are the client's own classes.
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import OpenAI from "openai";
import { generate, moi, standard } from "@moi/moi/decode";
import { loadModel, type Message } from "@moi/moi/model";
import { votes } from "@moi/moi/tasks";
import { type Served, served } from "../../scripts/_served.ts";
import { deno } from "../_process.ts";
import { root } from "../_repository.ts";

/** The fields that a choice has beside OpenAI's. */
interface Mixed {
  readonly moi: { readonly method: string; readonly mean_off_sample_mass: number };
}

const mixed = (choice: unknown) => (choice as Mixed).moi;

const clientOf = ({ url }: Served, options: object = {}) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0, ...options });

const ID = "votes-tiny", MOI = { vllm_xargs: { moi_beta: 0.25 } };
const OPTIONS = { method: moi({ beta: 0.25 }), maxNewTokens: 12 };
const ASKED = { model: ID, prompt: [1], max_tokens: 12, seed: 7 };

Deno.test("completions are the library's texts, with usage, choices and what was mixed", async () => {
  await using server = await served(["--model", ID]);
  await using model = await loadModel(ID);
  const client = clientOf(server), { completions } = client;
  const expected = await generate(model, [1], { ...OPTIONS, seed: 7 });
  const next = await generate(model, [1], { ...OPTIONS, seed: 8 });

  const { choices, usage } = await completions.create({ ...ASKED, ...MOI, n: 2 });
  assertEquals(choices.map(({ text }) => text), [expected.text, next.text]);
  const ends: string[] = choices.map(({ finish_reason }) => finish_reason);
  assertEquals(ends, [expected.finishReason, next.finishReason]);
  const written = expected.tokens.length + next.tokens.length;
  const read = { prompt_tokens: 1, completion_tokens: written, total_tokens: 1 + written };
  assertEquals(usage, read);
  const { method, mean_off_sample_mass } = mixed(choices[0]);
  assertEquals([method, mean_off_sample_mass], ["moi", expected.mixing.meanOffSampleMass]);

  let text = "", told: unknown, counted: unknown;
  const stream_options = { include_usage: true }, { n: _, ...one } = { ...ASKED, ...MOI, n: 1 };
  for await (const chunk of await completions.create({ ...one, stream: true, stream_options })) {
    if (chunk.usage) counted = chunk.usage.completion_tokens;
    const [choice] = chunk.choices;
    text += choice?.text ?? "";
    if (choice?.finish_reason) told = mixed(choice);
  }
  assertEquals([text, told], [expected.text, mixed(choices[0])]);
  assertEquals(counted, expected.tokens.length);

  const [only] = (await client.models.list()).data;
  assertEquals(only?.id, ID);
});

Deno.test("several prompts, stop texts and log probabilities come as the client knows them", async () => {
  await using server = await served(["--model", ID]);
  await using model = await loadModel(ID);
  const { completions } = clientOf(server),
    { text } = await generate(model, [1], {
      ...{ method: standard(), maxNewTokens: 12, seed: 7 },
    });
  const prompt = [[1], [1, 26]], both = await completions.create({ ...ASKED, prompt });
  assertEquals(both.choices.map(({ index }) => index), [0, 1]);
  assertEquals(both.choices[0]!.text, text);

  const stop = text.slice(-1);
  const { choices: [cut] } = await completions.create({ ...ASKED, stop });
  assertEquals([cut!.text, cut!.finish_reason], [text.slice(0, text.indexOf(stop)), "stop"]);

  const { choices: [choice] } = await completions.create({ ...ASKED, logprobs: 3 });
  const { tokens, token_logprobs, top_logprobs } = choice!.logprobs!;
  assertEquals(tokens!.join(""), text);
  for (const [i, token] of tokens!.entries()) {
    assertAlmostEquals(top_logprobs![i]![token]!, token_logprobs![i]!, 1e-9);
    const mass = Object.values(top_logprobs![i]!).reduce((sum, log) => sum + Math.exp(log), 0);
    assert(mass <= 1 + 1e-6, `${mass}`);
  }
});

Deno.test("chats are the library's, streamed and not", async () => {
  await using server = await served(["--model", ID]);
  await using model = await loadModel(ID);
  const task = votes({ limit: 1 }), [problem] = await task.problems();
  const [{ content } = { content: "" }] = task.prompt(problem!) as Message[];
  const messages = [{ role: "user" as const, content }];
  const expected = await generate(model, messages, { ...OPTIONS, seed: 7 });
  const { chat: { completions } } = clientOf(server);
  const asked = { model: ID, messages, max_completion_tokens: 12, seed: 7, ...MOI };

  const { choices: [choice], usage } = await completions.create({
    ...{ ...asked, logprobs: true, top_logprobs: 2 },
  });
  assertEquals(choice!.message.content, expected.text);
  assertEquals(choice!.message.role, "assistant");
  assertEquals(usage!.completion_tokens, expected.tokens.length);
  const logprobs = choice!.logprobs!.content!;
  assertEquals(logprobs.map(({ token }) => token).join(""), expected.text);
  assert(logprobs.every(({ top_logprobs }) => top_logprobs.length <= 2));

  const stream = completions.stream(asked); // the client's own way to put chunks together
  let text = "";
  stream.on("content", (delta) => text += delta);
  const whole = await stream.finalChatCompletion();
  assertEquals([text, whole.choices[0]!.message.content], [expected.text, expected.text]);
  assertEquals(whole.choices[0]!.finish_reason, expected.finishReason);
});

Deno.test("errors are the client's own classes, with the field that is wrong", async () => {
  await using server = await served(["--model", ID, "--key", "open-sesame"]);
  const { completions } = clientOf(server, { apiKey: "open-sesame" });
  const wrong: readonly [fields: object, param: string][] = [
    [{ vllm_xargs: { moi_bta: 1 } }, "moi_bta"],
    [{ vllm_xargs: { moi_beta: -1 } }, "moi_beta"],
    [{ moi_beta: 1 }, "moi_beta"],
    [{ temperature: -1 }, "temperature"],
    [{ max_tokens: 1e6 }, "max_tokens"],
    [{ suffix: "x" }, "suffix"],
  ];
  for (const [fields, name] of wrong) {
    const { status, type, param } = await assertRejects(
      () => completions.create({ ...ASKED, ...fields }),
      OpenAI.BadRequestError,
      `'${name}' must`,
    );
    assertEquals([status, type, param], [400, "invalid_request_error", name]);
  }
  await assertRejects(
    () => completions.create({ ...ASKED, model: "gpt-5" }),
    OpenAI.NotFoundError,
  );
  await assertRejects(
    () => clientOf(server, { apiKey: "open-barley" }).models.list(),
    OpenAI.AuthenticationError,
  );
});

Deno.test("the cell of the documentation streams the library's text", async () => {
  const text = await Deno.readTextFile(new URL("scripts/README.md", root));
  const [, cell = ""] = /\n```ts\n(import OpenAI [^]*?)```\n/.exec(text) ?? [];
  assertStringIncludes(cell, "http://127.0.0.1:8000");
  await using server = await served(["--model", ID]);
  const { stdout, stderr } = await deno(["run", "-A", "--quiet", "-"], {
    stdin: cell.replace("http://127.0.0.1:8000", server.url),
  });
  await using model = await loadModel(ID);
  const expected = await generate(model, [1], { ...OPTIONS, seed: 1 });
  assertEquals([stdout.replaceAll("\n", ""), stderr], [expected.text, ""]);
});

/** A metric of a server. */
async function metric({ url }: Served, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}

/** Waits until a metric has a value; a test that waits in vain is ended by the runner. */
async function until(server: Served, name: string, value: number): Promise<void> {
  while (await metric(server, name) !== value) await new Promise((done) => setTimeout(done, 5));
}

const LONG = { model: "countdown-tiny", prompt: [1, 106, 18], max_tokens: 500, ignore_eos: true };

Deno.test("a full server is asked again, once the time that it names has passed", async () => {
  await using server = await served(["--model", LONG.model, "--slots", "2", "--queue", "2"]);
  const answers: { readonly status: number; readonly at: number }[] = [];
  const recording = async (...args: Parameters<typeof fetch>) => {
    const response = await fetch(...args);
    answers.push({ status: response.status, at: performance.now() });
    return response;
  };
  const busy = clientOf(server).completions.create({ ...LONG, n: 4 });
  await until(server, "moi_running", 2);
  const four = { ...LONG, max_tokens: 1, n: 4 }; // fits in an empty server alone
  const asking = clientOf(server).completions.create(four);
  await assertRejects(() => asking, OpenAI.RateLimitError, "The queue is full");
  await clientOf(server, { fetch: recording, maxRetries: 20 }).completions.create(four);
  await busy;
  assertEquals(answers.at(-1)!.status, 200);
  assert(answers.slice(0, -1).every(({ status }) => status === 429), JSON.stringify(answers));
  for (const [i, { at }] of answers.slice(1).entries()) {
    assert(at - answers[i]!.at >= 990, "the client came before the second that Retry-After names");
  }
});

Deno.test("a stream that its client leaves frees its slot", async () => {
  await using server = await served(["--model", LONG.model, "--slots", "1"]);
  const { completions } = clientOf(server);
  const asked = { ...LONG, n: 8 }; // one after the other
  const stream = await completions.create({ ...asked, stream: true });
  let chunks = 0;
  for await (const _ of stream) if (++chunks === 3) break; // the client closes its connection
  await until(server, "moi_running", 0);
  assert(await metric(server, 'moi_texts_total{reason="aborted"}') > 0);
  assert(await metric(server, "moi_generated_tokens_total") < asked.n * asked.max_tokens);
  const { usage } = await completions.create({ ...LONG, max_tokens: 2 });
  assertEquals(usage!.completion_tokens, 2);
});
