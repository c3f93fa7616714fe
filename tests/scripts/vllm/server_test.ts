/** vLLM itself with the plugin, over HTTP, against this library in process. */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import {
  directMixture,
  generate,
  linearMixture,
  type Method,
  moi,
  promptTokens,
  type Sampler,
  standard,
} from "../../../lib/decode/mod.ts";
import { loadModel, type Model } from "../../../lib/model/mod.ts";
import {
  countdown,
  type CountdownProblem,
  votes,
  type VotesProblem,
} from "../../../lib/tasks/mod.ts";
import { type Answer, type Asked, bodyOf, complete, follow, post } from "./_follow.ts";
import { type Server, startServer } from "./_vllm.ts";
import { needing, VLLM } from "../../_needing.ts";

const test = needing(VLLM);

type Mixes = readonly [Method, Asked["fields"]];

const UNTOUCHED: Mixes = [standard(), {}];
const TOKEN_ALONE: readonly Mixes[] = [
  [standard(), { moi_method: "standard" }],
  [moi({ beta: Infinity }), { moi_beta: "Infinity" }],
  [linearMixture({ weight: 0 }), { moi_method: "linearMixture", moi_weight: 0 }],
];
/** Those that mix on greedy decoding too, as what they mix is the model's own distribution. */
const OF_MODEL: readonly Mixes[] = [
  [moi({ beta: 0.25, preset: "mixinputs-0.1.1" }), {
    moi_beta: 0.25,
    moi_preset: "mixinputs-0.1.1",
  }],
  [moi({ beta: 0, prior: "model" }), { moi_method: "moi", moi_beta: 0, moi_prior: "model" }],
  [directMixture({ prior: "model" }), { moi_method: "directMixture", moi_prior: "model" }],
  [
    linearMixture({ weight: 0.8, prior: "model", topK: 6 }),
    { moi_method: "linearMixture", moi_weight: 0.8, moi_prior: "model", moi_top_k: 6 },
  ],
];
const OF_SAMPLER: readonly Mixes[] = [
  ...[0, 0.25, 1, 8].map((beta): Mixes => [moi({ beta }), { moi_beta: beta }]),
  [directMixture(), { moi_method: "directMixture" }],
  [linearMixture(), { moi_method: "linearMixture" }],
];
const PHASES: readonly Mixes[] = (["thinking", "answer"] as const).flatMap((phase): Mixes[] => [
  [moi({ beta: 0.25, phase }), { moi_beta: 0.25, moi_phase: phase }],
  [
    directMixture({ prior: "model", phase }),
    { moi_method: "directMixture", moi_prior: "model", moi_phase: phase },
  ],
]);
const SAMPLERS: readonly Partial<Sampler>[] = [
  { temperature: 1 },
  { temperature: 0.8, topK: 12, topP: 0.9 },
  {
    temperature: 1.2,
    minP: 0.03,
    repetitionPenalty: 1.2,
    presencePenalty: 0.3,
    frequencyPenalty: 0.1,
  },
];

/** Requests of all methods and samplers, each for a problem of its own. */
async function requests(
  model: Model,
  mixes: readonly Mixes[],
  samplers: readonly Partial<Sampler>[],
): Promise<Asked[]> {
  const limit = mixes.length * samplers.length;
  const task = model.id === "votes-tiny" ? votes({ limit }) : countdown({ limit });
  const prompts = (await task.problems()).map((problem) =>
    promptTokens(model, task.prompt(problem as VotesProblem & CountdownProblem))
  );
  return mixes.flatMap(([method, fields], i) =>
    samplers.map((sampler, k): Asked => {
      const seed = i * samplers.length + k;
      return { prompt: prompts[seed]!, length: 48, seed, sampler, method, fields };
    })
  );
}

/** A number of `/metrics`, of all its lines that hold `label`. */
async function metric(url: string, name: string, label = ""): Promise<number> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split("\n");
  const own = lines.filter((line) => line.startsWith(`${name}{`) && line.includes(label));
  return own.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** Asks for all at once and follows them, with so little cache that requests are preempted. */
async function followAll(url: string, model: Model, all: readonly Asked[]): Promise<Answer[]> {
  const answers = await Promise.all(all.map((asked) => complete(url, asked, model)));
  const errors: number[] = [];
  let mixing = 0;
  for (const [i, asked] of all.entries()) {
    errors.push(...await follow(model, asked, answers[i]!));
    if ((answers[i]!.moi?.mean_off_sample_mass ?? 0) > 0.01) mixing++;
  }
  // now and then a step is ill-conditioned: weights that differ by 1e-6 make logits that differ by 1e-4
  const off = errors.filter((error) => error > 1e-4), worst = Math.max(...errors);
  assert(off.length <= errors.length / 1000 && worst < 1e-3, `${off} of ${errors.length} steps`);
  assert(mixing >= all.length / 2, `${mixing} of ${all.length} mix`);
  assert(await metric(url, "vllm:num_preemptions_total") > 0, "nothing was preempted");
  return answers;
}

