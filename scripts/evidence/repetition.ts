/** Study D: do texts repeat themselves less where mixtures are fed back, and are they still the model's? */

import {
  type Model,
  repetition as repetitionTask,
  type Run,
  runStudy,
  scoreGains,
  scoreTable,
  tableOf,
} from "../../mod.ts";
import { mean } from "../../lib/stats/_moments.ts";
import type { RepetitionProblem, Task } from "../../lib/tasks/mod.ts";
import { print } from "../_cli.ts";
import { textOf } from "../_table.ts";
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
interface RepetitionSettings {
  readonly seed: number;
  /** What is asked: every frame with every topic in place of "{}". */
  readonly frames: readonly string[];
  readonly topics: readonly string[];
  readonly methods: Readonly<Record<string, WrittenMethod>>;
  readonly primary: string;
  readonly temperature: number;
  readonly topP: number;
  readonly maxNewTokens: number;
  readonly slots: number;
  /** On so many prompts, evenly spread, the model is asked how surprised it is by the texts. */
  readonly surprisedPrompts: number;
}

const numbered = (index: number) => `${index}`.padStart(2, "0");

/** Open prompts of the plan, scored as the task of the toolkit scores its own. */
function framedPrompts({ frames, topics }: RepetitionSettings): Task<RepetitionProblem> {
  return {
    ...repetitionTask(),
    name: "framed repetition",
    problems: () =>
      topics.flatMap((topic, i) =>
        frames.map((frame, j) => ({
          id: `framed-${numbered(i)}-${numbered(j)}`,
          question: frame.replace("{}", topic),
        }))
      ),
  };
}

/** Mean −ln p of a text's tokens but the first, by run: of the model that gets tokens alone, after the prompt. */
async function surprises(
  model: Model,
  runs: readonly Run[],
  task: Task<RepetitionProblem>,
  settings: RepetitionSettings,
): Promise<number[]> {
  const problems = new Map((await task.problems()).map((problem) => [problem.id, problem]));
  return await kept(model, "repetition-surprise", settings, async () => {
    const texts = runs.map(({ problem, tokens }) => (
      { prompt: task.prompt(problems.get(problem)!), answer: [...tokens] }
    ));
    const losses = await lossesOfAll(model, "surprise", texts, { methods: {} });
    return losses.map(({ base }) => mean(base));
  });
}

/** How long the texts of each method are, and how many ended by themselves. */
function lengthTable(runs: readonly Run[]) {
  const lines = [...Map.groupBy(runs, ({ method }) => method)].map(([method, own]) => ({
    method,
    tokens: mean(own.map(({ tokens }) => tokens.length)).toFixed(1),
    ended: (100 * mean(own.map(({ finishReason }) => Number(finishReason === "stop")))).toFixed(1),
  }));
  return tableOf(lines, [
    { heading: "method", of: "method" },
    { heading: "tokens", of: "tokens" },
    { heading: "ended %", of: "ended" },
  ]);
}

/** Runs the study; what it finds is kept in `runs/evidence`. */
export async function repetition(
  model: Model,
  { settings }: Plan<RepetitionSettings>,
): Promise<void> {
  const { seed, primary, temperature, topP, maxNewTokens, slots, surprisedPrompts } = settings;
  const task = framedPrompts(settings), methods = methodsOf(settings.methods);
  const runs: Run[] = await runStudy({
    ...{ model, task, methods, primary, seed, temperature, topP, maxNewTokens },
  }, { slots, store: `${foundFolder()}/repetition.jsonl` });
  const rows = scoreGains(runs);
  print(`\n## Repeated 4-grams\n\n${textOf(scoreTable(rows))}\n\n${textOf(lengthTable(runs))}\n`);

  const ids = [...new Set(runs.map(({ problem }) => problem))];
  const asked = new Set(spread(ids, surprisedPrompts));
  const some = runs.filter(({ problem, tokens }) => asked.has(problem) && tokens.length > 1);
  const nats = await surprises(model, some, task, settings);
  const scored = some.map(({ measure: _, ...run }, i) => (
    { ...run, grade: { ...run.grade, score: nats[i]! } }
  ));
  const whole = [...Map.groupBy(scored, ({ problem }) => problem).values()]
    .filter((own) => own.length === Object.keys(methods).length).flat();
  const options = { name: "NLL, nats a token", scale: 1, digits: 3 };
  print(`\n## Surprise\n\n${textOf(scoreTable(scoreGains(whole), options))}\n`);
}
