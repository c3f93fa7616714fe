/**
 * Sizes of text where there is no layout engine: plotly asks the document how large its labels are and where
 * they lie, and jsdom answers 0 × 0 at the origin. Here widths are estimated with the advance widths of
 * Helvetica in classes, plus what a wider fallback font needs, and heights with 1.2 em a line; positions follow
 * the attributes `x`, `y` and `transform`. Enough to place ticks, titles and legends as a browser would.
 *
 * @module
 */

/** What is read of an SVG element. */
export interface SvgElementLike {
  readonly nodeName: string;
  readonly textContent: string | null;
  readonly parentNode: unknown;
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): ArrayLike<SvgElementLike>;
}

type Point = readonly [x: number, y: number];

/** Advance widths of Helvetica in em, by class. */
const WIDTHS: readonly (readonly [RegExp, number])[] = [
  [/[ijl'|‚]/, 0.22],
  [/[ .,:;!ftI/\\[\]()·r-]/, 0.3],
  [/[mwMW%@—]/, 0.87],
  [/[A-HJ-LN-VX-Z&◂]/, 0.69],
  [/[+<>=×−~]/, 0.58],
];

/** How much wider the widest usual fallback (DejaVu Sans, Verdana) is. */
const WIDE = 1.14;

/** Estimated width of one line in pixels. */
export function textWidth(text: string, size: number): number {
  let em = 0;
  for (const char of text) em += WIDTHS.find(([chars]) => chars.test(char))?.[1] ?? 0.54;
  return em * size * WIDE;
}

/** Box around the texts of an element, in the coordinates of `within`, or else of the document. */
export function textBox(element: SvgElementLike, within?: SvgElementLike) {
  const texts = element.nodeName === "text"
    ? [element]
    : Array.from(element.querySelectorAll("text"));
  const corners = texts.flatMap((text) => cornersOf(text, within));
  // Without a text: a box without size, at the element's origin.
  if (corners.length === 0) corners.push(moved([0, 0], element, within));
  const xs = corners.map(([x]) => x), ys = corners.map(([, y]) => y);
  const left = Math.min(...xs), right = Math.max(...xs);
  const top = Math.min(...ys), bottom = Math.max(...ys);
  return { x: left, y: top, width: right - left, height: bottom - top, left, top, right, bottom };
}

function cornersOf(text: SvgElementLike, within: SvgElementLike | undefined): Point[] {
  const size = fontSize(text);
  const spans = Array.from(text.querySelectorAll("tspan.line"));
  const lines = (spans.length > 0 ? spans : [text]).map((line) => line.textContent ?? "");
  const monospace = /font-family:[^;]*mono/i.test(text.getAttribute("style") ?? "");
  const width = Math.max(
    ...lines.map((line) => monospace ? 0.61 * size * line.length : textWidth(line, size)),
  );
  if (width === 0) return [];
  const anchor = /text-anchor:\s*(\w+)/.exec(text.getAttribute("style") ?? "")?.[1] ??
    text.getAttribute("text-anchor");
  const left = number(text.getAttribute("x")) -
    (anchor === "middle" ? width / 2 : anchor === "end" ? width : 0);
  const top = number(text.getAttribute("y")) - 0.93 * size;
  const right = left + width, bottom = top + LINE * size * (lines.length - 1) + 1.2 * size;
  const corners: Point[] = [[left, top], [right, top], [left, bottom], [right, bottom]];
  return corners.map((corner) => moved(corner, text, within));
}

/** Plotly's distance of lines in em. */
const LINE = 1.3;

/** A point of an element's coordinates in those of `within`, or of the document. */
function moved(point: Point, element: SvgElementLike, within: SvgElementLike | undefined): Point {
  let [x, y] = point;
  for (
    let node: SvgElementLike | null = element;
    node !== null && node !== within && typeof node.getAttribute === "function";
    node = node.parentNode as SvgElementLike | null
  ) {
    for (const { name, values } of transforms(node.getAttribute("transform") ?? "").reverse()) {
      const [a = 0, b = 0, c = 0] = values;
      if (name === "translate") [x, y] = [x + a, y + b];
      else if (name === "scale") [x, y] = [x * a, y * (values.length > 1 ? b : a)];
      else if (name === "rotate") {
        const angle = a * Math.PI / 180, cos = Math.cos(angle), sin = Math.sin(angle);
        [x, y] = [b + cos * (x - b) - sin * (y - c), c + sin * (x - b) + cos * (y - c)];
      }
    }
  }
  return [x, y];
}

function transforms(attribute: string): { name: string; values: number[] }[] {
  return [...attribute.matchAll(/(\w+)\(([^)]*)\)/g)].map(([, name, values]) => ({
    name: name!,
    values: values!.split(/[\s,]+/).map(number),
  }));
}

function fontSize(text: SvgElementLike): number {
  const style = /font-size:\s*([\d.]+)px/.exec(text.getAttribute("style") ?? "")?.[1];
  return number(style ?? text.getAttribute("font-size")) || 12;
}

function number(text: string | null): number {
  return parseFloat(text ?? "") || 0;
}
