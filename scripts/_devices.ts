/** The GPUs of this machine, and on which devices a session starts. */

import { openLlama } from "../lib/llama/library.ts";
import { type LlamaDevice, packageOf } from "../lib/llama/mod.ts";
import { type Adapter, adapters, deviceError } from "../lib/runtime/mod.ts";
import { type Column, tableOf } from "../lib/plot/table.ts";
import { visible } from "./_cli.ts";
import { gib, textOf } from "./_table.ts";

const yes = (is: boolean) => is ? "yes" : "no";

function rowOf({ memory, limits, ...adapter }: Adapter) {
  const { total, free } = memory ?? {}, { storageBinding, buffer, workgroup } = limits ?? {};
  return { ...adapter, total, free, storageBinding, buffer, workgroup };
}

const COLUMNS: readonly Column<ReturnType<typeof rowOf>>[] = [
  { heading: "device", of: "device" },
  { heading: "name", of: "name", align: "left" },
  { heading: "kind", of: "kind", align: "left" },
  { heading: "memory", of: "total", as: gib },
  { heading: "free", of: "free", as: gib },
  { heading: "bound at once", of: "storageBinding", as: gib },
  { heading: "buffer", of: "buffer", as: gib },
  { heading: "workgroup", of: "workgroup", as: gib },
  { heading: "shader-f16", of: "half", as: yes },
  { heading: "subgroup", of: "subgroup" },
  { heading: "chosen", of: "chosen", as: yes },
  { heading: "driver", of: "driver", align: "left" },
];

/** Devices of llama.cpp whose package is too large to be fetched for a look. */
const LARGE: Readonly<Partial<Record<LlamaDevice, string>>> = {
  cuda: "not tried, as its package has 143 MB: --engine llama.cpp --device cuda fetches it",
};

/** Whether llama.cpp starts on a device. */
async function llamaText(device: LlamaDevice): Promise<string> {
  try {
    const name = packageOf(device), large = LARGE[device];
    if (large !== undefined) return `${name}: ${large}`;
    const { gpus } = await openLlama(device);
    return [`${name}: starts`, ...gpus.map(({ description }) => description)].join(", ");
  } catch (error) {
    return `does not start: ${(error as Error).message}`;
  }
}

/** What `deno task inspect --devices` prints. */
export async function devicesText(): Promise<string> {
  const found = adapters();
  const table = found.length === 0
    ? "no GPU was found: see lib/runtime/adapters.ts for what is asked, and what a driver needs"
    : textOf(tableOf(found.map(rowOf), COLUMNS));
  const lines: string[] = [];
  for (const device of ["cpu", "webgpu", "cuda"] as const) {
    const error = await deviceError(device);
    lines.push(`${device.padEnd(8)}${error === undefined ? "starts" : `does not start: ${error}`}`);
  }
  lines.push("", "by llama.cpp, for GGUF files:");
  const isMac = Deno.build.os === "darwin";
  for (const device of isMac ? ["cpu", "metal"] as const : ["cpu", "vulkan", "cuda"] as const) {
    lines.push(`${device.padEnd(8)}${await llamaText(device)}`);
  }
  return `${visible(`${table}\n\n${lines.join("\n")}`)}\n`;
}
