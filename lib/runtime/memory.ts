/**
 * Host memory outside the JavaScript heap: zeroed slabs whose pages are committed when first
 * touched, and files mapped read-only.
 *
 * @module
 */

import { cString, type Pointer } from "./api.ts";

const PROT_READ = 1, PROT_WRITE = 2, MAP_PRIVATE = 2;
const MADV_DONTNEED = 4;
/**
 * Larger blocks are given back part by part on a worker thread: the system takes 40 ms for a GB in
 * use, and all of the process waits for it where it needs memory meanwhile.
 */
const LARGE = 2 ** 26;
const MAP_ANONYMOUS = Deno.build.os === "darwin" ? 0x1000 : 0x20;

/** A block of host memory. */
export interface Memory extends Disposable {
  /** Its first byte. */
  readonly pointer: Pointer;
  /** Its size in bytes. */
  readonly byteLength: number;
  /** The memory itself, without a copy. Not to be used after disposal. */
  readonly buffer: ArrayBuffer;
}

/** A file in memory. */
export interface MappedFile extends Memory {
  /** Its absolute path, symbolic links followed. */
  readonly path: string;
  /** When the file was last changed, in milliseconds since 1970; 0 where that is not known. */
  readonly modified: number;
  /**
   * Gives back the memory of the parts read so far; they are read again where they are needed. Safe
   * while others read.
   */
  forget(): void;
}

function openLibc() {
  const madvise = { parameters: ["pointer", "usize", "i32"], result: "i32" } as const;
  return Deno.dlopen(Deno.build.os === "darwin" ? "libSystem.dylib" : "libc.so.6", {
    mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "usize" },
    munmap: { parameters: ["pointer", "usize"], result: "i32" },
    open: { parameters: ["buffer", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
    madvise,
    madviseLater: { ...madvise, name: "madvise", nonblocking: true },
  }).symbols;
}
let libc: ReturnType<typeof openLibc> | undefined;

function map(byteLength: number, protection: number, flags: number, file: number): Memory {
  if (!Number.isSafeInteger(byteLength) || byteLength < 1) {
    throw new RangeError(
      `Cannot map memory as 'byteLength' must be a positive integer: current value is ${byteLength}`,
    );
  }
  libc ??= openLibc();
  const { mmap, munmap } = libc;
  const address = mmap(null, BigInt(byteLength), protection, flags, file, 0n);
  if (address === 0xffff_ffff_ffff_ffffn) {
    throw new Error(
      `Cannot map ${byteLength} bytes of memory: the system refused (out of memory?)`,
    );
  }
  const pointer = Deno.UnsafePointer.create(address)!;
  let disposed = false;
  return {
    pointer,
    byteLength,
    buffer: Deno.UnsafePointerView.getArrayBuffer(pointer, byteLength),
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      if (byteLength > LARGE) void unmapInTurns(pointer, byteLength);
      else munmap(pointer, BigInt(byteLength));
    },
  };
}

async function unmapInTurns(pointer: Pointer, byteLength: number): Promise<void> {
  const { madviseLater, munmap } = libc!;
  for (let at = 0; at < byteLength; at += LARGE) {
    const size = BigInt(Math.min(LARGE, byteLength - at));
    await madviseLater(Deno.UnsafePointer.offset(pointer, at), size, MADV_DONTNEED);
  }
  munmap(pointer, BigInt(byteLength));
}

/** Memory over an array buffer: the garbage collector frees it. */
export function memoryOver(buffer: ArrayBuffer): Memory {
  const pointer = Deno.UnsafePointer.of(buffer)!;
  return { pointer, byteLength: buffer.byteLength, buffer, [Symbol.dispose]() {} };
}

/**
 * Zeroed memory. On Linux and macOS its pages cost nothing until they are written; on Windows it is
 * an ordinary array buffer.
 *
 * @param byteLength Size in bytes, at least 1.
 */
export function allocate(byteLength: number): Memory {
  if (Deno.build.os === "windows") return memoryOver(new ArrayBuffer(byteLength));
  return map(byteLength, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/**
 * A file's bytes: mapped on Linux and macOS (no copy, shared between processes), read on Windows.
 *
 * @param path File to map.
 * @throws {RangeError} Where it is empty or no file.
 * @throws {Deno.errors.NotFound} Where it is missing.
 */
export function mapFile(path: string): MappedFile {
  const { size, isFile, mtime } = Deno.statSync(path), modified = mtime?.getTime() ?? 0;
  if (!isFile) throw new RangeError(`Cannot map ${path} as it must be a file`);
  if (size === 0) throw new RangeError(`Cannot map ${path} as the file is empty`);
  const known = { path: Deno.realPathSync(path), modified };
  if (Deno.build.os === "windows") {
    return { ...memoryOver(Deno.readFileSync(path).buffer), ...known, forget() {} };
  }
  libc ??= openLibc();
  const { madvise } = libc;
  const file = libc.open(cString(path), 0);
  if (file < 0) throw new Deno.errors.NotFound(`Cannot map ${path}: the file could not be opened`);
  try {
    const memory = map(size, PROT_READ, MAP_PRIVATE, file);
    let mapped = true;
    return {
      ...memory,
      ...known,
      forget() {
        if (mapped) madvise(memory.pointer, BigInt(size), MADV_DONTNEED);
      },
      [Symbol.dispose]() {
        mapped = false; // what lies there afterwards is not ours to discard
        memory[Symbol.dispose]();
      },
    };
  } finally {
    libc.close(file);
  }
}
