/**
 * Files that are fetched once, known by their SHA-256, and kept.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname } from "node:path";

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
