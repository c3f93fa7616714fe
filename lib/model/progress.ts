/** Progress reports of long work. @module */

/** How far a piece of work is. */
export interface Progress {
  /** What is being done. */
  readonly label: string;
  /** Finished units, of `total`. */
  readonly done: number;
  /** All units. */
  readonly total: number;
  /** A figure worth watching, such as the accuracy so far. */
  readonly note?: string;
}
