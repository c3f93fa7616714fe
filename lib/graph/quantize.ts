/**
 * Block quantisation of weight matrices, in the form that MatMulNBits reads.
 *
 * Every 32 consecutive weights of a row share a scale: `w ≈ (q − z) · s`, `s = m / −2^(b−1)` where m is
 * the weight of largest magnitude with its sign (of two opposite ones the negative), `z = 2^(b−1)`, and
 * `q = clamp(round(w · (1/s) + z), 0, 2^b − 1)`, all in float32, halves rounded away from zero.
 * The bytes are those of ONNX Runtime's own quantiser (MlasQuantizeBlockwise, 1.30), including what
 * it leaves behind the last column of an odd number of columns.
 *
 * @module
 */

/** Weights that share a scale. */
export const BLOCK_SIZE = 32;

/** Changes whenever the bytes that the quantiser writes change. */
export const QUANTIZER_VERSION = 1;

/** A quantised matrix `[rows, columns]`. */
export interface QuantizedRows {
  /** The numbers q, `[rows, blocks, 32 · bits / 8]`; of 4 bits the even column is the low half. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The scales s, `[rows, blocks]`. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/**
 * Quantises the rows of a matrix.
 *
 * @param values The matrix, row by row.
 * @param columns Length of a row; the last block of a row may be shorter.
 * @param options Bits of a weight, and the name of the matrix for errors; default "values".
 * @throws {RangeError} Where a weight is NaN or infinite.
 *
 * @example Four bits
 * ```ts
 * import { quantizeRows } from "@moi/moi/graph";
 * import { assertEquals } from "@std/assert";
 * const { data, scales } = quantizeRows(Float32Array.of(-8, 1, 7, 0), 4, { bits: 4 });
 * assertEquals([...scales], [1]);
 * assertEquals([...data.subarray(0, 2)], [0x90, 0x8f]);
 * ```
 */
export function quantizeRows(
  values: Float32Array,
  columns: number,
  { bits, name = "values" }: { readonly bits: 4 | 8; readonly name?: string },
): QuantizedRows {
  const rows = values.length / columns, blocks = Math.ceil(columns / BLOCK_SIZE);
  const rowBytes = blocks * BLOCK_SIZE * bits / 8;
  const data = new Uint8Array(rows * rowBytes), scales = new Float32Array(rows * blocks);
  const top = 2 ** bits - 1, zero = 2 ** (bits - 1), fround = Math.fround;
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * columns;
    for (let block = 0; block < blocks; block++) {
      const start = row * columns + block * BLOCK_SIZE;
      const stop = start + BLOCK_SIZE < end ? start + BLOCK_SIZE : end;
      let min = Infinity, max = -Infinity, finite = 0;
      for (let i = start; i < stop; i++) {
        const value = values[i]!;
        if (value < min) min = value;
        if (value > max) max = value;
        finite += value * 0; // 0, or NaN from the first NaN or infinity on
      }
      if (finite !== 0) refuseNonFinite(values, start, columns, name);

      const scale = fround((Math.abs(max) > Math.abs(min) ? max : min) / -zero);
      scales[row * blocks + block] = scale;

      const inverse = scale === 0 ? 0 : fround(1 / scale);
      let at = row * rowBytes + block * (BLOCK_SIZE * bits / 8);
      if (bits === 8) {
        for (let i = start; i < stop; i++) {
          const t = fround(fround(values[i]! * inverse) + zero);
          data[at++] = t >= top ? top : t > 0 ? (t + 0.5) | 0 : 0;
        }
        continue;
      }
      let high = block % 2 === 1 ? data[at - 1]! >> 4 : 0;
      for (let i = start; i < stop; i += 2) {
        const t = fround(fround(values[i]! * inverse) + zero);
        const low = t >= top ? top : t > 0 ? (t + 0.5) | 0 : 0;
        if (i + 1 < stop) {
          const u = fround(fround(values[i + 1]! * inverse) + zero);
          high = u >= top ? top : u > 0 ? (u + 0.5) | 0 : 0;
        } // else: behind the last column stays the number before, never read
        data[at++] = low | (high << 4);
      }
    }
  }
  return { data, scales };
}

/**
 * Quantises the columns of a matrix in 8 bits, 32 rows a scale: what sums over its rows read.
 *
 * @param values The matrix, row by row.
 * @param columns Length of a row.
 * @param name Name of the matrix for errors.
 * @returns Numbers `[columns, blocks, 32]` and scales `[columns, blocks]`.
 * @throws {RangeError} Where a weight is NaN or infinite.
 *
 * @example Two columns, of three rows
 * ```ts
 * import { quantizeColumns } from "@moi/moi/graph";
 * import { assertEquals } from "@std/assert";
 * const { data, scales } = quantizeColumns(Float32Array.of(-128, 64, 1, 0, 127, 0), 2);
 * assertEquals([...scales], [1, -0.5]);
 * assertEquals([...data.subarray(0, 3), ...data.subarray(32, 35)], [0, 129, 255, 0, 128, 128]);
 * ```
 */
export function quantizeColumns(
  values: Float32Array,
  columns: number,
  name = "values",
): QuantizedRows {
  const rows = values.length / columns, turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column]!;
    }
  }
  return quantizeRows(turned, rows, { bits: 8, name });
}

function refuseNonFinite(
  values: Float32Array,
  start: number,
  columns: number,
  name: string,
): never {
  const at = values.findIndex((value, i) => i >= start && !Number.isFinite(value));
  const where = `${values[at]} in column ${at % columns}`;
  throw new RangeError(
    `Cannot quantize as '${name}' must hold finite numbers: current value is ${where}`,
  );
}
