/**
 * The Hugging Face cache on disk, shared with `huggingface_hub` and what builds on it.
 *
 * ```
 * .locks/models--org--name/<blob>.lock
 * models--org--name/blobs/<sha256, or git's sha1>             the bytes
 *                   snapshots/<commit>/<file>                 → ../../blobs/<…>
 *                   refs/<branch or tag>                      the commit
 *                   .no_exist/<commit>/<file>                 known not to be in the repository
 *                   .names/<commit>                           ours: names of all its files, one a line
 * ```
 *
 * @module
 */

import { dirname, join, relative } from "node:path";
import { refusal } from "../_check.ts";

/** Value of an environment variable, undefined where it is empty. */
export function environment(name: string): string | undefined {
  return Deno.env.get(name) || undefined;
}

/** Whether an environment variable is set to a word for yes, by the rule of `huggingface_hub`. */
export function enabled(name: string): boolean {
  return ["1", "ON", "YES", "TRUE"].includes((environment(name) ?? "").toUpperCase());
}

function home(): string {
  return environment(Deno.build.os === "windows" ? "USERPROFILE" : "HOME") ?? ".";
}

function expand(path: string): string {
  return path === "~" || /^~[/\\]/.test(path) ? home() + path.slice(1) : path;
}

/** The folder of Hugging Face: token and cache. */
export function hubHome(): string {
  const caches = environment("XDG_CACHE_HOME") ?? join(home(), ".cache");
  return expand(environment("HF_HOME") ?? join(caches, "huggingface"));
}

/**
 * The cache folder that Hugging Face's tools share.
 *
 * @returns `$HF_HUB_CACHE`, or `$HF_HOME/hub`, or `~/.cache/huggingface/hub`.
 *
 * @example What lies there
 * ```ts ignore
 * import { hubCacheDir } from "@moi/moi/model";
 * for await (const { name } of Deno.readDir(hubCacheDir())) console.log(name);
 * ```
 */
export function hubCacheDir(): string {
  const set = environment("HF_HUB_CACHE") ?? environment("HUGGINGFACE_HUB_CACHE");
  return set === undefined ? join(hubHome(), "hub") : expand(set);
}

