/**
 * Models of the Hugging Face Hub, in the cache that all its tools share.
 *
 * Only the files that are needed are fetched, each under the name of its own hash, so that nothing
 * is fetched twice by whichever tool, and a cut transfer goes on where it ended. The hub is asked
 * once for the commit and the files of a revision; where that is known to be complete on disk, it is
 * not asked at all. A branch may move, so it is asked for each time, and where nobody answers, the
 * commit that it had last is used and a progress note says so.
 *
 * @module
 */

import { join } from "node:path";
import { checkNumber, checkOptions, refusal } from "../_check.ts";
import { defaultSignal } from "../runtime/mod.ts";
import {
  type CachedRepo,
  cachedRepo,
  checkRevision,
  enabled,
  environment,
  hubCacheDir,
  hubHome,
  isCommit,
  isHubId,
  isSafeName,
  type RepoKind,
} from "./_hub_cache.ts";
import {
  fetchFile,
  fetchHead,
  fetchText,
  pageOf,
  type Remote,
  retrying,
  Temporary,
  type Wanted,
} from "./_hub_fetch.ts";
import { delay, lockFile } from "./_lock.ts";
import type { Dtype } from "./dtype.ts";
import { chooseExport, exportFiles, exportParts } from "./export_files.ts";
import type { Progress } from "./progress.ts";
import { parseIndex } from "./weights.ts";

const CONFIG = "config.json", WEIGHTS = "model.safetensors", INDEX = `${WEIGHTS}.index.json`;
const OPTIONAL = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "special_tokens_map.json",
];

const MAX_LIST = 64 * 2 ** 20, MAX_INDEX = 256 * 2 ** 20, MAX_CARD = 16 * 2 ** 20;

