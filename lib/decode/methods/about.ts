/**
 * What the documentation says of a method; the table of methods is made of it.
 *
 * @module
 */

import type { Method } from "../method.ts";
import type { PhaseOptions } from "../phase.ts";

/** A method, described. */
export interface AboutMethod {
  /** Makes it with its defaults, in a phase where one is named. */
  readonly make: (options?: PhaseOptions) => Method;
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
