/** `deno task sweep`: methods × problems × repeats, a table and a report. */

import { basename, join } from "node:path";
import {
  betaGrid,
  interruptSignal,
  joinStudies,
  type Method,
  METHODS,
  type MoiOptions,
  parseShard,
  progressBar,
  readProblems,
  type ReportedStudy,
  type Run,
  runStudy,
  samplerOf,
  type Shard,
  standard,
  type StudyRuns,
  type Tokenizer,
  withStandIns,
} from "../mod.ts";
import { refusal } from "../lib/_check.ts";
import { studyTables } from "../lib/plot/mod.ts";
import { studyName } from "../lib/plot/report.ts";
import { shardText } from "../lib/study/shard.ts";
import { CONTROLS } from "../lib/tasks/registry.ts";
import { type Arguments, command, given, numbers, print, say } from "./_cli.ts";
import { dryRun } from "./_dry_run.ts";
import { keepCommand, writePage } from "./_made_by.ts";
import {
  checkServer,
  dryServerRun,
  knownMethods,
  openModel,
  SERVER_USAGE,
  SERVER_VALUES,
} from "./_server.ts";
import { textOf } from "./_table.ts";
import {
  LOAD_USAGE,
  loadedText,
  methodFor,
  SAMPLER_USAGE,
  samplerOptions,
  SHARED_VALUES,
  SWEPT,
  TASK_USAGE,
  TASK_VALUES,
  taskOf,
  TEMPLATE_USAGE,
} from "./_tasks.ts";

const USAGE = `
Sweeps methods over a task and measures gains over standard decoding, paired by problem.

usage: deno task sweep [options]

Without options: two embedded models on their tasks, 500 problems each, over
β = 1/4, 1/2, 1, 2, 4, 8 with standard, direct, linear and random controls, and standard
decoding at lower temperatures.
Runs are kept in runs/*.jsonl: the same command again finishes what is missing. The command
is kept beside them; a report that another command wrote is kept as report-1.html and so on.

  --model ID            votes-tiny, countdown-tiny-baseline, countdown-tiny, a folder, a file or
                        a name on the hub (default: the first two)
${TASK_USAGE}
                        (defaults: the embedded model's own task, 500 problems)
  --methods A,B,…       only these (standard is always included): of the grid above by
                        key or family, as in moi, direct, linear, random, moi-0.25; any
                        other method with its defaults, as in softThinking, selar,
                        multiplex; or all: the grid and every other method. Methods for
                        thoughts always act where a model has no thinking markers
  --betas B,B,…         values of β (default: 0.25,0.5,1,2,4,8)
  --primary KEY         comparison that the study is about, declared before it runs: its p is
                        not adjusted for the others (default: moi-1 where it is swept; none)
  --colder T,T,…        standard decoding at these temperatures beside the rest, 0 for greedy
                        (default: those of 0,0.3,0.6 below the study's own; with --methods 0;
                        or none)
  --preset NAME         paper or mixinputs-0.1.1 (default: paper)
  --repeats N           runs of each problem (default: 1)
  --seed N              seed of the study (default: 0)
${TEMPLATE_USAGE}
  --max-new-tokens N    (default: the task's, as the sampler's settings)
${SAMPLER_USAGE}
  --slots N             rows decoded at once (default: 64; of a server 32)
  --traces              runs keep the entropy of every token and what was fed back, which colour
                        the report's samples: 3 to 30 bytes a token; not of a server
  --shard I/N           only the I-th of N parts of the problems, from 1, into files of its own:
                        deno task merge joins them. auto/N takes I from SLURM_ARRAY_TASK_ID
                        (an array 1-N) or from JOB_COMPLETION_INDEX + 1; auto takes N from
                        SLURM_ARRAY_TASK_COUNT, too, where _MIN is 1 and _MAX the same.
                        Neither is read without it
${LOAD_USAGE}
${SERVER_USAGE}
  --out DIR             where runs and report.html go (default: runs)
  --dry-run             prints tokens, memory, time and the smallest gain that could be found,
                        from config.json alone; --bandwidth GB/s for another machine.
                        With --server URL|none: the same of a server that need not exist, and
                        the commands; --gpus N, of --bandwidth GB/s each (default: 3350)
  -h, --help            this text

examples:
  deno task sweep --model votes-tiny --problems 100 --methods moi,softThinking --repeats 2
  deno task sweep --dry-run --model votes-tiny --betas 0.5,1,2
`;

