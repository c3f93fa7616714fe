/**
 * One file of the hub into the cache: fetched once by whichever process, resumed where it was cut,
 * checked, and never seen half fetched.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { Buffer } from "node:buffer";
import { dirname } from "node:path";
import type { CachedRepo } from "./_hub_cache.ts";
import { delay } from "../_http.ts";
import { type HubRepo, request, retrying, Temporary } from "./_hub_request.ts";

/** Milliseconds between two attempts to lock a file. */
const POLL = 100;

/** A file to be fetched. */
export interface Wanted {
  readonly name: string;
  readonly url: string;
  /** Its bytes. */
  readonly size: number;
  /** Its hash: SHA-256, git's SHA-1 of a blob, or neither. */
  readonly hash: string;
}

/** Wrong bytes, which another transfer may bring right. */
class Wrong extends Error {
  override name = "Error";
}

function hasher({ hash, size }: Wanted): Hash | undefined {
  if (/^[0-9a-f]{64}$/.test(hash)) return createHash("sha256");
  if (/^[0-9a-f]{40}$/.test(hash)) return createHash("sha1").update(`blob ${size}\0`);
  return undefined;
}

/** Hashes what a file holds from its start. */
async function rehash(file: Deno.FsFile, hash: Hash | undefined, size: number): Promise<void> {
  const buffer = new Uint8Array(2 ** 20);
  await file.seek(0, Deno.SeekMode.Start);
  for (let left = size; left > 0;) {
    const count = await file.read(buffer.subarray(0, Math.min(left, buffer.length)));
    if (count === null) throw new Temporary("the unfinished file shrank");
    hash?.update(Buffer.from(buffer.buffer, 0, count));
    left -= count;
  }
}

/** One transfer, from where the last one ended. */
async function transfer(
  remote: HubRepo,
  wanted: Wanted,
  part: string,
  report: (bytes: number, note?: string) => void,
): Promise<void> {
  const { name, url, size } = wanted;
  const wrong = (expected: string, got: string) =>
    new Wrong(`Cannot download ${remote.id} as ${name} must have ${expected}: got ${got}`);
  const sizeWrong = (got: string) => wrong(`${size} bytes`, got);
  using file = await Deno.open(part, { read: true, write: true, create: true });
  let hash = hasher(wanted), have = (await file.stat()).size;
  const restart = async () => {
    await file.truncate(0);
    await file.seek(0, Deno.SeekMode.Start);
    hash = hasher(wanted);
    have = 0;
  };
  if (have > size) await restart();
  await rehash(file, hash, have);
  report(have);

  const get = async () => {
    if (have === size) return;
    const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
    using answer = await request(remote, url, "GET", headers);
    if (answer.status === 416) throw sizeWrong(`a hub that has no byte ${have}`);
    if (answer.status === 206) {
      const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.headers.get("content-range") ?? "");
      if (!range || Number(range[1]) !== have) {
        await restart();
        throw new Temporary(`Cannot resume ${name} as the hub sent another range`);
      }
      if (range[2] !== "*" && Number(range[2]) !== size) throw sizeWrong(`${range[2]}`);
    } else {
      if (have > 0) await restart(); // no ranges here
      const stated = answer.headers.get("content-length");
      if (stated !== null && !answer.headers.has("content-encoding") && Number(stated) !== size) {
        throw sizeWrong(stated);
      }
    }
    for await (const chunk of answer.chunks()) {
      if (have + chunk.length > size) throw sizeWrong("more");
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
      hash?.update(chunk);
      have += chunk.length;
      report(have);
    }
    if (have < size) {
      throw new Temporary(
        `Cannot download ${remote.id} as ${name} broke off after ${have} of ${size} bytes`,
      );
    }
  };
  await retrying(remote, get, { progress: () => have, onRetry: (note) => report(have, note) });
  const got = hash?.digest("hex");
  if (got !== undefined && got !== wanted.hash) {
    const kind = got.length === 64 ? "SHA-256" : "git SHA-1";
    throw wrong(`the ${kind} ${wanted.hash}`, got);
  }
  await file.syncData(); // no final name before the bytes are on the disk
}

/** Fetches a file to where nobody looks, then puts it in place; after wrong bytes once more. */
async function fetchFile(
  remote: HubRepo,
  wanted: Wanted,
  path: string,
  report: (bytes: number, note?: string) => void,
): Promise<void> {
  const part = `${path}.incomplete`;
  for (let again = true;; again = false) {
    try {
      await transfer(remote, wanted, part, report);
      break;
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      await Deno.remove(part);
      if (!again) throw error;
      report(0, `${error.message}; fetched once more`);
    }
  }
  await Deno.rename(part, path);
}

/**
 * Waits until this caller alone holds a lock file, as `huggingface_hub` does: the system's lock
 * ends with its process, and a file that stays behind means nothing.
 */
async function lockFile(
  path: string,
  onWait: () => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<Disposable> {
  await Deno.mkdir(dirname(path), { recursive: true });
  using scope = new DisposableStack();
  const file = scope.use(await Deno.open(path, { read: true, write: true, create: true }));
  // without locks in the file system, what is written is the same whoever writes it
  while (!await file.tryLock(true).catch(() => true)) {
    await onWait();
    await delay(POLL, signal);
  }
  return scope.move(); // closing unlocks
}

export async function store(
  remote: HubRepo,
  repo: CachedRepo,
  commit: string,
  wanted: Wanted,
  report: (bytes: number, note?: string) => void = () => {},
): Promise<void> {
  const { name, size, hash } = wanted, path = repo.blob(hash);
  if (await repo.has(commit, name, size)) return;
  using _lock = await lockFile(repo.lock(hash), async () => {
    const there = await Deno.stat(`${path}.incomplete`).catch(() => undefined);
    report(there?.size ?? 0, `waits for another process that fetches ${name}`);
  }, remote.signal);
  if (!await repo.hasBlob(hash, size)) {
    await Deno.mkdir(dirname(path), { recursive: true });
    await fetchFile(remote, wanted, path, report);
  }
  if (!await repo.has(commit, name, size)) await repo.link(commit, name, hash);
}
