/**
 * Libraries that a machine may lack.
 *
 * @module
 */

/**
 * What gives a library, opened when it is first asked for; undefined where it cannot be opened.
 *
 * @param open Opens it. That it is not permitted to is thrown.
 */
export function optionalLibrary<T>(open: () => T): () => T | undefined {
  let library: T | undefined;
  return () => {
    try {
      return library ??= open();
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      return undefined;
    }
  };
}
