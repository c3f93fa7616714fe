/**
 * What graphs are built for, by the device that runs them and the number format of keys and values.
 *
 * @module
 */

import { CPU_TARGET, type Target } from "../graph/mod.ts";
import type { Device } from "../runtime/mod.ts";
import type { KvFormat } from "./engine.ts";

/** The forms that a device computes. On GPUs what passes between operators has the format of keys and values. */
export function targetOf(device: Device, kv: KvFormat): Target {
  if (device === "cpu") return CPU_TARGET;
  return {
    linear: device === "cuda" ? "fused" : "transposed",
    activations: kv === "fp16" ? "float16" : "float32",
    accuracy: 0,
    gathersBfloat16: device === "cuda",
    packs: false,
  };
}
