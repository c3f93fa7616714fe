/**
 * Messages to a notebook.
 *
 * @module
 */

export { type Jupyter, jupyter } from "../runtime/mod.ts";

/** Lets a display message leave; without it the kernel may send it after the end of the cell. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}
