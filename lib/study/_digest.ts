/** Values as they are recorded and compared: digests of texts and records, records of scalars. @module */

import manifest from "../../deno.json" with { type: "json" };
import { given } from "../_given.ts";
import { sha256 } from "../_sha256.ts";
import type { Message, Model } from "../model/mod.ts";
import type { Problem } from "../tasks/mod.ts";
import type { Scalars } from "./run.ts";

/**
 * A value as JSON with its keys sorted; `undefined` is left out, and what JSON cannot hold (integers
 * beyond 2⁵³, NaN, dates, maps, typed arrays, functions) is written in a way of its own.
 *
 * @throws {TypeError} Where the value refers to itself.
 */
export function canonical(value: unknown, above: readonly unknown[] = []): string {
  if (typeof value === "number") return Number.isFinite(value) ? JSON.stringify(value) : `${value}`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function" || typeof value === "symbol") {
    return JSON.stringify(`${String(value)}`);
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  if (above.includes(value)) throw new TypeError("it refers to itself");
  const within = [...above, value], inner = (own: unknown) => canonical(own, within);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return inner(toJSON.call(value, ""));
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return inner(Array.from(value as Uint8Array));
  }
  if (value instanceof Map || value instanceof Set) return inner([...value]);
  if (Array.isArray(value)) return `[${value.map(inner).join(",")}]`;
  const entries = Object.entries(value).filter(([, own]) => own !== undefined);
  const proto = Object.getPrototypeOf(value);
  if (entries.length === 0 && proto !== null && proto !== Object.prototype) {
    return inner(`${value}`);
  }
  const parts = entries.toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([name, own]) => `${JSON.stringify(name)}:${inner(own)}`);
  return `{${parts.join(",")}}`;
}

/**
 * Digest of a prompt as a task words it, as {@linkcode Run.wording} holds it.
 */
export function wordingOf(prompt: readonly Message[] | string): string {
  return sha256(canonical(prompt));
}

/** A digest of each field of a problem but its id: 8 hex digits. */
export function fieldDigests({ id, ...fields }: Problem): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given(fields)).toSorted(([a], [b]) => a < b ? -1 : 1).map(([name, value]) => {
      try {
        return [name, sha256(canonical(value), 8)];
      } catch (cause) {
        const { message } = cause as Error; // of a value nested without end, or of its own toJSON
        throw new TypeError(
          `Cannot run the study as '${name}' of problem '${id}' must be plain data: ${message}`,
          { cause },
        );
      }
    }),
  );
}

/** A model as runs name it: the last part of its id, and a digest of its weights. */
export function modelName({ id, fingerprint }: Pick<Model, "id" | "fingerprint">): string {
  return `${id.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1)!}@${fingerprint}`;
}

/** Versions of what computes a model's texts. */
export const versionsOf = ({ versions }: Pick<Model, "versions">): Record<string, string> => ({
  moi: manifest.version,
  ...versions,
  deno: Deno.version.deno,
});

/** A record of scalars as it comes back from a file: without `undefined`, infinities as text. */
export function scalars(record: object = {}): Scalars {
  return Object.fromEntries(
    Object.entries(given(record)).map(([name, value]) => [
      name,
      typeof value === "number" && !Number.isFinite(value) ? `${value}` : value,
    ]),
  ) as Scalars;
}
