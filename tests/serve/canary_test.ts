/** Servers that do not mix as they are told, found out before a text that is to be mixed. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { generate, moi, standard } from "@moi/moi/decode";
import { loadModel, type Model } from "@moi/moi/model";
import { serverModel } from "@moi/moi/serve";
import { type Body, type Fake, fakeServer, unmixed } from "./_fake_server.ts";

const PROMPT = "Count the ballots a b a c a";

/** A body with other fields of ours. */
const withFields = (body: Body, fields: Body): Body => ({
  ...body,
  vllm_xargs: { ...body.vllm_xargs as Body, ...fields },
});

const fieldsIn = ({ vllm_xargs }: Body) => (vllm_xargs ?? {}) as Body;

/** An answer that tells what was asked for, whatever was done. */
function pretending(answer: Body, body: Body): Body {
  const { moi_method, moi_phase: _, ...knobs } = fieldsIn(body),
    [choice] = answer.choices as [Body];
  const parameters = Object.fromEntries(
    Object.entries(knobs).map(([name, value]) => [name.replace("moi_", ""), value]),
  );
  const isPlain = moi_method === "standard"; // no server tells that it mixed there
  const told = {
    ...{ ...choice.moi as Body, method: moi_method, parameters },
    ...(isPlain && { mean_off_sample_mass: 0 }),
  };
  return { ...answer, choices: [{ ...choice, moi: told }] };
}

let count = 0;

/** Servers that must be found out, and the words with which they are. */
const FAKES: Readonly<Record<string, readonly [fake: Fake, words: string]>> = {
  "ignores all our fields, and says so": [
    { asked: unmixed },
    "'moi' must be of the method that was asked for",
  ],
  "ignores all our fields, and tells what was asked for": [
    { asked: unmixed, told: pretending },
    "as this server ignores β: β = ¼, 4 and ∞ gave the same texts; start vLLM with",
  ],
  "ignores β, and mixes always": [
    { asked: (body) => withFields(body, { moi_method: "moi", moi_beta: 1 }), told: pretending },
    "this server ignores β",
  ],
  "mixes with one β whatever it is, and not with ∞": [
    {
      asked: (body) =>
        ["Infinity", undefined].includes(fieldsIn(body).moi_beta as string)
          ? body
          : withFields(body, { moi_beta: 1 }),
      told: pretending,
    },
    "this server ignores β",
  ],
  "drops the seed": [
    { asked: (body) => ({ ...body, seed: count++ }) },
    "this server ignores the seed: one seed gave two texts",
  ],
  "has one seed for all": [
    { asked: (body) => ({ ...body, seed: 1 }) },
    "this server ignores the seed or the temperature",
  ],
  "is greedy always": [
    { asked: (body) => ({ ...body, temperature: 0 }) },
    "this server ignores the seed or the temperature",
  ],
  "mixes a little where β is ∞": [
    {
      asked: (body) =>
        fieldsIn(body).moi_beta === "Infinity" ? withFields(body, { moi_beta: 1 }) : body,
      told: pretending,
    },
    "β = ∞ is not standard decoding",
  ],
  "tells nothing of mixing": [
    {
      told: (answer) => {
        const [{ moi: _, ...choice }] = answer.choices as [Body];
        return { ...answer, choices: [choice] };
      },
    },
    "'moi' must tell what was mixed",
  ],
};

const CONTROLS = ["votes-tiny", "countdown-tiny-baseline"];

for (const [name, [fake, words]] of Object.entries(FAKES)) {
  Deno.test(`no text is mixed on a server that ${name}`, async () => {
    for (const id of CONTROLS) {
      await using there = await loadModel(id);
      await using server = fakeServer(there, fake);
      await using model = await serverModel({ url: server.url });
      const options = { method: moi({ beta: 2 }), maxNewTokens: 9 };
      await assertRejects(() => generate(model, PROMPT, options), Error, words);
      assert(!server.posts.some(({ body }) => body.max_tokens === 9));
    }
  });
}

/** Requests of the canary among those that were posted. */
const asked = (posts: readonly { readonly body: Body }[]) =>
  posts.filter(({ body }) => body.ignore_eos === true).length;

Deno.test("a server that mixes passes, once a model, and not for standard decoding", async () => {
  for (const id of CONTROLS) {
    await using there: Model = await loadModel(id);
    await using server = fakeServer(there);
    await using model = await serverModel({ url: server.url });
    await generate(model, PROMPT, { method: standard() });
    assertEquals(asked(server.posts), 0);
    await Promise.all([0, 1, 2].map((seed) => generate(model, PROMPT, { method: moi(), seed })));
    const once = asked(server.posts);
    assert(once >= 12 && once <= 60, `${once}`);
    await generate(model, PROMPT, { method: moi({ beta: 3 }) });
    assertEquals(asked(server.posts), once);
  }
});
