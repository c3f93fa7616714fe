/**
 * `deno task serve` under load: 64 streams at once against `generateBatch` with the same 64 requests in
 * one process; what a thousand malformed requests do to streams beside them; two minutes on end.
 *
 * Client and server share the cores, so that what the client costs is part of the ratio. Two sessions of
 * one graph may differ in speed by a tenth: in the rounds, server and batch have the same one, in this
 * process.
 */

import { generateBatch, moi } from "../../../lib/decode/mod.ts";
import { loadModel, type Model } from "../../../lib/model/mod.ts";
import { serve as serveModel } from "../../../lib/serve/mod.ts";
import { type Served, served } from "../../_served.ts";
import type { Bench } from "../bench.ts";
import { sendMalformed } from "../malformed.ts";
import { promptOf } from "../prompts.ts";
import { clocked, digits, paired, ratioOf, residentBytes, type Row, summary } from "../rows.ts";
import { type Streamed, streamed } from "../streams.ts";

const ID = "countdown-tiny", STREAMS = 64, PROMPT = 24;

/** What all rows have. */
const ROW = { suite: "serve", model: ID, dtype: "fp32", batch: STREAMS } as const;

/** A request in both forms: that of the library, and its body. */
function requestOf(model: Model, row: number, tokens: number) {
  const prompt = promptOf(PROMPT, model.config.vocabularySize, row);
  const options = { temperature: 1, maxNewTokens: tokens, ignoreEos: true, seed: row };
  const settings = { temperature: 1, max_tokens: tokens, ignore_eos: true, seed: row };
  const body = { prompt, ...settings, stream: true, vllm_xargs: { moi_beta: 1 } };
  return { own: { prompt, ...options, method: moi({ beta: 1 }) }, body };
}

type Requests = readonly ReturnType<typeof requestOf>[];

/** What is measured: a server, and the model in this process. */
interface Side {
  readonly bench: Bench;
  readonly server: Served;
  readonly model: Model;
  /** Requests that end together, their texts, and the tokens of each. */
  readonly requests: Requests;
  readonly texts: readonly string[];
  readonly tokens: number;
}

/** Milliseconds of requests in one batch, however often, and their texts. */
async function batched(model: Model, requests: Requests, times = 1) {
  const texts: string[] = [], all = requests.map(({ own }) => own);
  const ms = await clocked(async () => {
    const many = Array.from({ length: times }, () => all).flat();
    for await (const { index, generation } of generateBatch(model, many, { slots: STREAMS })) {
      texts[index % all.length] = generation.text;
    }
  });
  return { ms, texts };
}

type Address = Pick<Served, "url">;

const streams = ({ url }: Address, requests: Requests, seconds = 0) =>
  streamed({ port: Number(new URL(url).port), bodies: requests.map(({ body }) => body), seconds });

/** Streams that must have the texts of the batch. */
async function checked(server: Address, { requests, texts }: Side): Promise<Streamed> {
  const told = await streams(server, requests);
  const row = told.texts.findIndex((text, i) => text !== texts[i]);
  if (row >= 0) throw new Error(`internal: the text of stream ${row} is not that of the batch`);
  return told;
}

/** The row of how long tokens are waited for, in steps of so many milliseconds. */
function waits(what: string, all: readonly Streamed[], step: number, detail: string): Row {
  const p99 = summary(all.map(({ gaps }) => gaps.p99 / step));
  return { ...ROW, what, unit: "×", ...p99, target: { atMost: 3 }, detail };
}

