/**
 * ONNX exports of language models, cut at the embedding: the mixture becomes the input.
 *
 * The export's own embedding table, layers and head stay as they are, weights files included. What
 * is replaced is what surrounds them, so that the graph has the ports of {@linkcode PORTS}:
 *
 * - `Gather(E, input_ids)` becomes `Σ_k w_k · E[id_k]`, over the same table, quantised or not. What
 *   follows it, such as Gemma's factor √hidden, follows the mixture: both are linear.
 * - `position_ids` and `attention_mask` are computed from the slots' last positions.
 * - The cache. GroupQueryAttention appends in place, given the last positions instead of what the
 *   export derives from the mask; it computes in float32 here, also where the export's activations
 *   are float16. Other attention, which concatenates the past, is left alone: the valid part of
 *   a slot is its past, and what it appends is scattered back (one copy of the valid part a step).
 * - Logits of the rows that are asked for, before the head where the head is the last product.
 *
 * @module
 */

import { shown } from "../_check.ts";
import { type KvLayer, PORTS, SMALL_VOCABULARY } from "./decoder.ts";
import { type Attribute, ONNX_TYPE, type OnnxType } from "./onnx.ts";
import {
  newNode,
  newTensor,
  newValue,
  type ReadGraph,
  type ReadModel,
  type ReadNode,
  type ReadTensor,
  type ReadValue,
  tensorBytes,
} from "./onnx_reader.ts";

/** What an export turned out to be. */
export interface GraftFacts {
  /** Width of the embedding, D. */
  readonly hiddenSize: number;
  /** Width of the logits, V. */
  readonly vocabularySize: number;
  /** Query heads, where the graph says so. */
  readonly heads: number | undefined;
  /** Layers that have a cache, in order. */
  readonly kv: readonly KvLayer[];
  /** Positions of its rotary tables; Infinity where there are none. */
  readonly maxPositions: number;
  /** "in place": GroupQueryAttention on one buffer; "concatenated": the past is copied every step. */
  readonly cache: "in place" | "concatenated";
  /** Type of the export's cache and activations. */
  readonly activations: "float32" | "float16";
  /** Number format of the weights. */
  readonly dtype: "fp32" | "fp16" | "int8" | "int4";
  /** Whether activations are rounded to int8, so that rows of a batch may differ in the last digits. */
  readonly quantizedActivations: boolean;
  /** Whether some product scales the activations of all positions together. */
  readonly dynamicScales: boolean;
  /** Whether the export gives logits of the last position alone. */
  readonly lastLogitsOnly: boolean;
  /** Bytes of the constants in use. */
  readonly weightsBytes: number;
}

/** A graph whose input is the mixture. */
export interface Grafted {
  /** The graph. */
  readonly model: ReadModel;
  /** Its shape. */
  readonly facts: GraftFacts;
}

const MICROSOFT = "com.microsoft";
const MIN_OPSET = 13;
const MAX_HEADS = 1 << 16;
const { float32: FLOAT, float16: HALF, int64: INT64 } = ONNX_TYPE;

function fail(why: string): never {
  throw new SyntaxError(`Cannot cut the export at its embedding as ${why}`);
}

const int = (value: number): Attribute => ({ int: value });

/** Names that a node reads, those that its inner graphs take from outside included. */
function reads(node: ReadNode): string[] {
  const names = node.inputs.filter((name) => name !== "");
  for (const { graphs } of node.attributes.values()) {
    for (const inner of graphs) names.push(...captured(inner));
  }
  return names;
}

