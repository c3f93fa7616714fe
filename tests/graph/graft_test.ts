import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  encodeGraph,
  graft,
  joinEmbedding,
  type OnnxModel,
  parseModel,
  PORTS,
  reference,
} from "@moi/moi/graph";
import { type ExportOptions, makeExport, withExternalData } from "./_exports.ts";

const read = (options: ExportOptions = {}): OnnxModel =>
  parseModel(encodeGraph(makeExport(options).graph), "model.onnx");

const names = (values: readonly { readonly name: string }[]) => values.map(({ name }) => name);

Deno.test("graft() gives the ports of a decoder that is built here", () => {
  for (const attention of ["grouped", "concatenated"] as const) {
    const { graph } = graft(read({ vocabulary: 1100, attention, layers: 1 })).model;
    const heads = attention === "grouped" ? 2 : 4;
    assertEquals(graph.inputs.map(({ name, type, dims }) => [name, type, dims]), [
      [PORTS.ids, "int32", ["B", "S", "K"]],
      [PORTS.weights, "float32", ["B", "S", "K"]],
      [PORTS.lastPosition, "int32", ["B"]],
      [PORTS.length, "int32", [1]],
      [PORTS.rows, "int64", ["R"]],
      [PORTS.past(0, "key"), "float32", ["B", heads, "L", 16]],
      [PORTS.past(0, "value"), "float32", ["B", heads, "L", 16]],
    ]);
    assertEquals(graph.outputs.map(({ name, type, dims }) => [name, type, dims]), [
      [PORTS.logits, "float32", ["R", 1100]],
      [PORTS.present(0, "key"), "float32", ["B", heads, "L", 16]],
      [PORTS.present(0, "value"), "float32", ["B", heads, "L", 16]],
    ]);
  }
});

Deno.test("graft() takes a row of weights where the vocabulary is small", () => {
  const { graph } = graft(read({ vocabulary: 97 })).model;
  assert(!names(graph.inputs).includes(PORTS.ids));
  assertEquals(graph.inputs[0]!.dims, ["B", "S", 97]);
});

Deno.test("graft() leaves constants as they were, external ones where they lie", () => {
  const { graph } = withExternalData(makeExport({ vocabulary: 1100 }).graph, ["a", "b"]);
  const before = parseModel(encodeGraph(graph), "f").graph.initializers;
  const after = graft(parseModel(encodeGraph(graph), "f")).model.graph.initializers;
  for (const tensor of after.filter(({ name }) => !name.startsWith("moi/"))) {
    assertEquals(tensor, before.find(({ name }) => name === tensor.name));
  }
  assert(names(after).includes("model.embed_tokens.weight"));
});

Deno.test("graft() drops what nothing needs any more", () => {
  const { graph } = graft(read({})).model, ops = graph.nodes.map(({ op }) => op);
  assert(!ops.includes("ReduceSum")); // of the mask
  assert(!names(graph.inputs).some((name) => ["attention_mask", "input_ids"].includes(name)));
});

Deno.test("graft() tells what the export is", () => {
  const facts = (options: ExportOptions) => graft(read(options)).facts;
  const plain = facts({ layers: 2 });
  assertEquals([plain.hiddenSize, plain.vocabularySize, plain.heads], [32, 97, 4]);
  assertEquals(plain.kv, [0, 1].map((layer) => ({ layer, kvHeads: 2, headDim: 16 })));
  assertEquals([plain.maxPositions, plain.cache, plain.dtype], [64, "in place", "fp32"]);
  assertEquals(facts({ rotary: "nodes" }).maxPositions, 64);
  assertEquals(facts({ rotary: "none" }).maxPositions, Infinity);
  assertEquals(facts({ attention: "concatenated" }).cache, "concatenated");
  const half = facts({ type: "float16" });
  assertEquals([half.activations, half.dtype], ["float16", "fp16"]);
  assertEquals(facts({ bits: 4 }).dtype, "int4");
  assertEquals(facts({ bits: 8 }).dtype, "int8");
  assertEquals(facts({ bits: 4 }).quantizedActivations, false);
  assertEquals(facts({ bits: 4, accuracy: 4 }).quantizedActivations, true);
  assertEquals(facts({ head: "last" }).lastLogitsOnly, true);
  assertEquals(facts({ embedding: "blocks" }).hiddenSize, 32);
});

Deno.test("graft() does not change what it is given", () => {
  const model = read({ rotary: "nodes" }), copy = structuredClone(model);
  graft(model);
  assertEquals(model, copy);
});

Deno.test("graft() picks rows before a head that is a product, after one that is not", () => {
  const before = (options: ExportOptions) => {
    const { nodes } = graft(read(options)).model.graph;
    const gather = nodes.findIndex(({ inputs }) => inputs[1] === PORTS.rows);
    return nodes.slice(gather).some(({ op }) => ["MatMul", "MatMulNBits"].includes(op));
  };
  for (
    const options of [{}, { head: "tied" }, { head: "softcap" }, { head: "last" }, {
      bits: 4,
    }] as const
  ) assert(before(options), JSON.stringify(options));
  assert(!before({ head: "added" }));
});

Deno.test("joinEmbedding() makes one graph that takes ids", () => {
  const e = makeExport({ embedding: "embeds", packed: true, scale: 2 });
  const [lookup, decoder] = [e.lookup, e.graph].map((g) => parseModel(encodeGraph(g), "f"));
  const joined = joinEmbedding(lookup!, decoder!);
  assertEquals(names(joined.graph.inputs)[0], "input_ids");
  assert(!names(joined.graph.inputs).includes("inputs_embeds"));
  assertEquals(graft(joined).facts.hiddenSize, 32);
  assertThrows(() => joinEmbedding(decoder!, decoder!), SyntaxError, "one input 'input_ids'");
  assertThrows(() => graft(decoder!), SyntaxError, "it must have the input 'input_ids'");
});

Deno.test("reference() feeds a prompt to the export as it is", () => {
  const { inputs, caches, model, output } = reference(read({ rotary: "nodes", layers: 1 }), [5, 6]);
  const fed = Object.fromEntries(inputs.map(({ name, dims, values }) => [name, [dims, values]]));
  assertEquals(fed.input_ids, [[1, 2], [5, 6]]);
  assertEquals(fed.attention_mask, [[1, 2], [1, 1]]);
  assertEquals(fed.position_ids, [[1, 2], [0, 1]]);
  assertEquals(fed["past_key_values.0.key"], [[1, 2, 0, 16], []]);
  assertEquals(caches.map(({ dims }) => dims), [[1, 2, 2, 16], [1, 2, 2, 16]]);
  assertEquals(names(model.graph.outputs), [output, "present.0.key", "present.0.value"]);
});
