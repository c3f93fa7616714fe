/** What goes wrong between a study and its server. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { generate, moi, standard } from "@moi/moi/decode";
import { loadModel } from "@moi/moi/model";
import { serve, serverModel } from "@moi/moi/serve";
import { readRuns, runStudy } from "@moi/moi/study";
import { votes } from "@moi/moi/tasks";
import { type Body, type Fake, fakeServer, refusedAs } from "./_fake_server.ts";
import { faultyProxy } from "./_faulty_proxy.ts";
import { given } from "../../lib/_given.ts";
import { placeless, withStore } from "../study/_letters.ts";

Deno.test("a proxy that drops, delays, cuts, repeats and refuses costs no run, doubles none, mislabels none", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  await using server = serve(votesTiny, { port: 0 });
  await using proxy = faultyProxy(server.url, 7);
  const retried: string[] = [];
  await using model = await serverModel({
    ...{ url: proxy.url, timeout: 300, concurrency: 16 },
    onRetry: (note) => void retried.push(note),
  });
  const methods = {
    "standard": standard(),
    "moi-0.25": moi({ beta: 0.25 }),
    "moi-8": moi({ beta: 8 }),
  };
  const study = { task: votes({ limit: 20 }), methods, repeats: 2 };
  await withStore(async (store) => {
    const runs = await runStudy({ model, ...study }, { store });
    assertEquals(placeless(runs), placeless(await runStudy({ model: votesTiny, ...study })));
    assertEquals(placeless(await readRuns(store)), placeless(runs));
  });
  assertEquals(proxy.fates.size, 12, "every fate came up");
  assert(retried.length > 30, `${retried.length}`);
});

/** Answers that are none to what was asked, and the words with which they are refused. */
const WRONG: Readonly<Record<string, readonly [told: NonNullable<Fake["told"]>, words: string]>> = {
  "of another model": [(answer) => ({ ...answer, model: "other" }), "'model' must be 'votes-tiny'"],
  "of another β": [
    withMoi({ parameters: { beta: 1, preset: "paper" } }),
    "'moi' must be of the method",
  ],
  "of another method": [
    withMoi({ method: "standard", parameters: {} }),
    "'moi' must be of the method",
  ],
  "of no known method": [withMoi({ method: {}, parameters: [[]] }), "'moi' must be of the method"],
  "of another seed": [withMoi({ seed: 5 }), "'moi.seed' must be 3"],
  "of another version": [withMoi({ version: "0.2.0" }), "'moi.version' must be 0.1.0"],
  "without a mean": [withMoi({ mean_entropy: "0" }), "'moi.mean_entropy' must be a number"],
  "of an entropy that there is not": [withMoi({ mean_entropy: 1.1 }), "a number from 0 to 1"],
  "of no mass": [withMoi({ mean_off_sample_mass: null }), "'moi.mean_off_sample_mass' must be"],
  "that was cut short": [
    withChoice({ token_ids: [5], text: "<answer>", finish_reason: "length" }),
    "'token_ids' must be 9 of a text that its length ended",
  ],
  "that goes on after its end": [
    withChoice({ token_ids: [2, 2], text: "", finish_reason: "stop" }),
    "'token_ids' must end with the first end-of-text token",
  ],
  "of two choices": [
    (answer) => ({ ...answer, choices: [...answer.choices as [], {}] }),
    "'choices' must be one choice",
  ],
  "of an error": [() => ({ error: { message: "out of memory" } }), "out of memory"],
  "of nothing": [() => null, "'choices' must be one choice"],
  "without a text": [withChoice({ text: 7 }), "'text' must be a string"],
  "of another text": [
    withChoice({ text: "another" }),
    "'text' must be what its token ids mean here",
  ],
  "of another prompt": [
    withChoice({ prompt_token_ids: [1, 2] }),
    "'prompt_token_ids' must be those",
  ],
  "of tokens that there are not": [
    withChoice({ token_ids: [3, 30] }),
    "must be token ids below 30",
  ],
  "of too many tokens": [withChoice({ token_ids: Array(10).fill(3) }), "a list of at most 9"],
  "with another end": [withChoice({ finish_reason: "tool_calls" }), "'finish_reason' must be"],
  "of a length beyond reason": [(answer) => ({ ...answer, x: "x".repeat(2 ** 21) }), "more than"],
};

function withChoice(fields: Body): NonNullable<Fake["told"]> {
  return (answer) => ({ ...answer, choices: [{ ...(answer.choices as [Body])[0], ...fields }] });
}

