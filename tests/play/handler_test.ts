/** The playground's server: what it answers, and what it refuses. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  generate,
  loadModel,
  type Message,
  type Model,
  moi,
  type Request as Asked,
} from "../../mod.ts";
import { openPlayground } from "../../lib/play/handler.ts";
import type { Handler } from "../../lib/serve/handler.ts";

const HEADERS = { "content-type": "application/json", "sec-fetch-site": "same-origin" };

function post(
  { handle }: Handler,
  body: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return handle(
    new Request("http://127.0.0.1:8001/decode", {
      ...{ method: "POST", headers: { ...HEADERS, ...headers } },
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...(signal ? { signal } : {}),
    }),
  );
}

interface Event {
  readonly token?: { readonly text: string; readonly name: string };
  readonly ended?: { readonly finishReason: string; readonly tokens: number };
}

async function events(answer: Response): Promise<Event[]> {
  const text = await answer.text();
  assert(text.endsWith("data: [DONE]\n\n"), text.slice(-200));
  return text.split("\n\n").slice(0, -2).map((event) => JSON.parse(event.replace(/^data: /, "")));
}

const textOf = (all: Event[]) => all.map(({ token }) => token?.text ?? "").join("");

async function playing(use: (handler: Handler, model: Model) => Promise<void>): Promise<void> {
  await using model = await loadModel("votes-tiny");
  await using handler = openPlayground(model);
  await use(handler, model);
}

const messages: Message[] = [{ role: "user", content: "1: a b a c" }];

Deno.test("a text is told token by token, as generate() decodes it", () =>
  playing(async (handler, model) => {
    const whole = async (options: Omit<Asked, "prompt">) =>
      (await generate(model, messages, { temperature: 1, seed: 5, maxNewTokens: 32, ...options }))
        .text;
    const ask = async (more: object) =>
      await events(
        await post(handler, { messages, temperature: 1, seed: 5, max_tokens: 32, ...more }),
      );
    const plain = await ask({});
    assertEquals(textOf(plain), await whole({}));
    assertEquals(plain.at(-1)!.ended!.tokens, plain.length - 1);
    const mixed = await ask({ vllm_xargs: { moi_beta: 0.25 } });
    assertEquals(textOf(mixed), await whole({ method: moi({ beta: 0.25 }) }));
    const earlier = [{ until: 4, vllm_xargs: { moi_beta: 0.25 } }];
    const slid = await ask({ earlier, vllm_xargs: { moi_beta: 4 } });
    const method = moi({ beta: ({ step }) => step < 4 ? 0.25 : 4 });
    assertEquals(textOf(slid), await whole({ method }));
    assertEquals(slid.slice(0, 4), mixed.slice(0, 4));
  }));

Deno.test("two texts are decoded side by side, and one that nobody reads any more ends", () =>
  playing(async (handler) => {
    const long = { prompt: [1], max_tokens: 250, ignore_eos: true, seed: 1 };
    const gone = new AbortController();
    const left = await post(handler, long, {}, gone.signal), right = post(handler, long);
    gone.abort();
    await left.body!.cancel();
    assertEquals((await events(await right)).at(-1)!.ended!.finishReason, "length");
    // all of its rows are free again
    const many = await Promise.all(Array.from({ length: 15 }, () => post(handler, long)));
    assertEquals(many.map(({ status }) => status), many.map(() => 200));
    const all = await Promise.all(many.map(events));
    assertEquals(new Set(all.map(textOf)).size, 1);
  }));

for (
  const [what, body, headers, status, message] of [
    ["another page", { prompt: [1] }, { origin: "https://evil.example" }, 403, "own page"],
    ["another site", { prompt: [1] }, { "sec-fetch-site": "cross-site" }, 403, "own page"],
    ["another name of this machine", { prompt: [1] }, { host: "evil.example" }, 403, "Host"],
    ["a form", "a=b", { "content-type": "text/plain" }, 415, "application/json"],
    ["a long body", " ".repeat(5e6), {}, 413, "at most"],
    ["no JSON", "{", {}, 400, "JSON"],
    ["a list", [], {}, 400, "JSON object"],
    ["an unknown field", { prompt: [1], betta: 1 }, {}, 400, "betta"],
    ["a wrong β", { prompt: [1], vllm_xargs: { moi_beta: -1 } }, {}, 400, "'moi_beta' must"],
    ["an unknown method", { prompt: [1], vllm_xargs: { moi_method: "x" } }, {}, 400, "one of"],
    ["a wrong temperature", { prompt: [1], temperature: -1 }, {}, 400, "'temperature' must"],
    ["several prompts", { prompt: ["a", "b"] }, {}, 400, "'n' must be 1"],
    [
      "an earlier part too soon",
      { prompt: [1], earlier: [{ until: 0, vllm_xargs: {} }] },
      {},
      400,
      "rising from 1",
    ],
    [
      "an earlier part without a method",
      { prompt: [1], earlier: [{ until: 1 }] },
      {},
      400,
      "vllm_xargs",
    ],
    [
      "earlier parts that fall",
      {
        prompt: [1],
        earlier: [{ until: 3, vllm_xargs: {} }, { until: 2, vllm_xargs: {} }],
      },
      {},
      400,
      "rising",
    ],
    [
      "an earlier part of more fields",
      { prompt: [1], earlier: [{ until: 1, vllm_xargs: {}, n: 1 }] },
      {},
      400,
      "each of 'until'",
    ],
    ["a text at once", { prompt: [1], stream: false }, {}, 400, "'stream' must be left out"],
    ["log probabilities", { prompt: [1], logprobs: 2 }, {}, 400, "'logprobs' must be left out"],
    ["no prompt", { prompt: [] }, {}, 400, "'prompt' must"],
    ["a prompt that does not fit", { prompt: Array(300).fill(1) }, {}, 400, "tokens"],
  ] as const
) {
  Deno.test(`the playground refuses ${what}`, () =>
    playing(async (handler) => {
      const answer = await post(handler, body, headers);
      const { error } = await answer.json();
      assertEquals(answer.status, status, error.message);
      assertStringIncludes(error.message, message);
    }));
}

Deno.test("the page brings all that it needs, and a policy that lets nothing else run", () =>
  playing(async (handler) => {
    const answer = await handler.handle(new Request("http://127.0.0.1:8001/"));
    const html = await answer.text(), policy = answer.headers.get("content-security-policy")!;
    assertStringIncludes(policy, "default-src 'none'");
    assert(!policy.includes("unsafe"));
    assert(!/(?:src|href)=/.test(html.replace(/data-\w+=/g, "")), "nothing is fetched");
    const missing = await handler.handle(new Request("http://127.0.0.1:8001/elsewhere"));
    assertEquals(missing.status, 404);
    await missing.body?.cancel();
  }));
