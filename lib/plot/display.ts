/**
 * Figures in a notebook.
 *
 * A cell ends with a figure, a table or a list of them, or calls `await show(figure)` anywhere. What
 * goes out is a picture (PNG) and plotly's own MIME type, of which the front-end takes the best that
 * it knows: the picture is there in notebooks that are not trusted, on GitHub and in print; VS Code
 * and JupyterLab with its plotly extension draw the figure itself. {@linkcode initPlots} makes
 * figures interactive everywhere, for as long as the notebook is trusted.
 *
 * @module
 */

import { type Jupyter, jupyter } from "../runtime/jupyter.ts";
import { loadIn, showIn } from "./_bundle.ts";

/**
 * Displays a value in the cell that runs, and waits until it has left.
 *
 * @param value A figure, a table, HTML, a list of these, or anything else that the kernel can display.
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
export async function show(value: unknown): Promise<void> {
  await showIn(notebook("show"), value);
}

/**
 * Puts plotly.js into the notebook (2.6 MB, once): from here on figures go out as HTML that draws
 * itself, too. Give it a cell of its own near the top, and leave it out of notebooks that are to be
 * read elsewhere: front-ends prefer HTML to the picture also where its scripts may not run, and then
 * show a line of text.
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
