/**
 * The entries that are there: what is `undefined` is left out, as files and options objects want it.
 *
 * @module
 */

/** An object without what is undefined. */
export type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** The entries of an object whose value is there. */
export function given<T extends object>(entries: T): Given<T> {
  return Object.fromEntries(
    Object.entries(entries).filter(([, value]) => value !== undefined),
  ) as Given<T>;
}
