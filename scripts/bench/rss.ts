/**
 * Memory of a process, as the system counts it (Linux).
 *
 * @module
 */

/** Peak of resident memory so far, bytes; NaN where the system does not tell. Default: this process. */
export function peakBytes(pid: number | "self" = "self"): number {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
    return Number(found?.[1]) * 1024;
  } catch {
    return NaN;
  }
}
