/** A server on a port: who may ask, what is too much, who goes, and how it ends. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { generate } from "@moi/moi/decode";
import { aboutOf, openHandler, serve, type ServeOptions } from "@moi/moi/serve";
import { jsonOf } from "../../lib/serve/body.ts";
import { ServeError } from "../../lib/serve/error.ts";
import { openEvents } from "../../lib/serve/events.ts";
import { mockModel, type MockOptions } from "../_mock_model.ts";
import { events, type Json, post } from "./_client.ts";

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A model whose every step takes some time. */
const slow = (ms: number, more: MockOptions = {}) =>
  mockModel({ ...more, before: () => sleep(ms) });

/** A server of a mock model, and how to ask it. */
function open(options: ServeOptions = {}, model = mockModel()) {
  const server = serve(model, { port: 0, ...options }), { url } = server;
  const send = (body: unknown, init: RequestInit = {}) =>
    fetch(`${url}/v1/completions`, {
      ...{ method: "POST", headers: { "content-type": "application/json" } },
      ...{ body: JSON.stringify(body), ...init },
    });
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, { headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  /** What the counts say. */
  const count = async (name: string) => {
    const { text } = await get("/metrics");
    return Number(text.split("\n").find((line) => line.startsWith(`${name} `))?.split(" ")[1]);
  };
  const until = async (name: string, value: number) => {
    while (await count(name) !== value) await sleep(2);
  };
  return { server, url, send, get, count, until, [Symbol.asyncDispose]: () => server.shutdown(0) };
}

/** Status and code of an error. */
async function error(answer: Promise<Response>): Promise<readonly unknown[]> {
  const response = await answer, { error } = await response.json();
  return [response.status, error.code];
}

/** Sends bytes as they are, and gives the first line that comes back. */
async function raw(url: string, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  await connection.write(new TextEncoder().encode(text));
  const bytes = new Uint8Array(4096), length = await connection.read(bytes);
  return new TextDecoder().decode(bytes.subarray(0, length ?? 0)).split("\r\n")[0]!;
}

const LONG = { prompt: [3], seed: 1, max_tokens: 60, ignore_eos: true };

Deno.test("it says what it is, what it has, and that it is well", async () => {
  await using own = open({ name: "letters", slots: 3, length: 50 });
  const about = aboutOf(JSON.parse((await own.get("/v1/moi")).text));
  assertEquals(about.model, {
    ...{ id: "letters", fingerprint: mockModel().fingerprint, dtype: "fp32", device: "cpu" },
    ...{ max_length: 50, vocabulary_size: 33 },
  });
  assertEquals([about.server.name, about.methods.standard], ["moi", []]);
  const models = JSON.parse((await own.get("/v1/models")).text);
  assertEquals(models.data.map(({ id }: Json) => id), ["letters"]);
  assertEquals((await own.get("/health")).status, 200);
  assertEquals((await own.get("/v1/other")).status, 404);
  const wrong = await own.get("/v1/completions");
  assertEquals([wrong.status, wrong.headers.get("allow")], [405, "POST"]);
  assertEquals(await error(own.send({ model: "other" })), [404, "model_not_found"]);
});

Deno.test("with a key, nobody is told anything without it, but whether it is well", async () => {
  await using own = open({ key: "sesame-open" });
  const paths = ["/v1/moi", "/v1/models", "/metrics", "/v1/completions", "/other"];
  for (const path of paths) {
    for (
      const authorization of ["", "Bearer", "Bearer sesame", "Bearer sesame-open2", "sesame-open"]
    ) {
      const { status, headers } = await own.get(path, { authorization });
      assertEquals([status, headers.get("www-authenticate")], [401, "Bearer"]);
    }
  }
  assertEquals(await error(own.send(LONG)), [401, "invalid_api_key"]);
  assertEquals((await own.get("/health")).status, 200);
  for (const authorization of ["Bearer sesame-open", "bearer  sesame-open"]) {
    assertEquals((await own.get("/v1/moi", { authorization })).status, 200);
  }
});

Deno.test("without a key, only this machine may ask, by one of its names", async () => {
  await using own = open();
  const head = (host: string) =>
    `GET /v1/moi HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  for (const host of ["localhost", "localhost:80", "127.0.0.1:8000", "[::1]:3", "LOCALHOST"]) {
    assertMatch(await raw(own.url, head(host)), / 200 /);
  }
  for (
    const host of ["evil.example", "localhost.evil.example", "127.0.0.1.nip.example:80", "10.1"]
  ) {
    assertMatch(await raw(own.url, head(host)), / 403 /);
  }
  for (const host of ["[", "a b", "%00", "localhost:99999", "localhost:x"]) {
    assertMatch(await raw(own.url, head(host)), / 40[34] /); // no address, and no error of the server's own
  }
  const model = mockModel();
  assertThrows(() => serve(model, { hostname: "0.0.0.0" }), TypeError, "unless there is a key");
  for (const key of ["short", "with a blank", "with\nits end"]) {
    const { message } = assertThrows(() => openHandler(model, { key }), TypeError, "'key' must be");
    assert(!message.includes(key), message);
    assertThrows(() => serve(model, { key }), TypeError, "at least 8 visible ASCII characters");
  }
  assertThrows(() => serve(model, { port: -1 }), RangeError, "'port'");
  assertThrows(() => serve(model, { length: 65 }), RangeError, "at most 64");
  assertEquals(model.caches.length, 0);
});

Deno.test("bodies that are too long, too slow, or of another type", async () => {
  await using own = open();
  const long = `"${"a".repeat(5 * 2 ** 20)}"`;
  assertEquals(await error(own.send(0, { body: long })), [413, "body_too_large"]);
  const pieces = ReadableStream.from(Array(90).fill(new Uint8Array(2 ** 16).fill(32)));
  assertEquals(await error(own.send(0, { body: pieces })), [413, "body_too_large"]);
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"]) {
    const headers = { "content-type": type };
    assertEquals(await error(own.send(LONG, { headers })), [415, "unsupported_media_type"]);
  }
  const headers = { "content-type": "Application/JSON; charset=utf-8" };
  const packed = { ...headers, "content-encoding": "gzip" };
  assertEquals(await error(own.send(LONG, { headers: packed })), [
    415,
    "unsupported_content_coding",
  ]);
  assertEquals((await (await own.send(LONG, { headers })).json()).usage.completion_tokens, 60);
  const never = new ReadableStream<Uint8Array>();
  const late = jsonOf(post("/", "", { body: never }), { bytes: 9, ms: 20 });
  assertEquals((await assertRejects(() => late, ServeError)).facts.status, 408);
});

Deno.test("a full queue says when to come again, and takes the next when there is room", async () => {
  await using own = open({ slots: 1, queue: 1 }, slow(3));
  const first = own.send(LONG), second = own.send(LONG);
  await own.until("moi_waiting", 1);
  const third = await own.send(LONG);
  assertEquals([third.status, third.headers.get("retry-after")], [429, "1"]);
  assertEquals((await third.json()).error.type, "rate_limit_error");
  for (const answer of [first, second]) {
    assertEquals((await (await answer).json()).usage.completion_tokens, 60);
  }
  assertEquals((await (await own.send(LONG)).json()).usage.completion_tokens, 60);
});

Deno.test("who goes away frees the slot, streamed or not, running or waiting", async () => {
  await using own = open({ slots: 1 }, slow(3, { maxLength: 4000 }));
  const endless = { ...LONG, max_tokens: 3999 };
  for (const stream of [true, false]) {
    const gone = new AbortController();
    const asked = [1, 2].map((seed) =>
      own.send({ ...endless, seed, stream }, { signal: gone.signal }).then((one) => one.text())
    );
    await own.until("moi_waiting", 1);
    gone.abort();
    for (const one of asked) await assertRejects(() => one, DOMException);
    await own.until("moi_running", 0);
    assertEquals(await own.count("moi_waiting"), 0);
  }
  assertEquals((await (await own.send(LONG)).json()).usage.completion_tokens, 60);
  const { text } = await own.get("/metrics");
  assertMatch(text, /^moi_texts_total\{reason="aborted"\} 4$/m);
});

Deno.test("who does not read ends the stream, before it fills the memory", async () => {
  const gone = Promise.withResolvers<ServeError>(), stream = openEvents()(gone.resolve);
  const ended = gone.promise.then(() => true);
  let sent = 0;
  while (!await Promise.race([ended, sleep(1).then(() => false)])) {
    stream.send({ text: "a".repeat(2 ** 16) });
    sent++;
    assert(sent < 20);
  }
  assertEquals((await gone.promise).facts.code, "unread");
  for (let i = 0; i < 9; i++) stream.send({ text: "more" });
  stream.end({ error: "unread" });
  const all = (await new Response(stream.body).text()).trimEnd().split("\n\n");
  assertEquals([all.length, all.at(-1)], [sent + 1, 'data: {"error":"unread"}']);
  assert(all.length >= 16);
});

Deno.test("nor over HTTP, nor does it keep the server from ending", async () => {
  const own = open({ slots: 1 }, mockModel({ maxLength: 8000 }));
  const many = { ...LONG, max_tokens: 7999, stream: true, logprobs: 20 };
  const body = JSON.stringify(many), { port } = new URL(own.url);
  const head =
    `POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n` +
    "Content-Type: application/json\r\n\r\n";
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await connection.write(new TextEncoder().encode(head + body));
  while (!/^moi_texts_total\{reason="aborted"\} 1$/m.test((await own.get("/metrics")).text)) {
    await sleep(5);
  }
  await own.server.shutdown(0);
});

Deno.test("1,000 malformed requests beside running streams: all refused, no stream disturbed", async () => {
  const maxLength = 20_000;
  await using own = open({ slots: 8 }, slow(1, { maxLength }));
  const body = { ...LONG, max_tokens: 19_000, stream: true }, stop = new AbortController();
  const streams = Array.from({ length: 8 }, (_, seed) => ({ seed, text: "", count: 0 }));
  const ended = Promise.allSettled(streams.map(async (one) => {
    const response = await own.send({ ...body, seed: one.seed }, { signal: stop.signal });
    for await (const { choices: [{ text }] } of events(response)) {
      one.text += text;
      one.count++;
    }
  }));
  await own.until("moi_running", 8);
  const bad: readonly unknown[] = [
    ...[0, null, [], {}, { prompt: [99] }, { prompt: [3], n: -1 }, { prompt: [3], x: 1 }],
    ...[{ prompt: [3], top_p: 2 }, { prompt: [3], vllm_xargs: { moi_beta: "x" } }],
    ...[{ prompt: ["a", 1] }, { prompt: [3], stop: 3 }, { messages: [] }],
  ];
  const statuses = new Set<number>();
  for (let i = 0; i < 1000; i += 20) {
    await Promise.all(Array.from({ length: 20 }, async (_, k) => {
      const body = JSON.stringify(bad[(i + k) % bad.length]).slice(0, k === 0 ? -1 : undefined);
      const response = await own.send(0, { body });
      statuses.add(response.status);
      await response.body?.cancel();
    }));
  }
  assertEquals([...statuses], [400]);
  assertEquals(await own.count("moi_running"), 8);
  stop.abort();
  await ended;
  for (const { seed, text, count } of streams) {
    assert(count > 20, `${count}`);
    const options = { seed, maxNewTokens: count + 9, ignoreEos: true };
    const alone = await generate(mockModel({ maxLength }), [3], options);
    assert(alone.text.startsWith(text));
  }
});

Deno.test("a request whose time is up ends with an error, streamed or not", async () => {
  await using own = open({ slots: 1, maxSeconds: 0.15 }, slow(5, { maxLength: 4000 }));
  const endless = { ...LONG, max_tokens: 3999 };
  const streamed = await own.send({ ...endless, stream: true });
  const waiting = own.send(endless);
  const all = (await streamed.text()).trim().split("\n\n").map((one) => one.slice(6));
  assert(all.length > 3);
  assertEquals(JSON.parse(all.at(-1)!).error.code, "time_is_up");
  assertEquals(await error(waiting), [504, "time_is_up"]);
  await own.until("moi_running", 0);
});

Deno.test("it shuts down when what runs is done, and refuses what comes meanwhile", async () => {
  const own = open({ slots: 1 }, slow(3));
  const running = own.send(LONG), streamed = await own.send({ ...LONG, stream: true });
  await own.until("moi_waiting", 0);
  const ended = own.server.shutdown();
  const refused = await own.send(LONG);
  assertEquals([refused.status, (await refused.json()).error.code], [503, "shutting_down"]);
  assertEquals((await own.get("/health")).status, 503);
  assertEquals((await (await running).json()).usage.completion_tokens, 60);
  assertMatch(await streamed.text(), /data: \[DONE\]\n\n$/);
  await ended;
  await own.server.finished;
  await assertRejects(() => own.send(LONG), TypeError);
});

Deno.test("what is not done in time is ended when it shuts down", async () => {
  const own = open({ slots: 1 }, slow(3, { maxLength: 4000 }));
  const endless = { ...LONG, max_tokens: 3999 };
  const streamed = await own.send({ ...endless, stream: true }), waiting = own.send(endless);
  await own.until("moi_waiting", 1);
  for (const seconds of [-1, NaN, 1e7]) {
    await assertRejects(() => own.server.shutdown(seconds), RangeError, "'seconds'");
  }
  await own.server.shutdown(0.1);
  assertEquals(await error(waiting), [503, "shutting_down"]);
  const last = (await streamed.text()).trim().split("data: ").at(-1)!;
  assertEquals(JSON.parse(last).error.code, "shutting_down");
});

Deno.test("it ends where the model fails, and says with what", async () => {
  const model = mockModel({
    before(steps) {
      if (steps === 5) throw new Error("out of memory");
    },
  });
  await using own = open({}, model);
  assertEquals(await error(own.send(LONG)), [500, "failed"]);
  await assertRejects(() => own.server.finished, Error, "out of memory");
});

Deno.test("counts are in Prometheus' form", async () => {
  await using own = open({ name: 'a "quoted"\\name\n' });
  await (await own.send(LONG)).body?.cancel();
  await (await own.send({ ...LONG, n: 2, stream: true })).text();
  const { text, headers } = await own.get("/metrics");
  assertEquals(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const sample =
    /^[a-z_]+(?:\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\})? \d+(?:\.\d+)?(?:e-?\d+)?$/;
  for (const line of text.trimEnd().split("\n")) {
    assert(line.startsWith("# ") || sample.test(line), line);
  }
  assertMatch(text, /^moi_info\{version="[\d.]+",model="a \\"quoted\\"\\\\name\\n"\} 1$/m);
  assertMatch(text, /^moi_requests_total\{route="\/v1\/completions",status="200"\} 2$/m);
  assertEquals(await own.count("moi_generated_tokens_total"), 180);
  assertEquals(await own.count("moi_prompt_tokens_total"), 3);
  assertEquals(await own.count("moi_time_to_first_token_seconds_count"), 3);
  assertEquals(await own.count("moi_time_to_next_token_seconds_count"), 177);
  const buckets = text.match(/^moi_time_to_next_token_seconds_bucket.*$/gm)!;
  const counts = buckets.map((line) => Number(line.split(" ")[1]));
  assertEquals(counts, counts.toSorted((a, b) => a - b));
  assertEquals(counts.at(-1), 177);
});
