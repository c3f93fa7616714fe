/**
 * Exports whose embedding is a graph of its own.
 *
 * @module
 */

import { shown } from "../../_check.ts";
import { castTo, type Graph, type OnnxModel, tensorBytes } from "../onnx.ts";
import { fail, innerGraphs, openInputs } from "./walk.ts";

/**
 * Joins an export that takes `inputs_embeds` to the graph that makes them from `input_ids`.
 *
 * @param embedding Graph of `embed_tokens.onnx`.
 * @param decoder Graph that takes `inputs_embeds`.
 * @returns One graph that takes `input_ids`.
 * @throws {SyntaxError} Where they do not fit.
 */
export function joinEmbedding(embedding: OnnxModel, decoder: OnnxModel): OnnxModel {
  const { graph } = embedding, target = decoder.graph;
  const into = target.inputs.find(({ name }) => name === "inputs_embeds");
  const [ids, ...others] = openInputs(graph);
  const [rows, ...more] = graph.outputs;
  if (!into || ids?.name !== "input_ids" || !rows || others.length + more.length > 0) {
    return fail(
      "the embedding must have one input 'input_ids' and one output: current values are " +
        shown([...graph.inputs, ...graph.outputs].map(({ name }) => name)),
    );
  }
  if (target.inputs.some(({ name }) => name === ids.name)) {
    fail("it has both 'input_ids' and 'inputs_embeds'");
  }
  if (graph.nodes.flatMap(innerGraphs).length > 0) fail("the embedding has control flow");
  const { nodes, initializers } = prefixed(graph, "embedding/", ids.name);
  const taken = new Set(target.initializers.map(({ name }) => name));
  const twice = initializers.find(({ name }) => taken.has(name));
  if (twice) fail(`it has a constant named ${shown(twice.name)} already`);
  const cast = {
    ...{ name: "moi/inputs_embeds", op: "Cast", domain: "", ...castTo(into.type ?? "float32") },
    ...{ inputs: [`embedding/${rows.name}`], outputs: [into.name] },
  };
  return {
    ...decoder,
    opsets: new Map([...embedding.opsets ?? [], ...decoder.opsets ?? []]),
    graph: {
      ...target,
      nodes: [...nodes, cast, ...target.nodes],
      initializers: [...target.initializers, ...initializers],
      inputs: [ids, ...target.inputs.filter((value) => value !== into)],
    },
  };
}

/** Nodes and constants of a graph under longer names, but for one value. */
function prefixed(
  graph: Graph,
  prefix: string,
  kept: string,
): Pick<Graph, "nodes" | "initializers"> {
  const own = (name: string) => name === "" || name === kept ? name : `${prefix}${name}`;
  const unread = graph.initializers.find((tensor) =>
    tensor.data instanceof Uint8Array && tensor.data.length !== tensorBytes(tensor)
  );
  if (unread) fail(`the constant ${shown(unread.name)} of the embedding has no raw data`);
  return {
    nodes: graph.nodes.map((node, i) => ({
      ...node,
      name: own(node.name || `${node.op}_${i}`),
      inputs: node.inputs.map(own),
      outputs: node.outputs.map(own),
    })),
    initializers: graph.initializers.map((tensor) => ({ ...tensor, name: own(tensor.name) })),
  };
}