/** Whether a name is a file below a folder, on every system, and cannot lead out of it. */
export function isSafeName(name: string): boolean {
  // deno-lint-ignore no-control-regex
  if (name.length > 1024 || /[\\:\u0000-\u001f\u007f]/.test(name)) return false;
  return name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

const PART = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?$/;

/** Whether an id is "org/name" by the hub's rule. */
export function isHubId(id: string): boolean {
  const parts = id.split("/");
  return parts.length === 2 && parts.every((part) => PART.test(part)) &&
    !id.includes("--") && !id.includes("..") && !id.endsWith(".git");
}

/** Whether a text is the full hash of a commit. */
export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** Refuses what cannot be the name of a branch, tag or commit (git's rule, and Windows's). */
export function checkRevision(revision: unknown): asserts revision is string {
  const rule = "be the name of a branch, a tag or a commit";
  if (typeof revision !== "string") {
    throw new TypeError(refusal("download the model", "revision", rule, revision));
  }
  const parts = revision.split("/");
  const safe = isSafeName(revision) && revision.length <= 255 &&
    !/[\s~^*?[<>|"]|\.\.|@\{|^-/.test(revision) &&
    parts.every((part) => !/^\.|\.$|\.lock$/.test(part));
  if (!safe) throw new RangeError(refusal("download the model", "revision", rule, revision));
}

async function isFile(path: string, size?: number): Promise<boolean> {
  const found = await Deno.stat(path).catch(() => undefined); // follows links
  return found?.isFile === true && (size === undefined || found.size === size);
}

/** Names of the files below a folder, links to files included. */
async function* walk(folder: string, before = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* walk(join(folder, name), `${before}${name}/`);
    else yield `${before}${name}`;
  }
}

/** Writes a file that is never seen half written. */
async function replaceFile(path: string, make: (part: string) => Promise<void>): Promise<void> {
  const part = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  await Deno.mkdir(dirname(path), { recursive: true });
  try {
    await make(part);
    await Deno.rename(part, path);
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
}

/** The folder of one model in the cache. */
export interface CachedRepo {
  /** Path of the bytes with a name. */
  blob(name: string): string;
  /** Path of the lock of these bytes. */
  lock(name: string): string;
  /** Folder of a commit. */
  snapshot(commit: string): string;
  /** Commit that a branch or tag had when it was asked for last. */
  commitOf(revision: string): Promise<string | undefined>;
  /** Remembers the commit of a branch or tag. */
  remember(revision: string, commit: string): Promise<void>;
  /** Names of all files of a commit on the hub, where they are remembered. */
  listing(commit: string): Promise<string[] | undefined>;
  /** Remembers them. */
  rememberListing(commit: string, names: readonly string[]): Promise<void>;
  /** Names of the files of a commit that are there. */
  names(commit: string): Promise<string[]>;
  /** Whether a file of a commit is there, in its size. */
  has(commit: string, file: string, size?: number): Promise<boolean>;
  /** Whether bytes are there, in their size. */
  hasBlob(name: string, size: number): Promise<boolean>;
  /** Whether a file is known not to be in a commit. */
  isAbsent(commit: string, file: string): Promise<boolean>;
  /** Remembers that a file is not in a commit. */
  markAbsent(commit: string, file: string): Promise<void>;
  /** Puts a file of a commit in its place. */
  link(commit: string, file: string, blob: string): Promise<void>;
}

/** What a repository of the hub holds. */
export type RepoKind = "model" | "dataset";

/**
 * The folder of one model or data set in the cache.
 *
 * @param cacheDir The cache folder.
 * @param id A checked "org/name".
 * @param kind Which of the two.
 */
export function cachedRepo(cacheDir: string, id: string, kind: RepoKind = "model"): CachedRepo {
  if (!isHubId(id)) throw new Error(`internal: ${id} is not checked`);
  const name = `${kind}s--${id.replaceAll("/", "--")}`;
  const root = join(cacheDir, name);
  const snapshot = (commit: string) => join(root, "snapshots", commit);
  const blobPath = (blob: string) => join(root, "blobs", blob);
  const marker = (commit: string, file: string) => join(root, ".no_exist", commit, file);
  const refPath = (revision: string) => join(root, "refs", revision);
  return {
    blob: blobPath,
    lock: (blob) => join(cacheDir, ".locks", name, `${blob}.lock`),
    snapshot,
    async commitOf(revision) {
      if (isCommit(revision)) return revision;
      const text = await Deno.readTextFile(refPath(revision)).catch(() => "");
      return isCommit(text.trim()) ? text.trim() : undefined;
    },
    async remember(revision, commit) {
      if (revision === commit) return;
      const path = refPath(revision);
      if (await Deno.readTextFile(path).catch(() => undefined) === commit) return;
      await replaceFile(path, (part) => Deno.writeTextFile(part, commit));
    },
    async listing(commit) {
      const text = await Deno.readTextFile(join(root, ".names", commit)).catch(() => undefined);
      return text?.split("\n").filter((name) => name !== "" && isSafeName(name));
    },
    async rememberListing(commit, names) {
      const path = join(root, ".names", commit), text = names.join("\n");
      if (await Deno.readTextFile(path).catch(() => undefined) === text) return;
      await replaceFile(path, (part) => Deno.writeTextFile(part, text));
    },
    async names(commit) {
      const entries = await Array.fromAsync(walk(snapshot(commit))).catch(() => []);
      return entries.sort();
    },
    has: (commit, file, size) => isFile(join(snapshot(commit), file), size),
    hasBlob: (blob, size) => isFile(blobPath(blob), size),
    isAbsent: (commit, file) => isFile(marker(commit, file)),
    async markAbsent(commit, file) {
      await Deno.mkdir(dirname(marker(commit, file)), { recursive: true });
      await Deno.writeTextFile(marker(commit, file), "");
    },
    async link(commit, file, blob) {
      const path = join(snapshot(commit), file), target = blobPath(blob);
      await replaceFile(path, async (part) => {
        try {
          await Deno.symlink(relative(dirname(path), target), part, { type: "file" });
        } catch { // Windows lets not everybody make links
          await Deno.link(target, part).catch(() => Deno.copyFile(target, part));
        }
      });
    },
  };
}
