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