const VALUES = [
  ...["model", "methods", "betas", "primary", "colder", "preset", "repeats", "slots"],
  ...["out", "bandwidth", "chat-template-kwargs", "shard"],
  ...SERVER_VALUES,
  ...TASK_VALUES,
  ...SHARED_VALUES,
];

/** The methods to sweep, for a model that has this tokenizer. */
type Chosen = (tokenizer: Tokenizer) => Record<string, Method>;

/** Name and knobs. */
function described({ name, parameters = {} }: Method): string {
  return JSON.stringify([name, parameters]);
}

/** What `--methods` names; checked before a model is loaded. */
function methodsOf(args: Arguments): Chosen {
  const betas = args.value("betas");
  const grid = betaGrid({
    ...given({ betas: betas === undefined ? undefined : numbers("betas", betas) }),
    preset: (args.value("preset") ?? "paper") as NonNullable<MoiOptions["preset"]>,
  });
  const wanted = args.value("methods")?.split(",").map((name) => name.trim());
  if (wanted === undefined) return () => grid;
  const all = wanted.includes("all"), keys = Object.keys(grid);
  const matches = (key: string, name: string) => key === name || key.startsWith(`${name}-`);
  const inGrid = (name: string) => keys.some((key) => matches(key, name));
  for (const name of wanted) {
    if (name !== "all" && !inGrid(name) && !Object.hasOwn(METHODS, name)) {
      const known = [...keys, ...Object.keys(METHODS).filter((name) => !inGrid(name)), "all"];
      const rule = `name some of ${known.join(", ")}`;
      const families = keys.map((key) => key.replace(/-.*/, ""));
      throw new RangeError(refusal("sweep", "--methods", rule, name, [...known, ...families]));
    }
  }
  const ofGrid = Object.entries(grid).filter(([key]) =>
    all || key === "standard" || wanted.some((name) => matches(key, name))
  );
  const there = new Set(ofGrid.map(([, method]) => described(method)));
  return (tokenizer) => {
    const others = Object.keys(METHODS).flatMap((name): [string, Method][] => {
      const method = methodFor(tokenizer, name);
      const added = all ? !there.has(described(method)) : wanted.includes(name) && !inGrid(name);
      return added ? [[name, method]] : [];
    });
    return Object.fromEntries([...ofGrid, ...others]);
  };
}

/** Temperatures at which standard decoding stands beside the rest, below the study's own. */
function colderOf(args: Arguments, own: number): number[] {
  const text = args.value("colder");
  if (text === "none") return [];
  if (text !== undefined) return numbers("colder", text).filter((one) => one !== own);
  const usual = args.value("methods") === undefined ? [0, 0.3, 0.6] : [0];
  return usual.filter((one) => one < own);
}

/** Refuses settings that no study could have, before anything is loaded or estimated. */
async function checkSettings(args: Arguments): Promise<void> {
  const { seed: _, maxNewTokens: __, ...sampler } = samplerOptions(args);
  samplerOf(sampler);
  for (const temperature of colderOf(args, 0)) samplerOf({ temperature });
  args.object("chat-template-kwargs");
  const out = args.value("out") ?? "runs", there = await Deno.stat(out).catch(() => undefined);
  if (there?.isFile) throw new TypeError(refusal("sweep", "--out", "be a folder", out));
}

/** The comparison that a sweep is about. */
function primaryOf(args: Arguments, keys: readonly string[]): string | undefined {
  const asked = args.value("primary");
  if (asked === undefined) return keys.includes("moi-1") ? "moi-1" : undefined;
  return asked === "none" ? undefined : asked;
}

/** Name of the task: an embedded model has its own. */
function taskName(id: string, args: Arguments): string {
  const name = args.value("task") ?? CONTROLS[basename(id)];
  if (name !== undefined) return name;
  throw new TypeError(`Cannot sweep ${id} as '--task' must be given for a model of one's own`);
}

/** The models that are asked for: unless they are named those of the default sweep, or the server's only one. */
async function idsOf(args: Arguments): Promise<readonly string[]> {
  const id = args.value("model");
  if (id !== undefined) return [id];
  if (args.value("server") === undefined) return SWEPT;
  await using model = await openModel(undefined, args);
  return [model.id];
}

