import { assertEquals, assertMatch } from "@std/assert";
import { loadModel } from "@moi/moi/model";
import { deviceNotes } from "../../lib/model/device_notes.ts";

Deno.test("what a device does otherwise than the CPU is said in sentences", () => {
  const device = "webgpu", right = { chunk: 128, isBatchExact: true };
  assertEquals(deviceNotes({ device: "cpu" }), []);
  assertEquals(deviceNotes({ device, fallenBack: new Map(), checked: right }), []);
  const fallenBack = new Map([["TopK", 6], ["Shape", 2]]);
  const notes = deviceNotes({ device, fallenBack, checked: { chunk: 24, isBatchExact: false } });
  assertEquals(notes.length, 3);
  assertMatch(notes[0]!, /run on the CPU: TopK × 6, Shape × 2$/);
  assertMatch(notes[1]!, /for 24 positions at once, not for 128/);
  assertMatch(notes[2]!, /one seed may give other texts in other batches/);
});

Deno.test("a model on the CPU has no notes of a device", async () => {
  await using model = await loadModel("votes-tiny");
  assertEquals(model.notes, undefined);
});
