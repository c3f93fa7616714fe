/**
 * The ONNX Runtime C API through Deno FFI.
 *
 * `OrtGetApiBase` is the only exported symbol; it leads to a table of function pointers that only
 * ever grows at its end, so an ordinal stays valid. Every function that returns a status is wrapped:
 * a non-null status becomes an {@linkcode OrtError} with the runtime's own message and is released.
 *
 * Source: `onnxruntime_c_api.h`, API version 29.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { chosenLibrary, LIBRARY_VARIABLE, libraryUrl } from "./library.ts";

const API_VERSION = 29;

/** A native pointer that is not null. */
export type Pointer = Deno.PointerObject;
/** What a C function takes. */
export type Argument = Deno.PointerValue | BufferSource | bigint | number;

const p = "pointer", b = "buffer", z = "usize", i = "i32";
const S = "status";

/** Ordinal, parameters and result (`status`: null or an error to raise). */
const TABLE = {
  GetErrorCode: [1, [p], i],
  GetErrorMessage: [2, [p], p],
  CreateEnv: [3, [i, b, b], S],
  CreateSession: [7, [p, b, p, b], S],
  CreateSessionFromArray: [8, [p, b, z, p, b], S],
  CreateSessionOptions: [10, [b], S],
  SetSessionLogSeverityLevel: [22, [p, i], S],
  SetIntraOpNumThreads: [24, [p, i], S],
  SessionGetInputCount: [30, [p, b], S],
  SessionGetOutputCount: [31, [p, b], S],
  SessionGetInputName: [36, [p, z, p, b], S],
  SessionGetOutputName: [37, [p, z, p, b], S],
  CreateRunOptions: [39, [b], S],
  CreateTensorAsOrtValue: [48, [p, b, z, i, b], S],
  CreateTensorWithDataAsOrtValue: [49, [p, p, z, b, z, i, b], S],
  GetTensorMutableData: [51, [p, b], S],
  CreateMemoryInfo: [68, [b, i, i, i, b], S],
  CreateCpuMemoryInfo: [69, [i, i, b], S],
  AllocatorFree: [76, [p, p], S],
  GetAllocatorWithDefaultOptions: [78, [b], S],
  ReleaseStatus: [93, [p], "void"],
  ReleaseMemoryInfo: [94, [p], "void"],
  ReleaseSession: [95, [p], "void"],
  ReleaseValue: [96, [p], "void"],
  ReleaseRunOptions: [97, [p], "void"],
  ReleaseSessionOptions: [100, [p], "void"],
  AddSessionConfigEntry: [130, [p, b, b], S],
  CreateAllocator: [131, [p, p, b], S],
  ReleaseAllocator: [132, [p], "void"],
  RunWithBinding: [133, [p, p, p], S],
  CreateIoBinding: [134, [p, b], S],
  ReleaseIoBinding: [135, [p], "void"],
  BindInput: [136, [p, b, p], S],
  BindOutput: [137, [p, b, p], S],
  AddRunConfigEntry: [165, [p, b, b], S],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, [p, p], S],
  CreateCUDAProviderOptions: [205, [b], S],
  UpdateCUDAProviderOptions: [206, [p, b, b, z], S],
  ReleaseCUDAProviderOptions: [208, [p], "void"],
  SessionOptionsAppendExecutionProvider: [216, [p, b, b, b, z], S],
  AddExternalInitializersFromFilesInMemory: [279, [p, b, b, b, z], S],
  CopyTensors: [386, [p, b, b, p, z], S],
  Session_GetEpGraphAssignmentInfo: [407, [p, b, b], S],
  EpAssignedSubgraph_GetEpName: [408, [p, b], S],
  EpAssignedSubgraph_GetNodes: [409, [p, b, b], S],
  EpAssignedNode_GetOperatorType: [412, [p, b], S],
  SessionReleaseCapturedGraph: [421, [p, i], S],
} as const satisfies Record<
  string,
  readonly [number, readonly Deno.NativeType[], Deno.NativeResultType | typeof S]
>;

type Name = keyof typeof TABLE;
/** Those that take long. */
const LONG = ["RunWithBinding", "CreateSession", "CreateSessionFromArray"] as const;

/** An error that ONNX Runtime reported. */
export class OrtError extends Error {
  /** Wraps a status. */
  constructor(
    /** The C function that failed. */
    readonly call: string,
    /** Status code: 1 fail, 2 invalid argument, 3 no such file, 7 invalid protobuf, 10 invalid graph, … */
    readonly code: number,
    message: string,
  ) {
    super(`${call}: ${message}`);
    this.name = "OrtError";
  }
}

/** The opened library: see {@linkcode ort}. */
type Ort = ReturnType<typeof open>;

/** NUL-terminated UTF-8. */
export const cString = (text: string): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(`${text}\0`);

/** A C array of pointers, as addresses. Its targets must be kept alive by the caller. */
export function pointerArray(pointers: readonly Pointer[]): BigUint64Array<ArrayBuffer> {
  return BigUint64Array.from(pointers, (pointer) => Deno.UnsafePointer.value(pointer));
}

/** A C array of strings; they live as long as the array. */
export function stringArray(texts: readonly string[]): BigUint64Array<ArrayBuffer> {
  const strings = texts.map(cString);
  const addresses = pointerArray(strings.map((text) => Deno.UnsafePointer.of(text)!));
  return Object.assign(addresses, { strings });
}

