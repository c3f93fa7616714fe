/** `deno task grade`: grades stored texts again, other people's included. */

import {
  type Column,
  gains,
  gainsTable,
  type Grade,
  type Imported,
  importRuns,
  type Problem,
  readProblems,
  readRuns,
  type Run,
  type Task,
  TASKS,
  type Verdict,
} from "../mod.ts";
import {
  type AskedProblem,
  askedProblem,
  regrade,
  regradedRun,
  verdictOf,
  wordingOf,
} from "../lib/study/mod.ts";
import { keepProblems } from "../lib/study/problems.ts";
import { replaceFile } from "../lib/study/store.ts";
import { type Arguments, command, given, print, say } from "./_cli.ts";
import { printing, textOf } from "./_table.ts";
import { type AnyTask, TASK_USAGE, TASK_VALUES, taskOf } from "./_tasks.ts";

const USAGE = `
Grades the texts of result files again and prints what changes.

usage: deno task grade FILE… [options]

Reads results of the released MoI code, samples of lm-evaluation-harness (--log_samples), logs
of inspect (JSON, .eval), plain lines, outputs of batches of OpenAI's API (vllm run-batch writes
them, too), and runs of deno task sweep. Released results carry their problems, so that nothing
else is needed; they are graded by the released rule and by the last answer. Runs of deno task
sweep tell their task and its options; where it reads a file, --source names it. Other files need
--task and --source. Several files are compared in pairs, on the problems that all of them have.

Plain lines are {"id": "gsm8k/0", "text": "…"}, batches name a problem by their custom_id: ids of the
data set, or else task/row, rows counted from 0; others are refused, unless a plain line has
the problem's question, under that name. Lines of one id, and choices of a batch, are repeats.
finish_reason "length" marks a text that was cut; what failed is left out and counted.

${TASK_USAGE}
  --filter NAME --metric NAME   which verdicts of lm-evaluation-harness are the stored ones
  --scorer NAME         which verdicts of inspect are
  --out FILE            writes the runs, graded again, one JSON object a line: a sweep continues
                        such a file with the task by which it was graded
  -h, --help            this text

example, after deno task sweep: deno task grade runs/votes-tiny-votes.jsonl
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

/** Whether a file holds runs: whether its first line is one, as far as can be seen. */
async function holdsRuns(path: string): Promise<boolean> {
  if ((await Deno.stat(path)).isDirectory) {
    throw new TypeError(`Cannot grade as ${path} is a folder: name the files in it`);
  }
  using file = await Deno.open(path);
  const start = new Uint8Array(2 ** 20), size = await file.read(start) ?? 0;
  const [line = ""] = new TextDecoder().decode(start.subarray(0, size)).trimStart().split("\n", 1);
  try {
    const { study, method } = JSON.parse(line);
    return typeof study === "string" && typeof method === "string";
  } catch {
    return line.startsWith('{"study":"');
  }
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

/** Names of files as rows of a table: no ending, and only as many folders as tell them apart. */
function namesOf(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.replace(/\.jsonl?$/, "").split(/[\\/]+/));
  const deepest = Math.max(...parts.map((part) => part.length));
  const ends = Array.from(
    { length: deepest },
    (_, folders) => parts.map((part) => part.slice(-1 - folders).join("/")),
  );
  return ends.find((names) => new Set(names).size === names.length) ?? [...paths];
}

/**
 * Runs of several files as those of one study: the pairs of problem and repeat that all of them have.
 *
 * @param task Name of the task by whose problems all were graded; undefined where each has its own.
 */
function inPairs(files: readonly (readonly Run[])[], task: string | undefined): Run[] {
  const pairOf = ({ problem, repeat }: Run) => JSON.stringify([problem, repeat]);
  const shared = files.map((runs) => new Set(runs.map(pairOf)))
    .reduce((all, own) => all.intersection(own));
  const { study, model } = files[0]![0]!;
  return files.flat().filter((run) => shared.has(pairOf(run)))
    .map((run) => ({ ...run, study, model, ...given({ task }) }));
}

async function load(path: string, method: string, args: Arguments): Promise<Stored> {
  if (await holdsRuns(path)) {
    const runs = await readRuns(path);
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

/** How many verdicts are others now: "3 of 500 verdicts: wrong → right 2, right → cut 1". */
function changes(before: readonly Run[], after: readonly Run[]): string {
  const verdicts: readonly Verdict[] = ["right", "wrong", "cut", "ungradable"];
  const turns = before.map((run, i) => ({ from: verdictOf(run), to: verdictOf(after[i]!) }));
  const changed = turns.filter(({ from, to }) => from !== to);
  const kinds = verdicts.flatMap((from) => verdicts.map((to) => `${from} → ${to}`));
  const count = Map.groupBy(changed, ({ from, to }) => `${from} → ${to}`);
  const told = kinds.filter((kind) => count.has(kind))
    .map((kind) => `${kind} ${count.get(kind)!.length}`);
  const what = told.length > 0 ? `: ${told.join(", ")}` : "";
  return `${changed.length} of ${before.length} verdicts${what}`;
}

const share = (correct: number, n: number) =>
  `${correct} of ${n} (${n === 0 ? "–" : (100 * correct / n).toFixed(1)} %)`;

/** Right ones of those that can be graded, and the number of the others. */
function shareOf(runs: readonly Run[]): string {
  const judged = runs.filter((run) => verdictOf(run) !== "ungradable");
  const apart = runs.length - judged.length;
  const right = judged.filter(({ grade }) => grade.correct).length;
  return `${share(right, judged.length)}${apart > 0 ? `, ${apart} ungradable` : ""}`;
}

/** Verdicts of a file as stored and as given now, and what has changed. */
const SHARES: readonly Column<{ readonly what: string; readonly share: string }>[] = [
  { heading: "", of: "what", width: 13 },
  { heading: "", of: "share", align: "left" },
];

/** Graders of released results: their own rule, and the last answer. */
function released(task: string): Record<string, Grader> {
  const { make } = TASKS[task === "countdown" ? task : "aime"]!;
  const of = (grading: string) => make({ source: "problems.jsonl", grading }).grade;
  return { "released rule": of("released"), "last answer": of("last") };
}

/** Runs that tell by what they were graded. */
function marked(runs: readonly Run[], problems: readonly Problem[], task: AnyTask): Run[] {
  const byId = new Map(problems.map((problem) => [problem.id, problem]));
  return runs.map((run) => regradedRun(run, byId.get(run.problem)!, task, run.grade));
}

/** Says which options differ from those that a file's runs were graded by. */
function sayOptions(
  recorded: Run["taskParameters"],
  { parameters }: Pick<Task, "parameters">,
  path: string,
): void {
  if (recorded === undefined || parameters === undefined) return;
  const shown = (value: unknown) => value === undefined ? "none" : JSON.stringify(value);
  for (const name of new Set([...Object.keys(recorded), ...Object.keys(parameters)])) {
    const [before, now] = [shown(recorded[name]), shown(parameters[name])];
    if (before !== now) say(`${path}: stored with ${name} ${before}, graded with ${now}`);
  }
}

/** Says how many texts answered a prompt that the task words otherwise now. */
function sayReworded(
  runs: readonly Run[],
  problems: readonly Problem[],
  task: AnyTask,
  path: string,
): void {
  const words = new Map(problems.map((problem) => [problem.id, wordingOf(task.prompt(problem))]));
  const told = runs.filter(({ wording }) => wording !== undefined);
  const other = told.filter(({ problem, wording }) => words.get(problem) !== wording).length;
  const what = "texts answered a prompt that is worded otherwise now";
  if (other > 0) say(`${path}: ${other} of ${runs.length} ${what}`);
}

await command(USAGE, { values: [...TASK_VALUES, ...CHOICES, "out"], words: true }, async (args) => {
  if (args.rest.length === 0) throw new TypeError("Cannot grade as no file is named; see --help");
  const compared: Run[][] = [], asked = new Map<string, AskedProblem>();
  const names = namesOf(args.rest);
  for (const [i, path] of args.rest.entries()) {
    const name = names[i]!;
    const { runs, problems: own, what, task, claimed, told } = await load(path, name, args);
    if (runs.length === 0) throw new RangeError(`Cannot grade as ${path} holds no runs`);
    const before = await readProblems(path); // its prompts are those that the texts answer
    print(`\n${path}\n${what} on ${task}, ${runs[0]!.model}: N = ${runs.length} texts\n`);
    let problems = own, graders: Record<string, Grader>;
    let chosen: AnyTask | undefined;
    if (args.value("task") !== undefined || !own) {
      const name = args.value("task") ?? task;
      const recorded = name === task ? runs[0]!.taskParameters : undefined;
      chosen = taskOf(name, args, runs[0]!.model, undefined, recorded);
      problems = await chosen.problems();
      sayOptions(recorded, chosen, path);
      sayReworded(runs, problems, chosen, path);
      const grading = chosen.parameters?.grading ?? args.value("grading") ?? recorded?.grading;
      const rule = grading === "released" ? "released rule" : "last answer";
      graders = { [rule]: chosen.grade as Grader };
    } else graders = released(task);
    const rule = args.value("grading") === "last" ? "last answer" : Object.keys(graders)[0]!;
    const line = printing(SHARES);
    if (claimed !== undefined) line({ what: "published", share: share(claimed, runs.length) });
    else line({ what: "as stored", share: shareOf(runs) });
    for (const [label, grade] of Object.entries(graders)) {
      const again = await regrade(runs, problems!, grade, told);
      line({ what: label, share: shareOf(again) });
      if (claimed === undefined) line({ what: "changed", share: changes(runs, again) });
      if (label === rule) compared.push(chosen ? marked(again, problems!, chosen) : again);
    }
    const answered = new Set(compared.at(-1)!.map(({ problem }) => problem));
    for (const problem of problems!) {
      const { id } = problem;
      if (answered.has(id)) asked.set(id, askedProblem(problem, before.get(id)?.prompt));
    }
  }
  const out = args.value("out");
  if (out !== undefined) {
    const lines = compared.flat().map((run) => `${JSON.stringify(run)}\n`);
    await replaceFile(out, "runs", lines); // it may be the file that was read
    await keepProblems(out, asked);
    say(`runs: ${out}`);
  }
  const methods = compared.map((runs) => runs[0]!.method), all = compared.flat();
  if (new Set(methods).size < 2) return;
  const task = args.value("task");
  if (task === undefined && new Set(all.map(({ study }) => study)).size > 1) {
    say("the files have not the same problems: they are not compared in pairs");
    return;
  }
  const pairs = inPairs(compared, task), left = all.length - pairs.length;
  if (left > 0) {
    say(`${left} of ${all.length} texts are left out, as not every file has their pair`);
  }
  if (pairs.length === 0) return;
  const rows = gains(pairs, { baseline: methods[0]! });
  print(`\n${textOf(gainsTable(rows))}\n`);
});
