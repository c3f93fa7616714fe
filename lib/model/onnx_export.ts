/**
 * Models that others exported to ONNX: which file, what it needs beside it, and the proof that the
 * graph that is cut from it gives its logits.
 *
 * Layouts: those of onnx-community and Optimum (`onnx/model*.onnx`, external data in
 * `*.onnx_data`, `*.onnx_data_1`, …) and of onnxruntime-genai (`model.onnx`, `model.onnx.data`). All
 * files are mapped, none is copied or changed.
 *
 * @module
 */

import { basename, join } from "node:path";
import {
  type DecoderConfig,
  encodeModel,
  graft,
  type Grafted,
  type GraftFacts,
  joinEmbedding,
  parseModel,
  type ReadModel,
  reference,
  tensorBytes,
  withLocations,
  withoutData,
} from "../graph/mod.ts";
import {
  allocate,
  createSession,
  ELEMENT_TYPES,
  elements,
  type MappedFile,
  OrtError,
  type Session,
  type Tensor,
  tensor,
  tensorIn,
} from "../runtime/mod.ts";
import { refusal, shown } from "../_check.ts";
import { openFile } from "./_contents.ts";
import { parseObject } from "./config.ts";
import { type Dtype, freeMemory } from "./dtype.ts";
import { accessTo, type ExternalData } from "./external.ts";
import type { Model } from "./model.ts";
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
  /**
   * Compares logits of a model over {@linkcode OnnxExport.graph} with those of the export as it is.
   *
   * @throws {SyntaxError} Where they differ by more than {@linkcode checkBound} says.
   */
  check(model: Pick<Model, "openCache" | "maxLength">): Promise<void>;
}

/** File names of an export, by the number format that their suffix stands for, best first. */
const SUFFIXES: Readonly<Record<Dtype, readonly string[]>> = {
  fp32: [""],
  fp16: ["_fp16"],
  int8: ["_quantized", "_int8", "_uint8", "_q8"],
  int4: ["_q4", "_int4", "_q4f16"],
  native: [], // for GGUF files
};

const MODEL = /^(model|decoder_model_merged|decoder_model|decoder)([-_.][\w.-]*)?\.onnx$/;

async function fileNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (!isDirectory) names.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
  }
  return names.toSorted();
}

/** Files of a folder and of `onnx/` in it, by their paths from the folder. */
export async function exportFiles(folder: string): Promise<string[]> {
  const inside = (await fileNames(join(folder, "onnx"))).map((name) => `onnx/${name}`);
  return [...inside, ...await fileNames(folder)];
}

/** A candidate: its path from the folder, base name and suffix. */
interface Candidate {
  readonly path: string;
  readonly base: string;
  readonly suffix: string;
}

function bySuffix(candidates: readonly Candidate[], dtype: Dtype): Candidate | undefined {
  for (const suffix of SUFFIXES[dtype]) {
    const found = candidates.find((candidate) => candidate.suffix === suffix);
    if (found) return found;
  }
  return undefined;
}

/**
 * The `.onnx` file that a number format stands for, in `onnx/` if there is one there.
 *
 * @param paths Files by their paths from the model's folder.
 * @param dtype Number format; "auto": fp32 if it is there, or the only file.
 * @returns Its path, or undefined where there is no export.
 * @throws {RangeError} Where the choice is open, or there is no such file.
 */
export function chooseExport(
  paths: readonly string[],
  dtype: "auto" | Dtype = "auto",
): string | undefined {
  const at = (folder: string) =>
    paths.flatMap((path): Candidate[] => {
      const match = path.startsWith(folder) ? MODEL.exec(path.slice(folder.length)) : null;
      return match ? [{ path, base: match[1]!, suffix: match[2] ?? "" }] : [];
    });
  const inside = at("onnx/"), all = inside.length > 0 ? inside : at("");
  if (all.length === 0) return undefined;
  const bases = ["model", "decoder_model_merged", "decoder_model", "decoder"];
  const base = bases.find((name) => all.some((candidate) => candidate.base === name));
  const candidates = all.filter((candidate) => candidate.base === base);
  const found = bySuffix(candidates, dtype === "auto" ? "fp32" : dtype) ??
    (candidates.length === 1 ? candidates[0] : undefined);
  if (found) return found.path;
  const names = candidates.map(({ path }) => basename(path)).join(", ");
  const rule = `choose one of the exports that are there (${names})`;
  throw new RangeError(refusal("load the model", "dtype", rule, dtype));
}

/** Files that an export needs, of those that there are: itself, its data, a graph of embeddings. */
export function exportParts(paths: readonly string[], graph: string): string[] {
  const folder = graph.slice(0, graph.length - basename(graph).length);
  const isPart = (path: string, of: string) =>
    path.startsWith(of) && /^[._]data(_\d+)?$/.test(path.slice(of.length));
  const embeddings = paths.filter((path) => {
    const name = path.slice(folder.length);
    return path.startsWith(folder) && /^embed[\w.-]*\.onnx$/.test(name);
  });
  const graphs = [graph, ...embeddings];
  return [...graphs, ...paths.filter((path) => graphs.some((of) => isPart(path, of)))];
}

