/**
 * What must hold of mixing on any device: one entry is the token, weights of 0 add nothing, β → ∞ is
 * standard decoding bit for bit, a dense mixture is the list that it stands for.
 */

import { generate, type Method, moi, standard } from "../../lib/decode/mod.ts";
import { forward, type Input, type Model } from "../../lib/model/mod.ts";
import { QWEN3, randomNumbers, wideCheckpoint } from "../../tests/golden/golden.ts";
import { makeModel } from "../bench/weights.ts";
import { onLlama } from "./card.ts";
import {
  errorsOf,
  type Formats,
  formatsOn,
  joined,
  limitOf,
  loadOn,
  tellFailure,
} from "./models.ts";
import type { Part } from "./part.ts";

/** Ids of a prompt, and the tokens after it. */
const PROMPT = [1, 26, 23, 8, 25, 17, 18, 22, 20], NEXT = [5, 9, 12, 7];

/** Logits after each of some inputs that follow the prompt, step by step. */
async function stepped(model: Model, inputs: readonly Input[]): Promise<Float32Array> {
  const { vocabularySize } = model.config;
  using cache = model.openCache({ slots: 1, length: 32 });
  const rows: Float32Array[] = [await cache.prefill(0, 0, PROMPT, "last")];
  for (const [t, input] of inputs.entries()) {
    const step = await cache.step([input], [PROMPT.length + t]);
    rows.push(step.slice(0, vocabularySize));
  }
  return joined(rows);
}

/** How many numbers differ. */
const different = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).filter((value, i) => !Object.is(value, b[i])).length;

/** A mixture of half a token and half of some probabilities: as a dense part, and as a list. */
function halves(size: number): { dense: Input; listed: Input } {
  const random = randomNumbers(7), token = NEXT[0]!;
  const raw = Float32Array.from({ length: size }, () => random() ** 4);
  const sum = raw.reduce((a, b) => a + b, 0), probabilities = raw.map((p) => p / sum);
  const weights = Array.from(probabilities, (p, id) => 0.5 * p + (id === token ? 0.5 : 0));
  return {
    dense: { ids: [token], weights: [0.5], dense: { probabilities, weight: 0.5 } },
    listed: { ids: Array.from({ length: size }, (_, id) => id), weights },
  };
}

/** Tokens that a method generates from some seeds. */
async function tokensOf(model: Model, method: Method, seeds: readonly number[]): Promise<number[]> {
  const tokens: number[] = [];
  for (const seed of seeds) {
    const settings = { temperature: 1, topK: 0, topP: 1, ignoreEos: true, maxNewTokens: 24 };
    tokens.push(...(await generate(model, PROMPT, { ...settings, method, seed })).tokens);
  }
  return tokens;
}

async function checks(part: Part, model: Model, formats: Formats): Promise<void> {
  const { device, quick } = part, size = model.config.vocabularySize;
  const { limit } = limitOf(part, formats), place = { device, ...formats };
  const held: string[] = [], broken: string[] = [];
  const tell = (what: string, ok: boolean) => (ok ? held : broken).push(what);
  const one = (id: number): Input => ({ ids: [id], weights: [1] });
  const tokens = await stepped(model, NEXT);
  tell("one entry is the token", different(await stepped(model, NEXT.map(one)), tokens) === 0);
  const prompt = joined(await forward(model, PROMPT));
  const mixed = joined(await forward(model, PROMPT.map(one)));
  tell("one entry is the token, in a prompt", different(mixed, prompt) === 0);
  const zeros = NEXT.map((id) => ({ ids: [id, 30, 31], weights: [1, 0, 0] }));
  tell("weights of 0 add nothing", different(await stepped(model, zeros), tokens) === 0);

  const seeds = quick ? [1] : [1, 2, 3, 4];
  const endless = await tokensOf(model, moi({ beta: Infinity }), seeds);
  const plain = await tokensOf(model, standard(), seeds);
  tell("β = ∞ is standard decoding", different(endless, plain) === 0);

  const { dense, listed } = halves(size);
  const errors = errorsOf(await stepped(model, [dense]), await stepped(model, [listed]), size);
  const worst = Math.max(...errors);
  tell("the whole vocabulary is its list", worst <= limit);
  part.tell({
    ...{ kind: "check", part: "mixing", what: `${held.length} identities, V ${size}`, ...place },
    ...{ ok: broken.length === 0, worst, limit },
    ...(broken.length > 0 && { detail: `not: ${broken.join(", ")}` }),
  });
}

/** Runs the checks with a small and a large vocabulary, of GGUF files with a large one, format by format. */
export async function identities(part: Part): Promise<void> {
  await using wide = await wideCheckpoint(2048);
  const ids = onLlama(part.device)
    ? [(await makeModel(part.folder, "small", "int4")).id]
    : [QWEN3, wide.path];
  for (const formats of formatsOn(part)) {
    const place = { device: part.device, ...formats };
    for (const id of ids) {
      if (!part.hasTime()) {
        part.tell({ kind: "left out", what: "mixing", why: "no time was left", ...place });
        return;
      }
      try {
        await using model = await loadOn(part, id, { ...formats, maxLength: 64 });
        await checks(part, model, formats);
      } catch (error) {
        tellFailure(part, "mixing", place, error);
        break;
      }
    }
  }
}
