/**
 * A figure as PNG: the picture that every front-end shows, trusted or not. resvg, compiled to WebAssembly, paints
 * the SVG of `toSvg` with the fonts of DejaVu, which have the letters of most alphabets; no browser and no font of
 * the machine is looked for, so that the same figure is the same picture everywhere. Figures that need a canvas
 * are painted by a Chromium, where there is one.
 *
 * @module
 */

import { checkNumber, checkOptions, number, type Rules } from "../_check.ts";
import { drawInChromium } from "./_chromium.ts";
import type { Figure } from "./figure.ts";
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
  if (chromium === undefined) return await paintSvg(await svgOf(drawing), scale);
  const format = { format: "png", width, height, scale, setBackground: "opaque" } as const;
  return Uint8Array.fromBase64(await drawInChromium(VERB, chromium, json, format));
}

const VERB = "draw a PNG";

/** Most pixels of a picture, which has four bytes for each while it is painted. */
const MOST_PIXELS = 1e8;

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
    return Uint8Array.from(made.adopt(image.render(), (own) => own.free()).asPng());
  };
}
