/**
 * Where files of this user lie that can be made or fetched again, and how they get there.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname } from "node:path";

/** The user's home folder; the working directory where the system names none. */
export function homeFolder(): string {
  return Deno.env.get(Deno.build.os === "windows" ? "USERPROFILE" : "HOME") || ".";
}

/** The user's cache folder for this package, by the rules of the system. */
export function defaultCacheDir(): string {
  const { os } = Deno.build, home = homeFolder();
  const base = os === "windows"
    ? Deno.env.get("LOCALAPPDATA") || `${home}/AppData/Local`
    : os === "darwin"
    ? `${home}/Library/Caches`
    : Deno.env.get("XDG_CACHE_HOME") || `${home}/.cache`;
  return `${base}/moi`;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Makes a file under another name, so that it is never seen half written. */
export async function replaceFile(
  path: string,
  make: (part: string) => Promise<void>,
): Promise<void> {
  const part = `${path}.${crypto.randomUUID().slice(0, 8)}.part`;
  await Deno.mkdir(dirname(path), { recursive: true });
  try {
    await make(part);
    await Deno.rename(part, path);
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
}

/**
 * Whether the file of a path has a digest, as it is kept or else as it is fetched: what has another is not written.
 *
 * @param fetched Fetches it; told whether another is kept.
 */
export async function keepFile(
  path: string,
  sha256: string,
  fetched: (isOther: boolean) => Promise<Bytes | undefined>,
): Promise<boolean> {
  const isRight = (bytes: Bytes) => createHash("sha256").update(bytes).digest("hex") === sha256;
  const kept = await Deno.readFile(path).catch(() => undefined);
  if (kept && isRight(kept)) return true;
  const bytes = await fetched(kept !== undefined);
  if (!bytes || !isRight(bytes)) return false;
  await replaceFile(path, (part) => Deno.writeFile(part, bytes));
  return true;
}
