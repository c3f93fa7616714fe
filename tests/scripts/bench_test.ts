import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { generate } from "@moi/moi/decode";
import { parseModel } from "@moi/moi/graph";
import { loadModel } from "@moi/moi/model";
import { serve } from "@moi/moi/serve";
import { SMALL, writeCheckpoint } from "../../scripts/bench/checkpoint.ts";
import { exportQuantized } from "../../scripts/bench/export.ts";
import { equalLengths, spreadLengths } from "../../scripts/bench/prompts.ts";
import { sendMalformed } from "../../scripts/bench/malformed.ts";
import { linearBytes, openQuantized } from "../../scripts/bench/quantized_copy.ts";
import { meets, paired, type Row, summary } from "../../scripts/bench/rows.ts";
import { streamed } from "../../scripts/bench/streams.ts";
import { temporaryFolder } from "../_temporary.ts";
import { script } from "../_process.ts";

const bench = (...args: string[]) => script("bench/main", args);

Deno.test("bench measures the chosen suites and writes rows, chart and profile", async () => {
  await using folder = await temporaryFolder();
  const file = (name: string) => `${folder.path}/${name}`;
  const outputs = { json: file("rows.json"), chart: file("cost.svg"), profile: file("v8") };
  const { code, stdout, stderr } = await bench(
    "--quick",
    "--only=capacity,cost",
    ...Object.entries(outputs).map(([name, path]) => `--${name}=${path}`),
  );
  assertEquals([code, stderr.replace(/ took \d+ s/g, "")], [0, "capacity\ncost\n"]);
  const { machine, rounds, rows } = JSON.parse(await Deno.readTextFile(outputs.json));
  assertEquals([machine.os, rounds], [Deno.build.os, 1]);
  assertEquals(new Set(rows.map(({ suite }: Row) => suite)), new Set(["capacity", "cost"]));
  for (const { what, model, median, low, high, unit } of rows as Row[]) {
    assert(low <= median && median <= high && low > 0, `${what}: ${low}, ${median}, ${high}`);
    assertStringIncludes(stdout, what);
    assertStringIncludes(stdout, model);
    assert(["×", "ms"].includes(unit));
  }
  assertEquals((rows as Row[]).filter(({ suite }) => suite === "cost").length, 8);
  assertStringIncludes(await Deno.readTextFile(outputs.chart), "sequences side by side");
  assert(JSON.parse(await Deno.readTextFile(outputs.profile)).nodes.length > 10);
});

Deno.test("both engines are measured on the same blocks", async () => {
  const { code, stdout, stderr } = await bench("--quick", "--only=llama");
  assertEquals([code, stderr.replace(/ took \d+ s/, "")], [0, "llama\n"]);
  for (const what of ["load", "peak memory", "a step"]) {
    assertStringIncludes(stdout, `llama.cpp / ONNX Runtime, ${what}`);
  }
  assertStringIncludes(stdout, "MoI whole vocabulary / standard, llama.cpp");
});

Deno.test("bench refuses what it cannot measure", async () => {
  for (
    const [args, why] of [[["--only", "speed"], "'--only'"], [["--rounds", "0"], "'--rounds'"]]
  ) {
    const { code, stderr } = await bench(...args as string[]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `error: Cannot measure as ${why} must`);
  }
});

Deno.test("streams of a server come whole beside requests that it refuses", async () => {
  await using model = await loadModel("countdown-tiny");
  await using server = serve(model, { port: 0 });
  const { port } = new URL(server.url), tokens = 8, seeds = [1, 2, 3];
  const bodies = seeds.map((seed) => ({ prompt: [9], stream: true, max_tokens: tokens, seed }));
  const whole = bodies.map((body) => ({ ...body, ignore_eos: true }));
  const [{ texts, events, gaps }, statuses] = await Promise.all([
    streamed({ port: Number(port), bodies: whole }),
    sendMalformed(server.url, 72, model.config.vocabularySize),
  ]);
  const options = { maxNewTokens: tokens, ignoreEos: true };
  const expected = await Promise.all(
    seeds.map((seed) => generate(model, [9], { ...options, seed })),
  );
  assertEquals(texts, expected.map(({ text }) => text));
  assert(events > seeds.length && gaps.median <= gaps.p99 && gaps.p99 <= gaps.most);
  assertEquals([statuses.length, [...new Set(statuses)].sort()], [72, [400, 404, 405, 415]]);
  await assertRejects(
    () => streamed({ port: Number(port), bodies: [{ prompt: [] }] }),
    Error,
    "a stream was answered: HTTP/1.1 400",
  );
});

