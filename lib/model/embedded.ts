/**
 * The controls that ship inside the package, as folders of Hugging Face files.
 *
 * Imported from disk they are read where they lie. Imported by URL they are fetched once, checked
 * against their SHA-256 and kept in the cache folder.
 *
 * @module
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { refusal } from "../_check.ts";

/** SHA-256 of every file of the embedded models. */
const SUMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "votes-tiny": {
    "config.json": "7dc6343f83daeb078c4fe450baf01f3ef95722b4a3898eb52a45ce56c8d3e45d",
    "generation_config.json": "91fc13b9da7866b8397a84c2e0380a79a4f2f5ac942c25aa87b9a78d8f95d551",
    "model.safetensors": "2aff7355d1236b8231464125b396584282c43e816b45b32eac16ce28de9e1289",
    "tokenizer.json": "5de1f673785db36ab91b24c34726f630b7ff41924f64085be4ed50bf0ec3a154",
    "tokenizer_config.json": "5664e95d8418277b58c5b016f3a96678dae7a38839213e1d63a469dc4914d78d",
  },
  "countdown-tiny": {
    "config.json": "e7f9900de35ab78f9b6fd74b23a33659a2bf9acb9e94ac4e6f66d39ecf3b0951",
    "generation_config.json": "46d4e8e420e1c825fa40d71bdbf849c6f665c665f9e89a4abdb75895dd45c34d",
    "model.safetensors": "b40748d8fa6b85fe4b13d99cceac30266db918ea6c8edb6f1113a56ef3800dc2",
    "tokenizer.json": "2cf3fd055287d7e6a4f7e4b9f8272b29a27dd22ab427ca29788430220a0edc4e",
    "tokenizer_config.json": "09e26cf19f65cddd5bf4bae562f963b52d98d47c92bb83f11819a3568b003944",
  },
  "countdown-tiny-baseline": {
    "config.json": "e7f9900de35ab78f9b6fd74b23a33659a2bf9acb9e94ac4e6f66d39ecf3b0951",
    "generation_config.json": "46d4e8e420e1c825fa40d71bdbf849c6f665c665f9e89a4abdb75895dd45c34d",
    "model.safetensors": "08730d1e986325bd9b46bf1ae55708f7a15167b2cdd9f605e068b29a72952959",
    "tokenizer.json": "2cf3fd055287d7e6a4f7e4b9f8272b29a27dd22ab427ca29788430220a0edc4e",
    "tokenizer_config.json": "09e26cf19f65cddd5bf4bae562f963b52d98d47c92bb83f11819a3568b003944",
  },
};

/** Names of the embedded models. */
export const EMBEDDED: readonly string[] = Object.keys(SUMS);

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The user's cache folder for this package. */
export function defaultCacheDir(): string {
  const { os } = Deno.build;
  const home = Deno.env.get(os === "windows" ? "USERPROFILE" : "HOME") ?? ".";
  const base = os === "windows"
    ? Deno.env.get("LOCALAPPDATA") ?? `${home}/AppData/Local`
    : os === "darwin"
    ? `${home}/Library/Caches`
    : Deno.env.get("XDG_CACHE_HOME") || `${home}/.cache`;
  return `${base}/moi`;
}

async function fetchFile(
  url: URL,
  path: string,
  sum: string,
  { offline = false, signal }: EmbeddedOptions,
): Promise<void> {
  const stored = await Deno.readFile(path).catch(() => undefined);
  if (stored && await sha256(stored) === sum) return;
  if (offline) {
    const why = stored ? "has not the expected SHA-256" : "is not there yet";
    throw new Deno.errors.NotFound(`Cannot load the embedded model offline as ${path} ${why}`);
  }
  const response = await fetch(url, signal ? { signal } : {});
  if (!response.ok) {
    throw new Error(`Cannot load the embedded model as ${url} answered ${response.status}`);
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (await sha256(bytes) !== sum) {
    throw new Error(`Cannot load the embedded model as ${url} has not the expected SHA-256 ${sum}`);
  }
  await Deno.mkdir(dirname(path), { recursive: true });
  const part = `${path}.${crypto.randomUUID()}.part`; // renamed when whole: never half a file
  await Deno.writeFile(part, bytes);
  await Deno.rename(part, path);
}

/** Options of {@linkcode embeddedFolder}. */
export interface EmbeddedOptions {
  /** Where fetched files are kept. Default: `moi` in the user's cache folder. */
  readonly cacheDir?: string;
  /** Whether fetching is forbidden. Default: false. */
  readonly offline?: boolean;
  /** Ends the fetching. */
  readonly signal?: AbortSignal;
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
      refusal("load the model", "name", `be one of ${EMBEDDED.join(", ")}`, name),
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
