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
 *
 * The hook sends the bundle itself and leaves an empty result to the kernel, which may send a result after the
 * end of its cell: JupyterLab then shows it below the next cell, or nowhere.
 */
export function displayedAs<T extends object>(
  value: T,
  bundle: () => Record<string, unknown> | Promise<Record<string, unknown>>,
): T {
  const hook = async () => {
    const api = jupyter(), made = await bundle();
    if (api === undefined) return made;
    await api.display(made, { raw: true });
    await settle();
    return {};
  };
  return Object.defineProperty(value, DISPLAY, {
    value: hook,
    enumerable: false,
    configurable: true,
  });
}