Deno.test("paired() takes turns and relates the times of a round", async () => {
  const turns: string[] = [], times = { a: [1, 2, 4], b: [3, 2, 12] };
  const contender = (name: "a" | "b") => () => {
    turns.push(name);
    return Promise.resolve(times[name].shift()!);
  };
  const { ratio, a } = await paired(2, contender("a"), contender("b"));
  assertEquals(turns.join(""), "abbaab");
  assertEquals([ratio, a.median], [{ low: 1.5, median: 2, high: 2.5 }, 3]);
  assertEquals(summary([1, 2, 3, 4, 5]), { low: 2, median: 3, high: 4 });
  assertEquals([meets(a, { atLeast: 3 }), meets(a, { atMost: 2 })], [true, false]);
});

Deno.test("requests are alike, or spread over all lengths", () => {
  assertEquals(equalLengths(2, 3, 4), [{ prompt: 3, tokens: 4 }, { prompt: 3, tokens: 4 }]);
  const all = spreadLengths(32, { prompt: 128, tokens: 32 });
  for (const [part, longest] of [["prompt", 128], ["tokens", 32]] as const) {
    const lengths = all.map((one) => one[part]);
    assertEquals([Math.min(...lengths), Math.max(...lengths)], [longest / 8, longest]);
  }
});

Deno.test("the ONNX export holds the weights of a quantised load", async () => {
  await using folder = await temporaryFolder();
  await writeCheckpoint(folder.path, SMALL);
  using copy = await openQuantized(folder.path, `${folder.path}/cache`);
  await exportQuantized(folder.path, copy, `${folder.path}/export`);

  const onnx = `${folder.path}/export/onnx/model_q4.onnx`;
  const { graph } = parseModel(await Deno.readFile(onnx), "model_q4.onnx");
  const data = await Deno.readFile(`${onnx}_data`);
  const exported = (name: string): Uint8Array<ArrayBuffer> => {
    const { data: place } = graph.initializers.find((tensor) => tensor.name === name)!;
    assert(!(place instanceof Uint8Array) && place.location === "model_q4.onnx_data");
    return data.slice(place.offset, place.offset + place.length);
  };
  const places = [
    ["model.embed_tokens.weight", 8],
    ["model.layers.1.self_attn.k_proj.weight", 4],
    ["model.layers.0.mlp.down_proj.weight", 4],
  ] as const;
  for (const [name, bits] of places) {
    const q = exported(`${name}#int${bits}`),
      { location, offset, length } = copy.tensors.get(name)!;
    const scales = new Float32Array(exported(`${name}#scales`).buffer);
    const halves = new Uint16Array(copy.files[location]!.buffer, offset, length / 2); // bf16
    const weights = new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
    assertEquals(weights.length, q.length * 8 / bits);
    weights.forEach((weight, i) => {
      const number = bits === 8 ? q[i]! - 128 : (q[i >> 1]! >> 4 * (i % 2) & 15) - 8;
      const scale = scales[i >> 5]!; // of a block; the largest of 4 bits is at its edge
      assertAlmostEquals(number * scale, weight, 1.01 * Math.abs(scale), name);
    });
  }
  const head = SMALL.vocab_size * SMALL.hidden_size, all = linearBytes(copy, "fp32") / 4;
  assertEquals(linearBytes(copy, "int4"), head * 36 / 32 + (all - head) * 20 / 32);
});
