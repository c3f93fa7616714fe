/** A server of the protocol in this process, over a model by `generate`; its faults can be chosen. */

import { generate, type Prompt, standard } from "@moi/moi/decode";
import { METHODS } from "@moi/moi/decode";
import type { Model } from "@moi/moi/model";
import { fieldsOf, methodOf } from "@moi/moi/serve";
import { camelCase, snakeCase } from "../../lib/serve/method_fields.ts";

/** A request's body. */
export type Body = Readonly<Record<string, unknown>>;

/** How a fake server differs from one that does as it is told. */
export interface Fake {
  /** What it makes of a request before it decodes: a body with other fields. */
  readonly asked?: (body: Body) => Body;
  /** What it makes of an answer's JSON. */
  readonly told?: (answer: Body, body: Body) => unknown;
  /** Answers in place of it; undefined: it does so itself. */
  readonly instead?: (
    request: Request,
    body: Body,
  ) => Response | undefined | Promise<Response | undefined>;
  /** What it makes of `/v1/moi`; null: it has no such page. */
  readonly about?: ((about: Body) => unknown) | null;
  /** Fields of its entry in the list of models. */
  readonly entry?: Body;
  readonly port?: number;
}

/** A server that runs. */
export interface FakeServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Bodies that were posted. */
  readonly posts: { readonly path: string; readonly body: Body; readonly headers: Headers }[];
}

/** Sampler settings that the body has. */
const SETTINGS = [
  ...["temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff"],
  ...["repetition_penalty", "presence_penalty", "frequency_penalty"],
];

/** What `/v1/moi` says of a model. */
const aboutOf = ({ id, fingerprint, dtype, maxLength, config }: Model): Body => ({
  protocol: 1,
  server: { name: "moi", version: "0.1.0" },
  model: {
    ...{ id, fingerprint, dtype, device: "cpu", max_length: maxLength },
    vocabulary_size: config.vocabularySize,
  },
  methods: Object.fromEntries(
    Object.entries(METHODS).map(([name, { make }]) => [
      name,
      name === "standard"
        ? []
        : [...Object.keys(make({ phase: "all" }).parameters ?? {}).map(snakeCase), "phase"],
    ]),
  ),
});

/** Answers a body as the protocol says. */
async function answered(model: Model, body: Body): Promise<Body> {
  const { vllm_xargs = {}, messages, prompt, max_tokens, seed, stop, ignore_eos } = body;
  const method = methodOf(vllm_xargs as Record<string, unknown>);
  const sampler = SETTINGS.filter((name) => body[name] !== undefined)
    .map((name) => [camelCase(name), body[name]]);
  const made = await generate(model, (messages ?? prompt) as Prompt, {
    ...{ method, seed: seed as number, maxNewTokens: max_tokens as number },
    ...{ stop: (stop ?? []) as string[], ignoreEos: (ignore_eos ?? false) as boolean },
    ...Object.fromEntries(sampler),
  });
  const { text, tokens, finishReason, promptTokens, mixing } = made;
  return {
    ...{ id: "cmpl-1", object: "text_completion", model: body.model },
    choices: [{
      ...{ index: 0, finish_reason: finishReason },
      ...(messages ? { message: { role: "assistant", content: text } } : { text }),
      ...(body.return_token_ids === true && { token_ids: tokens, prompt_token_ids: prompt }),
      moi: {
        ...{ method: method.name, parameters: method.parameters ?? {}, version: "0.1.0" },
        mean_entropy: mixing.meanEntropy,
        mean_off_sample_mass: mixing.meanOffSampleMass,
      },
    }],
    usage: { prompt_tokens: promptTokens, completion_tokens: tokens.length },
  };
}

/** An error as OpenAI writes it. */
export const refusedAs = (status: number, message: string, headers = {}) =>
  Response.json({ error: { message, type: "invalid_request_error" } }, { status, headers });

/** Starts one. */
export function fakeServer(model: Model, fake: Fake = {}): FakeServer {
  const { about = (own) => own, asked = (body) => body, told = (answer) => answer, port = 0 } =
    fake;
  const posts: FakeServer["posts"] = [];
  const server = Deno.serve({ port, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const body: Body = request.method === "POST" ? await request.json() : {};
    if (request.method === "POST") posts.push({ path: pathname, body, headers: request.headers });
    const instead = await fake.instead?.(request, body);
    if (instead) return instead;
    if (pathname === "/v1/moi" && about !== null) return Response.json(about(aboutOf(model)));
    if (pathname === "/v1/models") {
      return Response.json({
        object: "list",
        data: [{ id: model.id, owned_by: "moi", ...fake.entry }],
      });
    }
    if (!/^\/v1\/(chat\/)?completions$/.test(pathname)) return refusedAs(404, "no such page");
    try {
      return Response.json(told(await answered(model, asked(body)), body));
    } catch (error) {
      return refusedAs(400, (error as Error).message);
    }
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    port: server.addr.port,
    posts,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A body without what it asks of mixing. */
export const unmixed = ({ vllm_xargs: _, ...body }: Body): Body => ({
  ...body,
  vllm_xargs: fieldsOf(standard()),
});
