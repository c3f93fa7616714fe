/**
 * What the playground answers: its page, what there is to choose from, and texts as they are decoded.
 *
 * A text is a stream of events: `{ token }` for each token ({@linkcode Token}), at last `{ ended }` or `{ error }`.
 * All texts are rows of one batch, so that two answers are decoded side by side.
 *
 * @module
 */

import { type Generation, openBatch, type Step } from "../decode/mod.ts";
import type { Model } from "../model/mod.ts";
import { tokenOf } from "../plot/trace.ts";
import { accessBy } from "../serve/access.ts";
import { jsonOf } from "../serve/body.ts";
import { choicesOf } from "../serve/choices.ts";
import { bound } from "../serve/completions.ts";
import {
  errorBody,
  errorResponse,
  inFields,
  refusedBy,
  ServeError,
  serveError,
} from "../serve/error.ts";
import { openEvents } from "../serve/events.ts";
import { type Handler, nameOf, routed } from "../serve/handler.ts";
import { methodFieldOf } from "../serve/method_fields.ts";
import { optionFieldOf } from "../serve/request.ts";
import { EVENT_HEADERS } from "../serve/texts.ts";
import { pageOf } from "./page.ts";
import { readAsked, TOLD } from "./request.ts";

/** Texts at once, those that wait included: two answers, and what is about to end. */
const MOST_TEXTS = 16;

/** Seconds that a text may take. */
const MOST_SECONDS = 600;

/** Refuses what another page asks for: a browser tells where a request comes from. */
function checkOrigin({ headers, url }: Request): void {
  const origin = headers.get("origin"), site = headers.get("sec-fetch-site");
  const isOwn = origin === null || URL.parse(origin)?.host === URL.parse(url)?.host;
  if (isOwn && (site === null || ["same-origin", "none"].includes(site))) return;
  const facts = { status: 403, code: "wrong_origin" };
  throw new ServeError("Only the playground's own page may ask", facts);
}

/** How a text ended. */
function endOf({ finishReason, promptTokens, tokens, mixing }: Generation): object {
  return { ended: { finishReason, promptTokens, tokens: tokens.length, ...mixing } };
}

/**
 * Opens what answers the requests of the playground.
 *
 * @param model A model that decodes here; it must outlive the handler.
 */
export function openPlayground(model: Model): Handler {
  const name = nameOf(model.id), batch = openBatch(model, { slots: MOST_TEXTS });
  const events = openEvents(), running = new Set<AbortController>(), page = pageOf(model, name);
  const checkCaller = accessBy(undefined);
  let isOpen = true;

  const checkRoom = () => {
    if (!isOpen || batch.failed) throw new ServeError("The playground has ended", { status: 503 });
    if (running.size < MOST_TEXTS) return;
    throw new ServeError(`${MOST_TEXTS} texts are being decoded already`, { status: 429 });
  };
  /** Decodes a text, and tells its tokens as they come. */
  const decode = async (request: Request): Promise<Response> => {
    checkOrigin(request);
    const asked = readAsked(await jsonOf(request), name), ended = new AbortController();
    checkRoom();
    const [choice] = await choicesOf(model, asked, batch.length, ended.signal);
    checkRoom();
    const stream = events((why) => ended.abort(why));
    const tell = (step: object) => stream.send({ token: tokenOf(step as Step, TOLD) });
    const text = inFields(optionFieldOf(asked.route), () => batch.add(choice!.request, tell));
    const release = bound(request, ended, MOST_SECONDS);
    running.add(ended);
    text.then((generation) => {
      stream.send(endOf(generation));
      stream.end();
    }, (error) => stream.end(errorBody(serveError(refusedBy(methodFieldOf, error)))))
      .finally(() => {
        release();
        running.delete(ended);
      });
    return new Response(stream.body, { headers: EVENT_HEADERS });
  };
  const answer = routed({
    "GET /": async () => new Response(...await page),
    "POST /decode": decode,
  });
  return {
    finished: batch.finished,
    handle(request) {
      const path = URL.parse(request.url)?.pathname ?? "";
      return Promise.resolve().then(() => {
        checkCaller(request);
        return answer(request, path);
      }).catch((error) => errorResponse(serveError(error)));
    },
    async close() {
      isOpen = false;
      const why = new ServeError("The playground ends", { status: 503 });
      for (const one of running) one.abort(why);
      await batch.drain();
    },
    [Symbol.asyncDispose]() {
      return this.close();
    },
  };
}
