/** The control that reasons: does MoI gain more where the model's decisions are less certain? */

import {
  accuracy,
  forward,
  gains,
  gainsTable,
  holm,
  interaction,
  loadModel,
  pancakes,
  runStudy,
} from "../../mod.ts";
import { distributionOf, promptTokens, samplerOf, standard } from "../../lib/decode/mod.ts";
import type { Model } from "../../lib/model/mod.ts";
import { type Column, tableOf } from "../../lib/plot/mod.ts";
import { mean } from "../../lib/stats/_moments.ts";
import type { InteractionPoint } from "../../lib/stats/mod.ts";
import type { Run } from "../../lib/study/mod.ts";
import { decisionsOf, shortestWay, taughtAnswer } from "../../lib/tasks/pancakes.ts";
import type { PancakesProblem, SyntheticOptions } from "../../lib/tasks/mod.ts";
import { print, say } from "../_cli.ts";
import { textOf } from "../_table.ts";
import { foundFolder, kept, methodsOf, type Plan, type WrittenMethod } from "./_plan.ts";

/** Settings of the plan. */
export interface DecisionsSettings {
  readonly models: readonly string[];
  readonly problems: SyntheticOptions;
  readonly seed: number;
  readonly repeats: number;
  readonly temperature: number;
  /** The first is the baseline. */
  readonly methods: Readonly<Record<string, WrittenMethod>>;
  /** Where standard decoding is shown too. */
  readonly temperatures: readonly number[];
  /** A method and what it is compared with; the first is the primary one. */
  readonly contrasts: readonly (readonly [string, string])[];
  /** Methods whose gains are shown by quarter of H. */
  readonly quarters: readonly string[];
}

/** Entropies over ln V along the text that was taught, in the mean. */
export interface TaughtEntropy {
  /** Where a flip is a decision. */
  readonly decisions: number;
  /** Where exactly one flip closes a gap. */
  readonly forced: number;
  /** At all other tokens. */
  readonly others: number;
  /** Weight that MoI of β gives to other tokens than the drawn one at a decision, as expected, times β + 1. */
  readonly mass: number;
}

/**
 * What a model that is fed the taught text, token by token, is uncertain of. It depends on model and
 * problem alone, not on what a run drew.
 */
export async function taughtEntropy(
  model: Model,
  problem: PancakesProblem,
  temperature: number,
): Promise<TaughtEntropy> {
  const prompt = promptTokens(model, pancakes().prompt(problem)), way = shortestWay(problem.stack);
  const answer = model.tokenizer.encode(taughtAnswer(problem.stack));
  const rows = await forward(model, [...prompt, ...answer]), sampler = samplerOf({ temperature });
  const spread = rows.slice(prompt.length - 1).map((logits) => distributionOf(logits, sampler));
  const entropies = spread.map(({ normalizedEntropy }) => normalizedEntropy);
  const line = problem.stack.length + 1; // a token a letter, and the line feed
  const flips = way.slice(1).map((_, i) => (i + 1) * line), open = decisionsOf(way);
  const at = (places: readonly number[]) => mean(places.map((place) => entropies[place]!));
  const decisions = open.map((i) => flips[i]!);
  return {
    decisions: at(decisions),
    forced: at(flips.filter((_, i) => !open.includes(i))),
    others: mean(entropies.filter((_, place) => !flips.includes(place))),
    mass: mean(decisions.map((place) => entropies[place]! * (1 - spread[place]!.collision()))),
  };
}

/** All runs of a model, and what it is uncertain of by problem. */
interface Part {
  readonly model: string;
  readonly runs: readonly Run[];
  readonly cooler: readonly (readonly [number, readonly Run[]])[];
  readonly entropy: Readonly<Record<string, TaughtEntropy>>;
}

