/**
 * What the documentation says of a method; the table of methods is made of it.
 *
 * @module
 */

import type { Method } from "../method.ts";

/** A method, described. */
export interface AboutMethod {
  /** Makes it with its defaults. */
  readonly make: () => Method;
  /** What is fed back. */
  readonly input: string;
  /** What is random. */
  readonly randomness: string;
  /** When it acts. */
  readonly gate: string;
  /** Where it comes from. */
  readonly source: string;
  /** Licence of the reference implementation, as far as known. */
  readonly licence: string;
}
