import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { relative } from "node:path";
import { openedVersion, type Pointer, runtimeVersion } from "@moi/moi/runtime";
import { apiOf, cString, ort } from "../../lib/runtime/api.ts";
import { libraryFile, packageLibrary } from "../../lib/runtime/library.ts";
import { deno } from "../_process.ts";
import { root } from "../_repository.ts";
import { temporaryFolder } from "../_temporary.ts";

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
  const root = new URL("../../../../", packageLibrary());
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

Deno.test("packageLibrary() is the file of this platform", async () => {
  const url = packageLibrary();
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
  const devices = await Deno.readTextFile(new URL("lib/runtime/mod.ts", root));
  assertStringIncludes(devices, `onnxruntime-gpu==${runtimeVersion} `);
  assertStringIncludes(devices, `libonnxruntime.so.${runtimeVersion})`);
});

/** What a process says that opens the library which a variable names. */
async function opening(library: string): Promise<string> {
  const code = `
    import { createSession, openedVersion } from "@moi/moi/runtime";
    import { ort } from "./lib/runtime/api.ts";
    import { doubling } from "./tests/runtime/_graphs.ts";
    try {
      using session = await createSession(doubling());
      console.log(session.inputs.join(), openedVersion(), ort().path);
    } catch (error) {
      console.log(String(error));
    }
  `;
  const { stdout, stderr } = await deno(["eval", "--quiet", code], {
    env: { MOI_ORT_LIB: library },
  });
  return `${stdout}${stderr}`.trim();
}

Deno.test("MOI_ORT_LIB names the library that is opened, from the current folder", async () => {
  await using folder = await temporaryFolder();
  const own = fileURLToPath(packageLibrary()), other = `${folder.path}/another name.so`;
  await Deno.copyFile(own, other);
  for (const path of [other, relative(fileURLToPath(root), other)]) {
    assertEquals(await opening(path), `x ${runtimeVersion} ${other}`);
  }
  assertEquals(await opening(""), `x ${runtimeVersion} ${own}`);
});

Deno.test("MOI_ORT_LIB is refused where it names no file, or no ONNX Runtime", async () => {
  await using folder = await temporaryFolder({ "a.so": "text", "empty.so": "" });
  const { path } = folder;
  for (const name of [`${path}/none.so`, `${path}/a.so/none.so`, path, "none.so"]) {
    assertEquals(
      await opening(name),
      "RangeError: Cannot open ONNX Runtime as 'MOI_ORT_LIB' must be the path of an ONNX Runtime " +
        `library, such as onnxruntime/capi/libonnxruntime.so.${runtimeVersion} of a Python ` +
        `environment: current value is ${JSON.stringify(name)}`,
    );
  }
  for (const name of ["a.so", "empty.so"]) {
    const said = await opening(`${path}/${name}`);
    assertStringIncludes(said, `Error: Cannot open ONNX Runtime at ${path}/${name}: MOI_ORT_LIB`);
    assertStringIncludes(said, "but this file is none");
  }
});

/** A library's base: versions up to `newest`, its release in words. */
function baseOf(newest: number, release: string, asked: number[]) {
  const words = cString(release), table = new BigUint64Array(1);
  const getApi = new Deno.UnsafeCallback(
    { parameters: ["u32"], result: "pointer" },
    (version) => {
      asked.push(version);
      return version <= newest ? Deno.UnsafePointer.of(table) : null;
    },
  );
  const getVersion = new Deno.UnsafeCallback(
    { parameters: [], result: "pointer" },
    () => Deno.UnsafePointer.of(words),
  );
  const calls = [getApi.pointer, getVersion.pointer].map(Deno.UnsafePointer.value);
  const base = BigUint64Array.from(calls);
  return {
    base: Deno.UnsafePointer.of(base) as Pointer,
    table: Deno.UnsafePointer.of(table)!,
    [Symbol.dispose]() {
      getApi.close();
      getVersion.close();
      void [base, table, words]; // alive until here
    },
  };
}

Deno.test("a library that is too old is refused with its version and the one that is needed", () => {
  for (const [newest, release] of [[20, "1.20.1"], [28, "1.28.0"], [1, "1.0.0"]] as const) {
    using old = baseOf(newest, release, []);
    assertThrows(
      () => apiOf(old.base, "/a/libonnxruntime.so"),
      Error,
      "Cannot open ONNX Runtime at /a/libonnxruntime.so as its version must be 1.29 or newer: " +
        `current value is ${release}`,
    );
  }
  const asked: number[] = [];
  using newer = baseOf(31, "1.31.1", asked);
  const { api, version } = apiOf(newer.base, "/a");
  assertEquals([version, asked], ["1.31.1", [29]]);
  assertEquals(Deno.UnsafePointer.equals(api, newer.table), true);
});

Deno.test("openedVersion() is that of the library", () => {
  assertEquals([ort().version, openedVersion()], [runtimeVersion, runtimeVersion]);
});
