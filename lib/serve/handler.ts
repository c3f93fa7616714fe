/**
 * What answers requests: a function from one to its answer, over a batch that stays open.
 *
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };
import { checkNumber, checkOptions, kind, number, type Rules } from "../_check.ts";
import { given } from "../_given.ts";
import { METHODS, openBatch } from "../decode/mod.ts";
import type { Model } from "../model/mod.ts";
import { PATHS, PROTOCOL, type ServerAbout } from "./about.ts";
import { accessBy } from "./access.ts";
import { headOf } from "./answer.ts";
import { jsonOf } from "./body.ts";
import { choicesOf } from "./choices.ts";
import { errorResponse, ServeError, serveError } from "./error.ts";
import { openEvents } from "./events.ts";
import { knobsOf } from "./method_fields.ts";
import { labels, openMetrics } from "./metrics.ts";
import { type Asked, readRequest, type Route } from "./request.ts";
import { type Running, streamedAnswer, wholeAnswer } from "./texts.ts";

/** Options of {@linkcode openHandler}. */
export interface HandlerOptions {
  /** The model's name in requests. Default: the last part of its id. */
  readonly name?: string;
  /** Key that requests must have. Default: none; then their `Host` must be this machine. */
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

const isText = (value: unknown) => typeof value === "string" && value !== "";

/** Rules of {@linkcode HandlerOptions}. */
export const HANDLER_RULES: Rules<HandlerOptions> = {
  name: kind("be a text", isText),
  key: kind("be a text", isText),
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
   * @param seconds Time that they have. Default: 30.
   */
  close(seconds?: number): Promise<void>;
}

/** The last part of an id, without the ending of a model's file. */
function nameOf(id: string): string {
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
    methods: Object.fromEntries(Object.keys(METHODS).map((method) => [method, knobsOf(method)])),
  };
}

const unavailable = (message: string, code: string) =>
  new ServeError(message, { status: 503, code, headers: { "retry-after": "5" } });

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
  const batch = openBatch(model, given({ slots, length }));
  const metrics = openMetrics(),
    checkCaller = accessBy(key),
    about = aboutServer(model, name, length);
  const events = openEvents(), room = batch.slots + queue, running = new Set<AbortController>();
  let isOpen = true;

  const checkOpen = () => {
    if (batch.failed) throw unavailable("The model has failed", "model_failed");
    if (!isOpen) throw unavailable("The server shuts down", "shutting_down");
  };
  const checkRoom = ({ prompts, n }: Asked) => {
    const count = prompts.length * n;
    if (count > room) {
      const facts = { status: 400, param: "n" };
      throw new ServeError(`Cannot complete more than ${room} choices at once here`, facts);
    }
    if (batch.running + batch.waiting + count <= room) return;
    const facts = { status: 429, code: "queue_full", headers: { "retry-after": "1" } };
    throw new ServeError(`The queue is full: ${batch.waiting} texts wait`, facts);
  };

  /** Reads a request and answers it with what the batch makes of it. */
  const complete = async (route: Route, request: Request) => {
    const start = performance.now();
    checkOpen();
    const asked = readRequest(route, await jsonOf(request), name), ended = new AbortController();
    checkRoom(asked);
    const choices = await choicesOf(model, asked, length, ended.signal);
    checkOpen();
    checkRoom(asked);
    const gone = () => ended.abort(new ServeError("The client has gone", { status: 499 }));
    request.signal.addEventListener("abort", gone);
    if (request.signal.aborted) gone();
    const facts = { status: 504, code: "time_is_up" };
    const late = new ServeError(`The request took more than ${maxSeconds} s`, facts);
    const timer = setTimeout(() => ended.abort(late), maxSeconds * 1000);
    running.add(ended);
    const done = () => {
      clearTimeout(timer);
      running.delete(ended);
      request.signal.removeEventListener("abort", gone);
    };
    const head = headOf(route, name);
    const all: Running = {
      ...{ batch, tokenizer: model.tokenizer, metrics, head, asked, choices, ended, start, events },
    };
    return asked.stream ? streamedAnswer(all, done) : wholeAnswer(all).finally(done);
  };

  const models = {
    object: "list",
    data: [{
      ...{ id: name, object: "model", created: Math.floor(Date.now() / 1000), owned_by: "moi" },
      max_model_len: length,
    }],
  };
  const metricsText = () =>
    metrics.text({
      moi_info: ["The server.", 1, labels({ version: manifest.version, model: name })],
      moi_slots: ["Texts decoded at once.", batch.slots],
      moi_running: ["Texts that are being decoded.", batch.running],
      moi_waiting: ["Texts that wait for a slot.", batch.waiting],
    });
  const plain = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };
  /** What answers, by method and path. */
  const routes: Readonly<Record<string, (request: Request) => Response | Promise<Response>>> = {
    [`GET ${PATHS.about}`]: () => Response.json(about),
    [`GET ${PATHS.models}`]: () => Response.json(models),
    [`GET ${PATHS.health}`]: () => {
      checkOpen();
      return Response.json({ status: "ok" });
    },
    [`GET ${PATHS.metrics}`]: () => new Response(metricsText(), { headers: plain }),
    [`POST ${PATHS.completions}`]: (request) => complete("completions", request),
    [`POST ${PATHS.chat}`]: (request) => complete("chat", request),
  };
  const answer = (request: Request, path: string) => {
    if (path !== PATHS.health) checkCaller(request);
    const route = `${request.method} ${path}`;
    if (Object.hasOwn(routes, route)) return routes[route]!(request);
    const known = Object.keys(routes).find((one) => one.endsWith(` ${path}`));
    if (known === undefined) {
      throw new ServeError("There is nothing at this path", { status: 404, code: "not_found" });
    }
    const allow = known.split(" ")[0]!;
    throw new ServeError(`The method must be ${allow}`, { status: 405, headers: { allow } });
  };
  return {
    finished: batch.finished,
    async handle(request) {
      const path = new URL(request.url).pathname;
      const response = await Promise.resolve().then(() => answer(request, path))
        .catch((error) => errorResponse(serveError(error)));
      const known = Object.values<string>(PATHS).includes(path) ? path : "other";
      metrics.requests.add(1, labels({ route: known, status: `${response.status}` }));
      return response;
    },
    async close(seconds = 30) {
      isOpen = false;
      const late = unavailable("The server shuts down", "shutting_down");
      const end = () => running.forEach((one) => one.abort(late));
      const timer = setTimeout(end, seconds * 1000);
      await batch.drain();
      clearTimeout(timer);
    },
    async [Symbol.asyncDispose]() {
      await this.close(0);
    },
  };
}
