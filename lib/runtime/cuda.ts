/**
 * CUDA: NVIDIA's libraries, opened before ONNX Runtime's provider asks for them, and its memory.
 *
 * The provider names the libraries it needs and leaves it to the system to find them, which knows
 * nothing of Python environments. A library that is already open is not looked for again: so each is
 * opened first, by its path, where the system does not find it by name.
 *
 * Run on Linux, up to a driver that knows no GPU, and with stand-ins for NVIDIA's libraries whose device is
 * the host and whose kernels do nothing: the provider placed, recorded and played back every graph on them. No
 * copy was made on a GPU. On Windows nothing was run.
 *
 * @module
 */

import { basename, join } from "node:path";
import { cString, ort, type Pointer } from "./api.ts";
import {
  cudaFolders,
  isCuda,
  type Place,
  providerPath,
  remedy,
  withoutProvider,
} from "./cuda_search.ts";
import { neededLibraries } from "./elf.ts";
import { isFile } from "./library.ts";

/**
 * What the provider of the Windows wheel needs, by its import table, and the runtime for
 * {@linkcode cudaMemory}: the provider has its own copy of that.
 */
const NEEDED_ON_WINDOWS = ["cudart64_13.dll", "cublasLt64_13.dll", "cublas64_13.dll"];

/** Opens a library for as long as the process lives: what went wrong, or undefined. */
function failureOf(path: string): string | undefined {
  try {
    Deno.dlopen(path, {});
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return (error as Error).message.replaceAll("Could not open library: ", "");
  }
}

/** The libraries of CUDA that a library needs. */
const needs = (path: string): string[] =>
  path.endsWith(".dll") ? [] : neededLibraries(path).filter(isCuda);

/** What came of opening libraries. */
interface Opened {
  /** Where each was opened, by name; the name itself where the system found it. */
  readonly paths: Map<string, string>;
  /** Why each of the others was not. */
  readonly missing: Map<string, string>;
}

