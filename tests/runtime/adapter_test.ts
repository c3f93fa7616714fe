import { assertEquals } from "@std/assert";
import { type Adapter, type Footprint, noRoom } from "@moi/moi/runtime";

Deno.test("a model has room on an adapter, or the refusal says what is missing and what would fit", () => {
  const GIB = 2 ** 30;
  const footprint = (name: string, weights: number, cache = 1, largest = 0.5): Footprint => ({
    ...{ name, weights: weights * GIB, cache: cache * GIB, largest: largest * GIB },
  });
  const card: Adapter = {
    device: "webgpu",
    name: "card",
    kind: "discrete",
    half: true,
    chosen: true,
  };
  const limits = { storageBinding: GIB, buffer: 2 * GIB, workgroup: 2 ** 15 };
  const total = 8 * GIB, full = { ...card, memory: { total, free: 7 * GIB }, limits };
  const fp16 = footprint("fp16", 15), int8 = footprint("int8", 8), int4 = footprint("int4", 5);
  const need = (name: string, weights: string, all: string) =>
    `its weights in ${name} need ${weights}.0 GiB, keys and values 1.0 GiB, with a margin of 0.5 GiB ` +
    `${all}.5 GiB, and card has `;
  const cases: [Footprint, Adapter, readonly Footprint[], string | undefined][] = [
    [int4, full, [], undefined],
    [footprint("int4", 5.5), full, [], undefined], // to the last byte
    [fp16, card, [], undefined], // nothing is known
    [fp16, full, [], `${need("fp16", "15", "16")}7.0 GiB free`],
    [fp16, full, [int8, int4], `${need("fp16", "15", "16")}7.0 GiB free: int4 needs 6.5 GiB`],
    [fp16, full, [int8], `${need("fp16", "15", "16")}7.0 GiB free: nothing else would fit`],
    [
      int8,
      { ...card, memory: { total } },
      [int4],
      `${need("int8", "8", "9")}8.0 GiB: int4 needs 6.5 GiB`,
    ],
    [int4, { ...card, memory: { total, free: 0 } }, [], `${need("int4", "5", "6")}0.0 GiB free`],
    [footprint("fp32", 1, 1, 1.5), full, [], undefined], // bound in parts
    [
      footprint("fp32", 1, 1, 2.3),
      full,
      [footprint("fp16", 1, 1, 1.15)],
      "its largest tensor in fp32 needs 2.3 GiB and card has buffers of at most 2.0 GiB: fp16 needs 2.5 GiB",
    ],
  ];
  for (const [model, adapter, others, expected] of cases) {
    assertEquals(noRoom(model, adapter, others), expected);
  }
});
