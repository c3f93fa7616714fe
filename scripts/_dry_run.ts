/** What a sweep would cost, printed before anything runs. */

import {
  type DecoderConfig,
  downloadModel,
  type Dtype,
  EMBEDDED,
  estimateStudy,
  type Grade,
  measuredBandwidth,
  type Message,
  minimumDetectableGain,
  parseConfig,
  type Problem,
  tableOf,
  tableText,
  type Task,
} from "../mod.ts";
import { isGguf } from "../lib/model/gguf/split.ts";
import { placeOf } from "../lib/model/place.ts";
import { configText } from "../lib/model/sources/mod.ts";
import { given, print } from "./_cli.ts";

/** Problems of benchmarks whose source is not at hand. */
const KNOWN: Readonly<Record<string, number>> = {
  ...{ gsm8k: 1319, math500: 500, aime: 90, amc: 83, gpqaDiamond: 198 },
  ...{ humanEval: 164, mbpp: 257, liveCodeBench: 511 },
};
/** Tokens of a prompt where it is not at hand; characters of a token where there is no tokenizer. */
const USUAL_PROMPT = 200, CHARACTERS = 4;

/**
 * Shape of a model: of a folder, a GGUF file or an embedded model as `loadModel` finds them, or of the
 * hub, from its `config.json` alone.
 */
async function shapeOf(id: string, revision: string | undefined): Promise<DecoderConfig> {
  const isThere = await Deno.stat(id).then(() => true, () => false);
  const isLocal = isThere || EMBEDDED.includes(id) || id.startsWith("file:");
  if (!isLocal && isGguf(id)) {
    throw new Deno.errors.NotFound(
      `Cannot tell the shape of ${id} as there is no such file; one of the hub must be downloaded ` +
        "first: its shape is in the file itself",
    );
  }
  const place = isLocal ? await placeOf(id, given({ revision })) : await downloadModel(id, {
    files: ["config.json"],
    ...given({ revision }),
  });
  return parseConfig(await configText(place));
}

/** Number of problems, mean length of their prompts, and how these are known. */
async function problemsOf(
  task: Task<Problem, Grade | Promise<Grade>> | undefined,
  name: string,
  limit: number | undefined,
) {
  if (!task) {
    const count = Math.min(KNOWN[name] ?? 100, limit ?? Infinity);
    return {
      count,
      tokens: USUAL_PROMPT,
      how: `no source: ${count} problems and prompts of ${USUAL_PROMPT} tokens assumed`,
    };
  }
  const problems = await task.problems();
  const textOf = (prompt: string | readonly Message[]) =>
    typeof prompt === "string" ? prompt : prompt.map(({ content }) => content).join("\n");
  const length = problems.reduce((sum, problem) => sum + textOf(task.prompt(problem)).length, 0);
  const tokens = Math.max(1, length / Math.max(1, problems.length) / CHARACTERS);
  return {
    count: problems.length,
    tokens,
    how: `prompts of ${tokens.toFixed(0)} tokens, at ${CHARACTERS} characters a token`,
  };
}

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

function duration(seconds: number): string {
  const units = [[86400, "days"], [3600, "hours"], [60, "minutes"], [1, "seconds"]] as const;
  const [size, name] = units.find(([size]) => seconds >= 2 * size) ?? [1, "seconds"];
  return `${(seconds / size).toFixed(1)} ${name}`;
}

/** What is estimated. */
export interface DryRun {
  readonly id: string;
  readonly revision: string | undefined;
  /** The task; undefined where its source is not given. */
  readonly task: Task<Problem, Grade | Promise<Grade>> | undefined;
  readonly taskName: string;
  readonly limit: number | undefined;
  readonly methods: number;
  readonly repeats: number;
  readonly slots: number;
  readonly maxNewTokens: number;
  /** Gigabytes a second; measured where it is not given. */
  readonly bandwidth: number | undefined;
}

/** Prints tokens, memory, time and what such a study could find. */
export async function dryRun(run: DryRun): Promise<void> {
  const config = await shapeOf(run.id, run.revision);
  const { count, tokens, how } = await problemsOf(run.task, run.taskName, run.limit);
  const bandwidth = run.bandwidth === undefined ? measuredBandwidth() : 1e9 * run.bandwidth;
  const { maxNewTokens, methods, repeats } = run,
    slots = Math.min(run.slots, count * methods * repeats);
  const rows = (["fp32", "int8", "int4"] as const satisfies Dtype[]).map((dtype) => ({
    dtype,
    ...estimateStudy({
      ...{ config, problems: count, promptTokens: tokens, maxNewTokens, methods, repeats },
      ...{ slots, dtype, bandwidth },
    }),
  }));
  const [first] = rows, discordance = 0.2;
  const gain = minimumDetectableGain({
    ...{ problems: count, repeats, discordance, comparisons: Math.max(1, methods - 1) },
  });
  const costs = rows.map((row) => ({ ...row, together: row.weightsBytes + row.kvBytes }));
  const table = tableOf(costs, [
    { heading: "dtype", of: "dtype", width: 8 },
    { heading: "weights", of: "weightsBytes", as: gib, width: 13 },
    { heading: `KV of ${slots}`, of: "kvBytes", as: gib, width: 13 },
    { heading: "together", of: "together", as: gib, width: 13 },
    { heading: "time, at least", of: "seconds", as: duration, width: 13 },
  ]);
  print([
    `${run.id} on ${run.taskName}: ${count} problems × ${methods} methods × ${repeats} repeats = ${
      first!.runs
    } runs`,
    how,
    `tokens        ${Math.round(first!.promptTokens)} of prompts, up to ${first!.newTokens} new ` +
    `(${maxNewTokens} a run)`,
    tableText(table),
    `time: every step reads weights, keys and values once, at ${
      (bandwidth / 1e9).toFixed(0)
    } GB/s ` +
    `(${
      run.bandwidth === undefined ? "measured here by copying; --bandwidth tells another" : "given"
    }), ` +
    "all runs at full length; arithmetic and prompts come on top",
    `smallest gain that such a study finds with 80 % power: ${(100 * gain).toFixed(1)} points ` +
    `(if ${100 * discordance} % of pairs disagree, over ${Math.max(1, methods - 1)} comparisons)`,
    "",
  ].join("\n"));
}