/** Opens a library and those that it needs: as the system finds it, else from the first folder. */
function openLibrary(name: string, folders: readonly string[], opened: Opened): void {
  const { paths, missing } = opened;
  if (paths.has(name) || missing.has(name)) return;
  missing.set(name, "not found"); // until it is; also ends circles
  const found = folders.map((folder) => join(folder, name)).filter(isFile);
  for (const path of [name, ...found]) {
    let failure: string | undefined;
    try {
      if (path !== name) needs(path).forEach((needed) => openLibrary(needed, folders, opened));
      failure = failureOf(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      failure = (error as Error).message; // no library at all
    }
    if (failure === undefined) {
      paths.set(name, path);
      missing.delete(name);
      return;
    }
    if (!failure.startsWith(`${name}: cannot open`)) missing.set(name, failure);
  }
}

/**
 * Opens all libraries of CUDA that the provider needs.
 *
 * @returns Where each was opened, by name; the name itself where the system found it.
 * @throws {Error} Where there is no provider beside ONNX Runtime's library, or a library is missing:
 *     its name, where it was looked for, what to do.
 */
export function openCuda(place: Place): ReadonlyMap<string, string> {
  const { os, library } = place;
  if (os !== "linux" && os !== "windows") {
    throw new RangeError(`Cannot use CUDA as the platform must be Linux or Windows: it is ${os}`);
  }
  const provider = providerPath(place);
  if (!isFile(provider)) {
    throw new Error(
      `Cannot use CUDA as there is no ${basename(provider)} beside ${library}: ` +
        withoutProvider(place),
    );
  }
  const needed = os === "windows" ? NEEDED_ON_WINDOWS : needs(provider);
  const folders = cudaFolders(place), opened: Opened = { paths: new Map(), missing: new Map() };
  for (const name of needed) openLibrary(name, folders, opened);
  const missing = [...opened.missing];
  if (missing.length === 0) return opened.paths;
  throw new Error(
    `Cannot use CUDA as ${missing.map(([name, why]) => `${name} (${why})`).join(", ")} ` +
      "could not be opened; looked among the system's libraries" +
      `${folders.length > 0 ? ` and in ${folders.join(", ")}` : ""}: ` +
      remedy(missing.map(([name]) => name), needed),
  );
}

/**
 * Keeps a library open until the process is gone. At its end Deno closes what it opened, and only
 * then the provider, which ONNX Runtime opened, cleans up: by calls into ONNX Runtime. On Windows
 * nothing is done.
 */
function keepOpen(path: string): void {
  if (Deno.build.os !== "linux") return;
  const AT_ONCE = 0x2, NEVER_DELETED = 0x1000; // RTLD_NOW, RTLD_NODELETE
  const { symbols } = Deno.dlopen("libdl.so.2", {
    dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
  });
  symbols.dlopen(cString(path), AT_ONCE | NEVER_DELETED);
}

let prepared: ReadonlyMap<string, string> | undefined;

/**
 * Opens what the CUDA provider of the library in use needs; the first success stands. Call it before
 * ONNX Runtime is asked for the provider.
 *
 * @returns Where each library of CUDA was opened, by name; the name where the system found it.
 * @throws {Error} Where something is missing, with what to do.
 */
export function prepareCuda(): ReadonlyMap<string, string> {
  if (prepared) return prepared;
  const library = ort().path;
  const paths = openCuda({ os: Deno.build.os, env: (name) => Deno.env.get(name), library });
  keepOpen(library);
  return prepared = paths;
}

/** The GPU's memory. */
export interface CudaMemory {
  /**
   * A block of so many bytes, all 0.
   *
   * @throws {Error} With CUDA's words, and how much is free.
   */
  allocate(bytes: number): Pointer;
  /** Frees a block. */
  free(block: Pointer): void;
  /**
   * Copies bytes between the host and the device, or within either, and waits once until all are there.
   *
   * @param copies Where bytes go, an address of the host or the device; where they come from; how many.
   * @throws {Error} With CUDA's words.
   */
  copy(copies: readonly (readonly [to: Pointer, from: Pointer, bytes: number])[]): void;
}

const p = "pointer", i = "i32";
const SYMBOLS = {
  cudaMalloc: { parameters: ["buffer", "usize"], result: i },
  cudaFree: { parameters: [p], result: i },
  cudaMemset: { parameters: [p, i, "usize"], result: i },
  cudaMemcpy: { parameters: [p, p, "usize", i], result: i },
  cudaDeviceSynchronize: { parameters: [], result: i },
  cudaMemGetInfo: { parameters: ["buffer", "buffer"], result: i },
  cudaGetErrorString: { parameters: [i], result: p },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of CUDA's runtime that are used. */
export type CudaRuntime = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** The memory through a runtime. */
export function memoryThrough(runtime: CudaRuntime): CudaMemory {
  const ANY_TO_ANY = 4; // cudaMemcpyDefault: which is which is known by the address
  const number = () => new BigUint64Array(new ArrayBuffer(8));
  /** What is free, in words; empty where that is not known. */
  const room = (): string => {
    const free = number(), total = number();
    if (runtime.cudaMemGetInfo(free, total) !== 0) return "";
    const [own, all] = [free, total].map(([bytes]) => (Number(bytes) / 2 ** 30).toFixed(1));
    return `; ${own} of ${all} GiB are free`;
  };
  const check = (work: string, status: number, more = () => ""): void => {
    if (status === 0) return;
    const words = Deno.UnsafePointerView.getCString(runtime.cudaGetErrorString(status)!);
    throw new Error(`Cannot ${work} on the GPU: ${words} (CUDA error ${status})${more()}`);
  };
  // what copies or clears memory of the device has only begun
  const wait = (work: string) => check(work, runtime.cudaDeviceSynchronize());
  return {
    allocate(bytes) {
      const out = number(), size = BigInt(Math.max(1, bytes)), work = `allocate ${bytes} bytes`;
      check(work, runtime.cudaMalloc(out, size), room);
      const block = Deno.UnsafePointer.create(out[0]!)!;
      check(work, runtime.cudaMemset(block, 0, size));
      wait(work);
      return block;
    },
    free: (block) => check("free memory", runtime.cudaFree(block)),
    copy(copies) {
      let all = 0;
      for (const [to, from, bytes] of copies) {
        all += bytes;
        const status = runtime.cudaMemcpy(to, from, BigInt(bytes), ANY_TO_ANY);
        check(`copy ${bytes} bytes`, status);
      }
      if (copies.length > 0) wait(`copy ${all} bytes`);
    },
  };
}

/** The memory through the libcudart at a path, or of a name that the system finds. */
export function memoryOf(path: string): CudaMemory {
  return memoryThrough(Deno.dlopen(path, SYMBOLS).symbols);
}

let memory: CudaMemory | undefined;

/**
 * The memory of the GPU that {@linkcode prepareCuda} found, which is the first one.
 *
 * @throws {Error} Where CUDA cannot be had, with what to do.
 */
export function cudaMemory(): CudaMemory {
  if (memory) return memory;
  const [, path] = [...prepareCuda()].find(([name]) => /^(lib)?cudart/.test(name))!;
  return memory = memoryOf(path);
}
