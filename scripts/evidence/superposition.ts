/** Study E: does a mixture stay a superposition inside a network, or does it collapse to its heaviest token? */

import {
  countdown,
  distributionOf,
  forward,
  generateBatch,
  loadModel,
  type Model,
  samplerOf,
  superposition as superpositionOf,
  tableOf,
  type Task,
  votes,
} from "../../mod.ts";
import { promptTokens, type SuperpositionLayer } from "../../lib/decode/mod.ts";
import type { Mixture } from "../../lib/model/mod.ts";
import { heaviest } from "../../lib/decode/heaviest.ts";
import { clusteredRatio, sumOf } from "../../lib/stats/_ratio.ts";
import { estimate, scoreFormat } from "../../lib/plot/_format.ts";
import { print, say } from "../_cli.ts";
import { textOf } from "../_table.ts";
import { chapters, speeches } from "./_documents.ts";
import { kept, methodsOf, type Plan, type WrittenMethod } from "./_plan.ts";

/** Where mixtures are taken from. */
interface Part {
  /** "real": documents; else an embedded model, at its own task's answers. */
  readonly model: string;
  /** Documents: half of them speeches, half chapters; or problems. */
  readonly documents: number;
  /** Index of the first document or problem, so that trials take others. */
  readonly first: number;
  /** Least H before a token whose place is taken. */
  readonly leastEntropy: number;
  /** Heaviest tokens that are fed alone. */
  readonly top: number;
  /** Layers that are looked at. Default: all. */
  readonly layers?: readonly number[];
}

/** Settings of the plan. */
export interface SuperpositionSettings {
  readonly seed: number;
  readonly parts: Readonly<Record<string, Part>>;
  readonly methods: Readonly<Record<string, WrittenMethod>>;
  /** Methods whose mixtures are cut to the tokens that are fed alone. */
  readonly cut: readonly string[];
  readonly temperature: number;
  readonly topP: number;
  /** Mixtures whose ingredients weigh less are left out. */
  readonly leastWeight: number;
  /** Nats by which ingredients differ at a layer, for their survival there to be counted. */
  readonly leastApart: number;
  readonly perDocument: number;
  readonly context: number;
  readonly tokens: number;
  readonly characters: number;
}

/** A text and where it may be mixed. */
interface Document {
  readonly tokens: readonly number[];
  readonly from: number;
}

/** What one mixture became. */
interface Found {
  readonly document: number;
  readonly method: string;
  /** Weight of the ingredients in the mixture. */
  readonly weight: number;
  /** Their weights, of sum 1. */
  readonly weights: readonly number[];
  readonly layers: readonly SuperpositionLayer[];
}

/** Speech, chapter, speech, …, from an index on, spread over all there are. */
function texts({ documents, first }: Part, characters: number): string[] {
  const both = [speeches(), chapters(characters)], half = Math.ceil(documents / 2);
  return Array.from({ length: documents }, (_, i) => {
    const all = both[i % 2]!, at = Math.floor(Math.floor(i / 2) * all.length / half) + first;
    return all[at]!.slice(0, characters);
  });
}

/** The documents of a part: texts, or a model's sampled answers to its task. */
async function documentsOf(model: Model, part: Part, settings: SuperpositionSettings) {
  const { context, tokens, characters, seed, temperature } = settings;
  if (part.model === "real") {
    return texts(part, characters).map((text): Document => ({
      tokens: model.tokenizer.encode(text).slice(0, context + tokens),
      from: context,
    }));
  }
  const tasks: Readonly<Record<string, Task>> = {
    "votes-tiny": votes({ limit: part.first + part.documents }),
    "countdown-tiny-baseline": countdown({ limit: part.first + part.documents }),
  };
  const task = tasks[part.model]!, problems = (await task.problems()).slice(part.first);
  const prompts = problems.map((problem) => promptTokens(model, task.prompt(problem)));
  const requests = prompts.map((prompt, i) => ({ prompt, seed: seed + i, temperature }));
  const documents: Document[] = [];
  for await (const { index, generation } of generateBatch(model, requests)) {
    const prompt = prompts[index]!;
    documents[index] = { tokens: [...prompt, ...generation.tokens], from: prompt.length };
  }
  return documents;
}

/** So many of a list at most, evenly. */
function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, i) => all[Math.floor((i + 0.5) * all.length / most)]!);
}

/** The mixtures that methods would feed in a document, at a few places where there is something to mix. */
async function mixturesOf(
  model: Model,
  { tokens, from }: Document,
  { leastEntropy }: Part,
  { temperature, topP, methods, perDocument }: SuperpositionSettings,
) {
  if (tokens.length <= from) return [];
  const rows = await forward(model, tokens.slice(0, -1));
  const sampler = samplerOf({ temperature, topP }),
    context = {
      ...{ vocabularySize: model.config.vocabularySize, prompt: tokens.slice(0, from), sampler },
      ...{ tokenizer: model.tokenizer, uniform: () => 0.5 },
    };
  const before = (at: number) => distributionOf(rows[at - 1]!.slice(), sampler, at - from);
  const places = Array.from({ length: tokens.length - from }, (_, i) => from + i)
    .filter((at) => before(at).normalizedEntropy >= leastEntropy);
  return spread(places, perDocument).flatMap((at) =>
    Object.entries(methodsOf(methods)).map(([name, method]) => {
      const { input } = method.step(before(at), tokens[at]!, method.init(context));
      return { at, name, mixture: input as Mixture };
    })
  );
}

