/**
 * Devices: how a session asks ONNX Runtime for one, and which of its operators run there.
 *
 * @module
 */

import { refusal } from "../_check.ts";
import { cString, ort, type Pointer, pointerFrom, stringArray } from "./api.ts";
import { prepareCuda } from "./cuda.ts";

/** Name of a device. */
export type Device = "cpu" | "cuda" | "webgpu" | "coreml" | "dml";

/** What ONNX Runtime calls each device, its memory for `CreateMemoryInfo`, and what records a run. */
const PROVIDERS: Readonly<
  Record<Device, { provider?: string; memory?: string; capture?: string }>
> = {
  cpu: {},
  cuda: { memory: "Cuda", capture: "enable_cuda_graph" },
  webgpu: { provider: "WebGPU", memory: "WebGPU_Buf", capture: "enableGraphCapture" },
  coreml: { provider: "CoreML" },
  dml: { provider: "DML" },
};

/**
 * How CUDA is set up: the first GPU; no more memory than is asked for, as caches have theirs beside it; and
 * products of float32 in float32, which are few, not rounded to 10 bits.
 */
const CUDA = [
  ["device_id", "0"],
  ["arena_extend_strategy", "kSameAsRequested"],
  ["use_tf32", "0"],
] as const;

/** Names of all devices. */
export const DEVICES = Object.keys(PROVIDERS) as Device[];

/** Name of a device's memory; undefined where tensors lie on the host alone. */
export const memoryName = (device: Device): string | undefined => PROVIDERS[device].memory;

/** Asks session options for a device; throws the runtime's error where it cannot be had. */
export function appendDevice(options: Pointer, device: Device, capture: boolean): void {
  const { call } = ort(), { provider, capture: key } = PROVIDERS[device];
  if (capture && !key) {
    const rule = `be false on ${device}, where no run can be recorded`;
    throw new RangeError(refusal("start a session", "capture", rule, capture));
  }
  if (device === "cpu") return; // always the last resort of a session
  const settings = capture && key ? [[key, "1"] as const] : [];
  const names = (entries: readonly (readonly [string, string])[]) =>
    [
      stringArray(entries.map(([name]) => name)),
      stringArray(entries.map(([, value]) => value)),
      BigInt(entries.length),
    ] as const;
  if (device === "cuda") {
    prepareCuda();
    using scope = new DisposableStack();
    const cuda = scope.adopt(
      pointerFrom((out) => call.CreateCUDAProviderOptions(out)),
      call.ReleaseCUDAProviderOptions,
    );
    // the first call that fails where there is no GPU
    call.UpdateCUDAProviderOptions(cuda, ...names([...CUDA, ...settings]));
    call.SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda);
    return;
  }
  call.SessionOptionsAppendExecutionProvider(options, cString(provider!), ...names(settings));
}

/** Pointers that a call gives as an array and its length. */
function pointersFrom(
  call: (array: BigUint64Array<ArrayBuffer>, count: BigUint64Array<ArrayBuffer>) => unknown,
): Pointer[] {
  const array = new BigUint64Array(1), count = new BigUint64Array(1);
  call(array, count);
  if (count[0] === 0n) return [];
  const view = new Deno.UnsafePointerView(Deno.UnsafePointer.create(array[0]!)!);
  return Array.from(
    { length: Number(count[0]) },
    (_, i) => Deno.UnsafePointer.create(view.getBigUint64(i * 8))!,
  );
}

/**
 * Operators of a session that the CPU runs, as its device has no kernel for them: names, and how many of each.
 * It must have been told to record them; what is on the device is not recorded.
 */
export function fallenBack(session: Pointer): ReadonlyMap<string, number> {
  const { call } = ort(), counts = new Map<string, number>();
  const textFrom = (write: Parameters<typeof pointerFrom>[0]) =>
    Deno.UnsafePointerView.getCString(pointerFrom(write));
  const parts = pointersFrom((array, count) =>
    call.Session_GetEpGraphAssignmentInfo(session, array, count)
  );
  for (const part of parts) {
    const provider = textFrom((out) => call.EpAssignedSubgraph_GetEpName(part, out));
    if (provider !== "CPUExecutionProvider") continue;
    const nodes = pointersFrom((array, count) =>
      call.EpAssignedSubgraph_GetNodes(part, array, count)
    );
    for (const node of nodes) {
      const op = textFrom((out) => call.EpAssignedNode_GetOperatorType(node, out));
      counts.set(op, (counts.get(op) ?? 0) + 1);
    }
  }
  return counts;
}
