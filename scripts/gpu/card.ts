/** The GPU that is used, as its driver describes it. */

import { type Adapter, adapters } from "../../lib/runtime/mod.ts";

/** The GPU that a device uses; undefined where there is none, as for the CPU. */
export function cardOf(device: string): Adapter | undefined {
  return adapters().find((adapter) => adapter.device === device && adapter.chosen);
}

/** Memory in use on a device's own card, MB; undefined where it has none or the driver does not tell. */
export function usedMemoryMb(device: string): number | undefined {
  const card = cardOf(device), { total, free } = card?.memory ?? {};
  const isKnown = card?.kind === "discrete" && total !== undefined && free !== undefined;
  return isKnown ? (total - free) / 1e6 : undefined;
}
