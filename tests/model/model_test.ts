import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { generate } from "@moi/moi/decode";
import { createModel, type Engine, forward, type Input, type KvCache } from "@moi/moi/model";
import { mockModel } from "../_mock_model.ts";

const { config, tokenizer } = mockModel();

/** An engine that writes a text, whatever it is fed. */
function scripted(text: string, log: string[] = []): Engine {
  const ids = tokenizer.encode(`${text}<eos>`), V = config.vocabularySize;
  const certain = (id: number) => Float32Array.from({ length: V }, (_, i) => i === id ? 50 : 0);
  const openCache = ({ slots, length }: { slots: number; length: number }): KvCache => {
    const written = new Array<number>(slots).fill(0);
    log.push(`open ${slots}`);
    const next = (slot: number) => certain(ids[Math.min(written[slot]!++, ids.length - 1)]!);
    return {
      slots,
      length,
      prefill(slot, _from, inputs, logits) {
        written[slot] = 0;
        const all = new Float32Array(logits === "all" ? inputs.length * V : V);
        all.set(next(slot), all.length - V);
        return Promise.resolve(all);
      },
      step: (inputs: readonly Input[]) => {
        const rows = inputs.map((_, slot) => [...next(slot)]);
        return Promise.resolve(Float32Array.from(rows.flat()));
      },
      copy(from, to) {
        written[to] = written[from]!;
        return Promise.resolve();
      },
      [Symbol.dispose]: () => log.push("close"),
    };
  };
  return {
    device: "script",
    openCache,
    // deno-lint-ignore require-await
    async [Symbol.asyncDispose]() {
      log.push("dispose");
    },
  };
}

Deno.test("createModel() makes a model of any engine, and generate() works with it", async () => {
  const log: string[] = [];
  {
    const engine = scripted("abc", log);
    await using model = createModel({ id: "toy", config, tokenizer, maxLength: 64, engine });
    assertEquals([model.id, model.device, model.dtype], ["toy", "script", "fp32"]);
    const { text, finishReason } = await generate(model, "a", { temperature: 0 });
    assertEquals([text, finishReason], ["abc", "stop"]);
    assertEquals(
      (await forward(model, [4, 5])).map((row) => row.length),
      Array(2).fill(config.vocabularySize),
    );
  }
  assertEquals([log[0]!.startsWith("open"), log.at(-1)], [true, "dispose"]);
});

Deno.test("logits of the wrong size are refused, whichever call of an engine gives them", async () => {
  const own = scripted("abc");
  for (const call of ["prefill", "step"] as const) {
    const openCache: Engine["openCache"] = (shape) => ({
      ...own.openCache(shape),
      [call]: () => Promise.resolve(new Float32Array(3)),
    });
    const engine = { ...own, openCache };
    await using model = createModel({ id: "short", config, tokenizer, maxLength: 64, engine });
    const said = `must give ${config.vocabularySize} logits`;
    await assertRejects(() => generate(model, "a"), RangeError, said);
  }
});

Deno.test("createModel() checks shapes and disposal for every engine", async () => {
  const engine = scripted("abc");
  const model = createModel({ id: "toy", config, tokenizer, maxLength: 64, engine });
  assertThrows(() => model.openCache({ slots: 0, length: 8 }), RangeError, "'slots'");
  assertThrows(() => model.openCache({ slots: 1, length: 65 }), RangeError, "'length'");
  assertThrows(() => model.chat([{ role: "user", content: "a" }]), TypeError, "no chat template");
  assertEquals(model.embeddings, undefined);
  await model[Symbol.asyncDispose]();
  await assertRejects(() => forward(model, [1]), Error, "the model is disposed");
});
