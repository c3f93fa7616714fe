/**
 * Graphs in float16, on the CPU: it has kernels for attention in float16 and computes the rest in
 * float32 between conversions, so that what a GPU is given runs here with the same rounding or less.
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import {
  CPU_TARGET,
  type Graph,
  graphBuilder,
  halfKv,
  int8Kv,
  type Node,
  PORTS,
  type QuantizedWeight,
  scalesFitHalf,
  type Target,
  type Weight,
  weightsIn,
} from "@moi/moi/graph";
import { memoryOver } from "@moi/moi/runtime";
import { linear } from "../../lib/graph/linear.ts";
import { klDivergence } from "../../lib/model/quality.ts";
import { openSource } from "../../lib/model/sources/mod.ts";
import { caseOf, CASES, checkpointOf, tensorsOf } from "../golden/architectures.ts";
import { encodeSafetensors, maxDifference } from "../golden/golden.ts";
import { temporaryFolder } from "../_temporary.ts";
import { caseDecoder, type Decoder, decoderOf, halved, openDecoder } from "./_caches.ts";

/** What GPUs have, of two kinds. */
const GPU: Target = { ...CPU_TARGET, accuracy: 0, packs: false };
const TURNED: Target = { ...GPU, linear: "transposed" };

const MIXTURE = { ids: [5, 9, 12], weights: [0.3, 0.5, 0.2] };
/** Seen: 0.052 in float16, where logits reach 13. */
const TOLERANCE = 0.1;

const FLOATS: readonly (number | undefined)[] = [1, 10]; // as ONNX numbers float32 and float16
const castsToFloats = ({ nodes }: Graph) =>
  nodes.filter(({ op, attributes }) => op === "Cast" && FLOATS.includes(attributes.to!.int));

/** Logits of prompts of 9 and 40 tokens, and of a mixture beside a token after the first. */
async function logitsOf(
  decoder: Decoder,
  ids: readonly number[],
): Promise<readonly Float32Array[]> {
  const length = ids.length;
  using cache = await openDecoder(decoder, { slots: 2, length });
  const short = await cache.prefill(0, 0, ids.slice(0, 9), "all");
  await cache.copy(0, 1, 9);
  const step = (await cache.step([MIXTURE, 12], [9, 9])).slice();
  return [short, step, await cache.prefill(1, 0, ids, "all")];
}

/** Logits are close, and so are distributions; the most probable token is the same, or one as probable. */
function assertClose(
  actual: Float32Array,
  expected: Float32Array,
  vocabularySize: number,
  tolerance = TOLERANCE,
) {
  assertLess(maxDifference(actual, expected), tolerance);
  for (let at = 0; at < expected.length; at += vocabularySize) {
    const [own, due] = [actual, expected].map((all) => all.subarray(at, at + vocabularySize));
    const top = due!.indexOf(Math.max(...due!)), found = own!.indexOf(Math.max(...own!));
    assertLess(due![top]! - due![found]!, TOLERANCE / 4);
    assertLess(klDivergence(due!, own!), tolerance ** 2 / 10);
  }
}

for (const value of CASES) {
  Deno.test(`${value.name}: float16 gives logits close to those of float32`, async () => {
    const exact = caseDecoder(value), ids = value.input_ids, size = exact.config.vocabularySize;
    const expected = await logitsOf(exact, ids);
    for (const half of [halved(exact), halved(exact, true), halved(caseDecoder(value, TURNED))]) {
      const actual = await logitsOf(half, ids);
      actual.forEach((logits, i) => assertClose(logits, expected[i]!, size));
    }
  });

  Deno.test(`${value.name}: float16 keys and values alone are close, alike in any batch`, async () => {
    const exact = caseDecoder(value), ids = value.input_ids, size = exact.config.vocabularySize;
    const expected = await logitsOf(exact, ids);
    const half = { ...exact, graph: halfKv(exact.graph) }, actual = await logitsOf(half, ids);
    actual.forEach((logits, i) => assertClose(logits, expected[i]!, size, TOLERANCE / 2));
    using cache = await openDecoder(half, { slots: 1, length: ids.length });
    await cache.prefill(0, 0, ids.slice(0, 9), "last");
    assertEquals(await cache.step([MIXTURE], [9]), actual[1]!.subarray(0, size));
  });

  Deno.test(`${value.name}: types meet in one Cast a value, and weights stay in their file`, () => {
    const exact = caseDecoder(value);
    for (const wide of [false, true]) {
      const { graph } = halved(exact, wide), casts = castsToFloats(graph);
      const types = new Set<string>();
      for (const { inputs: [from], attributes } of casts) {
        const key = `${from} ${attributes.to!.int}`;
        assert(!types.has(key), key);
        types.add(key);
      }
      const made = new Set(casts.map(({ outputs }) => outputs[0]));
      const chains = casts.filter(({ inputs }) => made.has(inputs[0]));
      assertEquals(chains, []);
      const used = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
      assertEquals(graph.initializers.filter(({ name }) => !used.has(name)), []);
      const inFile = ({ initializers }: Graph) =>
        initializers.filter(({ data }) => !(data instanceof Uint8Array))
          .toSorted((a, b) => a.name < b.name ? -1 : 1);
      assertEquals(inFile(graph), inFile(exact.graph));
    }
  });
}