/** Names that an inner graph takes from outside. */
function captured(graph: ReadGraph): string[] {
  const own = new Set([
    ...graph.initializers.keys(),
    ...graph.inputs.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const used = [...graph.nodes.flatMap(reads), ...graph.outputs.map(({ name }) => name)];
  return used.filter((name) => !own.has(name));
}

/** Nodes in an order in which they can run; fails on cycles, missing and doubled names. */
function sorted(graph: ReadGraph): ReadNode[] {
  const producers = new Map<string, ReadNode>();
  const given = new Set([...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name)]);
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      if (output === "") continue;
      if (producers.has(output) || given.has(output)) fail(`${shown(output)} is computed twice`);
      producers.set(output, node);
    }
  }
  const waiting = new Map<ReadNode, number>(), consumers = new Map<ReadNode, ReadNode[]>();
  for (const node of graph.nodes) {
    const sources = new Set<ReadNode>();
    for (const name of reads(node)) {
      const producer = producers.get(name);
      if (producer) sources.add(producer);
      else if (!given.has(name)) fail(`${node.op} needs ${shown(name)}, which nothing gives`);
    }
    waiting.set(node, sources.size);
    for (const source of sources) {
      const list = consumers.get(source);
      if (list) list.push(node);
      else consumers.set(source, [node]);
    }
  }
  for (const { name } of graph.outputs) {
    if (!producers.has(name) && !given.has(name)) fail(`nothing gives the output ${shown(name)}`);
  }
  const ready = graph.nodes.filter((node) => waiting.get(node) === 0);
  for (let i = 0; i < ready.length; i++) {
    for (const next of consumers.get(ready[i]!) ?? []) {
      const left = waiting.get(next)! - 1;
      waiting.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  if (ready.length < graph.nodes.length) {
    const stuck = graph.nodes.find((node) => waiting.get(node)! > 0)!;
    fail(`its nodes form a cycle, which ${shown(stuck.outputs[0])} is part of or waits for`);
  }
  return ready;
}

/** Numbers that kernels trust: a contradiction would end the process or read past a weight's end. */
function checkKernels({ nodes, initializers }: ReadGraph): void {
  const reshaped = new Map(
    nodes.flatMap(({ op, inputs, outputs }) =>
      op === "Reshape" ? [[outputs[0]!, inputs[0] ?? ""] as const] : []
    ),
  );
  const constant = (name = "") =>
    initializers.get(name) ?? initializers.get(reshaped.get(name) ?? "");
  const whole = (node: ReadNode, name: string, fallback?: number) => {
    const value = node.attributes.get(name)?.int ?? fallback;
    if (value !== undefined && Number.isSafeInteger(value) && value > 0) return value;
    return fail(`'${name}' of ${node.op} must be a positive integer: current value is ${value}`);
  };
  const sized = (node: ReadNode, index: number, allowed: readonly number[]) => {
    const tensor = constant(node.inputs[index]);
    if (!tensor) return;
    if (allowed.includes(tensorBytes({ type: 2, dims: tensor.dims }))) return;
    fail(
      `${shown(tensor.name)} must have ${allowed.join(" or ")} elements for ${node.op}: ` +
        `current shape is [${tensor.dims}]`,
    );
  };
  for (const node of nodes) {
    if (node.domain !== MICROSOFT) continue;
    for (const { name, int: value = 0, ints } of node.attributes.values()) {
      // kernels keep them in 32 bits: a larger one would become another, such as 0 to divide by
      const large = [value, ...ints].find((number) => Math.abs(number) >= 2 ** 31);
      if (large !== undefined) {
        fail(`'${name}' of ${node.op} must fit into 32 bits: current value is ${large}`);
      }
    }
    if (node.op === "GroupQueryAttention") {
      const heads = whole(node, "num_heads"), kvHeads = whole(node, "kv_num_heads");
      if (heads % kvHeads !== 0 || heads > MAX_HEADS) {
        fail(
          `'num_heads' must be a multiple of ${kvHeads}, at most ${MAX_HEADS}: current value is ${heads}`,
        );
      }
    }
    if (node.op === "MatMulNBits") {
      const K = whole(node, "K"), N = whole(node, "N"), block = whole(node, "block_size");
      const bits = whole(node, "bits", 4), blocks = Math.ceil(K / block);
      sized(node, 1, [N * blocks * Math.ceil(block * bits / 8)]);
      sized(node, 2, [N * blocks]);
      sized(node, 3, [N * Math.ceil(blocks * bits / 8), N * blocks]);
      sized(node, 5, [N]);
    }
    if (node.op === "GatherBlockQuantized") {
      const data = initializers.get(node.inputs[0] ?? "");
      if (data?.dims.length !== 2 || !constant(node.inputs[2])) {
        fail("GatherBlockQuantized must have a constant table of two dimensions, and scales");
      }
      const UINT8 = 2, bits = whole(node, "bits", 4), block = whole(node, "block_size", 128);
      const width = data.dims[1]! * (data.type === UINT8 ? 8 / bits : 1);
      const blocks = Math.ceil(width / block), rows = data.dims[0]!;
      sized(node, 2, [rows * blocks]);
      sized(node, 3, [rows * blocks, rows * Math.ceil(blocks * bits / 8)]);
    }
  }
}

/** A graph under the knife. */
interface Surgery {
  readonly nodes: Set<ReadNode>;
  readonly initializers: Map<string, ReadTensor>;
  readonly inputs: readonly ReadValue[];
  /** Adds a node; returns the name of its first output. */
  op(
    op: string,
    inputs: readonly string[],
    options?: {
      attributes?: Readonly<Record<string, Attribute>>;
      outputs?: readonly string[];
      domain?: string;
    },
  ): string;
  /** A constant of int64. */
  integers(values: readonly number[], dims?: readonly number[]): string;
  /** A conversion, where one is needed. */
  cast(name: string, from: number, to: number): string;
  /** Replaces a node. */
  replace(node: ReadNode, changed: Partial<ReadNode>): ReadNode;
  /** Gives a value another name wherever it is made or read. */
  rename(from: string, to: string): void;
  /** The node that computes a value. */
  producer(name: string): ReadNode | undefined;
  /** Nodes that read a value. */
  consumers(name: string): ReadNode[];
  /** Integers of a constant, where it is one and small. */
  constant(name: string): readonly number[] | undefined;
  /** Whether a value depends on an input. */
  varies(name: string): boolean;
  /** Shape of a constant, also one that is cast or transposed. */
  shapeOf(name: string): readonly number[] | undefined;
  /** Element type of a value, as far as it can be told. */
  typeOf(name: string): number | undefined;
}

/** Operators whose result has the shape of their first input, or that of its transpose. */
const SAME_SHAPE = ["Cast", "Identity", "DequantizeLinear", "Transpose"];

function integersOf(tensor: ReadTensor | undefined): readonly number[] | undefined {
  if (!tensor) return undefined;
  const { type, place } = tensor;
  if (place.kind === "fields") return place.integers;
  if (place.kind !== "raw" || place.bytes.length > 1024) return undefined;
  const copy = place.bytes.slice().buffer;
  if (type === INT64) return Array.from(new BigInt64Array(copy), Number);
  if (type === ONNX_TYPE.int32) return Array.from(new Int32Array(copy));
  return undefined;
}

function operate(graph: ReadGraph): Surgery {
  const nodes = new Set(graph.nodes), initializers = new Map(graph.initializers);
  const producers = new Map<string, ReadNode>(), users = new Map<string, Set<ReadNode>>();
  const isInput = new Set(
    graph.inputs.map(({ name }) => name).filter((name) => !initializers.has(name)),
  );
  const add = (node: ReadNode) => {
    nodes.add(node);
    for (const output of node.outputs) producers.set(output, node);
    for (const name of reads(node)) {
      const known = users.get(name);
      if (known) known.add(node);
      else users.set(name, new Set([node]));
    }
  };
  const remove = (node: ReadNode) => {
    nodes.delete(node);
    for (const output of node.outputs) {
      if (producers.get(output) === node) producers.delete(output);
    }
    for (const name of reads(node)) users.get(name)?.delete(node);
  };
  for (const node of graph.nodes) add(node);
  let made = 0;
  const varying = new Map<string, boolean>();

  const s: Surgery = {
    nodes,
    initializers,
    inputs: graph.inputs.filter(({ name }) => isInput.has(name)),
    op(op, inputs, { attributes = {}, outputs, domain = "" } = {}) {
      const id = `moi/${op}_${made++}`;
      const outs = outputs ?? [id];
      add(newNode(id, { op, domain, inputs, outputs: outs, attributes }));
      return outs[0]!;
    },
    integers(values, dims = [values.length]) {
      const name = `moi/i${dims.join("x")}_${values.join("_")}`;
      if (!initializers.has(name)) {
        const data = BigInt64Array.from(values, BigInt);
        const place = { kind: "raw", bytes: new Uint8Array(data.buffer) } as const;
        initializers.set(name, newTensor(name, INT64, dims, place));
      }
      return name;
    },
    cast: (name, from, to) =>
      from === to ? name : s.op("Cast", [name], { attributes: { to: int(to) } }),
    replace(node, changed) {
      const next = { ...node, ...changed };
      remove(node);
      add(next);
      return next;
    },
    rename(from, to) {
      if (from === to) return;
      if (producers.has(to) || initializers.has(to) || users.get(to)?.size) {
        fail(`it has a value named ${shown(to)} already`);
      }
      const swap = (names: readonly string[]) => names.map((name) => name === from ? to : name);
      const touched = new Set([...(users.get(from) ?? []), ...[producers.get(from) ?? []].flat()]);
      for (const node of touched) {
        for (const { graphs } of node.attributes.values()) {
          if (graphs.some((inner) => captured(inner).includes(from))) {
            fail(`${shown(from)} is used within control flow`);
          }
        }
        s.replace(node, { inputs: swap(node.inputs), outputs: swap(node.outputs) });
      }
    },
    producer: (name) => producers.get(name),
    consumers: (name) => [...(users.get(name) ?? [])],
    constant(name) {
      const tensor = initializers.get(name);
      if (tensor) return integersOf(tensor);
      const node = producers.get(name);
      if (node?.op !== "Constant") return undefined;
      const { value, value_int: one, value_ints: many } = Object.fromEntries(node.attributes);
      return many?.ints ?? (one?.int === undefined ? integersOf(value?.tensor) : [one.int]);
    },
    varies(name) {
      const stack = [name];
      while (stack.length > 0) { // the graph has no cycles, but may be deep
        const current = stack.at(-1)!;
        if (varying.has(current)) {
          stack.pop();
          continue;
        }
        const node = producers.get(current);
        if (!node) {
          varying.set(current, isInput.has(current));
          continue;
        }
        const sources = reads(node), open = sources.filter((source) => !varying.has(source));
        if (open.length > 0) stack.push(...open);
        else varying.set(current, sources.some((source) => varying.get(source)));
      }
      return varying.get(name)!;
    },
    shapeOf(name) {
      let turned = false;
      for (let hops = 0; hops < 16; hops++) {
        const node = producers.get(name);
        const dims = (initializers.get(name) ?? node?.attributes.get("value")?.tensor)?.dims;
        if (dims) return turned ? dims.toReversed() : dims;
        if (!node || !SAME_SHAPE.includes(node.op)) return undefined;
        if (node.op === "Transpose") turned = !turned;
        name = node.inputs[0] ?? "";
      }
      return undefined;
    },
    typeOf(name) {
      for (let hops = 0; hops < 64; hops++) {
        const tensor = initializers.get(name);
        if (tensor) return tensor.type;
        const input = graph.inputs.find((value) => value.name === name);
        if (input) return input.type;
        const node = producers.get(name);
        if (!node) return undefined;
        if (node.op === "Cast") return node.attributes.get("to")?.int;
        if (node.op === "Constant") return node.attributes.get("value")?.tensor?.type;
        const index = { DequantizeLinear: 1, GatherBlockQuantized: 2 }[node.op] ?? 0;
        name = node.inputs[index] ?? "";
      }
      return undefined;
    },
  };
  return s;
}

/** Numbers that the rest of the surgery uses, as names of tensors. */
interface Scalars {
  /** Shape [B, S], int64. */
  readonly batchAndSequence: string;
  /** B and S, each int64 [1]. */
  readonly batch: string;
  readonly sequence: string;
  /** Position of every input, int64 [B, S]. */
  readonly positions: string;
  /** Position of each slot's first input, int64 [B, 1]. */
  readonly first: string;
  /** Positions before the run of the longest slot, int64 [1]: `length − S`. */
  readonly past: string;
  /** `length`, int64 [1]. */
  readonly total: string;
}

function scalars(s: Surgery): Scalars {
  const shape = s.op("Shape", [PORTS.weights]);
  const part = (...indices: number[]) => s.op("Gather", [shape, s.integers(indices)]);
  const sequence = part(1), one = s.integers([1]), scalar = s.integers([], [0]);
  const to64 = { attributes: { to: int(INT64) } };
  const last = s.op("Cast", [PORTS.lastPosition], to64);
  const column = s.op("Reshape", [last, s.integers([-1, 1])]); // [B, 1]
  const first = s.op("Sub", [column, s.op("Sub", [sequence, one])]);
  const offsets = s.op("Range", [
    s.integers([0], []),
    s.op("Reshape", [sequence, scalar]),
    s.integers([1], []),
  ]); // [S]
  const total = s.op("Cast", [PORTS.length], to64);
  return {
    batchAndSequence: part(0, 1),
    batch: part(0),
    sequence,
    positions: s.op("Add", [first, offsets]),
    first,
    past: s.op("Sub", [total, sequence]),
    total,
  };
}

/** Cuts the embedding out; returns the widths of its table and whether mixtures are rows over it. */
function cutEmbedding(
  s: Surgery,
  ids: ReadValue,
  positions: string,
): {
  rows: number;
  hiddenSize: number;
  dense: (vocabularySize: number) => boolean;
  finish: (vocabularySize: number) => void;
} {
  // the ids themselves, reshaped or cast: all of shape [B, S]
  const aliases = new Set([ids.name]), lookups = new Set<ReadNode>(), shapes = new Set<ReadNode>();
  for (const alias of aliases) {
    for (const node of s.consumers(alias)) {
      const direct = node.inputs[0] === alias;
      if (node.op === "Shape" || node.op === "Size") shapes.add(node);
      else if (["Cast", "Reshape", "Identity"].includes(node.op) && direct) {
        aliases.add(node.outputs[0]!);
      } else if (
        ["Gather", "GatherBlockQuantized"].includes(node.op) && node.inputs[1] === alias &&
        !s.varies(node.inputs[0]!)
      ) lookups.add(node);
      else {
        const within = node.inputs.includes(alias) ? "" : " within control flow";
        fail(
          `'${ids.name}' is also used by ${node.op}${within} (${
            shown(node.outputs[0])
          }), where no mixture can stand for it`,
        );
      }
    }
  }
  const [lookup, ...others] = lookups;
  if (!lookup || others.length > 0) {
    fail(`'${ids.name}' must be looked up in one table: current number is ${lookups.size}`);
  }
  const axis = lookup.attributes.get("axis")?.int ?? 0;
  const gatherAxis = lookup.attributes.get("gather_axis")?.int ?? 0;
  if (axis !== 0 || gatherAxis !== 0) fail("the embedding must be a lookup of rows");
  // a table of plain integers is scaled after the lookup
  let end = lookup;
  const next = s.consumers(lookup.outputs[0]!);
  if (next.length === 1 && next[0]!.op === "DequantizeLinear") {
    end = next[0]!;
    const scale = s.shapeOf(end.inputs[1] ?? "");
    if (end.inputs[0] !== lookup.outputs[0] || scale?.length !== 0 && scale?.join() !== "1") {
      fail("a table of integers must have one scale");
    }
  }
  const shape = s.shapeOf(lookup.inputs[0]!);
  if (shape?.length !== 2) fail("the embedding table must be a constant of two dimensions");
  const [rows, stored] = shape as [number, number];
  const UINT8 = 2, bits = lookup.attributes.get("bits")?.int ?? 4;
  const packed = lookup.op === "GatherBlockQuantized" &&
    s.typeOf(lookup.inputs[0]!) === UINT8;
  const hiddenSize = packed ? stored * 8 / bits : stored;
  const name = end.outputs[0]!, type = s.typeOf(name);
  if (type !== FLOAT && type !== HALF) {
    fail(`the embedding must be float32 or float16: current type is number ${type}`);
  }
  for (const node of shapes) {
    s.replace(node, { inputs: node.inputs.map((input) => aliases.has(input) ? positions : input) });
  }
  /** Rows of the table in float32. */
  const lookUp = (indices: string): string => {
    const copy = (node: ReadNode, inputs: readonly string[]): string =>
      s.op(node.op, inputs, {
        domain: node.domain,
        attributes: Object.fromEntries(
          [...node.attributes].flatMap(([key, value]) =>
            value.int === undefined ? [] : [[key, int(value.int)]]
          ),
        ),
      });
    const found = copy(lookup, [lookup.inputs[0]!, indices, ...lookup.inputs.slice(2)]);
    const scaled = end === lookup ? found : copy(end, [found, ...end.inputs.slice(1)]);
    return s.cast(scaled, type, FLOAT);
  };
  // the runtime fuses a product with a table of integers into one that rounds the weights to int8
  const dense = (vocabularySize: number) =>
    vocabularySize <= SMALL_VOCABULARY && vocabularySize === rows && end === lookup;
  return {
    rows,
    hiddenSize,
    dense,
    finish(vocabularySize) {
      let mixed: string;
      if (dense(vocabularySize)) {
        const plain = lookup.op === "Gather";
        const all = s.integers(Array.from({ length: rows }, (_, id) => id));
        const table = plain ? s.cast(lookup.inputs[0]!, type, FLOAT) : lookUp(all); // [V, D]
        mixed = s.op("MatMul", [PORTS.weights, table]); // [B, S, D]
      } else {
        const gathered = lookUp(PORTS.ids); // [B, S, K, D]
        const weights = s.op("Reshape", [PORTS.weights, s.integers([0, 0, 1, -1])]);
        mixed = s.op("MatMul", [weights, gathered]); // [B, S, 1, D]
        mixed = s.op("Reshape", [mixed, s.integers([0, 0, hiddenSize])]);
      }
      s.replace(end, { outputs: ["moi/unused"] });
      s.op("Cast", [mixed], { attributes: { to: int(type) }, outputs: [name] });
    },
  };
}

const PAST = /^past(?:_key_values)?[._](\d{1,4})[._](key|value)$/;
const PRESENT = /^present(?:_key_values)?[._](\d{1,4})[._](key|value)$/;

/** A layer's cache tensors by their names in the export. */
interface CacheNames {
  readonly layer: number;
  readonly part: "key" | "value";
  readonly past: ReadValue;
  readonly present: string;
}

function cacheNames(inputs: readonly ReadValue[], outputs: readonly ReadValue[]): CacheNames[] {
  const key = (match: RegExpExecArray) => `${Number(match[1])}.${match[2]}`;
  const presents = new Map<string, string>();
  for (const { name } of outputs) {
    const match = PRESENT.exec(name);
    if (match) presents.set(key(match), name);
  }
  const found = inputs.flatMap((past): CacheNames[] => {
    const match = PAST.exec(past.name);
    if (!match) return [];
    const present = presents.get(key(match));
    if (!present) fail(`${shown(past.name)} has no output that continues it`);
    const part = match[2] as "key" | "value";
    return [{ layer: Number(match[1]), part, past, present }];
  });
  if (found.length === 0) {
    fail(
      "it has no cache: inputs named 'past_key_values.0.key' and so on, with outputs " +
        "'present.0.key', are needed (export with past)",
    );
  }
  return found.toSorted((a, b) => a.layer - b.layer || a.part.localeCompare(b.part));
}

/** Shape of a layer's cache. */
function cacheShape({ past }: CacheNames): { kvHeads: number; headDim: number } {
  const { name, dims } = past,
    valid = (size: unknown): size is number =>
      Number.isInteger(size) && size as number > 0 && size as number < 1 << 16;
  const kvHeads = dims?.[1], headDim = dims?.[3];
  if (dims?.length !== 4 || !valid(kvHeads) || !valid(headDim)) {
    fail(`${shown(name)} must have a shape [batch, heads, length, width]: current is [${dims}]`);
  }
  return { kvHeads, headDim };
}

/** GroupQueryAttention on one buffer, told its positions directly. */
function rewireAttention(
  s: Surgery,
  attentions: readonly ReadNode[],
  names: readonly CacheNames[],
  activations: number,
  n: Scalars,
): void {
  const byPast = new Map(names.map((value) => [value.past.name, value]));
  const used = new Set<CacheNames>();
  for (const attention of attentions) {
    const whole = (name: string) => attention.attributes.get(name)?.int ?? 0;
    const text = (name: string) => attention.attributes.get(name)?.text ?? "NONE";
    if (whole("sliding_window_cache") !== 0) fail("its cache holds a window only");
    if (text("k_quant_type") !== "NONE" || text("v_quant_type") !== "NONE") {
      fail("its cache is quantised, which is not implemented; export with a float cache");
    }
    const caches = [3, 4].map((index) => byPast.get(attention.inputs[index] ?? ""));
    const [key, value] = caches;
    const { outputs } = attention;
    if (
      key?.part !== "key" || value?.part !== "value" || outputs[1] !== key.present ||
      outputs[2] !== value.present || used.has(key) || used.has(value)
    ) fail("a GroupQueryAttention must have the graph's own inputs and outputs as its cache");
    used.add(key).add(value);
    const { kvHeads } = cacheShape(key);
    if (whole("kv_num_heads") !== kvHeads) {
      fail(
        `'kv_num_heads' must be ${kvHeads}, as the cache has: current value is ${
          whole("kv_num_heads")
        }`,
      );
    }
    const inputs = [...attention.inputs];
    inputs[3] = PORTS.past(key.layer, "key");
    inputs[4] = PORTS.past(value.layer, "value");
    inputs[5] = PORTS.lastPosition;
    inputs[6] = PORTS.length;
    if (inputs.length > 9) inputs[9] = ""; // positions follow from the last one
    const results = [
      outputs[0]!,
      PORTS.present(key.layer, "key"),
      PORTS.present(value.layer, "value"),
      ...outputs.slice(3),
    ];
    if (activations !== FLOAT) {
      const OF_ACTIVATIONS = [0, 1, 2, 7, 8, 10, 11, 14, 15];
      for (const index of OF_ACTIVATIONS) {
        if (inputs[index]) inputs[index] = s.cast(inputs[index], activations, FLOAT);
      }
      const wide = results[0]!;
      results[0] = `moi/${wide}`;
      s.replace(attention, { inputs, outputs: results });
      s.op("Cast", [results[0]], { attributes: { to: int(activations) }, outputs: [wide] });
    } else {
      s.replace(attention, { inputs, outputs: results });
    }
    for (const { present, layer, part } of [key, value]) {
      for (const node of s.consumers(present)) {
        const input = PORTS.present(layer, part);
        if (present !== input) fail(`${shown(present)} is also used by ${node.op}`);
      }
    }
  }
  const unused = names.find((value) => !used.has(value));
  if (unused) fail(`no GroupQueryAttention uses ${shown(unused.past.name)}`);
  for (const { past, layer, part } of names) { // such as positions from the length of the past
    if (s.consumers(past.name).length > 0) validPast(s, PORTS.past(layer, part), past, n);
  }
}

/** The valid part of a slot under the name that the export has for the past. */
function validPast(s: Surgery, port: string, past: ReadValue, n: Scalars): void {
  const valid = s.op("Slice", [port, s.integers([0]), n.past, s.integers([2])]);
  s.op("Cast", [valid], { attributes: { to: int(past.type) }, outputs: [past.name] });
}

/** Any other attention: the valid part of a slot is its past, what it appends is scattered back. */
function rewireConcatenation(
  s: Surgery,
  names: readonly CacheNames[],
  activations: number,
  n: Scalars,
): void {
  const axis = s.integers([2]), one = s.integers([1]);
  const indices = new Map<number, string>();
  const indicesOf = (heads: number): string => {
    const known = indices.get(heads);
    if (known) return known;
    const counted = (size: string, dims: readonly number[]) => {
      const scalar = s.op("Reshape", [size, s.integers([], [0])]);
      const range = s.op("Range", [s.integers([0], []), scalar, s.integers([1], [])]);
      return s.op("Reshape", [range, s.integers(dims)]);
    };
    const full = s.op("Concat", [n.batch, s.integers([heads]), n.sequence, one], {
      attributes: { axis: int(0) },
    });
    const places = s.op("Concat", [n.batch, one, n.sequence, one], {
      attributes: { axis: int(0) },
    });
    const parts = [
      counted(n.batch, [-1, 1, 1, 1]),
      counted(s.integers([heads]), [1, -1, 1, 1]),
      s.op("Reshape", [n.positions, places]),
    ].map((part) => s.op("Expand", [part, full]));
    const made = s.op("Concat", parts, { attributes: { axis: int(3) } }); // [B, heads, S, 3]
    indices.set(heads, made);
    return made;
  };
  for (const cache of names) {
    const { past, present, layer, part } = cache, { kvHeads } = cacheShape(cache);
    const port = PORTS.past(layer, part), result = PORTS.present(layer, part);
    const appended = `moi/${present}`;
    s.rename(present, appended);
    validPast(s, port, past, n);
    const fresh = s.op("Slice", [appended, n.past, n.total, axis]); // [B, heads, S, width]
    const updates = s.cast(fresh, activations, FLOAT);
    s.op("ScatterND", [port, indicesOf(kvHeads), updates], { outputs: [result] });
  }
}

/** The head's part of the graph: what goes in, and how wide its result is. */
interface Head {
  readonly node: ReadNode;
  readonly width: number | undefined;
  readonly inputSize: number | undefined;
}

const PRODUCTS = ["MatMul", "FusedMatMul", "MatMulNBits", "Gemm"];

function findHead(s: Surgery, logits: string): Head | undefined {
  let name = logits;
  for (let hops = 0; hops < 16; hops++) {
    const node = s.producer(name);
    if (!node) return undefined;
    if (PRODUCTS.includes(node.op)) {
      if (!s.varies(node.inputs[0]!) || s.varies(node.inputs[1]!)) return undefined;
      if ((node.attributes.get("transA")?.int ?? 0) !== 0) return undefined;
      const shape = s.shapeOf(node.inputs[1]!);
      const turned = (node.attributes.get("transB")?.int ?? 0) !== 0;
      const [first, second] = shape?.length === 2 ? shape as [number, number] : [];
      if (node.op === "MatMulNBits") {
        const { N, K } = Object.fromEntries(node.attributes);
        return { node, width: N?.int, inputSize: K?.int };
      }
      return { node, width: turned ? first : second, inputSize: turned ? second : first };
    }
    if (!["Cast", "Identity", "Tanh", "Mul", "Div", "Add", "Sub"].includes(node.op)) {
      return undefined;
    }
    const [moving, ...more] = node.inputs.filter((input) => s.varies(input));
    if (moving === undefined || more.length > 0) return undefined;
    name = moving;
  }
  return undefined;
}

/** Undoes a choice of the last position: the hidden states of all positions. */
function beforePruning(s: Surgery, hidden: string): string | undefined {
  let node = s.producer(hidden);
  if (node && ["Unsqueeze", "Reshape"].includes(node.op)) node = s.producer(node.inputs[0]!);
  if (!node || node.inputs.length < 2) return undefined;
  const index = s.constant(node.inputs[1]!);
  const last = index?.length === 1 && index[0] === -1;
  if (node.op === "Gather" && last && node.attributes.get("axis")?.int === 1) return node.inputs[0];
  if (node.op === "Slice" && last && s.constant(node.inputs[3] ?? "")?.join() === "1") {
    return node.inputs[0];
  }
  return undefined;
}

/** Logits of the rows that are asked for; returns their width. */
function pickRows(
  s: Surgery,
  logits: ReadValue,
  hiddenSize: number,
): { vocabularySize: number; lastLogitsOnly: boolean } {
  const all = "moi/all_logits";
  s.rename(logits.name, all);
  const head = findHead(s, all), declared = logits.dims?.at(-1);
  const vocabularySize = typeof declared === "number" && declared > 0 ? declared : head?.width;
  if (!vocabularySize) fail("the width of the logits cannot be told");
  if (head?.width !== undefined && head.width !== vocabularySize) {
    fail(`the logits must have the head's width ${head.width}: current value is ${vocabularySize}`);
  }
  const pick = (name: string, width: number) => {
    const flat = s.op("Reshape", [name, s.integers([-1, width])]);
    return s.op("Gather", [flat, PORTS.rows], { attributes: { axis: int(0) } });
  };
  let unpruned: string | undefined, result = all;
  if (head) {
    const [hidden, ...rest] = head.node.inputs as [string, ...string[]];
    unpruned = beforePruning(s, hidden);
    const picked = pick(unpruned ?? hidden, head.inputSize ?? hiddenSize);
    s.replace(head.node, { inputs: [picked, ...rest] });
    result = s.op("Reshape", [all, s.integers([-1, vocabularySize])]);
  }
  const lastLogitsOnly = logits.dims?.length === 3 && logits.dims[1] === 1 ||
    unpruned !== undefined;
  if (lastLogitsOnly && unpruned === undefined) {
    fail("its logits are those of the last position alone, in a form that cannot be undone");
  }
  if (!head) result = pick(all, vocabularySize);
  s.op("Cast", [result], { attributes: { to: int(FLOAT) }, outputs: [PORTS.logits] });
  return { vocabularySize, lastLogitsOnly };
}

/** Positions that rotary tables have: the fewest of any node's. */
function rotaryPositions(s: Surgery): number {
  let fewest = Infinity;
  for (const { op, domain, inputs } of s.nodes) {
    const index = op === "GroupQueryAttention" ? 7 : op === "RotaryEmbedding" ? 2 : -1;
    if (index < 0) continue;
    const table = inputs[domain === MICROSOFT ? index : 1];
    const rows = table ? s.shapeOf(table)?.[0] : undefined;
    if (rows !== undefined) fewest = Math.min(fewest, rows);
  }
  return fewest;
}

function numberFormat(nodes: Iterable<ReadNode>, activations: number) {
  let four = false, eight = false, rounded = false, dynamic = false;
  for (const { op, attributes } of nodes) {
    if (op === "MatMulNBits") {
      const bits = attributes.get("bits")?.int ?? 4, LEVEL_INT8 = 4;
      if (bits !== 4 && bits !== 8) {
        fail(`MatMulNBits must have 4 or 8 bits: current value is ${bits}`);
      }
      if (bits === 4) four = true;
      else eight = true;
      if (attributes.get("accuracy_level")?.int === LEVEL_INT8) rounded = true;
    }
    if (/^(DynamicQuantize|MatMulInteger|QLinear|QMoE)/.test(op)) {
      eight = dynamic = rounded = true;
    }
  }
  const dtype = four ? "int4" : eight ? "int8" : activations === HALF ? "fp16" : "fp32";
  return { dtype, quantizedActivations: rounded, dynamicScales: dynamic } as const;
}

/**
 * Cuts an export at its embedding.
 *
 * @param model The export: `input_ids`, `past_key_values.*` in, `logits`, `present.*` out, and
 * where it has them `attention_mask` and `position_ids`. One that takes `inputs_embeds` is joined to
 * its embedding by {@linkcode joinEmbedding} first.
 * @returns The graph with the ports of a decoder that is built here, and its shape.
 * @throws {SyntaxError} Where the graph is malformed, or of a kind that cannot be cut.
 */
export function graft(model: ReadModel): Grafted {
  const { graph, opsets } = model, opset = opsets.get("") ?? 0;
  sorted(graph); // before anything walks it
  checkKernels(graph);
  if (opset < MIN_OPSET) {
    fail(`its operator set must be at least ${MIN_OPSET}: current value is ${opset}`);
  }
  const s = operate(graph), find = (name: string) => s.inputs.find((value) => value.name === name);
  const ids = find("input_ids");
  if (!ids) {
    fail(
      `it must have the input 'input_ids': inputs are ${shown(s.inputs.map(({ name }) => name))}`,
    );
  }
  const logits = graph.outputs.find(({ name }) => name === "logits");
  if (!logits) {
    fail(
      `it must have the output 'logits': outputs are ${
        shown(graph.outputs.map(({ name }) => name))
      }`,
    );
  }
  const names = cacheNames(s.inputs, graph.outputs), cacheType = names[0]!.past.type;
  if (
    cacheType !== FLOAT && cacheType !== HALF || names.some(({ past }) => past.type !== cacheType)
  ) {
    fail(
      `its cache must be float32 or float16 throughout: current types are numbers ${[
        ...new Set(names.map(({ past }) => past.type)),
      ]}`,
    );
  }
  const layers = [...new Set(names.map(({ layer }) => layer))];
  const kv = layers.map((layer): KvLayer => {
    const own = names.filter((value) => value.layer === layer), [key, value] = own;
    if (own.length !== 2 || key!.part !== "key" || value!.part !== "value") {
      fail(`layer ${layer} must have one cache of keys and one of values`);
    }
    const shape = cacheShape(key!), other = cacheShape(value!);
    if (shape.kvHeads !== other.kvHeads || shape.headDim !== other.headDim) {
      fail(`keys and values of layer ${layer} must have the same shape`);
    }
    return { layer, ...shape };
  });

  const attentions = [...s.nodes].filter(({ op }) => op === "GroupQueryAttention");
  const heads = attentions[0]?.attributes.get("num_heads")?.int;
  const maxPositions = rotaryPositions(s);
  const embedding = cutEmbedding(s, ids, "position_ids");
  const picked = pickRows(s, logits, embedding.hiddenSize);
  const { vocabularySize } = picked;
  if (embedding.rows < vocabularySize) {
    fail(`its embedding has ${embedding.rows} rows for ${vocabularySize} logits`);
  }
  embedding.finish(vocabularySize);

  const n = scalars(s), inPlace = attentions.length > 0;
  if (inPlace) rewireAttention(s, attentions, names, cacheType, n);
  else rewireConcatenation(s, names, cacheType, n);
  const positionIds = find("position_ids"), mask = find("attention_mask");
  if (positionIds?.dims && positionIds.dims.length !== 2) {
    fail(`'position_ids' must have two dimensions: current shape is [${positionIds.dims}]`);
  }
  const positionType = positionIds?.type || INT64;
  s.op("Cast", [n.positions], {
    attributes: { to: int(positionType) },
    outputs: ["position_ids"],
  });
  const scalar = s.integers([], [0]);
  const columns = s.op("Range", [
    s.integers([0], []),
    s.op("Reshape", [n.total, scalar]),
    s.integers([1], []),
  ]); // [length]
  const end = s.op("Add", [n.first, n.sequence]); // [B, 1]
  const valid = inPlace
    ? s.op("Less", [columns, end]) // slot b has the positions before its end
    // the valid part of the past, then what is new: a shorter slot has a gap between them
    : s.op("Or", [
      s.op("Less", [columns, n.first]),
      s.op("Not", [s.op("Less", [columns, n.past])]),
    ]);
  s.op("Cast", [valid], {
    attributes: { to: int(mask?.type || INT64) },
    outputs: ["attention_mask"],
  });
  for (const name of ["num_logits_to_keep", "logits_to_keep"]) { // 0: all of them
    const value = find(name);
    if (!value) continue;
    const dims = value.dims?.length ? [1] : [];
    const data = new Uint8Array(8);
    s.initializers.set(name, newTensor(name, INT64, dims, { kind: "raw", bytes: data }));
  }

  const dense = embedding.dense(vocabularySize);
  const cacheDims = (layer: KvLayer) => ["B", layer.kvHeads, "L", layer.headDim] as const;
  const parts = ["key", "value"] as const;
  const inputs: ReadValue[] = [
    ...(dense ? [] : [newValue(PORTS.ids, "int32", ["B", "S", "K"])]),
    newValue(PORTS.weights, "float32", ["B", "S", dense ? vocabularySize : "K"]),
    newValue(PORTS.lastPosition, "int32", ["B"]),
    newValue(PORTS.length, "int32", [1]),
    newValue(PORTS.rows, "int64", ["R"]),
    ...kv.flatMap((layer) =>
      parts.map((part) => newValue(PORTS.past(layer.layer, part), "float32", cacheDims(layer)))
    ),
  ];
  const outputs: ReadValue[] = [
    newValue(PORTS.logits, "float32", ["R", vocabularySize]),
    ...kv.flatMap((layer) =>
      parts.map((part) => newValue(PORTS.present(layer.layer, part), "float32", cacheDims(layer)))
    ),
  ];
  const taken = new Set(inputs.map(({ name }) => name));
  for (const node of s.nodes) {
    const clash = node.outputs.find((name) => taken.has(name));
    if (clash) fail(`it has a value named ${shown(clash)} already`);
  }
  const cut = trim({
    ...graph,
    nodes: [...s.nodes],
    initializers: s.initializers,
    inputs,
    outputs,
    shapes: [],
  }, s);
  const weightsBytes = [...cut.initializers.values()]
    .reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  const newOpsets = new Map(opsets);
  if (!newOpsets.has(MICROSOFT)) newOpsets.set(MICROSOFT, 1);
  return {
    model: { ...model, opsets: newOpsets, graph: cut },
    facts: {
      hiddenSize: embedding.hiddenSize,
      vocabularySize,
      heads,
      kv,
      maxPositions,
      cache: inPlace ? "in place" : "concatenated",
      activations: cacheType === HALF ? "float16" : "float32",
      ...numberFormat(cut.nodes, cacheType),
      lastLogitsOnly: picked.lastLogitsOnly,
      weightsBytes,
    },
  };
}

/** Leaves out what no output needs; fails where an input would be missing. */
function trim(graph: ReadGraph, { inputs }: { readonly inputs: readonly ReadValue[] }): ReadGraph {
  const producers = new Map<string, ReadNode>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) producers.set(output, node);
  }
  const needed = new Set<ReadNode>(), names = new Set<string>();
  const stack = graph.outputs.map(({ name }) => name);
  while (stack.length > 0) {
    const name = stack.pop()!;
    if (names.has(name)) continue;
    names.add(name);
    const node = producers.get(name);
    if (!node || needed.has(node)) continue;
    needed.add(node);
    stack.push(...reads(node));
  }
  const have = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
  for (const { name } of inputs) {
    if (!names.has(name) || have.has(name) || producers.has(name)) continue;
    fail(`its input ${shown(name)} is none that this version can supply`);
  }
  const trimmed = {
    ...graph,
    nodes: graph.nodes.filter((node) => needed.has(node)),
    initializers: new Map([...graph.initializers].filter(([name]) => names.has(name))),
  };
  return { ...trimmed, nodes: sorted(trimmed) };
}

