/**
 * `deno task gpu`: whether a real GPU computes what it should, and how fast.
 *
 * Every device that can start, of ONNX Runtime and of llama.cpp, is held to the golden suites of all
 * architectures and to the identities of mixing, is measured beside the loop that one would write by
 * hand in PyTorch, and decodes a thousand steps. One JSON holds every number, one table shows them; what could not be done is in
 * both, with the reason. On an emulated GPU nothing is measured, as its times say nothing.
 */

import { fileURLToPath } from "node:url";
import { dirname } from "node:path";
import { adapters, runtimeVersion } from "../../lib/runtime/mod.ts";
import { command, print, say } from "../_cli.ts";
import { printing } from "../_table.ts";
import { cardOf, DEVICES } from "./card.ts";
import { against, COLUMNS, type Figure, type Found, lineOf } from "./found.ts";
import { golden } from "./golden.ts";
import { identities } from "./identities.ts";
import { make } from "./make.ts";
import { type Part, partCommand, type PartRequest, runProcess, tellParent } from "./part.ts";
import { deadlines, type Job, jobsOf, made, PARTS } from "./plan.ts";
import { speed } from "./speed.ts";
import { stability } from "./stability.ts";
import { start } from "./start.ts";
import { SHAPES } from "../bench/weights.ts";

const RUNS: Readonly<Record<string, (part: Part) => Promise<void>>> = {
  ...{ start, golden, identities, speed, stability, make },
};

const USAGE = `
Checks and measures the GPUs of this machine.

usage: deno task gpu [options]

  --device NAMES  devices, separated by commas, llama.cpp's as llama:vulkan, llama:cuda, llama:metal
                  or llama:cpu (default: webgpu,cuda,llama:vulkan)
  --only NAMES    parts: golden, identities, speed, torch, stability (default: all)
  --seconds N     time for all of it (default: 300)
  --out FILE      where the JSON goes (default: runs/gpu.json)
  --folder DIR    where models are made, up to 32 GB (default: a new one, removed)
  --quick         tiny models and few cases: checks that everything runs
  -h, --help      this text
`;

/** A run: what it was asked, and what it has found. */
interface Run extends Pick<PartRequest, "quick" | "folder"> {
  readonly only: readonly string[];
  readonly end: number;
  readonly take: (found: Found) => void;
}

/** Runs a part in its own process; what goes wrong is told as left out. */
async function runJob(run: Run, job: Omit<Job, "share">, until: number): Promise<boolean> {
  const { name, device, model, dtype } = job, { quick, folder, take } = run;
  const own = { ...(model && { model }), ...(dtype && { dtype }) };
  const SPARE_MS = 2000, spare = Math.max(SPARE_MS, (until - Date.now()) / 8); // to sum up
  const request = { name, device, ...own, quick, folder, until: until - spare };
  const path = fileURLToPath(new URL("hf.py", import.meta.url));
  const line: readonly [string, ...string[]] = name === "torch"
    ? ["python3", path, JSON.stringify({ ...request, device: "", shape: SHAPES[model!] })]
    : partCommand(request);
  const why = Date.now() > until - SPARE_MS
    ? "no time was left"
    : await runProcess(line, until, take).catch((error: Error) => error.message);
  if (why === undefined) return true;
  take({ kind: "left out", what: name, why, device, ...own });
  return false;
}

/** Makes the models one after the other; the promise of each by name. */
function making(run: Run): ReadonlyMap<string, Promise<boolean>> {
  let before = Promise.resolve(true);
  return new Map(
    made(run.quick).map(({ model, dtype }) => {
      const own = before.then(() =>
        runJob(run, { name: "make", device: "disk", model, dtype }, run.end)
      );
      return [`${model} ${dtype}`, before = own];
    }),
  );
}

/** Waits until a time, milliseconds since 1970, without keeping the process alive for it. */
function endOf(until: number): Promise<false> {
  return new Promise((resolve) => {
    Deno.unrefTimer(setTimeout(() => resolve(false), Math.max(0, until - Date.now())));
  });
}

