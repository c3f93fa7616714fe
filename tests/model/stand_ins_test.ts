import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadModel, withStandIns } from "@moi/moi/model";
import { QWEN3 } from "../golden/golden.ts";

Deno.test("withStandIns() gives a checkpoint without words something to be asked with, and says so", async () => {
  await using bare = await loadModel(QWEN3);
  const notes: string[] = [], model = withStandIns(bare, (note) => notes.push(note));
  assertEquals(notes.map((note) => note.split(":")[0]), ["no chat template", "no tokenizer"]);
  assertEquals(
    model.chat([{ role: "user", content: "a" }, { role: "user", content: "b" }]),
    "a\n\nb",
  );
  assertThrows(
    () => model.chat([], { variables: { enable_thinking: true } }),
    TypeError,
    "no template that reads the variable 'enable_thinking'",
  );
  const ids = model.tokenizer.encode("five chars twice");
  assertEquals(ids.length, 4);
  assertEquals(ids, model.tokenizer.encode("five chars twice"));
  assert(ids.every((id) => Number.isInteger(id) && id >= 0 && id < model.config.vocabularySize));
  assertEquals(model.tokenizer.encode(""), []);
  using cache = model.openCache({ slots: 1, length: 8 });
  assertEquals((await cache.prefill(0, 0, ids, "last")).length, model.config.vocabularySize);
});

Deno.test("withStandIns() leaves a model alone that lacks nothing", async () => {
  await using model = await loadModel("countdown-tiny");
  assertEquals(withStandIns(model, () => assert(false)), model);
});
