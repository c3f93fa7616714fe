/** Servers that speak OpenAI's protocol and do not mix: vLLM as it is, llama-server, Ollama, hosted ones. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { generate, METHODS, moi, standard } from "@moi/moi/decode";
import { loadModel } from "@moi/moi/model";
import { gainsTable } from "@moi/moi/plot";
import { serverModel } from "@moi/moi/serve";
import { gains } from "@moi/moi/stats";
import { readRuns, runStudy } from "@moi/moi/study";
import { votes } from "@moi/moi/tasks";
import { plainPrompt } from "../../lib/serve/client/plain_text.ts";
import { withStore } from "../study/_letters.ts";
import { type Body, type Fake, fakeServer } from "./_fake_server.ts";

/** An answer as a server gives it that knows nothing of mixing, nor of token ids. */
function plain(answer: Body): Body {
  const [{ moi: _, token_ids: __, prompt_token_ids: ___, ...choice }] = answer.choices as [Body];
  return { ...answer, choices: [choice] };
}

const PLAIN: Fake = { about: null, told: plain, entry: { owned_by: "llamacpp" } };

Deno.test("a plain server is sent texts and conversations as they are, and decodes by standard alone", async () => {
  await using there = await loadModel("countdown-tiny");
  await using server = fakeServer(there, PLAIN);
  await using model = await serverModel({ url: server.url });
  assertEquals([model.device, model.versions], ["llama.cpp", { server: "llama.cpp" }]);
  assert(model.notes!.join().includes("does not mix: it decodes by 'standard' alone"));
  const text = "1 + 2 é", chat = [{ role: "user", content: "Using the numbers [1, 2], equal 3." }];
  const options = { seed: 4, maxNewTokens: 12, temperature: 0.7, topP: 0.9 };
  for (const prompt of [text, chat]) {
    const made = await generate(model, prompt, options),
      own = await generate(there, prompt, options);
    assertEquals([made.text, made.tokens, made.promptTokens], [own.text, [], own.promptTokens]);
    assertEquals(made.mixing, { meanEntropy: NaN, meanOffSampleMass: 0 });
  }
  const known = { model: "countdown-tiny", max_tokens: 12, seed: 4, temperature: 0.7, top_p: 0.9 };
  assertEquals(server.posts.map(({ path, body }): Body => ({ path, ...body })), [
    { path: "/v1/completions", prompt: text, ...known },
    { path: "/v1/chat/completions", messages: chat, ...known },
  ]);
  const refused = (options: object, words: string) =>
    assertRejects(() => generate(model, chat, options), TypeError, words);
  for (const [name, { make }] of Object.entries(METHODS)) {
    if (name === "standard") continue;
    await refused({ method: make() }, "'method' must be standard, as llama.cpp at http");
  }
  await refused({ topK: 20 }, "'topK' must be left out, as llama.cpp takes temperature, topP");
  await refused({ ignoreEos: true }, "'ignoreEos' must be false");
  await refused({ chat: { enable_thinking: false } }, "'chat' must be left out");
  assertEquals(server.posts.length, 2);
  await assertRejects(
    () => serverModel({ url: server.url, tokenizer: "countdown-tiny" }),
    TypeError,
    "'tokenizer' must be left out, as llama.cpp at",
  );
});

Deno.test("what a plain server does not tell stands in no table as a number, nor when it is read back", async () => {
  await using there = await loadModel("votes-tiny");
  await using server = fakeServer(there, PLAIN);
  await using model = await serverModel({ url: server.url });
  await withStore(async (store) => {
    const methods = { a: standard(), b: standard() };
    const runs = await runStudy({ model, task: votes({ limit: 12 }), methods }, { store });
    assertEquals(runs.length, 24);
    for (const own of [runs, await readRuns(store)]) {
      const rows = gains(own, { baseline: "a" });
      assert(
        rows.every(({ meanTokens, tokensRatio }) =>
          Number.isNaN(meanTokens) && Number.isNaN(tokensRatio ?? NaN)
        ),
      );
      const { text } = gainsTable(rows);
      assert(!/NaN|Infinity/.test(text), text);
      assert(/ – +– +0\.000|0\.000/.test(text), text);
    }
    const again = await runStudy({ model, task: votes({ limit: 12 }), methods }, { store });
    assertEquals(again.length, 24);
    assertEquals(server.posts.length, 24);
  });
});

