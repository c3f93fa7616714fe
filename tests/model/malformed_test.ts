/**
 * Damaged files, by the hundred: each load ends within a second, with a clear error or a model that
 * computes, and the process lives on.
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { forward, loadModel } from "@moi/moi/model";
import { philox } from "@moi/moi/decode";
import { temporaryFolder } from "../_temporary.ts";

const SOURCE = new URL("../../lib/model/embedded/votes-tiny/", import.meta.url);
const FILES = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "model.safetensors",
];
const ORIGINAL = Object.fromEntries(
  await Promise.all(FILES.map(async (name) => [name, await Deno.readFile(new URL(name, SOURCE))])),
) as Record<string, Uint8Array<ArrayBuffer>>;

/** A damaged copy: cut, bytes changed, a piece doubled or a value replaced, by the number `seed`. */
function damaged(bytes: Uint8Array<ArrayBuffer>, isText: boolean, seed: number) {
  let draw = 0;
  const below = (n: number) => philox([seed, draw++, 0, 0], [7, 0])[0]! % n;
  const reach = isText ? bytes.length : Math.min(bytes.length, 6000); // of weights, the header
  const copy = bytes.slice();
  switch (seed % (isText ? 5 : 3)) {
    case 0:
      return copy.slice(0, below(reach));
    case 1:
      for (let i = 0; i < 1 + below(8); i++) copy[below(reach)] = below(256);
      return copy;
    case 2: {
      const at = below(reach), length = 1 + below(64);
      return Uint8Array.from([...copy.subarray(0, at), ...copy.subarray(at + length)]);
    }
    default: {
      const values = ["null", "-1", "1e999", "{}", "[]", '"\\u0000"', "true", "9007199254740993"];
      const text = new TextDecoder().decode(bytes), value = values[below(values.length)]!;
      const found = [...text.matchAll(/:\s*("[^"]*"|[\d.]+|true|false|null)/g)];
      const { index, 0: all, 1: old } = found[below(found.length)]!;
      const start = index! + all.length - old!.length;
      return new TextEncoder().encode(
        text.slice(0, start) + value + text.slice(start + old!.length),
      );
    }
  }
}

for (const name of FILES) {
  Deno.test(`loadModel() survives 80 damaged copies of ${name}`, async () => {
    let refused = 0;
    for (let seed = 0; seed < 80; seed++) {
      const bytes = damaged(ORIGINAL[name]!, name.endsWith(".json"), seed);
      await using folder = await temporaryFolder({ ...ORIGINAL, [name]: bytes });
      const start = performance.now();
      try {
        await using model = await loadModel(folder.path, { dtype: "fp32" });
        const logits = await forward(model, [1, 2]);
        assertEquals(logits.length, 2);
      } catch (error) {
        assert(error instanceof Error && error.message.length > 20, `seed ${seed}: ${error}`);
        assert(
          !/Cannot read prop|is not a function|is not iterable|internal:/.test(error.message),
          `${seed}: ${error}`,
        );
        refused++;
      }
      assertLess(performance.now() - start, 1500, `seed ${seed}`);
    }
    assert(refused > 5, `${refused} refused`);
  });
}
