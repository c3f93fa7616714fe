/**
 * An ONNX export: its graph is cut at its embedding, and proved to give the logits that it gave before.
 *
 * @module
 */

import { fingerprint } from "../checkpoint.ts";
import type { Dtype } from "../dtype.ts";
import { openExport } from "../onnx_export.ts";
import type { ModelFiles, Source } from "./source.ts";

/** The source of a folder with an export; undefined where there is none, or a checkpoint wins. */
export async function exportSource(
  folder: string,
  files: ModelFiles,
  configText: string,
  dtype: "auto" | Dtype,
): Promise<Source | undefined> {
  const exported = await openExport(folder, configText, dtype);
  if (!exported) return undefined;
  return {
    ...exported,
    ...{ id: folder, files, stored: exported },
    prepare: () =>
      Promise.resolve({
        ...exported,
        fingerprint: fingerprint(configText, exported),
        [Symbol.dispose]() {},
      }),
  };
}
