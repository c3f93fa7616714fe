/**
 * What is asked of a graph that others made: what a node reads, who makes a value, an order to run in.
 *
 * @module
 */

import { shown } from "../../_check.ts";
import type { Graph, Node, ValueInfo } from "../onnx.ts";

/** Refuses an export. */
export function fail(why: string): never {
  throw new SyntaxError(`Cannot cut the export at its embedding as ${why}`);
}

/** Refuses an export for a value. */
export function refuse(what: string, rule: string, value: unknown): never {
  fail(`${what} must ${rule}: current value is ${value}`);
}

/** The graphs within a node, as control flow has them. */
export const innerGraphs = ({ attributes }: Node): readonly Graph[] =>
  Object.values(attributes).flatMap(({ graphs = [] }) => graphs);

/** Names that the graphs within a node take from outside. */
export function captured(node: Node): string[] {
  return innerGraphs(node).flatMap((graph) => {
    const own = new Set([...namesGiven(graph), ...graph.nodes.flatMap(({ outputs }) => outputs)]);
    const used = [...graph.nodes.flatMap(reads), ...graph.outputs.map(({ name }) => name)];
    return used.filter((name) => !own.has(name));
  });
}

/** Names that a node reads, those that its inner graphs take from outside included. */
export function reads(node: Node): string[] {
  return [...node.inputs.filter((name) => name !== ""), ...captured(node)];
}

/** Values that no node makes. */
function namesGiven({ initializers, inputs }: Graph): string[] {
  return [...initializers, ...inputs].map(({ name }) => name);
}

/** Inputs that are no constants. */
export function openInputs({ initializers, inputs }: Graph): ValueInfo[] {
  const constants = new Set(initializers.map(({ name }) => name));
  return inputs.filter(({ name }) => !constants.has(name));
}

/** The nodes that make the values. */
export function producersOf(nodes: Iterable<Node>): Map<string, Node> {
  return new Map([...nodes].flatMap((node) => node.outputs.map((output) => [output, node])));
}

/** Nodes in an order in which they can run; fails on cycles, missing and doubled names. */
export function inOrder(graph: Graph): Node[] {
  const known = new Set(namesGiven(graph));
  for (const output of graph.nodes.flatMap(({ outputs }) => outputs)) {
    if (output === "") continue;
    if (known.has(output)) fail(`${shown(output)} is computed twice`);
    known.add(output);
  }
  const lost = graph.outputs.find(({ name }) => !known.has(name));
  if (lost) fail(`nothing gives the output ${shown(lost.name)}`);

  const producers = producersOf(graph.nodes);
  const waiting = new Map<Node, number>(), edges: { source: Node; node: Node }[] = [];
  for (const node of graph.nodes) {
    const sources = new Set<Node>();
    for (const name of reads(node)) {
      if (!known.has(name)) fail(`${node.op} needs ${shown(name)}, which nothing gives`);
      const producer = producers.get(name);
      if (producer) sources.add(producer);
    }
    waiting.set(node, sources.size);
    edges.push(...[...sources].map((source) => ({ source, node })));
  }
  const readers = Map.groupBy(edges, ({ source }) => source);
  const ready = graph.nodes.filter((node) => waiting.get(node) === 0);
  for (const node of ready) { // grows as it is walked
    for (const { node: next } of readers.get(node) ?? []) {
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

/** Leaves out what no output needs. */
export function trimmed(graph: Graph): Graph {
  const producers = producersOf(graph.nodes);
  const names = new Set(graph.outputs.map(({ name }) => name)), needed = new Set<Node>();
  for (const name of names) { // grows as it is walked
    const node = producers.get(name);
    if (!node || needed.has(node)) continue;
    needed.add(node);
    for (const read of reads(node)) names.add(read);
  }
  return {
    ...graph,
    nodes: graph.nodes.filter((node) => needed.has(node)),
    initializers: graph.initializers.filter(({ name }) => names.has(name)),
  };
}
