/**
 * Memory of this process, as the system counts it (Linux).
 *
 * @module
 */

/** Peak of resident memory so far, bytes; NaN where the system does not tell. */
export function peakBytes(): number {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status"));
    return Number(found?.[1]) * 1024;
  } catch {
    return NaN;
  }
}
