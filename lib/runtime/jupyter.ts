/**
 * The notebook, if there is one.
 *
 * @module
 */

/** What is used of the API that the Deno kernel adds. */
export interface Jupyter {
  /** Sends a value or, with `raw`, a MIME bundle to the cell that runs. */
  display(
    value: unknown,
    options?: { raw?: boolean; display_id?: string; update?: boolean },
  ): Promise<void>;
}

/**
 * The API of the kernel, or undefined outside a notebook, where reading `Deno.jupyter` throws.
 */
export function jupyter(): Jupyter | undefined {
  try {
    const api = (Deno as unknown as { jupyter?: Jupyter }).jupyter;
    return typeof api?.display === "function" ? api : undefined;
  } catch {
    return undefined;
  }
}

/** Lets a display message leave; without it the kernel may send it after the end of the cell. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

const DISPLAY = Symbol.for("Jupyter.display");

/**
 * Makes a value display itself, as what `bundle` returns, where it is the last one of a cell. The hook is not
 * enumerable: the value stays the plain data that it is for JSON, comparisons and copies.
 */
export function displayedAs<T extends object>(value: T, bundle: () => unknown): T {
  const hook = { value: bundle, enumerable: false, configurable: true };
  return Object.defineProperty(value, DISPLAY, hook);
}
