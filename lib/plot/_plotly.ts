/**
 * plotly.js without a network.
 *
 * The npm package is imported as text, so it is never run in Deno. A page carries it once, as gzip in
 * base64, and the browser unpacks it with DecompressionStream: 0.7 MB of the bundle that draws on two
 * axes, 2.6 MB of all of plotly, which is taken where a figure needs it. Figures wait for the promise
 * that the loader leaves in the page.
 *
 * @module
 */

import { escapeHtml, plainLabel, scriptJson } from "../_escape.ts";
import type { Figure } from "./figure.ts";
import { plainJson } from "./_json.ts";
import { packed } from "./_packed.ts";
import liveCode from "./page/live.ts" with { type: "text" };
import { scriptOf } from "./page/script.ts";
import unpackedCode from "./page/unpacked.ts" with { type: "text" };

/** Pixels of a figure whose layout names no size. */
export const DEFAULT_SIZE = { width: 900, height: 420 } as const;

/**
 * Behaviour of every figure, unless its own config differs. The button that uploads the data to
 * plotly's cloud, which plotly 4 shows by default, is off; "$" in a label is a dollar sign.
 */
export const CONFIG = {
  responsive: true,
  displaylogo: false,
  showSendToCloud: false,
  typesetMath: false,
} as const;

/** Types of traces of the small bundle, which draws on two axes and without WebGL. */
const CARTESIAN = [
  ...["bar", "box", "contour", "heatmap", "histogram", "histogram2d", "histogram2dcontour"],
  ...["image", "pie", "scatter", "scatterternary", "violin"],
];

/** Type of a trace. */
export function typeOf(trace: object): unknown {
  return (trace as { readonly type?: unknown } | null)?.type ?? "scatter";
}

/** Whether the small bundle draws all of a figure. */
export function isCartesian({ data }: Figure): boolean {
  return data.every((trace) => CARTESIAN.includes(typeOf(trace) as string));
}

/** Source of the small bundle, as text. */
export async function plotlySource(): Promise<string> {
  return (await import("npm:plotly.js-cartesian-dist-min@4.1.1/plotly-cartesian.min.js", {
    with: { type: "text" },
  })).default;
}

/** Source of all of plotly.js, as text. */
async function allOfPlotly(): Promise<string> {
  return (await import("npm:plotly.js-dist@4.1.1/plotly.js", { with: { type: "text" } })).default;
}

const loaders = new Map<() => Promise<string>, Promise<string>>();

/** A `<script>` that installs plotly.js in the page, once however often it is there. */
export function loaderScript(figures: readonly Figure[]): Promise<string> {
  const source = figures.every(isCartesian) ? plotlySource : allOfPlotly;
  const made = loaders.get(source) ?? build(source).catch((error: unknown) => {
    loaders.delete(source); // the next call tries again
    throw error;
  });
  loaders.set(source, made);
  return made;
}

async function build(source: () => Promise<string>): Promise<string> {
  return `<script>window.__moiPlotly ??= (async () => {
${scriptOf(unpackedCode)}
const script = document.createElement("script");
script.textContent = await unpacked("${packed(await source())}");
document.head.appendChild(script);
return window.Plotly;
})();</script>`;
}

/** A `<script>` after which every picture of the page that carries a figure is a live one. */
export async function liveScript(): Promise<string> {
  return `${await loaderScript([])}<script>window.__moiLive ??= (() => {
${scriptOf(liveCode)}
window.__moiPlotly.then(enliven);
return true;
})();</script>`;
}

/** A figure as JSON with its height and behaviour: the one way in which figures leave. */
export function figureJson({ data, layout, config }: Figure): string {
  return plainJson({
    data,
    layout: { ...layout, height: heightOf({ data, ...(layout ? { layout } : {}) }) },
    config: { ...CONFIG, ...config },
  });
}

/** Trace types that draw without a canvas, which jsdom has not. */
export const DRAWABLE = ["scatter", "bar", "box", "histogram", "violin", "pie"];

/** The element of a figure, and the script that draws it once the page's plotly.js is there. */
export function figureHtml(figure: Figure, id: string): string {
  const label = escapeHtml(describe(figure));
  return `<div id="${id}" class="moi-figure" role="figure" aria-label="${label}" ` +
    `style="min-height:${heightOf(figure)}px;background:#fff;color:#000"></div>
<script>(async () => {
const element = document.getElementById("${id}");
const figure = ${scriptJson(figureJson(figure))};
try {
  await (await window.__moiPlotly).newPlot(element, figure);
} catch (error) {
  element.textContent = "plotly.js could not draw this figure: " + error;
}
})();</script>`;
}

/** Height of a figure in pixels. */
export function heightOf(figure: Figure): number {
  const height = figure.layout?.height;
  return typeof height === "number" ? height : DEFAULT_SIZE.height;
}

/** One line of plain text in place of a figure. */
export function describe(figure: Figure): string {
  const title = figure.layout?.title as
    | string
    | { text?: string; subtitle?: { text?: string } }
    | undefined;
  const parts = typeof title === "string" ? [title] : [title?.text, title?.subtitle?.text];
  const said = parts.filter((part) => part).map((part) => plainLabel(part!)).join(". ");
  return `[figure: ${said || `${figure.data.length} traces`}]`;
}
