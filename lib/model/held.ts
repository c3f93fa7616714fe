/**
 * Probabilities that stay on a device.
 *
 * @module
 */

import type { Tensor } from "../runtime/mod.ts";
import type { Held } from "./mixture.ts";

/** Probabilities of a row on a device. */
export interface HeldOnDevice extends Held {
  /** Those of all rows `[rows, V]`. */
  readonly tensor: Tensor;
  /** Number of rows. */
  readonly rows: number;
  /** Which of them. */
  readonly row: number;
}

/** Whether probabilities are on a device. */
export function isHeldOnDevice(held: Held | undefined): held is HeldOnDevice {
  return held !== undefined && "tensor" in held;
}
