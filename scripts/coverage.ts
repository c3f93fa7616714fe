/** `deno task coverage`: how often the intervals cover, and how often the tests err. */

import { accuracy, type GainRow, gains, type Outcome, tuneThenTest } from "../lib/stats/mod.ts";
import { uint32s } from "../lib/stats/_random.ts";
import { normalUpperQuantile } from "../lib/stats/_special.ts";
import type { Run } from "../lib/study/mod.ts";
import { type Column, toMarkdown } from "../lib/plot/mod.ts";
import { checkNumber } from "../lib/_check.ts";
import { command, print, say } from "./_cli.ts";
import { printing } from "./_table.ts";

const USAGE = `
Simulates studies whose truth is known, and prints how often the 95 % intervals of gains() and
accuracy() cover it, and how often a test at 5 % finds a difference where there is none.

usage: deno task coverage [options]

  --studies N    simulated studies a cell (default: 4000, a standard error of 0.35 points at 95 %)
  --seed N       default: 1
  -h, --help     this text

A problem has a chance p of being solved by the baseline, logit(p) = μ + 2z, and one of being
solved by the method, logit(q) = logit(p) + t (0.4 + 0.7e); z and e are 61 normal quantiles. With chance c both
draw the same random number, as methods of one study do, else numbers of their own. μ gives the
baseline its accuracy; c, and t where need be, give the pairs their disagreement. Every study draws
new problems. Where the baseline is right in 95 % and pairs are to disagree more than noise can
make them, t is negative.
`;

/** Standard normal quantiles, in which the population is counted. */
const GRID = 61;
const z = Array.from({ length: GRID }, (_, i) => normalUpperQuantile(1 - (i + 0.5) / GRID));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** A kind of problems and methods. */
interface Population {
  readonly mean: number;
  readonly shift: number;
  readonly coupling: number;
}

/** Averages over the population, its disagreement being linear in the coupling. */
function truth({ mean, shift, coupling }: Population) {
  let p = 0, gain = 0, apart = 0, together = 0;
  for (const a of z) {
    for (const b of z) {
      const x = sigmoid(mean + 2 * a), y = sigmoid(mean + 2 * a + shift * (0.4 + 0.7 * b));
      p += x;
      gain += y - x;
      apart += x * (1 - y) + y * (1 - x);
      together += Math.abs(x - y);
    }
  }
  const n = GRID * GRID, disagreement = (coupling * together + (1 - coupling) * apart) / n;
  return {
    accuracy: p / n,
    gain: gain / n,
    apart: apart / n,
    together: together / n,
    disagreement,
  };
}

