/**
 * A graph under the knife: questions about its values, and edits.
 *
 * @module
 */

import { shown } from "../../_check.ts";
import { integerConstant, type OpOptions } from "../builder.ts";
import {
  type Graph,
  type Initializer,
  type Node,
  tensorBytes,
  type TensorType,
  typeNamed,
  typeNumber,
  type ValueInfo,
} from "../onnx.ts";
import { captured, fail, inOrder, producersOf, reads, trimmed } from "./walk.ts";

/** A graph under the knife. */
export interface Surgery {
  /** The graph as it was. */
  readonly graph: Graph;
  /** Nodes. */
  readonly nodes: ReadonlySet<Node>;
  /** Inputs that are no constants. */
  readonly inputs: readonly ValueInfo[];
  /** One of them. */
  input(name: string): ValueInfo | undefined;
  /** Adds a node; returns the name of its first output. */
  op(op: string, inputs: readonly string[], options?: OpOptions): string;
  /** Adds a constant. */
  constant(tensor: Initializer): string;
  /** Adds a constant of int64. */
  integers(values: readonly number[], dims?: readonly number[]): string;
  /** Adds the numbers 0 … size − 1, int64, of a size that is computed. */
  upTo(size: string): string;
  /** Adds a conversion, where one is needed. */
  cast(name: string, from: TensorType, to: TensorType): string;
  /** Gives a value in some type the name that others read it by. */
  give(name: string, value: string, type: TensorType): void;
  /** Replaces a node. */
  replace(node: Node, changed: Partial<Node>): void;
  /** Gives a value another name wherever it is made or read. */
  rename(from: string, to: string): void;
  /** The node that computes a value. */
  producer(name: string): Node | undefined;
  /** Nodes that read a value. */
  consumers(name: string): Node[];
  /** Whether a value depends on an input. */
  varies(name: string): boolean;
  /** Follows a value back, as long as `through` names an input of its node to go on with. */
  follow(name: string, through: (node: Node) => string | undefined): string;
  /** Integers of a constant, where it is one and small. */
  integersOf(name: string): readonly number[] | undefined;
  /** Shape of a constant, also one that is cast or transposed. */
  shapeOf(name: string): readonly number[] | undefined;
  /** Element type of a value, as far as it can be told. */
  typeOf(name: string): TensorType | undefined;
  /** The graph with other inputs and outputs, and only what these need. */
  close(inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): Graph;
}

/** Operators whose result has the shape of their first input, or that of its transpose. */
const SAME_SHAPE = ["Cast", "Identity", "DequantizeLinear", "Transpose"];
/** Nodes that a value is followed back through at most. */
const MAX_HOPS = 64;
/** Bytes of a constant whose integers are asked for. */
const MAX_INTEGERS = 1024;