/**
 * Joins an export that takes `inputs_embeds` to the graph that makes them from `input_ids`.
 *
 * @param embedding Graph of `embed_tokens.onnx`.
 * @param decoder Graph that takes `inputs_embeds`.
 * @returns One graph that takes `input_ids`.
 * @throws {SyntaxError} Where they do not fit.
 */
export function joinEmbedding(embedding: ReadModel, decoder: ReadModel): ReadModel {
  const { graph } = embedding, target = decoder.graph;
  const into = target.inputs.find(({ name }) => name === "inputs_embeds");
  const ids = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  if (!into || ids.length !== 1 || ids[0]!.name !== "input_ids" || graph.outputs.length !== 1) {
    fail(
      "the embedding must have one input 'input_ids' and one output: current values are " +
        shown([...graph.inputs, ...graph.outputs].map(({ name }) => name)),
    );
  }
  if (target.inputs.some(({ name }) => name === "input_ids")) {
    fail("it has both 'input_ids' and 'inputs_embeds'");
  }
  const own = (name: string) => name === "" || name === "input_ids" ? name : `embedding/${name}`;
  if (graph.nodes.some(({ attributes }) => [...attributes.values()].some((a) => a.graphs.length))) {
    fail("the embedding has control flow");
  }
  const nodes = graph.nodes.map((node): ReadNode => ({
    ...node,
    inputs: node.inputs.map(own),
    outputs: node.outputs.map(own),
    rest: [], // its name, which may be taken
  }));
  const initializers = new Map(target.initializers);
  for (const [name, tensor] of graph.initializers) {
    const renamed = own(name), { type, dims, place } = tensor;
    if (initializers.has(renamed)) fail(`it has a constant named ${shown(renamed)} already`);
    if (place.kind === "fields") {
      fail(`the constant ${shown(name)} of the embedding has no raw data`);
    }
    initializers.set(renamed, newTensor(renamed, type, dims, place));
  }
  nodes.push(newNode("moi/inputs_embeds", {
    op: "Cast",
    inputs: [own(graph.outputs[0]!.name)],
    outputs: ["inputs_embeds"],
    attributes: { to: int(into.type) },
  }));
  return {
    ...decoder,
    opsets: new Map([...embedding.opsets, ...decoder.opsets]),
    graph: {
      ...target,
      nodes: [...nodes, ...target.nodes],
      initializers,
      inputs: [ids[0]!, ...target.inputs.filter(({ name }) => name !== "inputs_embeds")],
    },
  };
}

