/**
 * Methods as flat fields of a request, inside `vllm_xargs`: `moi_method` names one of {@linkcode METHODS},
 * `moi_<knob>` is its option of that name in snake case, as in `{ moi_method: "moi", moi_beta: 0.25 }`.
 *
 * @module
 */

import { refusal } from "../_check.ts";
import { hint } from "../_near.ts";
import { type Method, METHODS, SAMPLER_FIELDS } from "../decode/mod.ts";

/** How all our fields begin. */
export const PREFIX = "moi_";

const METHOD = `${PREFIX}method`;

/** The value of a field: JSON has no infinity, so it is the text "Infinity". */
export type FieldValue = string | number | boolean;

/** Settings of a sampler that are a text or a number. */
const SCALARS = SAMPLER_FIELDS
  .filter((name) => !["entropyTemperature", "logitBias", "allowedTokens"].includes(name));

/** Options that are objects: what is in them, by the knobs as which methods record it. */
const PARTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  coldStop: { coldThreshold: "threshold", coldLength: "length" },
  markers: { open: "open", close: "close" },
  answer: Object.fromEntries(
    SCALARS.map((name) => [`answer${name[0]!.toUpperCase()}${name.slice(1)}`, name]),
  ),
};

/** The knobs of an option; `coldStop` is one itself, too, as it may be false. */
function knobsOf(option: string): string[] {
  const parts = Object.keys(PARTS[option] ?? {});
  return option === "coldStop" || parts.length === 0 ? [option, ...parts] : parts;
}

/** The options of a method: it says so where it is asked for one that there is not. */
function optionsOf(name: string): readonly string[] {
  try {
    METHODS[name]!.make({ "": 0 } as object);
  } catch (error) {
    return ((error as Error).cause as { known: readonly string[] }).known;
  }
  return [];
}

/** The knobs of each method, in snake case and without `moi_`. */
export const KNOBS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.keys(METHODS).map((name) => [name, optionsOf(name).flatMap(knobsOf).map(snakeCase)]),
);

/** Options from flat knobs. */
function grouped(knobs: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [knob, value] of knobs) {
    const [group, parts] = Object.entries(PARTS).find(([, own]) => Object.hasOwn(own, knob)) ?? [];
    if (group === undefined) options[knob] = value;
    else options[group] = { ...options[group] as object, [parts![knob]!]: value };
  }
  return options;
}

/** `topK` as `top_k`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `top_k` as `topK`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}

/** What cannot be done with fields that are refused as such. */
const VERB = "decode";

/**
 * The field that is refused: an option of a method stands for one.
 *
 * @param verb What cannot be done with it: what cannot be sampled is a setting of the answer.
 */
export function methodFieldOf(option: string, verb: string): string {
  if (verb === VERB) return option;
  const own = option.replace(/^coldStop\./, "cold.").replace(/^markers(\.|$)/, "");
  const knob = snakeCase(own || "open").replaceAll(".", "_");
  return `${PREFIX}${verb === "sample" ? "answer_" : ""}${knob}`;
}

/**
 * A method's fields.
 *
 * @param method Its name and the knobs that it records.
 *
 * @example
 * ```ts
 * import { moi } from "@moi/moi/decode";
 * import { fieldsOf } from "@moi/moi/serve";
 * import { assertEquals } from "@std/assert";
 * const fields = fieldsOf(moi({ beta: Infinity }));
 * assertEquals(fields, {
 *   ...{ moi_method: "moi", moi_phase: "all" },
 *   ...{ moi_beta: "Infinity", moi_preset: "paper" },
 * });
 * ```
 */
export function fieldsOf(
  { name, parameters = {} }: {
    readonly name: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
  },
): Record<string, FieldValue> {
  const knobs = Object.entries(parameters).filter(([, value]) =>
    value !== undefined && value !== null
  );
  return Object.fromEntries([
    [METHOD, name],
    ...(name === "standard" || "phase" in parameters ? [] : [[`${PREFIX}phase`, "all"]]),
    ...knobs.map(([knob, value]) => [
      `${PREFIX}${snakeCase(knob)}`,
      typeof value === "number" && !Number.isFinite(value) ? `${value}` : value,
    ]),
  ]);
}

/**
 * The method that fields ask for.
 *
 * @param fields Fields that begin with `moi_`. Without `moi_method`, `moi` where there is any, else `standard`.
 * @throws {RangeError | TypeError} Where there is no such method, it has no such knob, or one is out of its rule.
 *
 * @example
 * ```ts
 * import { methodOf } from "@moi/moi/serve";
 * import { assertEquals, assertThrows } from "@std/assert";
 * assertEquals(methodOf({ moi_beta: 0.25 }).parameters, { beta: 0.25, preset: "paper" });
 * assertEquals(methodOf({}).name, "standard");
 * assertThrows(() => methodOf({ moi_beta: -1 }), RangeError, "at least 0");
 * ```
 */
export function methodOf(fields: Readonly<Record<string, unknown>>): Method {
  const { [METHOD]: asked, ...knobs } = fields, entries = Object.entries(knobs);
  const name = asked ?? (entries.length > 0 ? "moi" : "standard");
  if (typeof name !== "string" || !Object.hasOwn(METHODS, name)) {
    const names = Object.keys(METHODS), rule = `be one of ${names.join(", ")}`;
    throw new RangeError(refusal(VERB, METHOD, rule, name, names));
  }
  const known = KNOBS[name]!.map((knob) => `${PREFIX}${knob}`);
  const flat = entries.map(([field, value]): [string, unknown] => {
    const refuse = (rule: string): never => {
      throw new TypeError(refusal(VERB, field, rule, value));
    };
    if (!field.startsWith(PREFIX)) return refuse(`begin with ${PREFIX}`);
    if (!known.includes(field)) {
      const own = known.join(", ") || "no fields";
      return refuse(`be left out, as ${name} takes ${own}${hint(field, known)}`);
    }
    const isScalar = ["string", "number", "boolean"].includes(typeof value);
    if (!isScalar) return refuse("be a text, a number, true or false");
    return [camelCase(field.slice(PREFIX.length)), value === "Infinity" ? Infinity : value];
  });
  return METHODS[name]!.make(grouped(flat));
}
