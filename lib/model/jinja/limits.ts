/** What a template may do and make, whoever wrote it. @module */

/** The largest text, list or number of digits that an operation may make. */
const MAX_SIZE = 2 ** 24;
/** Work of a template: about one a part of it that is run, or a value looked at. */
const MAX_STEPS = 10_000_000;
/** How deep calls, loops and expressions may be within another where they run. */
const MAX_DEPTH = 800;
/** How deep the parts of a template may be within another where they are read. */
export const MAX_NESTING = 150;
/** How deep the values of a caller may be within another. */
export const MAX_GIVEN_DEPTH = 64;
/** Digits of an integer that is written or read, and of a precision, as in Python. */
export const MAX_DIGITS = 4300;
/** Bits of an integer that is made. */
export const MAX_BITS = 100_000n;
/** The longest `range`, as in jinja2's sandbox. */
export const MAX_RANGE = 100_000;

/** What the template that runs has used: one runs at a time, from its start to its end. */
let steps = 0, depth = 0, written = 0;

export function metered<T>(run: () => T): T {
  steps = depth = written = 0;
  return run();
}

/** Counts work that is about to be done. */
export function spend(more = 1): void {
  steps += more;
  if (steps > MAX_STEPS) throw new RangeError(`the template takes more than ${MAX_STEPS} steps`);
}

/** Counts what a function made by its size. */
export function paid<T>(made: T): T {
  if (typeof made === "string") spend(made.length >> 6);
  else if (Array.isArray(made)) spend(made.length >> 4);
  return made;
}

/** Refuses a size before anything of that size is made. */
export function checkSize(size: number | bigint): number {
  if (size > MAX_SIZE) throw new RangeError(`the template makes more than ${MAX_SIZE} characters`);
  return Number(size);
}

/** Runs a part that may hold itself. */
export function deeper<T>(part: () => T): T {
  if (++depth > MAX_DEPTH) throw new RangeError(`the template is more than ${MAX_DEPTH} deep`);
  try {
    return part();
  } finally {
    depth--;
  }
}

export function write(out: string[], text: string): undefined {
  written = checkSize(written + text.length);
  if (text !== "") out.push(text);
}

/** Joins texts within the largest size. */
export function joined(parts: readonly string[], separator = ""): string {
  const size = parts.reduce((n, part) => n + part.length, separator.length * parts.length);
  spend(checkSize(size) >> 6);
  return parts.join(separator);
}
