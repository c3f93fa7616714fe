/**
 * Loads folders one after the other and tells what happened to each, one line of JSON a folder: what
 * could end the process is kept out of the test's own.
 */

import { loadModel } from "@moi/moi/model";

const write = (value: unknown) =>
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(value) + "\n"));

for (const folder of Deno.args) {
  const start = performance.now();
  let error: Error | undefined;
  try {
    await using _model = await loadModel(folder);
  } catch (thrown) {
    error = thrown as Error;
  }
  const ms = performance.now() - start;
  write({ folder, ms, name: error?.constructor.name, message: error?.message });
}
