/** Whether a device starts at all: a small model and one prompt. */

import { forward } from "../../lib/model/mod.ts";
import { QWEN3 } from "../../tests/golden/golden.ts";
import { pathOf } from "../../tests/golden/llama.ts";
import { cardOf, onLlama } from "./card.ts";
import { formatsOn, loadOn, seen } from "./models.ts";
import type { Part } from "./part.ts";

/** Starts the device; throws what it says where no number format does. */
export async function start(part: Part): Promise<void> {
  const { device, tell } = part, id = onLlama(device) ? pathOf("granite") : QWEN3;
  if (cardOf(device)?.half === false) {
    const why = "this GPU has no 16-bit arithmetic (shader-f16)";
    tell({ kind: "left out", what: "activations in fp16", why, device });
  }
  let last: unknown;
  for (const formats of formatsOn(part)) {
    try {
      await using model = await loadOn(part, id, { ...formats, maxLength: 64 });
      const [row] = await forward(model, [1, 2, 3, 4, 5, 6]);
      if (row!.every((value) => Number.isFinite(value))) {
        tell({ kind: "fact", what: `${device} starts`, value: { ...formats, ...seen(model) } });
        return;
      }
      last = new Error("Cannot use the device as its logits are no numbers");
    } catch (error) {
      last = error;
    }
  }
  throw last;
}
