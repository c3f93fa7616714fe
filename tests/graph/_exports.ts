/**
 * Small exports with random weights, in the layouts that the hub has: what the tests cut.
 *
 * They are written with the plain encoder, which knows nothing of grafting.
 */
import {
  type Attribute,
  encodeGraph,
  type Graph,
  type Initializer,
  type Node,
  type OnnxType,
  ropeTables,
  type ValueInfo,
} from "@moi/moi/graph";
import { randomNumbers } from "../golden/golden.ts";

/** What an export is like. */
export interface ExportOptions {
  readonly vocabulary?: number;
  readonly hidden?: number;
  readonly layers?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly headDim?: number;
  readonly positions?: number;
  /** Where heads are rotated. */
  readonly rotary?: "attention" | "nodes" | "none";
  /** How attention is done. */
  readonly attention?: "grouped" | "concatenated";
  /** How rows are looked up. */
  readonly embedding?: "gather" | "blocks" | "integers" | "embeds";
  /** Bits of the linear layers. */
  readonly bits?: 4 | 8;
  readonly accuracy?: number;
  /** Factor on the embedding. */
  readonly scale?: number;
  readonly head?: "own" | "tied" | "softcap" | "last" | "added";
  readonly packed?: boolean;
  /** Element type of activations and cache. */
  readonly type?: "float32" | "float16";
  /** Whether ids are cast and reshaped before the lookup, and their shape is used. */
  readonly detours?: boolean;
  readonly seed?: number;
}

/** An export: its graph, the graph from its embedding's rows on, and the rows. */
export interface TestExport {
  readonly graph: Graph;
  /** The same with the rows as its input `inputs_embeds`, float32. */
  readonly fromRows: Graph;
  /** The lookup alone, for exports that take `inputs_embeds`. */
  readonly lookup: Graph;
  /** The table in float32, `[V, D]`. */
  readonly table: Float32Array;
  readonly options: Required<Omit<ExportOptions, "bits">> & Pick<ExportOptions, "bits">;
  /** config.json. */
  readonly config: Record<string, unknown>;
}

const MICROSOFT = "com.microsoft";
const int = (value: number): Attribute => ({ int: value });

export function makeExport(given: ExportOptions = {}): TestExport {
  const options = {
    vocabulary: 97,
    hidden: 32,
    layers: 2,
    heads: 4,
    kvHeads: 2,
    headDim: 16,
    positions: 64,
    rotary: "attention",
    attention: "grouped",
    embedding: "gather",
    accuracy: 0,
    scale: 1,
    head: "own",
    packed: false,
    type: "float32",
    detours: false,
    seed: 1,
    ...given,
  } as const as TestExport["options"];
  const { vocabulary: V, hidden: D, heads: H, kvHeads: KV, headDim: d } = options;
  const whole = build(options, "ids"), rest = build(options, "rows");
  const config = {
    model_type: "test",
    hidden_size: D,
    num_hidden_layers: options.layers,
    num_attention_heads: H,
    num_key_value_heads: KV,
    head_dim: d,
    vocab_size: V,
    max_position_embeddings: options.positions,
  };
  return {
    graph: options.embedding === "embeds" ? rest.graph : whole.graph,
    fromRows: rest.graph,
    lookup: build(options, "lookup").graph,
    table: whole.table,
    options,
    config,
  };
}