/** What became of the mixtures of a part. */
async function found(model: Model, part: Part, settings: SuperpositionSettings): Promise<Found[]> {
  const all: Found[] = [];
  const documents = await documentsOf(model, part, settings);
  for (const [document, own] of documents.entries()) {
    for (const { at, name, mixture } of await mixturesOf(model, own, part, settings)) {
      const options = { top: part.top, ...(part.layers && { layers: part.layers }) };
      if (mixture.ids.length + (mixture.dense ? 1 : 0) < 2) continue;
      const entries = heaviest(mixture, part.top), ids = entries.map(([token]) => token);
      const weight = entries.reduce((sum, [, own]) => sum + own, 0);
      const weights = entries.map(([, own]) => own / weight), before = own.tokens.slice(0, at);
      const fed = settings.cut.includes(name) ? { ids, weights } : mixture;
      const { layers } = await superpositionOf(model, before, fed, options);
      all.push({ document, method: name, weight, weights, layers });
    }
    if (document % 10 === 9) say(`${part.model}: ${document + 1} of ${documents.length}`);
  }
  return all;
}

/** Σ y / Σ x with an interval clustered by document. */
function ratio(all: readonly Found[], of: (one: Found) => readonly [y: number, x: number]) {
  const documents = [...Map.groupBy(all, ({ document }) => document).values()];
  const sums = (part: 0 | 1) => documents.map((own) => sumOf(own.map((one) => of(one)[part])));
  return clusteredRatio(sums(0), sums(1), 0.95);
}

const shown = ({ ratio: value, low, high }: ReturnType<typeof ratio>): string =>
  estimate(scoreFormat(1, 3).number)(value, low, high);

const others = (shares: readonly number[]) => 1 - shares[0]!;

const number = (value: number) => value.toFixed(4);

/** A row for each layer, as it is written. */
function rowsOf(all: readonly Found[], leastApart: number) {
  return all[0]!.layers.map(({ layer }, i) => {
    const mean = (of: (layer: SuperpositionLayer) => number) =>
      ratio(all, ({ layers }) => [of(layers[i]!), 1]);
    const apart = all.filter(({ layers }) => layers[i]!.apart >= leastApart);
    const ratioOf = (of: (one: Found) => readonly [number, number]) =>
      new Set(apart.map(({ document }) => document)).size < 2 ? "–" : shown(ratio(apart, of));
    const survival = (of: (layer: SuperpositionLayer) => readonly number[]) =>
      ratioOf(({ weights, layers }) => [others(of(layers[i]!)), others(weights)]);
    return {
      layer: `${layer}`,
      difference: shown(mean((own) => own.toMixture - own.toIngredients[0]!)),
      toMixture: number(mean((own) => own.toMixture).ratio),
      toTop: number(mean((own) => own.toIngredients[0]!).ratio),
      apart: number(mean((own) => own.apart).ratio),
      unexplained: number(mean((own) => own.unexplained).ratio),
      others: survival((own) => own.shares),
      second: ratioOf(({ weights, layers }) => [layers[i]!.shares[1]!, weights[1]!]),
      told: `${apart.length}`,
      stream: survival((own) => own.streamShares),
      streamUnexplained: number(mean((own) => own.streamUnexplained).ratio),
    };
  });
}

/** Prints what became of the mixtures of one method. */
function told(
  title: string,
  every: readonly Found[],
  { leastWeight, leastApart }: SuperpositionSettings,
): void {
  const all = every.filter(({ weight }) => weight >= leastWeight);
  const documents = new Set(all.map(({ document }) => document)).size;
  if (documents < 2) return print(`\n## ${title}: N = ${all.length}, too few\n`);
  const [weight, beside] = [
    ratio(all, (one) => [one.weight, 1]).ratio,
    ratio(all, ({ weights }) => [others(weights), 1]).ratio,
  ];
  print(
    `\n## ${title}\n\nN = ${all.length} mixtures in ${documents} documents (${
      every.length - all.length
    } left out); ingredients weigh ${weight.toFixed(3)}, of which those beside the heaviest ${
      beside.toFixed(3)
    }\n\n`,
  );
  const rows = rowsOf(all, leastApart);
  const layer = { heading: "layer", of: "layer", align: "right" } as const;
  const distances = tableOf(rows, [
    layer,
    { heading: "to Σ w p", of: "toMixture" },
    { heading: "to the heaviest", of: "toTop" },
    { heading: "difference [95 %]", of: "difference" },
    { heading: "unexplained", of: "unexplained" },
    { heading: "apart", of: "apart" },
  ]);
  const survivals = tableOf(rows, [
    layer,
    { heading: "N", of: "told" },
    { heading: "survival of others [95 %]", of: "others" },
    { heading: "of the second", of: "second" },
    { heading: "in the stream", of: "stream" },
    { heading: "unexplained", of: "streamUnexplained" },
  ]);
  print(`${textOf(distances)}\n\n${textOf(survivals)}\n`);
}

/** Runs the study; what it finds is kept in `runs/evidence`. */
export async function superposition(
  real: Model,
  { settings }: Plan<SuperpositionSettings>,
): Promise<void> {
  for (const [key, part] of Object.entries(settings.parts)) {
    const { parts: _parts, ...shared } = settings;
    await using own = part.model === "real" ? undefined : await loadModel(part.model);
    const model = own ?? real, asked = { shared, part };
    const all = await kept(
      model,
      `superposition-${key}`,
      asked,
      () => found(model, part, settings),
    );
    for (const method of Object.keys(settings.methods)) {
      told(`${key}: ${method}`, all.filter((one) => one.method === method), settings);
    }
  }
}
