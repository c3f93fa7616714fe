/**
 * A figure as PNG: the picture that every front-end shows, trusted or not. resvg, compiled to WebAssembly, paints
 * the SVG of `toSvg` with the fonts of DejaVu, which have the letters of most alphabets; no browser and no font of
 * the machine is looked for, so that the same figure is the same picture everywhere. Figures that need a canvas
 * are painted by a Chromium, where there is one.
 *
 * @module
 */

import { checkNumber, checkOptions, number, type Rules } from "../_check.ts";
import { escapeHtml } from "../_escape.ts";
import { drawInChromium } from "./_chromium.ts";
import type { Figure } from "./figure.ts";
import { cutTo } from "./_format.ts";
import { DEFAULT_SIZE, describe, figureJson, heightOf, isCartesian } from "./_plotly.ts";
import { palettePng, withText } from "./_png.ts";
import { KEYWORD, LONGEST } from "./page/live.ts";
import { drawingOf, SIZE_RULES, svgOf, type ToSvgOptions } from "./svg.ts";

/** Options of {@linkcode toPng}. */
export interface ToPngOptions extends ToSvgOptions {
  /** Pixels for a pixel of the figure, from 0.25 to 4: 2 for print or dense screens. Default: 1. */
  readonly scale?: number;
}

const RULES: Rules<ToPngOptions> = { ...SIZE_RULES, scale: number({ min: 0.25, max: 4 }) };

const FONTS = [
  "DejaVuSans.ttf",
  "DejaVuSans-Bold.ttf",
  "DejaVuSans-Oblique.ttf",
  "DejaVuSansMono.ttf",
];

type Paint = (svg: string, scale: number) => Uint8Array<ArrayBuffer>;

let painter: Promise<Paint> | undefined;

/**
 * Paints a figure as a PNG file, on white. The same figure gives the same bytes, but for one that needs a Chromium,
 * as {@linkcode toSvg} tells.
 *
 * The file carries what it shows: the figure as JSON, deflated, is its text "moi-figure" (in Python,
 * `json.loads(Image.open(file).text["moi-figure"])` with Pillow), unless that is longer than 1 MB. Viewers pass
 * over it; in a notebook it makes the picture a live figure.
 *
 * @throws {TypeError} As {@linkcode toSvg}.
 * @throws {RangeError} If the picture would have more than a hundred million pixels.
 */
export async function toPng(
  figure: Figure,
  options: ToPngOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkOptions(VERB, options, RULES);
  const { scale = 1 } = options, drawing = drawingOf(VERB, figure, options);
  const { json, width, height, chromium } = drawing;
  checkNumber(VERB, "width × height × scale²", width * height * scale ** 2, { max: MOST_PIXELS });
  if (chromium === undefined) {
    return withFigure(await paintSvg(await svgOf(drawing), scale), figure);
  }
  const format = { format: "png", width, height, scale, setBackground: "opaque" } as const;
  const png = Uint8Array.fromBase64(await drawInChromium(VERB, chromium, json, format));
  return withFigure(png, figure);
}

const VERB = "draw a PNG";

/** Most pixels of a picture, which has four bytes for each while it is painted. */
const MOST_PIXELS = 1e8;

/** A picture that says what the figure is, where it cannot be painted here: a heatmap without a Chromium, say. */
export async function namePng(figure: Figure): Promise<Uint8Array<ArrayBuffer>> {
  const { width } = DEFAULT_SIZE, height = heightOf(figure), said = describe(figure);
  const where = isCartesian(figure)
    ? "It is drawn where scripts run."
    : "A page of toHtml draws it.";
  const line = (text: string, y: number, color: string) =>
    `<text x="${width / 2}" y="${y}" font-size="15" text-anchor="middle" fill="${color}">${
      escapeHtml(text)
    }</text>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<rect width="100%" height="100%" fill="#fff" stroke="#9aa0a6"/>` +
    line(cutTo(100, said), height / 2 - 10, "#222") +
    `${line(where, height / 2 + 18, "#5f6368")}</svg>`;
  return withFigure(await paintSvg(svg, 1), figure);
}

/** The picture with its figure in it, unless that is too long. */
function withFigure(png: Uint8Array<ArrayBuffer>, figure: Figure): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(figureJson(figure));
  return json.length > LONGEST ? png : withText(png, KEYWORD, json);
}

/** Paints a picture in SVG, with so many pixels for a pixel of it. */
export async function paintSvg(svg: string, scale: number): Promise<Uint8Array<ArrayBuffer>> {
  const paint = await (painter ??= start()).catch((error: unknown) => {
    painter = undefined; // the next call tries again
    throw error;
  });
  return paint(svg, scale);
}

async function start(): Promise<Paint> {
  const { initWasm, Resvg } = await import("npm:@resvg/resvg-wasm@2.6.2");
  await import("npm:dejavu-fonts-ttf@2.37.3/package.json", { with: { type: "json" } }); // puts it on disk
  const read = (url: string) => Deno.readFile(new URL(url));
  const wasm = new URL("index_bg.wasm", import.meta.resolve("npm:@resvg/resvg-wasm@2.6.2"));
  const package_ = import.meta.resolve("npm:dejavu-fonts-ttf@2.37.3/package.json");
  const [code, ...fonts] = await Promise.all([
    read(wasm.href),
    ...FONTS.map((name) => read(new URL(`ttf/${name}`, package_).href)),
  ]);
  await initWasm(code!).catch((error: unknown) => {
    if (!`${error}`.includes("Already initialized")) throw error; // by someone else in this process
  });
  const font = {
    fontBuffers: fonts,
    loadSystemFonts: false,
    defaultFontFamily: "DejaVu Sans",
    sansSerifFamily: "DejaVu Sans",
    monospaceFamily: "DejaVu Sans Mono",
  };
  return (svg, scale) => {
    using made = new DisposableStack();
    const fitTo = { mode: "zoom", value: scale } as const;
    const image = made.adopt(
      new Resvg(svg, { font, fitTo, background: "#fff" }),
      (own) => own.free(),
    );
    const picture = made.adopt(image.render(), (own) => own.free());
    return palettePng(picture) ?? Uint8Array.from(picture.asPng());
  };
}
