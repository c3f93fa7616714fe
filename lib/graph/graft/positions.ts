/**
 * Where each slot stands: `position_ids` and `attention_mask` are computed from the last positions.
 *
 * @module
 */

import { PORTS } from "../ports.ts";
import type { Surgery } from "./surgery.ts";
import { fail } from "./walk.ts";

/** Numbers of a run, as names of tensors of int64: see {@linkcode placesOf}. */
export type Places = ReturnType<typeof placesOf>;

/** Computes B and S, `[1]`; where a slot's inputs stand; positions before the run, and after it. */
export function placesOf(s: Surgery) {
  const shape = s.op("Shape", [PORTS.weights]);
  const part = (index: number) => s.op("Gather", [shape, s.integers([index])]);
  const sequence = part(1);
  const last = s.cast(PORTS.lastPosition, "int32", "int64");
  const column = s.op("Reshape", [last, s.integers([-1, 1])]);
  const first = s.op("Sub", [column, s.op("Sub", [sequence, s.integers([1])])]); // [B, 1]
  const positions = s.op("Add", [first, s.upTo(sequence)]); // [B, S]
  const total = s.cast(PORTS.length, "int32", "int64"); // of the longest slot, [1]
  const past = s.op("Sub", [total, sequence]); // before the run, [1]
  return { batch: part(0), sequence, positions, first, past, total };
}

/** Gives the export the inputs that it derives positions from, and the choice of all logits. */
export function givePositions(s: Surgery, n: Places, cache: "in place" | "concatenated"): void {
  const positionIds = s.input("position_ids"), mask = s.input("attention_mask");
  if (positionIds?.dims && positionIds.dims.length !== 2) {
    fail(`'position_ids' must have two dimensions: current shape is [${positionIds.dims}]`);
  }
  s.give("position_ids", n.positions, positionIds?.type ?? "int64");
  const columns = s.upTo(n.total); // [length]
  const valid = cache === "in place"
    ? s.op("Less", [columns, s.op("Add", [n.first, n.sequence])]) // what is before a slot's end
    // the valid part of the past, then what is new: a shorter slot has a gap between them
    : s.op("Or", [
      s.op("Less", [columns, n.first]),
      s.op("Not", [s.op("Less", [columns, n.past])]),
    ]);
  s.give("attention_mask", valid, mask?.type ?? "int64");
  for (const name of ALL_LOGITS) {
    const value = s.input(name);
    if (!value) continue;
    const dims = value.dims?.length ? [1] : [], data = new Uint8Array(8); // 0: all of them
    s.constant({ name, type: "int64", dims, data });
  }
}

/** Inputs that say how many of the last positions get logits; 0 is all. */
export const ALL_LOGITS: readonly string[] = ["num_logits_to_keep", "logits_to_keep"];
