/** What the studies share: their plans, methods as plans write them, and results that are kept. @module */

import { fileURLToPath } from "node:url";
import {
  inputLoss,
  type InputLossOptions,
  type LossText,
  type Method,
  METHODS,
  type TextLoss,
} from "../../lib/decode/mod.ts";
import type { Model } from "../../lib/model/mod.ts";
import { replaceFile } from "../../lib/study/store.ts";
import { sha256 } from "../../lib/_sha256.ts";
import { say } from "../_cli.ts";

/** A pre-registered study: what is asked, how it is decided, and the settings that it runs with. */
export interface Plan<Settings> {
  readonly name: string;
  readonly question: string;
  readonly model: string;
  readonly settings: Settings;
  readonly primary: string;
}

/** A method as plans write it: its name in METHODS, and its options. */
export type WrittenMethod = Readonly<Record<string, string | number | boolean>>;

/** The committed plan of a study. */
export function planPath(name: string): string {
  return fileURLToPath(new URL(`plans/${name}.json`, import.meta.url));
}

/** Reads a plan. */
export async function planOf<Settings>(path: string): Promise<Plan<Settings>> {
  return JSON.parse(await Deno.readTextFile(path));
}

/** So many of a list, evenly. */
export function spread<T>(all: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, i) => all[Math.floor(i * all.length / count)]!);
}

/** Where what was found is kept. */
export function foundFolder(): string {
  return `${Deno.env.get("MOI_RUNS") ?? "runs"}/evidence`;
}

/** The methods of a plan; a number that JSON lacks stands there as text. */
export function methodsOf(
  written: Readonly<Record<string, WrittenMethod>>,
): Record<string, Method> {
  const number = (value: unknown) => value === "Infinity" ? Infinity : value;
  return Object.fromEntries(
    Object.entries(written).map(([key, { name, ...options }]) => {
      const known = Object.entries(options).map(([option, value]) => [option, number(value)]);
      return [key, METHODS[name as string]!.make(Object.fromEntries(known))];
    }),
  );
}

/**
 * A part of a study, computed once: what was found before with the same model and settings is read again.
 *
 * @param part Name of the part.
 * @param settings All else that decides what is found.
 */
export async function kept<Found>(
  { fingerprint, dtype, kv }: Model,
  part: string,
  settings: unknown,
  compute: () => Promise<Found>,
): Promise<Found> {
  const digest = sha256(JSON.stringify({ fingerprint, dtype, kv, settings }));
  const path = `${foundFolder()}/${part}-${digest}.json`;
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const found = await compute();
  await replaceFile(path, "what was found", [JSON.stringify(found)]);
  return found;
}

/** Losses of all texts of a part; it is an error to be stopped, since a part is kept whole. */
export async function lossesOfAll(
  model: Model,
  part: string,
  texts: readonly LossText[],
  options: InputLossOptions,
): Promise<TextLoss[]> {
  const onProgress: InputLossOptions["onProgress"] = ({ done, total }) =>
    done % 20 === 0 && say(`${part}: ${done} of ${total}`);
  const found = await inputLoss(model, texts, { ...options, onProgress });
  if (found.length < texts.length) throw new Error(`Cannot go on with ${part} as it was stopped`);
  return found;
}
