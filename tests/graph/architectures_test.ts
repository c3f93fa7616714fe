import { assertEquals, assertThrows } from "@std/assert";
import {
  ARCHITECTURES,
  type FileRange,
  type OnnxType,
  PORTS,
  type Weight,
  weightsIn,
} from "@moi/moi/graph";
import { parseSafetensors } from "@moi/moi/model";
import { headNorm } from "../../lib/graph/attention.ts";
import { gatedMlp } from "../../lib/graph/decoder.ts";
import { likeLlama } from "../../lib/graph/like_llama.ts";
import { type ArchitectureCase, caseOf, CASES, tensorsOf } from "../golden/architectures.ts";
import { encodeSafetensors } from "../golden/golden.ts";

function setup(value: ArchitectureCase) {
  const architecture = ARCHITECTURES[value.config.model_type as string]!;
  const weights = parseSafetensors(encodeSafetensors(tensorsOf(value)), "w");
  return { architecture, config: architecture.parse(value.config), weights };
}

for (const value of CASES) {
  Deno.test(`${value.name}: the graph's ports are those of its config`, () => {
    const { architecture, config, weights } = setup(value);
    const { inputs, outputs } = architecture.graph(config, weightsIn(weights), 16);
    const ports = config.kv.flatMap(({ layer, kvHeads, headDim }) =>
      (["key", "value"] as const).map((part) => ({ layer, part, dims: [kvHeads, headDim] }))
    );
    const past = ports.map(({ layer, part }) => PORTS.past(layer, part));
    const { weights: mixture, lastPosition, length, rows, logits } = PORTS;
    assertEquals(inputs.map(({ name }) => name), [mixture, lastPosition, length, ...past, rows]);
    const present = ports.map(({ layer, part }) => PORTS.present(layer, part));
    assertEquals(outputs.map(({ name }) => name), [...present, logits]);
    for (const [i, { dims }] of ports.entries()) {
      const [heads, width] = dims;
      assertEquals(outputs[i]!.dims, ["B", heads!, "L", width!]);
    }
  });

  Deno.test(`${value.name}: a checkpoint that lacks a tensor is refused by its name`, () => {
    const { architecture, config, weights } = setup(value);
    for (const name of weights.keys()) {
      const fewer = new Map(weights);
      fewer.delete(name);
      // without an embedding table nothing says where the text part stands
      const due = name.endsWith("embed_tokens.weight") ? "embed_tokens.weight'" : `'${name}'`;
      assertThrows(() => architecture.graph(config, weightsIn(fewer), 16), SyntaxError, due);
    }
  });

  Deno.test(`${value.name}: a tensor of another shape is refused by its name`, () => {
    const { architecture, config, weights } = setup(value);
    for (const [name, weight] of weights) {
      const dims = [weight.dims[0]! + 1, ...weight.dims.slice(1)];
      const other = new Map([...weights, [name, { ...weight, dims }]]);
      assertThrows(
        () => architecture.graph(config, weightsIn(other), 16),
        SyntaxError,
        `'${name}' must have`,
      );
    }
  });

  Deno.test(`${value.name}: every tensor is used, as it stands in the file`, () => {
    const { architecture, config, weights } = setup(value);
    const { initializers } = architecture.graph(config, weightsIn(weights), 16);
    const used = initializers.flatMap(({ data }) => data instanceof Uint8Array ? [] : [data]);
    used.sort((a, b) => a.offset - b.offset);
    const sum = (parts: Iterable<{ readonly length: number }>) => {
      let total = 0;
      for (const { length } of parts) total += length;
      return total;
    };
    assertEquals(sum(used), sum(weights.values()));
    used.slice(1).forEach(({ offset }, i) =>
      assertEquals(offset, used[i]!.offset + used[i]!.length)
    );
  });
}

Deno.test("phi3 takes q, k and v as ranges of rows of one tensor", () => {
  const { architecture, config, weights } = setup(caseOf("phi3, window"));
  const fused = weights.get("model.layers.1.self_attn.qkv_proj.weight")!;
  const { initializers } = architecture.graph(config, weightsIn(weights), 16);
  const rangeOf = (part: string): Weight => {
    const name = `model.layers.1.self_attn.${part}_proj.weight`;
    const { type, dims, data } = initializers.find((value) => value.name === name)!;
    return { type: type as OnnxType, dims, ...data as FileRange };
  };
  const rowBytes = fused.length / 128;
  assertEquals(rangeOf("q"), { ...fused, dims: [64, 64], length: 64 * rowBytes });
  const k = { ...fused, dims: [32, 64], length: 32 * rowBytes };
  assertEquals(rangeOf("k"), { ...k, offset: fused.offset + 64 * rowBytes });
  assertEquals(rangeOf("v"), { ...k, offset: fused.offset + 96 * rowBytes });
});

Deno.test("gemma3 skips the tensors of the vision part", () => {
  const { architecture, config, weights } = setup(
    caseOf("gemma3, tensors under language_model.model"),
  );
  const vision: Weight = { type: "float32", dims: [3], location: "w", offset: 0, length: 12 };
  const more = new Map([...weights, ["vision_tower.patch.weight", vision]]);
  assertEquals(
    architecture.graph(config, weightsIn(more), 16).initializers.map(({ name }) => name),
    architecture.graph(config, weightsIn(weights), 16).initializers.map(({ name }) => name),
  );
});

Deno.test("an architecture of one's own is what differs from Llama, a few lines", () => {
  const mine = likeLlama("mine", {
    defaults: { max_position_embeddings: 4096, rms_norm_eps: 1e-6, my_clip: 1 },
    normalize: headNorm,
    own: (f) => ({ clip: f.positive("my_clip") }),
    // twice the gated feed-forward, for the sake of the example
    feedForward: (config) => (b, x, prefix) => {
      const once = gatedMlp(b, x, prefix, config);
      return b.op("Clip", [
        b.op("Add", [once, once]),
        "",
        b.floats("clip", Float32Array.of(config.clip), []),
      ]);
    },
  });
  const { config: json } = caseOf("qwen3"), { weights } = setup(caseOf("qwen3"));
  const { nodes } = mine.graph(mine.parse({ ...json, my_clip: 3 }), weightsIn(weights), 16);
  assertEquals(nodes.filter(({ op }) => op === "Clip").length, json.num_hidden_layers);
});

Deno.test("ARCHITECTURES has one entry per model_type, read and built by the same file", () => {
  for (const [name, architecture] of Object.entries(ARCHITECTURES)) {
    const { config } = CASES.find(({ config }) => config.model_type === name)!;
    assertEquals(architecture.parse(config).architecture, name);
  }
});
