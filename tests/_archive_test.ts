/** Packed files: as they are written, cut, damaged, and larger than they say. */

import zlib from "node:zlib";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { isZip, unpacked, zipMembers } from "../lib/_archive.ts";
import { zipOf } from "./_zip.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (own: Uint8Array) => new TextDecoder().decode(own);
/** A frame of Zstandard that holds nothing to unpack. */
const SKIPPED = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
const plain = (own: Uint8Array) => new Uint8Array(own);

Deno.test("unpacked() knows gzip and Zstandard by their bytes, and gives others as they are", () => {
  const own = bytes("a line\n".repeat(1000));
  assertEquals(unpacked(plain(zlib.gzipSync(own)), 7000), own);
  assertEquals(unpacked(plain(zlib.zstdCompressSync(own)), 7000), own);
  assertEquals(unpacked(own, 7000), own);
  assertEquals(unpacked(bytes(""), 0), bytes(""));
  const twice = [...zlib.gzipSync(bytes("a")), ...zlib.gzipSync(bytes("b"))]; // cat a.gz b.gz
  assertEquals(text(unpacked(new Uint8Array(twice), 10)), "ab");
  const frames = [...zlib.zstdCompressSync(bytes("a")), ...SKIPPED, ...zlib.zstdCompressSync(own)];
  assertEquals(text(unpacked(new Uint8Array(frames), 7001)), "a" + text(own));
  assertThrows(() => unpacked(new Uint8Array(frames), 7000), RangeError, "bytes are packed");
});

Deno.test("unpacked() refuses what is too large, cut, damaged or packed in another way", () => {
  const own = new Uint8Array(1e5);
  for (const packed of [zlib.gzipSync(own), zlib.zstdCompressSync(own)].map(plain)) {
    assertThrows(() => unpacked(packed, 1000), RangeError, "more than 1000 bytes");
    for (let size = 4; size < packed.length; size++) {
      assertThrows(() => unpacked(packed.slice(0, size), 1e5), SyntaxError);
    }
  }
  assertThrows(() => unpacked(bytes("BZh91AY"), 10), SyntaxError, "bzip2 is not read");
  const zip = zipOf([{ name: "a", content: "x" }]);
  assertThrows(() => unpacked(zip, 1000), SyntaxError, "zip is not read: unpack it first");
});

Deno.test("zipMembers() reads stored, deflated and Zstandard members, of 32 and 64 bits", () => {
  const entries = [
    { name: "a.json", content: "{}", method: 0 },
    { name: "b/ü.json", content: "x".repeat(5000), method: 8 },
    { name: "c.json", content: "y".repeat(5000), method: 93 },
    { name: "a.json", content: "[]", method: 8 }, // written again: the last counts
    { name: "empty", content: "", method: 8 },
  ];
  for (const zip64 of [false, true]) {
    const members = zipMembers(zipOf(entries, zip64), 20_000);
    assertEquals([...members.keys()], ["a.json", "b/ü.json", "c.json", "empty"]);
    assertEquals(text(members.get("a.json")!.read()), "[]");
    assertEquals(text(members.get("b/ü.json")!.read()), "x".repeat(5000));
    assertEquals(text(members.get("c.json")!.read()), "y".repeat(5000));
    assertEquals(members.get("empty")!.read().length, 0);
  }
  assert(isZip(zipOf([])) && isZip(zipOf(entries)) && !isZip(bytes("PK")));
});

Deno.test("zipMembers() refuses members that are not what the archive says", () => {
  const bad = (says: object, method = 8) => {
    const entry = { name: "a", content: "x".repeat(100_000), method, says };
    return zipMembers(zipOf([entry]), 1e6).get("a")!.read();
  };
  assertThrows(() => bad({ size: 10 }), SyntaxError, "cannot be unpacked (more than 10 bytes");
  assertThrows(() => bad({ size: 200_000 }), SyntaxError, "not what it was");
  assertThrows(() => bad({ crc: 1 }), SyntaxError, "not what it was");
  assertThrows(() => bad({ flags: 1 }), SyntaxError, "encrypted");
  assertThrows(() => bad({}, 12), SyntaxError, "method 12, which is not read");
  const two = [{ name: "a", content: "x".repeat(600) }, { name: "b", content: "x".repeat(600) }];
  assertThrows(() => zipMembers(zipOf(two), 1000), RangeError, "more than 1000 bytes");
});

Deno.test("cut and damaged archives are refused, not crashed on", () => {
  for (const zip64 of [false, true]) {
    const good = zipOf([{ name: "a", content: "abcdefgh" }, { name: "b", content: "12" }], zip64);
    const readAll = (own: Uint8Array<ArrayBuffer>) => {
      for (const member of zipMembers(own, 1000).values()) member.read();
    };
    readAll(good);
    for (let at = 0; at < good.length; at++) {
      for (const change of [1, 0x80, 0xff]) {
        const bad = good.slice();
        bad[at]! ^= change;
        try {
          readAll(bad);
        } catch (error) {
          assert(error instanceof SyntaxError || error instanceof RangeError, String(error));
        }
      }
      assertThrows(() => readAll(good.slice(0, at)), SyntaxError);
    }
  }
});