/**
 * The `.onnx` file of a folder that a number format stands for, as {@linkcode chooseExport} says.
 *
 * @param folder The model's folder.
 * @param dtype Number format.
 * @returns Its path, or undefined where the folder holds no export.
 */
export async function findExport(
  folder: string,
  dtype: "auto" | Dtype = "auto",
): Promise<string | undefined> {
  const path = chooseExport(await exportFiles(folder), dtype);
  return path === undefined ? undefined : join(folder, path);
}

/**
 * The export of a folder that is loaded: none where there is a safetensors checkpoint, which wins.
 *
 * @param folder The model's folder.
 * @param dtype Number format.
 */
export async function exportIn(
  folder: string,
  dtype: "auto" | Dtype = "auto",
): Promise<string | undefined> {
  for (const file of [WEIGHTS_FILE, INDEX_FILE]) {
    if (await Deno.stat(join(folder, file)).catch(() => undefined)) return undefined;
  }
  return await findExport(folder, dtype);
}

/** The graph of embeddings beside a graph that takes `inputs_embeds`. */
async function findEmbedding(path: string): Promise<string> {
  const folder = join(path, ".."), suffix = MODEL.exec(basename(path))?.[2] ?? "";
  const names = await fileNames(folder);
  const wanted = [suffix, ""].flatMap((end) =>
    ["embed_tokens", "embeddings", "embedding"].map((name) => `${name}${end}.onnx`)
  );
  const others = names.filter((name) => /^embed[\w.-]*\.onnx$/.test(name));
  const found = wanted.find((name) => names.includes(name)) ??
    (others.length === 1 ? others[0] : undefined);
  if (found) return join(folder, found);
  throw new Deno.errors.NotFound(
    `Cannot load the model as ${basename(path)} takes 'inputs_embeds' and must have one ` +
      `embed_tokens.onnx beside it: found ${others.join(", ") || "none"}`,
  );
}

/** Maps a `.onnx` file and the external files that it names. */
function openModel(path: string, files: Record<string, MappedFile>): ReadModel {
  const name = basename(path), mapped = openFile(path);
  files[name] = mapped;
  const file = new Uint8Array(mapped.buffer), model = parseModel(file, name);
  for (const { name: weight, type, dims, place } of model.graph.initializers.values()) {
    if (place.kind !== "external") continue;
    const { location, offset } = place;
    files[location] ??= openFile(join(path, "..", location));
    const end = offset + tensorBytes({ type, dims }), size = files[location].byteLength;
    if (end > size) {
      throw new SyntaxError(
        `Cannot read ${name} as ${
          shown(weight)
        } ends at byte ${end} of ${location}, which has ${size}`,
      );
    }
  }
  return { ...model, graph: withoutData(model.graph, file, name) };
}

/** A model over files by name as one that a session can start. */
function located(
  model: ReadModel,
  files: Readonly<Record<string, MappedFile>>,
): { readonly model: ReadModel; readonly data: ExternalData } {
  const places = [...model.graph.initializers.values()].flatMap(({ type, place }) =>
    place.kind === "external"
      ? [{ offset: place.offset, elementBytes: tensorBytes({ type, dims: [1] }) }]
      : []
  );
  const { locationOf, data } = accessTo(files, places);
  return { model: { ...model, graph: withLocations(model.graph, locationOf) }, data };
}

