/**
 * Models that others exported to ONNX, opened and cut at their embedding. All files are mapped, none is
 * copied or changed. Which they are: export_files.ts; the proof that the cut graph gives the export's
 * logits: export_check.ts.
 *
 * @module
 */

import { basename, join } from "node:path";
import {
  type DecoderConfig,
  encodeModel,
  type FileRange,
  graft,
  type GraftFacts,
  type Initializer,
  joinEmbedding,
  type Json,
  type OnnxModel,
  parseModel,
  refuseField,
} from "../graph/mod.ts";
import type { MappedFile } from "../runtime/mod.ts";
import { refusal, shown } from "../_check.ts";
import { openFile } from "./_contents.ts";
import { parseObject, textConfig } from "./config.ts";
import { type Dtype, freeMemory } from "./dtype.ts";
import { exportCheck } from "./export_check.ts";
import { chooseEmbedding, chooseExport, exportFiles } from "./export_files.ts";
import { located } from "./external.ts";
import { INDEX_FILE, WEIGHTS_FILE } from "./weights.ts";

/** Constants of fewer bytes stay in the graph: the runtime reads shapes and axes early. */
const SMALL = 4096;

/** Maps a `.onnx` file and the external files that it names; large constants become ranges of it. */
function openModel(path: string, files: Record<string, MappedFile>): OnnxModel {
  const name = basename(path), mapped = files[name] = openFile(path);
  const file = new Uint8Array(mapped.buffer), model = parseModel(file, name);
  const mapRange = (tensor: string, { location, offset, length }: FileRange) => {
    files[location] ??= openFile(join(path, "..", location));
    const end = offset + length, size = files[location].byteLength;
    if (end <= size) return;
    const where = `byte ${end} of ${location}, which has ${size}`;
    throw new SyntaxError(`Cannot read ${name} as ${shown(tensor)} ends at ${where}`);
  };
  const initializers = model.graph.initializers.map((tensor): Initializer => {
    const { data } = tensor;
    if (!(data instanceof Uint8Array)) mapRange(tensor.name, data);
    else if (data.length >= SMALL) {
      const { byteOffset, length } = data;
      return { ...tensor, data: { location: name, offset: byteOffset - file.byteOffset, length } };
    }
    return tensor;
  });
  return { ...model, graph: { ...model.graph, initializers } };
}

/** A positive number among the fields of config.json, nested text configs included. */
function sizeIn(json: Json, name: string): number | undefined {
  const value = json[name] ?? textConfig(json)[name] ?? undefined;
  if (value === undefined || Array.isArray(value)) return undefined; // layers differ: the graph says how
  if (typeof value === "number" && value > 0 && value < 2 ** 31) return value;
  return refuseField(name, "be a positive number", value);
}

/** What config.json says where the graph does not; where both do, they must agree. */
function configOf(json: Json, facts: GraftFacts): DecoderConfig {
  const { hiddenSize, vocabularySize, kv } = facts, width = sizeIn(json, "hidden_size");
  if (width !== undefined && width !== hiddenSize) {
    refuseField("hidden_size", `be ${hiddenSize}, as in the graph`, width);
  }
  const kvHeads = Math.max(...kv.map((layer) => layer.kvHeads));
  const headDim = Math.max(...kv.map((layer) => layer.headDim));
  const stated = sizeIn(json, "max_position_embeddings");
  const maxPositions = Math.min(stated ?? Infinity, facts.maxPositions);
  if (!Number.isSafeInteger(maxPositions) || maxPositions < 1) {
    refuseField("max_position_embeddings", "say how long a context may be", stated);
  }
  return {
    architecture: typeof json.model_type === "string" ? json.model_type : "onnx",
    ...{ hiddenSize, kvHeads, headDim, vocabularySize, maxPositions, kv },
    layers: sizeIn(json, "num_hidden_layers") ?? kv.length,
    heads: facts.heads ?? sizeIn(json, "num_attention_heads") ?? kvHeads,
    intermediateSize: sizeIn(json, "intermediate_size") ?? 4 * hiddenSize,
    rmsNormEps: sizeIn(json, "rms_norm_eps") ?? 1e-6,
    ropeTheta: sizeIn(json, "rope_theta") ?? 1e4,
    tiedEmbeddings: json.tie_word_embeddings === true,
  };
}

/**
 * Opens the export in a folder, cuts it at its embedding, and runs it once as it is, so that `check` can
 * compare the logits of a model over the cut graph with its own.
 *
 * @param folder The model's folder: `config.json` and `onnx/model*.onnx` or `model*.onnx`.
 * @param configText Contents of config.json.
 * @param dtype Number format asked for.
 * @returns The export; undefined where the folder holds none, or a safetensors checkpoint, which wins.
 * @throws {RangeError} Where the number format is not there.
 * @throws {SyntaxError} Where a file is malformed, or a graph of a kind that cannot be cut.
 * @throws {Deno.errors.NotFound} Where a file that the export needs is missing.
 */
export async function openExport(folder: string, configText: string, dtype: "auto" | Dtype) {
  const paths = await exportFiles(folder);
  if (paths.includes(WEIGHTS_FILE) || paths.includes(INDEX_FILE)) return undefined;
  const chosen = chooseExport(paths, dtype);
  if (chosen === undefined) return undefined;
  const name = basename(chosen), json = parseObject(configText, "config.json");
  const files: Record<string, MappedFile> = Object.create(null);
  const dispose = () => {
    for (const file of Object.values(files)) file[Symbol.dispose]();
  };
  try {
    let whole = openModel(join(folder, chosen), files);
    if (whole.graph.inputs.some((input) => input.name === "inputs_embeds")) {
      const embedding = chooseEmbedding(paths, chosen);
      whole = joinEmbedding(openModel(join(folder, embedding), files), whole);
    }
    const { graph, data } = located({ graph: whole.graph }, files), model = { ...whole, graph };
    const { model: cut, facts } = graft(model);
    if (dtype !== "auto" && facts.dtype !== dtype) {
      const rule = `be '${facts.dtype}' or 'auto' for ${name}`;
      throw new RangeError(refusal("load the model", "dtype", rule, dtype));
    }
    const free = freeMemory();
    if (facts.weightsBytes > free) {
      throw new RangeError(
        `Cannot load the model as the weights of ${name} have ${facts.weightsBytes} bytes: ${free} are free`,
      );
    }
    const config = configOf(json, facts);
    return {
      ...{ config, dtype: facts.dtype, bytes: facts.weightsBytes },
      ...{ graph: encodeModel(cut), files, data },
      check: await exportCheck(model, data, facts, config.maxPositions, name),
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
