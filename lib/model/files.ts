/**
 * The files of a model: those of a folder, or what a GGUF file says in their place.
 *
 * @module
 */

import { join } from "node:path";
import { mistakenText } from "./_contents.ts";
import { parseObject } from "./config.ts";
import { ggufCheckpoint } from "./gguf/checkpoint.ts";
import { configOf, eosOf, metadataOf, samplingOf } from "./gguf/config.ts";
import { openGguf } from "./gguf/split.ts";
import { tokenizerOf } from "./gguf/tokenizer.ts";
import { type Checkpoint, openWeights } from "./weights.ts";

/** Whether a path is that of a GGUF file. */
export function isGguf(path: string): boolean {
  return /\.gguf$/i.test(path);
}

/** What a model is read from. */
export interface ModelFiles {
  /** Contents of a text file, or undefined where there is none. */
  text(name: string): Promise<string | undefined>;
  /** Object in a JSON file, or undefined where there is none. */
  json(name: string): Promise<Record<string, unknown> | undefined>;
  /** Opens the weights; whoever asks disposes them. */
  weights(): Promise<Checkpoint>;
}

/**
 * Contents of a file that must be there.
 *
 * @throws {Deno.errors.NotFound} Where it is not.
 */
export async function requiredText(
  files: ModelFiles,
  name: string,
  place: string,
): Promise<string> {
  const text = await files.text(name);
  if (text !== undefined) return text;
  throw new Deno.errors.NotFound(`Cannot load the model as ${join(place, name)} cannot be read`);
}

/** The files of a folder in Hugging Face format. */
function folderFiles(folder: string): ModelFiles {
  const text = async (name: string) => {
    const path = join(folder, name);
    let contents: string;
    try {
      contents = await Deno.readTextFile(path);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return undefined;
      throw new Error(`Cannot load the model as ${path} cannot be read`, { cause });
    }
    const what = contents === "" ? undefined : mistakenText(contents);
    if (what !== undefined) throw new SyntaxError(`Cannot load the model as ${path} is ${what}`);
    return contents.replace(/^\uFEFF/, "");
  };
  return {
    text,
    async json(name) {
      const contents = await text(name);
      return contents === undefined ? undefined : parseObject(contents, name);
    },
    weights: () => openWeights(folder),
  };
}

/** What a GGUF file says, as the files of a folder. */
function ggufFiles(path: string): ModelFiles {
  using header = openGguf(path);
  const { gguf } = header, bytes = header.files.map(({ buffer }) => new Uint8Array(buffer));
  const config = configOf(gguf, bytes), { definition, config: tokenizerConfig } = tokenizerOf(gguf);
  const files: Readonly<Record<string, Record<string, unknown>>> = {
    "config.json": config,
    "generation_config.json": { ...samplingOf(gguf), eos_token_id: eosOf(metadataOf(gguf)) },
    "tokenizer.json": definition,
    "tokenizer_config.json": tokenizerConfig,
  };
  const json = (name: string) =>
    Promise.resolve(Object.hasOwn(files, name) ? files[name] : undefined);
  return {
    json,
    text: async (name) => JSON.stringify(await json(name)) as string | undefined,
    weights() {
      const opened = openGguf(path);
      try {
        return Promise.resolve(ggufCheckpoint(opened, config));
      } catch (error) {
        opened[Symbol.dispose]();
        throw error;
      }
    },
  };
}

/**
 * The files of a model.
 *
 * @param place A folder, or a GGUF file (of a split one any part).
 * @throws {SyntaxError} Where a GGUF file is malformed, or of an architecture, type or vocabulary that is
 * not read.
 */
export function modelFiles(place: string): ModelFiles {
  return isGguf(place) ? ggufFiles(place) : folderFiles(place);
}
