import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  autoDevices,
  createSession,
  type Device,
  deviceReport,
  DEVICES,
  libraryUrl,
  OrtError,
} from "@moi/moi/runtime";
import { doubling } from "./_graphs.ts";

/** The package has no CUDA library; whoever adds one skips the tests that need it absent. */
const cuda = await Deno.stat(new URL("libonnxruntime_providers_cuda.so", libraryUrl()))
  .then(() => true, () => false);

Deno.test("autoDevices() ends with the CPU on every system", () => {
  for (const os of ["linux", "darwin", "windows", "freebsd"]) {
    const devices = autoDevices(os);
    assertEquals(devices.at(-1), "cpu");
    assertEquals(devices.every((device) => DEVICES.includes(device)), true);
    assertEquals(new Set(devices).size, devices.length);
  }
  assertEquals(autoDevices("linux")[0], "cuda");
});

Deno.test("deviceReport() tells every attempt", () => {
  assertEquals(
    deviceReport([{ device: "cuda", error: "no library" }, { device: "cpu" }]),
    "cuda: no library; cpu: chosen",
  );
});

Deno.test("createSession() refuses an unknown device", async () => {
  for (const device of ["gpu", ["cpu", "CUDA"], "", ["__proto__"]]) {
    await assertRejects(
      () => createSession(doubling(), { device: device as Device }),
      RangeError,
      "'device' must be one of auto, cpu, cuda, webgpu, coreml, dml",
    );
  }
});

Deno.test("createSession() refuses an empty list of devices", async () => {
  await assertRejects(() => createSession(doubling(), { device: [] }), Error, "on any device");
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

Deno.test({
  name: "createSession() falls back along a list of devices and reports every attempt",
  ignore: cuda,
  async fn() {
    using session = await createSession(doubling(), { device: ["cuda", "cpu"] });
    assertEquals(session.device, "cpu");
    assertEquals(session.attempts.map(({ device }) => device), ["cuda", "cpu"]);
    assertStringIncludes(session.attempts[0]!.error!, "libonnxruntime_providers_shared");
    assertEquals(session.attempts[1], { device: "cpu" });
  },
});

Deno.test("createSession() takes the first device of a list that starts", async () => {
  using session = await createSession(doubling(), { device: ["cpu", "cuda"] });
  assertEquals(session.attempts, [{ device: "cpu" }]);
});

Deno.test({
  name: "createSession() that fails on every device lists all attempts",
  ignore: cuda,
  async fn() {
    const error = await assertRejects(
      () => createSession(new Uint8Array([1]), { device: ["cuda", "cpu"] }),
      Error,
    );
    assertStringIncludes(error.message, "on any device: cuda: UpdateCUDAProviderOptions");
    assertStringIncludes(error.message, "cpu: CreateSessionFromArray");
  },
});