/** A call that writes 8 bytes through its last argument. */
type Writing = (out: BigUint64Array<ArrayBuffer>) => unknown;

/** The size that a call writes. */
export function sizeFrom(call: Writing): bigint {
  const out = new BigUint64Array(new ArrayBuffer(8));
  call(out);
  return out[0]!;
}

/** The pointer that a call writes. */
export function pointerFrom(call: Writing): Pointer {
  return Deno.UnsafePointer.create(sizeFrom(call))!;
}

/**
 * The table of functions behind the answer of `OrtGetApiBase`, and the version of the library.
 *
 * @throws {Error} Where the library is older than this file needs, with both versions.
 */
export function apiOf(base: Pointer, path: string): { api: Pointer; version: string } {
  const view = new Deno.UnsafePointerView(base);
  const native = <const F extends Deno.ForeignFunction>(index: number, definition: F) =>
    new Deno.UnsafeFnPointer(
      Deno.UnsafePointer.create<F>(view.getBigUint64(index * 8))!,
      definition,
    );
  const getApi = native(0, { parameters: ["u32"], result: "pointer" });
  const getVersion = native(1, { parameters: [], result: "pointer" });
  const version = Deno.UnsafePointerView.getCString(getVersion.call()!);
  const api = getApi.call(API_VERSION); // release 1.n has the versions 1 to n
  if (api !== null) return { api, version };
  throw new Error(
    `Cannot open ONNX Runtime at ${path} as its version must be 1.${API_VERSION} or newer: ` +
      `current value is ${version}`,
  );
}

/** What `OrtGetApiBase` of a library answers. */
function openBase(url: URL, path: string): Pointer {
  try {
    const library = Deno.dlopen(url, { OrtGetApiBase: { parameters: [], result: "pointer" } });
    return library.symbols.OrtGetApiBase()!;
  } catch (cause) {
    const hint = cause instanceof Deno.errors.NotCapable
      ? "grant --allow-ffi"
      : chosenLibrary()
      ? `${LIBRARY_VARIABLE} must name an ONNX Runtime library of this platform, ` +
        `but this file is none: ${(cause as Error).message}`
      : "the package needs glibc on Linux";
    throw new Error(`Cannot open ONNX Runtime at ${path}: ${hint}`, { cause });
  }
}

let opened: Ort | undefined;

/**
 * Opens the library on first use; later calls return the same object.
 *
 * @throws {Error} Where the library cannot be opened, with the reason and what to do.
 */
export function ort(): Ort {
  return opened ??= open();
}

/** Version of the library that is open, such as "1.30.0"; undefined before its first use. */
export function openedVersion(): string | undefined {
  return opened?.version;
}

/** Its functions by name, also on a worker thread; one environment; the host's memory. */
function open() {
  // Without this the environment writes a device id and an event queue under the user's cache.
  Deno.env.set("ORT_DISABLE_TELEMETRY", "1");
  const url = libraryUrl(), path = fileURLToPath(url);
  const { api, version } = apiOf(openBase(url, path), path);
  const table = new Deno.UnsafePointerView(api);

  const native = (name: Name, nonblocking: boolean) => {
    const [ordinal, parameters, declared] = TABLE[name], result = declared === S ? p : declared;
    const definition: Deno.ForeignFunction = { parameters, result, nonblocking };
    const pointer = Deno.UnsafePointer.create<typeof definition>(table.getBigUint64(ordinal * 8))!;
    const fn = new Deno.UnsafeFnPointer(pointer, definition);
    return fn.call.bind(fn) as (...args: Argument[]) => unknown;
  };

  const errorCode = native("GetErrorCode", false), errorMessage = native("GetErrorMessage", false);
  const releaseStatus = native("ReleaseStatus", false);
  const check = (name: string, status: Deno.PointerValue): void => {
    if (status === null) return;
    const message = Deno.UnsafePointerView.getCString(errorMessage(status) as Pointer);
    const code = errorCode(status) as number;
    releaseStatus(status);
    throw new OrtError(name, code, message);
  };
  const blocking = (name: Name): (...args: Argument[]) => unknown => {
    const fn = native(name, false);
    if (TABLE[name][2] !== S) return fn;
    return (...args) => check(name, fn(...args) as Deno.PointerValue);
  };
  const background = (name: Name) => {
    const fn = native(name, true);
    return async (...args: Argument[]) => check(name, await fn(...args) as Deno.PointerValue);
  };

  const called = <N extends Name, Result>(names: readonly N[], make: (name: N) => Result) =>
    Object.fromEntries(names.map((name) => [name, make(name)])) as { readonly [_ in N]: Result };
  const call = called(Object.keys(TABLE) as Name[], blocking);
  const CPU_DEVICE_ALLOCATOR = 0, DEFAULT_MEMORY = 0, LOG_ERRORS = 3;
  return {
    /** Path of the library. */
    path,
    version,
    /** Calls a function; a bad status throws an {@linkcode OrtError}. */
    call,
    /** The same on a worker thread: the event loop goes on meanwhile. */
    callAsync: called(LONG, background),
    env: pointerFrom((out) => call.CreateEnv(LOG_ERRORS, cString("moi"), out)),
    hostMemory: pointerFrom((out) =>
      call.CreateCpuMemoryInfo(CPU_DEVICE_ALLOCATOR, DEFAULT_MEMORY, out)
    ),
    /** Of the strings that ONNX Runtime hands out; borrowed. */
    allocator: pointerFrom((out) => call.GetAllocatorWithDefaultOptions(out)),
  };
}
