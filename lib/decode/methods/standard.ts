/**
 * Standard decoding: the sampled token alone is fed back, `h = e_y`.
 *
 * @module
 */

import { oneToken } from "../../model/mod.ts";
import type { Method } from "../method.ts";

/**
 * Standard decoding.
 *
 * @example
 * ```ts
 * import { standard } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * assertEquals(standard().name, "standard");
 * ```
 */
export function standard(): Method<undefined> {
  return {
    name: "standard",
    init: () => undefined,
    step: (_distribution, token) => ({ input: oneToken(token), state: undefined }),
  };
}
