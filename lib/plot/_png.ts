/**
 * PNG files (https://www.w3.org/TR/png-3/), as far as figures need them: pixels by a palette, which takes two
 * fifths of what colours take, and a text that travels inside, which viewers pass over.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";

/** Pixels of a picture: red, green, blue and opacity, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array; // [height, width, 4]
}

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

/** Colours of a palette. */
const MOST = 256;

/** Differences of a channel, of 255, up to which a colour may stand for another one; the least that will do. */
const NEAR = [0, 4, 8, 12, 16, 24];

/**
 * A picture by a palette of its commonest colours: all of them where they are 256 or fewer, else some that are
 * near to each. At the edges of letters and lines colours are many. Undefined where 256 do not suffice, or the
 * picture is translucent.
 */
export function palettePng({ width, height, pixels }: Pixels): Uint8Array<ArrayBuffer> | undefined {
  const counts = new Map<number, number>(), view = new DataView(pixels.buffer, pixels.byteOffset);
  for (let at = 0; at < pixels.length; at += 4) {
    const color = view.getUint32(at);
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  const colors = [...counts].sort(([, a], [, b]) => b - a).map(([color]) => color);
  if (colors.some((color) => (color & 255) < 255)) return undefined;
  const palette = NEAR.values().map((near) => paletteOf(colors, near)).find((own) =>
    own !== undefined
  );
  if (palette === undefined) return undefined;
  const places = new Map(colors.map((color) => [color, nearest(palette, channelsOf(color)).place]));
  const rows = new Uint8Array(height * (width + 1)); // each begins with its filter: 0, none
  for (let i = 0; i < width * height; i++) {
    rows[i + Math.floor(i / width) + 1] = places.get(view.getUint32(4 * i))!;
  }
  return pngOf({ width, height }, rows, Uint8Array.from(palette.flat()));
}

/**
 * A PNG file of 8 bits a channel.
 *
 * @param rows Row by row a zero, for its filter: none; then the pixels, by red, green and blue or by their places
 * in the palette.
 * @param palette Red, green and blue of its colours.
 */
export function pngOf(
  { width, height }: Pick<Pixels, "width" | "height">,
  rows: Uint8Array,
  palette?: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint16(8, palette ? 0x0803 : 0x0802); // 8 bits; a palette, or colours
  return joined([
    SIGNATURE,
    chunk("IHDR", new Uint8Array(header.buffer)),
    ...(palette ? [chunk("PLTE", palette)] : []),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", new Uint8Array()),
  ]);
}

type Channels = readonly [red: number, green: number, blue: number];

const channelsOf = (
  color: number,
): Channels => [color >>> 24, (color >>> 16) & 255, (color >>> 8) & 255];

/** Colours of which one is so near to each of these; undefined where these would be too many. */
function paletteOf(colors: readonly number[], near: number): Channels[] | undefined {
  const palette: Channels[] = [];
  for (const color of colors.map(channelsOf)) {
    if (nearest(palette, color).far <= near) continue;
    if (palette.length === MOST) return undefined;
    palette.push(color);
  }
  return palette;
}

/** Place of the colour that differs least from another one, and the largest difference of a channel. */
function nearest(
  palette: readonly Channels[],
  [r, g, b]: Channels,
): { place: number; far: number } {
  let place = -1, least = Infinity;
  for (const [i, [red, green, blue]] of palette.entries()) {
    const far = Math.max(Math.abs(red - r), Math.abs(green - g), Math.abs(blue - b));
    if (far < least) [place, least] = [i, far];
  }
  return { place, far: least };
}

/** The PNG with a text under a keyword, deflated: a chunk iTXt before the last one. */
export function withText(
  png: Uint8Array<ArrayBuffer>,
  keyword: string,
  text: Uint8Array, // UTF-8
): Uint8Array<ArrayBuffer> {
  const end = png.length - 12; // IEND: no data, so length, type and checksum
  // a keyword, and the marks that the text is deflated, in no language, under no other name
  const head = Buffer.from(`${keyword}\0\x01\0\0\0`, "latin1");
  const added = chunk("iTXt", joined([head, deflateSync(text, { level: 9 })]));
  return joined([png.subarray(0, end), added, png.subarray(end)]);
}

/** Length, type, data and checksum. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const length = new Uint8Array(4), sum = new Uint8Array(4);
  const body = joined([Buffer.from(type, "latin1"), data]);
  new DataView(length.buffer).setUint32(0, data.length);
  new DataView(sum.buffer).setUint32(0, crc32(body));
  return joined([length, body, sum]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