async function partOf(name: string, settings: DecisionsSettings): Promise<Part> {
  const { seed, repeats, temperature, temperatures, problems } = settings;
  await using model = await loadModel(name);
  const task = pancakes(problems);
  const study = async (part: string, own: object, methods: ReturnType<typeof methodsOf>) => {
    const runs = await runStudy({ model, task, methods, seed, repeats, ...own }, {
      store: `${foundFolder()}/decisions-${name}-${part}.jsonl`,
      onProgress: ({ done, total }) => done % 1000 === 0 && say(`${name}: ${done} of ${total}`),
    });
    if (runs.planned && runs.length < runs.planned.runs) {
      throw new Error(`Cannot go on with ${name} as it was stopped`);
    }
    return [...runs];
  };
  const runs = await study("methods", { temperature }, methodsOf(settings.methods));
  const cooler: [number, Run[]][] = [];
  for (const cool of temperatures) {
    const own = { temperature: cool, ...(cool === 0 ? { repeats: 1 } : {}) };
    cooler.push([cool, await study(`T${cool}`, own, { standard: standard() })]);
  }
  const asked = { name, problems, temperature };
  const entropy = await kept(model, `decisions-taught-${name}`, asked, async () => {
    const all: Record<string, TaughtEntropy> = {};
    for (const problem of await task.problems()) {
      all[problem.id] = await taughtEntropy(model, problem, temperature);
    }
    return all;
  });
  return { model: name, runs, cooler, entropy };
}

const fixed = (value: number, digits: number) =>
  value.toFixed(digits).replace(/^-(?=[0.]+$)/, "").replace("-", "−");
const percent = (share: number) => fixed(100 * share, 1);
const interval = (low: number, high: number) => `[${percent(low)}, ${percent(high)}]`;
const pText = (p: number) => p < 0.0001 ? "<.0001" : p.toFixed(4);

function modelRow({ model, runs, cooler, entropy }: Part, baseline: string) {
  const own = runs.filter(({ method }) => method === baseline), all = Object.values(entropy);
  const { mean: right, low, high } = accuracy(own);
  const quiet = cooler.map(([, some]) => percent(accuracy(some).mean)).join(" / ");
  return {
    ...{ model, accuracy: `${percent(right)} ${interval(low, high)}`, quiet },
    decisions: mean(all.map((one) => one.decisions)),
    forced: mean(all.map((one) => one.forced)),
    others: mean(all.map((one) => one.others)),
    mass: mean(all.map((one) => one.mass / 2)),
    tokens: mean(own.map(({ tokens }) => tokens.length)),
    cut: own.filter(({ finishReason }) => finishReason === "length").length / own.length,
  };
}

/** The models as further repeats of one: training seeds of a problem stay together. */
function pooled(parts: readonly Part[], repeats: number): Run[] {
  return parts.flatMap(({ runs }, part) =>
    runs.map((run) => ({
      ...run,
      ...{ model: "decisions-tiny", study: "decisions", repeat: part * repeats + run.repeat },
    }))
  );
}

/** Right with the method less right with the other, beside H at the decisions. */
export function contrastPoints(
  parts: readonly Pick<Part, "model" | "runs" | "entropy">[],
  [method, other]: readonly [string, string],
): InteractionPoint[] {
  return parts.flatMap(({ model, runs, entropy }) => {
    const rights = (key: string) =>
      new Map(
        runs.filter((run) => run.method === key)
          .map((run) => [`${run.problem} ${run.repeat}`, Number(run.grade.correct)]),
      );
    const base = rights(other);
    return runs.filter((run) => run.method === method).map((run) => ({
      x: entropy[run.problem]!.decisions,
      y: Number(run.grade.correct) - base.get(`${run.problem} ${run.repeat}`)!,
      ...{ cluster: run.problem, stratum: model },
    }));
  });
}

function slopeRows(parts: readonly Part[], { contrasts, repeats }: DecisionsSettings) {
  const runs = pooled(parts, repeats);
  const found = contrasts.map((pair) => {
    const own = gains(runs.filter((run) => pair.includes(run.method)), { baseline: pair[1] });
    const { gain, low, high } = own.find(({ method }) => method === pair[0])!;
    return {
      contrast: pair.join(" less "),
      mean: `${percent(gain)} ${interval(low, high)}`,
      ...interaction(contrastPoints(parts, pair)),
    };
  });
  const adjusted = [found[0]!.p, ...holm(found.slice(1).map(({ p }) => p))];
  return found.map((row, i) => ({ ...row, adjusted: adjusted[i]! }));
}

