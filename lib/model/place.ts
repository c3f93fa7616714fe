/**
 * From an id to the folder or the GGUF file that holds a model.
 *
 * An embedded name comes first, then a path, then the Hugging Face Hub: a folder `org/name` in the
 * working directory wins over the hub's model of that name.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { refusal } from "../_check.ts";
import { isHubId } from "./_hub_cache.ts";
import { downloadModel, type DownloadOptions } from "./download.ts";
import { EMBEDDED, embeddedFolder } from "./embedded.ts";
import { isGguf, partNames } from "./gguf/split.ts";

/** Brings a model of the hub, or what is wanted of it, and gives its folder. */
type Download = typeof downloadModel;

/**
 * Where a model's files are: a folder, or a GGUF file. RangeError where a revision is given for
 * what has none, or a folder holds several GGUF files that are not parts of one, and nothing else.
 *
 * @param download What is brought of a model of the hub. Default: all that a load needs.
 */
export async function placeOf(
  id: string | URL,
  options: DownloadOptions,
  download: Download = downloadModel,
): Promise<string> {
  const place = await foundPlace(id, options, download);
  return await ggufIn(place) ?? place;
}

/** The GGUF file that a folder without `config.json` holds; of a split one a part. */
async function ggufIn(place: string): Promise<string | undefined> {
  const names: string[] = await Array.fromAsync(Deno.readDir(place), ({ name }) => name)
    .catch(() => []);
  if (names.includes("config.json")) return undefined;
  const files = names.filter(isGguf).sort();
  const parts = files.length > 1 ? partNames(files[0]!) : [];
  if (files.length > 1 && !files.every((file) => parts.includes(file))) {
    const rule = `name one of the .gguf files in it (${files.slice(0, 5).join(", ")})`;
    throw new RangeError(refusal("load the model", "id", rule, place));
  }
  return files.length > 0 ? join(place, files[0]!) : undefined;
}

async function foundPlace(
  id: string | URL,
  options: DownloadOptions,
  download: Download,
): Promise<string> {
  const { revision } = options, hubFolder = hubFolderBy(download);
  const local = <T>(place: T): T => {
    if (revision === undefined) return place;
    const rule = "be left out for a local model";
    throw new RangeError(refusal("load the model", "revision", rule, revision));
  };
  if (id instanceof URL) {
    local(id);
    if (id.protocol === "file:") return fileURLToPath(id);
    throw new RangeError(refusal("load the model", "id", "be a file URL", id.href));
  }
  if (typeof id !== "string") {
    throw new TypeError(
      refusal("load the model", "id", "be a name, a path, a URL or a source", id),
    );
  }
  if (EMBEDDED.includes(id)) return await embeddedFolder(local(id), options);
  if (id.startsWith("file:")) return fileURLToPath(local(id));
  const found = await Deno.stat(id).catch(() => undefined);
  if (found?.isDirectory || (found?.isFile && isGguf(id))) return local(id);
  const [org, name, ...file] = id.split("/");
  if (!found && isGguf(id) && isHubId(`${org}/${name}`) && file.length > 0) {
    const folders = file.slice(0, -1);
    const parts = partNames(file.at(-1)!).map((part) => [...folders, part].join("/"));
    return join(await hubFolder(`${org}/${name}`, { ...options, files: parts }), ...file);
  }
  if (!found && isHubId(id)) return await hubFolder(id, options);
  throw new Deno.errors.NotFound(refusal(
    "load the model",
    "id",
    `be ${EMBEDDED.map((name) => `'${name}'`).join(", ")}, a folder with config.json and ` +
      "model.safetensors, a .gguf file, or 'org/name' or 'org/name/file.gguf' on the Hugging Face Hub",
    id,
    EMBEDDED,
  ));
}

const hubFolderBy =
  (download: Download) => async (id: string, options: DownloadOptions): Promise<string> => {
    try {
      return await download(id, options);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      const { message } = error;
      throw new Deno.errors.NotFound(
        `Cannot load the model as there is no folder ${id}, and from the hub: ${message}`,
        { cause: error },
      );
    }
  };
