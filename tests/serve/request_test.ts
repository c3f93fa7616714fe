/** Requests as they come: what is read, and what is refused by name. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { METHODS, SAMPLER_FIELDS } from "@moi/moi/decode";
import { methodOf, PASSED_OVER, SAMPLER_NAMES } from "@moi/moi/serve";
import { ServeError } from "../../lib/serve/error.ts";
import { KNOBS } from "../../lib/serve/method_fields.ts";
import { readRequest } from "../../lib/serve/request.ts";

const chat = { messages: [{ role: "user", content: "a" }] };

/** Reads a request of the route that it asks. */
const read = (body: object) =>
  readRequest("messages" in body ? "chat" : "completions", body, "the-model");

/** What is read of a request, its method by name and knobs. */
function facts(body: object) {
  const { method, ...more } = read(body);
  return { ...more, method: [method.name, method.parameters ?? {}] };
}

const PLAIN = facts({ prompt: "a" });

Deno.test("a prompt alone leaves everything to the library", () => {
  assertEquals(PLAIN, {
    ...{ route: "completions", prompts: ["a"], n: 1, maxTokens: undefined, seed: undefined },
    ...{ options: {}, alternatives: undefined, method: ["standard", {}] },
    ...{ returnTokenIds: false, stream: false, includeUsage: false },
  });
});

const READ: readonly (readonly [body: object, facts: object])[] = [
  [{ prompt: [1, 2] }, { prompts: [[1, 2]] }],
  [{ prompt: ["a", "b"] }, { prompts: ["a", "b"] }],
  [{ prompt: [[1], [2, 3]] }, { prompts: [[1], [2, 3]] }],
  [{ prompt: "" }, { prompts: [""] }],
  [{ max_tokens: 7 }, { maxTokens: 7 }],
  [{ max_completion_tokens: 7 }, { maxTokens: 7 }],
  [{ max_completion_tokens: 7, max_tokens: 7 }, { maxTokens: 7 }],
  [{ max_tokens: null, n: null, stop: null, stream: null }, {}],
  [{ seed: 0, n: 3 }, { seed: 0, n: 3 }],
  [{ seed: 2 ** 53 - 3, n: 3 }, { seed: 2 ** 53 - 3, n: 3 }],
  [{ temperature: 0, top_k: -1, top_p: 0.9 }, { options: { temperature: 0, topK: 0, topP: 0.9 } }],
  [{ logit_bias: { 3: -100 }, allowed_token_ids: [3] }, {
    options: { logitBias: { 3: -100 }, allowedTokens: [3] },
  }],
  [{ stop: "x" }, { options: { stop: ["x"] } }],
  [{ stop: ["x", "yz"], ignore_eos: true }, { options: { stop: ["x", "yz"], ignoreEos: true } }],
  [{ stop: [] }, { options: { stop: [] } }],
  [{ logprobs: 0 }, { alternatives: 0 }],
  [{ logprobs: 20 }, { alternatives: 20 }],
  [{ stream: true }, { stream: true }],
  [{ stream: true, stream_options: { include_usage: true, include_obfuscation: false } }, {
    ...{ stream: true, includeUsage: true },
  }],
  [{ return_token_ids: true, model: "the-model" }, { returnTokenIds: true }],
  [{ vllm_xargs: { moi_beta: 0.25 } }, { method: ["moi", { beta: 0.25, preset: "paper" }] }],
  [{ vllm_xargs: { moi_method: "linearMixture", moi_weight: 0.5 } }, {
    method: ["linearMixture", { weight: 0.5, prior: "sampler", topK: 0 }],
  }],
  [{ vllm_xargs: {} }, {}],
  [Object.fromEntries(PASSED_OVER.map((name) => [name, { any: "thing" }])), {}],
  [
    {
      ...{ tools: [], tool_choice: "none", response_format: { type: "text" }, best_of: 1 },
      ...{ suffix: "", echo: false, use_beam_search: false, length_penalty: 1, min_tokens: 0 },
      ...{ stop_token_ids: [], skip_special_tokens: false, add_special_tokens: true },
    },
    {},
  ],
  [{ best_of: 2, n: 2 }, { n: 2 }],
];
for (const [body, expected] of READ) {
  Deno.test(`read: ${JSON.stringify(body).slice(0, 80)}`, () => {
    assertEquals(facts({ prompt: "a", ...body }), { ...PLAIN, ...expected });
  });
}