async function runAll(run: Run, asked: readonly string[]): Promise<void> {
  const { quick, only, take, end } = run, devices: string[] = [];
  const START_MS = 90e3; // drivers compile at first
  for (const device of asked) {
    const until = Math.min(end, Date.now() + START_MS);
    if (await runJob(run, { name: "start", device }, until)) devices.push(device);
  }
  const measured = devices.filter((device) => cardOf(device)?.kind !== "emulated");
  for (const device of only.includes("speed") ? devices : []) {
    if (measured.includes(device)) continue;
    take({ kind: "left out", what: "speed", why: "times of an emulated GPU say nothing", device });
  }
  const jobs = jobsOf(devices, { quick, measured, only });
  const models = jobs.some(({ name }) => name === "speed") ? making(run) : new Map();
  const untils = deadlines(jobs, Date.now(), end);
  for (const [i, job] of jobs.entries()) {
    say(`${job.name} ${job.device} ${job.model ?? ""} ${job.dtype ?? ""}`.trim());
    const model = models.get(`${job.model} ${job.dtype}`);
    if (job.name === "speed" && !await Promise.race([model, endOf(untils[i]!)])) {
      const { device, model, dtype } = job;
      const why = "the model was not made in time";
      take({ kind: "left out", what: "speed", why, device, model: model!, dtype: dtype! });
    } else await runJob(run, job, untils[i]!);
  }
  await Promise.all(models.values());
}

/** The run of the command line; whether everything was right. */
async function check(
  asked: readonly string[],
  { seconds, out, ...settings }: Pick<Run, "quick" | "folder" | "only"> & {
    readonly seconds: number;
    readonly out: string;
  },
): Promise<boolean> {
  const begin = Date.now(), found: Found[] = [], all = adapters();
  const machine = {
    adapters: all,
    os: `${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
    cores: navigator.hardwareConcurrency,
    memoryGb: Math.round(Deno.systemMemoryInfo().total / 1e9),
    deno: Deno.version.deno,
    onnxruntime: runtimeVersion,
    library: Deno.env.get("MOI_ORT_LIB") ?? "that of the package",
  };
  await Deno.mkdir(dirname(out), { recursive: true });
  const write = () => {
    const took = (Date.now() - begin) / 1e3;
    const text = JSON.stringify({ machine, asked, ...settings, seconds: took, found }, null, 1);
    Deno.writeTextFileSync(out, `${text}\n`);
  };
  for (const { device, name, kind, driver = "unknown driver" } of all) {
    print(`${device}: ${name}, ${kind}, ${driver}\n`);
  }
  const line = printing(COLUMNS);
  const take = (one: Found) => {
    found.push(one);
    const used = "device" in one && one.device ? cardOf(one.device, all) : undefined;
    const shown = lineOf(one, used?.name);
    if (shown) line(shown);
    write();
  };
  await runAll({ ...settings, end: begin + 1e3 * seconds, take }, asked);
  const figures = found.filter((one): one is Figure => one.kind === "figure");
  against(figures).forEach(take);
  write();
  return found.every((one) => one.kind !== "check" || one.ok);
}

const options = {
  values: ["device", "only", "seconds", "out", "folder", "part"],
  flags: ["quick"],
};
await command(USAGE, options, async (args) => {
  const request = args.value("part");
  if (request !== undefined) {
    const part: PartRequest = JSON.parse(request);
    const hasTime = () => Date.now() < part.until;
    await RUNS[part.name]!({ ...part, hasTime, tell: tellParent });
    Deno.exit(); // what a library still holds must not keep the next part waiting
  }
  const listed = (option: string, known: readonly string[]) => {
    const names = args.value(option)?.split(","),
      other = names?.find((one) => !known.includes(one));
    if (other === undefined) return names;
    const rule = `must name some of ${known.join(", ")}: current value is "${other}"`;
    throw new RangeError(`Cannot check the devices as '--${option}' ${rule}`);
  };
  const asked = listed("device", DEVICES) ?? ["webgpu", "cuda", "llama:vulkan"];
  const only = listed("only", PARTS) ?? PARTS, seconds = args.number("seconds") ?? 300;
  if (!(seconds >= 10)) {
    throw new RangeError(
      `Cannot check the devices as '--seconds' must be at least 10: current value is ${seconds}`,
    );
  }
  const kept = args.value("folder"), out = args.value("out") ?? "runs/gpu.json";
  const folder = kept ?? await Deno.makeTempDir({ prefix: "moi-gpu-" });
  try {
    const quick = args.flag("quick");
    if (!await check(asked, { quick, folder, only, seconds, out })) Deno.exitCode = 1;
  } finally {
    if (kept === undefined) await Deno.remove(folder, { recursive: true });
  }
});
