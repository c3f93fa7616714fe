/**
 * The published numbers of Mixture of Inputs (arXiv 2505.14827, third version): percent, as printed. Whether an
 * entry can be a mean over the five runs that the paper states is arithmetic: a mean of r runs on N problems is
 * a multiple of 1/(r·N).
 *
 * @module
 */

/** Benchmarks of the paper's main table, and their numbers of problems. */
export const PAPER_TASKS = {
  aime: { name: "AIME 2022–2024", problems: 90, note: "tuned on the test problems" },
  countdown: { name: "Count Down 4", problems: 128, note: "tuned on the test problems" },
  gpqaDiamond: { name: "GPQA Diamond", problems: 198, note: "no chat template but for Gemma-3" },
  liveCodeBench: { name: "LiveCodeBench", problems: 511, note: "May 2023 to May 2024" },
} as const;

/** A benchmark of the paper's main table. */
export type PaperTask = keyof typeof PAPER_TASKS;

/** Methods of the paper's main table. */
export type PaperMethod = "standard" | "direct" | "moi";

/** One entry of a table. */
export interface PaperEntry {
  /** Model, as the paper names it. */
  readonly model: string;
  /** Benchmark. */
  readonly task: PaperTask;
  /** Method. */
  readonly method: PaperMethod;
  /** Accuracy in percent, as printed. */
  readonly accuracy: number;
  /** Number of problems. */
  readonly problems: number;
  /** Runs that are averaged, as stated. */
  readonly runs: number;
  /**
   * Runs of which the printed figure can be the mean: "one" where it is a whole number of problems,
   * "stated" where it is so only of all runs together, "neither" where it is not.
   */
  readonly canBe: "one" | "stated" | "neither";
}

const MODELS = ["QwQ-32B", "Nemotron-Super-49B", "Gemma-3-27B", "DAPO-Qwen-32B"] as const;
const TASK_NAMES = Object.keys(PAPER_TASKS) as PaperTask[];
const METHODS: readonly PaperMethod[] = ["standard", "direct", "moi"];

/** Accuracies of Table 1: by model, method, task. */
const TABLE_1 = [
  [[77.78, 79.25, 58.08, 76.32], [72.00, 66.88, 51.52, 53.42], [80.00, 80.01, 60.10, 76.51]],
  [[54.89, 56.93, 60.60, 39.92], [60.00, 51.72, 60.10, 16.04], [57.11, 59.53, 64.65, 40.50]],
  [[25.56, 56.51, 46.97, 31.31], [26.44, 55.47, 51.52, 31.99], [26.89, 59.38, 47.47, 32.87]],
  [[64.67, 72.03, 42.42, 54.01], [62.67, 67.19, 37.88, 23.87], [64.44, 78.75, 42.93, 55.18]],
] as const;

/** Whether a percentage with two decimals is k/n for a whole k, rounded or cut off. */
function isShareOf(percent: number, n: number): boolean {
  const hundredths = Math.round(100 * percent);
  return [Math.floor(percent * n / 100), Math.ceil(percent * n / 100)].some((k) => {
    const exact = 1e4 * k / n;
    return Math.round(exact) === hundredths || Math.floor(exact + 1e-9) === hundredths;
  });
}

function canBe(accuracy: number, problems: number, runs: number): PaperEntry["canBe"] {
  if (isShareOf(accuracy, problems)) return "one";
  return isShareOf(accuracy, problems * runs) ? "stated" : "neither";
}

/**
 * Table 1: four models, four benchmarks, three methods; stated to be means of five runs, at the best
 * setting of each method's grid (that of MoI has six times as many settings).
 */
export function paperTable1(): PaperEntry[] {
  return MODELS.flatMap((model, m) =>
    METHODS.flatMap((method, k) =>
      TASK_NAMES.map((task, t) => {
        const accuracy = TABLE_1[m]![k]![t]!, { problems } = PAPER_TASKS[task], runs = 5;
        const entry = { model, task, method, accuracy, problems, runs };
        return { ...entry, canBe: canBe(accuracy, problems, runs) };
      })
    )
  );
}

