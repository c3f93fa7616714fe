/**
 * Repositories of the Hugging Face Hub, in the cache that all its tools share.
 *
 * A revision is resolved once, to a commit and its files; the caller says which of these it wants, and
 * each is fetched under the name of its own hash, so that nothing is fetched twice by whichever tool, and
 * a cut transfer goes on where it ended. A commit that is known to be complete on disk is not asked for
 * at all. A branch may move, so it is asked for each time, and where nobody answers, the commit that it
 * had last is used and a progress note says so.
 *
 * @module
 */

import { join } from "node:path";
import {
  boolean,
  callable,
  checkOptions,
  number,
  refusal,
  type Rules,
  signal,
  text,
} from "../_check.ts";
import { nextSignal } from "../runtime/mod.ts";
import {
  type CachedRepo,
  cachedRepo,
  isCommit,
  isHubId,
  type RepoKind,
  revisionRule,
} from "./_hub_cache.ts";
import { type HubListing, resolve, wantedOf } from "./_hub_list.ts";
import { CLOCK, type Clock, type HubRepo, retrying, Temporary } from "./_hub_request.ts";
import { hubCacheDir, hubEndpoint, hubToken, isOffline } from "./_hub_settings.ts";
import { store, type Wanted } from "./_hub_transfer.ts";
import type { Progress } from "./progress.ts";

/** Options of {@linkcode downloadDataset}. */
export interface DatasetOptions {
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
  /** The cache folder. Default: Hugging Face's own, `$HF_HUB_CACHE`, `$HF_HOME/hub` or
   * `~/.cache/huggingface/hub`. */
  readonly cacheDir?: string;
  /**
   * Whether no request may be made. Default: whether `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` is
   * 1, true, yes or on.
   */
  readonly offline?: boolean;
  /** Called with the bytes of all files; by `loadModel` with its steps as well. */
  readonly onProgress?: (progress: Progress) => void;
}

export const DATASET_RULES: Rules<DatasetOptions> = {
  revision: revisionRule,
  token: text,
  endpoint: text,
  retries: number({ min: 0, max: 100, integer: true }),
  timeout: number({ min: 1, max: 2 ** 31 - 1 }),
  signal,
  cacheDir: text,
  offline: boolean,
  onProgress: callable,
};

const VERB = "download the model", MAX_CARD = 16 * 2 ** 20;

/** Refuses what cannot be a repository, and options outside their rules. */
export function checkHub<Options extends object>(
  id: unknown,
  options: Options,
  rules: Rules<Options>,
): asserts id is string {
  checkOptions(VERB, options, rules);
  if (typeof id !== "string" || !isHubId(id)) {
    throw new RangeError(refusal(VERB, "id", "be 'org/name' as on the Hugging Face Hub", id));
  }
}

/** Reads a small file of a commit; undefined where there is none, or it is larger than `limit` bytes. */
export type ReadFile = (name: string, limit?: number) => Promise<string | undefined>;

/** What is wanted of a commit. */
export interface Choice {
  /** Files, all of which are needed. */
  readonly files: readonly string[];
  /** Files that would be among them if the commit had them. */
  readonly absent?: readonly string[];
  /** Whether more names than these could change the choice. */
  readonly open?: boolean;
}

/** Chooses among the names of a commit; where the hub is not asked, those that are in the cache. */
export type Choose = (names: readonly string[], read: ReadFile) => Choice | Promise<Choice>;

/** A file that a commit must have and has not; `what` says it in other words. */
export class Missing extends Deno.errors.NotFound {
  constructor(readonly file: string, readonly what: string = `file ${file}`) {
    super(`the repository has no ${what}`);
  }
}

/** Reads files of a commit once they are at a place. */
const reader =
  (place: (name: string) => Promise<string | undefined>): ReadFile =>
  async (name, limit = MAX_CARD) => {
    const path = await place(name);
    if (path === undefined || (await Deno.stat(path)).size > limit) return undefined;
    return await Deno.readTextFile(path);
  };

/** What the cache holds of a revision. */
async function lookUp(repo: CachedRepo, revision: string, choose: Choose) {
  const commit = await repo.commitOf(revision);
  const listed = commit === undefined ? undefined : await repo.listing(commit);
  const names = listed ?? (commit === undefined ? [] : await repo.names(commit));
  const has = async (name: string) => commit !== undefined && await repo.has(commit, name);
  const read = reader(async (name) =>
    await has(name) ? join(repo.snapshot(commit!), name) : undefined
  );
  let choice: Choice, missing: string[] = [];
  try {
    choice = await choose(names, read);
  } catch (error) { // why no choice could be made
    if (error instanceof Missing) missing = [error.file];
    const failure = missing.length > 0 || names.length === 0 ? undefined : error;
    return { commit, files: [], missing, failure, sure: false };
  }
  const { files, absent = [], open = false } = choice;
  for (const name of files) if (!await has(name)) missing.push(name);
  let sure = listed !== undefined || !open; // nothing that the hub knows could change the choice
  for (const name of absent) sure &&= commit !== undefined && await repo.isAbsent(commit, name);
  return { commit, files, missing, failure: undefined, sure };
}

