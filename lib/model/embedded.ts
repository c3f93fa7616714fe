/**
 * The controls that ship inside the package, as folders of Hugging Face files.
 *
 * Imported from disk they are read where they lie. Imported by URL they are fetched once, checked
 * against their SHA-256 and kept in the cache folder.
 *
 * | model | task | weights | trained on |
 * |---|---|---|---|
 * | `votes-tiny` | `votes` | 1.3 MB | tokens |
 * | `countdown-tiny-baseline` | `countdown` | 6.4 MB | tokens |
 * | `countdown-tiny` | `countdown` | 6.4 MB | tokens, at the end MoI's mixtures too |
 * | `decisions-tiny-1`, `-2`, `-3` | `pancakes` | 0.5 MB each | tokens: three seeds of `scripts/train/decisions.py` |
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { defaultCacheDir, keepFile } from "../_cache_home.ts";
import { refusal } from "../_check.ts";
import type { DatasetOptions } from "./hub.ts";
import sums from "./embedded/sums.json" with { type: "json" };

const SUMS: Readonly<Record<string, Readonly<Record<string, string>>>> = sums;

/** Names of the embedded models. */
export const EMBEDDED: readonly string[] = Object.keys(SUMS);

async function fetchFile(
  url: URL,
  path: string,
  sum: string,
  { offline = false, signal }: EmbeddedOptions,
): Promise<void> {
  const isRight = await keepFile(path, sum, async (isOther) => {
    if (offline) {
      const why = isOther ? "has not the expected SHA-256" : "is not there yet";
      throw new Deno.errors.NotFound(`Cannot load the embedded model offline as ${path} ${why}`);
    }
    const response = await fetch(url, signal ? { signal } : {});
    if (!response.ok) {
      throw new Error(`Cannot load the embedded model as ${url} answered ${response.status}`);
    }
    return new Uint8Array(await response.arrayBuffer());
  });
  if (!isRight) {
    throw new Error(`Cannot load the embedded model as ${url} has not the expected SHA-256 ${sum}`);
  }
}

/** Options of {@linkcode embeddedFolder}; the default cache folder is `moi` in the user's. */
export interface EmbeddedOptions extends Pick<DatasetOptions, "cacheDir" | "offline" | "signal"> {
  /** Where the files come from. Default: the folder beside this module. */
  readonly base?: string | URL;
}

/**
 * Folder on disk that holds the files of an embedded model.
 *
 * @param name One of {@linkcode EMBEDDED}.
 * @param options Cache folder and so on, of use only when the package was imported by URL.
 * @throws {RangeError} Where there is no such model.
 * @throws {Error} Where a file cannot be fetched or is not the expected one.
 */
export async function embeddedFolder(name: string, options: EmbeddedOptions = {}): Promise<string> {
  if (!EMBEDDED.includes(name)) {
    throw new RangeError(
      refusal("load the model", "name", `be one of ${EMBEDDED.join(", ")}`, name, EMBEDDED),
    );
  }
  const base = new URL(`embedded/${name}/`, options.base ?? import.meta.url);
  if (base.protocol === "file:") return fileURLToPath(base);
  const sums = SUMS[name]!;
  const tag = sums["model.safetensors"]!.slice(0, 16);
  const folder = `${options.cacheDir ?? defaultCacheDir()}/embedded/${name}-${tag}`;
  for (const [file, sum] of Object.entries(sums)) {
    await fetchFile(new URL(file, base), `${folder}/${file}`, sum, options);
  }
  return folder;
}
