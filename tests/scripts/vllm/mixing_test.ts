/** The plugin's mixing core, in torch, against the methods in TypeScript, on the same distributions. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath as fromFileUrl } from "node:url";
import {
  directMixture,
  distributionOf,
  linearMixture,
  type Method,
  moi,
  type Sampler,
  samplerOf,
  standard,
} from "../../../lib/decode/mod.ts";
import { type Mixture, offSampleMass } from "../../../lib/model/mod.ts";
import { type Random, seeded } from "../../_random.ts";
import { runPython, sources } from "./_vllm.ts";
import { needing, VLLM } from "../../_needing.ts";

const test = needing(VLLM);

/** A distribution, a token, and a method both ways. */
interface Case {
  readonly name: string;
  readonly logits: Float32Array;
  readonly sampler: Sampler;
  readonly token: number;
  readonly method: Method;
  readonly fields: Readonly<Record<string, unknown>>;
}

const METHODS: readonly (readonly [Method, Case["fields"]])[] = [
  [standard(), { moi_method: "standard" }],
  ...[0, 0.25, 1, 8, 1e12].map((beta) => [moi({ beta }), { moi_beta: beta }] as const),
  [moi({ beta: Infinity }), { moi_beta: "Infinity" }],
  [moi(), { moi_method: "moi" }],
  [moi({ preset: "mixinputs-0.1.1" }), { moi_preset: "mixinputs-0.1.1" }],
  [moi({ beta: 0, preset: "mixinputs-0.1.1" }), { moi_beta: 0, moi_preset: "mixinputs-0.1.1" }],
  [
    moi({ preset: "mixinputs-0.1.1", shrink: true }),
    { moi_preset: "mixinputs-0.1.1", moi_shrink: true },
  ],
  [moi({ prior: "model" }), { moi_prior: "model" }],
  [moi({ topK: 3 }), { moi_top_k: 3 }],
  [moi({ topK: 1 }), { moi_top_k: 1 }],
  [moi({ normalizer: "support", topK: 5 }), { moi_normalizer: "support", moi_top_k: 5 }],
  [
    moi({ preset: "mixinputs-0.1.1", normalizer: "vocabulary" }),
    { moi_preset: "mixinputs-0.1.1", moi_normalizer: "vocabulary" },
  ],
  [directMixture(), { moi_method: "directMixture" }],
  [
    directMixture({ prior: "model", topK: 20 }),
    { moi_method: "directMixture", moi_prior: "model", moi_top_k: 20 },
  ],
  [linearMixture(), { moi_method: "linearMixture" }],
  [linearMixture({ weight: 0 }), { moi_method: "linearMixture", moi_weight: 0 }],
  [
    linearMixture({ weight: 0.9, prior: "model" }),
    { moi_method: "linearMixture", moi_weight: 0.9, moi_prior: "model" },
  ],
];

const SAMPLERS = [
  {},
  { temperature: 0 },
  { temperature: 0.6 },
  { temperature: 1.7 },
  { topK: 4 },
  { topP: 0.8 },
  { minP: 0.05 },
  { temperature: 0.7, topK: 40, topP: 0.95 },
  { temperature: 1.3, topK: 25, minP: 0.02 },
];

/** Logits of many kinds; those at the end have tokens that equal one another. */
function logitsOf(random: Random, size: number): readonly (readonly [string, Float32Array])[] {
  const normal = (scale: number) =>
    Float32Array.from({ length: size }, () => scale * random.normal());
  const certain = new Float32Array(size).fill(-200), cut = normal(2);
  certain[random.below(size)] = 100;
  for (let id = 1; id < size; id += 3) cut[id] = -Infinity;
  return [
    ["flat", normal(0.1)],
    ["usual", normal(2)],
    ["peaked", normal(12)],
    ["with tokens cut", cut],
    ["certain", certain],
    ["uniform", new Float32Array(size)],
  ];
}

function cases(): Case[] {
  const random = seeded(11), all: Case[] = [];
  for (const size of [2, 5, 30, 301, 4096]) {
    for (const [kind, logits] of logitsOf(random, size)) {
      const equals = kind === "uniform" || kind === "certain";
      for (const settings of SAMPLERS) {
        if (equals && ["topK", "topP"].some((name) => name in settings)) continue; // any of equals
        const sampler = samplerOf(settings), distribution = distributionOf(logits, sampler);
        const methods = size > 1000 ? random.shuffled(METHODS).slice(0, 3) : METHODS;
        for (const [method, fields] of methods) {
          const token = distribution.draw(random.next());
          const name = `${size} ${kind} ${JSON.stringify(settings)} ${JSON.stringify(fields)}`;
          all.push({ name, logits, sampler, token, method, fields });
        }
      }
    }
  }
  return all;
}

