/**
 * Does everything on the GPU that this process finds, and on the CPU beside it; prints a line of JSON for each
 * part: `case` for those of `_device_matrix.ts`, and the parts of `_device_parts.ts` by name.
 *
 * usage: _device_process.ts EMULATOR [PART,…] (case, parts for all others, or some by name)
 */

import { loadModel } from "@moi/moi/model";
import { caseOf, checkpointOf, logitsOf } from "../golden/architectures.ts";
import { maxDifference } from "../golden/golden.ts";
import { temporaryFolder } from "../_temporary.ts";
import { type DeviceRun, type Emulator, LAVAPIPE_ONLY, RUNS } from "./_device_matrix.ts";
import { PARTS } from "./_device_parts.ts";
import { referenceOf, SLOTS, walk, worstOf } from "./_device_walk.ts";

/** What {@linkcode runCase} found. */
export interface CaseResult extends DeviceRun {
  readonly device: string;
  /** Largest differences from transformers, of the prompt alone, and from the CPU. */
  readonly fromTransformers: number;
  readonly fromCpu: number;
  readonly chunk: number;
  readonly fallenBack: readonly string[];
}

async function runCase({ name, dtype, kv }: DeviceRun, cacheDir: string): Promise<CaseResult> {
  const value = caseOf(name), { input_ids: prompt, max_length: maxLength } = value;
  await using folder = await checkpointOf(value);
  const options = { device: "webgpu", dtype, kv, maxLength, cacheDir } as const;
  await using model = await loadModel(folder.path, options);
  const { config: { vocabularySize }, device, checked, fallenBack } = model;
  const shape = { slots: SLOTS, length: 48 };
  using cache = model.openCache(shape);
  const there = await walk(cache, prompt, vocabularySize);
  await using host = await referenceOf(folder.path, { dtype, maxLength, cacheDir });
  using other = host.openCache(shape);
  const here = await walk(other, prompt, vocabularySize);
  return {
    ...{ name, dtype, kv, device },
    fromTransformers: maxDifference(there[0]!, logitsOf(value)),
    fromCpu: worstOf(there, here),
    chunk: checked!.chunk,
    fallenBack: [...fallenBack?.keys() ?? []].sort(),
  };
}

if (import.meta.main) {
  const [emulator, wanted] = Deno.args as [Emulator, string?];
  const names = wanted?.split(","), isHere = (part: string) => !LAVAPIPE_ONLY.includes(part);
  const isWanted = (part: string) =>
    names?.includes(part) ||
    (part !== "case" && names?.includes("parts") !== false &&
      (emulator === "lavapipe" || isHere(part))) ||
    (part === "case" && !names);
  const print = (part: string, result: object, started: number) => {
    const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
    const line = JSON.stringify({ part, seconds, ...result });
    Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  };
  await using cache = await temporaryFolder();
  for (const run of isWanted("case") ? RUNS[emulator] : []) {
    const started = performance.now();
    print("case", await runCase(run, cache.path), started);
  }
  const kv = emulator === "lavapipe" ? "fp16" : "fp32";
  for (const [part, make] of Object.entries(PARTS)) {
    const started = performance.now();
    if (isWanted(part)) print(part, await make({ kv, cacheDir: cache.path }), started);
  }
}
