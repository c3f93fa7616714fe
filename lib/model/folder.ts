/**
 * Text files of a model's folder.
 *
 * @module
 */

import { join } from "node:path";

/** Contents of a file that must be there. */
export async function readText(folder: string, file: string): Promise<string> {
  try {
    return await Deno.readTextFile(join(folder, file));
  } catch (cause) {
    throw new Deno.errors.NotFound(
      `Cannot load the model as ${join(folder, file)} cannot be read`,
      {
        cause,
      },
    );
  }
}

/** Contents of a file, or undefined where there is none. */
export async function readOptional(folder: string, file: string): Promise<string | undefined> {
  const exists = await Deno.stat(join(folder, file)).catch(() => undefined);
  return exists ? await readText(folder, file) : undefined;
}
