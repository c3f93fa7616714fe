/**
 * From an id to the folder that holds a model's files.
 *
 * An embedded name comes first, then a folder of that path, then the Hugging Face Hub: a folder
 * `org/name` in the working directory wins over the hub's model of that name.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { refusal } from "../_check.ts";
import { isHubId } from "./_hub_cache.ts";
import type { Dtype } from "./dtype.ts";
import { EMBEDDED, embeddedFolder, type EmbeddedOptions } from "./embedded.ts";
import { downloadModel } from "./hub.ts";
import type { Progress } from "./progress.ts";

/** Options of {@linkcode folderOf}. */
export interface SourceOptions extends EmbeddedOptions {
  /** Branch, tag or commit on the hub. */
  readonly revision?: string;
  /** Token for the hub. */
  readonly token?: string;
  /** Which ONNX export is fetched, where the hub has no safetensors. */
  readonly dtype?: "auto" | Dtype;
  /** Called with the bytes that are fetched. */
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Folder on disk of a model.
 *
 * @param id Name of an embedded model, path or file URL of a folder, or "org/name" on the hub.
 * @param options Cache folder, offline, revision, token, progress, signal.
 * @throws {Deno.errors.NotFound} Where there is no such model.
 * @throws {RangeError} Where a revision is given for what has none.
 */
export async function folderOf(id: string | URL, options: SourceOptions): Promise<string> {
  const { revision } = options;
  const local = () => {
    if (revision === undefined) return;
    const rule = "be left out for a local model";
    throw new RangeError(refusal("load the model", "revision", rule, revision));
  };
  if (id instanceof URL) {
    local();
    if (id.protocol === "file:") return fileURLToPath(id);
    throw new RangeError(refusal("load the model", "id", "be a file URL", id.href));
  }
  if (EMBEDDED.includes(id)) {
    local();
    return await embeddedFolder(id, options);
  }
  if (id.startsWith("file:")) {
    local();
    return fileURLToPath(id);
  }
  const found = await Deno.stat(id).catch(() => undefined);
  if (found?.isDirectory) {
    local();
    return id;
  }
  if (!found && isHubId(id)) return await hubFolder(id, options);
  throw new Deno.errors.NotFound(refusal(
    "load the model",
    "id",
    `be ${EMBEDDED.map((name) => `'${name}'`).join(", ")} or a folder with config.json and ` +
      "model.safetensors, or 'org/name' on the Hugging Face Hub (this version reads no .gguf file)",
    id,
  ));
}

async function hubFolder(id: string, options: SourceOptions): Promise<string> {
  const { revision, token, dtype, cacheDir, offline, onProgress, signal } = options;
  try {
    return await downloadModel(id, {
      ...(revision === undefined ? {} : { revision }),
      ...(token === undefined ? {} : { token }),
      ...(dtype === undefined ? {} : { dtype }),
      ...(cacheDir === undefined ? {} : { cacheDir }),
      ...(offline === undefined ? {} : { offline }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const { message } = error;
    throw new Deno.errors.NotFound(
      `Cannot load the model as there is no folder ${id}, and from the hub: ${message}`,
      { cause: error },
    );
  }
}
