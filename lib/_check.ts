/**
 * Argument checks with one sentence form: what could not be done, the rule, the value received.
 *
 * @module
 */

import { hint } from "./_near.ts";

/** A received value as it appears in an error message: short, one line. */
export function shown(value: unknown): string {
  const text = typeof value === "string"
    ? JSON.stringify(value)
    : Deno.inspect(value, { depth: 1, breakLength: Infinity, compact: true, iterableLimit: 8 });
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/**
 * The sentence itself: "Cannot decode as 'beta' must be at least 0: current value is -1".
 *
 * @param known Where the value must be one of these names: one that is near is offered at the end.
 */
export function refusal(
  verb: string,
  name: string,
  rule: string,
  value: unknown,
  known: readonly string[] = [],
): string {
  const current = `current value is ${shown(value)}${hint(value, known)}`;
  return `Cannot ${verb} as '${name}' must ${rule}: ${current}`;
}

/** Bounds of {@linkcode checkNumber}. */
export interface NumberRule {
  /** Smallest value allowed; default −∞. */
  readonly min?: number;
  /** Largest value allowed; default +∞ (which itself is allowed only with `infinite`). */
  readonly max?: number;
  /** Whether the value must be a safe integer. */
  readonly integer?: boolean;
  /** Whether `Infinity` is allowed. */
  readonly infinite?: boolean;
  /** Whether `min` itself is excluded. */
  readonly exclusiveMin?: boolean;
}

/** Throws a TypeError for what is no number and a RangeError for one outside the rule. */
export function checkNumber(verb: string, name: string, value: unknown, rule: NumberRule): number {
  const { min = -Infinity, max = Infinity, integer = false, infinite = false } = rule;
  const lowest = min === -Infinity
    ? ""
    : rule.exclusiveMin
    ? `greater than ${min}`
    : `at least ${min}`;
  const bounds = [lowest, max === Infinity ? "" : `at most ${max}`].filter((b) => b).join(" and ");
  const text = `be ${integer ? "an integer" : "a number"}${bounds ? ` ${bounds}` : ""}`;
  if (typeof value !== "number") throw new TypeError(refusal(verb, name, text, value));
  const inside = (rule.exclusiveMin ? value > min : value >= min) && value <= max;
  const finite = Number.isFinite(value) || (infinite && value === Infinity);
  if (!inside || !finite || (integer && !Number.isSafeInteger(value))) {
    throw new RangeError(refusal(verb, name, text, value));
  }
  return value;
}

/** The rule of one option: throws where a value that is there breaks it. */
export type Rule = (verb: string, name: string, value: unknown) => void;

/** The rules of all options of a function: the compiler refuses a table that lacks one. */
export type Rules<Options extends object> = { readonly [Name in keyof Options]-?: Rule };

/** A rule in words: `is` says whether a value keeps it; one that does not is of the wrong kind. */
export function kind(words: string, is: (value: unknown) => boolean): Rule {
  return (verb, name, value) => {
    if (!is(value)) throw new TypeError(refusal(verb, name, words, value));
  };
}

/** A number within bounds. */
export const number = (rule: NumberRule = {}): Rule => (verb, name, value) => {
  checkNumber(verb, name, value, rule);
};

/** One of a few values. */
export function oneOf(...values: readonly (string | number | boolean)[]): Rule {
  const shownValues = values.map((value) => typeof value === "string" ? `'${value}'` : value);
  const last = shownValues.at(-1), before = shownValues.slice(0, -1).join(", ");
  const words = `be ${before ? `${before} or ` : ""}${last}`;
  const names = values.filter((one) => typeof one === "string");
  return (verb, name, value) => {
    if (values.includes(value as string)) return;
    const isKind = values.some((one) => typeof one === typeof value);
    throw new (isKind ? RangeError : TypeError)(refusal(verb, name, words, value, names));
  };
}

/** True or false. */
export const boolean: Rule = kind("be true or false", (value) => typeof value === "boolean");
/** Whether a value is a text that is not empty. */
export function isWords(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
/** A text that is not empty. */
export const words: Rule = kind("be a text that is not empty", isWords);
/** A text. */
export const text: Rule = kind("be a string", (value) => typeof value === "string");
/** A function. */
export const callable: Rule = kind("be a function", (value) => typeof value === "function");
/** What ends the work. */
export const signal: Rule = kind("be an AbortSignal", (value) => value instanceof AbortSignal);
/** Whatever is checked elsewhere, where more is known about it. */
export const anything: Rule = () => {};

/** A list whose items keep a rule. */
export const listOf = (rule: Rule): Rule => (verb, name, value) => {
  if (!Array.isArray(value)) throw new TypeError(refusal(verb, name, "be a list", value));
  for (const item of value) rule(verb, name, item);
};

/**
 * An object whose fields keep rules, and are named with their owner: "trace.top".
 *
 * @param rules Rules of its fields.
 * @param words The rule in words. Default: "be an object".
 * @param isOptional Whether a field may be left out. Default: yes.
 */
export const objectOf = <Fields extends object>(
  rules: Rules<Fields>,
  words = "be an object",
  isOptional = true,
): Rule =>
(verb, name, value) => {
  if (!isObject(value)) throw new TypeError(refusal(verb, name, words, value));
  checkNames(verb, value, rules);
  for (const [field, rule] of Object.entries<Rule>(rules)) {
    if (!isOptional || value[field] !== undefined) rule(verb, `${name}.${field}`, value[field]);
  }
};

/** Refuses a name that is not among the rules, so that a typing error is never ignored. */
function checkNames(verb: string, options: object, rules: object): void {
  const known = Object.keys(rules);
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TypeError(
    `Cannot ${verb} as '${unknown}' is not an option: known options are ${known.join(", ")}` +
      hint(unknown, known),
    { cause: { known } },
  );
}

/** Checks options against their rules; one that is undefined is as good as left out. */
export function checkOptions<Options extends object>(
  verb: string,
  options: Options,
  rules: Rules<Options>,
): void {
  if (typeof options !== "object" || options === null) {
    const rule = `be an object of ${Object.keys(rules).join(", ")}`;
    throw new TypeError(refusal(verb, "options", rule, options));
  }
  checkNames(verb, options, rules);
  for (const [name, rule] of Object.entries<Rule>(rules)) {
    const value = options[name as keyof Options];
    if (value !== undefined) rule(verb, name, value);
  }
}

/** Whether a value is an object with named fields: no null, no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
