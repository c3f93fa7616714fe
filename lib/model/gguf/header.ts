/**
 * What the header of a GGUF file of any architecture says, whatever reads the file then.
 *
 * @module
 */

import type { DecoderConfig } from "../../graph/mod.ts";
import { shapeOf } from "./shape.ts";
import { checkSound } from "./sound.ts";
import { openGguf } from "./split.ts";

/** Tensors of a type. */
export interface TypeShare {
  /** Such as "Q4_K". */
  readonly type: string;
  /** Number of tensors. */
  readonly tensors: number;
  /** Their bytes. */
  readonly bytes: number;
}

/** What a header says. */
export interface GgufHeader {
  readonly config: DecoderConfig;
  /** Number of weights. */
  readonly parameters: number;
  /** Bytes of the weights. */
  readonly bytes: number;
  /** What the weights are stored as, the largest part first. */
  readonly types: readonly TypeShare[];
}

/**
 * Reads a header.
 *
 * @param path The file, of a split one any part.
 * @throws {SyntaxError} Where it is damaged.
 */
export function readHeader(path: string): GgufHeader {
  using opened = openGguf(path);
  const { gguf } = opened, tensors = [...gguf.tensors.values()];
  checkSound(gguf);
  const types = Object.entries(Object.groupBy(tensors, ({ type }) => type)).map(([type, all]) => ({
    ...{ type, tensors: all.length, bytes: all.reduce((sum, { length }) => sum + length, 0) },
  }));
  return {
    config: shapeOf(gguf),
    parameters: tensors.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0),
    bytes: types.reduce((sum, { bytes }) => sum + bytes, 0),
    types: types.sort((a, b) => b.bytes - a.bytes),
  };
}
