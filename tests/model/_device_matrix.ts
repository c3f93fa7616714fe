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

/**
 * All cases in fp32, and of each architecture the first in int8 and int4. Fp16 needs lavapipe, which takes half a
 * minute to compile attention of one width of heads: those of 16 are in most cases.
 */
export const RUNS: Readonly<Record<Emulator, readonly DeviceRun[]>> = {
  SwiftShader: [
    ...all(CASES, "fp32", "fp32"),
    ...all(FIRST, "int8", "fp32"),
    ...all(FIRST, "int4", "fp32"),
  ],
  lavapipe: [
    ...all(FIRST, "fp16", "fp16"),
    ...all(FIRST, "int4", "fp16"),
  ],
};
