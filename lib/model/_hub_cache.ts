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
import { replaceFile } from "../_cache_home.ts";
import { refusal, type Rule, text } from "../_check.ts";

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

/** A rule: the name of a branch, tag or commit (git's rule, and Windows's). */
export const revisionRule: Rule = (verb, name, value) => {
  const rule = "be the name of a branch, a tag or a commit";
  text(verb, name, value);
  const revision = value as string;
  const safe = isSafeName(revision) && revision.length <= 255 &&
    !/[\s~^*?[<>|"]|\.\.|@\{|^-/.test(revision) &&
    revision.split("/").every((part) => !/^\.|\.$|\.lock$/.test(part));
  if (!safe) throw new RangeError(refusal(verb, name, rule, value));
};

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

export type RepoKind = "model" | "dataset";

export type CachedRepo = ReturnType<typeof cachedRepo>;

/** The folder of a repository, whose id is checked, in the cache. */
export function cachedRepo(cacheDir: string, id: string, kind: RepoKind) {
  if (!isHubId(id)) throw new Error(`internal: ${id} is not checked`);
  const name = `${kind}s--${id.replaceAll("/", "--")}`, root = join(cacheDir, name);
  const snapshot = (commit: string) => join(root, "snapshots", commit);
  const blob = (hash: string) => join(root, "blobs", hash);
  const marker = (commit: string, file: string) => join(root, ".no_exist", commit, file);
  const refPath = (revision: string) => join(root, "refs", revision);
  const namesPath = (commit: string) => join(root, ".names", commit);
  const read = (path: string) => Deno.readTextFile(path).catch(() => undefined);
  const write = async (path: string, text: string) => {
    if (await read(path) === text) return;
    await replaceFile(path, (part) => Deno.writeTextFile(part, text));
  };
  return {
    blob,
    lock: (hash: string) => join(cacheDir, ".locks", name, `${hash}.lock`),
    snapshot,
    /** Commit that a branch or tag had when it was asked for last. */
    async commitOf(revision: string): Promise<string | undefined> {
      if (isCommit(revision)) return revision;
      const commit = (await read(refPath(revision)))?.trim();
      return commit !== undefined && isCommit(commit) ? commit : undefined;
    },
    async remember(revision: string, commit: string): Promise<void> {
      if (revision !== commit) await write(refPath(revision), commit);
    },
    /** Names of all files of a commit on the hub, where they are remembered. */
    async listing(commit: string): Promise<string[] | undefined> {
      const names = (await read(namesPath(commit)))?.split("\n");
      return names?.filter((name) => name !== "" && isSafeName(name));
    },
    rememberListing: (commit: string, names: readonly string[]) =>
      write(namesPath(commit), names.join("\n")),
    /** Names of the files of a commit that are there. */
    async names(commit: string): Promise<string[]> {
      return (await Array.fromAsync(walk(snapshot(commit))).catch(() => [])).sort();
    },
    has: (commit: string, file: string, size?: number) =>
      isFile(join(snapshot(commit), file), size),
    hasBlob: (hash: string, size: number) => isFile(blob(hash), size),
    /** Whether a file is known not to be in a commit. */
    isAbsent: (commit: string, file: string) => isFile(marker(commit, file)),
    async markAbsent(commit: string, file: string): Promise<void> {
      await Deno.mkdir(dirname(marker(commit, file)), { recursive: true });
      await Deno.writeTextFile(marker(commit, file), "");
    },
    /** Puts a file of a commit in its place. */
    async link(commit: string, file: string, hash: string): Promise<void> {
      const path = join(snapshot(commit), file), target = blob(hash);
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