/** Bytes that are there, reported now and then. */
function meterOf(id: string, onProgress: ((progress: Progress) => void) | undefined) {
  let total = 0, finished = 0, shown = -Infinity;
  const report = (done: number, note?: string) => {
    shown = done;
    onProgress?.({ label: `download ${id}`, done, total, ...(note === undefined ? {} : { note }) });
  };
  return {
    start: (wanted: readonly Wanted[]) => wanted.forEach(({ size }) => total += size),
    finish: (size: number) => report(finished += size),
    /** Bytes of the file at hand. */
    update(bytes: number, note?: string): void {
      const done = finished + bytes, step = Math.max(2 ** 16, total / 1000);
      if (note !== undefined || Math.abs(done - shown) >= step) report(done, note);
    },
    note: (note: string) => report(finished, note),
  };
}

/** What can be missing where the cache can only be read. */
const ifWritable = (writing: Promise<void>) => writing.catch(() => {});

/**
 * Files of a repository, fetched where they are not in the cache: its folder, and the names that were
 * chosen. Id and options are checked by the caller.
 */
export async function obtain(
  id: string,
  kind: RepoKind,
  choose: Choose,
  options: DatasetOptions,
  clock: Clock,
): Promise<{ readonly folder: string; readonly files: readonly string[] }> {
  const { revision = "main", cacheDir = hubCacheDir(), offline = isOffline() } = options;
  const repo = cachedRepo(cacheDir, id, kind), meter = meterOf(id, options.onProgress);
  const { signal = nextSignal(), retries = 5, timeout = 60_000 } = options;
  signal?.throwIfAborted();

  const cached = await lookUp(repo, revision, choose), { commit: known, missing } = cached;
  const isThere = cached.files.length > 0 && missing.length === 0;
  const fromCache = () => ({ folder: repo.snapshot(known!), files: cached.files });
  if (isThere && (offline || (isCommit(revision) && cached.sure))) return fromCache();
  const absent = cached.failure instanceof Error
    ? cached.failure.message
    : kind === "dataset" && missing.length > 0
    ? `of its ${cached.files.length} files ${missing.length} are not in ${cacheDir}: ${
      missing.slice(0, 8).join(", ")
    }`
    : `revision '${revision}' of it is not in ${cacheDir}` +
      missing.slice(0, 1).map((name) => `: ${name} is missing`).join("");
  if (offline) {
    if (cached.failure !== undefined) throw cached.failure;
    throw new Deno.errors.NotFound(`Cannot download ${id} offline as ${absent}`);
  }

  const endpoint = hubEndpoint(options.endpoint), token = await hubToken(options.token);
  const remote: HubRepo = { id, kind, endpoint, token, signal, retries, timeout, ...clock };
  const patience = { ...remote, retries: isThere ? 0 : Math.min(2, retries) };
  let listing: HubListing;
  try {
    listing = await retrying(patience, () => resolve(remote, revision), { onRetry: meter.note });
  } catch (error) {
    if (!(error instanceof Temporary)) throw error;
    if (!isThere) {
      throw new Deno.errors.NotFound(`${error.message}; ${absent}`, { cause: error });
    }
    meter.note(`${error.message}; uses commit ${known!.slice(0, 8)} of the cache`);
    return fromCache();
  }

  const { commit, files } = listing;
  if (kind === "dataset") { // offline, what is missing is then known by name, of a first commit at once
    if (files.length === 0) {
      throw new Deno.errors.NotFound(
        `Cannot download ${id} as revision '${revision}' of it has no files`,
      );
    }
    await ifWritable(repo.rememberListing(commit, files.map(({ name }) => name)));
    if (known === undefined) await ifWritable(repo.remember(revision, commit));
  }
  const chosen = await bring(remote, repo, listing, choose, meter);
  try {
    await repo.remember(revision, commit);
  } catch (error) {
    meter.note(`Cannot remember the commit of '${revision}': ${(error as Error).message}`);
  }
  return { folder: repo.snapshot(commit), files: chosen };
}

/** Fetches what is chosen of a commit, and gives the names of it. */
async function bring(
  remote: HubRepo,
  repo: CachedRepo,
  { commit, files }: HubListing,
  choose: Choose,
  meter: ReturnType<typeof meterOf>,
): Promise<readonly string[]> {
  const table = new Map(files.map((file) => [file.name, file]));
  const wantedFile = (name: string) => {
    const file = table.get(name);
    if (!file) throw new Missing(name, `file ${name} at commit ${commit}`);
    return wantedOf(remote, commit, file);
  };
  const read = reader(async (name) => {
    if (!table.has(name)) return undefined;
    await store(remote, repo, commit, await wantedFile(name));
    return join(repo.snapshot(commit), name);
  });
  const wanted: Wanted[] = [];
  let choice: Choice;
  try {
    choice = await choose([...table.keys()], read);
    for (const name of choice.files) wanted.push(await wantedFile(name));
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    throw new Deno.errors.NotFound(`Cannot download ${remote.id} as ${error.message}`);
  }
  meter.start(wanted);
  for (const file of wanted) {
    remote.signal?.throwIfAborted();
    await store(remote, repo, commit, file, meter.update);
    meter.finish(file.size);
  }
  for (const name of choice.absent ?? []) {
    if (!await repo.isAbsent(commit, name)) await ifWritable(repo.markAbsent(commit, name));
  }
  return choice.files;
}

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
  checkHub(id, options, DATASET_RULES);
  const chosen: Choose = async (names, read) => ({ files: await choose(names, read), open: true });
  const { folder, files } = await obtain(id, "dataset", chosen, options, CLOCK);
  return files.map((name) => join(folder, name));
}
