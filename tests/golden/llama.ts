/**
 * Tiny random models that llama.cpp reads, all but gemma3 only it, with the logits of transformers:
 * llama.json and the GGUF files of llama/, written by llama.py.
 */

import { fileURLToPath } from "node:url";

/** A position that holds a mixture of rows of the embedding table, Σ weights · row, in place of a token. */
export interface Mixture {
  readonly position: number;
  readonly ids: readonly number[];
  /** They add up to 1. */
  readonly weights: readonly number[];
}

/** Logits, float32 in base64: `[positions, V]` by ids, `[mixed_positions, V]` with the mixtures. */
export interface LlamaLogits {
  readonly logits: string;
  readonly mixed: string;
}

/** One model and what transformers computes with it. */
export interface LlamaCase extends LlamaLogits {
  readonly name: string;
  readonly ids: readonly number[];
  /** Positions after which `logits` are told. */
  readonly positions: readonly number[];
  readonly mixtures: readonly Mixture[];
  /** Positions after which `mixed` are told. */
  readonly mixed_positions: readonly number[];
  /** The same where GELU is rounded to float16 as llama.cpp does it on CPUs; null without GELU. */
  readonly half_gelu: LlamaLogits | null;
}

const file = JSON.parse(await Deno.readTextFile(new URL("llama.json", import.meta.url)));

/** All cases. */
export const CASES: readonly LlamaCase[] = file.cases;

/** Names of the files that decode ids but are not to be decoded with mixtures; README.md says why. */
export const REFUSED: readonly string[] = file.refused;

/** The case of a name. */
export function caseOf(name: string): LlamaCase {
  const found = CASES.find((value) => value.name === name);
  if (!found) throw new Error(`internal: no case ${name}`);
  return found;
}

/** Path of the GGUF file of a name. */
export function pathOf(name: string): string {
  return fileURLToPath(new URL(`llama/${name}.gguf`, import.meta.url));
}

/** Logits as numbers, row after row. */
export function numbersOf(base64: string): Float32Array<ArrayBuffer> {
  return new Float32Array(Uint8Array.fromBase64(base64).buffer);
}
