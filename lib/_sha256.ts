/**
 * Short digests: names of files, fingerprints, and what tells that two records are the same.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** The first hex digits of the SHA-256 of a text. */
export function sha256(text: string, digits = 16): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}
