/**
 * Logits of the rows that are asked for, chosen before the head where the head is the last product.
 *
 * @module
 */

import { shown } from "../../_check.ts";
import { PORTS } from "../ports.ts";
import type { GraftFacts } from "./facts.ts";
import type { Surgery } from "./surgery.ts";
import { fail, refuse } from "./walk.ts";

const PRODUCTS = ["MatMul", "FusedMatMul", "MatMulNBits", "Gemm"];
/** What may follow the head: each number of the result is that of one logit. */
const POINTWISE = ["Cast", "Identity", "Tanh", "Mul", "Div", "Add", "Sub"];

/** The product, its number of logits, and what goes in. */
function findHead(s: Surgery, logits: string) {
  const source = s.follow(logits, ({ op, inputs }) => {
    const moving = inputs.filter((input) => s.varies(input));
    return POINTWISE.includes(op) && moving.length === 1 ? moving[0] : undefined;
  });
  const node = s.producer(source);
  if (!node || !PRODUCTS.includes(node.op)) return undefined;
  const { op, inputs, attributes: { N, K, transA, transB } } = node;
  if (!s.varies(inputs[0]!) || s.varies(inputs[1]!) || (transA?.int ?? 0) !== 0) return undefined;
  if (op === "MatMulNBits") return { node, width: N?.int, inputSize: K?.int };
  const shape = s.shapeOf(inputs[1]!);
  const [inputSize, width] = shape?.length !== 2 ? [] : transB?.int ? shape.toReversed() : shape;
  return { node, width, inputSize };
}

/** Undoes a choice of the last position: the hidden states of all positions. */
function beforePruning(s: Surgery, hidden: string): string | undefined {
  let node = s.producer(hidden);
  if (node && ["Unsqueeze", "Reshape"].includes(node.op)) node = s.producer(node.inputs[0]!);
  const { op, inputs: [all, index = "", , axes = ""], attributes } = node ?? { inputs: [] };
  if (s.integersOf(index)?.join() !== "-1") return undefined;
  const isLast = op === "Gather" && attributes?.axis?.int === 1 ||
    op === "Slice" && s.integersOf(axes)?.join() === "1";
  return isLast ? all : undefined;
}

/** Puts the choice of rows before the head, or behind it. */
export function openHead(
  s: Surgery,
  hiddenSize: number,
): Pick<GraftFacts, "vocabularySize" | "lastLogitsOnly"> {
  const { outputs } = s.graph, logits = outputs.find(({ name }) => name === "logits");
  if (!logits) {
    return fail(
      `it must have the output 'logits': outputs are ${shown(outputs.map(({ name }) => name))}`,
    );
  }
  const all = "moi/all_logits", declared = logits.dims?.at(-1);
  s.rename(logits.name, all);
  const head = findHead(s, all);
  const vocabularySize = typeof declared === "number" && declared > 0 ? declared : head?.width;
  if (!vocabularySize) return fail("the width of the logits cannot be told");
  if (head?.width !== undefined && head.width !== vocabularySize) {
    refuse("the logits", `have the head's width ${head.width}`, vocabularySize);
  }
  const pick = (name: string, width: number) => {
    const flat = s.op("Reshape", [name, s.integers([-1, width])]);
    return s.op("Gather", [flat, PORTS.rows], { attributes: { axis: { int: 0 } } });
  };
  const [hidden, ...rest] = head?.node.inputs ?? [];
  const unpruned = hidden === undefined ? undefined : beforePruning(s, hidden);
  const isPruned = logits.dims?.length === 3 && logits.dims[1] === 1;
  if (isPruned && unpruned === undefined) {
    fail("its logits are those of the last position alone, in a form that cannot be undone");
  }
  let result: string;
  if (head) {
    const picked = pick(unpruned ?? hidden!, head.inputSize ?? hiddenSize);
    s.replace(head.node, { inputs: [picked, ...rest] });
    result = s.op("Reshape", [all, s.integers([-1, vocabularySize])]);
  } else {
    result = pick(all, vocabularySize);
  }
  s.give(PORTS.logits, result, "float32");
  return { vocabularySize, lastLogitsOnly: isPruned || unpruned !== undefined };
}
