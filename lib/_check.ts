/**
 * Argument checks with one sentence form: what could not be done, the rule, the value received.
 *
 * @module
 */

/** A received value as it appears in an error message: short, one line. */
export function shown(value: unknown): string {
  const text = typeof value === "string"
    ? JSON.stringify(value)
    : Deno.inspect(value, { depth: 1, breakLength: Infinity, compact: true, iterableLimit: 8 });
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** The sentence itself: "Cannot decode as 'beta' must be at least 0: current value is -1". */
export function refusal(verb: string, name: string, rule: string, value: unknown): string {
  return `Cannot ${verb} as '${name}' must ${rule}: current value is ${shown(value)}`;
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

/** Refuses option names that the function does not know, so that a typing error is never ignored. */
export function checkOptions(verb: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(refusal(verb, "options", `be an object of ${known.join(", ")}`, options));
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(
        `Cannot ${verb} as '${name}' is not an option: known options are ${known.join(", ")}`,
      );
    }
  }
}
