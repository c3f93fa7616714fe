import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { runtimeVersion } from "@moi/moi/runtime";
import { libraryFile, libraryUrl } from "../../lib/runtime/library.ts";

Deno.test("libraryFile() names the file of every platform in the package", () => {
  const paths = [
    ["linux", "x86_64", "bin/napi-v6/linux/x64/libonnxruntime.so.1"],
    ["linux", "aarch64", "bin/napi-v6/linux/arm64/libonnxruntime.so.1"],
    ["darwin", "aarch64", `bin/napi-v6/darwin/arm64/libonnxruntime.${runtimeVersion}.dylib`],
    ["windows", "x86_64", "bin/napi-v6/win32/x64/onnxruntime.dll"],
    ["windows", "aarch64", "bin/napi-v6/win32/arm64/onnxruntime.dll"],
  ] as const;
  for (const [os, arch, path] of paths) assertEquals(libraryFile({ os, arch }), path);
});

Deno.test("libraryFile() names files that lie in the package", async () => {
  const root = new URL("../../../../", libraryUrl());
  for (const os of ["linux", "windows", "darwin"]) {
    const { isFile, size } = await Deno.stat(new URL(libraryFile({ os, arch: "aarch64" }), root));
    assertEquals([isFile, size > 1e6], [true, true], os);
  }
});

Deno.test("libraryFile() refuses a platform that the package lacks", () => {
  const platforms = [
    ["darwin", "x86_64"],
    ["freebsd", "x86_64"],
    ["linux", "riscv64"],
    ["android", "aarch64"],
    ["", ""],
  ] as const;
  for (const [os, arch] of platforms) {
    assertThrows(
      () => libraryFile({ os, arch }),
      RangeError,
      `the platform must be Linux, Windows or macOS on arm64: current value is ${os} ${arch}`,
    );
  }
});

Deno.test("libraryUrl() is the file of this platform", async () => {
  const url = libraryUrl();
  assertEquals(url.protocol, "file:");
  assertEquals(url.pathname.endsWith(libraryFile(Deno.build)), true);
  assertEquals((await Deno.stat(url)).isFile, true);
});

Deno.test("runtimeVersion is the pinned version of onnxruntime-node", async () => {
  assertMatch(runtimeVersion, /^\d+\.\d+\.\d+$/);
  const { imports } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  assertEquals(imports["onnxruntime-node"], `npm:onnxruntime-node@${runtimeVersion}`);
});
