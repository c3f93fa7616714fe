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
import { writeGguf } from "../../scripts/bench/gguf.ts";
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

interface GgufTensor {
  readonly dims: readonly number[];
  readonly type: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Reads what the writer writes, by the format's description. */
function readGguf(file: Uint8Array<ArrayBuffer>) {
  const view = new DataView(file.buffer);
  let at = 0;
  const u32 = () => view.getUint32((at += 4) - 4, true);
  const u64 = () => Number(view.getBigUint64((at += 8) - 8, true));
  const text = (length = u64()) => new TextDecoder().decode(file.subarray(at, at += length));
  const value = (type: number): unknown => {
    if (type === 4 || type === 5) return u32();
    if (type === 6) return view.getFloat32((at += 4) - 4, true);
    if (type === 8) return text();
    const element = u32();
    return Array.from({ length: u64() }, () => value(element));
  };
  assertEquals([text(4), u32()], ["GGUF", 3]);
  const count = u64(), metadata = new Map<string, unknown>();
  for (let left = u64(); left > 0; left--) metadata.set(text(), value(u32()));
  const infos = Array.from({ length: count }, () => ({
    name: text(),
    dims: Array.from({ length: u32() }, u64).reverse(),
    type: u32(),
    offset: u64(),
  }));
  const start = Math.ceil(at / 32) * 32, tensors = new Map<string, GgufTensor>();
  for (const { name, offset, ...info } of infos) {
    assertEquals(offset % 32, 0);
    tensors.set(name, { ...info, bytes: file.subarray(start + offset) });
  }
  return { metadata, tensors };
}

/** Numbers of Q4_0 (type 2) and Q8_0 (8). */
function numbersOf({ dims, type, bytes }: GgufTensor): Float32Array {
  const values = new Float32Array(dims[0]! * dims[1]!), size = type === 2 ? 18 : 34;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let block = 0; block < values.length / 32; block++) {
    const scale = view.getFloat16(block * size, true), first = block * size + 2;
    for (let i = 0; i < 32; i++) {
      const q = type === 8
        ? view.getInt8(first + i)
        : (bytes[first + i % 16]! >> (i < 16 ? 0 : 4) & 15) - 8;
      values[32 * block + i] = q * scale;
    }
  }
  return values;
}

Deno.test("the ONNX export and the GGUF file hold the weights of a quantised load", async () => {
  await using folder = await temporaryFolder();
  await writeCheckpoint(folder.path, SMALL);
  using copy = await openQuantized(folder.path, `${folder.path}/cache`);
  await exportQuantized(folder.path, copy, `${folder.path}/export`);
  await writeGguf(copy, `${folder.path}/q4_0.gguf`);

  const onnx = `${folder.path}/export/onnx/model_q4.onnx`;
  const { graph } = parseModel(await Deno.readFile(onnx), "model_q4.onnx");
  const data = await Deno.readFile(`${onnx}_data`);
  const exported = (name: string): Uint8Array<ArrayBuffer> => {
    const { data: place } = graph.initializers.find((tensor) => tensor.name === name)!;
    assert(!(place instanceof Uint8Array) && place.location === "model_q4.onnx_data");
    return data.slice(place.offset, place.offset + place.length);
  };
  const { metadata, tensors } = readGguf(await Deno.readFile(`${folder.path}/q4_0.gguf`));
  assertEquals(metadata.get("qwen3.block_count"), SMALL.num_hidden_layers);
  assertEquals((metadata.get("tokenizer.ggml.tokens") as string[]).length, SMALL.vocab_size);
  assertEquals(tensors.size, 3 + 11 * SMALL.num_hidden_layers);

  const places = [
    ["model.embed_tokens.weight", "output.weight", 8],
    ["model.layers.1.self_attn.k_proj.weight", "blk.1.attn_k.weight", 4],
    ["model.layers.0.mlp.down_proj.weight", "blk.0.ffn_down.weight", 4],
  ] as const;
  for (const [name, place, bits] of places) {
    const q = exported(`${name}#int${bits}`), found = numbersOf(tensors.get(place)!);
    const scales = new Float32Array(exported(`${name}#scales`).buffer);
    assertEquals(found.length, q.length * 8 / bits);
    found.forEach((value, i) => {
      const number = bits === 8 ? q[i]! - 128 : (q[i >> 1]! >> 4 * (i % 2) & 15) - 8;
      const expected = number * scales[i >> 5]!; // a scale has 11 bits in fp16
      assertAlmostEquals(value, expected, Math.abs(expected) * 2 ** -11 + 1e-9);
    });
  }

  const norm = tensors.get("blk.0.attn_q_norm.weight")!, [width] = norm.dims;
  const stored = copy.tensors.get("model.layers.0.self_attn.q_norm.weight")!;
  const halves = new Uint16Array(copy.files[stored.location]!.buffer, stored.offset, width);
  const view = new DataView(norm.bytes.buffer, norm.bytes.byteOffset);
  halves.forEach((half, i) => assertEquals(view.getUint32(4 * i, true), half << 16 >>> 0));
  const head = SMALL.vocab_size * SMALL.hidden_size, all = linearBytes(copy, "fp32") / 4;
  assertEquals(linearBytes(copy, "int4"), head * 36 / 32 + (all - head) * 20 / 32);
});
