/** A V8 profile of work in this process. */

import { Session } from "node:inspector";

/** Does work and writes a profile of it, which browsers' developer tools open. */
export async function profiled(path: string, work: () => Promise<void>): Promise<void> {
  const session = new Session();
  session.connect();
  const post = (method: string) =>
    new Promise<{ profile?: object }>((resolve, reject) =>
      session.post(method, (error: Error | null, result?: object) => {
        if (error) reject(error);
        else resolve(result ?? {});
      })
    );
  await post("Profiler.enable");
  await post("Profiler.start");
  try {
    await work();
  } finally {
    const { profile } = await post("Profiler.stop");
    await Deno.writeTextFile(path, JSON.stringify(profile));
    session.disconnect();
  }
}
