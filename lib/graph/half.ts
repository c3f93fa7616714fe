/**
 * A decoder's graph with float16 activations, keys and values, from the one with float32.
 *
 * Every operator computes in one type. float16 is that of linear layers, attention, norms, activations
 * and the residual stream; float32 stays where numbers are few and rounding costs most: the mixture of
 * embeddings (a sum of products, rounded once), a router's product and softmax, and what bounds the
 * logits. Where the types meet stands one Cast for all who read the value.
 *
 * Weights stay in their files: float16 ones are used as they are, others by a Cast that is folded when
 * the session starts. float16 is exact to 2⁻¹¹ of a number from 6.1e-5 to 65,504. Scales of quantised
 * matrices mostly are such numbers already: those of GGUF's blocks of 32, and those made here of float16
 * and bfloat16 checkpoints. Rounding others cost a KL of 3e-6 (int8) and 5e-6 (int4).
 *
 * Measured on the CPU, SmolLM2-135M-Instruct, 128 tokens of prose and code, KL(float32 ‖ float16) in
 * nats, and largest difference of logits that reach 43:
 *
 * | weights     | float16       | `wide`        |
 * | ----------- | ------------- | ------------- |
 * | fp32        | 1.7e-5, 0.14  | 0.8e-5, 0.07  |
 * | int8        | 1.5e-5, 0.12  | 1.0e-5, 0.07  |
 * | int4        | 3.0e-5, 0.35  | 1.3e-5, 0.07  |
 * | GGUF, Q4_1  | 1.9e-5, 0.16  | 1.0e-5, 0.07  |
 *
 * @module
 */

import {
  castTo,
  type FileRange,
  type Graph,
  type Initializer,
  type Node,
  type TensorType,
  typeNamed,
  type ValueInfo,
} from "./onnx.ts";
import { PORTS } from "./ports.ts";

/** Options of {@linkcode halfPrecision}. */
export interface HalfOptions {
  /** Bytes of a constant in a file, such as a mapped one; it is asked for scales alone. */
  readonly read: (range: FileRange) => Uint8Array;
  /**
   * Whether the residual stream, its sums and its norms stay in float32, for models whose stream leaves
   * the range of float16, which ends at 65,504. What linear layers make must stay within it. Default:
   * false.
   */
  readonly wide?: boolean;
}

/** The types between which is chosen. */
type Float = "float32" | "float16";

const isFloat = (type: TensorType | undefined): type is Float =>
  type === "float32" || type === "float16";

const ATTENTION = "GroupQueryAttention", NORM = "SimplifiedLayerNormalization";

const PRODUCTS = new Set(["FusedMatMul", "MatMul", "MatMulNBits"]);

/** Operators that compute in float16 whatever goes in; others, where something in float16 goes in. */
const HALF = new Set([...PRODUCTS, ATTENTION, "RotaryEmbedding", `Skip${NORM}`]);

/** Operators between the head's product and bounded logits. */
const BOUNDING: readonly string[] = ["Div", "Mul", "Tanh"];

/** Among the inputs of the attention: the cache, and from which place on the scales of one in int8. */
const PAST = [3, 4], CACHE_SCALES = 12;
/** Among its outputs: the cache. */
const PRESENT = [1, 2];
/** Place of the scales among the inputs of MatMulNBits. */
const SCALES = 2;
/** Place of the sum among the outputs of a norm that adds first. */
const SUM = 3;

/** How the values of a graph come about. */
interface Facts {
  /** The nodes, but for those that compute constants. */
  readonly nodes: readonly Node[];
  readonly producers: ReadonlyMap<string, Node>;
  readonly initializers: ReadonlyMap<string, Initializer>;
  /** Initializers, and what is computed from them alone. */
  readonly constants: ReadonlySet<string>;
}

function factsOf({ nodes, initializers }: Graph): Facts {
  const constants = new Set(["", ...initializers.map(({ name }) => name)]);
  for (const { inputs, outputs } of nodes) {
    if (inputs.every((name) => constants.has(name))) outputs.forEach((name) => constants.add(name));
  }
  return {
    constants,
    nodes: nodes.filter(({ inputs }) => !inputs.every((name) => constants.has(name))),
    producers: new Map(
      nodes.flatMap((node) => node.outputs.filter((name) => name).map((name) => [name, node])),
    ),
    initializers: new Map(initializers.map((value) => [value.name, value])),
  };
}