/** Means and standard deviations of Table A4: of standard decoding, of MoI. */
const TABLE_A4 = [
  [76.02, 2.51, 77.66, 2.06],
  [54.80, 2.93, 55.03, 3.54],
  [21.80, 2.34, 24.91, 2.30],
  [61.16, 2.50, 62.57, 2.49],
] as const;

/** One row of the 64-run table. */
export interface PaperRuns {
  /** Model. */
  readonly model: string;
  /** Mean and standard deviation over runs of standard decoding, percent. */
  readonly standard: { readonly mean: number; readonly sd: number };
  /** The same of MoI. */
  readonly moi: { readonly mean: number; readonly sd: number };
  /** Runs of each. */
  readonly runs: number;
  /** MoI less standard decoding, points. */
  readonly gain: number;
  /** Standard error of the gain over runs, points; problems are held fixed. */
  readonly se: number;
  /** The gain in standard errors. */
  readonly z: number;
}

/**
 * Table A4: AIME, 64 runs of each method. The standard error is ours, `√((sd₁² + sd₂²) / 64)`: it tells
 * whether the same 90 problems would give such a gain again, not whether other problems would.
 *
 * @example One of the four gains is within its noise
 * ```ts
 * import { paperTableA4 } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * assertEquals(paperTableA4().filter(({ z }) => z < 2).map(({ model }) => model), [
 *   "Nemotron-Super-49B",
 * ]);
 * ```
 */
export function paperTableA4(): PaperRuns[] {
  const runs = 64;
  return TABLE_A4.map(([standard, sd, moi, moiSd], i) => {
    const gain = moi - standard, se = Math.sqrt((sd ** 2 + moiSd ** 2) / runs);
    const [a, b] = [{ mean: standard, sd }, { mean: moi, sd: moiSd }];
    return { model: MODELS[i]!, standard: a, moi: b, runs, gain, se, z: gain / se };
  });
}

/** Mean gain per model of the tables. */
export interface PaperGain {
  /** Model. */
  readonly model: string;
  /** Mean gain over the four benchmarks of Table 1, points: best setting of a grid on the test problems. */
  readonly best: number;
  /** The same of Table A1: settings chosen on AIME and Countdown, then kept. */
  readonly frozen: number;
}

/** Average gains of Table 1 beside those of Table A1, where settings are chosen once. */
export function paperGains(): PaperGain[] {
  const best = [1.29, 2.36, 1.56, 2.05], frozen = [1.86, 1.69, 1.39, 0.80];
  return MODELS.map((model, i) => ({ model, best: best[i]!, frozen: frozen[i]! }));
}

/** What our arithmetic says of the tables, one sentence a finding. */
export function paperNotes(): string[] {
  const table = paperTable1();
  const count = (task: PaperTask, what: PaperEntry["canBe"]) =>
    table.filter((entry) => entry.task === task && entry.canBe === what).length;
  const baselines = table.filter(({ task, method }) => task === "aime" && method === "standard");
  const higher = paperTableA4().flatMap(({ model, standard: { mean, sd } }) => {
    const { accuracy } = baselines.find((entry) => entry.model === model)!;
    const above = (accuracy - mean) / (sd / Math.sqrt(5));
    if (above <= 2) return [];
    return [`${model} ${accuracy} against ${mean}, ${above.toFixed(1)} standard errors`];
  });
  const gpqa = count("gpqaDiamond", "one"), code = count("liveCodeBench", "one");
  return [
    `GPQA Diamond: ${gpqa} of 12 entries are whole numbers of 198 problems, ` +
    "which means of five runs seldom are: they look like single runs.",
    `LiveCodeBench: ${code} of 12 entries are whole numbers of 511 problems, likewise.`,
    `Countdown: ${count("countdown", "neither")} of 12 entries are no multiple of 1/640, ` +
    "as means of five runs on 128 problems must be.",
    `${higher.length} of 4 AIME baselines of Table 1 are further above the means of 64 runs ` +
    `than two standard errors of a mean of five (${higher.join("; ")}), ` +
    "as they would be where the best of a grid is chosen on the test problems.",
    "MoI's grid has six times as many settings as the baseline's, so that its best is favoured.",
  ];
}