function build(options: TestExport["options"], from: "ids" | "rows" | "lookup") {
  const { vocabulary: V, hidden: D, heads: H, kvHeads: KV, headDim: d, type, bits } = options;
  const nodes: Node[] = [], initializers: Initializer[] = [], known = new Set<string>();
  const inputs: ValueInfo[] = [], outputs: ValueInfo[] = [];
  let made = 0;
  const op = (
    name: string,
    ins: readonly string[],
    attributes: Node["attributes"] = {},
    domain: Node["domain"] = "",
    outs: readonly string[] = [`/v${made++}`],
  ): string => {
    nodes.push({ op: name, domain, inputs: ins, outputs: outs, attributes });
    return outs[0]!;
  };
  const constant = (name: string, kind: OnnxType, dims: readonly number[], data: Uint8Array) => {
    if (!known.has(name)) initializers.push({ name, type: kind, dims, data });
    known.add(name);
    return name;
  };
  const ints = (values: readonly number[], dims: readonly number[] = [values.length]) => {
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return constant(`i${dims.join("x")}_${values.join("_")}`, "int64", dims, data);
  };
  const encode = (values: Float32Array, kind: OnnxType) => {
    const array = kind === "float16" ? Float16Array.from(values) : values;
    return new Uint8Array(array.buffer as ArrayBuffer);
  };
  /** Random numbers that depend on the name and the seed alone. */
  const random = (name: string, length: number, size: number) => {
    let hash = options.seed;
    for (const c of name) hash = (Math.imul(hash, 31) + c.charCodeAt(0)) | 0;
    const next = randomNumbers(hash);
    return Float32Array.from({ length }, () => (next() * 2 - 1) * size);
  };
  const floats = (name: string, dims: readonly number[], size: number, add = 0) => {
    const values = random(name, dims.reduce((a, b) => a * b, 1), size).map((x) => x + add);
    return constant(name, type, dims, encode(values, type));
  };
  const integers = (name: string, dims: readonly number[]) => {
    const values = random(name, dims.reduce((a, b) => a * b, 1), 1);
    return constant(name, "uint8", dims, Uint8Array.from(values, (x) => Math.floor(x * 128 + 128)));
  };
  const linear = (x: string, name: string, N: number, K: number): string => {
    if (!bits) return op("MatMul", [x, floats(name, [K, N], 1 / Math.sqrt(K))]);
    const block = 16, blocks = Math.ceil(K / block);
    const B = integers(`${name}_quant`, [N, blocks, block * bits / 8]);
    const range = 2 ** (bits - 1);
    const scales = floats(
      `${name}_scales`,
      [N, blocks],
      0.2 / range / Math.sqrt(K),
      1 / range / Math.sqrt(K),
    );
    const attributes = {
      N: int(N),
      K: int(K),
      bits: int(bits),
      block_size: int(block),
      accuracy_level: int(options.accuracy),
    };
    return op("MatMulNBits", [x, B, scales], attributes, MICROSOFT);
  };
  const norm = (x: string, name: string, size: number) =>
    op("SimplifiedLayerNormalization", [x, floats(name, [size], 0.2, 1)], {
      epsilon: { float: 1e-6 },
      axis: int(-1),
      stash_type: int(1),
    });
  const input = (name: string, kind: OnnxType, dims: ValueInfo["dims"]) => {
    inputs.push({ name, type: kind, dims });
    return name;
  };
  const B = "batch_size", S = "sequence_length", P = "past_sequence_length", T = "total";

  // the embedding
  const TABLE = "model.embed_tokens.weight";
  let table = random(TABLE, V * D, 1), rows: string;
  if (type === "float16") table = Float32Array.from(Float16Array.from(table));
  const ids = from === "rows" ? "" : input("input_ids", "int64", [B, S]);
  let lookedUp = ids;
  if (ids && options.detours) {
    const shape = op("Shape", [ids]);
    const length = op("Gather", [shape, ints([1])]);
    const target = op("Concat", [ints([-1]), length], { axis: int(0) });
    lookedUp = op("Reshape", [op("Cast", [ids], { to: int(6) }), target]);
  }
  if (options.embedding === "blocks") {
    const block = 16, data = integers("model_embed_tokens_weight_quant", [V, D / 2]);
    const scales = floats("model_embed_tokens_weight_scales", [V, D / block], 0.05, 0.1);
    const codes = initializers.find(({ name }) => name === data)!.data as Uint8Array;
    const stored = random(scales, V * D / block, 0.05).map((x) => x + 0.1);
    const exact = type === "float16" ? Float32Array.from(Float16Array.from(stored)) : stored;
    table = Float32Array.from({ length: V * D }, (_, i) => {
      const code = (codes[i >> 1]! >> (i % 2 ? 4 : 0)) & 15;
      return (code - 8) * exact[Math.floor(i / block)]!;
    });
    if (from === "rows") initializers.splice(0), known.clear();
    else {
      rows = op("GatherBlockQuantized", [data, lookedUp, scales], {
        bits: int(4),
        block_size: int(block),
        gather_axis: int(0),
        quantize_axis: int(1),
      }, MICROSOFT);
    }
  } else if (options.embedding === "integers") {
    const data = integers("table_quantized", [V, D]), step = Math.fround(0.01);
    const codes = initializers.find(({ name }) => name === data)!.data as Uint8Array;
    table = Float32Array.from(codes, (code) => (code - 128) * step);
    if (from === "rows") initializers.splice(0), known.clear();
    else {
      const scale = constant(
        "table_scale",
        "float32",
        [],
        encode(Float32Array.of(step), "float32"),
      );
      const zero = constant("table_zero_point", "uint8", [], Uint8Array.of(128));
      rows = op("DequantizeLinear", [op("Gather", [data, lookedUp]), scale, zero]);
    }
  } else if (from !== "rows" || options.head === "tied") {
    constant(TABLE, type, [V, D], encode(table, type));
    if (from !== "rows") rows = op("Gather", [TABLE, lookedUp], { axis: int(0) });
  }
  const scaled = (x: string) => {
    if (options.scale === 1) return x;
    const factor = Float32Array.of(options.scale);
    return op("Mul", [x, constant("embed_scale", type, [], encode(factor, type))]);
  };
  if (from === "lookup") {
    const out = op("Identity", [scaled(rows!)], {}, "", ["inputs_embeds"]);
    outputs.push({ name: out, type, dims: [B, S, D] });
    return { graph: { nodes, initializers, inputs, outputs }, table };
  }
  if (from === "rows") rows = input("inputs_embeds", type, [B, S, D]);
  let x = from === "rows" && options.embedding === "embeds" ? rows! : scaled(rows!);

  // what attention needs
  const mask = input("attention_mask", "int64", [B, T]);
  const rotary = options.rotary, concatenated = options.attention === "concatenated";
  const positions = rotary === "nodes" || concatenated
    ? input("position_ids", "int64", [B, S])
    : "";
  const tables = ropeTables(options.positions, d, 1e4), half = [options.positions, d / 2];
  const cos = rotary === "none" ? "" : constant("cos_cache", type, half, encode(tables.cos, type));
  const sin = rotary === "none" ? "" : constant("sin_cache", type, half, encode(tables.sin, type));
  let last = "", total = "", bias = "";
  if (!concatenated) {
    const sum = op("ReduceSum", [mask, ints([1])], { keepdims: int(0) });
    last = op("Cast", [op("Sub", [sum, ints([1])])], { to: int(6) });
    total = op("Cast", [op("Gather", [op("Shape", [mask]), ints([1], [])])], { to: int(6) });
  } else {
    // causal by shape, padding by mask
    const zero = ints([0], []), one = ints([1], []);
    const S1 = op("Gather", [op("Shape", [x]), one]), T1 = op("Gather", [op("Shape", [mask]), one]);
    const past = op("Sub", [T1, S1]), keys = op("Range", [zero, T1, one]);
    const queries = op("Unsqueeze", [op("Add", [op("Range", [zero, S1, one]), past]), ints([1])]);
    const causal = op("LessOrEqual", [keys, queries]); // [S, T]
    const valid = op("Unsqueeze", [op("Cast", [mask], { to: int(9) }), ints([1, 2])]);
    const large = constant("large", type, [], encode(Float32Array.of(-1e4), type));
    const none = constant("none", type, [], encode(Float32Array.of(0), type));
    bias = op("Where", [op("And", [valid, causal]), none, large]); // [B, 1, S, T]
  }

  for (let layer = 0; layer < options.layers; layer++) {
    const name = (part: string) => `model.layers.${layer}.${part}.MatMul.weight`;
    const normed = norm(x, `model.layers.${layer}.input_layernorm.weight`, D);
    const past = (["key", "value"] as const).map((part) =>
      input(`past_key_values.${layer}.${part}`, type, [B, concatenated ? H : KV, P, d])
    );
    const present = ["key", "value"].map((part) => `present.${layer}.${part}`);
    for (const out of present) {
      outputs.push({ name: out, type, dims: [B, concatenated ? H : KV, T, d] });
    }
    let attended: string;
    if (concatenated) {
      const headsOf = (part: string) => {
        const y = op("Reshape", [linear(normed, name(part), H * d, D), ints([0, 0, H, d])]);
        return op("Einsum", [y], { equation: { text: "bshd->bhsd" } });
      };
      const rotate = (y: string) => {
        const at = (t: string) => op("Unsqueeze", [op("Gather", [t, positions]), ints([1])]);
        const c = at(cos), s = at(sin), h = d / 2;
        const part = (a: number, b: number) => op("Slice", [y, ints([a]), ints([b]), ints([3])]);
        const a = part(0, h), b = part(h, d);
        const left = op("Sub", [op("Mul", [a, c]), op("Mul", [b, s])]);
        const right = op("Add", [op("Mul", [b, c]), op("Mul", [a, s])]);
        return op("Concat", [left, right], { axis: int(3) });
      };
      const q = rotate(headsOf("q")), fresh = [rotate(headsOf("k")), headsOf("v")];
      const [k, v] = fresh.map((y, i) =>
        op("Concat", [past[i]!, y], { axis: int(2) }, "", [present[i]!])
      ) as [string, string];
      const root = constant("root", type, [], encode(Float32Array.of(1 / Math.sqrt(d)), type));
      const scores = op("Mul", [
        op("Einsum", [q, k], { equation: { text: "bhqd,bhkd->bhqk" } }),
        root,
      ]);
      const weights = op("Softmax", [op("Add", [scores, bias])], { axis: int(-1) });
      const mixed = op("Einsum", [weights, v], { equation: { text: "bhqk,bhkd->bqhd" } });
      attended = op("Reshape", [mixed, ints([0, 0, H * d])]);
    } else {
      const turn = (y: string) =>
        rotary === "nodes" ? op("RotaryEmbedding", [y, positions, cos, sin], {}, MICROSOFT) : y;
      const qkv = options.packed ? [linear(normed, name("qkv"), (H + 2 * KV) * d, D), "", ""] : [
        turn(linear(normed, name("q"), H * d, D)),
        turn(linear(normed, name("k"), KV * d, D)),
        linear(normed, name("v"), KV * d, D),
      ];
      const tables = rotary === "attention" ? [cos, sin] : [];
      attended = op(
        "GroupQueryAttention",
        [...qkv, ...past, last, total, ...tables],
        {
          num_heads: int(H),
          kv_num_heads: int(KV),
          do_rotary: int(rotary === "attention" ? 1 : 0),
          scale: { float: 1 / Math.sqrt(d) },
        },
        MICROSOFT,
        [`attention.${layer}`, ...present],
      );
    }
    x = op("Add", [x, linear(attended, name("o"), D, H * d)]);
    const second = norm(x, `model.layers.${layer}.post_attention_layernorm.weight`, D);
    const gate = linear(second, name("gate"), 48, D), up = linear(second, name("up"), 48, D);
    const product = op("Mul", [op("Mul", [gate, op("Sigmoid", [gate])]), up]);
    x = op("Add", [x, linear(product, name("down"), D, 48)]);
  }
  x = norm(x, "model.norm.weight", D);
  if (options.head === "last") {
    x = op("Unsqueeze", [op("Gather", [x, ints([-1], [])], { axis: int(1) }), ints([1])]);
  }
  let logits: string;
  if (options.head === "tied") {
    logits = op("MatMul", [x, op("Transpose", [TABLE])]);
  } else logits = linear(x, "lm_head.MatMul.weight", V, D);
  if (options.head === "softcap") {
    const cap = constant("cap", type, [], encode(Float32Array.of(3), type));
    logits = op("Mul", [op("Tanh", [op("Div", [logits, cap])]), cap]);
  }
  if (options.head === "added") { // no plain product at the end
    logits = op("Softmax", [op("Mul", [logits, logits])], { axis: int(-1) });
  }
  op("Identity", [logits], {}, "", ["logits"]);
  outputs.unshift({ name: "logits", type, dims: [B, options.head === "last" ? 1 : S, V] });
  return { graph: { nodes, initializers, inputs, outputs }, table };
}

