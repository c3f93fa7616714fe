/** `deno task grade`: grades stored texts again, other people's included. @module */

import { basename } from "node:path";
import {
  asTold,
  countdown,
  gains,
  gainsTable,
  type Grade,
  type Imported,
  importRuns,
  type Problem,
  readRuns,
  regrade,
  type Run,
  TASKS,
} from "../mod.ts";
import { type Arguments, command, given, print, say } from "./_cli.ts";
import { TASK_USAGE, TASK_VALUES, taskOf } from "./_tasks.ts";

const USAGE = `
Grades the texts of result files again and prints what changes.

usage: deno task grade FILE… [options]

Reads results of the released MoI code, samples of lm-evaluation-harness (--log_samples), logs
of inspect (JSON, .eval), and runs of deno task sweep. Released results carry their problems, so that
nothing else is needed; they are graded by the released rule and by the last answer. Other files
need --task and --source. Several files with the same problems are compared in pairs.

${TASK_USAGE}
  --filter NAME --metric NAME   which verdicts of lm-evaluation-harness are the stored ones
  --scorer NAME         which verdicts of inspect are
  --out FILE            writes the runs, graded again, one JSON object a line
  -h, --help            this text
`;

type Grader = (problem: Problem, text: string) => Grade | Promise<Grade>;

/** A file's runs, its problems, and how to grade them. */
interface Stored {
  readonly runs: readonly Run[];
  readonly problems: readonly Problem[] | undefined;
  readonly what: string;
  readonly task: string;
  readonly claimed?: number;
  /** The problems as the file tells them. */
  readonly told?: readonly Problem[];
}

/** Says which of a file's verdicts were taken, and which results are no runs. */
function sayTaken(path: string, { verdicts = {}, leftOut }: Imported): void {
  for (const [kind, { taken, of }] of Object.entries(verdicts)) {
    const others = of.filter((name) => name !== taken);
    if (others.length === 0) continue;
    say(`${path}: stored verdicts of ${kind} ${taken}; --${kind} names ${others.join(", ")}`);
  }
  for (const [why, n] of Object.entries(leftOut)) say(`${path}: ${n} ${why}, left out`);
}

const CHOICES = ["filter", "metric", "scorer"] as const;

async function load(path: string, method: string, args: Arguments): Promise<Stored> {
  const { size } = await Deno.stat(path);
  using file = await Deno.open(path);
  const start = new Uint8Array(Math.min(size, 64));
  await file.read(start);
  if (new TextDecoder().decode(start).startsWith('{"study":"')) {
    const runs = (await readRuns(path)).map(asTold);
    return { runs, problems: undefined, what: "runs", task: runs[0]?.task ?? "unknown" };
  }
  const choices = given(Object.fromEntries(CHOICES.map((name) => [name, args.value(name)])));
  const imported = await importRuns(path, { method, ...choices });
  sayTaken(path, imported);
  const { format, task, problems, claimed } = imported;
  const runs = imported.runs as readonly Run[]; // what they do not tell is not looked at here
  return {
    ...{ runs, task, what: `${format} results` },
    problems: format === "released" ? problems : undefined,
    told: problems,
    ...(claimed === undefined ? {} : { claimed }),
  };
}

const share = (correct: number, n: number) =>
  `${correct} of ${n} (${n === 0 ? "–" : (100 * correct / n).toFixed(1)} %)`;

const countOf = (runs: readonly Run[]) => runs.filter(({ grade }) => grade.correct).length;

/** Graders of released results: their own rule, and the last answer. */
function released(task: string): Record<string, Grader> {
  const of = (grading: "released" | "last") =>
    (task === "countdown"
      ? countdown({ source: "problems.jsonl", grading }).grade
      : TASKS.aime!.make({ source: "problems.jsonl", grading }).grade) as Grader;
  return { "released rule": of("released"), "last answer": of("last") };
}

await command(USAGE, { values: [...TASK_VALUES, ...CHOICES, "out"] }, async (args) => {
  if (args.rest.length === 0) throw new TypeError("Cannot grade as no file is named; see --help");
  const compared: Run[][] = [];
  for (const path of args.rest) {
    const name = basename(path).replace(/\.jsonl?$/, "");
    const { runs, problems: own, what, task, claimed, told } = await load(path, name, args);
    if (runs.length === 0) throw new RangeError(`Cannot grade as ${path} holds no runs`);
    print(`\n${path}\n${what} on ${task}, ${runs[0]!.model}: N = ${runs.length} texts\n`);
    let problems = own, graders: Record<string, Grader>;
    if (args.value("task") !== undefined || !own) {
      const chosen = taskOf(args.value("task") ?? task, args, runs[0]!.model);
      problems = await chosen.problems();
      const rule = args.value("grading") === "released" ? "released rule" : "last answer";
      graders = { [rule]: chosen.grade as Grader };
    } else graders = released(task);
    const rule = args.value("grading") === "last" ? "last answer" : Object.keys(graders)[0]!;
    if (claimed !== undefined) print(`${"published".padEnd(14)} ${share(claimed, runs.length)}\n`);
    else print(`${"as stored".padEnd(14)} ${share(countOf(runs), runs.length)}\n`);
    for (const [label, grade] of Object.entries(graders)) {
      const again = await regrade(runs, problems!, grade, told);
      print(`${label.padEnd(14)} ${share(countOf(again), again.length)}\n`);
      if (label === rule) compared.push(again);
    }
  }
  const out = args.value("out");
  if (out !== undefined) {
    const lines = compared.flat().map((run) => `${JSON.stringify(run)}\n`);
    await Deno.writeTextFile(out, lines.join(""));
    say(`runs: ${out}`);
  }
  const [first, ...others] = compared;
  if (others.length > 0 && first![0]!.method !== others[0]![0]!.method) {
    const shared = { study: first![0]!.study, model: first![0]!.model };
    const all = compared.flat();
    if (new Set(all.map(({ study }) => study)).size > 1) {
      say("the files have not the same problems: they are not compared in pairs");
      return;
    }
    const rows = gains(all.map((run) => ({ ...run, ...shared })), { baseline: first![0]!.method });
    print(`\n${gainsTable(rows).text}\n`);
  }
});