function withMoi(fields: Body): NonNullable<Fake["told"]> {
  return (answer, body) => {
    const [choice] = answer.choices as [Body];
    return withChoice({ moi: { ...choice.moi as Body, ...fields } })(answer, body);
  };
}

Deno.test("an answer to something else ends the work, and is not asked for again", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  for (const [name, [told, words]] of Object.entries(WRONG)) {
    await using server = fakeServer(votesTiny, {
      told: (answer, body) => body.max_tokens === 9 ? told(answer, body) : answer,
    });
    await using model = await serverModel({ url: server.url });
    const options = { method: moi({ beta: 2 }), maxNewTokens: 9, seed: 3 };
    await assertRejects(() => generate(model, "a b c", options), Error, words, name);
    assertEquals(server.posts.filter(({ body }) => body.max_tokens === 9).length, 1, name);
  }
});

Deno.test("what a server mixed that was asked for standard decoding is no run of it", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  const mixed = withMoi({ mean_off_sample_mass: 0.2 });
  await using server = fakeServer(votesTiny, {
    told: (answer, body) => body.max_tokens === 9 ? mixed(answer, body) : answer,
  });
  await using model = await serverModel({ url: server.url });
  const maxNewTokens = 9, words = "standard decoding mixes nothing";
  await assertRejects(() => generate(model, "a b", { maxNewTokens }), TypeError, words);
  const { mixing } = await generate(model, "a b", { maxNewTokens, method: moi() });
  assertEquals(mixing.meanOffSampleMass, 0.2);
});

Deno.test("tokens that there are not are refused where the server tells no vocabulary, too", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  for (const id of [30, 2 ** 31, 2 ** 53 - 1]) {
    await using server = fakeServer(votesTiny, {
      ...{ about: null, entry: { owned_by: "vllm", max_model_len: 256 } },
      told: withChoice({ token_ids: [id], text: "" }),
    });
    await using model = await serverModel({ url: server.url });
    const options = { maxNewTokens: 1 };
    await assertRejects(() => generate(model, "a b", options), TypeError, "ids below 30");
  }
});

Deno.test("what a server says of itself is told in half a minute, and in names as runs keep them", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  const refused = (fake: Fake, words: string, patience?: number) =>
    serverOf(
      fake,
      (url) => assertRejects(() => serverModel({ url, ...given({ patience }) }), Error, words),
    );
  const serverOf = async (fake: Fake, use: (url: string) => Promise<unknown>) => {
    await using server = fakeServer(votesTiny, fake);
    await use(server.url);
  };
  for (const version of ["", "1\n2", "1\x1b[2J", "1\u202e", "1\ud800", "v".repeat(1025), 1, null]) {
    const about = (own: Body) => ({ ...own, server: { name: "moi", version } });
    await refused({ about }, "'server' must be a program's name and version");
    await refused({ entry: { id: version || "\n" } }, "name a model that");
  }
  for (const name of ["constructor", "__proto__", "toString"]) {
    await serverOf({ about: null, entry: { owned_by: name } }, async (url) => {
      await using model = await serverModel({ url });
      assertEquals(model.device, "openai");
    });
    const about = (own: Body) => ({ ...own, model: { ...own.model as Body, dtype: name } });
    await serverOf({ about }, async (url) => {
      await using model = await serverModel({ url });
      assertEquals(model.dtype, name);
    });
  }
  const real = setTimeout,
    late = () => new Promise<undefined>((resolve) => real(() => resolve(undefined), 200));
  globalThis.setTimeout = ((work: () => void, ms: number) => real(work, ms / 1000)) as typeof real;
  try {
    await refused({ instead: late }, "nothing came for 30 s", 0);
  } finally {
    globalThis.setTimeout = real;
  }
});

Deno.test("an adapter has not the fingerprint of the model that it adapts", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  const fingerprints = await Promise.all([null, "votes-tiny"].map(async (parent) => {
    await using server = fakeServer(votesTiny, { entry: { parent } });
    await using model = await serverModel({ url: server.url });
    return model.fingerprint;
  }));
  assertEquals(fingerprints.indexOf(votesTiny.fingerprint), 0);
  assert(fingerprints[1] !== fingerprints[0]);
});

