/** Models behind servers. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { generate, generateBatch, METHODS, moi, type Request, standard } from "@moi/moi/decode";
import { forward, loadModel, type Model } from "@moi/moi/model";
import { serve, serverModel } from "@moi/moi/serve";
import { runStudy } from "@moi/moi/study";
import { votes } from "@moi/moi/tasks";
import { fakeServer } from "./_fake_server.ts";

const problems = await votes({ limit: 8 }).problems();
const prompts = problems.map((problem) => votes({ limit: 8 }).prompt(problem));

/** What of a generation does not depend on when it ran. */
const timeless = ({ timing: _, ...rest }: Awaited<ReturnType<typeof generate>>) => rest;

Deno.test("a model behind a server is what the server says, and its texts are those of the model", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  await using server = fakeServer(votesTiny);
  await using model = await serverModel({ url: `${server.url}/v1/` });
  const { id, fingerprint, device, versions, dtype, maxLength, template, defaults } = model;
  assertEquals({ id, fingerprint, dtype, maxLength, template, defaults }, {
    ...{ id: "votes-tiny", fingerprint: votesTiny.fingerprint, dtype: "fp32" },
    ...{
      maxLength: votesTiny.maxLength,
      template: votesTiny.template!,
      defaults: votesTiny.defaults,
    },
  });
  assertEquals([device, versions], ["moi 0.1.0", { server: "moi 0.1.0" }]);
});

/** Ways to serve a model: our server, and the one of these tests. */
const SERVED: Readonly<
  Record<string, (model: Model) => AsyncDisposable & { readonly url: string }>
> = {
  "the fake server": (model) => fakeServer(model),
  "the server of lib/serve": (model) => serve(model, { port: 0 }),
};

for (const [name, open] of Object.entries(SERVED)) {
  Deno.test(`texts of ${name} are those of this process: all methods and samplers`, async () => {
    await using votesTiny = await loadModel("votes-tiny");
    await using server = open(votesTiny);
    await using model = await serverModel({ url: server.url });
    const requests: Request[] = Object.values(METHODS).flatMap(({ make }, i) =>
      prompts.slice(0, 2).map((prompt, seed) => ({
        ...{ prompt, method: make({ phase: "all" }), seed: seed + 10 * i, topP: 0.95 },
        ...(i % 3 === 0 ? { stop: ["b"] } : {}),
      }))
    );
    requests.push({ prompt: prompts[2]!, temperature: 0 }, { prompt: "a b", seed: 2 ** 53 - 1 });
    const here = await Array.fromAsync(generateBatch(votesTiny, requests));
    const there = await Array.fromAsync(generateBatch(model, requests));
    const inOrder = (all: typeof here) =>
      all.toSorted((a, b) => a.index - b.index).map(({ generation }) => timeless(generation));
    assertEquals(inOrder(there), inOrder(here));
  });

  Deno.test(`a study on ${name} has the runs of one in this process, but for device and versions`, async () => {
    await using votesTiny = await loadModel("votes-tiny");
    await using server = open(votesTiny);
    await using model = await serverModel({ url: server.url, model: "votes-tiny" });
    const methods = {
      "standard": standard(),
      "moi-0.25": moi({ beta: 0.25 }),
      "moi-8": moi({ beta: 8 }),
    };
    const study = { task: votes({ limit: 8 }), methods, repeats: 2 };
    const here = await runStudy({ model: votesTiny, ...study });
    const there = await runStudy({ model, ...study });
    const own = (runs: typeof here) =>
      runs.map(({ timing: _, versions: __, device: ___, study: ____, ...run }) => run);
    assertEquals(own(there), own(here));
    assertEquals([there[0]!.device, there[0]!.versions.server], ["moi 0.1.0", "moi 0.1.0"]);
  });
}

Deno.test("what a server cannot do is refused by name, and nothing is sent", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  await using server = fakeServer(votesTiny, {
    about: (about) => ({
      ...about,
      server: { name: "vllm", version: "0.32.0" },
      plugin: { name: "moi-vllm", version: "0.1.0" },
      methods: { standard: [], moi: ["beta", "preset", "phase"] },
    }),
  });
  await using model = await serverModel({ url: server.url });
  assertEquals(model.device, "vllm 0.32.0");
  assertEquals(model.versions, { server: "vllm 0.32.0", plugin: "moi-vllm 0.1.0" });
  const refused = (options: object, words: string) =>
    assertRejects(() => generate(model, [1], options), Error, words);
  await refused({ method: METHODS.directMixture!.make() }, "'method' must be standard, moi");
  await refused({ method: moi({ topK: 3 }) }, "'moi_top_k' must be left out, as vllm 0.32.0 takes");
  await refused({ method: { ...moi(), name: "half" } }, "'method' must be one of standard");
  await refused({ method: moi({ beta: () => 1 }) }, "'beta' must be a number, as vllm");
  const odd = { ...moi(), parameters: { beta: 1, preset: "paper", mine: 2 } };
  await refused({ method: odd }, "one of your own decodes here (loadModel)");
  const markers = { open: "(", close: ")" };
  await refused({ method: moi({ phase: "thinking", markers }) }, "'moi_open' must be left out");
  await refused({ typicalP: 0.5 }, "'typicalP' must be left out, as vllm 0.32.0 takes");
  await refused({ trace: true }, "'trace' must be left out, as vllm 0.32.0 does not tell");
  const words =
    `decodes on vllm 0.32.0 at ${server.url}, which gives texts and no logits; load it here`;
  await assertRejects(() => forward(model, [1]), TypeError, words);
  assertThrows(() => model.openCache({ slots: 1, length: 2 }), TypeError, words);
  assertEquals(server.posts.length, 0);
});

Deno.test("serverModel() refuses options outside their rules, and servers that are none", async () => {
  const refused = (options: Parameters<typeof serverModel>[0], words: string) =>
    assertRejects(() => serverModel(options), Error, words);
  await refused({ url: "localhost:8000" }, "'url' must be an http or https address");
  await refused({ url: "http://user:pass@localhost" }, "a key goes into 'key'");
  await refused({ url: "http://localhost", key: "a\nb" }, "'key' must be a key");
  await refused({ url: "http://localhost", concurrency: 0 }, "'concurrency' must be");
  await using votesTiny = await loadModel("votes-tiny");
  await using server = fakeServer(votesTiny);
  await refused({ url: server.url, model: "other" }, "name a model that");
  await refused(
    { url: server.url, tokenizer: "countdown-tiny" },
    "be that of votes-tiny, which has 30 tokens",
  );
  await using elsewhere = fakeServer({ ...votesTiny, id: "far" });
  await refused({ url: elsewhere.url }, "say where the tokenizer of far is");
  const { url } = elsewhere;
  await using model = await serverModel({ url, tokenizer: "votes-tiny" });
  assert((await generate(model, prompts[0]!)).text.length > 0);
  await using unknown = fakeServer(votesTiny, {
    about: (about) => ({ ...about, model: { ...about.model as object, fingerprint: null } }),
  });
  await using named = await serverModel({ url: unknown.url });
  assert(/^[0-9a-f]{16}$/.test(named.fingerprint) && named.fingerprint !== votesTiny.fingerprint);
  assert(named.notes!.some((note) => note.includes("tells no fingerprint of its weights")));
  await using nameless = fakeServer(votesTiny, {
    about: (about) => ({ ...about, server: { name: "vllm", version: "1" } }),
  });
  await refused({ url: nameless.url }, "'plugin' must name what mixes there");
});