/** Where an increasing function of x reaches a value, between two ends. */
function solve(of: (x: number) => number, value: number, low: number, high: number): number {
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (of(middle) < value) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The population of a cell. */
function population(accuracy: number, disagreement: number): Population {
  const mean = solve((mean) => truth({ mean, shift: 0, coupling: 0 }).accuracy, accuracy, -12, 12);
  const of = (shift: number) => truth({ mean, shift, coupling: 0 });
  const coupled = (shift: number): Population => {
    const { apart, together } = of(shift);
    return { mean, shift, coupling: (apart - disagreement) / (apart - together) };
  };
  if (of(1).together > disagreement) { // the shift alone would be too much: half of it from there
    return coupled(solve((shift) => of(shift).together, disagreement / 2, 0, 1));
  }
  if (of(1).apart >= disagreement) return coupled(1);
  const sign = accuracy > 0.5 ? -1 : 1;
  const size = solve((size) => of(sign * size).apart, disagreement, 0, 40);
  return { mean, shift: sign * size, coupling: 0 };
}

/** One of the quantiles, so that what is drawn is what the truth is counted over. */
const normal = (random: () => number) => z[Math.floor(random() * GRID)]!;

const uniforms = (seed: number) => {
  const next = uint32s(seed);
  return () => (next() + 0.5) * 2 ** -32;
};

/** Runs of one simulated study, two methods. */
function simulate(
  { mean, shift, coupling }: Population,
  problems: number,
  repeats: number,
  random: () => number,
): Outcome[] {
  const runs: Outcome[] = [];
  for (let problem = 0; problem < problems; problem++) {
    const logit = mean + 2 * normal(random), p = sigmoid(logit);
    const q = sigmoid(logit + shift * (0.4 + 0.7 * normal(random)));
    for (let repeat = 0; repeat < repeats; repeat++) {
      const same = random() < coupling, u = random(), v = same ? u : random();
      runs.push(
        outcome("standard", problem, repeat, u < p),
        outcome("moi", problem, repeat, v < q),
      );
    }
  }
  return runs;
}

const MIXING = { meanEntropy: 0, meanOffSampleMass: 0 }, NONE: number[] = [], NO_KNOBS = {};

function outcome(method: string, problem: number, repeat: number, correct: boolean): Outcome {
  return {
    ...{ study: "simulated", model: "m", task: "t", problem: `${problem}`, method, repeat },
    ...{ parameters: NO_KNOBS, tokens: NONE, finishReason: "stop", mixing: MIXING },
    grade: { correct, extracted: null },
  };
}

const percent = (share: number) => (100 * share).toFixed(1);

/** Prints a table as Markdown, row by row; fields are the headings, their values on the right. */
function table<Name extends string>(...names: readonly Name[]) {
  type Line = Readonly<Record<Name, string | number>>;
  const columns = names.map((name): Column<Line> => ({ heading: name, of: name, align: "right" }));
  return printing(columns, toMarkdown);
}

const covers = ({ low, high }: { low: number; high: number }, value: number) =>
  Number(low <= value && value <= high);

function coverage(studies: number, seed: number): number {
  let worst = 1, cell = 0;
  const row = table(
    ...["problems", "accuracy %", "disagreement %", "gain, points", "repeats"] as const,
    ...["gain covered %", "accuracy covered %"] as const,
  );
  for (const problems of [20, 30, 50, 100, 500]) {
    for (const accuracyThere of [0.05, 0.5, 0.95]) {
      for (const disagreement of [0.01, 0.03, 0.1, 0.3]) {
        const kind = population(accuracyThere, disagreement), real = truth(kind);
        for (const repeats of [1, 4]) {
          const random = uniforms(seed + cell++);
          let gain = 0, own = 0;
          for (let study = 0; study < studies; study++) {
            const runs = simulate(kind, problems, repeats, random);
            gain += covers(gains(runs)[1]!, real.gain);
            own += covers(accuracy(runs, { method: "standard" }), real.accuracy);
          }
          worst = Math.min(worst, gain / studies);
          row({
            ...{ problems, repeats, "accuracy %": percent(real.accuracy) },
            "disagreement %": percent(real.disagreement),
            "gain, points": percent(real.gain),
            "gain covered %": percent(gain / studies),
            "accuracy covered %": percent(own / studies),
          });
        }
      }
    }
    say(`${problems} problems: done`);
  }
  return worst;
}

/** Counts a difference that is found, by p or by its interval. */
function judge({ p, low, high }: GainRow, count: { p: number; apart: number }): void {
  count.p += Number(p <= 0.05);
  count.apart += Number(low > 0 || high < 0);
}

/** Methods that are alike: how often p ≤ 0.05, and the interval excludes 0. */
function errors(studies: number, seed: number): void {
  const row = table(
    ...["problems", "accuracy %", "disagreement %", "repeats"] as const,
    ...["p ≤ 0.05, %", "interval without 0, %"] as const,
  );
  let cell = 1000;
  for (const problems of [20, 50, 100, 300]) {
    for (const accuracyThere of [0.05, 0.5]) {
      const kind = { ...population(accuracyThere, 0.03), shift: 0 };
      for (const coupling of [0, 0.8]) {
        for (const repeats of [1, 4]) {
          const random = uniforms(seed + cell++), own = { ...kind, coupling };
          const count = { p: 0, apart: 0 };
          for (let study = 0; study < studies; study++) {
            judge(gains(simulate(own, problems, repeats, random))[1]!, count);
          }
          row({
            ...{ problems, repeats, "accuracy %": percent(truth(own).accuracy) },
            "disagreement %": percent(truth(own).disagreement),
            "p ≤ 0.05, %": percent(count.p / studies),
            "interval without 0, %": percent(count.apart / studies),
          });
        }
      }
    }
  }
}

/** Settings that are alike, chosen and judged: 12 of one family against 2 of the baseline's. */
function tuned(studies: number, seed: number): void {
  const random = uniforms(seed + 2000), problems = 300;
  const families = { standard: ["s0", "s1"], moi: Array.from({ length: 12 }, (_, i) => `m${i}`) };
  const keys = Object.values(families).flat();
  const ways = { "half split": { judge: 1, of: 2 }, "5 folds": 5, "10 folds": 10 };
  const counts = new Map(Object.keys(ways).map((way) => [way, { p: 0, apart: 0 }]));
  for (let study = 0; study < studies; study++) {
    const runs = Array.from({ length: problems }, (_, problem) => {
      const p = sigmoid(2 * normal(random));
      return keys.map((key) => outcome(key, problem, 0, random() < p) as Run);
    }).flat();
    for (const [way, folds] of Object.entries(ways)) {
      judge(tuneThenTest(runs, { families, folds, seed: study }).rows[1]!, counts.get(way)!);
    }
  }
  const row = printing([
    { heading: "tuneThenTest, 300 problems, 12 settings against 2", of: "way" },
    { heading: "p ≤ 0.05, %", of: "p", as: percent },
    { heading: "interval without 0, %", of: "apart", as: percent },
  ], toMarkdown);
  for (const [way, { p, apart }] of counts) row({ way, p: p / studies, apart: apart / studies });
}

await command(USAGE, { values: ["studies", "seed"] }, (args) => {
  const studies = args.number("studies") ?? 4000, seed = args.number("seed") ?? 1;
  const verb = "simulate", integer = true;
  checkNumber(verb, "--studies", studies, { min: 1, integer });
  checkNumber(verb, "--seed", seed, { min: 0, max: 2 ** 32 - 2001, integer });
  const worst = coverage(studies, seed);
  print(`\nlowest coverage of a gain: ${percent(worst)} %\n\n`);
  errors(Math.min(studies, 2000), seed);
  print("\n");
  tuned(Math.min(studies, 1000), seed);
  return Promise.resolve();
});