const slopeText = (slope: number, low: number, high: number) =>
  `${fixed(10 * slope, 2)} [${fixed(10 * low, 2)}, ${fixed(10 * high, 2)}]`;

/** Gains within each quarter of H at the decisions, of model and problem together. */
function quarterRows(parts: readonly Part[], { quarters, methods, repeats }: DecisionsSettings) {
  const [baseline = ""] = Object.keys(methods);
  const all = parts.flatMap(({ entropy }) => Object.values(entropy).map((one) => one.decisions))
    .sort((a, b) => a - b);
  const edge = (quarter: number) => all[Math.min(all.length - 1, quarter * all.length / 4 | 0)]!;
  return [0, 1, 2, 3].flatMap((quarter) => {
    const [from, to] = [edge(quarter), quarter === 3 ? Infinity : edge(quarter + 1)];
    const inside = parts.map((part) => ({
      ...part,
      runs: part.runs.filter(({ problem, method }) => {
        const H = part.entropy[problem]!.decisions;
        return H >= from && H < to && [baseline, ...quarters].includes(method);
      }),
    }));
    const rows = gains(pooled(inside, repeats), { baseline });
    return rows.slice(1).map((row) => ({
      quarter: `H ${from.toFixed(2)} to ${edge(quarter + 1).toFixed(2)}`,
      ...{ method: row.method, standard: percent(rows[0]!.accuracy) },
      gain: `${percent(row.gain)} ${interval(row.low, row.high)}`,
    }));
  });
}

function told<Row extends object>(
  title: string,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): void {
  print(`\n## ${title}\n\n${textOf(tableOf(rows, columns))}\n`);
}

/** Runs the study; runs are kept in `runs/evidence`. */
export async function decisions({ settings }: Plan<DecisionsSettings>): Promise<void> {
  const { models, methods, repeats, temperatures, quarters } = settings;
  const [baseline = ""] = Object.keys(methods), parts: Part[] = [];
  for (const model of models) parts.push(await partOf(model, settings));
  const three = (value: number) => value.toFixed(3);
  told("The models", parts.map((part) => modelRow(part, baseline)), [
    { heading: "model", of: "model" },
    { heading: "standard, %", of: "accuracy" },
    { heading: `at T ${temperatures.join(" / ")}`, of: "quiet" },
    { heading: "H: decisions", of: "decisions", as: three },
    { heading: "other flips", of: "forced", as: three },
    { heading: "other tokens", of: "others", as: three },
    { heading: "MoI 1's mass at decisions", of: "mass", as: three },
    { heading: "tokens", of: "tokens", as: (count: number) => count.toFixed(0) },
    { heading: "cut, %", of: "cut", as: percent },
  ]);
  const rows = slopeRows(parts, settings);
  told("Slopes on H at the decisions (points for .1 of H); the first was declared", rows, [
    { heading: "contrast", of: "contrast" },
    { heading: "gain, points", of: "mean" },
    { heading: "slope", of: ["slope", "low", "high"], as: slopeText },
    { heading: "p", of: "p", as: pText },
    { heading: "Holm", of: "adjusted", as: pText },
  ]);
  const each = parts.flatMap((part) =>
    quarters.map((method) => {
      const { slope, low, high } = interaction(contrastPoints([part], [method, baseline]));
      return { model: part.model, method, slope, low, high };
    })
  );
  told("The same by model, less standard (pointwise)", each, [
    { heading: "model", of: "model" },
    { heading: "method", of: "method", align: "left" },
    { heading: "slope", of: ["slope", "low", "high"], as: slopeText },
  ]);
  told("Gains by quarter of H", quarterRows(parts, settings), [
    { heading: "H at decisions", of: "quarter" },
    { heading: "method", of: "method", align: "left" },
    { heading: "standard, %", of: "standard" },
    { heading: "gain, points", of: "gain" },
  ]);
  const all = gains(pooled(parts, repeats), { baseline });
  print(`\n## Gains, all models\n\n${textOf(gainsTable(all))}\n`);
  for (const { model, runs } of parts) {
    print(`\n## Gains, ${model}\n\n${textOf(gainsTable(gains(runs, { baseline })))}\n`);
  }
}