function denseWeights({ ids, weights }: Mixture, size: number): Float64Array {
  const all = new Float64Array(size);
  for (let k = 0; k < ids.length; k++) all[ids[k]!]! += weights[k]!;
  return all;
}

test("the torch core mixes as the methods do: weights, entropy, off-sample mass", async () => {
  const all = cases(), script = fromFileUrl(new URL("mixing.py", import.meta.url));
  const asked = all.map(({ logits, sampler, token, fields }) => ({
    logits: Array.from(logits, (l) => Number.isFinite(l) ? l : null),
    ...{ temperature: sampler.temperature, top_k: sampler.topK },
    ...{ top_p: sampler.topP, min_p: sampler.minP, token, fields },
  }));
  const answer = await runPython([script], { PYTHONPATH: sources }, JSON.stringify(asked));
  const made = JSON.parse(answer) as [number[], number, number][];
  assertEquals(made.length, all.length);
  let joined = 0, mixing = 0;
  for (const [i, { name, logits, sampler, token, method }] of all.entries()) {
    const [weights, entropy, mass] = made[i]!, distribution = distributionOf(logits, sampler);
    const state = method.init({ vocabularySize: logits.length, prompt: [], uniform: () => 0 });
    const { input } = method.step(distribution, token, state);
    const expected = denseWeights(input, logits.length);
    const off = Math.max(
      ...expected.map((weight, id) => Math.abs(weight - weights[id]!)),
      Math.abs(entropy - distribution.normalizedEntropy),
      Math.abs(mass - offSampleMass(input, token)),
    );
    assert(off <= 1e-6, `${name}, token ${token}: off by ${off}`);
    if (mass > 0) mixing++;
    const isTop = [...distribution.model().top(20).ids].includes(token);
    if (method.parameters?.preset === "mixinputs-0.1.1" && !isTop) joined++;
    const isAlone = input.ids.length === 1 && input.ids[0] === token;
    if (isAlone) assertEquals([weights[token], mass], [1, 0], name);
  }
  assert(all.length > 2000 && mixing > 1000 && joined > 20, `${all.length} ${mixing} ${joined}`);
});

test("fields and versions of vLLM: what is recorded, and what is refused by name", async () => {
  const script = fromFileUrl(new URL("fields.py", import.meta.url));
  const good = METHODS.map(([, fields]) => fields);
  const bad = [
    ...[{ moi_beta: -1 }, { moi_beta: "1" }, { moi_beta: true }, { moi_beta: null }],
    ...[{ moi_preset: "papers" }, { moi_top_k: 1.5 }, { moi_top_k: -1 }, { moi_shrink: "yes" }],
    ...[{ moi_gamma: 1 }, { moi: {} }, { moi_method: "fixedMass" }, { moi_method: 3 }],
    ...[{ moi_method: "standard", moi_beta: 1 }, { moi_method: "linearMixture", moi_weight: 2 }],
    ...[{ moi_method: "directMixture", moi_phase: "thoughts" }, { moi_prior: ["model"] }],
  ];
  const versions = ["0.32.0", "0.32.0+cpu", "0.33.0"];
  const answer = await runPython(
    [script],
    { PYTHONPATH: sources },
    JSON.stringify([good, bad, versions]),
  );
  const [told, refused, known] = JSON.parse(answer) as [unknown[], [string, string][], string[]];
  assertEquals(known.slice(0, 2), ["0.32.0", "0.32.0"]);
  assertMatch(known[2]!, /^Cannot mix inside vLLM as its version must be 0\.32\.0,.+ is 0\.33\.0/);
  const recorded = METHODS.map(([{ name, parameters = {} }]) => [name, parameters]);
  assertEquals(told, recorded);
  for (const [i, [field, message]] of refused.entries()) {
    const last = Object.entries(bad[i]!).at(-1)!;
    assertEquals(field, last[0]);
    const sentence = new RegExp(`^Cannot mix as '${field}' must .+: current value is .+$`);
    assert(sentence.test(message), message);
  }
});
