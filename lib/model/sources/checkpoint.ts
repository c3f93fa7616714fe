/**
 * A source over the tensors of an architecture, however they are stored.
 *
 * @module
 */

import {
  ARCHITECTURES,
  type DecoderConfig,
  denseMixtureGraph,
  type Graph,
  namesIn,
  SMALL_VOCABULARY,
  type Weights,
  weightsIn,
} from "../../graph/mod.ts";
import { refusal } from "../../_check.ts";
import { gib } from "../../_gib.ts";
import { type Checkpoint, embeddingRows, fingerprint } from "../checkpoint.ts";
import { headed, parseConfig } from "../config.ts";
import { convertWeights, type Form } from "../converted.ts";
import {
  autoDtype,
  autoDtypeOn,
  bitsOf,
  type Dtype,
  DTYPES,
  freeMemory,
  roundedToHalf,
  weightsOf,
} from "../dtype.ts";
import { located } from "../external.ts";
import { estimateMemory } from "../memory.ts";
import { noRoomOn } from "../room.ts";
import type { ModelFiles, Source } from "./source.ts";

/** Refuses weights that free memory cannot hold, naming formats that would fit. */
function checkFits(config: DecoderConfig, dtype: Dtype, free: number): void {
  const bytes = (dtype: Dtype) => estimateMemory(config, { dtype, length: 1 }).weightsBytes;
  if (bytes(dtype) <= free) return;
  const fitting = DTYPES.filter((other) => bytes(other) <= free)
    .map((other) => `${other} needs ${gib(bytes(other))}`);
  throw new RangeError(
    `Cannot load the model as its weights in ${dtype} need ${gib(bytes(dtype))} and ${
      gib(free)
    } are free: ${fitting.join(", ") || "no number format would fit"}`,
  );
}

/** What a linear layer's matrix becomes in a number format. */
function formsOf(
  dtype: Dtype,
  vocabularySize: number,
): Parameters<typeof convertWeights>[2]["form"] {
  if (dtype === "fp32" || dtype === "fp16") return () => "dense";
  return ({ dims }, encoded): Form => {
    const packing = encoded?.packing;
    if (dtype === "native") return packing ? "packed" : "dense";
    const bits = bitsOf(dtype, dims, vocabularySize);
    return packing && packing.bits <= bits ? "packed" : bits;
  };
}

/**
 * A source whose graph is built here.
 *
 * @param configText Contents of `config.json`.
 * @param open Opens the tensors, under the names of Hugging Face's checkpoints.
 * @throws {SyntaxError} Where the config is malformed, or asks for what is not implemented.
 */
export function checkpointSource(
  id: string,
  files: ModelFiles,
  configText: string,
  open: () => Checkpoint | Promise<Checkpoint>,
): Source {
  const stated = parseConfig(configText);
  return {
    id,
    files,
    config: stated,
    async prepare({ dtype: asked, maxLength, target, adapter, ...options }) {
      using scope = new DisposableStack();
      const checkpoint = scope.use(await open());
      const { tensors, encoded, strict = false } = checkpoint, table = weightsIn(tensors);
      const hasHead = tensors.has(namesIn(table.names)("lm_head.weight"));
      const config = headed(stated, configText, hasHead);
      const build = (weights: Weights) =>
        ARCHITECTURES[config.architecture]!.graph(config, weights, maxLength, target);
      const used = new Set<string>();
      const plain = build({ // refuses a checkpoint that is not what its config says
        names: table.names,
        find(name) {
          used.add(name);
          return tensors.get(name);
        },
      });
      const unused = strict ? tensors.keys().find((name) => !used.has(name)) : undefined;
      if (unused !== undefined) {
        throw new SyntaxError(
          `Cannot load the model as its tensor for ${unused} has no place in this architecture`,
        );
      }
      const least = asked === "auto" || asked === "native" ? "int4" : asked, free = freeMemory();
      const why = adapter && noRoomOn(adapter, config, target, maxLength);
      if (!why) checkFits(config, least, free);
      else if (why(least)) {
        throw new RangeError(`Cannot load the model on ${adapter.device} as ${why(least)}`);
      }
      const hasBlocks = encoded?.values().some(({ packing }) => packing !== undefined) ?? false;
      const usual = hasBlocks
        ? "native"
        : why
        ? autoDtypeOn(target.activations, (dtype) => why(dtype) === undefined)
        : autoDtype(weightsOf(plain).parameters, free);
      const dtype = asked === "auto" ? usual : asked;
      if (dtype === "native" && !hasBlocks) {
        throw new RangeError(
          refusal("load the model", "dtype", "be another, as only GGUF files have blocks", dtype),
        );
      }
      const digest = fingerprint(configText, checkpoint);
      const form = formsOf(dtype, config.vocabularySize);
      const isQuantized = dtype !== "fp32" && dtype !== "fp16";
      const sums = (decoder: Graph, weights: Weights) =>
        isQuantized && target.accuracy === 4 && config.vocabularySize > SMALL_VOCABULARY
          ? { mixtures: denseMixtureGraph(decoder, weights) }
          : {};
      const isAsStored = !encoded?.size && !isQuantized;
      const usable = isAsStored ? checkpoint : scope.use(
        await convertWeights(
          checkpoint,
          (weights) => void sums(build(weights), weights),
          { ...options, form, fingerprint: digest },
        ),
      );
      const weights = weightsIn(usable.tensors);
      const graph = isAsStored && dtype === "fp32"
        ? plain
        : build(dtype === "fp16" ? roundedToHalf(weights) : weights);
      const owned = scope.move();
      return {
        config,
        dtype,
        ...located({ graph, ...sums(graph, weights) }, usable.files),
        bytes: weightsOf(graph, target.activations).bytes,
        fingerprint: digest,
        embeddings: embeddingRows(checkpoint, config),
        [Symbol.dispose]: () => owned.dispose(),
      };
    },
    [Symbol.dispose]() {},
  };
}