async function greedyAsInProcess(url: string, model: Model): Promise<void> {
  const all = await requests(model, [
    UNTOUCHED,
    ...TOKEN_ALONE,
    ...OF_MODEL,
    ...OF_SAMPLER,
    ...PHASES,
  ], [
    { temperature: 0 },
  ]);
  const answers = await Promise.all(all.map((asked) => complete(url, asked, model)));
  for (const [i, asked] of all.entries()) {
    const { prompt, method, length: maxNewTokens } = asked, temperature = 0;
    const options = { method, temperature, maxNewTokens, ignoreEos: true };
    const { tokens } = await generate(model, prompt, options);
    assertEquals(answers[i]!.tokens, tokens, JSON.stringify(asked.fields));
  }
}

async function tokenAloneIsUntouched(url: string, model: Model): Promise<void> {
  const [method, fields] = UNTOUCHED, sampler = { temperature: 0.9, topP: 0.95 };
  const asked = { prompt: [1, 5, 9], length: 40, seed: 3, sampler };
  const plain = await complete(url, { ...asked, method, fields }, model);
  for (const [method, fields] of TOKEN_ALONE) {
    const own = await complete(url, { ...asked, method, fields }, model);
    assertEquals([own.tokens, own.logprobs], [plain.tokens, plain.logprobs]); // bit for bit
  }
  const mixed = await complete(url, {
    ...asked,
    method: moi({ beta: 0.25 }),
    fields: { moi_beta: 0.25 },
  }, model);
  assertNotEquals(mixed.tokens, plain.tokens);
  const { json } = await post(
    `${url}/v1/completions`,
    bodyOf({ ...asked, method, fields }, model.id, 1),
  );
  assertEquals([json.kv_transfer_params, JSON.stringify(json).includes("moi")], [null, false]);
}

async function refusals(url: string, name: string): Promise<void> {
  const xargs = (fields: unknown) => ({ vllm_xargs: fields });
  const beta = xargs({ moi_beta: 1 });
  const bad: [string, Record<string, unknown>][] = [
    ["moi_beta", xargs({ moi_beta: -1 })],
    ["moi_gamma", xargs({ moi_gamma: 1 })],
    ["moi_method", xargs({ moi_method: "fixedMass" })],
    ["moi_beta", { moi_beta: 1 }],
    ["n", { ...beta, n: 2 }],
    ["use_beam_search", { ...beta, use_beam_search: true, n: 1 }],
    ["response_format", { ...beta, response_format: { type: "json_object" } }],
    ["structured_outputs", { ...beta, structured_outputs: { choice: ["a"] } }],
    ["moi_beta", { ...xargs({ moi_beta: "1" }), stream: true }],
  ];
  for (const [param, body] of bad) {
    const message = { role: "user", content: "a" };
    for (
      const [path, prompt] of [["", { prompt: [1, 5] }], ["chat/", {
        messages: [message],
      }]] as const
    ) {
      const asked = { model: name, max_tokens: 2, ...prompt, ...body };
      const { status, json } = await post(`${url}/v1/${path}completions`, asked);
      assertEquals([status, json.error?.param], [400, param], JSON.stringify(json));
      assertEquals(json.error.type, "invalid_request_error");
      assertMatch(json.error.message, /^Cannot mix as '.+' must .+: current value is .+$/);
    }
  }
  // routes of vLLM's that the plugin does not know go through the same check
  const response = { model: name, input: "a", max_output_tokens: 2, ...xargs({ moi_gamma: 1 }) };
  const { status, json } = await post(`${url}/v1/responses`, response);
  assertEquals([status, json.error.param], [400, "moi_gamma"]);
}