Deno.test("halfPrecision() takes the types of ports but for the cache as they are", () => {
  const { graph, config } = caseDecoder(caseOf("qwen3"));
  const { graph: half } = halved({ graph, config, data: {} });
  const cache = /^(past|present)/;
  for (const side of ["inputs", "outputs"] as const) {
    half[side].forEach((port, i) => {
      const type = cache.test(port.name) ? "float16" : graph[side][i]!.type;
      assertEquals(port, { ...graph[side][i]!, type });
    });
  }
});

Deno.test("a float16 matrix is used without a Cast, a bfloat16 one by a Cast to float16", () => {
  const nodesOf = (type: Weight["type"]): readonly Node[] => {
    const weight = { type, dims: [2, 2], location: "w", offset: 0, length: 8 };
    const b = graphBuilder(weightsIn(new Map([["w", weight]])));
    const mixture = b.input(PORTS.weights, "float32", ["B", "S", 2]);
    const x = b.op("MatMul", [mixture, b.weight("w", [2, 2])], { outputs: ["x"] });
    linear(b, x, "w", 2, 2, { output: PORTS.logits });
    b.output(PORTS.logits, "float32", ["B", "S", 2]);
    return halved({ graph: b.graph(), config: caseDecoder(caseOf("qwen3")).config, data: {} })
      .graph.nodes;
  };
  const readers = (type: Weight["type"]) => nodesOf(type).map(({ op, inputs }) => [op, ...inputs]);
  const entry = [["Cast", "w"], ["MatMul", PORTS.weights, "w#float32"], ["Cast", "x"]];
  const exit = ["Cast", `${PORTS.logits}#float16`];
  assertEquals(readers("float16"), [...entry, ["FusedMatMul", "x#float16", "w"], exit]);
  const second = ["FusedMatMul", "x#float16", "w#float16"];
  assertEquals(readers("bfloat16"), [...entry, ["Cast", "w"], second, exit]);
  const plain = [entry[1]!.with(2, "w"), entry[2]!, entry[0]!];
  assertEquals(readers("float32"), [...plain, second, exit]);
});

Deno.test("the mixture, a router's product and the bound of logits stay in float32", () => {
  const nodesOf = (name: string) => halved(caseDecoder(caseOf(name))).graph.nodes;
  const reading = (nodes: readonly Node[], name: string) =>
    nodes.filter(({ op, inputs }) => op !== "Cast" && inputs.some((own) => own.includes(name)))
      .map(({ inputs }) => inputs);

  const experts = nodesOf("qwen3_moe, not normalized, a dense layer");
  const [entry] = reading(experts, PORTS.weights);
  assert(!entry![1]!.endsWith("#float16"), entry![1]);
  const routers = reading(experts, "mlp.gate.weight");
  assert(routers.length > 0);
  for (const [x, gate] of routers) {
    assert(x!.endsWith("#float32"), x);
    assert(!gate!.endsWith("#float16"), gate);
  }

  const bounded = reading(
    nodesOf("gemma3_text, layer_types, biases, softcap, untied"),
    "logit_softcap",
  );
  assertEquals(bounded.length, 2);
  for (const [, cap] of bounded) assertEquals(cap, "logit_softcap");
});

/** A case with the tensors of a suffix times a factor. */
function scaled(name: string, suffix: string, factor: number): Decoder {
  const value = caseOf(name);
  const tensors = Object.entries(tensorsOf(value)).map(([name, stored]) => {
    if (!name.endsWith(suffix)) return [name, stored];
    const { data, shape } = stored, bits = Uint32Array.from(data as Uint16Array, (b) => b << 16);
    const floats = data instanceof Float32Array ? data : new Float32Array(bits.buffer);
    return [name, { dtype: "F32", shape, data: floats.map((x) => factor * x) }];
  });
  return decoderOf(value.config, encodeSafetensors(Object.fromEntries(tensors)), value.max_length);
}

for (
  const [name, suffix, factor] of [
    ["gemma3_text", "post_attention_layernorm.weight", 3e5], // a norm of what is added
    ["qwen3", "mlp.down_proj.weight", 3e4], // added as it is
  ] as const
) {
  Deno.test(`${name}: a stream beyond 65,504 needs wide, which then is close`, async () => {
    const exact = scaled(name, suffix, factor), ids = caseOf(name).input_ids;
    const expected = await logitsOf(exact, ids);
    const narrow = await logitsOf(halved(exact), ids);
    assert(narrow.some((logits) => logits.some((logit) => !Number.isFinite(logit))));
    const actual = await logitsOf(halved(exact, true), ids);
    actual.forEach((logits, i) => assertClose(logits, expected[i]!, exact.config.vocabularySize));
  });
}

