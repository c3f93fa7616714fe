/**
 * `deno task serve` under load: 64 streams at once against `generateBatch` with the same 64 requests in
 * one process; what a thousand malformed requests do to streams beside them; two minutes on end.
 *
 * Client and server share the cores, so that what the client costs is part of the ratio.
 */

import { generateBatch, moi } from "../../../lib/decode/mod.ts";
import { loadModel, type Model } from "../../../lib/model/mod.ts";
import { type Served, served } from "../../_served.ts";
import type { Bench } from "../bench.ts";
import { sendMalformed } from "../malformed.ts";
import { promptOf } from "../prompts.ts";
import { clocked, digits, paired, ratioOf, residentBytes, summary } from "../rows.ts";
import { type Streamed, streamed } from "../streams.ts";

const ID = "countdown-tiny", STREAMS = 64, PROMPT = 24, suite = "serve";

/** A request in both forms: that of the library, and its body. */
function requestOf(model: Model, row: number, tokens: number) {
  const prompt = promptOf(PROMPT, model.config.vocabularySize, row);
  const options = { temperature: 1, maxNewTokens: tokens, ignoreEos: true, seed: row };
  const settings = { temperature: 1, max_tokens: tokens, ignore_eos: true, seed: row };
  const body = { prompt, ...settings, stream: true, vllm_xargs: { moi_beta: 1 } };
  return { own: { prompt, ...options, method: moi({ beta: 1 }) }, body };
}

/** Milliseconds of all requests in one batch, and their texts. */
async function batched(model: Model, requests: readonly ReturnType<typeof requestOf>[]) {
  const texts: string[] = [], all = requests.map(({ own }) => own);
  const ms = await clocked(async () => {
    for await (const { index, generation } of generateBatch(model, all, { slots: STREAMS })) {
      texts[index] = generation.text;
    }
  });
  return { ms, texts };
}

/** Streams of the same texts, or an error. */
async function checked(server: Served, bodies: readonly object[], texts: readonly string[]) {
  const told = await streamed({ port: Number(new URL(server.url).port), bodies });
  const row = told.texts.findIndex((text, i) => text !== texts[i]);
  if (row >= 0) throw new Error(`internal: the text of stream ${row} is not that of the batch`);
  return told;
}

export async function serve(bench: Bench): Promise<void> {
  await using server = await served(["--model", ID]);
  await using model = await loadModel(ID);
  const tokens = bench.quick ? 16 : 256, place = { model: ID, dtype: "fp32", batch: STREAMS };
  const requests = Array.from({ length: STREAMS }, (_, row) => requestOf(model, row, tokens));
  const bodies = requests.map(({ body }) => body), { texts } = await batched(model, requests);

  const told: Streamed[] = [], steps: number[] = [];
  const pair = await paired(2 * bench.rounds, async () => {
    told.push(await checked(server, bodies, texts));
    return told.at(-1)!.ms / tokens;
  }, async () => {
    steps.push((await batched(model, requests)).ms / tokens);
    return steps.at(-1)!;
  });
  const relation = ratioOf(pair);
  const cost = digits(summary(told.map(({ cost }) => cost)).median);
  bench.row({
    ...{ suite, what: "throughput of serve / generateBatch", ...place, ...relation },
    target: { atLeast: 0.95 },
    detail: `${relation.detail} a step; the client took ${cost} µs a token`,
  });
  const waits = (all: readonly Streamed[]) =>
    summary(all.map(({ gaps }) => gaps.p99 / pair.b.median));
  const gap = { suite, ...place, unit: "×", target: { atMost: 3 } } as const;
  bench.row({ ...gap, what: "p99 of the time to the next token / step", ...waits(told.slice(1)) });

  const beside: Streamed[] = [], statuses: number[] = [];
  for (let round = 0; round < bench.rounds; round++) {
    const count = bench.quick ? 20 : 1000;
    const [streams, answered] = await Promise.all([
      checked(server, bodies, texts),
      sendMalformed(server.url, count, model.config.vocabularySize),
    ]);
    beside.push(streams);
    statuses.push(...answered);
  }
  const wrong = statuses.filter((status) => status < 400 || status >= 500);
  if (wrong.length > 0) throw new Error(`internal: malformed requests were answered ${wrong}`);
  bench.row({
    ...{ ...gap, what: "the same beside 1,000 malformed requests" },
    ...waits(beside),
    detail: `${statuses.length} answers, all 4xx`,
  });

  const before = residentBytes(server.pid), seconds = bench.quick ? 1 : 120;
  const lengths = bodies.map((body, row) => ({
    ...body,
    max_tokens: Math.ceil(tokens * (1 - row / 128)),
  }));
  const long = await streamed({ port: Number(new URL(server.url).port), bodies: lengths, seconds });
  const after = residentBytes(server.pid), growth = (after - before) / 1e6;
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
  bench.row({
    ...{ suite, what: `growth of memory in ${seconds} s`, ...place, unit: "MB" },
    ...summary([growth]),
    target: { atMost: 5 },
    detail: `${mb(before)} to ${mb(after)} MB, ${long.events} tokens`,
  });
  bench.row({
    ...{ ...gap, what: `p99 of the time to the next token in ${seconds} s / step` },
    ...waits([long]),
    detail: `${digits(long.gaps.p99)} ms, at most ${digits(long.gaps.most)} ms`,
  });
}
