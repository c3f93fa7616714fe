/** GGUF headers under attack. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseGguf } from "@moi/moi/model";
import { seeded } from "../../_random.ts";
import { type Entry, gguf, type Tensor, writer } from "./_file.ts";

const floats = (values: ArrayLike<number>) => new Uint8Array(Float32Array.from(values).buffer);
const SMALL: Record<string, Entry> = {
  "general.architecture": { text: "llama" },
  a: { u32: 7 },
  b: { texts: ["x", "yz"] },
  c: { i32s: [1, -2, 3] },
  d: { bool: true },
  e: { f32: 0.5 },
};
const TENSORS: Record<string, Tensor> = {
  one: { type: "F32", dims: [2, 3], data: floats([1, 2, 3, 4, 5, 6]) },
  two: { type: "Q8_0", dims: [1, 64], data: new Uint8Array(68).fill(1) },
};

Deno.test("parseGguf() reads metadata and tensors", () => {
  const file = gguf(SMALL, TENSORS), { metadata, tensors } = parseGguf(file);
  assertEquals([metadata.get("a"), metadata.get("d"), metadata.get("e")], [7, true, 0.5]);
  assertEquals(metadata.get("b"), ["x", "yz"]);
  assertEquals(Array.from(metadata.get("c") as Int32Array), [1, -2, 3]);
  const one = tensors.get("one")!;
  assertEquals([one.type, one.dims, one.length], ["F32", [2, 3], 24]);
  assertEquals(Array.from(new Float32Array(file.slice(one.offset, one.offset + 24).buffer)), [
    1,
    2,
    3,
    4,
    5,
    6,
  ]);
});

Deno.test("a file that is cut off anywhere, or changed anywhere, is read or refused with a reason", () => {
  const file = gguf(SMALL, TENSORS), random = seeded(6);
  let refused = 0;
  const tryFile = (bytes: Uint8Array) => {
    const start = performance.now();
    try {
      parseGguf(bytes);
    } catch (error) {
      assert(error instanceof SyntaxError, (error as Error).stack);
      refused++;
    }
    assert(performance.now() - start < 1000);
  };
  const { offset, length } = parseGguf(file).tensors.get("two")!, whole = offset + length;
  for (let end = 0; end < whole; end += 3) tryFile(file.slice(0, end));
  assertEquals(refused, Math.ceil(whole / 3));
  for (let round = 0; round < 3000; round++) {
    const bad = file.slice();
    for (let k = 0; k <= random.below(3); k++) bad[random.below(bad.length)] = random.below(256);
    tryFile(bad);
  }
  assert(refused > 400, `${refused}`);
});

/** A header with given counts, and what follows. */
function header(
  tensors: number | bigint,
  entries: number | bigint,
  rest: (w: ReturnType<typeof writer>) => void,
) {
  const w = writer();
  w.u32(0x46554747);
  w.u32(3);
  w.u64(tensors);
  w.u64(entries);
  rest(w);
  w.put(new Uint8Array(64));
  return w.bytes();
}

Deno.test("every way in which a header can lie has its own refusal", () => {
  const huge = 2n ** 63n - 1n,
    entry = (w: ReturnType<typeof writer>, key: string, type: number) => {
      w.text(key);
      w.u32(type);
    };
  const tensor = (name: string, dims: (number | bigint)[], type: number, at: number | bigint) =>
    header(1, 0, (w) => {
      w.text(name);
      w.u32(dims.length);
      for (const dim of dims) w.u64(dim);
      w.u32(type);
      w.u64(at);
    });
  const two = (second: Partial<{ name: string; at: number }>) =>
    header(2, 0, (w) => {
      for (const [name, at] of [["a", 0], [second.name ?? "b", second.at ?? 32]] as const) {
        w.text(name);
        w.u32(1);
        w.u64(4);
        w.u32(0);
        w.u64(at);
      }
      w.align(32);
      w.put(new Uint8Array(64));
    });
  const bad: readonly [Uint8Array, string][] = [
    [new Uint8Array(0), "begin with GGUF"],
    [new Uint8Array(100).fill(71), "begin with GGUF"],
    [header(huge, 0, () => {}), "is too large"],
    [header(2 ** 40, 0, () => {}), "cannot hold"],
    [header(0, huge, () => {}), "is too large"],
    [header(0, 2 ** 40, () => {}), "cannot hold"],
    [header(0, 1, (w) => w.u64(huge)), "is too large"],
    [header(0, 1, (w) => w.u64(2 ** 40)), "goes beyond its end"],
    [header(0, 1, (w) => w.text("k".repeat(2000))), "is too long"],
    [header(0, 1, (w) => entry(w, "k", 99)), "unknown type 99"],
    [header(0, 1, (w) => (entry(w, "k", 8), w.u64(2 ** 50))), "goes beyond its end"],
    [header(0, 1, (w) => (entry(w, "k", 9), w.u32(0), w.u64(2 ** 52))), "goes beyond its end"],
    [header(0, 1, (w) => (entry(w, "k", 9), w.u32(12), w.u64(2 ** 40))), "goes beyond its end"],
    [header(0, 1, (w) => (entry(w, "k", 9), w.u32(8), w.u64(2 ** 40))), "goes beyond its end"],
    [header(0, 1, (w) => (entry(w, "k", 9), w.u32(9), w.u64(2 ** 40))), "goes beyond its end"],
    [header(0, 1, (w) => (entry(w, "k", 9), w.u32(77), w.u64(1))), "unknown type 77"],
    [
      header(0, 1, (w) => {
        entry(w, "k", 9);
        for (let i = 0; i < 4; i++) w.u32(9), w.u64(1);
      }),
      "nested deeper than 2",
    ],
    [header(0, 2, (w) => [1, 2].forEach((v) => (entry(w, "k", 4), w.u32(v)))), "is there twice"],
    [header(0, 1, (w) => (entry(w, "general.alignment", 4), w.u32(0))), "power of two"],
    [header(0, 1, (w) => (entry(w, "general.alignment", 4), w.u32(24))), "power of two"],
    [header(0, 1, (w) => (entry(w, "general.alignment", 8), w.text("x"))), "power of two"],
    [tensor("t", [], 0, 0), "1 to 4 dimensions, not 0"],
    [tensor("t", [1, 1, 1, 1, 1], 0, 0), "1 to 4 dimensions, not 5"],
    [tensor("t", [huge], 0, 0), "is too large"],
    [tensor("t", [2 ** 40, 2 ** 40], 0, 0), "cannot have the shape"],
    [tensor("t", [33], 8, 0), "cannot have the shape"],
    [tensor("t", [32], 16, 0), "cannot have the shape"],
    [tensor("t", [256], 4, 0), "is of the unknown type 4"],
    [tensor("t", [256], 43, 0), "is of the unknown type 43"],
    [tensor("t", [256], 0xffffffff, 0), "is of the unknown type 4294967295"],
    [tensor("t", [4], 0, 7), "must start at a multiple of 32"],
    [tensor("t", [4], 0, 2 ** 40), "goes beyond its end"],
    [tensor("t", [2 ** 30], 0, 0), "goes beyond its end"],
    [two({ name: "a" }), "is there twice"],
    [two({ at: 0 }), "overlap"],
  ];
  for (const [bytes, message] of bad) {
    const start = performance.now();
    assertThrows(() => parseGguf(bytes), SyntaxError, message);
    assert(performance.now() - start < 1000);
  }
  const big = gguf(SMALL, TENSORS);
  new DataView(big.buffer).setUint32(4, 3, false);
  assertThrows(() => parseGguf(big), SyntaxError, "big-endian");
});
