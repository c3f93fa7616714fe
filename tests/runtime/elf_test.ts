import { assertEquals, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { neededFrom, neededLibraries } from "../../lib/runtime/elf.ts";
import { packageLibrary } from "../../lib/runtime/library.ts";
import { seeded } from "../_random.ts";
import { temporaryFolder } from "../_temporary.ts";
import { sharedLibrary } from "./_elf.ts";

const of = (bytes: Uint8Array) =>
  neededFrom((offset, length) => bytes.subarray(offset, offset + length), "a.so");
const REFUSED = "Cannot tell which libraries are needed as a.so is no shared library of Linux";

Deno.test({
  name: "neededLibraries() of a real library are those that readelf -d names",
  ignore: Deno.build.os !== "linux",
  fn() {
    const needed = neededLibraries(fileURLToPath(packageLibrary()));
    assertEquals(
      ["libdl.so.2", "libpthread.so.0", "libm.so.6", "libc.so.6"]
        .filter((name) => !needed.includes(name)),
      [],
    );
    assertEquals(needed.filter((name) => !/^(lib|ld-)[\w+-]+\.so\.\d+$/.test(name)), []);
  },
});

Deno.test("neededFrom() gives the names in their order", () => {
  for (const names of [[], ["libc.so.6"], ["libb.so.2", "liba.so.1", "lib+é.so"]]) {
    assertEquals(of(sharedLibrary("a.so", names)), names);
  }
});

Deno.test("neededLibraries() reads a file, and names it where it is none", async () => {
  const good = sharedLibrary("a.so", ["libb.so.1"]);
  await using folder = await temporaryFolder({ "a.so": good, "b.so": good.subarray(0, 200) });
  assertEquals(neededLibraries(`${folder.path}/a.so`), ["libb.so.1"]);
  assertThrows(() => neededLibraries(`${folder.path}/b.so`), Error, `${folder.path}/b.so is no`);
  assertThrows(() => neededLibraries(`${folder.path}/c.so`), Deno.errors.NotFound);
});

Deno.test("neededFrom() refuses a file cut off anywhere before the end of its names", () => {
  const whole = sharedLibrary("a.so", ["libb.so.1", "libc.so.2"]);
  for (let length = 0; length < whole.length; length++) {
    assertThrows(() => of(whole.subarray(0, length)), Error, REFUSED, `${length} bytes`);
  }
});

Deno.test("neededFrom() refuses or reads altered bytes, and throws nothing else", () => {
  const whole = sharedLibrary("a.so", ["libb.so.1", "libc.so.2"]), random = seeded(7);
  let refused = 0;
  const tried = (bytes: Uint8Array) => {
    try {
      of(bytes);
    } catch (error) {
      assertEquals((error as Error).message.startsWith(REFUSED), true, String(error));
      refused++;
    }
  };
  for (let at = 0; at < whole.length; at++) {
    for (const value of [0, 1, 0x7f, 0x80, 0xff]) tried(whole.with(at, value));
  }
  for (let count = 0; count < 2000; count++) {
    const bytes = whole.slice();
    for (let n = 0; n < 8; n++) {
      bytes[16 + random.below(bytes.length - 16)] = random.below(256);
    }
    tried(bytes);
  }
  for (const size of [0, 1, 63, 64, 4096]) tried(new Uint8Array(size));
  tried(crypto.getRandomValues(new Uint8Array(4096)));
  assertEquals(refused > 1000, true);
});

Deno.test("neededFrom() refuses other formats by their first bytes", () => {
  const whole = sharedLibrary("a.so", ["libb.so.1"]);
  const cases = { "32 bits": [4, 1], "big endian": [5, 2], "no magic": [1, 0x46] } as const;
  for (const [name, [at, value]] of Object.entries(cases)) {
    assertThrows(() => of(whole.with(at, value)), Error, "does not begin as one", name);
  }
  assertThrows(() => of(new TextEncoder().encode("MZ".padEnd(200))), Error, REFUSED);
});
