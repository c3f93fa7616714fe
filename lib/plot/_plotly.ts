/**
 * plotly.js without a network.
 *
 * The npm package is imported as text, so it is never run in Deno. A page or notebook carries it
 * once, as gzip in base64 (2.6 MB instead of 10.1), and the browser unpacks it with
 * DecompressionStream. Figures wait for the promise that the loader leaves in the page.
 *
 * @module
 */

import { escapeHtml, plainLabel, scriptJson } from "../_escape.ts";
import type { Figure } from "./figure.ts";
import { plainJson } from "./_json.ts";

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

/** Source of plotly.js, as text. */
export async function plotlySource(): Promise<string> {
  return (await import("npm:plotly.js-dist@4.1.1/plotly.js", { with: { type: "text" } })).default;
}

let loader: Promise<string> | undefined;

/** A `<script>` that installs plotly.js in the page, once however often it is there. */
export const loaderScript = (): Promise<string> => loader ??= build();

async function build(): Promise<string> {
  const gzip = new Blob([await plotlySource()]).stream().pipeThrough(new CompressionStream("gzip"));
  const base64 = new Uint8Array(await new Response(gzip).arrayBuffer()).toBase64();
  return `<script>window.__moiPlotly ??= (async () => {
const bytes = Uint8Array.from(atob("${base64}"), (c) => c.charCodeAt(0));
const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
const script = document.createElement("script");
script.textContent = await new Response(stream).text();
document.head.appendChild(script);
return window.Plotly;
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

/** Type of a trace. */
export function typeOf(trace: object): unknown {
  return (trace as { readonly type?: unknown } | null)?.type ?? "scatter";
}

/** Whether all of a figure can be drawn without a browser. */
export function isDrawable({ data }: Figure): boolean {
  return data.every((trace) => DRAWABLE.includes(typeOf(trace) as string));
}

/**
 * The element of a figure and the script that draws it as soon as plotly.js is there; until then, and
 * where scripts do not run, it says `until`.
 */
export function figureHtml(figure: Figure, id: string, until = ""): string {
  const height = heightOf(figure);
  const json = scriptJson(figureJson(figure));
  const label = escapeHtml(describe(figure));
  return `<div id="${id}" class="moi-figure" role="figure" aria-label="${label}" ` +
    `style="min-height:${height}px;background:#fff;color:#000">${escapeHtml(until)}</div>
<script>(() => {
const figure = ${json};
const draw = async (tries) => {
  const element = document.getElementById("${id}");
  try {
    const plotly = await (window.__moiPlotly ?? window.Plotly);
    if (plotly && element) {
      element.textContent = "";
      return void await plotly.newPlot(element, figure);
    }
  } catch (error) {
    if (element) element.textContent = "plotly.js could not draw this figure: " + error;
    return;
  }
  if (tries > 0) setTimeout(() => draw(tries - 1), 250);
  else if (element) element.textContent = "plotly.js is not loaded: run the cell that calls initPlots()";
};
draw(120);
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
