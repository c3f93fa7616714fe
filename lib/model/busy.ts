/**
 * How busy the machine is.
 *
 * @module
 */

/** Cores that were busy in the last minute; undefined where that is not known. */
export function busyCores(): number | undefined {
  try {
    return Deno.build.os === "windows" ? undefined : Deno.loadavg()[0]!;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}
