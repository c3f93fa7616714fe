/**
 * Figures in a notebook.
 *
 * A cell ends with a figure, a table or a list of them, or calls `await show(figure)` anywhere. What goes out
 * of a figure is a picture and the JSON that it was made from, of which the front-end takes the best that it
 * knows. The picture is PNG, as that is the one form that every front-end shows of a notebook that it does
 * not trust, GitHub's included; JSON is drawn by front-ends that know plotly (VS Code, JupyterLab with its
 * extension), which rank it higher. HTML would outrank the picture everywhere, and without scripts it is an
 * empty box: it is sent only in a notebook that has called {@linkcode initPlots}, or where a figure cannot be
 * painted without a browser.
 *
 * @module
 */

import { type Jupyter, jupyter, settle } from "../runtime/jupyter.ts";
import { type Figure, type Html, isFigure, isHtml } from "./figure.ts";
import { describe, figureHtml, figureJson, isDrawable, loaderScript } from "./_plotly.ts";
import { toPng } from "./png.ts";
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
 * Puts plotly.js into the notebook (2.6 MB, once): from here on figures go out as HTML that draws
 * itself, too. Give it a cell of its own near the top, and leave it out of notebooks that are to be
 * read elsewhere: front-ends prefer HTML to the picture also where its scripts may not run, and then
 * show a line of text.
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

let loaded = false;

/** Sends a value, or each of a list of figures and HTML, to a notebook. */
export async function showIn(api: Jupyter, value: unknown): Promise<void> {
  const isList = Array.isArray(value) && value.length > 0 && value.every(isShown);
  for (const part of isList ? value as readonly unknown[] : [value]) {
    if (isShown(part)) await api.display(await bundleOf(part), { raw: true });
    else await api.display(part);
    await settle();
  }
}

/** Sends plotly.js to a notebook. */
export async function loadIn(api: Jupyter): Promise<void> {
  const html = `${await loaderScript()}<span style="color:#5f6368">plotly.js is loaded</span>`;
  await api.display({ "text/html": html, "text/plain": "plotly.js is loaded" }, { raw: true });
  loaded = true;
  await settle();
}

/** The forms of a figure, of HTML or of a table. */
export async function bundleOf(value: Shown): Promise<Bundle> {
  if (!isFigure(value)) {
    const { html, text } = htmlOf(value);
    return { "text/html": html, "text/plain": text };
  }
  const json = figureJson(value);
  // Where the painter's packages are out of reach, the figure is shown all the same.
  const png = isDrawable(value) ? await toPng(value).catch(() => undefined) : undefined;
  return {
    "application/vnd.plotly.v1+json": JSON.parse(json),
    ...(png ? { "image/png": png.toBase64() } : {}),
    ...(loaded || !png ? { "text/html": await drawn(value) } : {}),
    "text/plain": describe(value),
  };
}

/** A figure that draws itself where scripts run, and says what it is where they do not. */
async function drawn(figure: Figure): Promise<string> {
  const loader = loaded ? "" : await loaderScript();
  return loader + figureHtml(figure, `figure-${crypto.randomUUID()}`, describe(figure));
}

const DISPLAY = Symbol.for("Jupyter.display");

/**
 * Makes a value display itself where it is the last one of a cell. The hook is not enumerable: the
 * value stays the plain data that it is for JSON, comparisons and copies.
 */
export function displayable<T extends Shown | readonly Shown[]>(value: T): T {
  return Object.defineProperty(value, DISPLAY, {
    value: () => displayed(value),
    enumerable: false,
    configurable: true,
  });
}

/** The bundle of a value; of a list that of its last part, after the others have been sent. */
async function displayed(value: Shown | readonly Shown[]): Promise<Bundle> {
  if (!Array.isArray(value)) return await bundleOf(value as Shown);
  const parts = value as readonly Shown[], last = parts.at(-1), api = jupyter();
  if (api && parts.length > 1) await showIn(api, parts.slice(0, -1));
  return last === undefined ? { "text/plain": "[]" } : await bundleOf(last);
}
