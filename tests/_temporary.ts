/** What tests write: folders that are gone when they are disposed. No test makes one in another way. */

import { dirname, join } from "node:path";
import { removeFolder } from "../lib/_remove.ts";

/** A folder with a path. */
export type TemporaryFolder = AsyncDisposable & { readonly path: string };

/**
 * A temporary folder, removed when disposed.
 *
 * @param files Its files by name; a name may have folders, which are made.
 */
export async function temporaryFolder(
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<TemporaryFolder> {
  const path = await Deno.makeTempDir({ prefix: "moi" });
  for (const [name, content] of Object.entries(files)) {
    const file = join(path, name);
    await Deno.mkdir(dirname(file), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(file, content);
    else await Deno.writeFile(file, content);
  }
  return { path, [Symbol.asyncDispose]: () => removeFolder(path) };
}
