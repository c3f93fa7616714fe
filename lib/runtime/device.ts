/**
 * Devices (execution providers): which exist, and how a session asks for one.
 *
 * @module
 */

import { cString, ort, type Pointer, pointerFrom, stringArray } from "./api.ts";

/** Devices that a session can be asked for by name. */
export const DEVICES = ["cpu", "cuda", "webgpu", "coreml", "dml"] as const;

/** Name of a device. */
export type Device = (typeof DEVICES)[number];

/** Names of a device's memory for `CreateMemoryInfo`. */
export const DEVICE_MEMORY: Readonly<Partial<Record<Device, string>>> = {
  cuda: "Cuda",
  webgpu: "WebGPU_Buf",
};

/** Asks session options for a device; throws the runtime's error where it cannot be had. */
export function appendDevice(options: Pointer, device: Device): void {
  const { call } = ort();
  if (device === "cpu") return; // always the last resort of a session
  if (device === "cuda") {
    const cuda = pointerFrom((out) => call.CreateCUDAProviderOptions(out));
    try {
      const keys = stringArray(["device_id"]), values = stringArray(["0"]);
      // the first call that fails where the CUDA libraries are absent
      call.UpdateCUDAProviderOptions(cuda, keys, values, 1n);
      call.SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda);
    } finally {
      call.ReleaseCUDAProviderOptions(cuda);
    }
    return;
  }
  const name = { webgpu: "WebGPU", coreml: "CoreML", dml: "DML" }[device];
  const none = new BigUint64Array(1);
  call.SessionOptionsAppendExecutionProvider(options, cString(name), none, none, 0n);
}
