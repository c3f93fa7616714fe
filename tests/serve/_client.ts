/** Requests as any client sends them, and what comes back. */

import { assertEquals } from "@std/assert";

/** What answers: a handler, or a server by its address. */
export type Ask = (request: Request) => Promise<Response>;

/** A chunk, an answer, or an error: their fields are what is tested. */
// deno-lint-ignore no-explicit-any
export type Json = any;

const headers = { "content-type": "application/json" };

/** A request with a body. */
export function post(path: string, body: unknown, init: RequestInit = {}): Request {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Request(`http://localhost${path}`, { method: "POST", headers, body: text, ...init });
}

/** Asks for completions, or answers of a chat where there are messages. */
export const request = (body: object, init?: RequestInit) =>
  post("messages" in body ? "/v1/chat/completions" : "/v1/completions", body, init);

/** A whole answer. */
export async function answer(ask: Ask, body: object): Promise<Json> {
  const response = await ask(request(body)), json = await response.json();
  assertEquals([response.status, json.error], [200, undefined]);
  return json;
}

/** A refusal: its status, and the error. */
export async function refusal(ask: Ask, body: object): Promise<Json> {
  const response = await ask(request(body)), { error } = await response.json();
  return { status: response.status, ...error };
}

/** The events of a stream as they come, without the last, which must be `[DONE]`. */
export async function* events(response: Response): AsyncGenerator<Json> {
  assertEquals(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  let text = "", done = false;
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    const all = (text + part).split("\n\n");
    text = all.pop()!;
    for (const event of all) {
      assertEquals([event.slice(0, 6), done], ["data: ", false]);
      if (event === "data: [DONE]") done = true;
      else yield JSON.parse(event.slice(6));
    }
  }
  assertEquals([text, done], ["", true]);
}

/** The events of a streamed answer. */
export async function streamed(ask: Ask, body: object): Promise<Json[]> {
  return Array.fromAsync(events(await ask(request({ ...body, stream: true }))));
}
