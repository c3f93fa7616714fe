/**
 * Logits that an engine leaves where they are.
 *
 * @module
 */

/** Rows of next-token logits of a step, wherever the engine left them. */
export interface LogitRows {
  /** Number of rows. */
  readonly count: number;
  /** All of them `[rows · V]` or more: always the same array, which the next step overwrites. */
  all(): Float32Array<ArrayBuffer>;
}
