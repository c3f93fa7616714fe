/**
 * What an export must be before a kernel trusts its numbers.
 *
 * @module
 */

import { MICROSOFT } from "../builder.ts";
import { elements } from "../../runtime/tensor.ts";
import type { Node, OnnxModel } from "../onnx.ts";
import { shown } from "../../_check.ts";
import { fail, refuse } from "./walk.ts";

const MIN_OPSET = 13;
const MAX_HEADS = 1 << 16;

/**
 * Refuses an old operator set, and numbers that kernels trust: a contradiction would end the process or
 * read past a weight's end.
 */
export function checkExport({ graph: { nodes, initializers }, opsets }: OnnxModel): void {
  const opset = opsets?.get("") ?? 0;
  if (opset < MIN_OPSET) {
    refuse("its operator set", `be at least ${MIN_OPSET}`, opset);
  }
  const constants = new Map(initializers.map((tensor) => [tensor.name, tensor]));
  const reshaped = new Map(
    nodes.flatMap(({ op, inputs, outputs }) =>
      op === "Reshape" ? [[outputs[0]!, inputs[0] ?? ""] as const] : []
    ),
  );
  const constant = (name = "") => constants.get(name) ?? constants.get(reshaped.get(name) ?? "");
  const whole = (node: Node, name: string, fallback?: number) => {
    const value = node.attributes[name]?.int ?? fallback;
    if (value !== undefined && Number.isSafeInteger(value) && value > 0) return value;
    return refuse(`'${name}' of ${node.op}`, "be a positive integer", value);
  };
  const sized = (node: Node, index: number, allowed: readonly number[]) => {
    const tensor = constant(node.inputs[index]);
    if (!tensor || allowed.includes(elements(tensor.dims))) return;
    fail(
      `${shown(tensor.name)} must have ${allowed.join(" or ")} elements for ${node.op}: ` +
        `current shape is [${tensor.dims}]`,
    );
  };
  for (const node of nodes) {
    if (node.domain !== MICROSOFT.domain) continue;
    for (const [name, { int = 0, ints = [] }] of Object.entries(node.attributes)) {
      // kernels keep them in 32 bits: a larger one would become another, such as 0 to divide by
      const large = [int, ...ints].find((number) => Math.abs(number) >= 2 ** 31);
      if (large !== undefined) {
        refuse(`'${name}' of ${node.op}`, "fit into 32 bits", large);
      }
    }
    if (node.op === "GroupQueryAttention") {
      const heads = whole(node, "num_heads"), kvHeads = whole(node, "kv_num_heads");
      if (heads % kvHeads !== 0 || heads > MAX_HEADS) {
        refuse("'num_heads'", `be a multiple of ${kvHeads}, at most ${MAX_HEADS}`, heads);
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
      const data = constants.get(node.inputs[0] ?? "");
      if (data?.dims.length !== 2 || !constant(node.inputs[2])) {
        fail("GatherBlockQuantized must have a constant table of two dimensions, and scales");
      }
      const bits = whole(node, "bits", 4), block = whole(node, "block_size", 128);
      const width = data.dims[1]! * (data.type === "uint8" ? 8 / bits : 1);
      const blocks = Math.ceil(width / block), rows = data.dims[0]!;
      sized(node, 2, [rows * blocks]);
      sized(node, 3, [rows * blocks, rows * Math.ceil(blocks * bits / 8)]);
    }
  }
}
