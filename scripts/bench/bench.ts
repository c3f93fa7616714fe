/** What the suites share: checkpoints, made when they are first needed, and the rows. */

import { join } from "node:path";
import { type Dtype, loadModel, type LoadOptions, type Model } from "../../lib/model/mod.ts";
import {
  QWEN3_06B,
  QWEN3_MOE,
  type Shape,
  SMALL,
  SMALL_MOE,
  writeCheckpoint,
} from "./checkpoint.ts";
import type { Row } from "./rows.ts";

/** The random checkpoints. */
export type ModelName = "qwen3-0.6b" | "qwen3-moe";

/** A random checkpoint on disk. */
export interface Checkpoint {
  /** What rows call it. */
  readonly name: string;
  /** Its folder. */
  readonly folder: string;
  /** Where its quantised copies are kept. */
  readonly cacheDir: string;
}

/** A run of the bench. */
export interface Bench {
  /** Rounds of every comparison. */
  readonly rounds: number;
  /** Whether this only checks that everything runs, on small models. */
  readonly quick: boolean;
  /** Folder for what suites write. */
  readonly folder: string;
  /** A random checkpoint. */
  checkpoint(name: ModelName): Promise<Checkpoint>;
  /** The same, loaded. */
  load(name: ModelName, dtype: Dtype, options?: LoadOptions): Promise<Model>;
  /** Takes a row. */
  row(row: Row): void;
  /** Takes a remark, such as why something could not be measured. */
  note(text: string): void;
}

/** Options of {@linkcode openBench}. */
export type BenchOptions = Pick<Bench, "rounds" | "quick" | "folder" | "row" | "note">;

/** Starts a run. */
export function openBench(options: BenchOptions): Bench {
  const { quick, folder } = options;
  const shapes: Record<ModelName, Shape> = quick
    ? { "qwen3-0.6b": SMALL, "qwen3-moe": SMALL_MOE }
    : { "qwen3-0.6b": QWEN3_06B, "qwen3-moe": QWEN3_MOE };
  const checkpoint = async (name: ModelName): Promise<Checkpoint> => {
    const own = quick ? `${name}-small` : name, path = join(folder, own);
    const found = await Deno.stat(join(path, "config.json")).catch(() => undefined);
    if (!found) { // config.json is written last
      await Deno.mkdir(path, { recursive: true });
      await writeCheckpoint(path, shapes[name]);
    }
    return { name: own, folder: path, cacheDir: join(path, "cache") };
  };
  return {
    ...options,
    checkpoint,
    async load(name, dtype, more) {
      const { folder, cacheDir } = await checkpoint(name);
      return await loadModel(folder, { dtype, cacheDir, spinning: true, ...more });
    },
  };
}
