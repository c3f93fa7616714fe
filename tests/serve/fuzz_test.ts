/** Requests that are damaged at random: never an error of the server's own. */

import { assert, assertEquals } from "@std/assert";
import { loadModel } from "@moi/moi/model";
import { openHandler } from "@moi/moi/serve";
import { type Random, seeded } from "../_random.ts";
import { post } from "./_client.ts";

const BODIES: readonly object[] = [
  { prompt: "a b", max_tokens: 3, temperature: 0.5, stop: ["c"], seed: 4, logprobs: 2 },
  { prompt: [[1, 2], [3]], max_tokens: 2, n: 2, stream: true, return_token_ids: true },
  {
    messages: [{ role: "user", content: [{ type: "text", text: "a" }] }],
    ...{ max_tokens: 3, top_logprobs: 2, logprobs: true, chat_template_kwargs: {} },
    ...{ stream: true, stream_options: { include_usage: true } },
  },
  {
    ...{
      prompt: [1],
      max_tokens: 3,
      logit_bias: { 3: 1 },
      entropy_temperature: { base: 1, theta: 1 },
    },
    vllm_xargs: { moi_method: "moi", moi_beta: 0.5, moi_preset: "paper", moi_top_k: 3 },
  },
];

const junk = (random: Random): unknown =>
  random.pick<() => unknown>([
    () => null,
    () => random.pick([-1, 0, 1, 1.5, 2 ** 53, 1e308, -1e-300]),
    () => random.pick(["", "Infinity", "\ud800", "\u0000é\u{1f600}", "a".repeat(300), "__proto__"]),
    () => random.pick([true, false]),
    () => Array.from({ length: random.below(4) }, () => junk(random)),
    () => ({
      [random.pick(["a", "type", "text", "role", "base", "3", "__proto__"])]: junk(random),
    }),
    () => random.pick<unknown>([[], {}, [[]], [{}], [[[[]]]]]),
  ])();

/** The value with one place of it changed, at any depth. */
function damaged(value: unknown, random: Random): unknown {
  if (random.below(4) === 0 || typeof value !== "object" || value === null) return junk(random);
  const entries = Object.entries(value);
  const at = random.below(entries.length + 1), [name, own] = entries[at] ?? ["new", undefined];
  const changed = random.below(6) === 0
    ? entries.filter((_, i) => i !== at)
    : [...entries.filter((_, i) => i !== at), [
      random.below(8) === 0 ? random.pick(["moi_beta", "tools", "n", "prompt", "messages"]) : name,
      damaged(own, random),
    ]];
  if (Array.isArray(value)) return changed.map(([, one]) => one);
  return JSON.parse(
    `{${changed.map((pair) => pair.map((one) => JSON.stringify(one ?? null)).join(":")).join()}}`,
  );
}

Deno.test("2,000 damaged requests get an answer or a refusal, and the texts beside them are whole", async () => {
  await using model = await loadModel("votes-tiny");
  await using handler = openHandler(model, { length: 32, slots: 8, maxSeconds: 30 });
  const random = seeded(18), counts: Record<string, number> = {};
  const ask = async (
    body: unknown,
    path = random.pick(["/v1/completions", "/v1/chat/completions"]),
  ) => {
    const response = await handler.handle(post(path, body));
    const text = await response.text();
    counts[response.status] = (counts[response.status] ?? 0) + 1;
    assert(
      [200, 400, 404].includes(response.status),
      `${response.status} ${JSON.stringify(body)}: ${text}`,
    );
    assert(!text.includes("server_error"), text);
    if (response.status === 200) return text;
    const { error } = JSON.parse(text);
    assertEquals(Object.keys(error), ["message", "type", "param", "code"]);
    assert(typeof error.message === "string" && error.message.length < 2000, text);
  };
  const whole = { prompt: [1], seed: 3, max_tokens: 20 };
  const expected = JSON.parse((await ask(whole, "/v1/completions"))!).choices[0].text;
  for (let i = 0; i < 100; i++) {
    const bodies = Array.from({ length: 20 }, () => {
      const own = random.pick(BODIES);
      const path = "messages" in own ? "/v1/chat/completions" : "/v1/completions";
      return ask(damaged(own, random), path);
    });
    const beside = await ask(whole, "/v1/completions");
    assertEquals(JSON.parse(beside!).choices[0].text, expected);
    await Promise.all(bodies);
  }
  assert(counts[200]! > 200 && counts[400]! > 1000, JSON.stringify(counts));
});

Deno.test("bodies that are no JSON, or no object, are refused", async () => {
  await using model = await loadModel("votes-tiny");
  await using handler = openHandler(model);
  const bodies = ["", "{", "[]", "null", "3", '"a"', "{'prompt': 1}", "[".repeat(200_000), "{}"];
  for (const body of bodies) {
    const response = await handler.handle(post("/v1/completions", body));
    assertEquals(response.status, 400, body.slice(0, 20));
    await response.body?.cancel();
  }
  const bytes = Uint8Array.of(0x22, 0xff, 0x22);
  const long = "a".repeat(100_000);
  for (const body of [{ [long]: 1 }, { entropy_temperature: { [long]: 1 } }, { model: long }]) {
    const response = await handler.handle(post("/v1/completions", { prompt: [1], ...body }));
    assert((await response.text()).length < 2000, Object.keys(body)[0]!.slice(0, 20));
  }
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const messages = '[{"role": "user", "content": "a"}]';
  const body = `{"messages": ${messages}, "chat_template_kwargs": {"a": ${deep}}}`;
  assertEquals((await handler.handle(post("/v1/chat/completions", body))).status, 400);
  const broken = await handler.handle(post("/v1/completions", "", { body: bytes }));
  assertEquals([broken.status, (await broken.json()).error.code], [400, "invalid_json"]);
});
