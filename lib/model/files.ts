/**
 * The files of a model: those of a folder, or what a GGUF file says in their place.
 *
 * @module
 */

import { join } from "node:path";
import { mapFile, type MappedFile } from "../runtime/mod.ts";
import { parseObject } from "./config.ts";
import { ggufCheckpoint } from "./gguf/checkpoint.ts";
import { configOf, eosOf, metadataOf } from "./gguf/config.ts";
import { parseGguf } from "./gguf/parse.ts";
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
    try {
      return await Deno.readTextFile(path);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return undefined;
      throw new Error(`Cannot load the model as ${path} cannot be read`, { cause });
    }
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
  const open = (): MappedFile => {
    try {
      return mapFile(path);
    } catch (cause) {
      throw new Deno.errors.NotFound(`Cannot load the model as ${path} cannot be read`, { cause });
    }
  };
  using header = open();
  const bytes = new Uint8Array(header.buffer), gguf = parseGguf(bytes);
  const config = configOf(gguf, bytes), { definition, config: tokenizerConfig } = tokenizerOf(gguf);
  const files: Readonly<Record<string, Record<string, unknown>>> = {
    "config.json": config,
    "generation_config.json": { eos_token_id: eosOf(metadataOf(gguf)) },
    "tokenizer.json": definition,
    "tokenizer_config.json": tokenizerConfig,
  };
  const json = (name: string) =>
    Promise.resolve(Object.hasOwn(files, name) ? files[name] : undefined);
  return {
    json,
    text: async (name) => JSON.stringify(await json(name)) as string | undefined,
    weights() {
      const file = open();
      try {
        return Promise.resolve(ggufCheckpoint(file, gguf, config));
      } catch (error) {
        file[Symbol.dispose]();
        throw error;
      }
    },
  };
}

/**
 * The files of a model.
 *
 * @param place A folder, or a GGUF file.
 * @throws {SyntaxError} Where a GGUF file is malformed, or of an architecture, type or vocabulary that is
 * not read.
 */
export function modelFiles(place: string): ModelFiles {
  return isGguf(place) ? ggufFiles(place) : folderFiles(place);
}
