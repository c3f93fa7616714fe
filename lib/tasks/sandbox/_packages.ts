/**
 * Compiled Python packages, such as numpy, for tests and answers that import them.
 *
 * Pyodide's lock file names each package of its distribution with its file and SHA-256; the npm package
 * holds none of the files. They are looked for in the cache folder, then at Pyodide's own address, and
 * used only where the digest is right. They run in the sandbox alone.
 *
 * @module
 */

import { join } from "node:path";
import { keepFile } from "../../_cache_home.ts";

/** What is read of Pyodide's `pyodide-lock.json`. */
export interface Lock {
  readonly packages: Readonly<Record<string, Package>>;
}

interface Package {
  readonly file_name: string;
  readonly sha256: string;
  readonly imports: readonly string[];
  readonly depends: readonly string[];
}

/** The package that a module comes from, and those that it needs; undefined where none has it. */
export function packagesOf(module: string, { packages }: Lock): Package[] | undefined {
  const first = Object.entries(packages).find(([, { imports }]) => imports.includes(module))?.[0];
  if (first === undefined) return undefined;
  const names = new Set([first]);
  for (const name of names) for (const other of packages[name]?.depends ?? []) names.add(other);
  return [...names].flatMap((name) => packages[name] ?? []);
}

/** Largest package, in bytes, and milliseconds that one may take to come. */
const LARGEST = 2 ** 28, LONGEST_MS = 60_000;

async function download(address: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const net = await Deno.permissions.query({ name: "net", host: new URL(address).host });
  if (net.state !== "granted") return undefined; // never asks
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(LONGEST_MS) });
    if (!response.ok || Number(response.headers.get("content-length") ?? 0) > LARGEST) {
      await response.body?.cancel();
      return undefined;
    }
    return new Uint8Array(await response.arrayBuffer());
  } catch {
    return undefined;
  }
}

/** The folder that packages are kept in, the address they come from, and whether none is downloaded. */
interface PackageOptions {
  readonly folder: string;
  readonly address: string;
  readonly offline: boolean;
}

const downloads = new Map<string, Promise<Uint8Array<ArrayBuffer> | undefined>>();

/** Path of a package's file; undefined where it cannot be had. */
async function fileOf({ file_name: name, sha256 }: Package, options: PackageOptions) {
  if (!/^[\w.+-]+$/.test(name)) return undefined;
  const path = join(options.folder, name), address = `${options.address}${name}`;
  const isKept = await keepFile(path, sha256, async () => {
    if (options.offline) return undefined;
    const coming = downloads.get(address) ?? download(address); // tried once
    downloads.set(address, coming);
    return await coming;
  });
  return isKept ? path : undefined;
}

/**
 * Files of the package that a module comes from, with those of the packages it needs; undefined where one cannot
 * be had, or no package has the module.
 */
export async function filesOf(
  module: string,
  lock: Lock,
  options: PackageOptions,
): Promise<string[] | undefined> {
  const files: string[] = [];
  for (const one of packagesOf(module, lock) ?? []) {
    const file = await fileOf(one, options);
    if (file === undefined) return undefined;
    files.push(file);
  }
  return files.length > 0 ? files : undefined;
}
