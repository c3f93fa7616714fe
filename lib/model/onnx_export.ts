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
  type OnnxModel,
  parseModel,
} from "../graph/mod.ts";
import type { MappedFile } from "../runtime/mod.ts";
import { isObject, refusal, shown } from "../_check.ts";
import { openFile } from "./_contents.ts";
import { parseObject } from "./config.ts";
import { type Dtype, freeMemory } from "./dtype.ts";
import { type ExportCheck, exportCheck } from "./export_check.ts";
import { chooseEmbedding, chooseExport, exportFiles } from "./export_files.ts";
import { type ExternalData, located } from "./external.ts";
import { INDEX_FILE, WEIGHTS_FILE } from "./weights.ts";

/** An export, opened and cut. */
export interface OnnxExport extends Disposable {
  /** Path of its `.onnx` file within the folder. */
  readonly file: string;
  /** Shape of the model: what the graph has, and what only config.json says. */
  readonly config: DecoderConfig;
  /** What the graph turned out to be. */
  readonly facts: GraftFacts;
  /** Number format of its weights. */
  readonly dtype: Dtype;
  /** Bytes of its weights as stored. */
  readonly bytes: number;
  /** The graph with the mixture as its input, serialized. */
  readonly graph: Uint8Array<ArrayBuffer>;
  /** Mapped files by name. */
  readonly files: Readonly<Record<string, MappedFile>>;
  /** How a session gets at them. */
  readonly data: ExternalData;
  /** Compares logits of a model over {@linkcode OnnxExport.graph} with those of the export as it is. */
  readonly check: ExportCheck;
}

/**
 * The export of a folder that is loaded: none where there is a safetensors checkpoint, which wins.
 *
 * @param folder The model's folder.
 * @param dtype Number format.
 * @returns Path of its `.onnx` file from the folder.
 */
export async function exportIn(
  folder: string,
  dtype: "auto" | Dtype = "auto",
): Promise<string | undefined> {
  const paths = await exportFiles(folder);
  if (paths.includes(WEIGHTS_FILE) || paths.includes(INDEX_FILE)) return undefined;
  return chooseExport(paths, dtype);
}

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
    throw new SyntaxError(
      `Cannot read ${name} as ${
        shown(tensor)
      } ends at byte ${end} of ${location}, which has ${size}`,
    );
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

/** The largest integer from 1 among fields of config.json, nested text configs included. */
function sizeIn(json: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const { text_config: text } = json,
    value = json[name] ?? (isObject(text) ? text[name] : undefined);
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && value > 0 && value < 2 ** 31) return value;
  if (Array.isArray(value)) return undefined; // layers differ: the graph says how
  throw new SyntaxError(
    `Cannot load the model as '${name}' in config.json must be a positive number: current value is ${
      shown(value)
    }`,
  );
}

/** What config.json says where the graph does not; where both do, they must agree. */
function configOf(json: Readonly<Record<string, unknown>>, facts: GraftFacts): DecoderConfig {
  const { hiddenSize, vocabularySize, kv } = facts;
  const agree = (name: string, value: number) => {
    const stated = sizeIn(json, name);
    if (stated === undefined || stated === value) return;
    throw new SyntaxError(
      `Cannot load the model as '${name}' in config.json must be ${value}, as in the graph: current value is ${stated}`,
    );
  };
  agree("hidden_size", hiddenSize);
  const kvHeads = Math.max(...kv.map((layer) => layer.kvHeads));
  const headDim = Math.max(...kv.map((layer) => layer.headDim));
  const stated = sizeIn(json, "max_position_embeddings");
  const maxPositions = Math.min(stated ?? Infinity, facts.maxPositions);
  if (!Number.isSafeInteger(maxPositions) || maxPositions < 1) {
    throw new SyntaxError(
      "Cannot load the model as 'max_position_embeddings' in config.json must say how long a context may be",
    );
  }
  return {
    architecture: typeof json.model_type === "string" ? json.model_type : "onnx",
    hiddenSize,
    layers: sizeIn(json, "num_hidden_layers") ?? kv.length,
    heads: facts.heads ?? sizeIn(json, "num_attention_heads") ?? kvHeads,
    kvHeads,
    headDim,
    intermediateSize: sizeIn(json, "intermediate_size") ?? 4 * hiddenSize,
    vocabularySize,
    maxPositions,
    rmsNormEps: sizeIn(json, "rms_norm_eps") ?? 1e-6,
    ropeTheta: sizeIn(json, "rope_theta") ?? 1e4,
    tiedEmbeddings: json.tie_word_embeddings === true,
    kv,
  };
}

/**
 * Opens the export in a folder, cuts it at its embedding, and runs it once as it is, so that
 * {@linkcode OnnxExport.check} can compare.
 *
 * @param folder The model's folder: `config.json` and `onnx/model*.onnx` or `model*.onnx`.
 * @param configText Contents of config.json.
 * @param dtype Number format asked for.
 * @returns The export; undefined where the folder holds none, or a safetensors checkpoint, which wins.
 * @throws {RangeError} Where the number format is not there.
 * @throws {SyntaxError} Where a file is malformed, or a graph of a kind that cannot be cut.
 * @throws {Deno.errors.NotFound} Where a file that the export needs is missing.
 */
export async function openExport(
  folder: string,
  configText: string,
  dtype: "auto" | Dtype = "auto",
): Promise<OnnxExport | undefined> {
  const chosen = await exportIn(folder, dtype);
  if (chosen === undefined) return undefined;
  const name = basename(chosen), json = parseObject(configText, "config.json");
  const files: Record<string, MappedFile> = Object.create(null);
  const dispose = () => {
    for (const file of Object.values(files)) file[Symbol.dispose]();
  };
  try {
    let whole = openModel(join(folder, chosen), files);
    if (whole.graph.inputs.some((input) => input.name === "inputs_embeds")) {
      const embedding = chooseEmbedding(await exportFiles(folder), chosen);
      whole = joinEmbedding(openModel(join(folder, embedding), files), whole);
    }
    const { graph, data } = located(whole.graph, files), model = { ...whole, graph };
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
      ...{ file: chosen, config, facts, dtype: facts.dtype, bytes: facts.weightsBytes },
      ...{ graph: encodeModel(cut), files, data },
      check: await exportCheck(model, data, facts, config.maxPositions, name),
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
