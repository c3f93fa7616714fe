/** Code of pages, written in TypeScript, as one script that a page carries. @module */

import { stripTypeScriptTypes } from "node:module";

/**
 * Joins modules to a script: types, imports and exports go, so each name must be told once in all of them.
 *
 * @param sources Texts of modules, one that is used before those that use it.
 */
export function scriptOf(...sources: readonly string[]): string {
  return sources.map((source) =>
    stripTypeScriptTypes(source)
      .replaceAll(/^import\s[^;]*;\n/gm, "")
      .replaceAll(/^export (?=(async )?function|const|class)/gm, "")
      .replaceAll(/<\/script/gi, "<\\/script")
  ).join("\n");
}
