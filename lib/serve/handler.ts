/**
 * What answers requests: a function from one to its answer, over a batch that stays open.
 *
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };
import { checkNumber, checkOptions, number, type Rules, words } from "../_check.ts";
import type { Model } from "../model/mod.ts";
import { PATHS, PROTOCOL, type ServerAbout } from "./about.ts";
import { accessBy, keyRule } from "./access.ts";
import { openCompletions } from "./completions.ts";
import { errorResponse, ServeError, serveError } from "./error.ts";
import { KNOBS } from "./method_fields.ts";
import { labels } from "./metrics.ts";

/** Options of {@linkcode openHandler}. */
export interface HandlerOptions {
  /** The model's name in requests. Default: the last part of its id. */
  readonly name?: string;
  /**
   * Key that requests must have, at least 8 visible ASCII characters. Default: none; then their `Host` must be
   * this machine.
   */
  readonly key?: string;
  /** Texts decoded at once. Default: as of `openBatch`. */
  readonly slots?: number;
  /** Longest prompt and answer together, in tokens. Default: the model's `maxLength`. */
  readonly length?: number;
  /** Texts that may wait for a slot; a request beyond is told to come again. Default: 256. */
  readonly queue?: number;
  /** Seconds that a request may take, waiting included. Default: 600. */
  readonly maxSeconds?: number;
}

/** Rules of {@linkcode HandlerOptions}. */
export const HANDLER_RULES: Rules<HandlerOptions> = {
  name: words,
  key: keyRule,
  slots: number({ min: 1, integer: true }),
  length: number({ min: 2, integer: true }),
  queue: number({ min: 0, integer: true }),
  maxSeconds: number({ min: 0, max: 1e6, exclusiveMin: true }),
};

/** Answers requests. */
export interface Handler extends AsyncDisposable {
  /** Answers a request; it never rejects. */
  handle(request: Request): Promise<Response>;
  /** Resolves when it is closed; rejects with what the model failed with. */
  readonly finished: Promise<void>;
  /**
   * Refuses further requests and waits for those that run; what is not done in time is ended.
   *
   * @param seconds Time that they have, up to 10⁶. Default: 30.
   */
  close(seconds?: number): Promise<void>;
}

/** The last part of an id, without the ending of a model's file. */
export function nameOf(id: string): string {
  const last = id.replace(/\/+$/, "").split(/[/\\]/).at(-1)!;
  return last.replace(/\.(gguf|onnx)$/i, "") || id;
}

/** What the server says of itself. */
function aboutServer(model: Model, name: string, length: number): ServerAbout {
  const { fingerprint, dtype, device, config: { vocabularySize } } = model;
  return {
    protocol: PROTOCOL,
    server: { name: "moi", version: manifest.version },
    model: {
      ...{ id: name, fingerprint, dtype, device },
      ...{ max_length: length, vocabulary_size: vocabularySize },
    },
    methods: KNOBS,
  };
}

/** The one model, as OpenAI lists models. */
function modelList(id: string, length: number): object {
  const created = Math.floor(Date.now() / 1000);
  const model = { id, object: "model", created, owned_by: "moi", max_model_len: length };
  return { object: "list", data: [model] };
}

/** Answers by method and path, as in "GET /health"; refuses others. */
export function routed(
  routes: Readonly<Record<string, (request: Request) => Response | Promise<Response>>>,
) {
  return (request: Request, path: string) => {
    const route = `${request.method} ${path}`;
    if (Object.hasOwn(routes, route)) return routes[route]!(request);
    const known = Object.keys(routes).find((one) => one.endsWith(` ${path}`));
    if (known === undefined) {
      throw new ServeError("There is nothing at this path", { status: 404, code: "not_found" });
    }
    const allow = known.split(" ")[0]!;
    throw new ServeError(`The method must be ${allow}`, { status: 405, headers: { allow } });
  };
}

/**
 * Opens what answers requests.
 *
 * @param model A model that decodes here; it must outlive the handler.
 *
 * @example
 * ```ts
 * import { loadModel } from "@moi/moi/model";
 * import { openHandler } from "@moi/moi/serve";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * await using handler = openHandler(model, { slots: 2 });
 * const body = JSON.stringify({ prompt: [1], seed: 1, vllm_xargs: { moi_beta: 0.25 } });
 * const headers = { "content-type": "application/json" };
 * const request = new Request("http://localhost/v1/completions", { method: "POST", headers, body });
 * const { choices: [choice] } = await (await handler.handle(request)).json();
 * assertEquals(choice.moi.parameters, { beta: 0.25, preset: "paper" });
 * ```
 */
export function openHandler(model: Model, options: HandlerOptions = {}): Handler {
  checkOptions("serve", options, HANDLER_RULES);
  const { name = nameOf(model.id), key, slots, queue = 256, maxSeconds = 600 } = options;
  const { length = model.maxLength } = options;
  checkNumber("serve", "length", length, { min: 2, max: model.maxLength });
  const completions = openCompletions(model, { name, length, slots, queue, maxSeconds });
  const { batch, metrics, checkOpen } = completions, checkCaller = accessBy(key);
  const about = aboutServer(model, name, length), models = modelList(name, length);
  const metricsText = () =>
    metrics.text({
      moi_info: ["The server.", 1, labels({ version: manifest.version, model: name })],
      moi_slots: ["Texts decoded at once.", batch.slots],
      moi_running: ["Texts that are being decoded.", batch.running],
      moi_waiting: ["Texts that wait for a slot.", batch.waiting],
    });
  const plain = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };
  const answer = routed({
    [`GET ${PATHS.about}`]: () => Response.json(about),
    [`GET ${PATHS.models}`]: () => Response.json(models),
    [`GET ${PATHS.health}`]: () => {
      checkOpen();
      return Response.json({ status: "ok" });
    },
    [`GET ${PATHS.metrics}`]: () => new Response(metricsText(), { headers: plain }),
    [`POST ${PATHS.completions}`]: (request) => completions.answer("completions", request),
    [`POST ${PATHS.chat}`]: (request) => completions.answer("chat", request),
  });
  return {
    finished: batch.finished,
    async handle(request) {
      const path = URL.parse(request.url)?.pathname ?? ""; // a Host header may make it none
      const response = await Promise.resolve().then(() => {
        if (path !== PATHS.health) checkCaller(request);
        return answer(request, path);
      }).catch((error) => errorResponse(serveError(error)));
      const known = Object.values<string>(PATHS).includes(path) ? path : "other";
      metrics.requests.add(1, labels({ route: known, status: `${response.status}` }));
      return response;
    },
    close: (seconds = 30) => completions.close(seconds),
    [Symbol.asyncDispose]() {
      return this.close(0);
    },
  };
}
