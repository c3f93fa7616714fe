/**
 * Methods as flat fields of a request, inside `vllm_xargs`: `moi_method` names one of {@linkcode METHODS},
 * `moi_<knob>` is its option of that name in snake case, as in `{ moi_method: "moi", moi_beta: 0.25 }`.
 *
 * @module
 */

import { refusal } from "../_check.ts";
import { type Method, METHODS, SAMPLER_FIELDS } from "../decode/mod.ts";

/** How all our fields begin. */
export const PREFIX = "moi_";

const METHOD = `${PREFIX}method`;

/** The value of a field: JSON has no infinity, so it is the text "Infinity". */
export type FieldValue = string | number | boolean;

/** Options that are objects, and how methods record what is in them: as knobs of these names. */
const GROUPS: Readonly<Record<string, RegExp>> = {
  coldStop: /^cold(Threshold|Length)$/,
  markers: /^(open|close)$/,
  answer: /^answer([A-Z]\w*)$/,
};

/** The knobs of options that are objects. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  coldStop: ["coldStop", "coldThreshold", "coldLength"], // false, or what is in it
  markers: ["open", "close"],
  answer: SAMPLER_FIELDS
    .filter((name) => !["entropyTemperature", "logitBias", "allowedTokens"].includes(name))
    .map((name) => `answer${name[0]!.toUpperCase()}${name.slice(1)}`),
};

/** The options of a method: it says so where it is asked for one that there is not. */
function optionsOf(name: string): readonly string[] {
  try {
    METHODS[name]!.make({ "": 0 } as object);
  } catch (error) {
    return ((error as Error).cause as { known: readonly string[] }).known;
  }
  return [];
}

/** The knobs of a method, in snake case and without `moi_`. */
export function knobsOf(name: string): string[] {
  return optionsOf(name).flatMap((option) => PARTS[option] ?? [option]).map(snakeCase);
}

/** Options from flat knobs. */
function grouped(knobs: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [knob, value] of knobs) {
    const group = Object.keys(GROUPS).find((name) => GROUPS[name]!.test(knob));
    if (group === undefined) options[knob] = value;
    else {
      const [, part] = GROUPS[group]!.exec(knob)!, inner = part![0]!.toLowerCase() + part!.slice(1);
      options[group] = { ...options[group] as object, [inner]: value };
    }
  }
  return options;
}

/** `topK` as `top_k`. */
export const snakeCase = (name: string) =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** `top_k` as `topK`. */
export const camelCase = (name: string) =>
  name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/**
 * The field that an option of a method stands for.
 *
 * @param verb What cannot be done with it: what cannot be sampled is a setting of the answer.
 */
export function methodFieldOf(option: string, verb: string): string {
  if (option.startsWith(PREFIX)) return option;
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
    const rule = `be one of ${Object.keys(METHODS).join(", ")}`;
    throw new RangeError(refusal("decode", METHOD, rule, name));
  }
  const flat = entries.map(([field, value]): [string, unknown] => {
    if (!field.startsWith(PREFIX) || camelCase(snakeCase(field)) !== camelCase(field)) {
      throw new TypeError(refusal("decode", field, `begin with ${PREFIX}, in snake case`, value));
    }
    const isScalar = ["string", "number", "boolean"].includes(typeof value);
    if (!isScalar) {
      const rule = "be a text, a number, true or false";
      throw new TypeError(refusal("decode", field, rule, value));
    }
    return [camelCase(field.slice(PREFIX.length)), value === "Infinity" ? Infinity : value];
  });
  if (name === "standard" && entries.length > 0) {
    const [field, value] = entries[0]!;
    throw new TypeError(refusal("decode", field, "be left out with standard", value));
  }
  return METHODS[name]!.make(grouped(flat));
}
