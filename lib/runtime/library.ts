/**
 * Where the ONNX Runtime shared library lies.
 *
 * The library is the one that `npm:onnxruntime-node` ships in its tarball; no install script has to
 * run. Importing the package's `package.json` puts it into the module graph, so that
 * `import.meta.resolve` answers with a file URL, with and without a `node_modules` folder and also
 * when this module itself was imported over HTTP.
 *
 * @module
 */

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

/** File URL of the shared library on this machine. */
export function libraryUrl(): URL {
  const url = import.meta.resolve("npm:onnxruntime-node@1.30.0/package.json");
  if (!url.startsWith("file:")) {
    throw new Error(
      `Cannot open ONNX Runtime as the package onnxruntime-node was not found on disk (resolved to ${url}); ` +
        `run 'deno cache npm:onnxruntime-node@${runtimeVersion}' once with network`,
    );
  }
  return new URL(libraryFile(Deno.build), url);
}
