/**
 * `Gather(E, input_ids)` becomes `Σ_k w_k · E[id_k]`, over the same table, quantised or not. What
 * follows it, such as Gemma's factor √hidden, follows the mixture: both are linear.
 *
 * @module
 */

import { shown } from "../../_check.ts";
import { SMALL_VOCABULARY, weightedSum } from "../mixture.ts";
import type { Node } from "../onnx.ts";
import { PORTS } from "../ports.ts";
import type { Surgery } from "./surgery.ts";
import { fail } from "./walk.ts";

/** The nodes that use the ids themselves, reshaped or cast: one lookup, and questions for the shape. */
function usersOf(s: Surgery, ids: string) {
  const aliases = new Set([ids]), lookups = new Set<Node>(), shapes = new Set<Node>();
  for (const alias of aliases) { // grows as it is walked
    for (const node of s.consumers(alias)) {
      const { op, inputs, outputs } = node;
      if (op === "Shape" || op === "Size") shapes.add(node);
      else if (["Cast", "Reshape", "Identity"].includes(op) && inputs[0] === alias) {
        aliases.add(outputs[0]!);
      } else if (
        ["Gather", "GatherBlockQuantized"].includes(op) && inputs[1] === alias &&
        !s.varies(inputs[0]!)
      ) lookups.add(node);
      else {
        const within = inputs.includes(alias) ? "" : " within control flow";
        const what = `${op}${within} (${shown(outputs[0])})`;
        fail(`'${ids}' is also used by ${what}, where no mixture can stand for it`);
      }
    }
  }
  return { aliases, lookups, shapes };
}

/** Finds the embedding; lets the shape of the ids be asked of `positions`, which has the same. */
export function findEmbedding(s: Surgery, positions: string) {
  const ids = "input_ids";
  if (!s.input(ids)) {
    fail(`it must have the input '${ids}': inputs are ${shown(s.inputs.map(({ name }) => name))}`);
  }
  const { aliases, lookups, shapes } = usersOf(s, ids), [lookup] = lookups;
  if (!lookup || lookups.size > 1) {
    fail(`'${ids}' must be looked up in one table: current number is ${lookups.size}`);
  }
  const { op, attributes: { axis, gather_axis: gatherAxis, bits } } = lookup;
  if ((axis?.int ?? 0) !== 0 || (gatherAxis?.int ?? 0) !== 0) {
    fail("the embedding must be a lookup of rows");
  }
  const [next, ...others] = s.consumers(lookup.outputs[0]!);
  // a table of plain integers is scaled after the lookup
  const isScaled = next?.op === "DequantizeLinear" && others.length === 0;
  const end = isScaled ? next : lookup;
  if (isScaled) {
    const scale = s.shapeOf(end.inputs[1] ?? "");
    if (end.inputs[0] !== lookup.outputs[0] || scale?.length !== 0 && scale?.join() !== "1") {
      fail("a table of integers must have one scale");
    }
  }
  const [table] = lookup.inputs as [string, ...string[]], shape = s.shapeOf(table);
  if (shape?.length !== 2) fail("the embedding table must be a constant of two dimensions");
  const [rows, stored] = shape as [number, number], type = s.typeOf(end.outputs[0]!);
  const isPacked = op === "GatherBlockQuantized" && s.typeOf(table) === "uint8";
  if (type !== "float32" && type !== "float16") {
    return fail(`the embedding must be float32 or float16: current type is ${type}`);
  }
  for (const node of shapes) {
    s.replace(node, { inputs: node.inputs.map((name) => aliases.has(name) ? positions : name) });
  }
  const hiddenSize = isPacked ? stored * 8 / (bits?.int ?? 4) : stored;
  // `end` gives the floats: the lookup itself, or what scales integers
  return { lookup, end, type, rows, hiddenSize } as const;
}

/**
 * Puts the mixture in the place of the lookup.
 *
 * @returns Whether a mixture is a row of weights of all tokens: there are no ids then.
 */
export function openEmbedding(
  s: Surgery,
  { lookup, end, type, rows }: ReturnType<typeof findEmbedding>,
  vocabularySize: number,
): boolean {
  if (rows < vocabularySize) fail(`its embedding has ${rows} rows for ${vocabularySize} logits`);
  const [table, , ...more] = lookup.inputs as [string, string, ...string[]];
  const again = ({ op, domain, attributes }: Node, inputs: readonly string[]) =>
    s.op(op, inputs, { domain, attributes });
  /** Rows of the table in float32. */
  const lookUp = (indices: string): string => {
    const found = again(lookup, [table, indices, ...more]);
    const scaled = end === lookup ? found : again(end, [found, ...end.inputs.slice(1)]);
    return s.cast(scaled, type, "float32");
  };
  // the runtime fuses a product with a table of integers into one that rounds the weights to int8
  const isDense = vocabularySize <= SMALL_VOCABULARY && vocabularySize === rows && end === lookup;
  let mixed: string;
  if (isDense) {
    const all = s.integers(Array.from({ length: rows }, (_, id) => id));
    const floats = lookup.op === "Gather" ? s.cast(table, type, "float32") : lookUp(all); // [V, D]
    mixed = s.op("MatMul", [PORTS.weights, floats]); // [B, S, D]
  } else mixed = weightedSum(s, PORTS.weights, lookUp(PORTS.ids));
  s.replace(end, { outputs: ["moi/unused"] });
  s.give(end.outputs[0]!, mixed, type);
  return isDense;
}
