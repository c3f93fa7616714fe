/** Residual streams of transformers for the models of architectures.ts and a real one: streams.json, by streams.py. */

interface Stored {
  /** Positions that are stored. */
  readonly positions: readonly number[];
  /** How many numbers of each vector are stored of the real model. */
  readonly numbers: number;
  readonly smollm2: { readonly input_ids: readonly number[]; readonly streams: string };
  /** By the name of the case: float32 `[L + 1, positions, D]` in base64. */
  readonly cases: Readonly<Record<string, string>>;
}

export const STREAMS: Stored = JSON.parse(
  await Deno.readTextFile(new URL("streams.json", import.meta.url)),
);

/** What is stored of a model's streams, of each vector as many numbers as are stored. */
export function pickedOf(
  layers: readonly (readonly Float32Array[])[],
  numbers?: number,
): Float32Array {
  const picked = layers.flatMap((streams) =>
    STREAMS.positions.flatMap((position) => [...streams[position]!.subarray(0, numbers)])
  );
  return Float32Array.from(picked);
}

/** Numbers in base64. */
export function storedNumbers(base64: string): Float32Array<ArrayBuffer> {
  return new Float32Array(Uint8Array.fromBase64(base64).buffer);
}
