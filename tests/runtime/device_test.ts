import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { createSession, type Device, deviceError, OrtError } from "@moi/moi/runtime";
import { libraryUrl } from "../../lib/runtime/library.ts";
import { doubling } from "./_graphs.ts";

/** The package has no CUDA library; whoever adds one skips the tests that need it absent. */
const cuda = await Deno.stat(new URL("libonnxruntime_providers_cuda.so", libraryUrl()))
  .then(() => true, () => false);

Deno.test("createSession() refuses an unknown device", async () => {
  for (const device of ["gpu", "auto", "CUDA", "", "__proto__"]) {
    await assertRejects(
      () => createSession(doubling(), { device: device as Device }),
      RangeError,
      "'device' must be 'cpu', 'cuda', 'webgpu', 'coreml' or 'dml'",
    );
  }
});

Deno.test({
  name: "createSession() on an absent device fails with the runtime's words",
  ignore: cuda,
  async fn() {
    const error = await assertRejects(
      () => createSession(doubling(), { device: "cuda" }),
      OrtError,
    );
    assertEquals(error.call, "UpdateCUDAProviderOptions");
    assertStringIncludes(error.message, "libonnxruntime_providers_shared");
  },
});

Deno.test({
  name: "createSession() on a device that the library was not built for says so",
  ignore: Deno.build.os !== "linux",
  async fn() {
    for (const device of ["coreml", "dml"] as const) {
      await assertRejects(
        () => createSession(doubling(), { device }),
        OrtError,
        "execution provider is not supported in this build",
      );
    }
  },
});

Deno.test("deviceError() has the runtime's words and not its places in a source", async () => {
  assertEquals(await deviceError("cpu"), undefined);
  const other = Deno.build.os === "darwin" ? "dml" : "coreml";
  assertMatch((await deviceError(other))!, /^[^\n]*not supported in this build\.$/);
});
