/**
 * Reads GGUF metadata with its kinds checked.
 *
 * @module
 */

import type { Gguf, GgufValue } from "./parse.ts";

/** A JSON object. */
export type Json = Record<string, unknown>;

/** Keys below a prefix, remembered as they are read. Where one is absent, so is its value. */
export type Metadata = ReturnType<typeof metadataOf>;

export function metadataOf({ metadata }: Pick<Gguf, "metadata">, prefix = "") {
  const read = new Set<string>();
  const refuse = (key: string, rule: string, value: unknown): never => {
    const shown = value === undefined ? "missing" : JSON.stringify(value);
    throw new SyntaxError(
      `Cannot load the GGUF file as '${prefix}${key}' must ${rule}: current value is ${shown}`,
    );
  };
  const reader = <T extends GgufValue>(rule: string, is: (value: GgufValue) => boolean) => {
    const optional = (key: string): T | undefined => {
      read.add(key);
      const value = metadata.get(prefix + key);
      return value === undefined || is(value) ? value as T | undefined : refuse(key, rule, value);
    };
    return { optional, due: (key: string): T => optional(key) ?? refuse(key, rule, undefined) };
  };
  const isNumber = (value: unknown) => typeof value === "number";
  const isText = (value: unknown) => typeof value === "string";
  const isInteger = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
  const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
  const isNumbers = (value: unknown) => typeof value === "object" && !Array.isArray(value);
  const number = reader<number>("be a number", isNumber).optional;
  return {
    number,
    text: reader<string>("be a text", isText).optional,
    flag: reader<boolean>("be true or false", (value) => typeof value === "boolean").optional,
    numbers: reader<ArrayLike<number>>("be a list of numbers", isNumbers).optional,
    // These must be there.
    integer: reader<number>("be an integer from 0", isInteger).due,
    positive: reader<number>("be positive", (value) => isNumber(value) && Number(value) > 0).due,
    texts: reader<readonly string[]>("be a list of texts", isTexts).due,
    /** Refuses a key whose value is not the one that is understood. */
    only(key: string, value: number, why: string) {
      const found = number(key) ?? value;
      if (found !== value) refuse(key, `be ${value} (${why})`, found);
    },
    refuse,
    /** Refuses keys that nobody has read, others than those. */
    done(...silent: string[]) {
      for (const [key, value] of metadata) {
        const own = key.slice(prefix.length);
        if (!key.startsWith(prefix) || read.has(own) || silent.includes(own)) continue;
        refuse(own, "not be there, as its meaning is not known: load the safetensors", value);
      }
    },
  };
}
