/** A V8 profile of work in this process. */

import { Session } from "node:inspector/promises";

/** Does work and writes a profile of it, by custom `.cpuprofile`, which browsers' developer tools open. */
export async function profiled(path: string, work: () => Promise<void>): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  try {
    await work();
  } finally {
    const { profile } = await session.post("Profiler.stop");
    await Deno.writeTextFile(path, JSON.stringify(profile));
    session.disconnect();
  }
}
