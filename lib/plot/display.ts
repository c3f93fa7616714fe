/**
 * Figures in a notebook.
 *
 * A cell ends with `await show(figure)`. The figure goes out in three forms, of which the front-end
 * takes the best it knows: plotly's own MIME type, HTML that draws itself, and a line of text.
 * Scripts of a reopened notebook run only if it is trusted (`jupyter trust`), and never on GitHub:
 * commit `toSvg(figure)` beside a notebook whose figures should be seen there.
 *
 * @module
 */

import { loadIn, showIn } from "./_bundle.ts";
import type { Figure, Html } from "./figure.ts";
import { type Jupyter, jupyter } from "./_jupyter.ts";

/**
 * Displays a value in the cell that runs, and waits until it has left.
 *
 * @param value A figure, HTML, a list of both, or anything else that the kernel can display.
 * @returns When the value has left for the notebook.
 * @throws {TypeError} Outside a notebook.
 *
 * @example Last line of a cell
 * ```ts ignore
 * import { plotGains, show } from "@moi/moi/plot";
 *
 * await show(plotGains(rows));
 * ```
 */
export async function show(
  value: Figure | Html | readonly (Figure | Html)[] | unknown,
): Promise<void> {
  await showIn(notebook("show"), value);
}

/**
 * Puts plotly.js into the notebook. Give it a cell of its own near the top: the figures of a
 * reopened notebook need the output of that cell. Without it the first `show` of a figure carries
 * plotly.js, and running that cell again drops it from the file.
 *
 * @returns When plotly.js has left for the notebook.
 * @throws {TypeError} Outside a notebook.
 *
 * @example A cell of its own
 * ```ts ignore
 * import { initPlots } from "@moi/moi/plot";
 *
 * await initPlots();
 * ```
 */
export async function initPlots(): Promise<void> {
  await loadIn(notebook("load plotly.js"));
}

function notebook(verb: string): Jupyter {
  const api = jupyter();
  if (api === undefined) {
    throw new TypeError(
      `Cannot ${verb} as this is not a notebook: write the result of toHtml or toSvg to a file`,
    );
  }
  return api;
}