/** Rounds in turns; gives the milliseconds of a step of the batch. */
async function rounds(side: Side): Promise<number> {
  const { bench, model, requests, tokens } = side, told: Streamed[] = [];
  await using server = serveModel(model, { port: 0 });
  const pair = await paired(2 * bench.rounds, async () => {
    told.push(await checked(server, side));
    return told.at(-1)!.ms / tokens;
  }, async () => (await batched(model, requests)).ms / tokens);
  const counted = told.slice(1), { detail, ...ratio } = ratioOf(pair), step = pair.b.median;
  const cost = digits(summary(counted.map(({ cost }) => cost)).median);
  bench.row({
    ...{ ...ROW, what: "throughput of serve / generateBatch", ...ratio },
    target: { atLeast: 0.95 },
    detail: `${detail} a step; the client takes ${cost} µs a token`,
  });
  bench.row(
    waits("p99 of the next token / step", counted, step, `a step takes ${digits(step)} ms`),
  );
  return step;
}

/** Rounds beside requests that are refused. */
async function besideMalformed(side: Side, step: number): Promise<void> {
  const { bench, server, model } = side, count = bench.quick ? 40 : 1000;
  const told: Streamed[] = [], statuses: number[] = [];
  for (let round = 0; round < bench.rounds; round++) {
    const { vocabularySize } = model.config;
    const both = [checked(server, side), sendMalformed(server.url, count, vocabularySize)] as const;
    const [own, answered] = await Promise.all(both);
    told.push(own);
    statuses.push(...answered);
  }
  const wrong = statuses.filter((status) => !(status >= 400 && status < 500));
  if (wrong.length > 0) throw new Error(`internal: malformed requests were answered ${wrong}`);
  const detail = `${statuses.length} refused, all with 4xx; all texts are the batch's`;
  bench.row(waits(`the same beside ${count} malformed requests`, told, step, detail));
}

/** Streams that begin again when they end, each by itself. */
async function onEnd({ bench, server, model, tokens }: Side, step: number): Promise<void> {
  const seconds = bench.quick ? 1 : 120, warm = bench.quick ? 1 : 10;
  const requests = Array.from(
    { length: STREAMS },
    (_, row) => requestOf(model, row, Math.ceil(tokens * (1 - row / (2 * STREAMS)))),
  );
  const written = requests.reduce((sum, { own }) => sum + own.maxNewTokens, 0);
  const rate = async () => {
    const times = bench.quick ? 1 : 8, { ms } = await batched(model, requests, times);
    return times * written / ms * 1e3;
  };
  await streams(server, requests, warm);
  const before = residentBytes(server.pid), first = await rate();
  const told = await streams(server, requests, seconds), after = residentBytes(server.pid);
  const own = told.events / told.ms * 1e3, others = [first, await rate()];
  const [a, b] = others.map((other) => digits(other)), mb = (bytes: number) => digits(bytes / 1e6);
  bench.row({
    ...{ ...ROW, what: `the same throughput over ${seconds} s`, unit: "×" },
    ...summary(others.map((other) => own / other)),
    target: { atLeast: 0.95 },
    detail: `${digits(own)} / ${a} before, ${b} after, tokens a second`,
  });
  const most = `p99 is ${digits(told.gaps.p99)} ms, the longest wait ${digits(told.gaps.most)} ms`;
  bench.row(waits(`p99 of the next token / step, ${seconds} s`, [told], step, most));
  bench.row({
    ...{ ...ROW, what: `growth of memory in ${seconds} s`, unit: "MB" },
    ...summary([(after - before) / 1e6]),
    target: { atMost: 5 },
    detail: `${mb(before)} to ${mb(after)} MB, ${told.events} tokens`,
  });
}

export async function serve(bench: Bench): Promise<void> {
  if (Deno.build.os !== "linux") {
    bench.note("a server was not measured: its memory is read from /proc, which Linux alone has");
    return;
  }
  await using server = await served(["--model", ID]);
  await using model = await loadModel(ID);
  const tokens = bench.quick ? 16 : 256;
  const requests = Array.from({ length: STREAMS }, (_, row) => requestOf(model, row, tokens));
  const { texts } = await batched(model, requests);
  const side: Side = { bench, server, model, requests, texts, tokens };
  const step = await rounds(side);
  await besideMalformed(side, step);
  await onEnd(side, step);
}
