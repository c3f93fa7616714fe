/**
 * Which libraries of llama.cpp are opened: those of an npm package for the platform, fetched on first use.
 *
 * Linux x64 with "cpu" and "vulkan" is tested; the others are those of the packages' file lists and have not been
 * run. The packages have 5 to 25 MB, for CUDA 143 MB.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { adapters } from "../runtime/adapters.ts";
import { cString } from "../runtime/api.ts";
import { type Calls, checkLayout, openCalls, PACKAGE_VERSION, textAt } from "./api.ts";
import { logSilently } from "./log.ts";

/** Where llama.cpp computes. */
export type LlamaDevice = "cpu" | "vulkan" | "metal" | "cuda";

/** What llama.cpp calls the part of each device. */
const BACKENDS: Readonly<Record<LlamaDevice, string>> = {
  ...{ cpu: "CPU", vulkan: "Vulkan", metal: "MTL", cuda: "CUDA" },
};

/** The packages by platform. */
const PACKAGES: Readonly<Record<string, Readonly<Partial<Record<LlamaDevice, string>>>>> = {
  "linux x86_64": { cpu: "linux-x64", vulkan: "linux-x64-vulkan", cuda: "linux-x64-cuda" },
  "linux aarch64": { cpu: "linux-arm64" },
  "darwin aarch64": { cpu: "mac-arm64-metal", metal: "mac-arm64-metal" },
  "darwin x86_64": { cpu: "mac-x64" },
  "windows x86_64": { cpu: "win-x64", vulkan: "win-x64-vulkan", cuda: "win-x64-cuda" },
  "windows aarch64": { cpu: "win-arm64" },
};

/** What a device needs beside the package. */
const NEEDS: Readonly<Record<LlamaDevice, string>> = {
  cpu: "a processor that it knows",
  vulkan:
    "a GPU and its Vulkan driver (for one that the CPU emulates GGML_VK_VISIBLE_DEVICES=0, too)",
  metal: "an Apple chip",
  cuda:
    "NVIDIA's driver, and CUDA 13's libcudart and libcublas in LD_LIBRARY_PATH; 'vulkan' does not",
};

/**
 * The npm package of a device.
 *
 * @throws {RangeError} Where there is none for the platform.
 *
 * @example
 * ```ts
 * import { packageOf } from "@moi/moi/llama";
 * import { assertEquals } from "@std/assert";
 * const linux = { os: "linux", arch: "x86_64" };
 * assertEquals(packageOf("vulkan", linux), "@node-llama-cpp/linux-x64-vulkan@3.21.1");
 * ```
 */
export function packageOf(
  device: LlamaDevice,
  { os, arch }: { readonly os: string; readonly arch: string } = Deno.build,
): string {
  const own = PACKAGES[`${os} ${arch}`] ?? {}, name = own[device];
  if (name !== undefined) return `@node-llama-cpp/${name}@${PACKAGE_VERSION}`;
  const devices = Object.keys(own).map((name) => `'${name}'`).join(", ");
  throw new RangeError(
    `Cannot open llama.cpp for ${device} as there is no library for it on ${os} ${arch}: ` +
      (devices ? `there is one for ${devices}` : "there is none for this platform"),
  );
}

/** A device of the opened libraries. */
export interface Unit {
  readonly pointer: Deno.PointerValue;
  /** Such as "NVIDIA GeForce RTX 4090". */
  readonly description: string;
  /** Bytes that are free; 0 where it does not say. */
  free(): number;
}

/** The opened libraries of a device. */
export interface Llama {
  readonly device: LlamaDevice;
  /** The processor. */
  readonly cpu: Unit;
  /** The GPUs; none for "cpu". */
  readonly gpus: readonly Unit[];
  readonly call: Calls;
  /** Path of the library of ggml's own functions. */
  readonly base: string;
}

/** Where a package lies; fetched where it does not. */
async function folderOf(name: string): Promise<string> {
  let bins: string;
  try {
    const { getBinsDir } = await import(`npm:${name}`); // by a variable, so that nobody fetches all of them
    bins = getBinsDir().binsDir;
  } catch (cause) {
    throw new Error(
      `Cannot open llama.cpp as the npm package ${name} was not found: it is fetched on first use, so run ` +
        `'deno cache npm:${name}' once with network, or add it where a package.json lists the packages ` +
        `(${(cause as Error).message.split("\n")[0]})`,
      { cause },
    );
  }
  const path = bins.startsWith("file:") ? fileURLToPath(bins) : bins;
  const [folder] = [...Deno.readDirSync(path)].filter(({ isDirectory }) => isDirectory);
  return join(path, folder?.name ?? "");
}

/** Path of a library in a folder, such as that of "libllama.vulkan.v0.4.0.so". */
function libraryIn(folder: string, stem: string): string {
  const named = new RegExp(`^(lib)?${stem}(\\.[a-z]\\w*)*(\\.v[\\d.]+)?\\.(so|dylib|dll)$`);
  const found = [...Deno.readDirSync(folder)].find(({ name }) => named.test(name));
  if (found) return join(folder, found.name);
  throw new Error(`Cannot open llama.cpp as there is no library ${stem} in ${folder}`);
}

function unitsOf(call: Calls): (Unit & { readonly backend: string })[] {
  return Array.from({ length: Number(call.ggml_backend_dev_count()) }, (_, index) => {
    const pointer = call.ggml_backend_dev_get(BigInt(index));
    return {
      pointer,
      description: textAt(call.ggml_backend_dev_description(pointer)).trim(),
      backend: textAt(call.ggml_backend_reg_name(call.ggml_backend_dev_backend_reg(pointer))),
      free() {
        const free = new BigUint64Array(1), total = new BigUint64Array(1);
        call.ggml_backend_dev_memory(pointer, free, total);
        return Number(free[0]);
      },
    };
  });
}

async function open(device: LlamaDevice, name: string): Promise<Llama> {
  const missing = () =>
    new Error(
      `Cannot open llama.cpp for ${device} as it finds no such device: it needs ${NEEDS[device]}`,
    );
  if (device === "cuda" && !adapters().some((one) => one.device === device)) throw missing(); // 143 MB are spared
  const folder = await folderOf(name), at = (stem: string) => libraryIn(folder, stem);
  const base = at("ggml-base"), call = openCalls({ base, ggml: at("ggml"), llama: at("llama") });
  checkLayout(call);
  logSilently(call);
  // another program of this process may have opened the same libraries
  if (call.ggml_backend_reg_count() === 0n) call.ggml_backend_load_all_from_path(cString(folder));
  call.llama_backend_init();
  const units = unitsOf(call), cpu = units.find(({ backend }) => backend === BACKENDS.cpu);
  const gpus = device === "cpu" ? [] : units.filter(({ backend }) => backend === BACKENDS[device]);
  if (cpu && (device === "cpu" || gpus.length > 0)) return { device, cpu, gpus, call, base };
  throw missing();
}

const opened = new Map<LlamaDevice, Promise<Llama>>();

/**
 * Opens the libraries for a device, once.
 *
 * @throws {RangeError} Where there are none for the platform.
 * @throws {Error} Where the package cannot be had, is of another version, or finds no such device.
 */
export function openLlama(device: LlamaDevice): Promise<Llama> {
  const known = opened.get(device) ?? open(device, packageOf(device));
  opened.set(device, known);
  known.catch(() => opened.delete(device)); // what was missing may come
  return known;
}