Deno.test("a refusal ends the work with the server's own words", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  for (const status of [400, 401, 403, 404, 413, 302]) {
    await using server = fakeServer(votesTiny, {
      instead: (_, body) =>
        body.prompt ? refusedAs(status, "no,\nnever", { location: "/x" }) : undefined,
    });
    await using model = await serverModel({ url: server.url, key: "secret" });
    const words = status === 302 ? "answered 302: go to /x" : `answered ${status}: `;
    await assertRejects(() => generate(model, "a"), Error, words);
    assertEquals(server.posts.length, 1);
    assertEquals(server.posts[0]!.headers.get("authorization"), "Bearer secret");
  }
});

Deno.test("what was not answered is sent again, no earlier than the server says, until patience ends", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  let times: number[] = [];
  await using server = fakeServer(votesTiny, {
    instead(_, body) {
      if (!body.prompt) return undefined;
      times.push(performance.now());
      return times.length === 2
        ? undefined
        : refusedAs(429, "the queue is full", { "retry-after": "1" });
    },
  });
  const { url } = server;
  {
    await using model = await serverModel({ url });
    assert((await generate(model, "a b", { seed: 1 })).tokens.length > 0);
    assert(times[1]! - times[0]! >= 990, `${times}`);
  }
  await using hasty = await serverModel({ url, patience: 900 });
  times = [];
  const words = /Cannot get an answer as .* answered 429 \(the queue is full\)/;
  const error = await assertRejects(() => generate(hasty, "a b", { seed: 1 }), Error);
  assert(words.test(error.message), error.message);
  assertEquals(times.length, 1, "the server asks for more time than there is");
});

Deno.test("a text that the server broke off is asked for again, and one that never comes is given up", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  let count = 0;
  await using server = fakeServer(votesTiny, {
    told: (answer, body) =>
      count++ === 0 ? withChoice({ finish_reason: "abort" })(answer, body) : answer,
    instead: async (_, body) => {
      if (body.seed === 5) await new Promise((resolve) => setTimeout(resolve, 150));
      return undefined;
    },
  });
  await using model = await serverModel({ url: server.url, timeout: 50, patience: 300 });
  assert((await generate(model, "a b", { seed: 1 })).tokens.length > 0);
  assertEquals(count, 2);
  const words = "nothing came for 0.05 s";
  await assertRejects(() => generate(model, "a b", { seed: 5 }), Error, words);
});

Deno.test("a server that comes back as another one is refused", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  await using first = fakeServer(votesTiny);
  const { url, port } = first;
  await using model = await serverModel({ url });
  await generate(model, "a b");
  await first[Symbol.asyncDispose]();
  const broken = (_: Request, { prompt }: Body) =>
    prompt && count++ === 0 ? refusedAs(503, "loading") : undefined;
  let count = 0;
  await using second = fakeServer({ ...votesTiny, fingerprint: "another" }, {
    port,
    instead: broken,
  });
  await assertRejects(
    () => generate(model, "a b"),
    Error,
    'it is another server since the last answer (fingerprint was "',
  );
  assertEquals(second.posts.length, 1);
});

Deno.test("another server in the place of one that had nothing to do is refused, whoever asks", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  const first = fakeServer(votesTiny), { url, port } = first;
  await using model = await serverModel({ url });
  await generate(model, "a b");
  await first[Symbol.asyncDispose]();
  const other = fakeServer({ ...votesTiny, fingerprint: "another" }, { port });
  await new Promise((resolve) => setTimeout(resolve, 150));
  for (const prompts of [["a"], ["a", "b", "c"]]) {
    const answers = await Promise.allSettled(prompts.map((prompt) => generate(model, prompt)));
    for (const answer of answers) {
      assert(`${(answer as PromiseRejectedResult).reason}`.includes("it is another server"));
    }
  }
  assertEquals(other.posts, []);
  await other[Symbol.asyncDispose]();
  await using again = fakeServer(votesTiny, { port });
  await Promise.all(["a", "b"].map((prompt) => generate(model, prompt)));
  assertEquals(again.posts.length, 2);
});

Deno.test("an aborted signal, and the end of the model, end what is under way", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  await using server = fakeServer(votesTiny, {
    instead: (_, body) => body.prompt ? refusedAs(503, "loading") : undefined,
  });
  const model = await serverModel({ url: server.url });
  for (const method of [standard(), moi()]) {
    const signal = AbortSignal.timeout(80);
    const { finishReason, text } = await generate(model, "a b", { signal, method });
    assertEquals([finishReason, text], ["aborted", ""]);
  }
  const waiting = assertRejects(() => generate(model, "a b"), Error, "the model is disposed");
  setTimeout(() => model[Symbol.asyncDispose](), 30);
  await waiting;
});
