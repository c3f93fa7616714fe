/**
 * A figure as SVG, without a browser: plotly.js draws into jsdom. Heatmaps and WebGL need a canvas, which jsdom
 * has not: such a figure is drawn by a Chromium, where there is one, and its canvas is a picture within the SVG.
 * The first call loads and compiles plotly.js (about a second), the next ones take a tenth of that.
 *
 * @module
 */

import { checkOptions, number, refusal, type Rules } from "../_check.ts";
import { xmlText } from "../_escape.ts";
import { uniform } from "../_random.ts";
import { drawInChromium, findChromium } from "./_chromium.ts";
import { type Figure, isFigure } from "./figure.ts";
import { plainJson } from "./_json.ts";
import { CONFIG, DEFAULT_SIZE, DRAWABLE, heightOf, plotlySource, typeOf } from "./_plotly.ts";
import { type SvgElementLike, textBox } from "./_textbox.ts";

/** Options of {@linkcode toSvg}. */
export interface ToSvgOptions {
  /** Width in pixels, from 50 to 10,000. Default: the layout's own, or 900. */
  readonly width?: number;
  /** Height in pixels, likewise. Default: the layout's own, or 420. */
  readonly height?: number;
}

const PIXELS = number({ min: 50, max: 10_000 });

/** The rules of sizes. */
export const SIZE_RULES: Rules<ToSvgOptions> = { width: PIXELS, height: PIXELS };

let compiled: Promise<import("node:vm").Script> | undefined;

/**
 * Draws a figure as SVG. The same figure of scatter, bar, box, histogram, violin and pie traces gives the same
 * text, so it can be committed and compared. One with other traces needs a Chromium, in PATH or named by the
 * variable CHROME_PATH, and the permission to run it; fonts are the machine's then.
 *
 * @throws {TypeError} If the value is no figure, or a trace needs a Chromium and none is there.
 * @throws {Error} If the Chromium may not be run, fails, or takes longer than a minute.
 *
 * @example A line as SVG
 * ```ts
 * import { toSvg } from "@moi/moi/plot";
 * import { assertStringIncludes } from "@std/assert";
 * const svg = await toSvg({ data: [{ type: "scatter", x: [1, 2], y: [1, 4], name: "squares" }] });
 * assertStringIncludes(svg, '<svg class="main-svg"');
 * ```
 */
export async function toSvg(figure: Figure, options: ToSvgOptions = {}): Promise<string> {
  checkOptions(VERB, options, SIZE_RULES);
  const drawing = drawingOf(VERB, figure, options), { json, width, height, chromium } = drawing;
  if (chromium === undefined) return await svgOf(drawing);
  const format = { format: "svg", width, height } as const;
  return xmlText(decodeURIComponent(await drawInChromium(VERB, chromium, json, format)));
}

const VERB = "draw an SVG";

/** What is drawn, and by what. */
export interface Drawing {
  /** The figure as JSON, with its size and configuration. */
  readonly json: string;
  readonly width: number;
  readonly height: number;
  /** Path of the Chromium that draws what jsdom cannot; without it jsdom can. */
  readonly chromium?: string;
}

/** Checks what is to be drawn. */
export function drawingOf(verb: string, figure: Figure, options: ToSvgOptions): Drawing {
  if (!isFigure(figure)) {
    throw new TypeError(refusal(verb, "figure", "be a figure ({ data, layout })", figure));
  }
  const own = figure.layout?.width;
  const width = options.width ?? (typeof own === "number" ? own : DEFAULT_SIZE.width);
  const height = options.height ?? heightOf(figure);
  PIXELS(verb, "width", width);
  PIXELS(verb, "height", height);
  const layout = { ...figure.layout, width, height };
  const json = plainJson({ data: figure.data, layout, config: CONFIG });
  const other = figure.data.map(typeOf).find((type) => !DRAWABLE.includes(type as string));
  if (other === undefined) return { json, width, height };
  const chromium = findChromium();
  if (chromium !== undefined) return { json, width, height, chromium };
  const rule =
    `be one of ${DRAWABLE.join(", ")} where there is no Chromium: install one, or name ` +
    "its file in CHROME_PATH";
  throw new TypeError(refusal(verb, "trace.type", rule, other));
}

/** Draws into jsdom. */
export async function svgOf({ json, width, height }: Drawing): Promise<string> {
  const { JSDOM, VirtualConsole } = await import("npm:jsdom@31.0.1");
  // A virtual console that nobody listens to: jsdom reports every missing canvas otherwise.
  const dom = new JSDOM("<!doctype html><body></body>", {
    runScripts: "outside-only",
    pretendToBeVisual: true,
    virtualConsole: new VirtualConsole(),
  });
  using made = new DisposableStack();
  made.defer(() => dom.window.close());
  const window = dom.window as unknown as PlotlyWindow;
  // Plotly names clip paths at random. Seeded by the figure, the names are the same each time,
  // and differ between two figures in one document.
  window.Math.random = randomFrom(json);
  window.URL.createObjectURL = () => "blob:none";
  Object.assign(window.SVGElement.prototype, {
    getBBox(this: SvgElementLike) {
      return textBox(this, this);
    },
    getBoundingClientRect(this: SvgElementLike) {
      return textBox(this);
    },
    getTotalLength(this: SvgElementLike) {
      return pathOf(this.getAttribute("d") ?? "").total;
    },
    getPointAtLength(this: SvgElementLike, length: number) {
      return pathOf(this.getAttribute("d") ?? "").at(length);
    },
  });
  (await (compiled ??= compile())).runInContext(dom.getInternalVMContext());
  const format = { format: "svg", imageDataOnly: true, width, height };
  return xmlText(await window.Plotly.toImage(JSON.parse(json), format));
}

/** The end of a segment of a path: the last two of its numbers. */
const END = /(-?[\d.]+(?:e-?\d+)?)[\s,]+(-?[\d.]+(?:e-?\d+)?)(?=\s*(?:[A-Za-z]|$))/g;

/** Length of a path, and the point at a length, along straight lines between the ends of its segments. */
function pathOf(d: string) {
  const points = [...d.matchAll(END)].map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
  const sizes = points.slice(1).map(({ x, y }, i) =>
    Math.hypot(x - points[i]!.x, y - points[i]!.y)
  );
  const total = sizes.reduce((a, b) => a + b, 0);
  const at = (length: number) => {
    let left = Math.max(0, Math.min(total, length));
    for (const [i, size] of sizes.entries()) {
      const a = points[i]!, b = points[i + 1]!;
      if (left <= size && size > 0) {
        return { x: a.x + (b.x - a.x) * left / size, y: a.y + (b.y - a.y) * left / size };
      }
      left -= size;
    }
    return points.at(-1) ?? { x: 0, y: 0 };
  };
  return { total, at };
}

interface PlotlyWindow {
  readonly Math: { random: () => number };
  readonly URL: { createObjectURL: () => string };
  readonly SVGElement: { readonly prototype: object };
  readonly Plotly: { toImage(figure: object, options: object): Promise<string> };
}

async function compile(): Promise<import("node:vm").Script> {
  const { Script } = await import("node:vm");
  return new Script(await plotlySource(), { filename: "plotly.js" });
}

/** Draws whose seed is an FNV-1a hash of the text. */
function randomFrom(text: string): () => number {
  let seed = 0x811c9dc5, step = 0;
  for (let i = 0; i < text.length; i++) seed = Math.imul(seed ^ text.charCodeAt(i), 0x01000193);
  return () => uniform(seed >>> 0, 0, step++);
}