Deno.test("scalesFitHalf() takes what float16 rounds as it rounds most numbers", () => {
  assert(scalesFitHalf(Float32Array.of(1e-4, -0.3, 3e4)));
  assert(scalesFitHalf(new Float32Array(4)));
  assert(!scalesFitHalf(Float32Array.of(1e5, 0.1)), "beyond the range");
  assert(!scalesFitHalf(Float32Array.of(1e-9)), "rounded to 0");
  assert(!scalesFitHalf(Float32Array.of(1.01e-6)), "rounded coarsely");
});

for (const dtype of ["int4", "int8"] as const) {
  Deno.test(`${dtype} matrices: float16 is close to float32`, async () => {
    const value = caseOf("qwen3"), ids = value.input_ids;
    await using folder = await checkpointOf(value);
    await using cache = await temporaryFolder();
    using source = await openSource(folder.path, dtype);
    const places = { cacheDir: cache.path, label: "convert" };
    const request = { dtype, maxLength: 64, target: GPU, ...places };
    using prepared = await source.prepare(request);
    const exact = { ...prepared, graph: prepared.graph as Graph };
    const expected = await logitsOf(exact, ids), actual = await logitsOf(halved(exact), ids);
    actual.forEach((logits, i) => assertClose(logits, expected[i]!, exact.config.vocabularySize));
  });
}

Deno.test("a quantised matrix whose scales do not fit float16 is multiplied in float32", () => {
  const { config } = caseDecoder(caseOf("qwen3"));
  const productsOf = (scales: readonly number[], hasMinima: boolean) => {
    const out = scales.length, file = new Uint8Array(20 * out);
    file.set(new Uint8Array(Float32Array.from(scales).buffer), 16 * out);
    const numbers = { location: "w", offset: 0, length: 16 * out };
    const place = { ...numbers, offset: 16 * out, length: 4 * out };
    const blocks = { type: "float32", dims: [out, 1], ...place } as const;
    const quantized: QuantizedWeight = {
      ...{ bits: 4 as const, blockSize: 32, sourceOffset: 0, scales: blocks },
      data: { type: "uint8", dims: [out, 1, 16], ...numbers },
      ...(hasMinima && { minima: blocks }),
    };
    const weight: Weight = { type: "float16", dims: [out, 32], ...numbers, quantized };
    const b = graphBuilder(weightsIn(new Map([["w", weight]])));
    const mixture = b.input(PORTS.weights, "float32", ["B", "S", 2]);
    const table = b.floats("table", new Float32Array(64).fill(1), [2, 32]);
    const x = b.op("MatMul", [mixture, table], { outputs: ["x"] });
    linear(b, x, "w", out, 32, { output: PORTS.logits });
    b.output(PORTS.logits, "float32", ["B", "S", out]);
    const data = { externalData: { w: memoryOver(file.buffer) } };
    return halved({ graph: b.graph(), config, data }).graph.nodes
      .flatMap(({ op, inputs }) => /^Fused|NBits$/.test(op) ? inputs : []);
  };
  const usual = [0.01, 1e-8], tiny = [2e-7, 1e-8];
  assertEquals(productsOf(usual, false), ["x#float16", "w#int4", "w#scales#float16"]);
  assertEquals(productsOf(tiny, false), ["x", "w#int4", "w#scales"]);
  assertEquals(productsOf(usual, true).at(-1), "w#minima#float16");
  assertEquals(productsOf(tiny, true).at(-1), "w#minima");
});

Deno.test("int8 keys and values go with float16 activations, in either order", async () => {
  const exact = caseDecoder(caseOf("qwen3")),
    { kv } = exact.config,
    ids = caseOf("qwen3").input_ids;
  const narrow = (decoder: Decoder): Decoder => {
    const scales = (layer: number) => {
      const { kvHeads, headDim } = kv.find((own) => own.layer === layer)!;
      return new Float32Array(kvHeads * headDim).fill(4 / 127);
    };
    return { ...decoder, graph: int8Kv(decoder.graph, kv, scales) };
  };
  // what lies between two steps of int8 goes to either: seen 0.12
  const expected = await logitsOf(narrow(exact), ids);
  for (const both of [halved(narrow(exact)), narrow(halved(exact))]) {
    const actual = await logitsOf(both, ids);
    actual.forEach((logits, i) =>
      assertClose(logits, expected[i]!, exact.config.vocabularySize, 0.3)
    );
  }
});

Deno.test("at position 30,000 float16 rotates as it does at the first", async () => {
  const value = caseOf("mistral, window"), from = 30_000, ids = value.input_ids; // sees the last few only
  const config = { ...value.config, max_position_embeddings: 32_768 };
  const exact = decoderOf(config, encodeSafetensors(tensorsOf(value)), 30_100);
  const [expected, actual] = await Promise.all([exact, halved(exact)].map(async (decoder) => {
    using cache = await openDecoder(decoder, { slots: 1, length: from + ids.length });
    return await cache.prefill(0, from, ids, "all");
  }));
  assertClose(actual!, expected!, exact.config.vocabularySize);
});
