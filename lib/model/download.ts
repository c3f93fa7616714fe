/**
 * Models of the Hugging Face Hub: which files of a repository a model needs.
 *
 * @module
 */

import { oneOf, refusal, type Rules } from "../_check.ts";
import { isSafeName } from "./_hub_cache.ts";
import { CLOCK, type Clock } from "./_hub_request.ts";
import { type Dtype, DTYPES } from "./dtype.ts";
import {
  checkHub,
  type Choice,
  type Choose,
  DATASET_RULES,
  type DatasetOptions,
  Missing,
  obtain,
  type ReadFile,
} from "./hub.ts";
import { chooseExport, exportParts } from "./export_files.ts";
import { INDEX_FILE, parseIndex, WEIGHTS_FILE } from "./weights.ts";

/** Options of {@linkcode downloadModel}. */
export interface DownloadOptions extends DatasetOptions {
  /**
   * Exact names of the files, `onnx/model.onnx` for instance. Default: configuration, tokenizer, chat
   * template and safetensors; where there are none, an ONNX export.
   */
  readonly files?: readonly string[];
  /** Number format of the ONNX export, where there are no safetensors. Default: "auto". */
  readonly dtype?: "auto" | Dtype;
}

const RULES: Rules<DownloadOptions> = {
  ...DATASET_RULES,
  files(verb, name, value) {
    const isNames = Array.isArray(value) && value.length > 0 &&
      value.every((file) => typeof file === "string" && isSafeName(file));
    const rule = "be names of files in the repository";
    if (!isNames) throw new RangeError(refusal(verb, name, rule, value));
  },
  dtype: oneOf("auto", ...DTYPES, "native"),
};

const CONFIG = "config.json", MAX_INDEX = 256 * 2 ** 20;
const OPTIONAL = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "special_tokens_map.json",
];

/** The small files that a model needs, of those that there are. */
function smallFiles(names: readonly string[]) {
  const always = [CONFIG, ...OPTIONAL.filter((name) => names.includes(name))];
  const absent = OPTIONAL.filter((name) => !names.includes(name));
  return { always, absent };
}

/** Files that a model needs, of those that there are. */
async function modelFiles(
  names: readonly string[],
  read: ReadFile,
  dtype: "auto" | Dtype,
): Promise<Choice> {
  const missing = (file: string, what: string) => {
    const others = names.filter((name) => /\.(bin|pt|pth|gguf|onnx|h5)$/.test(name));
    const instead = others.length ? `; it has ${others.slice(0, 3).join(", ")}` : "";
    return new Missing(file, `${what}${instead}`);
  };
  if (!names.includes(CONFIG)) throw missing(CONFIG, CONFIG);
  const { always, absent } = smallFiles(names);
  if (names.includes(WEIGHTS_FILE)) return { files: [...always, WEIGHTS_FILE], absent };
  if (names.includes(INDEX_FILE)) {
    const index = await read(INDEX_FILE, MAX_INDEX);
    if (index === undefined) {
      throw new RangeError(`Cannot download the model as ${INDEX_FILE} is too large`);
    }
    const shards = new Set(parseIndex(index).values());
    return { files: [...always, INDEX_FILE, ...[...shards].sort()], absent };
  }
  const graph = chooseExport(names, dtype);
  if (graph === undefined) {
    throw missing(WEIGHTS_FILE, `${WEIGHTS_FILE}, ${INDEX_FILE} or ONNX export`);
  }
  return { files: [...always, ...exportParts(names, graph)], absent, open: true };
}

/**
 * Downloads a model of the Hugging Face Hub, or finds it in the cache.
 *
 * The cache is the one that `huggingface_hub` uses, in the same layout: what one has fetched the
 * other finds. Sizes are checked always, and SHA-256 (or git's SHA-1 of small files) as well.
 *
 * @param id "org/name".
 * @returns The folder with the files.
 * @throws {RangeError} Where id or revision cannot be ones of the hub.
 * @throws {Deno.errors.NotFound} Where there is no such model, revision or file, or, offline, where
 * a file is not in the cache.
 * @throws {Deno.errors.PermissionDenied} Where a token or an accepted licence is needed.
 * @throws {Error} Where the transfer fails after all retries, or brings wrong bytes twice.
 *
 * @example A pinned model
 * ```ts ignore
 * import { downloadModel } from "@moi/moi/model";
 * const folder = await downloadModel("Qwen/Qwen3-0.6B", {
 *   revision: "c1899de289a04d12100db370d81485cdf75e47ca",
 *   onProgress: ({ done, total }) => console.error(`${done} of ${total} bytes`),
 * });
 * ```
 */
export async function downloadModel(id: string, options: DownloadOptions = {}): Promise<string> {
  return await downloadModelBy(CLOCK, id, options);
}

/** The same, with time as it is given. */
export async function downloadModelBy(
  clock: Clock,
  id: string,
  options: DownloadOptions,
): Promise<string> {
  checkHub(id, options, RULES);
  const { files, dtype = "auto" } = options;
  const choose: Choose = files
    ? () => ({ files: [...new Set(files)] })
    : (names, read) => modelFiles(names, read, dtype);
  const { folder } = await obtain(id, "model", choose, options, clock);
  return folder;
}

/**
 * The same of everything but the weights: what is needed to write prompts and to read token ids. Files that are
 * named are brought as they are: of a GGUF file the words are within.
 */
export async function downloadWords(id: string, options: DownloadOptions = {}): Promise<string> {
  if (options.files) return await downloadModel(id, options);
  checkHub(id, options, RULES);
  const choose: Choose = (names) => {
    const { always: files, absent } = smallFiles(names);
    return { files, absent };
  };
  const { folder } = await obtain(id, "model", choose, options, CLOCK);
  return folder;
}
