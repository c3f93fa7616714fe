/** The GPU that is used, as its driver describes it. */

import { type Adapter, adapters } from "../../lib/runtime/mod.ts";

/** Devices of llama.cpp, named after it, and that of ONNX Runtime which uses the same card. */
const CARDS: Readonly<Record<string, string>> = {
  "llama:cpu": "cpu",
  "llama:vulkan": "webgpu",
  "llama:metal": "webgpu",
  "llama:cuda": "cuda",
};

/** Devices of ONNX Runtime, and all that can be asked for. */
export const ONNX_DEVICES: readonly string[] = ["webgpu", "cuda", "cpu"];
export const DEVICES: readonly string[] = [...ONNX_DEVICES, ...Object.keys(CARDS)];

/** What llama.cpp calls a device; undefined for those of ONNX Runtime. */
export function onLlama(device: string): string | undefined {
  return Object.hasOwn(CARDS, device) ? device.slice(device.indexOf(":") + 1) : undefined;
}

/** The GPU that a device uses, of those that are there; undefined where there is none, as for the CPU. */
export function cardOf(device: string, all = adapters()): Adapter | undefined {
  const own = CARDS[device] ?? device;
  return all.find((adapter) => adapter.device === own && adapter.chosen);
}

/** Memory in use on a device's own card, MB; undefined where it has none or the driver does not tell. */
export function usedMemoryMb(device: string): number | undefined {
  const card = cardOf(device), { total, free } = card?.memory ?? {};
  const isKnown = card?.kind === "discrete" && total !== undefined && free !== undefined;
  return isKnown ? (total - free) / 1e6 : undefined;
}
