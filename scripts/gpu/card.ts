/** The card, as the driver's own tool describes it; and whether WebGPU would run on the CPU. */

import { type Card, cardsOf } from "./found.ts";

/** What `nvidia-smi` answers; undefined where it is not there. */
async function asked(fields: string): Promise<string | undefined> {
  try {
    const { code, stdout } = await new Deno.Command("nvidia-smi", {
      args: [`--query-gpu=${fields}`, "--format=csv,noheader,nounits"],
      ...{ stdin: "null", stdout: "piped", stderr: "null" },
    }).output();
    return code === 0 ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}

/** The cards of this machine. */
export async function cards(): Promise<Card[]> {
  return cardsOf(await asked("name,driver_version,memory.total") ?? "");
}

/** Memory in use on the first card, MB; undefined where nothing tells. */
export async function usedMemoryMb(): Promise<number | undefined> {
  const text = await asked("memory.used");
  return text === undefined ? undefined : Number(text.trim().split("\n")[0]);
}

/** Whether Vulkan is pointed to a driver that computes on the CPU. */
export function isEmulated(env: Readonly<Record<string, string | undefined>>): boolean {
  const drivers = `${env.VK_DRIVER_FILES ?? ""} ${env.VK_ICD_FILENAMES ?? ""}`;
  return /swiftshader|lvp|lavapipe/i.test(drivers);
}