/** The largest integer from 1 among fields of config.json, nested text configs included. */
function sizeIn(json: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const text = json.text_config;
  const value = json[name] ??
    (typeof text === "object" && text !== null ? (text as typeof json)[name] : undefined);
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
function configOf(
  json: Readonly<Record<string, unknown>>,
  facts: GraftFacts,
): DecoderConfig {
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
 * Largest difference between logits of the cut graph and of the export, as a part of the largest
 * logit: 10⁻⁴ in fp32, where only the order of additions differs; 10⁻³ with block-quantised weights;
 * 2·10⁻² with float16 activations, which attention here rounds less often; 5·10⁻² where the export
 * rounds activations to int8, as a last digit may fall to the other side.
 *
 * @param facts What the export is.
 */
export function checkBound(facts: GraftFacts): number {
  if (facts.quantizedActivations) return 5e-2;
  if (facts.activations === "float16" || facts.dtype === "fp16") return 2e-2;
  return facts.dtype === "fp32" ? 1e-4 : 1e-3;
}

/** Session of a graph that comes from a file; the runtime's words are kept. */
async function start(
  graph: Uint8Array<ArrayBuffer>,
  data: ExternalData,
  name: string,
): Promise<Session> {
  try {
    return await createSession(graph, { ...data, threads: 1 });
  } catch (cause) {
    if (!(cause instanceof OrtError)) throw cause;
    throw new SyntaxError(
      `Cannot load ${name} as ONNX Runtime refuses it: ${cause.message.slice(0, 500)}`,
      { cause },
    );
  }
}

/** Logits of the export itself for a prompt, all positions or the last. */
async function referenceLogits(
  model: ReadModel,
  data: ExternalData,
  facts: GraftFacts,
  prompt: readonly number[],
  name: string,
): Promise<Float32Array> {
  const { model: original, inputs, output, caches } = reference(model, prompt);
  await using session = await start(encodeModel(original), data, name);
  using scope = new DisposableStack();
  const empty = scope.use(allocate(16));
  const bound = Object.fromEntries(inputs.map(({ name, type, dims, values }) => {
    if (values.length === 0) return [name, scope.use(tensorIn(empty, 0, type, dims))];
    if (type === "int64") {
      return [name, scope.use(tensor(BigInt64Array.from(values, BigInt), dims))];
    }
    if (type === "int32") return [name, scope.use(tensor(Int32Array.from(values), dims))];
    if (type === "float32") return [name, scope.use(tensor(Float32Array.from(values), dims))];
    throw new SyntaxError(`Cannot load the export as its input ${shown(name)} is ${type}`);
  }));
  const rows = facts.lastLogitsOnly ? 1 : prompt.length;
  const logits = new Float32Array(rows * facts.vocabularySize);
  const results: Record<string, Tensor> = {
    [output]: scope.use(tensor(logits, [1, rows, facts.vocabularySize])),
  };
  for (const { name, type, dims } of caches) {
    const memory = scope.use(allocate(elements(dims) * ELEMENT_TYPES[type].bytes));
    results[name] = scope.use(tensorIn(memory, 0, type, dims));
  }
  try {
    await scope.use(session.bind(bound, results)).runAsync();
  } catch (cause) {
    if (!(cause instanceof OrtError)) throw cause;
    throw new SyntaxError(
      `Cannot load ${name} as it does not run: ${cause.message.slice(0, 500)}`,
      {
        cause,
      },
    );
  }
  return logits;
}

/** Largest difference relative to the largest logit; NaN where a number is none. */
function relativeDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0, scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(found[i]! - expected[i]!);
    if (Number.isNaN(distance)) return NaN;
    difference = Math.max(difference, distance);
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return difference === 0 ? 0 : difference / scale;
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
  const path = await exportIn(folder, dtype);
  if (path === undefined) return undefined;
  const name = basename(path), json = parseObject(configText, "config.json");
  const files: Record<string, MappedFile> = Object.create(null);
  const dispose = () => {
    for (const file of Object.values(files)) file[Symbol.dispose]();
  };
  try {
    let whole = openModel(path, files);
    if (whole.graph.inputs.some((input) => input.name === "inputs_embeds")) {
      whole = joinEmbedding(openModel(await findEmbedding(path), files), whole);
    }
    const { model, data } = located(whole, files);
    const { model: cut, facts }: Grafted = graft(model);
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
    const config = configOf(json, facts), V = config.vocabularySize;
    const size = Math.min(6, config.maxPositions);
    const prompt = Array.from({ length: size }, (_, i) => (1 + 7919 * i) % V);
    const expected = await referenceLogits(model, data, facts, prompt, name);
    const graph = encodeModel(cut);

    const check: OnnxExport["check"] = async ({ openCache, maxLength }) => {
      const count = Math.min(size, maxLength), fed = prompt.slice(0, count);
      const capacity = Math.min(count + 5, maxLength); // a cache longer than its contents
      using cache = openCache({ slots: 1, length: capacity });
      const inputs = fed.map((id) => ({ ids: [id], weights: [1] }));
      const bound = checkBound(facts);
      const compare = (found: Float32Array, rows: readonly [number, number], what: string) => {
        const difference = relativeDifference(found, expected.subarray(rows[0] * V, rows[1] * V));
        if (difference <= bound) return;
        throw new SyntaxError(
          `Cannot load ${name} as ${what} of the graph cut at its embedding must equal the export's ` +
            `own within ${bound} of the largest logit: the difference is ${difference}`,
        );
      };
      try {
        const all = await cache.prefill(0, 0, inputs, "all"), last = count - 1;
        if (!facts.lastLogitsOnly) compare(all, [0, count], "logits");
        else if (count === size) compare(all.subarray(last * V), [0, 1], "logits");
        if (count < size || count < 2 || facts.dynamicScales) return;
        await cache.prefill(0, 0, inputs.slice(0, -1), "last");
        const step = await cache.step(inputs.slice(-1), [last]);
        compare(step, facts.lastLogitsOnly ? [0, 1] : [last, count], "logits after a step");
      } catch (cause) {
        if (!(cause instanceof OrtError)) throw cause;
        throw new SyntaxError(
          `Cannot load ${name} as the graph cut at its embedding does not run: ` +
            cause.message.slice(0, 500),
          { cause },
        );
      }
    };
    return {
      file: path.slice(folder.length).replace(/^[/\\]+/, ""),
      config,
      facts,
      dtype: facts.dtype,
      bytes: facts.weightsBytes,
      graph,
      files,
      data,
      check,
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