Deno.test("plain servers are known by their lists, and a name may stand for one that is more exact", async () => {
  await using there = await loadModel("votes-tiny");
  const names: Record<string, string> = {
    ...{ vllm: "vllm 0.9", library: "ollama", "organization": "openai" },
  };
  let told = "votes-tiny-2026-01-01";
  for (const [owned_by, device] of Object.entries(names)) {
    const entry = { owned_by, max_model_len: 100, root: "votes-tiny" };
    await using server = fakeServer({ ...there, id: "far" }, {
      ...{ about: null, entry },
      told: (answer, body) =>
        owned_by === "vllm" ? answer : { ...plain(answer), model: told, ...body.extra as Body },
      instead: ({ url }) =>
        url.endsWith("/version") ? Response.json({ version: "0.9" }) : undefined,
    });
    await using model = await serverModel({ url: server.url });
    assertEquals(model.device, device);
    if (owned_by === "vllm") {
      assertEquals([model.maxLength, model.tokenizer.size], [100, there.tokenizer.size]);
      const options = { seed: 2, topK: 5 };
      const made = await generate(model, "a b", options),
        own = await generate(there, "a b", options);
      assertEquals([made.tokens, made.text], [own.tokens, own.text]);
      assertEquals(server.posts[0]!.body.stop_token_ids, [2]);
      assertEquals("vllm_xargs" in server.posts[0]!.body, false);
      const words = "start vLLM with the moi-vllm plugin";
      await assertRejects(() => generate(model, "a b", { method: moi() }), TypeError, words);
    } else {
      told = "votes-tiny-2026-01-01";
      await generate(model, "a b");
      told = "votes-tiny-2026-02-02";
      const words = "'model' must be 'votes-tiny-2026-01-01'";
      await assertRejects(() => generate(model, "a b"), TypeError, words);
    }
  }
});

Deno.test("a server that mixes may be sent texts as they are, without a tokenizer here", async () => {
  await using there = await loadModel("countdown-tiny");
  await using server = fakeServer({ ...there, id: "far" });
  await using model = await serverModel({ url: server.url, tokenizer: null });
  const prompt = [{ role: "user", content: "Using the numbers [12, 11, 8], create an equation" }];
  const options = { method: moi({ beta: 0.5 }), seed: 3, maxNewTokens: 16 };
  const made = await generate(model, prompt, options);
  // what the checkpoint recommends is not known here
  const own = await generate(there, prompt, { ...options, temperature: 1, topK: 0, topP: 1 });
  assertEquals([made.text, made.tokens, made.mixing], [own.text, own.tokens, own.mixing]);
  assert(made.mixing.meanEntropy > 0);
});

Deno.test("plainPrompt() gives back what was said, and refuses ids that are no text", async () => {
  await using there = await loadModel("votes-tiny");
  await using server = fakeServer(there, PLAIN);
  await using model = await serverModel({ url: server.url });
  const text = 'a "b" \u{1f600} é\u0000\ufeff', { tokenizer } = model;
  assertEquals(tokenizer.decode(tokenizer.encode(text)), text);
  assertEquals(plainPrompt(tokenizer.encode(text, { addSpecialTokens: true })), { text });
  const messages = [{ role: "user", content: text }];
  const variables = { enable_thinking: false };
  assertEquals(plainPrompt(tokenizer.encode(model.chat(messages, { variables }))), {
    ...{ messages, variables },
  });
  await assertRejects(() => generate(model, [200, 200]), TypeError);
});
