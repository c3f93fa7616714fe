/**
 * From an id to the folder that holds a model's files.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { refusal } from "../_check.ts";
import { EMBEDDED, embeddedFolder, type EmbeddedOptions } from "./embedded.ts";

/**
 * Folder on disk of a model.
 *
 * @param id Name of an embedded model, path or file URL of a folder.
 * @param options Cache folder, offline, signal.
 * @throws {Deno.errors.NotFound} Where there is no such model.
 */
export async function folderOf(id: string | URL, options: EmbeddedOptions): Promise<string> {
  if (id instanceof URL) {
    if (id.protocol === "file:") return fileURLToPath(id);
    throw new RangeError(refusal("load the model", "id", "be a file URL", id.href));
  }
  if (EMBEDDED.includes(id)) return await embeddedFolder(id, options);
  if (id.startsWith("file:")) return fileURLToPath(id);
  const found = await Deno.stat(id).catch(() => undefined);
  if (!found?.isDirectory) {
    throw new Deno.errors.NotFound(refusal(
      "load the model",
      "id",
      `be ${EMBEDDED.map((name) => `'${name}'`).join(", ")} or a folder with config.json and ` +
        "model.safetensors (this version downloads nothing and reads no .gguf file)",
      id,
    ));
  }
  return id;
}
