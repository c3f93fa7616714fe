/**
 * Where files of this user lie that can be made or fetched again, and how they get there.
 *
 * @module
 */

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

/** Writes a file that is never seen half written: `make` writes it under another name. */
export async function writeWhole(
  path: string,
  make: (part: string) => Promise<void>,
): Promise<void> {
  const part = `${path}.${crypto.randomUUID()}.part`;
  await Deno.mkdir(dirname(path), { recursive: true });
  try {
    await make(part);
    await Deno.rename(part, path);
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
}
