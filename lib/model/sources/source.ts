/**
 * What every file format gives a load: the shape of the model, its small files, and its weights in a
 * number format with the graph over them.
 *
 * A new format is a file beside this one that makes a {@linkcode Source}, and a line in `openSource`.
 * Where its tensors are those of an architecture in `lib/graph`, `checkpointSource` does all but the
 * reading: it takes a {@linkcode Checkpoint}, whose tensors may be encoded in ways of the format's own.
 *
 * @module
 */

import type { DecoderConfig, Graph, Target } from "../../graph/mod.ts";
import type { Adapter } from "../../runtime/mod.ts";
import type { Dtype } from "../dtype.ts";
import type { Engine } from "../engine.ts";
import type { ExternalData } from "../external.ts";
import type { Progress } from "../progress.ts";

/**
 * The small files of a model under the names that Hugging Face gives them: `config.json`,
 * `generation_config.json`, `tokenizer.json`, `tokenizer_config.json`, `chat_template.jinja`,
 * `chat_template.json`. All but the first may be missing.
 */
export interface ModelFiles {
  /** Contents of a text file, or undefined where there is none. */
  text(name: string): Promise<string | undefined>;
  /** Object in a JSON file, or undefined where there is none. */
  json(name: string): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** What a load asks of the weights. */
export interface PrepareRequest {
  /** Number format. */
  readonly dtype: "auto" | Dtype;
  /** What the graph is built for. */
  readonly target: Target;
  /** The GPU that it is for, where one is known; absent: the weights are held by the host. */
  readonly adapter?: Adapter | undefined;
  /** Longest context, which sizes the rotary tables. */
  readonly maxLength: number;
  /** Folder for converted copies. */
  readonly cacheDir: string;
  /** What progress reports call a conversion. */
  readonly label: string;
  /** Called with the bytes that are converted. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Ends a conversion. */
  readonly signal?: AbortSignal | undefined;
}

/** Weights in a number format and the graph over them, as a session starts it. */
export interface Prepared extends Disposable {
  /** Shape of the model, with what only its tensors say. */
  readonly config: DecoderConfig;
  /** The number format. */
  readonly dtype: Dtype;
  /** The graph; serialized where it was not built here. */
  readonly graph: Graph | Uint8Array<ArrayBuffer>;
  /**
   * The graph that sums the whole of a large embedding table; default: of the table that `graph` has, as
   * it is stored.
   */
  readonly mixtures?: Graph;
  /** How a session gets at the weights. */
  readonly data: ExternalData;
  /** Bytes of the weights in this format. */
  readonly bytes: number;
  /** A digest that tells models apart. */
  readonly fingerprint: string;
  /** Rows of the embedding table; undefined where it is not at hand. */
  readonly embeddings?: ((ids: ArrayLike<number>) => Float32Array[]) | undefined;
}

/** What a model is read from: a checkpoint's folder, a GGUF file, an ONNX export, … */
export interface Source extends Disposable {
  /** Name of the place. */
  readonly id: string;
  /** The small files. */
  readonly files: ModelFiles;
  /** Shape of the model, as its files state it. */
  readonly config: DecoderConfig;
  /** The only number format that it has, and the bytes of its weights; absent where a load chooses. */
  readonly stored?: Pick<Prepared, "dtype" | "bytes">;
  /** Brings the weights into a number format; the source stays open as long as the result is used. */
  prepare(request: PrepareRequest): Promise<Prepared>;
  /** Proves that the started model computes what its files say; throws where it does not. */
  check?(model: Pick<Engine, "openCache"> & { readonly maxLength: number }): Promise<void>;
}
