/**
 * `deno task bench`: speed as paired ratios within one run.
 *
 * Contenders live in processes of their own and take turns, round by round, so that whatever else
 * the machine does hits them alike. Each ratio is the median over rounds of the two times of one
 * round, with its quartiles.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { embeddedFolder, loadModel } from "../../mod.ts";
import { command, given, print, say } from "../_cli.ts";
import { exportForHub } from "./export.ts";
import type { Timing, Workload } from "./_worker.ts";

const USAGE = `
Measures decoding speed against the npm binding of ONNX Runtime and transformers.js, the cost of a
MoI step, and the time to the first token. Runs for about two minutes.

usage: deno task bench [options]

  --rounds N    rounds of every comparison (default: 9)
  --json FILE   also writes the rows as JSON
  -h, --help    this text
`;

/** A contender's process. */
interface Contender extends AsyncDisposable {
  run(workload: Workload): Promise<Timing>;
}

async function start(script: string, args: readonly string[]): Promise<Contender> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", path, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const writer = child.stdin.getWriter();
  let rest = "";
  const line = async (): Promise<string> => {
    while (!rest.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`Cannot measure as ${script} ended early`);
      rest += value;
    }
    const end = rest.indexOf("\n"), first = rest.slice(0, end);
    rest = rest.slice(end + 1);
    return first;
  };
  while (await line() !== "ready");
  return {
    async run(workload) {
      await writer.write(new TextEncoder().encode(`${JSON.stringify(workload)}\n`));
      return JSON.parse(await line());
    },
    async [Symbol.asyncDispose]() {
      await writer.close();
      await reader.cancel();
      await child.status;
    },
  };
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b), at = q * (sorted.length - 1);
  const low = Math.floor(at), high = Math.ceil(at);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}

/** One comparison: `b`'s time over `a`'s. */
interface Row {
  readonly what: string;
  readonly batch: number;
  readonly context: number;
  readonly aMs: number;
  readonly bMs: number;
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

async function compare(
  what: string,
  rounds: number,
  a: (workload: Workload) => Promise<Timing>,
  b: (workload: Workload) => Promise<Timing>,
  workload: Workload,
  equal: boolean,
): Promise<Row> {
  const warm = [await a(workload), await b(workload)];
  if (equal && String(warm[0]!.tokens) !== String(warm[1]!.tokens)) {
    throw new Error(`Cannot compare ${what} as the contenders generate different tokens`);
  }
  const times: [number, number][] = [];
  for (let round = 0; round < rounds; round++) {
    const first = await a(workload);
    times.push([first.ms, (await b(workload)).ms]);
  }
  const ratios = times.map(([x, y]) => y / x), { batch, context, tokens } = workload;
  const row = {
    what,
    batch,
    context,
    aMs: quantile(times.map(([x]) => x), 0.5) / tokens,
    bMs: quantile(times.map(([, y]) => y), 0.5) / tokens,
    ratio: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
  };
  const ms = (value: number) => value.toFixed(3).padStart(8);
  print(
    `${what.padEnd(42)} ${String(batch).padStart(5)} ${String(context).padStart(7)} ${
      ms(row.aMs)
    } ${ms(row.bMs)}  ${row.ratio.toFixed(3).padStart(6)} [${row.low.toFixed(3)}, ${
      row.high.toFixed(3)
    }]\n`,
  );
  return row;
}

async function firstToken(): Promise<number> {
  const code = `import { generate, loadModel } from ${
    JSON.stringify(import.meta.resolve("../../mod.ts"))
  };
    const model = await loadModel("countdown-tiny");
    await generate(model, [1, 106, 18], { maxNewTokens: 1 });`;
  const begin = performance.now();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", fileURLToPath(new URL("../../deno.json", import.meta.url)), code],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return performance.now() - begin;
}

await command(USAGE, { values: ["rounds", "json"] }, async (args) => {
  const { rounds } = { rounds: 9, ...given({ rounds: args.number("rounds") }) };
  const cores = navigator.hardwareConcurrency;
  const cpu = await Deno.readTextFile("/proc/cpuinfo")
    .then((text) => text.match(/model name\s*:\s*(.*)/)?.[1] ?? "unknown processor", () => "");
  print(
    `${cpu}, ${cores} cores, ${Deno.build.os}; Deno ${Deno.version.deno}; ${rounds} rounds\n\n`,
  );

  const id = "countdown-tiny", folder = await embeddedFolder(id);
  const temporary = await Deno.makeTempDir({ prefix: "moi-bench-" });
  const peer = `${temporary}/${id}`;
  const rows: Row[] = [];
  try {
    await exportForHub(folder, peer);
    const model = await loadModel(id);
    const { vocabularySize } = model.config;
    await model[Symbol.asyncDispose]();
    say("starting the contenders");
    await using ours = await start("ours.ts", [id]);
    await using binding = await start("npm_binding.ts", [peer]);
    await using transformers = await start("transformers_js.ts", [peer, String(vocabularySize)]);
    await using votes = await start("ours.ts", ["votes-tiny"]);

    print(
      "b / a (ms per step, prompt included)         batch context      a        b   ratio [quartiles]\n",
    );
    const tokens = 96;
    for (const batch of [1, 8, 32]) {
      for (const context of [64, 384]) {
        const load = { batch, context, tokens };
        rows.push(
          await compare("npm binding / ours", rounds, ours.run, binding.run, load, true),
          await compare("transformers.js / ours", rounds, ours.run, transformers.run, load, true),
        );
      }
    }
    const methods = [["countdown-tiny", ours, 96], ["votes-tiny", votes, 96]] as const;
    for (const [name, contender, length] of methods) {
      for (const batch of [1, 8, 32, 64]) {
        const load = { batch, context: 64, tokens: length, temperature: 1 };
        rows.push(
          await compare(
            `MoI / standard, ${name}`,
            rounds * 3,
            (workload) => contender.run({ ...workload, method: "standard" }),
            (workload) => contender.run({ ...workload, method: "moi" }),
            load,
            false,
          ),
        );
      }
    }
    const starts: number[] = [];
    for (let i = 0; i < 3; i++) starts.push(await firstToken());
    print(
      `\nfirst token of ${id} from a warm start, new process: ${
        (quantile(starts, 0.5) / 1000).toFixed(2)
      } s\n`,
    );
    const json = args.value("json");
    if (json !== undefined) {
      await Deno.writeTextFile(json, `${JSON.stringify({ cpu, cores, rows, starts }, null, 2)}\n`);
    }
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
});
