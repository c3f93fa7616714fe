/**
 * Which ONNX Runtime library is opened, and where it lies.
 *
 * It is the one that the environment variable `MOI_ORT_LIB` names, else the one that
 * `npm:onnxruntime-node` ships in its tarball; no install script has to run. Nothing else has a say:
 * the choice stands for the whole process, as the library is opened once, on first use. Importing the package's `package.json` puts it into the module graph, so that
 * `import.meta.resolve` answers with a file URL, with and without a `node_modules` folder and also
 * when this module itself was imported over HTTP.
 *
 * @module
 */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { refusal } from "../_check.ts";
import manifest from "npm:onnxruntime-node@1.30.0/package.json" with { type: "json" };

/** Version of the `onnxruntime-node` package in use, such as "1.30.0". */
export const runtimeVersion: string = manifest.version;

/**
 * Path of the shared library inside the package, for a platform.
 *
 * Linux (x64, arm64) is tested; the macOS (arm64) and Windows (x64, arm64) paths are those of the
 * package's file list and have not been run.
 *
 * @throws {RangeError} Where the package has no library for the platform.
 */
export function libraryFile({ os, arch }: { readonly os: string; readonly arch: string }): string {
  const files: Record<string, [folder: string, file: string]> = {
    linux: ["linux", "libonnxruntime.so.1"],
    darwin: ["darwin", `libonnxruntime.${runtimeVersion}.dylib`],
    windows: ["win32", "onnxruntime.dll"],
  };
  const found = files[os];
  if (!found || !["x86_64", "aarch64"].includes(arch) || (os === "darwin" && arch !== "aarch64")) {
    throw new RangeError(
      `Cannot open ONNX Runtime as the platform must be Linux, Windows or macOS on arm64: current value is ${os} ${arch}`,
    );
  }
  return `bin/napi-v6/${found[0]}/${arch === "x86_64" ? "x64" : "arm64"}/${found[1]}`;
}

/** The environment variable that names another library than the package's. */
export const LIBRARY_VARIABLE = "MOI_ORT_LIB";

/** Whether a path leads to a file; a missing permission to read is no answer, and is raised. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return false;
    throw error;
  }
}

/**
 * File URL of the library that `MOI_ORT_LIB` names, from the current folder; undefined where the
 * variable is not set or empty.
 *
 * @throws {RangeError} Where it names no file.
 */
export function chosenLibrary(): URL | undefined {
  const path = Deno.env.get(LIBRARY_VARIABLE);
  if (!path) return undefined;
  const whole = resolve(path);
  if (isFile(whole)) return pathToFileURL(whole);
  const rule = "be the path of an ONNX Runtime library, such as onnxruntime/capi/" +
    `libonnxruntime.so.${runtimeVersion} of a Python environment`;
  throw new RangeError(refusal("open ONNX Runtime", LIBRARY_VARIABLE, rule, path));
}

/**
 * File URL of the library in the package.
 *
 * @throws {RangeError} Where the package has none for the platform.
 */
export function packageLibrary(): URL {
  const url = import.meta.resolve("npm:onnxruntime-node@1.30.0/package.json");
  if (!url.startsWith("file:")) {
    throw new Error(
      `Cannot open ONNX Runtime as the package onnxruntime-node was not found on disk (resolved to ${url}); ` +
        `run 'deno cache npm:onnxruntime-node@${runtimeVersion}' once with network`,
    );
  }
  return new URL(libraryFile(Deno.build), url);
}

/** File URL of the library that is opened: the chosen one, else the package's; both may throw. */
export function libraryUrl(): URL {
  return chosenLibrary() ?? packageLibrary();
}