async function streams(url: string, model: Model): Promise<void> {
  const [method, fields] = OF_SAMPLER[1]!, sampler = { temperature: 1 };
  const asked = { prompt: [1, 5, 6], length: 20, seed: 8, sampler, method, fields };
  const body = { ...bodyOf(asked, model.id, 1), prompt: [[1, 5, 6], [1, 7]], stream: true };
  const whole = (await post(`${url}/v1/completions`, { ...body, stream: false })).json;
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/v1/completions`, {
    ...{ method: "POST", headers },
    body: JSON.stringify(body),
  });
  const events = (await answer.text()).split("\n\n").filter((event) => event !== "");
  assertEquals(events.pop(), "data: [DONE]");
  const chunks = events.map((event) => JSON.parse(event.replace("data: ", "")).choices[0]);
  for (const choice of whole.choices) {
    const own = chunks.filter(({ index }) => index === choice.index), last = own.pop();
    assertEquals([last.finish_reason, last.moi], ["length", choice.moi]);
    assert(own.every((chunk) => !("moi" in chunk)));
    assertEquals([...own, last].map(({ text }) => text).join(""), choice.text);
  }
  assertNotEquals(whole.choices[0].moi, whole.choices[1].moi);

  const messages = [{ role: "user", content: "a" }];
  const chat = { model: model.id, messages, max_tokens: 4, vllm_xargs: fields };
  const [choice] = (await post(`${url}/v1/chat/completions`, chat)).json.choices;
  assertEquals(choice.moi.parameters, { beta: 0.25, preset: "paper" });
  const ended = { ...chat, max_tokens: 30, stop: [" "] };
  const stopped = (await post(`${url}/v1/chat/completions`, ended)).json.choices[0];
  assert(stopped.finish_reason !== "stop" || stopped.moi.mean_entropy >= 0);
}

async function goesWithItsClient(url: string, model: Model): Promise<void> {
  const [method, fields] = OF_SAMPLER[1]!, count = "vllm:generation_tokens_total", length = 240;
  const asked = { prompt: [1, 5, 6], length, sampler: {}, method, fields };
  const before = await metric(url, count);
  const answer = await fetch(`${url}/v1/completions`, {
    ...{ method: "POST", headers: { "content-type": "application/json" } },
    body: JSON.stringify({ ...bodyOf(asked, model.id, 1), stream: true }),
  });
  const reader = answer.body!.getReader();
  await reader.read();
  await reader.cancel();
  for (let tries = 0; await metric(url, "vllm:num_requests_running") > 0; tries++) {
    assert(tries < 100, "the request goes on");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert(await metric(url, count) - before < length, "the request went on to its end");
}

async function description(url: string, model: Model): Promise<void> {
  const { plugin, server, methods, ...told } = await (await fetch(`${url}/v1/moi`)).json();
  assertEquals([plugin, server], [
    { name: "moi-vllm", version: "0.1.0" },
    { name: "vllm", version: "0.32.0" },
  ]);
  assertEquals(told, {
    protocol: 1,
    model: {
      ...{ id: model.id, fingerprint: model.fingerprint, dtype: "float32", device: "cpu" },
      ...{ max_length: 256, vocabulary_size: model.config.vocabularySize },
    },
  });
  assertEquals(Object.keys(methods), ["standard", "moi", "directMixture", "linearMixture"]);
  assertEquals(methods.linearMixture, ["weight", "prior", "top_k", "phase"]);
}

const LIMITS = ["--max-model-len", "256", "--block-size", "32"];

test("vLLM with the plugin is this library over HTTP, on votes-tiny", async (t) => {
  await using model = await loadModel("votes-tiny");
  const args = ["--max-logprobs", "30", "--num-gpu-blocks-override", "40", "--max-num-seqs", "64"];
  await using server: Server = await startServer("votes-tiny", [...LIMITS, ...args]);
  const { url } = server;
  await t.step("it says what it is", () => description(url, model));
  await t.step("greedy texts are those of generate", () => greedyAsInProcess(url, model));
  await t.step(
    "sampled ones of all methods in one batch have our logits, also once preempted",
    async () => {
      const all = await requests(
        model,
        [...OF_MODEL, ...OF_SAMPLER, ...PHASES, UNTOUCHED],
        SAMPLERS,
      );
      const together = await followAll(url, model, all);
      for (let i = 0; i < all.length; i += 6) { // the same texts as without preemption
        assertEquals((await complete(url, all[i]!, model)).tokens, together[i]!.tokens);
      }
    },
  );
  await t.step(
    "β of ∞ and standard are bit for bit as untouched",
    () => tokenAloneIsUntouched(url, model),
  );
  await t.step("a stream tells in its last chunks", () => streams(url, model));
  await t.step("what cannot be honoured is refused", () => refusals(url, model.id));
  await t.step("a request goes with its client", () => goesWithItsClient(url, model));
});

test("two tensor-parallel ranks, and prompts prefilled in pieces, on countdown-tiny", async () => {
  await using model = await loadModel("countdown-tiny");
  const args = ["--max-logprobs", "117", "--num-gpu-blocks-override", "16", "--max-num-seqs", "16"];
  const pieces = ["--enable-chunked-prefill", "--max-num-batched-tokens", "32"];
  const ranks = ["--tensor-parallel-size", "2"];
  await using server = await startServer("countdown-tiny", [
    ...LIMITS,
    ...args,
    ...pieces,
    ...ranks,
  ]);
  const greedy = await requests(model, [...OF_MODEL, ...OF_MODEL, ...OF_MODEL], [{
    temperature: 0,
  }]);
  await followAll(server.url, model, greedy);
  for (const asked of await requests(model, OF_SAMPLER.slice(1, 3), [SAMPLERS[1]!])) { // in one piece
    await follow(model, asked, await complete(server.url, asked, model));
  }
});
