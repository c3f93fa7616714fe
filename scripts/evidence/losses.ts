/** Study A: is a mixture a better input than the token that it replaces? */

import {
  byEntropy,
  byStep,
  generateBatch,
  inputLoss,
  lossGains,
  lossTable,
  type Method,
  moi,
  plotLosses,
  toSvg,
} from "../../mod.ts";
import {
  directMixture,
  type Distribution,
  type LossText,
  type TextLoss,
} from "../../lib/decode/mod.ts";
import type { Model } from "../../lib/model/mod.ts";
import type { LossGainsOptions } from "../../lib/stats/mod.ts";
import { print } from "../_cli.ts";
import { textOf } from "../_table.ts";
import { chapters, speeches } from "./_documents.ts";
import {
  foundFolder,
  kept,
  lossesOfAll,
  methodsOf,
  type Plan,
  spread,
  type WrittenMethod,
} from "./_plan.ts";

/** Settings of the plan. */
export interface LossSettings {
  readonly seed: number;
  readonly speeches: number;
  readonly chapters: number;
  readonly characters: number;
  readonly context: number;
  readonly tokens: number;
  readonly temperature: number;
  readonly methods: Readonly<Record<string, WrittenMethod>>;
  readonly rivals: Readonly<Record<string, WrittenMethod>>;
  readonly fewer: readonly string[];
  readonly rivalDocuments: number;
  readonly closedDocuments: number;
  readonly leastAnswer: number;
  readonly entropyEdges: readonly number[];
  readonly stepEdges: readonly number[];
}

/** The documents of the plan: a speech, a chapter, a speech, … */
function documentsOf(settings: LossSettings): string[] {
  const { characters } = settings, cut = (text: string) => text.slice(0, characters);
  const spoken = spread(speeches(), settings.speeches).map(cut);
  const written = spread(chapters(characters), settings.chapters).map(cut);
  return spoken.flatMap((speech, i) => [speech, written[i]!]);
}

/** Losses of a part, computed once. */
function lossesOf(
  model: Model,
  part: string,
  texts: readonly LossText[],
  { context, tokens, temperature, seed }: LossSettings,
  written: Readonly<Record<string, WrittenMethod>>,
  loop: "open" | "closed" = "open",
): Promise<TextLoss[]> {
  const settings = { context, tokens, temperature, seed, loop };
  return kept(
    model,
    `losses-${part}`,
    { settings, written, texts },
    () => lossesOfAll(model, part, texts, { ...settings, methods: methodsOf(written) }),
  );
}

/** What the model itself goes on with after the first tokens of each document. */
async function answersOf(
  model: Model,
  documents: readonly string[],
  { context, tokens, seed, leastAnswer }: LossSettings,
  temperature: number,
): Promise<LossText[]> {
  const prompts = documents.map((text) => model.tokenizer.encode(text).slice(0, context));
  const requests = prompts.map((prompt, i) => ({
    ...{ prompt, seed: seed + i, maxNewTokens: tokens, temperature },
  }));
  const answers: LossText[] = [];
  for await (const { index, generation } of generateBatch(model, requests)) {
    if (generation.tokens.length < leastAnswer) continue;
    answers[index] = { prompt: prompts[index]!, answer: [...generation.tokens] };
  }
  return answers.filter((answer) => answer !== undefined);
}

function told(title: string, losses: readonly TextLoss[], options: LossGainsOptions = {}): void {
  print(`\n## ${title}\n\n${textOf(lossTable(lossGains(losses, options)))}\n`);
}

/** Runs the study; what it finds is kept in `runs/evidence`. */
export async function losses(model: Model, { settings }: Plan<LossSettings>): Promise<void> {
  const { methods, rivals, closedDocuments, rivalDocuments, entropyEdges, stepEdges } = settings;
  const fewer = Object.fromEntries(settings.fewer.map((key) => [key, methods[key]!]));
  const documents = documentsOf(settings);
  const all = { name: "all", has: () => true };
  const kinds = [
    all,
    { name: "speeches", has: ({ text }: { text: number }) => text % 2 === 0 },
    { name: "chapters", has: ({ text }: { text: number }) => text % 2 === 1 },
  ];
  const own = await lossesOf(model, "own", documents, settings, methods);
  told("The documents' own text", own, { groups: kinds, primary: "MoI 1" });
  const bins = byEntropy(entropyEdges);
  told("By entropy before the mixture", own, { groups: bins });
  told("By position since the first mixture", own, { groups: byStep(stepEdges) });
  for (const [name, temperature] of [["greedy", 0], ["sampled", 1]] as const) {
    const answers = await answersOf(model, documents, settings, temperature);
    const found = await lossesOf(model, name, answers, settings, fewer);
    told(`The model's own continuation, ${name}`, found, { groups: [all, ...bins] });
  }
  const every = (count: number) => spread(documents, count);
  const closed = await lossesOf(
    model,
    "closed",
    every(closedDocuments),
    settings,
    methods,
    "closed",
  );
  told("Closed loop: mixtures of what the mixtures made", closed);
  told("Rivals", await lossesOf(model, "rivals", every(rivalDocuments), settings, rivals));
  print(
    "\n## Looked at afterwards: MoI beside inputs of its own mass, on the documents' own text\n",
  );
  for (const beta of ["¼", "1"]) {
    for (const other of ["linear", "random"]) {
      const baseline = `${other} as ${beta}`, rows = lossGains(own, { baseline });
      print(`\n${textOf(lossTable(rows.filter(({ method }) => method === `MoI ${beta}`)))}\n`);
    }
  }
  const rows = lossGains(own, { groups: [all, ...bins], primary: "MoI 1" });
  const shown = rows.filter(({ method }) => !["direct", "β → ∞"].includes(method));
  await Deno.writeTextFile(`${foundFolder()}/losses.svg`, await toSvg(plotLosses(shown)));
}

/** The 64 most probable tokens, at their share of the entropy of all: what the pilot mixed. */
function pilotMoi(beta: number): Method {
  return {
    ...{ name: "pilot", parameters: { beta }, init: () => undefined },
    step: (p: Distribution, token: number) => ({
      input: p.top(64).mixture(p.normalizedEntropy / (1 + beta), token),
      state: undefined,
    }),
  };
}

/**
 * The pilot again: pairs of questions as documents.
 *
 * @param questions Questions of GSM8K, in their order.
 */
export async function pilot(model: Model, questions: readonly string[]): Promise<void> {
  const documents = Array.from(
    { length: 40 },
    (_, i) => `${questions[2 * i]}\n\n${questions[2 * i + 1]}`,
  );
  const methods = {
    ...{ "β → ∞": moi({ beta: Infinity }), "β = ¼, 64 tokens": pilotMoi(0.25) },
    ...{ "β = 1, 64 tokens": pilotMoi(1), "β = 4, 64 tokens": pilotMoi(4) },
    "direct, 64 tokens": directMixture({ topK: 64 }),
    ...{ "MoI ¼": moi({ beta: 0.25 }), "MoI 1": moi({ beta: 1 }), "MoI 4": moi({ beta: 4 }) },
  };
  told("The pilot", await inputLoss(model, documents, { methods, context: 24, tokens: 126 }));
}
