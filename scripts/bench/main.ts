/**
 * `deno task bench`: speed as paired ratios within one run.
 *
 * Contenders live in processes of their own and take turns, round by round, so that whatever else
 * the machine does hits them alike. Each ratio is the median over rounds of the two times of one
 * round, with its quartiles. Models are random checkpoints of real shapes, so nothing is downloaded
 * but packages.
 */

import { toHtml, toSvg } from "../../lib/plot/mod.ts";
import { command, given, print, say } from "../_cli.ts";
import { type Bench, openBench } from "./bench.ts";
import { costFigure } from "./chart.ts";
import { profiled } from "./profile.ts";
import type { Row } from "./rows.ts";
import { soak } from "./soak.ts";
import { bandwidth } from "./suites/bandwidth.ts";
import { capacity } from "./suites/capacity.ts";
import { cost } from "./suites/cost.ts";
import { embedded } from "./suites/embedded.ts";
import { grid } from "./suites/grid.ts";
import { gguf, llama } from "./suites/llama.ts";
import { loop } from "./suites/loop.ts";
import { memory } from "./suites/memory.ts";
import { methods, moe } from "./suites/methods.ts";
import { overhead } from "./suites/overhead.ts";
import { peers } from "./suites/peers.ts";
import { queue } from "./suites/queue.ts";
import { serve } from "./suites/serve.ts";
import { printingRows } from "./table.ts";

const SUITES: Readonly<Record<string, { run(bench: Bench): Promise<void>; about: string }>> = {
  embedded: { run: embedded, about: "embedded models against two peers; MoI; first token" },
  peers: { run: peers, about: "0.6B int4 against transformers.js" },
  llama: { run: llama, about: "both engines on Q4_0 in the 0.6B shape" },
  gguf: { run: gguf, about: "both engines on a real GGUF file (in the folder MOI_REAL_MODEL)" },
  methods: { run: methods, about: "what a MoI step costs beside a standard one" },
  moe: { run: moe, about: "the same for a mixture of experts" },
  grid: { run: grid, about: "a grid in one batch against its runs one by one" },
  capacity: { run: capacity, about: "a step in a long and in a short cache" },
  overhead: { run: overhead, about: "JavaScript and foreign calls of a step" },
  bandwidth: { run: bandwidth, about: "share of the bound that memory sets" },
  memory: { run: memory, about: "peak memory beside weights and cache" },
  loop: { run: loop, about: "longest gap of the event loop" },
  queue: { run: queue, about: "a thousand requests through 32 slots" },
  serve: { run: serve, about: "64 streams of a server against one batch, and two minutes of them" },
  cost: { run: cost, about: "a step by model, batch and context: the chart" },
};

const USAGE = `
Measures decoding: ratios to peers, to standard decoding, to what the machine can do. Takes about
half an hour on two quiet cores.

usage: deno task bench [options]

  --only NAMES     suites, separated by commas (default: all)
  --rounds N       rounds of every comparison (default: 5)
  --json FILE      also writes the rows as JSON
  --chart FILE     draws the suite "cost": .svg, else a page
  --folder DIR     where checkpoints are kept from run to run, 5 GB (default: a new one, removed)
  --quick          one round on small models: checks that everything runs
  --soak MINUTES   decodes endlessly instead, with aborts, and tells how memory grows
  --profile FILE   also writes a V8 profile (.cpuprofile) of what runs in this process
  -h, --help       this text

suites:
${Object.entries(SUITES).map(([name, { about }]) => `  ${name.padEnd(10)} ${about}\n`).join("")}`;

function chosen(only: string | undefined): string[] {
  const known = Object.keys(SUITES), names = only?.split(",") ?? known;
  const other = names.find((name) => !known.includes(name));
  if (other === undefined) return names;
  const rule = `must name some of ${known.join(", ")}: current value is "${other}"`;
  throw new RangeError(`Cannot measure as '--only' ${rule}`);
}

async function machine() {
  const info = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return {
    cpu: info.match(/model name\s*:\s*(.*)/)?.[1] ?? "unknown processor",
    cores: navigator.hardwareConcurrency,
    memoryGb: Math.round(Deno.systemMemoryInfo().total / 1e9),
    os: Deno.build.os,
    deno: Deno.version.deno,
  };
}

const options = {
  values: ["only", "rounds", "json", "chart", "folder", "soak", "profile"],
  flags: ["quick"],
};
await command(USAGE, options, async (args) => {
  const minutes = args.number("soak");
  if (minutes !== undefined) return await soak(minutes, (line) => print(`${line}\n`));
  const names = chosen(args.value("only")), quick = args.flag("quick");
  const { rounds } = { rounds: quick ? 1 : 5, ...given({ rounds: args.number("rounds") }) };
  if (!(Number.isInteger(rounds) && rounds >= 1)) {
    throw new RangeError(
      `Cannot measure as '--rounds' must be an integer of at least 1: current value is ${rounds}`,
    );
  }
  const [json, chart, profile] = [args.value("json"), args.value("chart"), args.value("profile")];
  const kept = args.value("folder");
  const folder = kept ?? await Deno.makeTempDir({ prefix: "moi-bench-" });
  const rows: Row[] = [], notes: string[] = [], on = await machine();
  let line = (_row: Row) => {};
  const bench = openBench({
    rounds,
    quick,
    folder,
    row({ target, ...figures }) {
      const row = quick || !target ? figures : { ...figures, target };
      rows.push(row);
      line(row);
    },
    note(text) {
      notes.push(text);
      print(`${text}\n`);
    },
  });
  const measure = async () => {
    for (const name of names) {
      const begin = performance.now();
      print(`\n${name}: ${SUITES[name]!.about}\n`);
      await SUITES[name]!.run(bench);
      say(`${name} took ${((performance.now() - begin) / 1e3).toFixed(0)} s`);
      if (json === undefined) continue;
      const text = JSON.stringify({ machine: on, rounds, quick, rows, notes }, null, 2);
      await Deno.writeTextFile(json, `${text}\n`);
    }
  };
  try {
    print(`${on.cpu}, ${on.cores} cores, ${on.memoryGb} GB, ${on.os}; Deno ${on.deno}; `);
    print(`${rounds} rounds\n`);
    line = printingRows();
    if (profile === undefined) await measure();
    else await profiled(profile, measure);
  } finally {
    if (kept === undefined) await Deno.remove(folder, { recursive: true });
  }
  if (chart === undefined) return;
  const figure = costFigure(rows);
  if (figure.data.length === 0) throw new Error("Cannot draw the chart as 'cost' was not measured");
  const drawn = chart.endsWith(".svg") ? await toSvg(figure) : await toHtml(figure);
  await Deno.writeTextFile(chart, drawn);
});