const typeOfCast = ({ attributes }: Node): TensorType => typeNamed(attributes.to!.int)!;

/** The type of a constant. */
function constantType(facts: Facts, name: string): TensorType {
  const value = facts.initializers.get(name);
  if (value) return value.type;
  const node = facts.producers.get(name)!;
  return node.op === "Cast" ? typeOfCast(node) : constantType(facts, node.inputs[0]!);
}

/** Bytes as numbers, wherever they begin. */
function floatsOf({ buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
  return byteOffset % 4 === 0
    ? new Float32Array(buffer, byteOffset, byteLength / 4)
    : new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/**
 * Whether the scales of a quantised matrix can be float16: whether what they lose by it is at most 2⁻¹¹
 * of what they are, as roots of sums of squares. float16 loses that much of any number from 6.1e-5 to
 * 65,504, and more of others; a few small ones beside larger ones do no harm.
 *
 * @param scales Its scales.
 *
 * @example Scales of usual size, and those of a matrix that is nearly 0
 * ```ts
 * import { scalesFitHalf } from "@moi/moi/graph";
 * import { assertEquals } from "@std/assert";
 * assertEquals(scalesFitHalf(Float32Array.of(0.003, 1e-9, 0)), true);
 * assertEquals(scalesFitHalf(Float32Array.of(3e-7, 1e-9, 0)), false);
 * ```
 */
export function scalesFitHalf(scales: Float32Array): boolean {
  let lost = 0, all = 0;
  for (let i = 0; i < scales.length; i++) {
    const scale = scales[i]!;
    lost += (scale - Math.f16round(scale)) ** 2; // infinite beyond the range
    all += scale ** 2;
  }
  return lost <= all * 2 ** -22;
}

/** The mixture of embeddings: what the last operator makes that reads a mixture. */
function mixtureIn({ nodes }: Facts): string {
  const ports: readonly string[] = [PORTS.weights, PORTS.dense];
  return nodes.findLast(({ inputs }) => inputs.some((name) => ports.includes(name)))!.outputs[0]!;
}

/** Adds the node that makes a value, and all before it, as far as `goesOn`. */
function addBefore(
  found: Set<Node>,
  producers: Facts["producers"],
  value: string,
  goesOn: (node: Node) => boolean = () => true,
): void {
  const node = producers.get(value);
  if (!node || found.has(node) || !goesOn(node)) return;
  found.add(node);
  for (const input of node.inputs) addBefore(found, producers, input, goesOn);
}

/** What adds to the residual stream or reads it, and the norms of what is added. */
function streamNodes({ nodes, constants, producers }: Facts, mixture: string): readonly Node[] {
  const stream = new Set([mixture]), found: Node[] = [];
  for (const node of nodes) {
    const { op, inputs, outputs } = node;
    if (!inputs.some((name) => stream.has(name))) continue;
    const isScaled = op === "Mul" && inputs.some((name) => constants.has(name));
    if (op === "Add" || isScaled) stream.add(outputs[0]!);
    if (op === `Skip${NORM}`) stream.add(outputs[SUM]!);
    const added = inputs.flatMap((name) => producers.get(name) ?? []);
    found.push(node, ...added.filter(({ op }) => op === NORM));
  }
  return found;
}

/** The nodes that compute in float32. */
function exactNodes(facts: Facts, { read, wide = false }: HalfOptions): ReadonlySet<Node> {
  const { nodes, producers, initializers } = facts;
  const exact = new Set<Node>(), mixture = mixtureIn(facts);
  addBefore(exact, producers, mixture);
  addBefore(exact, producers, PORTS.logits, ({ op }) => BOUNDING.includes(op));
  if (wide) streamNodes(facts, mixture).forEach((node) => exact.add(node));
  const fits = ({ data }: Initializer) =>
    scalesFitHalf(floatsOf(data instanceof Uint8Array ? data : read(data)));
  for (const node of nodes) {
    const { op, inputs } = node;
    if (op === "Softmax") exact.add(node).add(producers.get(inputs[0]!)!); // a router
    const scales = op === "MatMulNBits" ? initializers.get(inputs[SCALES]!) : undefined;
    if (scales?.type !== "float32" || fits(scales)) continue;
    exact.add(node);
    // minima are as small as scales, and their product is what a sum adds
    const sum = nodes.find(({ op, inputs }) => op === "Add" && inputs.includes(node.outputs[0]!));
    const ofMinima = sum?.inputs.map((name) => producers.get(name));
    ofMinima?.forEach((other) => other && PRODUCTS.has(other.op) && exact.add(other));
  }
  return exact;
}

/** Hands out values in the types that nodes ask for, and collects the nodes and constants of it. */
function conversions(facts: Facts) {
  const { producers, initializers, constants } = facts;
  const nodes: Node[] = [], made = new Map<string, Initializer>(), emitted = new Set<string>();
  /** Types of the values that are no constants. */
  const types = new Map<string, TensorType | undefined>();

  const emit = (node: Node): string => {
    const name = node.outputs[0]!;
    if (!emitted.has(name)) nodes.push(node);
    emitted.add(name);
    return name;
  };
  const cast = (from: string, type: Float, to = `${from}#${type}`): string =>
    emit({ op: "Cast", domain: "", inputs: [from], outputs: [to], ...castTo(type) });
  /** A constant as the graph has it; "" is one that is left out. */
  const asItIs = (name: string): string => {
    const value = initializers.get(name), node = producers.get(name);
    if (value) made.set(name, value);
    if (!node) return name;
    node.inputs.forEach(asItIs);
    return emit(node);
  };
  /** A constant of floats as float16, without a detour. */
  const halved = (name: string): string => {
    if (constantType(facts, name) === "float16") return asItIs(name);
    const value = initializers.get(name), node = producers.get(name), half = `${name}#float16`;
    if (node?.op === "Cast") return halved(node.inputs[0]!);
    if (node?.op === "Transpose") {
      return emit({ ...node, inputs: [halved(node.inputs[0]!)], outputs: [half] });
    }
    if (!(value?.data instanceof Uint8Array)) return cast(asItIs(name), "float16");
    const { buffer } = Float16Array.from(floatsOf(value.data));
    made.set(half, { ...value, name: half, type: "float16", data: new Uint8Array(buffer) });
    return half;
  };
  /** What is float32 in the given graph, in a type; all else as it is. */
  const want = (name: string, type: Float): string => {
    if (constants.has(name)) {
      const isHalved = name !== "" && type === "float16" && constantType(facts, name) === "float32";
      return isHalved ? halved(name) : asItIs(name);
    }
    const own = types.get(name);
    return isFloat(own) && own !== type ? cast(name, type) : name;
  };
  return { nodes, made, types, emit, cast, want };
}

/** Type of a result of a node that computes in a type, and whose first input has a type. */
function resultType(node: Node, i: number, first: TensorType | undefined, type: Float) {
  const { op } = node;
  if (op === "Cast") return typeOfCast(node);
  if (op === "Equal") return "bool";
  const isCount = op === "Shape" || op === "Size" || (op === "TopK" && i === 1);
  return isCount ? "int64" : isFloat(first) ? type : first;
}

/** Names of the ports of the cache. */
function cacheOf({ nodes }: Graph): ReadonlySet<string> {
  const attention = nodes.filter(({ op }) => op === ATTENTION);
  return new Set(attention.flatMap(({ inputs, outputs }) => [
    ...PAST.map((i) => inputs[i]!),
    ...PRESENT.map((i) => outputs[i]!),
  ]));
}

/** The graph in which nodes compute in types of a choice, by the types of the values before. */
function retyped(
  graph: Graph,
  facts: Facts,
  computesIn: (node: Node, typeOf: (name: string) => TensorType | undefined) => Float,
): Graph {
  const { nodes, made, types, emit, cast, want } = conversions(facts), cache = cacheOf(graph);
  const { constants } = facts, typeOf = (name: string) => types.get(name);
  const narrow = (port: ValueInfo): ValueInfo =>
    cache.has(port.name) && port.type === "float32" ? { ...port, type: "float16" } : port;
  const inputs = graph.inputs.map(narrow), outputs = graph.outputs.map(narrow);
  const ports = new Map(outputs.map(({ name, type }) => [name, type]));
  for (const { name, type } of inputs) types.set(name, type);

  for (const node of facts.nodes) {
    const type = computesIn(node, typeOf), isAttention = node.op === ATTENTION;
    const from = node.op === "Cast"
      ? node.inputs
      : node.inputs.map((name, i) =>
        want(name, isAttention && i >= CACHE_SCALES ? "float32" : type)
      );
    const first = node.inputs[0]!;
    const firstType = constants.has(first) ? constantType(facts, first) : typeOf(first);
    const results = node.outputs.map((name, i) => {
      const isCached = cache.has(name);
      const result = isCached ? ports.get(name) : resultType(node, i, firstType, type);
      const isOther = !isCached && result === "float16" && ports.has(name);
      types.set(name, isOther ? "float32" : result);
      return isOther ? `${name}#float16` : name;
    });
    emit({ ...node, inputs: from, outputs: results });
    node.outputs.forEach((name, i) => {
      if (name !== results[i]) cast(results[i]!, "float32", name);
    });
  }
  return { ...graph, nodes, initializers: [...made.values()], inputs, outputs };
}

/**
 * A decoder's graph with float16 activations, keys and values. Mixtures go in and logits come out in
 * float32 as before; the ports of a cache in float32 become float16.
 *
 * A quantised matrix whose scales do not fit float16 ({@linkcode scalesFitHalf}) is multiplied in
 * float32. That weights and activations stay below 65,504 is not checked: beyond it logits are infinite
 * or NaN.
 *
 * @param graph The graph with float32 activations, as an architecture builds it.
 * @param options How scales are read, and whether the stream needs more range.
 *
 * @example A product in float16 between a mixture and logits
 * ```ts
 * import { graphBuilder, halfPrecision, PORTS } from "@moi/moi/graph";
 * import { assertEquals } from "@std/assert";
 * const b = graphBuilder();
 * const mixture = b.input(PORTS.weights, "float32", ["B", "S", 2]);
 * const table = b.floats("table", Float32Array.of(1, 2, 3, 4), [2, 2]);
 * const x = b.op("MatMul", [mixture, table], { outputs: ["x"] });
 * b.op("MatMul", [x, table], { outputs: [PORTS.logits] });
 * b.output(PORTS.logits, "float32", ["B", "S", 2]);
 * const read = () => new Uint8Array(); // no constant is in a file
 * const { nodes } = halfPrecision(b.graph(), { read });
 * assertEquals(nodes.map(({ op, inputs }) => [op, ...inputs]), [
 *   ["MatMul", PORTS.weights, "table"],
 *   ["Cast", "x"],
 *   ["MatMul", "x#float16", "table#float16"],
 *   ["Cast", `${PORTS.logits}#float16`],
 * ]);
 * ```
 */
export function halfPrecision(graph: Graph, options: HalfOptions): Graph {
  const facts = factsOf(graph), exact = exactNodes(facts, options);
  return retyped(graph, facts, (node, typeOf) => {
    if (exact.has(node)) return "float32";
    const isHalf = HALF.has(node.op) || node.inputs.some((name) => typeOf(name) === "float16");
    return isHalf ? "float16" : "float32";
  });
}

/**
 * A decoder's graph with float16 keys and values, half of their memory: attention computes in float16,
 * all else in float32 as before. On the CPU an operator with float32 queries and a float16 cache would
 * convert the whole cache in every run (attention 2 to 15 times as slow, measured). KL(float32 ‖ float16
 * keys and values) of SmolLM2-135M-Instruct is 1.5e-6 nats, where int8 ones have 0.0041.
 *
 * @param graph The graph with keys and values in float32.
 */
export function halfKv(graph: Graph): Graph {
  return retyped(graph, factsOf(graph), ({ op }) => op === ATTENTION ? "float16" : "float32");
}
