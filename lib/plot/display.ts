/**
 * Figures in a notebook.
 *
 * A cell ends with a figure, a table or a report, or calls `await show(figure)` anywhere, which takes lists, too:
 * a list that a cell makes is shown as any object. What goes out
 * of a figure is a picture and the JSON that it was made from, of which the front-end takes the best that it
 * knows: JSON where it knows plotly (VS Code, JupyterLab with plotly's extension), else the picture, PNG, which
 * every front-end shows, also of a notebook that it does not trust, GitHub's included.
 *
 * The picture carries its figure (see `toPng`), and becomes live where a script runs in the page that draws
 * such pictures: plotly.js with it, 0.7 MB. A kernel sends this script before its first figure, and then
 * replaces that output by nothing, so that the page has run it and the file does not keep it: where the
 * notebook is opened again, pictures are pictures until a cell shows a figure in a new kernel or calls
 * {@linkcode initPlots}. HTML with scripts in it is not sent for figures, as front-ends prefer it to the
 * picture also where its scripts do not run.
 *
 * @module
 */

import { displayedAs, type Jupyter, jupyter, settle } from "../runtime/jupyter.ts";
import { type Figure, type Html, isFigure, isHtml } from "./figure.ts";
import { describe, figureJson, liveScript } from "./_plotly.ts";
import { namePng, toPng } from "./png.ts";
import { isTable, type Table } from "./table.ts";
import { tableHtml } from "./_table_html.ts";
import { toText } from "./text.ts";

/**
 * Displays a value in the cell that runs, and waits until it has left.
 *
 * @param value A figure, a table, HTML, a list of these, or anything else that the kernel can display.
 * @throws {TypeError} Outside a notebook.
 */
export async function show(value: unknown): Promise<void> {
  await showIn(notebook("show"), value);
}

/**
 * Makes figures live again in a page that has been loaded anew: it sends the script that the kernel has sent
 * before its first figure. The notebook's file does not keep it. Where this is the first call of a kernel, its
 * figures do without a second script.
 *
 * @throws {TypeError} Outside a notebook.
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

/** What a notebook stores of one output. */
type Bundle = Record<string, unknown>;

/** What this folder makes to be shown. */
export type Shown = Figure | Html | Table;

const isShown = (value: unknown): value is Shown =>
  isFigure(value) || isHtml(value) || isTable(value);

/** A table, or HTML, as HTML with its twin. */
export const htmlOf = (value: Html | Table): Html =>
  isTable(value) ? { html: tableHtml(value), text: toText(value) } : value;

/** Sends a value, or each of a list of figures and HTML, to a notebook. */
export async function showIn(api: Jupyter, value: unknown): Promise<void> {
  const isList = Array.isArray(value) && value.length > 0 && value.every(isShown);
  for (const part of isList ? value as readonly unknown[] : [value]) {
    if (isFigure(part)) await loadedIn(api);
    if (isShown(part)) await api.display(await bundleOf(part), { raw: true });
    else await api.display(part);
    await settle();
  }
}

/** What notebooks have been sent, or are being sent. */
const loaded = new WeakMap<Jupyter, Promise<void>>();

/** Milliseconds that a front-end, which may be busy drawing a notebook, has to run the script, once. */
const RUN_MS = 500;

/** Sends plotly.js to a notebook in an output that is empty again afterwards. */
export function loadIn(api: Jupyter): Promise<void> {
  const sending = (async () => {
    const script = { "text/html": await liveScript(), "text/plain": "" };
    const output = { raw: true, display_id: crypto.randomUUID() };
    await api.display(script, output);
    await new Promise((resolve) => setTimeout(resolve, RUN_MS));
    await api.display({}, { ...output, update: true });
    await settle();
  })();
  loaded.set(api, sending);
  return sending;
}

/** Sends it where it has not been sent yet; where it cannot be had, pictures are pictures. */
async function loadedIn(api: Jupyter): Promise<void> {
  await (loaded.get(api) ?? loadIn(api)).catch(() => loaded.delete(api));
}

/** The forms of a figure, of HTML or of a table. */
export async function bundleOf(value: Shown): Promise<Bundle> {
  if (!isFigure(value)) {
    const { html, text } = htmlOf(value);
    return { "text/html": html, "text/plain": text };
  }
  // Where the painter's packages are out of reach, the figure is shown all the same.
  const png = await toPng(value).catch(() => namePng(value)).catch(() => undefined);
  return {
    "application/vnd.plotly.v1+json": JSON.parse(figureJson(value)),
    ...(png ? { "image/png": png.toBase64() } : {}),
    "text/plain": describe(value),
  };
}

/** Makes a value display itself where it is the last one of a cell. */
export function displayable<T extends Shown | readonly Shown[]>(value: T): T {
  return displayedAs(value, () => displayed(value));
}

/** The bundle of a value; of a list that of its last part, after the others have been sent. */
async function displayed(value: Shown | readonly Shown[]): Promise<Bundle> {
  const parts = Array.isArray(value) ? value as readonly Shown[] : [value as Shown];
  const last = parts.at(-1), api = jupyter();
  if (api && parts.length > 1) await showIn(api, parts.slice(0, -1));
  if (api && isFigure(last)) await loadedIn(api);
  return last === undefined ? { "text/plain": "[]" } : await bundleOf(last);
}
