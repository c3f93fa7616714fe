/**
 * Which GPUs this machine has: without a package, by the libraries that come with their drivers.
 *
 * | platform | `webgpu`                                     | `cuda`                        |
 * | -------- | -------------------------------------------- | ----------------------------- |
 * | Linux    | the Vulkan loader, `libvulkan.so.1`          | `libnvidia-ml.so.1`           |
 * | Windows  | `vulkan-1.dll`; not run                      | `nvml.dll`; not run           |
 * | macOS    | Metal on arm64: the system's memory; not run |                               |
 *
 * Where a library is absent its GPUs are. The Vulkan loader follows `VK_DRIVER_FILES` and
 * `VK_ICD_FILENAMES` to the drivers, as it does for ONNX Runtime. NVIDIA's Vulkan driver links X11
 * and GLVND client libraries (libX11, libXext, libxcb, libGLdispatch): on a headless machine without
 * them the loader finds no driver, so that no adapter is there although `nvidia-smi` shows a card.
 * Install them, and let `LD_LIBRARY_PATH` name the driver's folder where that is an unusual one.
 *
 * @module
 */

import type { Adapter, AdapterKind } from "./adapter.ts";
import { nvidiaCards } from "./nvml.ts";
import { vulkanAdapters } from "./vulkan.ts";

/** Kinds in the order in which Dawn prefers them for high performance. */
const PREFERRED: readonly AdapterKind[] = ["discrete", "integrated", "emulated", "other"];

/** Marks the one that Dawn takes: of the most preferred kind the first. */
function withChosen(found: readonly Omit<Adapter, "chosen">[]): Adapter[] {
  const rank = ({ kind }: Pick<Adapter, "kind">) => PREFERRED.indexOf(kind);
  const best = found.toSorted((a, b) => rank(a) - rank(b))[0];
  return found.map((adapter) => ({ ...adapter, chosen: adapter === best }));
}

/** The GPU of a Mac with an Apple chip: it shares the system's memory. Not run on one. */
function metalAdapter(): Omit<Adapter, "chosen"> {
  const { total, available } = Deno.systemMemoryInfo();
  const memory = { total, free: available };
  return {
    ...{ device: "webgpu", name: "Apple GPU", kind: "integrated", driver: "Metal" },
    ...{ memory, half: true, subgroup: 32 },
  };
}

/**
 * The GPUs of this machine, asked anew in every call, as free memory changes: those for `webgpu`,
 * then those for `cuda`; none where no driver is there. The first call loads the drivers. Whether ONNX Runtime can start on one is
 * another question: see {@linkcode deviceError}.
 *
 * `chosen` marks what a session uses: for WebGPU what Dawn prefers for high performance (discrete,
 * integrated, emulated, other; the loader's order among equals). On Windows ONNX Runtime uses Direct3D
 * 12 instead of Vulkan: the cards are the same, their order and limits may differ. For CUDA it is the
 * first card, or that which `CUDA_VISIBLE_DEVICES` names first by its number (not by an identifier); where cards
 * differ CUDA may count them otherwise, unless `CUDA_DEVICE_ORDER` is PCI_BUS_ID.
 *
 * @throws {Deno.errors.NotCapable} Without `--allow-ffi`, or `--allow-sys` on macOS.
 *
 * @example
 * ```ts
 * import { adapters } from "@moi/moi/runtime";
 * import { assertEquals } from "@std/assert";
 * const used = adapters().filter(({ device, chosen }) => device === "webgpu" && chosen);
 * assertEquals(used.length <= 1, true); // such as [{ name: "NVIDIA H200", memory: { total: 15… }, … }]
 * ```
 */
export function adapters(): readonly Adapter[] {
  const { os, arch } = Deno.build;
  if (os === "darwin") return arch === "aarch64" ? withChosen([metalAdapter()]) : [];
  return [...withChosen(vulkanAdapters()), ...nvidiaCards()];
}
