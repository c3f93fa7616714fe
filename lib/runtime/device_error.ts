/**
 * Whether ONNX Runtime can start on a device.
 *
 * @module
 */

import type { Device } from "./providers.ts";
import { createSession } from "./session.ts";

/** An ONNX model, `y = x + x` of two float32: the smallest thing that a device can be asked for. */
const DOUBLING =
  "CAoSA21vaTpEChcKAXgKAXgSAXkaBUFkZF8wIgNBZGQ6ABIHZGVjb2RlcloPCgF4EgoKCAgBEgQKAggCYg8KAXkSCgoI" +
  "CAESBAoCCAJCBAoAEBU=";

/** What ONNX Runtime says, without the place in its source that says it. */
const wordsOf = (message: string) =>
  message.replace(/^.*( was false\. |\[ONNXRuntimeError\] : \d+ : \w+ : | with error: )/s, "")
    .trim();

/**
 * Why ONNX Runtime cannot start a session on a device, in its words; undefined where it can.
 *
 * A session is started and freed: on a GPU this takes as long as its driver does. Dawn, the WebGPU of
 * ONNX Runtime, writes warnings of its own to stderr where there is no driver.
 *
 * @example
 * ```ts
 * import { deviceError } from "@moi/moi/runtime";
 * import { assertEquals } from "@std/assert";
 * assertEquals(await deviceError("cpu"), undefined);
 * ```
 */
export async function deviceError(device: Device): Promise<string | undefined> {
  try {
    const graph = Uint8Array.from(atob(DOUBLING), (char) => char.charCodeAt(0));
    await using _session = await createSession(graph, { device });
    return undefined;
  } catch (error) {
    return wordsOf(error instanceof Error ? error.message : String(error));
  }
}
