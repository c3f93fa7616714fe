/**
 * Values as the MIME bundles that a notebook stores.
 *
 * @module
 */

import { type Figure, isFigure, isHtml } from "./figure.ts";
import { type Jupyter, settle } from "./_jupyter.ts";
import { CONFIG, describe, figureHtml, heightOf, loaderScript } from "./_plotly.ts";

let loaded = false;

/** Sends a value, or each of a list of figures and HTML, to a notebook. */
export async function showIn(api: Jupyter, value: unknown): Promise<void> {
  const isList = Array.isArray(value) && value.length > 0 &&
    value.every((part) => isFigure(part) || isHtml(part));
  for (const part of isList ? value as readonly unknown[] : [value]) {
    if (isFigure(part)) await api.display(await bundle(part), { raw: true });
    else if (isHtml(part)) {
      await api.display({ "text/html": part.html, "text/plain": part.text }, { raw: true });
    } else await api.display(part);
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

async function bundle(figure: Figure): Promise<Record<string, unknown>> {
  const loader = loaded ? "" : await loaderScript();
  loaded = true;
  const { data, layout, config } = figure;
  return {
    "application/vnd.plotly.v1+json": {
      data,
      layout: { ...layout, height: heightOf(figure) },
      config: { ...CONFIG, ...config },
    },
    "text/html": loader + figureHtml(figure, `figure-${crypto.randomUUID()}`),
    "text/plain": describe(figure),
  };
}
