/**
 * The weights of a checkpoint, mapped: one file, or shards and an index.
 *
 * @module
 */

import { join } from "node:path";
import type { Weight, Weights } from "../graph/mod.ts";
import { mapFile, type MappedFile } from "../runtime/mod.ts";
import { shown } from "../_check.ts";
import type { Encoded } from "./rows.ts";
import { parseSafetensors } from "./safetensors.ts";

/** Mapped files and the tensors in them. */
export interface Checkpoint extends Disposable {
  /** Files by the location name that the graph uses. */
  readonly files: Readonly<Record<string, MappedFile>>;
  /** Tensors by name. */
  readonly weights: Weights;
  /** Those that are stored otherwise than they are used, by name: a conversion makes them usable. */
  readonly encoded?: ReadonlyMap<string, Encoded>;
}

/** The only file of a checkpoint that has one. */
export const WEIGHTS_FILE = "model.safetensors";
/** Index of a checkpoint of several files. */
export const INDEX_FILE = "model.safetensors.index.json";

/** Largest index that is read: a hundred times that of the largest models. */
const MAX_INDEX = 1e8;

function failIndex(why: string): never {
  throw new SyntaxError(`Cannot read ${INDEX_FILE} as ${why}`);
}

/** A name that cannot lead out of the folder, on any system. */
function isFileName(name: unknown): name is string {
  // deno-lint-ignore no-control-regex
  return typeof name === "string" && /^[^/\\:\x00-\x1f]{1,200}\.safetensors$/.test(name);
}

/**
 * Reads the index of a checkpoint of several files.
 *
 * @param text Contents of `model.safetensors.index.json`.
 * @returns The file of every tensor.
 * @throws {SyntaxError} Where it is malformed, or a file name could lead out of the folder.
 *
 * @example Two shards
 * ```ts
 * import { parseIndex } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * const index = parseIndex('{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}');
 * assertEquals(index.get("b"), "2.safetensors");
 * ```
 */
export function parseIndex(text: string): ReadonlyMap<string, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    failIndex("it is not valid JSON");
  }
  const map = typeof json === "object" && json !== null && Object.hasOwn(json, "weight_map")
    ? (json as { weight_map: unknown }).weight_map
    : undefined;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    failIndex(`its 'weight_map' must be an object: current value is ${shown(map)}`);
  }
  const entries = Object.entries(map);
  if (entries.length === 0) failIndex("its 'weight_map' is empty");
  for (const [tensor, file] of entries) {
    if (isFileName(file)) continue;
    failIndex(
      `tensor ${shown(tensor)} must lie in a .safetensors file of the same folder: ` +
        `current value is ${shown(file)}`,
    );
  }
  return new Map(entries);
}

async function readIndex(folder: string): Promise<ReadonlyMap<string, string> | undefined> {
  const path = join(folder, INDEX_FILE);
  const found = await Deno.stat(path).catch(() => undefined);
  if (!found) return undefined;
  if (found.size > MAX_INDEX) failIndex(`it is too large: ${found.size} bytes`);
  return parseIndex(await Deno.readTextFile(path));
}

function open(folder: string, file: string): MappedFile {
  const path = join(folder, file);
  try {
    return mapFile(path);
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw new Deno.errors.NotFound(`Cannot load the model as ${path} cannot be read`, { cause });
  }
}

/**
 * Opens the weights of a folder: `model.safetensors`, or the shards that
 * `model.safetensors.index.json` lists.
 *
 * @param folder The model's folder.
 * @throws {Deno.errors.NotFound} Where there are none, or a shard is missing.
 * @throws {SyntaxError} Where a file is malformed, or the index and the shards contradict each other.
 */
export async function openWeights(folder: string): Promise<Checkpoint> {
  const single = await Deno.stat(join(folder, WEIGHTS_FILE)).catch(() => undefined);
  const index = single ? undefined : await readIndex(folder);
  const files: Record<string, MappedFile> = Object.create(null);
  const dispose = () => {
    for (const file of Object.values(files)) file[Symbol.dispose]();
  };
  try {
    const weights = new Map<string, Weight>();
    for (const file of new Set(index ? index.values() : [WEIGHTS_FILE])) {
      files[file] = open(folder, file);
      for (const [name, weight] of parseSafetensors(new Uint8Array(files[file].buffer), file)) {
        const other = weights.get(name), listed = index?.get(name) ?? file;
        if (other) failIndex(`tensor ${shown(name)} is in both ${other.location} and ${file}`);
        if (listed !== file) {
          failIndex(`tensor ${shown(name)} must be in ${listed}: it is in ${file}`);
        }
        weights.set(name, weight);
      }
    }
    for (const [name, file] of index ?? []) {
      if (!weights.has(name)) failIndex(`tensor ${shown(name)} is not in ${file}`);
    }
    return { files, weights, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
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
