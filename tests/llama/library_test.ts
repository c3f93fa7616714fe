/** Which package is opened where, and that nothing but its one version is. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BATCH,
  type Calls,
  checkLayout,
  LLAMA_VERSION,
  PACKAGE_VERSION,
  POOL,
} from "../../lib/llama/api.ts";
import { type LlamaDevice, openLlama, packageOf } from "../../lib/llama/library.ts";
import { cString } from "../../lib/runtime/api.ts";

const DEVICES: readonly LlamaDevice[] = ["cpu", "vulkan", "metal", "cuda"];

/** Names of the packages by platform and device, in that order; none where there is none. */
const EXPECTED: readonly (readonly [string, string, ...(string | undefined)[]])[] = [
  ["linux", "x86_64", "linux-x64", "linux-x64-vulkan", undefined, "linux-x64-cuda"],
  ["linux", "aarch64", "linux-arm64", undefined, undefined, undefined],
  ["darwin", "aarch64", "mac-arm64-metal", undefined, "mac-arm64-metal", undefined],
  ["darwin", "x86_64", "mac-x64", undefined, undefined, undefined],
  ["windows", "x86_64", "win-x64", "win-x64-vulkan", undefined, "win-x64-cuda"],
  ["windows", "aarch64", "win-arm64", undefined, undefined, undefined],
  ["freebsd", "x86_64", undefined, undefined, undefined, undefined],
];

Deno.test("each platform has its packages, and what there is not is refused by name", () => {
  for (const [os, arch, ...names] of EXPECTED) {
    for (const [i, name] of names.entries()) {
      const device = DEVICES[i]!, find = () => packageOf(device, { os, arch });
      if (name) assertEquals(find(), `@node-llama-cpp/${name}@${PACKAGE_VERSION}`);
      else {
        const { message } = assertThrows(find, RangeError);
        assert(message.startsWith(`Cannot open llama.cpp for ${device} as`), message);
        assert(message.includes(`${os} ${arch}`), message);
      }
    }
  }
  const { message } = assertThrows(
    () => packageOf("cuda", { os: "darwin", arch: "aarch64" }),
    RangeError,
  );
  assert(message.endsWith("there is one for 'cpu', 'metal'"), message);
});

Deno.test("libraries are opened once, for the processor without GPUs", async () => {
  const [one, other] = await Promise.all([openLlama("cpu"), openLlama("cpu")]);
  assert(one === other);
  assertEquals(one.device, "cpu");
  assertEquals(one.gpus, []);
  assert(one.cpu.free() >= 0);
  if (Deno.build.os !== "linux") return;
  await assertRejects(() => openLlama("metal"), RangeError, "there is no library for it on linux");
});

Deno.test("another version, and structs that are laid out otherwise, are refused by name", async () => {
  const { call } = await openLlama("cpu");
  checkLayout(call);
  for (const version of ["0.5.0", "", "10.4.0", "v0.4.0"]) {
    const text = cString(version);
    const other: Calls = { ...call, llama_version: () => Deno.UnsafePointer.of(text) };
    const { message } = assertThrows(() => checkLayout(other), Error);
    assert(message.includes(`must be ${LLAMA_VERSION}`) && message.endsWith(version), message);
  }
  /** Default parameters with a number inserted, as where a later version has one field more. */
  const shifted = (bytes: Uint8Array, at: number) => {
    const own = bytes.slice();
    own.set(bytes.subarray(at, bytes.length - 4), at + 4);
    return own;
  };
  for (const at of [0, 8, 16]) {
    const bytes = shifted(call.llama_context_default_params(), at);
    const other: Calls = { ...call, llama_context_default_params: () => bytes };
    assertThrows(() => checkLayout(other), Error, "laid out otherwise than in 0.4.0: ");
  }
  const bytes = shifted(call.llama_model_default_params(), 16);
  const other: Calls = { ...call, llama_model_default_params: () => bytes };
  assertThrows(() => checkLayout(other), Error, "laid out otherwise than in 0.4.0: split_mode");
});

Deno.test("structs that no default tells have the sizes of the headers", () => {
  assertEquals(BATCH.size, 56);
  assertEquals(POOL.size, 528);
});