/** One study: its runs, and standard decoding of the same problems at lower temperatures. */
async function study(
  id: string,
  chosen: Chosen,
  args: Arguments,
  shard: Shard | undefined,
  signal: AbortSignal,
): Promise<{ runs: StudyRuns; colder: Run[][]; file: string }> {
  const name = taskName(id, args), task = taskOf(name, args, id, 500);
  const out = args.value("out") ?? "runs";
  await using loaded = await openModel(id, args);
  say(`${id}: ${loadedText(loaded)}`);
  for (const note of loaded.notes ?? []) say(`${id}: ${note}`);
  const model = withStandIns(loaded, (note) => say(`${id}: ${note}`));
  const all = chosen(model.tokenizer);
  const methods = args.value("methods") === undefined ? knownMethods(model, all) : all;
  const sampler = samplerOptions(args), primary = primaryOf(args, Object.keys(methods));
  const asked = given({
    repeats: args.number("repeats"),
    chat: args.object("chat-template-kwargs"),
  });
  const settings = { model, task, ...asked, ...sampler, ...given({ shard }) };
  await Deno.mkdir(out, { recursive: true });
  const base = join(out, `${basename(id)}-${name}`);
  const ending = shard ? `.shard-${shard.index}-of-${shard.count}.jsonl` : ".jsonl";
  const file = base + ending;
  const options = {
    signal,
    traces: args.flag("traces"),
    ...given({ slots: args.number("slots") }),
  };

  await using bar = progressBar({ label: basename(id) });
  const runs = await runStudy({ ...settings, ...given({ primary }), methods }, {
    ...options,
    store: file,
    onProgress: (progress) => bar.update({ ...progress, label: basename(id) }),
  });
  await keepCommand(file, "sweep");
  const own = runs[0]?.sampler.temperature ?? 1, colder: Run[][] = [];
  for (const temperature of signal.aborted || runs.length === 0 ? [] : colderOf(args, own)) {
    const isGreedy = temperature === 0, key = isGreedy ? "greedy" : `standard-t${temperature}`;
    const own = { temperature, methods: { [key]: standard() }, ...(isGreedy && { repeats: 1 }) };
    const store = `${base}-${isGreedy ? key : `t${temperature}`}${ending}`;
    colder.push(await runStudy({ ...settings, ...own }, { ...options, store }));
  }
  return { runs, colder, file };
}

/** The tables of a study as text. */
const tablesOf = (runs: readonly Run[]) => textOf(studyTables(runs));

/** Stands in where only the number of methods is asked for. */
const NO_TOKENIZER: Tokenizer = { encode: () => [], decode: () => "", eosTokenIds: [] };

await command(USAGE, { values: VALUES, flags: ["dry-run", "traces"] }, async (args) => {
  checkServer(args);
  if (args.flag("traces") && args.value("server") !== undefined) {
    throw new TypeError("Cannot use --traces with --server: it does not tell what is mixed");
  }
  await checkSettings(args);
  const methods = methodsOf(args);
  const asked = args.value("shard");
  const shard = asked === undefined ? undefined : parseShard(asked, Deno.env.toObject());
  const isServed = args.value("server") !== undefined, ids = await idsOf(args);
  if (args.flag("dry-run")) {
    const count = Object.keys(methods(NO_TOKENIZER)).length, dry = isServed ? dryServerRun : dryRun;
    for (const id of ids) await dry(id, taskName(id, args), count, args, shard);
    return;
  }
  const signal = interruptSignal();
  const studies: ReportedStudy[] = [];
  for (const id of ids) {
    const { runs, colder, file } = await study(id, methods, args, shard, signal);
    if (signal.aborted) {
      Deno.exitCode = 130;
      if (!shard) print(`\n${id}\n${tablesOf(runs)}\n`);
      say(`stopped with ${runs.length} of ${runs.planned!.runs} runs in ${file}`);
      say("the same command finishes the rest");
      return;
    }
    if (shard) {
      const { problems } = runs.planned!, n = runs.length + colder.flat().length;
      print(`${shardText(shard)} of ${basename(id)}: ${problems} problems, ${n} runs: ${file}\n`);
      continue;
    }
    const all = joinStudies([runs, ...colder]);
    print(`\n${studyName(runs)}\n${tablesOf(all)}\n`);
    studies.push({ runs: all, problems: await readProblems(file) });
  }
  if (shard) return; // a report is made of all shards
  const page = join(args.value("out") ?? "runs", "report.html");
  await writePage(page, "sweep", studies, "Mixture of Inputs: β sweep");
});
