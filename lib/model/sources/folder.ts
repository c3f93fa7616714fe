/**
 * The small files of a folder in Hugging Face's format; its weights are opened by `weights.ts`.
 *
 * @module
 */

import { join } from "node:path";
import { mistakenText } from "../_contents.ts";
import { parseObject } from "../config.ts";
import type { ModelFiles } from "./source.ts";

/** The files of a folder. */
export function folderFiles(folder: string): ModelFiles {
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
