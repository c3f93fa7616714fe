/**
 * The weights of a checkpoint, mapped: one file, or shards and an index.
 *
 * @module
 */

import { join } from "node:path";
import type { Weight, Weights } from "../graph/mod.ts";
import type { MappedFile } from "../runtime/mod.ts";
import { shown } from "../_check.ts";
import { mistakenText, openFile, parseJson } from "./_contents.ts";
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
    json = parseJson(text);
  } catch {
    const what = mistakenText(text);
    failIndex(what === undefined ? "it is not valid JSON" : `it is not valid JSON: it is ${what}`);
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

/** What is in a folder without weights that are read: what to do with it. */
async function refuseFolder(folder: string): Promise<never> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name).catch(() => []);
  const found = (pattern: RegExp) => names.filter((name) => pattern.test(name)).sort();
  const refused = (names: readonly string[], advice: string) => {
    const shown = names.slice(0, 3).join(", ") + (names.length > 3 ? ", …" : "");
    throw new Deno.errors.NotFound(
      `Cannot load the model as ${
        join(folder, WEIGHTS_FILE)
      } cannot be read: there is ${shown}, ${advice}`,
    );
  };
  const pickled = found(/^pytorch_model.*\.bin$|\.(pt|pth)$|^consolidated.*\.pth$/);
  const convert = (extra: string) =>
    `convert it once with: python -c "import transformers as t; t.AutoModelForCausalLM` +
    `.from_pretrained('${folder}'${extra}, dtype='auto').save_pretrained('${folder}')"`;
  const cases: readonly (readonly [string[], string])[] = [
    [
      found(/^adapter_model\./),
      "an adapter (LoRA) without its model: merge it first " +
      "(merge_and_unload and save_pretrained of peft)",
    ],
    [
      found(/^consolidated.*\.safetensors$/),
      "Mistral's own format with other names: fetch the files " +
      "in Hugging Face format (model.safetensors)",
    ],
    [pickled, `pickled weights, which can run code and are not loaded: ${convert("")}`],
    [found(/^tf_model.*\.h5$/), `TensorFlow's format: ${convert(", from_tf=True")}`],
    [found(/^flax_model.*\.msgpack$/), `Flax's format: ${convert(", from_flax=True")}`],
    [
      found(/\.safetensors$/),
      `but no ${WEIGHTS_FILE} and no ${INDEX_FILE}: a file that holds the ` +
      `whole model must have that name, and shards need their index`,
    ],
    [found(/\.gguf$/), "a GGUF file: name the file itself"],
  ];
  for (const [names, advice] of cases) if (names.length > 0) refused(names, advice);
  throw new Deno.errors.NotFound(
    `Cannot load the model as ${join(folder, WEIGHTS_FILE)} cannot be read`,
  );
}

/** Maps a shard that the index names. */
function openShard(folder: string, file: string): MappedFile {
  try {
    return openFile(join(folder, file));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const { message } = error;
    throw new Deno.errors.NotFound(`${message}: ${INDEX_FILE} names it, download it as well`, {
      cause: error,
    });
  }
}

/**
 * Opens the weights of a folder: `model.safetensors`, or the shards that
 * `model.safetensors.index.json` lists; `model.safetensors` where both are there.
 *
 * @param folder The model's folder.
 * @throws {Deno.errors.NotFound} Where there are none, or a shard is missing.
 * @throws {SyntaxError} Where a file is malformed, or the index and the shards contradict each other.
 */
export async function openWeights(folder: string): Promise<Checkpoint> {
  const single = await Deno.stat(join(folder, WEIGHTS_FILE)).catch(() => undefined);
  const index = single ? undefined : await readIndex(folder);
  if (!single && !index) return await refuseFolder(folder);
  const files: Record<string, MappedFile> = Object.create(null);
  const dispose = () => {
    for (const file of Object.values(files)) file[Symbol.dispose]();
  };
  try {
    const weights = new Map<string, Weight>();
    for (const file of new Set(index ? index.values() : [WEIGHTS_FILE])) {
      files[file] = index ? openShard(folder, file) : openFile(join(folder, file));
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
