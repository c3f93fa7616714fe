import { assertEquals, assertGreaterOrEqual, assertThrows } from "@std/assert";
import { allocate, mapFile, memoryOver } from "@moi/moi/runtime";
import { temporaryFolder } from "../_temporary.ts";

Deno.test("allocate() gives zeroed memory of the size asked for", () => {
  for (const size of [1, 7, 4096, 100_003]) {
    using memory = allocate(size);
    assertEquals([memory.byteLength, memory.buffer.byteLength], [size, size]);
    const bytes = new Uint8Array(memory.buffer);
    assertEquals(bytes.every((byte) => byte === 0), true);
    bytes.fill(7);
    assertEquals(bytes[size - 1], 7);
  }
});

Deno.test("allocate() gives every caller its own memory", () => {
  using a = allocate(64);
  using b = allocate(64);
  new Uint8Array(a.buffer).fill(1);
  assertEquals(new Uint8Array(b.buffer)[0], 0);
});

Deno.test("allocate() refuses what is no size", () => {
  for (const size of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => allocate(size), RangeError, `current value is ${size}`);
  }
});

Deno.test("allocate() fails with an error where there is not that much memory", () => {
  assertThrows(() => allocate(2 ** 52), Error, "Cannot map 4503599627370496 bytes");
});

Deno.test({
  name: "allocate() costs nothing for pages that are not written",
  ignore: Deno.build.os === "windows",
  fn() {
    const before = Deno.memoryUsage().rss;
    using memory = allocate(2 ** 30);
    new Uint8Array(memory.buffer)[2 ** 29] = 1;
    assertEquals(Deno.memoryUsage().rss - before < 2 ** 25, true);
  },
});

Deno.test("allocate() returns its memory when it is disposed, and disposing twice is harmless", () => {
  const size = 2 ** 26;
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 10; i++) {
    const memory = allocate(size);
    new Uint8Array(memory.buffer).fill(1);
    if (i === 0) assertGreaterOrEqual(Deno.memoryUsage().rss - before, size * 0.9);
    memory[Symbol.dispose]();
    memory[Symbol.dispose]();
  }
  assertEquals(Deno.memoryUsage().rss - before < size, true);
});

Deno.test("memoryOver() shares an array buffer", () => {
  const buffer = new ArrayBuffer(8);
  using memory = memoryOver(buffer);
  new Uint8Array(memory.buffer)[3] = 9;
  assertEquals([memory.byteLength, new Uint8Array(buffer)[3]], [8, 9]);
});

Deno.test("mapFile() shows the bytes of files of any size", async () => {
  for (const size of [1, 4095, 4096, 10_001]) {
    const content = Uint8Array.from({ length: size }, (_, i) => i % 251);
    await using folder = await temporaryFolder({ "a.bin": content });
    using memory = mapFile(`${folder.path}/a.bin`);
    assertEquals(memory.byteLength, size);
    assertEquals(new Uint8Array(memory.buffer), content);
  }
});

Deno.test("mapFile() takes paths with spaces, umlauts and percent signs", async () => {
  for (const name of ["a b", "Größe", "50%20%", "日本"]) {
    await using folder = await temporaryFolder({ [name]: name });
    using memory = mapFile(`${folder.path}/${name}`);
    assertEquals(new TextDecoder().decode(memory.buffer.slice(0)), name);
  }
});

Deno.test("mapFile() tells the path of the file itself", async () => {
  await using folder = await temporaryFolder({ a: "content" });
  const real = await Deno.realPath(`${folder.path}/a`);
  await Deno.symlink("a", `${folder.path}/b`);
  for (const name of ["a", "b", "./a"]) {
    using file = mapFile(`${folder.path}/${name}`);
    assertEquals(file.path, real);
  }
});

Deno.test("mapFile() refuses an empty file", async () => {
  await using folder = await temporaryFolder({ "empty.bin": "" });
  assertThrows(() => mapFile(`${folder.path}/empty.bin`), RangeError, "the file is empty");
});

Deno.test("mapFile() refuses a folder", async () => {
  await using folder = await temporaryFolder();
  assertThrows(() => mapFile(folder.path), RangeError, "must be a file");
});

Deno.test("mapFile() refuses a missing file", () => {
  assertThrows(() => mapFile("/nonexistent/a.bin"), Deno.errors.NotFound);
});

Deno.test("mapFile() leaves no file open", async () => {
  await using folder = await temporaryFolder({ "a.bin": "abc" });
  for (let i = 0; i < 2000; i++) { // more than the usual limit of 1024 open files
    using memory = mapFile(`${folder.path}/a.bin`);
    assertEquals(memory.byteLength, 3);
  }
});
