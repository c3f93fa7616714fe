/** What a run does, in which order, and until when each part may take. */

import { onLlama } from "./card.ts";
import type { PartRequest } from "./part.ts";

/** A part, and its share of the time; what one leaves of it, the next ones have. */
export interface Job extends Pick<PartRequest, "name" | "device" | "model" | "dtype"> {
  readonly share: number;
}

const models = (quick: boolean) => quick ? ["small"] : ["0.6b", "8b"];

/** The parts, in this order. */
export const PARTS = ["golden", "identities", "speed", "torch", "stability"] as const;

/** Models that are measured, the first needed first. */
export function made(quick: boolean): { model: string; dtype: string }[] {
  return models(quick).flatMap((model) =>
    (model === "8b" ? ["int4", "fp16"] : ["fp16", "int4"]).map((dtype) => ({ model, dtype }))
  );
}

/**
 * The jobs for some devices, the most valuable first; speed only where it says something. `only` names
 * parts; default: all.
 */
export function jobsOf(
  devices: readonly string[],
  { quick, measured, only = PARTS }: {
    readonly quick: boolean;
    readonly measured: readonly string[];
    readonly only?: readonly string[];
  },
): Job[] {
  const each = (name: string, share: number) => devices.map((device) => ({ name, device, share }));
  const timed = models(quick).flatMap((model): Job[] => {
    const share = model === "8b" ? 8 : 5;
    return [
      ...made(quick).filter((one) => one.model === model).flatMap((one) =>
        measured.filter((device) => one.dtype === "int4" || !onLlama(device)) // which reads GGUF files
          .map((device) => ({ name: "speed", device, ...one, share }))
      ),
      ...(measured.length > 0 ? [{ name: "torch", device: "torch", model, share }] : []),
    ];
  });
  const all = [...each("golden", 12), ...each("identities", 2), ...timed, ...each("stability", 4)];
  return all.filter(({ name }) => only.includes(name));
}

/** When each part must have ended, milliseconds since 1970. */
export function deadlines(jobs: readonly Job[], begin: number, end: number): number[] {
  const all = jobs.reduce((sum, { share }) => sum + share, 0);
  let done = 0;
  return jobs.map(({ share }) => Math.round(begin + (end - begin) * (done += share) / all));
}
