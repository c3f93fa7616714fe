/** Block types: numbers bit for bit, and integers that stand for the same numbers. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { dequantize, GGUF_TYPES, type GgufType } from "@moi/moi/model";
import { pack, packingOf } from "../../../lib/model/gguf/blocks.ts";
import vectors from "./vectors.json" with { type: "json" };

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

Deno.test("dequantize() gives the reference's numbers bit for bit", () => {
  // gguf 0.19 (Python), dequantize() of random blocks
  for (const [type, { bytes, floats }] of Object.entries(vectors)) {
    const expected = new Float32Array(bytesOf(floats).buffer),
      out = new Float32Array(expected.length);
    dequantize(type as GgufType, bytesOf(bytes), out);
    assertEquals(Array.from(out), Array.from(expected), type);
  }
});

Deno.test("dequantize() reads floats of every width, and refuses what does not fit", () => {
  const out = new Float32Array(2);
  dequantize("F16", Uint8Array.of(0, 0x3c, 0, 0xc0), out);
  assertEquals([...out], [1, -2]);
  dequantize("BF16", Uint8Array.of(0x80, 0x3f, 0x20, 0xc0), out);
  assertEquals([...out], [1, -2.5]);
  dequantize("F32", new Uint8Array(new Float32Array([0.1, 3]).buffer), out);
  assertEquals([...out], [Math.fround(0.1), 3]);
  assertThrows(() => dequantize("Q4_0", new Uint8Array(18), out), RangeError, "are not 2 numbers");
});

Deno.test("pack() keeps the numbers of every block type", () => {
  let checked = 0;
  for (const [name, { bytes, floats }] of Object.entries(vectors)) {
    const type = name as GgufType, packing = packingOf(type);
    if (!packing) continue;
    const { bits, blockSize, minima } = packing;
    const expected = new Float32Array(bytesOf(floats).buffer), groups = expected.length / blockSize;
    const packed = {
      data: new Uint8Array(expected.length * bits / 8),
      scales: new Float32Array(groups),
      minima: new Float32Array(minima ? groups : 0),
    };
    pack(type, bytesOf(bytes), packed);
    for (const [i, value] of expected.entries()) {
      const group = Math.floor(i / blockSize), scale = packed.scales[group]!;
      const byte = packed.data[i * bits / 8 | 0]!;
      const q = bits === 8 ? byte - 128 : (i % 2 ? byte >> 4 : byte & 15) - 8;
      const found = minima ? scale * q + packed.minima[group]! : Math.fround(scale * q) + 0; // −0 is 0
      const step = 8 * Math.abs(scale) + Math.abs(packed.minima[group] ?? 0);
      if (minima) {
        assert(Math.abs(found - value) <= 2 ** -23 * step, `${type} ${i}: ${found} ${value}`);
      } else assertEquals(found, value + 0, `${type} ${i}`);
      checked++;
    }
  }
  assert(checked > 2000, `${checked}`);
});

Deno.test("packingOf() knows every type but the floats", () => {
  const floats = Object.keys(GGUF_TYPES).filter((type) => !packingOf(type as GgufType));
  assertEquals(floats.sort(), ["BF16", "F16", "F32"]);
});
