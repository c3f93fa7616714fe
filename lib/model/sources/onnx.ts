/**
 * An ONNX export: its graph is cut at its embedding, and proved to give the logits that it gave before.
 *
 * @module
 */

import { fingerprint } from "../checkpoint.ts";
import type { Dtype } from "../dtype.ts";
import { openExport } from "../onnx_export.ts";
import type { ModelFiles, Source } from "./source.ts";

/**
 * The source of a folder with an export.
 *
 * @param folder The folder.
 * @param files Its small files.
 * @param configText Contents of `config.json`.
 * @param dtype Number format, which chooses among exports.
 * @returns Undefined where there is none, or a safetensors checkpoint beside it, which wins.
 */
export async function exportSource(
  folder: string,
  files: ModelFiles,
  configText: string,
  dtype: "auto" | Dtype,
): Promise<Source | undefined> {
  const exported = await openExport(folder, configText, dtype);
  if (!exported) return undefined;
  const { config, graph, data, bytes, check } = exported;
  return {
    id: folder,
    files,
    config,
    stored: exported,
    check,
    prepare: () =>
      Promise.resolve({
        ...{ config, dtype: exported.dtype, graph, data, bytes },
        fingerprint: fingerprint(configText, exported),
        [Symbol.dispose]() {},
      }),
    [Symbol.dispose]: () => exported[Symbol.dispose](),
  };
}