/** Starts editing a graph whose order has been checked. */
export function operate(graph: Graph): Surgery {
  const nodes = new Set<Node>(), producers = producersOf(graph.nodes);
  const users = new Map<string, Set<Node>>();
  const initializers = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const inputs = graph.inputs.filter(({ name }) => !initializers.has(name));
  const add = (node: Node) => {
    nodes.add(node);
    for (const output of node.outputs) producers.set(output, node);
    for (const name of reads(node)) {
      const known = users.get(name);
      if (known) known.add(node);
      else users.set(name, new Set([node]));
    }
  };
  for (const node of graph.nodes) add(node);
  /** Whether values depend on an input, as far as it is known. */
  const varying = new Map([
    ...[...initializers.keys()].map((name) => [name, false] as const),
    ...inputs.map(({ name }) => [name, true] as const),
  ]);
  const tensorOf = (name: string): Initializer | undefined => {
    const node = producers.get(name);
    return initializers.get(name) ??
      (node?.op === "Constant" ? node.attributes.value?.tensor : undefined);
  };
  let made = 0;

  const s: Surgery = {
    graph,
    nodes,
    inputs,
    input: (name) => inputs.find((value) => value.name === name),
    op(op, inputs, { attributes = {}, outputs, domain = "" } = {}) {
      const name = `moi/${op}_${made++}`, outs = outputs ?? [name];
      add({ name, op, domain, inputs, outputs: outs, attributes });
      return outs[0]!;
    },
    constant(tensor) {
      if (!initializers.has(tensor.name)) initializers.set(tensor.name, tensor);
      return tensor.name;
    },
    integers: (values, dims) => s.constant(integerConstant(values, dims, "moi/")),
    upTo(size) {
      const end = s.op("Reshape", [size, s.integers([], [0])]);
      return s.op("Range", [s.integers([0], []), end, s.integers([1], [])]);
    },
    cast: (name, from, to) =>
      from === to ? name : s.op("Cast", [name], { attributes: { to: { int: typeNumber(to) } } }),
    give(name, value, type) {
      s.op("Cast", [value], { attributes: { to: { int: typeNumber(type) } }, outputs: [name] });
    },
    replace(node, changed) {
      nodes.delete(node);
      for (const output of node.outputs) {
        if (producers.get(output) === node) producers.delete(output);
      }
      for (const name of reads(node)) users.get(name)?.delete(node);
      add({ ...node, ...changed });
    },
    rename(from, to) {
      if (from === to) return;
      if (producers.has(to) || initializers.has(to) || users.get(to)?.size) {
        fail(`it has a value named ${shown(to)} already`);
      }
      const swap = (names: readonly string[]) => names.map((name) => name === from ? to : name);
      const maker = producers.get(from);
      for (const node of new Set([...s.consumers(from), ...maker ? [maker] : []])) {
        if (captured(node).includes(from)) fail(`${shown(from)} is used within control flow`);
        s.replace(node, { inputs: swap(node.inputs), outputs: swap(node.outputs) });
      }
    },
    producer: (name) => producers.get(name),
    consumers: (name) => [...(users.get(name) ?? [])],
    varies(name) {
      const stack = [name];
      while (stack.length > 0) { // the graph has no cycles, but may be deep
        const current = stack.at(-1)!, node = producers.get(current);
        const sources = varying.has(current) || !node ? [] : reads(node);
        const open = sources.filter((source) => !varying.has(source));
        stack.push(...open);
        if (open.length > 0) continue;
        if (!varying.has(current)) {
          varying.set(current, sources.some((source) => varying.get(source)));
        }
        stack.pop();
      }
      return varying.get(name)!;
    },
    follow(name, through) {
      for (let hops = 0; hops < MAX_HOPS; hops++) {
        const node = producers.get(name), before = node && through(node);
        if (before === undefined) break;
        name = before;
      }
      return name;
    },
    integersOf(name) {
      const { value_int: one, value_ints: many } = producers.get(name)?.attributes ?? {};
      const tensor = tensorOf(name);
      if (!tensor) return many?.ints ?? (one?.int === undefined ? undefined : [one.int]);
      const { type, data } = tensor;
      if (!(data instanceof Uint8Array) || data.length > MAX_INTEGERS) return undefined;
      if (data.length !== tensorBytes(tensor)) return undefined;
      const { buffer } = data.slice();
      if (type === "int64") return Array.from(new BigInt64Array(buffer), Number);
      return type === "int32" ? Array.from(new Int32Array(buffer)) : undefined;
    },
    shapeOf(name) {
      let turned = false;
      const source = s.follow(name, ({ op, inputs }) => {
        if (!SAME_SHAPE.includes(op)) return undefined;
        turned = turned !== (op === "Transpose");
        return inputs[0];
      });
      const dims = tensorOf(source)?.dims;
      return dims && turned ? dims.toReversed() : dims;
    },
    typeOf(name) {
      const source = s.follow(name, ({ op, inputs }) => {
        if (op === "Cast" || op === "Constant") return undefined;
        return inputs[{ DequantizeLinear: 1, GatherBlockQuantized: 2 }[op] ?? 0];
      });
      const known = tensorOf(source) ?? graph.inputs.find((value) => value.name === source);
      return known ? known.type : typeNamed(producers.get(source)?.attributes.to?.int);
    },
    close(inputs, outputs) {
      const given = new Set(inputs.map(({ name }) => name));
      const clash = [...nodes].flatMap(({ outputs }) => outputs).find((name) => given.has(name));
      if (clash) fail(`it has a value named ${shown(clash)} already`);
      const cut = trimmed({
        ...graph,
        ...{ nodes: [...nodes], initializers: [...initializers.values()], inputs, outputs },
        shapes: [],
      });
      const needed = new Set(cut.nodes.flatMap(reads));
      const lost = s.inputs.find(({ name }) =>
        needed.has(name) && !given.has(name) && !initializers.has(name) && !producers.has(name)
      );
      if (lost) fail(`its input ${shown(lost.name)} is none that this version can supply`);
      return { ...cut, nodes: inOrder(cut) };
    },
  };
  return s;
}
