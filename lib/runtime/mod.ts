/**
 * ONNX Runtime through its C API: sessions, tensors over memory that is never copied, devices.
 *
 * Nothing here knows about language models. The library is the one inside
 * `npm:onnxruntime-node`, or that which the environment variable `MOI_ORT_LIB` names; it is opened
 * once, on first use, and needs `--allow-ffi` and `--allow-env`.
 *
 * ```text
 * createSession(graph) ──▶ Session.bind(inputs, outputs) ──▶ Binding.run() / runAsync()
 * ```
 *
 * {@linkcode adapters} has the GPUs of the machine, {@linkcode deviceError} says why a device cannot be
 * had, {@linkcode noRoom} why a model has no room on a GPU.
 *
 * ## Devices
 *
 * | system            | `device`           | how to get it                                            |
 * | ----------------- | ------------------ | -------------------------------------------------------- |
 * | Linux x64         | `webgpu` (Vulkan)  | in the package; `libvulkan1` and the GPU's Vulkan driver |
 * | Linux x64         | `cuda`             | as below; NVIDIA's driver 580 or newer                   |
 * | Windows           | `webgpu` (D3D 12)  | in the package (not run)                                 |
 * | Windows           | `dml` (DirectML)   | in the package (not run)                                 |
 * | Windows x64       | `cuda`             | as below, with `…\capi\onnxruntime.dll` (not run)        |
 * | macOS arm64       | `webgpu` (Metal)   | in the package (not run); `coreml` is not needed         |
 * | Linux arm64       |                    | the package has the CPU alone                            |
 *
 * NVIDIA's Vulkan driver also needs client libraries of X11 and GLVND, which bare containers lack:
 * without them there is "no driver".
 *
 * **CUDA from Python's packages** (Python 3.11 or newer; 1.3 GB on disk):
 *
 * ```sh
 * python3 -m venv cuda
 * cuda/bin/pip install onnxruntime-gpu==1.30.0 nvidia-cuda-runtime~=13.0 nvidia-cublas~=13.0 nvidia-curand~=10.0
 * export MOI_ORT_LIB=$(echo "$PWD"/cuda/lib/python3.??/site-packages/onnxruntime/capi/libonnxruntime.so.1.30.0)
 * ```
 *
 * The provider lies beside the library that is opened; hence the variable. NVIDIA's libraries are then
 * found in that environment, in those of `VIRTUAL_ENV` and `CONDA_PREFIX`, under `CUDA_PATH` and
 * `/usr/local/cuda`, and where the system looks; an error names what is missing and its package. This
 * library has no WebGPU. The commands were run up to a driver without a GPU; the same provider on an
 * NVIDIA H200.
 *
 * **CUDA for the package's library**, beside WebGPU: `deno install --allow-scripts=npm:onnxruntime-node`
 * in a project with a `node_modules` folder fetches the provider; which CUDA it needs, it names itself.
 * This has not been run.
 *
 * **Which one.** ONNX Runtime 1.30's own kernels on an NVIDIA H200, a layer of the Qwen3-8B shape in a recorded
 * run (one session, medians of at least 30): on CUDA in fp16 145, 148, 159 and 209 µs for 1, 8, 32 and 128
 * rows, in int4 83, 166, 299 and 354, so int4 for one row and fp16 for batches; on WebGPU in int4 162 µs for
 * one row and 1.6 to 2.1 ms for more. On NVIDIA's cards CUDA is the faster way by far.
 *
 * **One thread.** Sessions on a GPU share what commands are recorded in, which two threads must not touch at a
 * time. The first that is open there starts in the background; runs, copies and other starts are made
 * on the calling thread, and timers and signals have their turn between two runs.
 *
 * Beside it stands what is below everything that takes long: the notebook, the stop button
 * ({@linkcode interruptSignal}) and progress ({@linkcode progressBar}).
 *
 * @module
 */

export { type Adapter, type AdapterKind, type Footprint, noRoom } from "./adapter.ts";
export { adapters } from "./adapters.ts";
export { openedVersion, OrtError, type Pointer } from "./api.ts";
export { deviceError } from "./device_error.ts";
export { defaultSignal, interruptSignal, nextSignal } from "./interrupt.ts";
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