/** Element types by number, as far as a session's inputs can have them. */
const INPUT_TYPES: Readonly<Record<number, OnnxType>> = Object.fromEntries(
  Object.entries(ONNX_TYPE).map(([name, number]) => [number, name as OnnxType]),
);

/** An input that the export itself needs, for {@linkcode reference}. */
export interface ReferenceInput {
  /** Name. */
  readonly name: string;
  /** Element type. */
  readonly type: OnnxType;
  /** Shape for a prompt. */
  readonly dims: readonly number[];
  /** Elements; empty for a cache of length 0. */
  readonly values: readonly number[];
}

/**
 * The export as it is, with its logits in float32, what it takes for a prompt, and its caches after it.
 *
 * @param model The export, with `input_ids`.
 * @param prompt Token ids.
 * @throws {SyntaxError} Where it takes something unknown.
 */
export function reference(
  model: ReadModel,
  prompt: readonly number[],
): {
  readonly model: ReadModel;
  readonly inputs: readonly ReferenceInput[];
  readonly output: string;
  readonly caches: readonly Omit<ReferenceInput, "values">[];
} {
  const { graph } = model, output = "moi/reference", S = prompt.length;
  const feeds: Record<string, readonly [dims: readonly number[], values: readonly number[]]> = {
    input_ids: [[1, S], prompt],
    attention_mask: [[1, S], prompt.map(() => 1)],
    position_ids: [[1, S], prompt.map((_, i) => i)],
    past_seq_len: [[1, 1], [S - 1]],
    total_seq_len: [[1], [S]],
  };
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const fed = inputs.map((value): ReferenceInput => {
    const { name, type: number, dims } = value, type = INPUT_TYPES[number];
    if (!type) fail(`its input ${shown(name)} has the type ${number}, which is not implemented`);
    if (PAST.test(name)) {
      return { name, type, dims: [1, dims![1] as number, 0, dims![3] as number], values: [] };
    }
    if (["num_logits_to_keep", "logits_to_keep"].includes(name)) {
      return { name, type, dims: dims?.length ? [1] : [], values: [0] };
    }
    const feed = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
    if (!feed) fail(`its input ${shown(name)} is none that this version can supply`);
    return { name, type, dims: feed[0], values: feed[1] };
  });
  // the outputs that GroupQueryAttention must not compute in the place of its empty past
  const pairs = cacheNames(inputs, graph.outputs);
  const presents = graph.outputs.filter(({ name }) =>
    pairs.some(({ present }) => present === name)
  );
  const cast = newNode("moi/reference", {
    op: "Cast",
    inputs: ["logits"],
    outputs: [output],
    attributes: { to: int(FLOAT) },
  });
  return {
    model: {
      ...model,
      graph: {
        ...graph,
        nodes: [...graph.nodes, cast],
        outputs: [newValue(output, "float32", ["b", "s", "v"]), ...presents],
        shapes: [],
      },
    },
    inputs: fed,
    output,
    caches: presents.map(({ name }) => {
      const { past } = pairs.find(({ present }) => present === name)!;
      const { type, dims: [batch, heads, , width] } = fed.find((input) =>
        input.name === past.name
      )!;
      return { name, type, dims: [batch!, heads!, S, width!] };
    }),
  };
}
