/** Prints the adapters of this process, and what another thousand calls leave behind and take. */

import { adapters } from "@moi/moi/runtime";

const [calls = "0"] = Deno.args, count = Number(calls);

/** Memory of the process outside the JavaScript heap. */
function nativeMemory(): number {
  const { rss, heapTotal } = Deno.memoryUsage();
  return rss - heapTotal;
}

const found = adapters();
for (let i = 0; i < count / 2; i++) adapters();
const before = nativeMemory(), times: number[] = [];
for (let i = 0; i < count; i++) {
  const start = performance.now();
  adapters();
  times.push(performance.now() - start);
}
const grown = nativeMemory() - before, median = times.sort((a, b) => a - b)[count >> 1] ?? 0;
const again = adapters();
const printed = JSON.stringify({ found, again, grown, median });
Deno.stdout.writeSync(new TextEncoder().encode(printed));
