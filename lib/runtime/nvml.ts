/**
 * NVIDIA's cards by its management library, which comes with the driver and needs no CUDA.
 *
 * Source: `nvml.h`. It has every card of the machine in the order of the PCI bus, whatever
 * `CUDA_VISIBLE_DEVICES` says: CUDA numbers them so, too, where `CUDA_DEVICE_ORDER` is PCI_BUS_ID.
 *
 * @module
 */

import { optionalLibrary } from "./optional_library.ts";
import type { Adapter } from "./adapter.ts";
import { type Pointer, pointerFrom } from "./api.ts";
import { struct, structIn } from "./structs.ts";

/** `nvmlMemory_t`. */
const MEMORY = struct({ total: "u64", free: "u64", used: "u64" });
/** A text of the library, and a number. */
const TEXT = struct({ text: ["char", 96] }), NUMBERS = struct({ numbers: ["u32", 2] });

const p = "pointer";
function open() {
  const ask = { parameters: [p, p], result: "i32" } as const;
  return Deno.dlopen(Deno.build.os === "windows" ? "nvml.dll" : "libnvidia-ml.so.1", {
    nvmlInit_v2: { parameters: [], result: "i32" },
    nvmlShutdown: { parameters: [], result: "i32" },
    nvmlSystemGetDriverVersion: { parameters: [p, "u32"], result: "i32" },
    nvmlSystemGetCudaDriverVersion_v2: { parameters: [p], result: "i32" },
    nvmlDeviceGetCount_v2: { parameters: [p], result: "i32" },
    nvmlDeviceGetHandleByIndex_v2: { parameters: ["u32", "buffer"], result: "i32" },
    nvmlDeviceGetName: { parameters: [p, p, "u32"], result: "i32" },
    nvmlDeviceGetMemoryInfo: ask,
    nvmlDeviceGetCudaComputeCapability: { parameters: [p, p, p], result: "i32" },
  }).symbols;
}
type Nvml = ReturnType<typeof open>;
const nvml = optionalLibrary(open);

/** The text that a call writes; empty where it fails. */
function textFrom(call: (at: Pointer, size: number) => number): string {
  const view = structIn(TEXT);
  return call(view.pointer, TEXT.size) === 0 ? view.text("text") : "";
}

/** The numbers that a call writes; none where it fails. */
function numbersFrom(call: (...at: [Pointer, Pointer]) => number): number[] {
  const view = structIn(NUMBERS), second = Deno.UnsafePointer.offset(view.pointer, 4)!;
  return call(view.pointer, second) === 0 ? [0, 1].map((i) => view.number("numbers", i)) : [];
}

/** A card; memory is left out where the system owns it. */
function cardOf(call: Nvml, device: Pointer, driver: string): Omit<Adapter, "chosen"> {
  const memory = structIn(MEMORY);
  const hasMemory = call.nvmlDeviceGetMemoryInfo(device, memory.pointer) === 0;
  const [major = 0, minor = 0] = numbersFrom((...at) =>
    call.nvmlDeviceGetCudaComputeCapability(device, ...at)
  );
  return {
    device: "cuda",
    name: textFrom((...out) => call.nvmlDeviceGetName(device, ...out)),
    kind: "discrete",
    driver,
    capability: `${major}.${minor}`,
    ...(hasMemory && { memory: { total: memory.number("total"), free: memory.number("free") } }),
    half: 10 * major + minor >= 53, // as CUDA's guide has it
    subgroup: 32,
  };
}

/**
 * NVIDIA's cards, in the order of the PCI bus; none where there is no driver. The chosen one is that which
 * `CUDA_VISIBLE_DEVICES` names first by its number, or the first of all.
 *
 * Run on a stand-in for the library only, not on a card.
 *
 * @throws {Deno.errors.NotCapable} Without `--allow-ffi`.
 */
export function nvidiaCards(): Adapter[] {
  const call = nvml();
  if (!call) return [];
  if (call.nvmlInit_v2() !== 0) return [];
  using scope = new DisposableStack();
  scope.defer(() => call.nvmlShutdown());
  const version = textFrom((...out) => call.nvmlSystemGetDriverVersion(...out));
  const [cuda = 0] = numbersFrom((at) => call.nvmlSystemGetCudaDriverVersion_v2(at));
  const driver = `NVIDIA ${version}, CUDA ${Math.floor(cuda / 1000)}.${cuda % 1000 / 10}`;
  const [count = 0] = numbersFrom((at) => call.nvmlDeviceGetCount_v2(at));
  const cards = Array.from({ length: count }, (_, index) => index).flatMap((index) => {
    let status = 0;
    const device = pointerFrom((out) => status = call.nvmlDeviceGetHandleByIndex_v2(index, out));
    return status === 0 ? { index, card: cardOf(call, device, driver) } : [];
  });
  const [named] = /^\d+/.exec(Deno.env.get("CUDA_VISIBLE_DEVICES") ?? "") ?? [];
  const chosen = named === undefined ? cards[0]?.index : Number(named);
  return cards.map(({ index, card }) => ({ ...card, chosen: index === chosen }));
}
