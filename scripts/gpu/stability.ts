/**
 * A thousand steps on a device: no number that is none, memory that does not grow, and one seed one
 * text: at a second time, and alone as in a batch of eight.
 */

import { generateBatch, type Method, moi } from "../../lib/decode/mod.ts";
import type { Model } from "../../lib/model/mod.ts";
import { promptOf } from "../bench/prompts.ts";
import { usedMemoryMb } from "./card.ts";
import { type Formats, formatsOn, loadOn, tellFailure } from "./models.ts";
import type { Part } from "./part.ts";
import { makeModel } from "../bench/weights.ts";

/** MoI that counts distributions whose entropy is no number. */
function watched(counts: { broken: number }): Method {
  const method: Method = moi({ beta: 1 });
  return {
    ...method,
    step(distribution, token, state) {
      if (!(distribution.entropy >= 0)) counts.broken++;
      return method.step(distribution, token, state);
    },
  };
}

/** Tokens by seed, all in one batch. */
async function texts(
  model: Model,
  seeds: readonly number[],
  steps: number,
  method: Method,
  slots = 8,
) {
  const found: string[] = [];
  const requests = seeds.map((seed) => ({
    ...{ prompt: promptOf(16, model.config.vocabularySize, seed), method, seed },
    ...{ maxNewTokens: steps, ignoreEos: true, temperature: 1, topK: 64, topP: 1 },
  }));
  for await (const { index, generation } of generateBatch(model, requests, { slots })) {
    found[index] = generation.tokens.join(" ");
  }
  return found;
}

/** Megabytes that may come between two runs of the same work: what JavaScript has not collected. */
const MOST_GROWTH_MB = 64;

async function checks(part: Part, model: Model, formats: Formats): Promise<void> {
  const { device, quick } = part, steps = quick ? 24 : 1000, counts = { broken: 0 };
  const method = watched(counts), seeds = Array.from({ length: 8 }, (_, i) => i + 1);
  const tell = (what: string, ok: boolean, detail: string) =>
    part.tell({ kind: "check", part: `${steps} steps`, what, device, ...formats, ok, detail });
  const memory = () => ({
    host: Deno.memoryUsage().rss / 1e6,
    card: usedMemoryMb(device),
  });
  const first = await texts(model, seeds, steps, method), before = memory();
  const second = await texts(model, seeds, steps, method), after = memory();
  tell("every entropy is a number", counts.broken === 0, `${counts.broken} are not`);
  const host = after.host - before.host, card = (after.card ?? NaN) - (before.card ?? NaN);
  const grown = [`${host.toFixed(0)} MB more on the host`];
  if (!Number.isNaN(card)) grown.push(`${card.toFixed(0)} MB on the card`);
  tell("memory stays", !(host > MOST_GROWTH_MB || card > MOST_GROWTH_MB), grown.join(", "));
  const same = second.filter((text, i) => text === first[i]).length;
  tell("one seed, one text: twice", same === seeds.length, `${same} of ${seeds.length} the same`);
  const few = quick ? [1, 8] : [1, 4, 8];
  let alone = 0;
  for (const seed of few) {
    const [text] = await texts(model, [seed], steps, method);
    if (text === first[seed - 1]) alone++;
  }
  const isClaimed = model.checked?.isBatchExact ?? true; // else it is only counted
  const detail = `${alone} of ${few.length} the same${isClaimed ? "" : ", as the load has said"}`;
  tell("one seed, one text: alone as in a batch of 8", alone === few.length || !isClaimed, detail);
  const twice = [...seeds, ...seeds.map((seed) => seed + seeds.length)];
  const many = await texts(model, twice, steps, method, twice.length);
  const found = first.filter((text, i) => text === many[i]).length;
  tell("one seed, one text: in 16 slots", found === first.length || !isClaimed, `${found} of 8`);
}

/** Runs the checks on a small model, format by format. */
export async function stability(part: Part): Promise<void> {
  const checkpoint = await makeModel(part.folder, "small", "fp16");
  const blocks = await makeModel(part.folder, "small", "int4");
  for (const { dtype, kv } of formatsOn(part).filter(({ dtype }) => dtype !== "int8")) {
    const { id, ...made } = dtype === "int4" || dtype === "native"
      ? blocks
      : { ...checkpoint, dtype };
    const formats = { ...made, kv }, place = { device: part.device, ...formats };
    if (!part.hasTime()) {
      part.tell({ kind: "left out", what: "stability", why: "no time was left", ...place });
      continue;
    }
    try {
      await using model = await loadOn(part, id, { ...formats, maxLength: 1100 });
      await checks(part, model, formats);
    } catch (error) {
      tellFailure(part, "stability", place, error);
    }
  }
}
