/**
 * An export as it is, run on a prompt: what the graph that is cut from it must equal.
 *
 * @module
 */

import { shown } from "../../_check.ts";
import { ELEMENT_TYPES } from "../../runtime/tensor.ts";
import { castTo, type OnnxModel, type OnnxType } from "../onnx.ts";
import { cacheTensors } from "./cache.ts";
import { ALL_LOGITS } from "./positions.ts";
import { fail, openInputs } from "./walk.ts";

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
export function reference(model: OnnxModel, prompt: readonly number[]): {
  readonly model: OnnxModel;
  readonly inputs: readonly ReferenceInput[];
  readonly output: string;
  readonly caches: readonly Omit<ReferenceInput, "values">[];
} {
  const { graph } = model, output = "moi/reference", S = prompt.length;
  const open = openInputs(graph);
  const tensors = cacheTensors({ inputs: open, outputs: graph.outputs });
  const feeds: Record<string, readonly [dims: readonly number[], values: readonly number[]]> = {
    input_ids: [[1, S], prompt],
    attention_mask: [[1, S], prompt.map(() => 1)],
    position_ids: [[1, S], prompt.map((_, i) => i)],
    past_seq_len: [[1, 1], [S - 1]],
    total_seq_len: [[1], [S]],
    ...Object.fromEntries(
      tensors.map(({ past, kvHeads, headDim }) => [past, [[1, kvHeads, 0, headDim], []]]),
    ),
  };
  const typeOf = (name: string): OnnxType => {
    const { type } = open.find((value) => value.name === name)!;
    if (type && Object.hasOwn(ELEMENT_TYPES, type)) return type as OnnxType;
    return fail(`its input ${shown(name)} has the type ${type}, which is not implemented`);
  };
  const inputs = open.map(({ name, dims }): ReferenceInput => {
    if (ALL_LOGITS.includes(name)) {
      return { name, type: typeOf(name), dims: dims?.length ? [1] : [], values: [0] };
    }
    const feed = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
    if (!feed) return fail(`its input ${shown(name)} is none that this version can supply`);
    return { name, type: typeOf(name), dims: feed[0], values: feed[1] };
  });
  // the outputs that GroupQueryAttention must not compute in the place of its empty past
  const presents = graph.outputs.filter(({ name }) =>
    tensors.some(({ present }) => present === name)
  );
  const cast = { op: "Cast", domain: "", inputs: ["logits"], outputs: [output] };
  const outputs = [{ name: output, type: "float32", dims: ["b", "s", "v"] } as const, ...presents];
  const nodes = [...graph.nodes, { name: output, ...cast, ...castTo("float32") }];
  return {
    model: { ...model, graph: { ...graph, nodes, outputs, shapes: [] } },
    inputs,
    output,
    caches: tensors.map(({ present, past, kvHeads, headDim }) => (
      { name: present, type: typeOf(past), dims: [1, kvHeads, S, headDim] }
    )),
  };
}