Deno.test("a chat has its own fields", () => {
  const { prompts, alternatives, options } = read({
    messages: [
      { role: "system", content: [{ type: "text", text: "a" }, { type: "text", text: "b" }] },
      { role: "assistant", content: "c", refusal: null, tool_calls: [] },
    ],
    ...{ logprobs: true, top_logprobs: 3, chat_template_kwargs: { enable_thinking: false } },
  });
  const messages = [{ role: "system", content: "a\nb" }, { role: "assistant", content: "c" }];
  assertEquals(prompts, [messages]);
  assertEquals([alternatives, options.chat], [3, { enable_thinking: false }]);
  assertEquals(read({ ...chat, logprobs: true }).alternatives, 0);
  assertEquals(read({ ...chat, logprobs: false, top_logprobs: 0 }).alternatives, undefined);
});

/** What is refused, the field that is named, and the rule. */
const REFUSED: readonly (readonly [body: object, param: string, message: string])[] = [
  [{ moi_beta: 1 }, "moi_beta", "must be put into 'vllm_xargs'"],
  [{ temprature: 1 }, "temprature", "no field here; there are prompt, model, max_tokens"],
  [{ beta: 1 }, "beta", "no field here"],
  [{ messages_: [] }, "messages_", "no field here"],
  [{ prompt: null }, "prompt", "must be a text, token ids"],
  [{ prompt: [] }, "prompt", "must be a text, token ids"],
  [{ prompt: ["a", 1] }, "prompt", "must be a text, token ids"],
  [{ prompt: {} }, "prompt", "must be a text, token ids"],
  [{ prompt: Array(1025).fill("a") }, "prompt", "1 to 1024"],
  [{ tools: [{}] }, "tools", "this server does not do it"],
  [{ tool_choice: "required" }, "tool_choice", "this server does not do it"],
  [{ response_format: { type: "json_object" } }, "response_format", "does not do it"],
  [{ best_of: 2 }, "best_of", "does not do it"],
  [{ suffix: "x" }, "suffix", "does not do it"],
  [{ echo: true }, "echo", "does not do it"],
  [{ prompt_logprobs: 0 }, "prompt_logprobs", "does not do it"],
  [{ use_beam_search: true }, "use_beam_search", "does not do it"],
  [{ skip_special_tokens: true }, "skip_special_tokens", "does not do it"],
  [{ n: 0 }, "n", "an integer at least 1 and at most 128: current value is 0"],
  [{ n: 1.5 }, "n", "an integer"],
  [{ n: 129 }, "n", "at most 128"],
  [{ seed: -1 }, "seed", "at least 0"],
  [{ seed: 2 ** 53 }, "seed", "an integer"],
  [{ seed: 2 ** 53 - 1, n: 2 }, "seed", "at most 9007199254740990"],
  [{ max_tokens: 0 }, "max_tokens", "at least 1"],
  [{ max_tokens: "8" }, "max_tokens", "be an integer"],
  [{ max_tokens: 8, max_completion_tokens: 9 }, "max_tokens", "beside another"],
  [{ stop: [""] }, "stop", "up to 16"],
  [{ stop: Array(17).fill("a") }, "stop", "up to 16"],
  [{ stop: "a".repeat(257) }, "stop", "1 to 256 characters"],
  [{ logprobs: 21 }, "logprobs", "at most 20"],
  [{ logprobs: true }, "logprobs", "be an integer"],
  [{ ...chat, logprobs: 1 }, "logprobs", "be true or false"],
  [{ ...chat, top_logprobs: 1 }, "top_logprobs", "where 'logprobs' is not true"],
  [{ stream: "yes" }, "stream", "be true or false"],
  [{ stream_options: {} }, "stream_options", "where 'stream' is not true"],
  [{ stream: true, stream_options: { include_usage: 1 } }, "stream_options.include_usage", "be tr"],
  [{ stream: true, stream_options: { other: true } }, "stream_options.other", "be left out"],
  [{ chat_template_kwargs: {} }, "chat_template_kwargs", "no field here"],
  [{ ...chat, prompt: "a" }, "prompt", "no field here"],
  [{ messages: [] }, "messages", "at least one message"],
  [{ messages: ["a"] }, "messages", "a role and a content"],
  [{ messages: [{ role: "user" }] }, "messages", "have contents that are texts"],
  [{ messages: [{ role: "user", content: "a", name: "b" }] }, "messages", "and no more"],
  [{ messages: [{ content: "a" }] }, "messages", "a role and a content"],
  [{ messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "messages", "type text"],
  [{ vllm_xargs: [] }, "vllm_xargs", "be an object"],
  [{ vllm_xargs: { beta: 1 } }, "beta", "begin with moi_"],
  [{ vllm_xargs: { moi_betta: 1 } }, "moi_betta", "moi takes moi_beta, moi_preset"],
  [{ vllm_xargs: { moi_method: "standard", moi_beta: 1 } }, "moi_beta", "takes no fields"],
  [{ vllm_xargs: { moi_method: "linearMixture", moi_beta: 1 } }, "moi_beta", "takes moi_weight"],
  [{ vllm_xargs: { moi_method: "half" } }, "moi_method", "be one of standard, moi"],
  [{ vllm_xargs: { moi_method: 3 } }, "moi_method", "be one of standard, moi"],
  [{ vllm_xargs: { moi_method: "__proto__" } }, "moi_method", "be one of standard, moi"],
  [{ vllm_xargs: { moi_beta: -1 } }, "moi_beta", "at least 0: current value is -1"],
  [{ vllm_xargs: { moi_beta: "NaN" } }, "moi_beta", "be a number"],
  [{ vllm_xargs: { moi_beta: null } }, "moi_beta", "be a text, a number, true or false"],
  [{ vllm_xargs: { moi_top_k: -1 } }, "moi_top_k", "at least 0"],
  [{ vllm_xargs: { moi_phase: "never" } }, "moi_phase", "be 'all'"],
  [
    { vllm_xargs: { moi_method: "softThinking", moi_cold_threshold: -1 } },
    "moi_cold_threshold",
    "at least 0",
  ],
  [
    { vllm_xargs: { moi_method: "softThinking", moi_answer_temperature: -1 } },
    "moi_answer_temperature",
    "at least 0",
  ],
  [{ vllm_xargs: { moi_phase: "thinking", moi_open: "<a>" } }, "moi_close", "be a text"],
];
for (const [body, param, message] of REFUSED) {
  Deno.test(`refused: ${JSON.stringify(body).slice(0, 80)}`, () => {
    const own = "messages" in body ? body : { prompt: "a", ...body };
    const error = assertThrows(() => read(own), ServeError);
    assertEquals([error.facts.status, error.facts.param], [400, param]);
    assertStringIncludes(error.message, `'${param}'`);
    assertStringIncludes(error.message, message);
  });
}

Deno.test("what is no object, and another model", () => {
  for (const body of [null, 3, "a", [], [{}]]) {
    assertThrows(() => readRequest("completions", body, "m"), ServeError, "be a JSON object");
  }
  const error = assertThrows(() => read({ prompt: "a", model: "other" }), ServeError);
  assertEquals([error.facts.status, error.facts.code], [404, "model_not_found"]);
});

Deno.test("a field named __proto__ is a field like any other", () => {
  const body = JSON.parse('{"prompt": "a", "__proto__": {"n": 2}}');
  assertThrows(() => read(body), ServeError, "'__proto__' must be left out");
});

Deno.test("every setting of the sampler has a field, and every method its knobs", () => {
  assertEquals(Object.keys(SAMPLER_NAMES).sort(), SAMPLER_FIELDS.toSorted());
  for (const name of Object.keys(METHODS)) {
    for (const knob of KNOBS[name]!) {
      const fields = { moi_method: name, [`moi_${knob}`]: NaN };
      const { message } = assertThrows(() => methodOf(fields), Error);
      assert(!/is not an option|left out/.test(message), message);
    }
  }
});
