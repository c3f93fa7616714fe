/**
 * A figure as PNG, without a browser: the picture that every front-end shows, trusted or not. resvg, compiled
 * to WebAssembly, paints the SVG of `toSvg` with the fonts of DejaVu, which have the letters of most alphabets;
 * no font of the machine is looked for, so that the same figure is the same picture everywhere.
 *
 * @module
 */

import { checkOptions, number, type Rules } from "../_check.ts";
import type { Figure } from "./figure.ts";
import { SIZE_RULES, toSvg, type ToSvgOptions } from "./svg.ts";

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
 * Paints a figure, of those that {@linkcode toSvg} draws, as a PNG file. The same figure gives the same bytes.
 *
 * @throws {TypeError} As {@linkcode toSvg}.
 */
export async function toPng(
  figure: Figure,
  options: ToPngOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkOptions("draw a PNG", options, RULES);
  const { scale = 1, ...size } = options;
  const svg = await toSvg(figure, size);
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
    const image = made.adopt(new Resvg(svg, { font, fitTo }), (own) => own.free());
    return Uint8Array.from(made.adopt(image.render(), (own) => own.free()).asPng());
  };
}