/** Large constants moved into files, alternately; the graph refers to them. */
export function withExternalData(
  graph: Graph,
  names: readonly string[],
): { graph: Graph; files: Record<string, Uint8Array> } {
  const parts = names.map(() => [] as number[]);
  let turn = 0;
  const initializers = graph.initializers.map((value): Initializer => {
    if (!(value.data instanceof Uint8Array) || value.data.length < 512) return value;
    const index = turn++ % names.length, part = parts[index]!;
    while (part.length % 64) part.push(0);
    const offset = part.length;
    for (const byte of value.data) part.push(byte);
    return { ...value, data: { location: names[index]!, offset, length: value.data.length } };
  });
  const files = Object.fromEntries(names.map((name, i) => [name, Uint8Array.from(parts[i]!)]));
  return { graph: { ...graph, initializers }, files };
}

/** The export as files of a folder. */
export function exportFiles(
  { graph, lookup, config, options }: TestExport,
  { data = [], prefix = "onnx/", suffix = "" }: {
    readonly data?: readonly string[];
    readonly prefix?: string;
    readonly suffix?: string;
  } = {},
): Record<string, string | Uint8Array> {
  const { graph: written, files } = withExternalData(graph, data.length ? data : ["none"]);
  const inside = data.length === 0;
  return {
    "config.json": JSON.stringify(config),
    [`${prefix}model${suffix}.onnx`]: encodeGraph(inside ? graph : written),
    ...(inside
      ? {}
      : Object.fromEntries(Object.entries(files).map(([name, b]) => [`${prefix}${name}`, b]))),
    ...(options.embedding === "embeds"
      ? { [`${prefix}embed_tokens${suffix}.onnx`]: encodeGraph(lookup) }
      : {}),
  };
}
