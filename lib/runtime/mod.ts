/**
 * ONNX Runtime through its C API: sessions, tensors over memory that is never copied, devices.
 *
 * Nothing here knows about language models. The library is the one inside
 * `npm:onnxruntime-node`; it is opened on first use and needs `--allow-ffi` and `--allow-env`.
 *
 * ```text
 * createSession(graph) ──▶ Session.bind(inputs, outputs) ──▶ Binding.run() / runAsync()
 * ```
 *
 * {@linkcode adapters} has the GPUs of the machine, {@linkcode deviceError} says why a device cannot be
 * had, {@linkcode noRoom} why a model has no room on a GPU.
 *
 * Beside it stands what is below everything that takes long: the notebook, the stop button
 * ({@linkcode interruptSignal}) and progress ({@linkcode progressBar}).
 *
 * @module
 */

export { type Adapter, type AdapterKind, type Footprint, noRoom } from "./adapter.ts";
export { adapters } from "./adapters.ts";
export { OrtError, type Pointer } from "./api.ts";
export { deviceError } from "./device_error.ts";
export { defaultSignal, interruptSignal } from "./interrupt.ts";
export { type Jupyter, jupyter } from "./jupyter.ts";
export { runtimeVersion } from "./library.ts";
export { allocate, mapFile, type MappedFile, type Memory, memoryOver } from "./memory.ts";
export {
  type ProgressBar,
  progressBar,
  type ProgressBarOptions,
  type ProgressLike,
  type ProgressMode,
} from "./progress_bar.ts";
export {
  type Binding,
  createSession,
  type Session,
  type SessionOptions,
  type Tensors,
} from "./session.ts";
export type { Device } from "./providers.ts";
export type { DeviceMemory } from "./device_memory.ts";
export {
  ELEMENT_TYPES,
  elements,
  type ElementType,
  type Tensor,
  tensor,
  type TensorData,
  tensorIn,
} from "./tensor.ts";
export { takingTurns } from "./turns.ts";
