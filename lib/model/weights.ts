/**
 * The weights of a checkpoint, mapped: one file, or shards and an index.
 *
 * @module
 */

import { join } from "node:path";
import type { Weight } from "../graph/mod.ts";
import type { MappedFile } from "../runtime/mod.ts";
import { isObject, shown } from "../_check.ts";
import { openFile } from "./_contents.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { parseObject } from "./config.ts";
import { parseSafetensors } from "./safetensors.ts";

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

/** The file of every tensor, by an index; names that could lead out of the folder are refused. */
export function parseIndex(text: string): ReadonlyMap<string, string> {
  const json = parseObject(text, INDEX_FILE);
  const map = Object.hasOwn(json, "weight_map") ? json.weight_map : undefined;
  if (!isObject(map)) {
    failIndex(`its 'weight_map' must be an object: current value is ${shown(map)}`);
  }
  const entries = Object.entries(map);
  if (entries.length === 0) failIndex("its 'weight_map' is empty");
  return new Map(entries.map(([tensor, file]) => {
    if (isFileName(file)) return [tensor, file];
    const rule = "must lie in a .safetensors file of the same folder";
    return failIndex(`tensor ${shown(tensor)} ${rule}: current value is ${shown(file)}`);
  }));
}

async function readIndex(folder: string): Promise<ReadonlyMap<string, string> | undefined> {
  const path = join(folder, INDEX_FILE);
  const found = await Deno.stat(path).catch(() => undefined);
  if (!found) return undefined;
  if (found.size > MAX_INDEX) failIndex(`it is too large: ${found.size} bytes`);
  return parseIndex(await Deno.readTextFile(path));
}

/** Refuses a folder without weights that are read: says what is there and what to do with it. */
async function refuseFolder(folder: string): Promise<never> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name).catch(() => []);
  const convert = (extra: string) =>
    `convert it once with: python -c "import transformers as t; t.AutoModelForCausalLM` +
    `.from_pretrained('${folder}'${extra}, dtype='auto').save_pretrained('${folder}')"`;
  const advice: readonly (readonly [RegExp, string])[] = [
    [
      /^adapter_model\./,
      "an adapter (LoRA) without its model: merge it first " +
      "(merge_and_unload and save_pretrained of peft)",
    ],
    [
      /^consolidated.*\.safetensors$/,
      "Mistral's own format with other names: fetch the files " +
      "in Hugging Face format (model.safetensors)",
    ],
    [
      /^pytorch_model.*\.bin$|\.(pt|pth)$|^consolidated.*\.pth$/,
      `pickled weights, which can run code and are not loaded: ${convert("")}`,
    ],
    [/^tf_model.*\.h5$/, `TensorFlow's format: ${convert(", from_tf=True")}`],
    [/^flax_model.*\.msgpack$/, `Flax's format: ${convert(", from_flax=True")}`],
    [
      /\.safetensors$/,
      `but no ${WEIGHTS_FILE} and no ${INDEX_FILE}: a file that holds the ` +
      `whole model must have that name, and shards need their index`,
    ],
    [/\.gguf$/, "a GGUF file: name the file itself"],
  ];
  const cannot = `Cannot load the model as ${join(folder, WEIGHTS_FILE)} cannot be read`;
  for (const [pattern, meaning] of advice) {
    const found = names.filter((name) => pattern.test(name)).sort();
    const some = found.slice(0, 3).join(", ") + (found.length > 3 ? ", …" : "");
    if (some) throw new Deno.errors.NotFound(`${cannot}: there is ${some}, ${meaning}`);
  }
  throw new Deno.errors.NotFound(cannot);
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

/** Opens `model.safetensors` of a folder, or else the shards that its index lists. */
export async function openWeights(folder: string): Promise<Checkpoint> {
  const single = await Deno.stat(join(folder, WEIGHTS_FILE)).catch(() => undefined);
  const index = single ? undefined : await readIndex(folder);
  if (!single && !index) return await refuseFolder(folder);
  const files: Record<string, MappedFile> = Object.create(null);
  const tensors = new Map<string, Weight>();
  using scope = new DisposableStack();
  for (const file of new Set(index ? index.values() : [WEIGHTS_FILE])) {
    files[file] = scope.use(index ? openShard(folder, file) : openFile(join(folder, file)));
    for (const [name, tensor] of parseSafetensors(new Uint8Array(files[file].buffer), file)) {
      const other = tensors.get(name), listed = index?.get(name) ?? file;
      if (other) failIndex(`tensor ${shown(name)} is in both ${other.location} and ${file}`);
      if (listed !== file) {
        failIndex(`tensor ${shown(name)} must be in ${listed}: it is in ${file}`);
      }
      tensors.set(name, tensor);
    }
  }
  for (const [name, file] of index ?? []) {
    if (!tensors.has(name)) failIndex(`tensor ${shown(name)} is not in ${file}`);
  }
  const owned = scope.move();
  return { files, tensors, [Symbol.dispose]: () => owned.dispose() };
}