/** Options of {@linkcode hubFiles}. */
export interface HubOptions {
  /** Branch, tag or commit. Default: "main". A commit pins the very bytes. */
  readonly revision?: string;
  /** Token of the user. Default: `HF_TOKEN`, or what `hf auth login` has stored. */
  readonly token?: string;
  /** Address of the hub. Default: `HF_ENDPOINT`, or `https://huggingface.co`. */
  readonly endpoint?: string;
  /** Retries after failures in a row. Default: 5. */
  readonly retries?: number;
  /** Milliseconds without a byte after which a connection counts as cut. Default: 60,000. */
  readonly timeout?: number;
  /** Ends the work; what has arrived is kept for the next call. */
  readonly signal?: AbortSignal;
  /** Waits between retries. Default: a timer. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/** Options of {@linkcode downloadModel}. */
export interface DownloadOptions extends HubOptions {
  /** The cache folder. Default: Hugging Face's own, see {@linkcode hubCacheDir}. */
  readonly cacheDir?: string;
  /**
   * Whether no request may be made. Default: whether `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` is
   * 1, true, yes or on.
   */
  readonly offline?: boolean;
  /**
   * Exact names of the files, `onnx/model.onnx` for instance. Default: configuration, tokenizer, chat
   * template and safetensors; where there are none, an ONNX export.
   */
  readonly files?: readonly string[];
  /** Number format of the ONNX export, where there are no safetensors. Default: "auto". */
  readonly dtype?: "auto" | Dtype;
  /** Called with the bytes of all files. */
  readonly onProgress?: (progress: Progress) => void;
}

const HUB_OPTIONS = [
  "revision",
  "token",
  "endpoint",
  "retries",
  "timeout",
  "signal",
  "sleep",
  "now",
] as const satisfies (keyof HubOptions)[];
const OPTIONS = [
  ...HUB_OPTIONS,
  "cacheDir",
  "offline",
  "files",
  "dtype",
  "onProgress",
] as const satisfies (keyof DownloadOptions)[];

/** A file of a model on the hub. */
export interface HubFile {
  /** Its name, with the folders before it. */
  readonly name: string;
  /** Its size in bytes, where the hub tells. */
  readonly size: number | undefined;
  /** Name of its bytes: SHA-256 of a large file, git's SHA-1 of a small one, where the hub tells. */
  readonly hash: string | undefined;
}

/** What {@linkcode hubFiles} returns. */
export interface HubListing {
  /** The commit of the revision. */
  readonly commit: string;
  /** All files of that commit. */
  readonly files: readonly HubFile[];
}

function fail(name: string, rule: string, value: unknown): never {
  throw new RangeError(refusal("download the model", name, rule, value));
}

/** The user's token, by the order of `huggingface_hub`. */
async function findToken(token: string | undefined): Promise<string | undefined> {
  const implicit = async () => {
    if (enabled("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return undefined;
    const set = environment("HF_TOKEN") ?? environment("HUGGING_FACE_HUB_TOKEN");
    const path = environment("HF_TOKEN_PATH") ?? join(hubHome(), "token");
    return set ?? await Deno.readTextFile(path).catch(() => undefined);
  };
  const found = (token ?? await implicit())?.replace(/[\r\n]/g, "").trim();
  if (found !== undefined && !/^[\x21-\x7e]*$/.test(found)) {
    throw new RangeError( // without the value: it is a secret
      "Cannot download the model as 'token' must be printable ASCII without spaces",
    );
  }
  return found || undefined;
}

function checkHub(
  id: unknown,
  options: HubOptions,
  known: readonly string[],
): asserts id is string {
  checkOptions("download the model", options, known);
  if (typeof id !== "string" || !isHubId(id)) {
    fail("id", "be 'org/name' as on the Hugging Face Hub", id);
  }
  if (options.revision !== undefined) checkRevision(options.revision);
  const { retries = 0, timeout = 1 } = options;
  checkNumber("download the model", "retries", retries, { min: 0, max: 100, integer: true });
  checkNumber("download the model", "timeout", timeout, { min: 1, max: 2 ** 31 - 1 });
}

async function remoteOf(id: string, kind: RepoKind, options: HubOptions): Promise<Remote> {
  const address = options.endpoint ?? environment("HF_ENDPOINT") ?? "https://huggingface.co";
  const url = URL.parse(address);
  if (!url || !["http:", "https:"].includes(url.protocol) || url.search || url.hash) {
    fail("endpoint", "be an address that begins with http:// or https://", address);
  }
  if (url.username || url.password) { // without the value: it has a secret
    throw new RangeError("Cannot download the model as 'endpoint' must have no user or password");
  }
  return {
    id,
    kind,
    endpoint: address.replace(/\/+$/, ""),
    token: await findToken(options.token),
    signal: options.signal,
    retries: options.retries ?? 5,
    timeout: options.timeout ?? 60_000,
    sleep: options.sleep ?? delay,
    now: options.now ?? Date.now,
  };
}

const isSize = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** A file of the hub's answer; what is no hash or size counts as not told. */
function fileOf(entry: unknown): HubFile | undefined {
  const { rfilename, size, blobId, lfs } = (entry ?? {}) as Record<string, unknown>;
  if (typeof rfilename !== "string") return undefined;
  const { sha256, size: large } = (lfs ?? {}) as Record<string, unknown>;
  const hex = (value: unknown, length: number) =>
    typeof value === "string" && value.length === length && /^[0-9a-f]+$/.test(value)
      ? value
      : undefined;
  const bytes = lfs ? large ?? size : size;
  return {
    name: rfilename,
    size: isSize(bytes) ? bytes : undefined,
    hash: lfs ? hex(sha256, 64) : hex(blobId, 40),
  };
}

async function list(remote: Remote, revision: string): Promise<HubListing> {
  const url = `${remote.endpoint}/api/${remote.kind}s/${remote.id}/revision/${
    encodeURIComponent(revision)
  }?blobs=true`;
  const malformed = (what: string) =>
    new SyntaxError(`Cannot download ${remote.id} as the answer of ${url} ${what}`);
  let text: string;
  try {
    text = await fetchText(remote, url, MAX_LIST);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const { message } = error;
    throw new Deno.errors.NotFound(
      `${message}: no such ${remote.kind}, or no revision '${revision}'`,
    );
  }
  let answer: { sha?: unknown; siblings?: unknown } | null;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(malformed("is not JSON").message, { cause });
  }
  const { sha, siblings } = answer ?? {};
  if (typeof sha !== "string" || !isCommit(sha)) throw malformed("names no commit");
  if (isCommit(revision) && sha !== revision) throw malformed(`is about another commit, ${sha}`);
  if (!Array.isArray(siblings)) throw malformed("has no list of files");
  const files: HubFile[] = [];
  for (const entry of siblings) {
    const file = fileOf(entry);
    if (!file) throw malformed("has a file without a name");
    const parts = file.name.split("/");
    if (parts.includes("..") || file.name.startsWith("/")) {
      throw malformed(`names a file outside of its folder: ${JSON.stringify(file.name)}`);
    }
    if (isSafeName(file.name)) files.push(file);
  }
  return { commit: sha, files };
}

/**
 * Commit and files of a model on the hub; nothing is fetched or stored.
 *
 * @param id "org/name".
 * @param options Revision, token, signal.
 * @returns The commit of the revision, and all its files.
 * @throws {Deno.errors.NotFound} Where there is no such model or revision.
 * @throws {Deno.errors.PermissionDenied} Where a token or an accepted licence is needed.
 *
 * @example Which exports are there?
 * ```ts ignore
 * import { hubFiles } from "@moi/moi/model";
 * const { files } = await hubFiles("onnx-community/Qwen3-0.6B-ONNX");
 * console.log(files.filter(({ name }) => name.endsWith(".onnx")));
 * ```
 */
export async function hubFiles(id: string, options: HubOptions = {}): Promise<HubListing> {
  checkHub(id, options, HUB_OPTIONS);
  const remote = await remoteOf(id, "model", options);
  return await retrying(remote, () => list(remote, options.revision ?? "main"));
}

/** What the cache holds of a commit. */
interface Cached {
  /** First file that is missing, undefined where the model can be used. */
  readonly missing: string | undefined;
  /** Whether there may be more files on the hub that matter. */
  readonly unsure: boolean;
}

async function cached(
  repo: CachedRepo,
  commit: string,
  files: readonly string[] | undefined,
  dtype: "auto" | Dtype,
): Promise<Cached> {
  const has = (file: string) => repo.has(commit, file);
  const firstMissing = async (names: readonly string[]) => {
    for (const name of names) if (!await has(name)) return name;
  };
  if (files) return { missing: await firstMissing(files), unsure: false };
  let missing = await firstMissing([CONFIG]);
  if (missing === undefined && !await has(WEIGHTS)) {
    missing = await has(INDEX) ? await firstMissing(await shardsOf(repo, commit)) : WEIGHTS;
  }
  let unsure = false;
  if (missing === WEIGHTS && await hasExport(repo.snapshot(commit), dtype)) {
    missing = undefined;
    unsure = true; // its data may be in files that are not there
  }
  for (const name of OPTIONAL) {
    if (!await has(name) && !await repo.isAbsent(commit, name)) unsure = true;
  }
  return { missing, unsure };
}

/** Whether a folder holds the ONNX export that a number format stands for. */
async function hasExport(folder: string, dtype: "auto" | Dtype): Promise<boolean> {
  const paths = await exportFiles(folder);
  try {
    return chooseExport(paths, dtype) !== undefined;
  } catch (error) {
    if (error instanceof RangeError) return false; // others are there, this one is not
    throw error;
  }
}

/** Files that the index of a commit names. */
async function shardsOf(repo: CachedRepo, commit: string): Promise<string[]> {
  const path = join(repo.snapshot(commit), INDEX), { size } = await Deno.stat(path);
  if (size > MAX_INDEX) throw new RangeError(`Cannot download the model as ${path} is too large`);
  return [...new Set(parseIndex(await Deno.readTextFile(path)).values())].sort();
}

/** A file with all that its transfer must know; the hub is asked where its list does not tell. */
async function wantedOf(remote: Remote, commit: string, file: HubFile): Promise<Wanted> {
  const path = file.name.split("/").map(encodeURIComponent).join("/");
  const url = `${pageOf(remote)}/resolve/${commit}/${path}`;
  let { size, hash } = file;
  if (size === undefined || hash === undefined) {
    const first = await retrying(remote, () => fetchHead(remote, url));
    const length = first("x-linked-size") ?? first("content-length");
    const tag = (first("x-linked-etag") ?? first("etag") ?? "").replace(/^W\//, "");
    size ??= /^\d{1,15}$/.test(length ?? "") ? Number(length) : undefined;
    hash ??= /^"?([A-Za-z0-9_-]{1,128})"?$/.exec(tag)?.[1];
  }
  if (size === undefined || hash === undefined) {
    throw new Error(
      `Cannot download ${remote.id} as the hub tells no usable size and ETag of ${file.name}`,
    );
  }
  return { file: file.name, url, size, hash };
}

/** Bytes that are there, reported now and then. */
class Meter {
  readonly #label: string;
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  #total = 0;
  #finished = 0;
  #shown = -Infinity;

  constructor(label: string, onProgress: ((progress: Progress) => void) | undefined) {
    this.#label = label;
    this.#onProgress = onProgress;
  }

  start(wanted: readonly Wanted[]): void {
    this.#total = wanted.reduce((sum, { size }) => sum + size, 0);
  }

  finish(size: number): void {
    this.#finished += size;
    this.#report(this.#finished);
  }

  /** Bytes of the file at hand. */
  update(bytes: number, note?: string): void {
    const done = this.#finished + bytes;
    const step = Math.max(2 ** 16, this.#total / 1000);
    if (note !== undefined || Math.abs(done - this.#shown) >= step) this.#report(done, note);
  }

  note(note: string): void {
    this.#report(this.#finished, note);
  }

  #report(done: number, note?: string): void {
    this.#shown = done;
    this.#onProgress?.({
      label: this.#label,
      done,
      total: this.#total,
      ...(note === undefined ? {} : { note }),
    });
  }
}

async function store(
  remote: Remote,
  repo: CachedRepo,
  commit: string,
  wanted: Wanted,
  meter: Meter,
): Promise<void> {
  const { file, size, hash } = wanted;
  if (!await repo.has(commit, file, size)) {
    const path = repo.blob(hash);
    using _lock = await lockFile(repo.lock(hash), {
      ...(remote.signal ? { signal: remote.signal } : {}),
      async onWait() {
        const there = await Deno.stat(`${path}.incomplete`).catch(() => undefined);
        meter.update(there?.size ?? 0, `waits for another process that fetches ${file}`);
      },
    });
    if (!await repo.hasBlob(hash, size)) {
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await fetchFile(remote, wanted, path, (bytes, note) => meter.update(bytes, note));
    }
    if (!await repo.has(commit, file, size)) await repo.link(commit, file, hash);
  }
  meter.finish(size);
}

/** Names of the files that a model needs, of those that there are. */
function needed(remote: Remote, names: ReadonlySet<string>, dtype: "auto" | Dtype): string[] {
  const missing = (what: string) => {
    const others = [...names].filter((name) => /\.(bin|pt|pth|gguf|onnx|h5)$/.test(name));
    const instead = others.length ? `; it has ${others.slice(0, 3).join(", ")}` : "";
    return new Deno.errors.NotFound(
      `Cannot download ${remote.id} as the repository has no ${what}${instead}`,
    );
  };
  if (!names.has(CONFIG)) throw missing(CONFIG);
  const weights = [WEIGHTS, INDEX].find((name) => names.has(name));
  const always = [CONFIG, ...OPTIONAL.filter((name) => names.has(name))];
  if (weights !== undefined) return [...always, weights];
  const all = [...names], graph = chooseExport(all, dtype);
  if (graph === undefined) throw missing(`${WEIGHTS}, ${INDEX} or ONNX export`);
  return [...always, ...exportParts(all, graph)];
}

async function fetchAll(
  remote: Remote,
  repo: CachedRepo,
  { commit, files }: HubListing,
  asked: readonly string[] | undefined,
  dtype: "auto" | Dtype,
  meter: Meter,
): Promise<void> {
  const table = new Map(files.map((file) => [file.name, file]));
  const describe = (name: string) => {
    const file = table.get(name);
    if (file) return wantedOf(remote, commit, file);
    throw new Deno.errors.NotFound(
      `Cannot download ${remote.id} as the repository has no file ${name} at commit ${commit}`,
    );
  };
  const wanted: Wanted[] = [];
  for (const name of asked ?? needed(remote, new Set(table.keys()), dtype)) {
    wanted.push(await describe(name));
  }
  meter.start(wanted);
  if (!asked && wanted.at(-1)!.file === INDEX) { // its shards count as well
    const index = wanted.at(-1)!;
    await store(remote, repo, commit, index, new Meter("", undefined));
    for (const name of await shardsOf(repo, commit)) wanted.push(await describe(name));
    meter.start(wanted);
  }
  for (const file of wanted) {
    remote.signal?.throwIfAborted();
    await store(remote, repo, commit, file, meter);
  }
  if (!asked) {
    for (const name of OPTIONAL) {
      if (!table.has(name) && !await repo.isAbsent(commit, name)) {
        await repo.markAbsent(commit, name).catch(() => {}); // a cache that only can be read will do
      }
    }
  }
}

/**
 * Downloads a model of the Hugging Face Hub, or finds it in the cache.
 *
 * The cache is the one that `huggingface_hub` uses, in the same layout: what one has fetched the
 * other finds. Sizes are checked always, and SHA-256 (or git's SHA-1 of small files) as well.
 *
 * @param id "org/name".
 * @param options Revision, cache folder, token, offline, progress, signal.
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
 *
 * @example Only the configuration
 * ```ts ignore
 * import { downloadModel } from "@moi/moi/model";
 * const folder = await downloadModel("Qwen/QwQ-32B", { files: ["config.json"] });
 * console.log(await Deno.readTextFile(`${folder}/config.json`));
 * ```
 */
export async function downloadModel(id: string, options: DownloadOptions = {}): Promise<string> {
  checkHub(id, options, OPTIONS);
  const signal = options.signal ?? defaultSignal();
  return await download(id, "model", signal ? { ...options, signal } : options);
}

/** The folder of a repository's files, fetched where they are not there. */
async function download(id: string, kind: RepoKind, options: DownloadOptions): Promise<string> {
  const { revision = "main", files, dtype = "auto", signal, onProgress } = options;
  for (const name of files ?? []) {
    if (typeof name !== "string" || !isSafeName(name)) {
      fail("files", "be names of files in the repository", name);
    }
  }
  if (files?.length === 0) fail("files", "name a file", files);
  const asked = files && [...new Set(files)];
  const offline = options.offline ?? (enabled("HF_HUB_OFFLINE") || enabled("TRANSFORMERS_OFFLINE"));
  const cacheDir = options.cacheDir ?? hubCacheDir();
  const repo = cachedRepo(cacheDir, id, kind);
  signal?.throwIfAborted();

  const known = await repo.commitOf(revision);
  const state = known === undefined ? undefined : await cached(repo, known, asked, dtype);
  const usable = known !== undefined && state!.missing === undefined;
  if (usable && (offline || (isCommit(revision) && !state!.unsure))) return repo.snapshot(known);
  const absent = `revision '${revision}' of it is not in ${cacheDir}: ${
    state?.missing ?? asked?.[0] ?? CONFIG
  } is missing`;
  if (offline) throw new Deno.errors.NotFound(`Cannot download ${id} offline as ${absent}`);

  const meter = new Meter(`download ${id}`, onProgress);
  const remote = await remoteOf(id, kind, options);
  const patience = { ...remote, retries: usable ? 0 : Math.min(2, remote.retries) };
  let listing: HubListing;
  try {
    listing = await retrying(patience, () => list(remote, revision), {
      onRetry: (note) => meter.note(note),
    });
  } catch (error) {
    if (!(error instanceof Temporary)) throw error;
    if (!usable) {
      throw new Deno.errors.NotFound(`${error.message}; ${absent}`, { cause: error });
    }
    meter.note(`${error.message}; uses commit ${known.slice(0, 8)} of the cache`);
    return repo.snapshot(known);
  }
  await fetchAll(remote, repo, listing, asked, dtype, meter);
  try {
    await repo.remember(revision, listing.commit);
  } catch (error) {
    meter.note(`Cannot remember the commit of '${revision}': ${(error as Error).message}`);
  }
  return repo.snapshot(listing.commit);
}

/** Options of {@linkcode downloadDataset}. */
export type DatasetOptions = Omit<DownloadOptions, "files" | "dtype">;

/**
 * Files of a data set on the Hugging Face Hub, fetched into the cache or found there.
 *
 * Which files a commit has is remembered in the cache, so that offline the same files are chosen, and
 * one that never arrived is missed by name.
 *
 * @param id "org/name".
 * @param choose Which files, of the names of all that there are (offline, where the cache was filled by
 * another tool: of those in the cache). Its second argument reads a small file of these, such as the
 * card; it gives undefined where there is none.
 * @param options Revision, cache folder, token, offline, progress, signal.
 * @returns Paths of the files, in the order of `choose`.
 * @throws As {@linkcode downloadModel}.
 *
 * @example The test split
 * ```ts ignore
 * import { downloadDataset } from "@moi/moi/model";
 * const paths = await downloadDataset(
 *   "openai/gsm8k",
 *   (names) => names.filter((name) => name.startsWith("main/test")),
 * );
 * ```
 */
export async function downloadDataset(
  id: string,
  choose: (
    names: readonly string[],
    read: (name: string) => Promise<string | undefined>,
  ) => readonly string[] | Promise<readonly string[]>,
  options: DatasetOptions = {},
): Promise<string[]> {
  checkHub(id, options, OPTIONS.filter((name) => name !== "files" && name !== "dtype"));
  const { revision = "main", cacheDir = hubCacheDir(), onProgress } = options;
  const repo = cachedRepo(cacheDir, id, "dataset"), known = await repo.commitOf(revision);
  const there = known === undefined ? [] : await repo.listing(known) ?? await repo.names(known);
  let offline = options.offline ?? (enabled("HF_HUB_OFFLINE") || enabled("TRANSFORMERS_OFFLINE"));
  let commit = known, names: readonly string[] = there;
  if (!offline) {
    const remote = await remoteOf(id, "dataset", options);
    const patience = there.length > 0 ? { ...remote, retries: 0 } : remote;
    try {
      const listing = await retrying(patience, () => list(remote, revision));
      commit = listing.commit;
      names = listing.files.map(({ name }) => name);
      await repo.rememberListing(commit, names).catch(() => {}); // a cache that only can be read will do
    } catch (error) {
      if (!(error instanceof Temporary) || there.length === 0) throw error;
      offline = true;
      const note = `${error.message}; uses commit ${known!.slice(0, 8)} of the cache`;
      new Meter(`download ${id}`, onProgress).note(note);
    }
  }
  if (commit === undefined || names.length === 0) {
    throw new Deno.errors.NotFound(
      `Cannot download ${id}${offline ? " offline" : ""} as revision '${revision}' of it ${
        offline ? `is not in ${cacheDir}` : "has no files"
      }`,
    );
  }
  const get = (files: readonly string[]) =>
    download(id, "dataset", { ...options, revision: commit, offline, files });
  const read = async (name: string) => {
    if (!names.includes(name) || (offline && !await repo.has(commit, name))) return undefined;
    const path = join(await get([name]), name);
    return (await Deno.stat(path)).size > MAX_CARD ? undefined : await Deno.readTextFile(path);
  };
  const files = await choose(names, read);
  if (offline) {
    const missing: string[] = [];
    for (const name of files) if (!await repo.has(commit, name)) missing.push(name);
    if (missing.length > 0) {
      throw new Deno.errors.NotFound(
        `Cannot download ${id} offline as of its ${files.length} files ${missing.length} are not in ${cacheDir}: ${
          missing.slice(0, 8).join(", ")
        }`,
      );
    }
  }
  // a commit that has not arrived whole is better than none: what is missing is known by name
  if (known === undefined) await repo.remember(revision, commit).catch(() => {});
  const folder = await get(files);
  await repo.remember(revision, commit).catch(() => {});
  return files.map((name) => join(folder, name));
}
