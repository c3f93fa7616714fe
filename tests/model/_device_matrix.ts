/** Which tiny models run on which emulated GPU, and in which number formats: what the table of features says. */

import type { Dtype } from "@moi/moi/model";
import { CASES } from "../golden/architectures.ts";

/** A case of `architectures.json` on an emulated GPU. */
export interface DeviceRun {
  readonly name: string;
  readonly dtype: Dtype;
  /** Number format of keys and values, and of what passes between operators. */
  readonly kv: "fp32" | "fp16";
}

/** Names of the emulators, as `tests/_vulkan.ts` has them. */
export type Emulator = "SwiftShader" | "lavapipe";

/** The first case of each architecture. */
const FIRST = CASES.filter(({ config }, i) =>
  CASES.findIndex((other) => other.config.model_type === config.model_type) === i
);

const all = (
  cases: readonly { readonly name: string }[],
  dtype: Dtype,
  kv: DeviceRun["kv"],
): DeviceRun[] => cases.map(({ name }) => ({ name, dtype, kv }));

/** Cases that differ from others in the tables of their rotation alone, which the CPU makes for every device. */
const OF_ROTATION = /^llama, (linear|llama3|yarn|yarn, bounds.*|longrope)$|^phi3, longrope, short$/;

/**
 * In fp32 all cases but some, of each architecture the first in int8, and a few in int4, which lavapipe has. Fp16
 * needs lavapipe.
 */
export const RUNS: Readonly<Record<Emulator, readonly DeviceRun[]>> = {
  SwiftShader: [
    ...all(CASES.filter(({ name }) => !OF_ROTATION.test(name)), "fp32", "fp32"),
    ...all(FIRST, "int8", "fp32"),
    ...all(FIRST.filter(({ name }) => /^(qwen2|gemma3_text|qwen3_moe)/.test(name)), "int4", "fp32"),
  ],
  lavapipe: [
    ...all(FIRST, "fp16", "fp16"),
    ...all(FIRST, "int4", "fp16"),
  ],
};

/** Parts of `_device_parts.ts` that run on lavapipe only, to save time. */
export const LAVAPIPE_ONLY: readonly string[] = ["blocks", "memory"];
