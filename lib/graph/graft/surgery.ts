/**
 * A graph under the knife: questions about its values, and edits.
 *
 * @module
 */

import { shown } from "../../_check.ts";
import { integerConstant, type OpOptions } from "../builder.ts";
import {
  castTo,
  type Graph,
  type Initializer,
  type Node,
  tensorBytes,
  type TensorType,
  typeNamed,
} from "../onnx.ts";
import { captured, fail, inOrder, openInputs, producersOf, reads, trimmed } from "./walk.ts";

/** Operators whose result has the shape of their first input, or that of its transpose. */
const SAME_SHAPE = ["Cast", "Identity", "DequantizeLinear", "Transpose"];
/** Nodes that a value is followed back through at most. */
const MAX_HOPS = 64;
/** Bytes of a constant whose integers are asked for. */
const MAX_INTEGERS = 1024;

/** A graph under the knife: see {@linkcode operate}. */
export type Surgery = ReturnType<typeof operate>;

/** Starts editing a graph; refuses one whose nodes cannot run. */
export function operate(graph: Graph) {
  const nodes = new Set<Node>(), producers = producersOf(graph.nodes);
  const users = new Map<string, Set<Node>>();
  const initializers = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const inputs = openInputs(graph);
  /** Whether values depend on an input: a node's follow from what it reads. */
  const varying = new Map(inputs.map(({ name }) => [name, true]));
  let made = 0;

  /** An input that is no constant. */
  const input = (name: string) => inputs.find((value) => value.name === name);
  /** The node that computes a value. */
  const producer = (name: string) => producers.get(name);
  /** Nodes that read a value. */
  const consumers = (name: string) => [...(users.get(name) ?? [])];
  /** The constant of a name, also one that a node gives. */
  const tensorOf = (name: string): Initializer | undefined => {
    const node = producers.get(name);
    const given = node?.op === "Constant" ? node.attributes.value?.tensor : undefined;
    return initializers.get(name) ?? given;
  };

  /** Whether a value depends on an input. */
  const varies = (name: string): boolean => varying.get(name) ?? false;

  /** Follows a value back, as long as `through` names an input of its node to go on with. */
  const follow = (name: string, through: (node: Node) => string | undefined): string => {
    for (let hops = 0; hops < MAX_HOPS; hops++) {
      const node = producers.get(name), before = node && through(node);
      if (before === undefined) break;
      name = before;
    }
    return name;
  };

  /** Integers of a constant, where it is one and small. */
  const integersOf = (name: string): readonly number[] | undefined => {
    const { value_int: one, value_ints: many } = producers.get(name)?.attributes ?? {};
    const tensor = tensorOf(name);
    if (!tensor) return many?.ints ?? (one?.int === undefined ? undefined : [one.int]);
    const { type, data } = tensor;
    if (!(data instanceof Uint8Array) || data.length > MAX_INTEGERS) return undefined;
    if (data.length !== tensorBytes(tensor)) return undefined;
    const { buffer } = data.slice();
    if (type === "int64") return Array.from(new BigInt64Array(buffer), Number);
    return type === "int32" ? Array.from(new Int32Array(buffer)) : undefined;
  };

  /** Shape of a constant, also one that is cast or transposed. */
  const shapeOf = (name: string): readonly number[] | undefined => {
    let turned = false;
    const source = follow(name, ({ op, inputs }) => {
      if (!SAME_SHAPE.includes(op)) return undefined;
      turned = turned !== (op === "Transpose");
      return inputs[0];
    });
    const dims = tensorOf(source)?.dims;
    return dims && turned ? dims.toReversed() : dims;
  };

  /** Element type of a value, as far as it can be told. */
  const typeOf = (name: string): TensorType | undefined => {
    const source = follow(name, ({ op, inputs }) => {
      if (op === "Cast" || op === "Constant") return undefined;
      return inputs[{ DequantizeLinear: 1, GatherBlockQuantized: 2 }[op] ?? 0];
    });
    const known = tensorOf(source) ?? graph.inputs.find((value) => value.name === source);
    return known ? known.type : typeNamed(producers.get(source)?.attributes.to?.int);
  };

  const add = (node: Node) => {
    nodes.add(node);
    const read = reads(node), isVarying = read.some(varies);
    for (const output of node.outputs) {
      producers.set(output, node);
      varying.set(output, isVarying);
    }
    for (const name of read) {
      const known = users.get(name);
      if (known) known.add(node);
      else users.set(name, new Set([node]));
    }
  };

  /** Adds a node; returns the name of its first output. */
  const op = (op: string, inputs: readonly string[], options: OpOptions = {}): string => {
    const { attributes = {}, domain = "", outputs } = options, name = `moi/${op}_${made++}`;
    add({ name, op, domain, inputs, outputs: outputs ?? [name], attributes });
    return outputs?.[0] ?? name;
  };

  /** Adds a constant. */
  const constant = (tensor: Initializer): string => {
    if (!initializers.has(tensor.name)) initializers.set(tensor.name, tensor);
    return tensor.name;
  };
  /** Adds a constant of int64. */
  const integers = (values: readonly number[], dims?: readonly number[]) =>
    constant(integerConstant(values, dims, "moi/"));
  /** Adds the numbers 0 … size − 1, int64, of a size that is computed. */
  const upTo = (size: string): string => {
    const end = op("Reshape", [size, integers([], [0])]);
    return op("Range", [integers([0], []), end, integers([1], [])]);
  };

  /** Adds a conversion, where one is needed. */
  const cast = (name: string, from: TensorType, to: TensorType): string =>
    from === to ? name : op("Cast", [name], castTo(to));
  /** Gives a value in some type the name that others read it by. */
  const give = (name: string, value: string, type: TensorType): void => {
    op("Cast", [value], { ...castTo(type), outputs: [name] });
  };

  /** Replaces a node. */
  const replace = (node: Node, changed: Partial<Node>): void => {
    nodes.delete(node);
    for (const output of node.outputs) {
      if (producers.get(output) === node) producers.delete(output);
    }
    for (const name of reads(node)) users.get(name)?.delete(node);
    add({ ...node, ...changed });
  };

  /** Gives a value another name wherever it is made or read. */
  const rename = (from: string, to: string): void => {
    if (from === to) return;
    if (producers.has(to) || initializers.has(to) || users.get(to)?.size) {
      fail(`it has a value named ${shown(to)} already`);
    }
    const swap = (names: readonly string[]) => names.map((name) => name === from ? to : name);
    for (const node of new Set([producer(from), ...consumers(from)])) {
      if (!node) continue;
      if (captured(node).includes(from)) fail(`${shown(from)} is used within control flow`);
      replace(node, { inputs: swap(node.inputs), outputs: swap(node.outputs) });
    }
  };

  /** The graph with other inputs and outputs, and only what these need. */
  const close = (ports: Pick<Graph, "inputs" | "outputs">): Graph => {
    const given = new Set(ports.inputs.map(({ name }) => name));
    const clash = [...nodes].flatMap(({ outputs }) => outputs).find((name) => given.has(name));
    if (clash) fail(`it has a value named ${shown(clash)} already`);
    const parts = { nodes: [...nodes], initializers: [...initializers.values()], shapes: [] };
    const cut = trimmed({ ...graph, ...parts, ...ports });
    const needed = new Set(cut.nodes.flatMap(reads));
    const lost = inputs.find(({ name }) =>
      needed.has(name) && !given.has(name) && !initializers.has(name) && !producers.has(name)
    );
    if (lost) fail(`its input ${shown(lost.name)} is none that this version can supply`);
    return { ...cut, nodes: inOrder(cut) };
  };

  for (const node of inOrder(graph)) add(node);
  return {
    ...{ graph, nodes: nodes as ReadonlySet<Node>, inputs, input, producer, consumers },
    ...{ varies, follow, integersOf, shapeOf, typeOf },
    ...{ op, constant, integers, upTo, cast, give, replace, rename, close },
  };
}
