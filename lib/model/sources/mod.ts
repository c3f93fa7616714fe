/**
 * Which source a place is: here file formats are told apart, and nowhere else.
 *
 * @module
 */

import { join } from "node:path";
import { mistakenText } from "../_contents.ts";
import { parseObject } from "../config.ts";
import type { Dtype } from "../dtype.ts";
import { isGguf } from "../gguf/split.ts";
import { openWeights } from "../weights.ts";
import { checkpointSource } from "./checkpoint.ts";
import { ggufFiles, ggufSource } from "./gguf.ts";
import { exportSource } from "./onnx.ts";
import type { ModelFiles, Source } from "./source.ts";

/** The small files of a folder in Hugging Face's format. */
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
  };
}

/** The small files of a place: a folder, or a GGUF file (of a split one any part). */
export function filesOf(place: string): ModelFiles {
  return isGguf(place) ? ggufFiles(place) : folderFiles(place);
}

/** What `config.json` of a place says, or would say. */
export async function configText(place: string): Promise<string> {
  const files = filesOf(place);
  const text = await files.text("config.json"), path = join(place, "config.json");
  if (text !== undefined) return text;
  throw new Deno.errors.NotFound(`Cannot load the model as ${path} cannot be read`);
}

/**
 * Opens what a model is read from.
 *
 * @param place A folder, or a GGUF file (of a split one any part).
 * @param dtype Number format, which chooses among ONNX exports. Default: "auto".
 * @throws {SyntaxError} Where a file is malformed, or asks for what is not implemented.
 * @throws {Deno.errors.NotFound} Where a file is missing.
 */
export async function openSource(place: string, dtype: "auto" | Dtype = "auto"): Promise<Source> {
  if (isGguf(place)) return await ggufSource(place);
  const files = folderFiles(place), config = await configText(place);
  return await exportSource(place, files, config, dtype) ??
    checkpointSource(place, files, config, () => openWeights(place));
}
