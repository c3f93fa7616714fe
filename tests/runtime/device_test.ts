import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createSession, type Device, deviceError, OrtError } from "@moi/moi/runtime";
import { doubling } from "./_graphs.ts";

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
