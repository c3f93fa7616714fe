/**
 * What graphs are built for, by the device that runs them and the number format of keys and values.
 *
 * @module
 */

import { CPU_TARGET, type Target } from "../graph/mod.ts";
import type { Adapter, Device } from "../runtime/mod.ts";
import { refusal } from "../_check.ts";
import type { Dtype } from "./dtype.ts";
import type { KvFormat } from "./engine.ts";

/**
 * The number format of keys and values on a device: as asked, else fp16 on a GPU that computes in it, unless the
 * weights are asked for in fp32.
 */
export function kvFormatOf(
  device: Device,
  dtype: "auto" | Dtype,
  asked: KvFormat | undefined,
  adapter: Pick<Adapter, "half"> | undefined,
): KvFormat {
  const isHalf = device === "cuda" || (device === "webgpu" && adapter?.half === true);
  return asked ?? (isHalf && dtype !== "fp32" ? "fp16" : "fp32");
}

/** Why a device does not compute in some number formats; undefined where it does. */
export function formatError(
  device: Device,
  dtype: "auto" | Dtype,
  kv: KvFormat,
  adapter: Pick<Adapter, "half" | "name"> | undefined,
): string | undefined {
  const no = (name: string, rule: string, value: string) =>
    refusal("load the model", name, `${rule} on ${device}`, value);
  if (device === "cpu") return undefined;
  if (kv === "int8") return no("kv", "be 'fp32' or 'fp16'", kv);
  if (device === "cuda" && kv === "fp32") {
    return dtype === "fp32"
      ? no("dtype", "be 'auto', 'fp16', 'int8', 'int4' or 'native'", dtype)
      : no("kv", "be 'fp16', as its attention has no other", kv);
  }
  return device === "webgpu" && kv === "fp16" && adapter?.half === false
    ? no("kv", `be 'fp32' (${adapter.name} does not compute in fp16)`, kv)
    : undefined;
}

/** The forms that a device computes. On GPUs what passes between operators has the format of keys and values. */
export function targetOf(device: Device, kv: KvFormat): Target {
  if (device === "cpu") return CPU_TARGET;
  const activations = kv === "fp16" ? "float16" : "float32";
  const common = { activations, accuracy: 0, packs: false } as const;
  if (device === "cuda") return { ...common, linear: "fused" };
  const gathers = ["float32", activations] as const; // a GPU may not know float16
  return { ...common, linear: "transposed", gathers };
}
