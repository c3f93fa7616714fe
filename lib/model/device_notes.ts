/**
 * What should be known of the device that a model runs on, in sentences.
 *
 * @module
 */

import { PREFILL_CHUNK } from "./cache.ts";
import type { Engine } from "./engine.ts";

/** What a device does not do as the CPU does it; none on the CPU. */
export function deviceNotes(
  { device, fallenBack, checked }: Pick<Engine, "device" | "fallenBack" | "checked">,
): string[] {
  const notes: string[] = [];
  if (fallenBack && fallenBack.size > 0) {
    const operators = [...fallenBack].map(([name, count]) => `${name} × ${count}`).join(", ");
    notes.push(`${device} has no kernel for some operators, which run on the CPU: ${operators}`);
  }
  if (checked && checked.chunk < PREFILL_CHUNK) {
    notes.push(
      `this driver computes attention rightly for ${checked.chunk} positions at once, not for ` +
        `${PREFILL_CHUNK}: prompts are computed in such parts`,
    );
  }
  if (checked && !checked.isBatchExact) {
    notes.push(
      `on ${device} the last bits of a row depend on its batch in this number format, as one row and several have ` +
        "kernels of their own: one seed may give other texts in other batches",
    );
  }
  return notes;
}
