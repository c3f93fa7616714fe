/**
 * Which files of a model are an ONNX export, by their names.
 *
 * Layouts: those of onnx-community and Optimum (`onnx/model*.onnx`, external data in
 * `*.onnx_data`, `*.onnx_data_1`, …) and of onnxruntime-genai (`model.onnx`, `model.onnx.data`).
 *
 * @module
 */

import { basename, join } from "node:path";
import { refusal } from "../_check.ts";
import type { Dtype } from "./dtype.ts";

/** File names of an export, by the number format that their suffix stands for, best first. */
const SUFFIXES: Readonly<Record<Dtype, readonly string[]>> = {
  fp32: [""],
  fp16: ["_fp16"],
  int8: ["_quantized", "_int8", "_uint8", "_q8"],
  int4: ["_q4", "_int4", "_q4f16"],
  native: [], // for GGUF files
};

/** Names that graphs begin with, best first. */
const BASES = ["model", "decoder_model_merged", "decoder_model", "decoder"];
const MODEL = new RegExp(`^(${BASES.join("|")})([-_.][\\w.-]*)?\\.onnx$`);
const EMBEDDINGS = /^embed[\w.-]*\.onnx$/;

async function fileNames(folder: string): Promise<string[]> {
  const { NotFound, NotADirectory } = Deno.errors;
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch((error) => {
    if (error instanceof NotFound || error instanceof NotADirectory) return [];
    throw error;
  });
  return entries.filter(({ isDirectory }) => !isDirectory).map(({ name }) => name).toSorted();
}

/** Files of a folder and of `onnx/` in it, by their paths from the folder. */
export async function exportFiles(folder: string): Promise<string[]> {
  const inside = (await fileNames(join(folder, "onnx"))).map((name) => `onnx/${name}`);
  return [...inside, ...await fileNames(folder)];
}

/** The part of a path that ends before its file name. */
const folderOf = (path: string) => path.slice(0, path.length - basename(path).length);

/** What stands between the base name and the ending of a graph's file. */
const suffixOf = (path: string) => MODEL.exec(basename(path))?.[2] ?? "";

/**
 * The `.onnx` file that a number format stands for, in `onnx/` if there is one there.
 *
 * @param paths Files by their paths from the model's folder.
 * @param dtype Number format; "auto": fp32 if it is there, or the only file.
 * @throws {RangeError} Where the choice is open, or there is no such file.
 */
export function chooseExport(
  paths: readonly string[],
  dtype: "auto" | Dtype,
): string | undefined {
  const at = (folder: string, base: string) =>
    paths.filter((path) => folderOf(path) === folder && MODEL.exec(basename(path))?.[1] === base);
  const candidates = ["onnx/", ""].flatMap((folder) => BASES.map((base) => at(folder, base)))
    .find(({ length }) => length > 0);
  if (!candidates) return undefined;
  const wanted = SUFFIXES[dtype === "auto" ? "fp32" : dtype];
  const found = wanted.flatMap((suffix) => candidates.filter((path) => suffixOf(path) === suffix));
  if (found.length > 0) return found[0];
  if (candidates.length === 1) return candidates[0];
  const names = candidates.map((path) => basename(path)).join(", ");
  const rule = `choose one of the exports that are there (${names})`;
  throw new RangeError(refusal("load the model", "dtype", rule, dtype));
}

/** Graphs of embeddings beside a graph. */
function embeddingsBeside(paths: readonly string[], graph: string): string[] {
  const folder = folderOf(graph);
  return paths.filter((path) => folderOf(path) === folder && EMBEDDINGS.test(basename(path)));
}

/**
 * The graph of embeddings beside a graph that takes `inputs_embeds`.
 *
 * @throws {Deno.errors.NotFound} Where there is none, or the choice is open.
 */
export function chooseEmbedding(paths: readonly string[], graph: string): string {
  const beside = embeddingsBeside(paths, graph);
  const wanted = [suffixOf(graph), ""].flatMap((end) =>
    ["embed_tokens", "embeddings", "embedding"].map((name) =>
      `${folderOf(graph)}${name}${end}.onnx`
    )
  );
  const found = wanted.find((path) => beside.includes(path)) ??
    (beside.length === 1 ? beside[0] : undefined);
  if (found !== undefined) return found;
  const others = beside.map((path) => basename(path)).join(", ");
  throw new Deno.errors.NotFound(
    `Cannot load the model as ${basename(graph)} takes 'inputs_embeds' and must have one ` +
      `embed_tokens.onnx beside it: found ${others || "none"}`,
  );
}

/** Files that an export needs, of those that there are: itself, its data, a graph of embeddings. */
export function exportParts(paths: readonly string[], graph: string): string[] {
  const graphs = [graph, ...embeddingsBeside(paths, graph)];
  const isPart = (path: string, of: string) =>
    path.startsWith(of) && /^[._]data(_\d+)?$/.test(path.slice(of.length));
  return [...graphs, ...paths.filter((path) => graphs.some((of) => isPart(path, of)))];
}
