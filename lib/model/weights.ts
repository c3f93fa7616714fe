/**
 * The weights of a checkpoint, mapped.
 *
 * @module
 */

import { join } from "node:path";
import type { Weights } from "../graph/mod.ts";
import { mapFile, type Memory } from "../runtime/mod.ts";
import { parseSafetensors } from "./safetensors.ts";

/** Mapped files and the tensors in them. */
export interface Checkpoint extends Disposable {
  /** Files by the location name that the graph uses. */
  readonly files: Readonly<Record<string, Memory>>;
  /** Tensors by name. */
  readonly weights: Weights;
}

/**
 * Opens the weights of a folder.
 *
 * @param folder The model's folder.
 * @throws {Deno.errors.NotFound} Where there are none.
 * @throws {SyntaxError} Where a file is malformed.
 */
export function openWeights(folder: string): Checkpoint {
  const file = "model.safetensors", path = join(folder, file);
  let memory: Memory;
  try {
    memory = mapFile(path);
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw new Deno.errors.NotFound(`Cannot load the model as ${path} cannot be read`, { cause });
  }
  try {
    const weights = parseSafetensors(new Uint8Array(memory.buffer), file);
    return { files: { [file]: memory }, weights, [Symbol.dispose]: () => memory[Symbol.dispose]() };
  } catch (error) {
    memory[Symbol.dispose]();
    throw error;
  }
}

/** A digest that tells checkpoints apart without reading all of a large one. */
export async function fingerprint(config: string, { files }: Checkpoint): Promise<string> {
  const SAMPLES = 64, SAMPLE = 4096;
  const parts = [new TextEncoder().encode(config)];
  for (const { buffer } of Object.values(files)) {
    const file = new Uint8Array(buffer);
    parts.push(new TextEncoder().encode(`${file.length}`));
    const stride = Math.max(SAMPLE, Math.floor(file.length / SAMPLES));
    for (let at = 0; at < file.length; at += stride) parts.push(file.slice(at, at + SAMPLE));
    parts.push(file.slice(-SAMPLE));
  }
  const digest = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
  return Array.from(new Uint8Array(digest, 0, 8), (b) => b.toString(16).padStart(2, "0")).join("");
}
