/**
 * Pictures of a page that become live figures: those that carry one (see `toPng`) are drawn by plotly.js in
 * place of the picture as soon as they come near the window. This goes on as long as the page is there, so
 * pictures may come later, move, and go. Where anything fails, the picture stays.
 *
 * What a picture carries is untrusted: it may come with a notebook from anywhere. It is read within bounds, as
 * JSON that plotly gets, whose labels run no scripts; and a picture that JupyterLab does not trust stays one.
 *
 * @module
 */

/** Keyword of the text in a PNG that is a figure. */
export const KEYWORD = "moi-figure";

/** Longest text that is a figure, in bytes; readers of PNG such as Pillow have the same bound. */
export const LONGEST = 2 ** 20;

/** What is used of plotly.js. */
interface Plotly {
  newPlot(element: HTMLElement, figure: object): Promise<unknown>;
  purge(element: HTMLElement): void;
  readonly Plots: { resize(element: HTMLElement): unknown };
}

/** A figure, as far as it is known to be one. */
interface Carried {
  readonly data: readonly unknown[];
  readonly layout: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
}

/** A picture that JupyterLab shows of a notebook that the reader does not trust. */
const UNTRUSTED = ".jp-RenderedImage:not(.jp-mod-trusted)";

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The figure that a PNG file carries, or undefined. */
export async function carriedBy(png: Uint8Array<ArrayBuffer>): Promise<Carried | undefined> {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const head = [...`iTXt${KEYWORD}\0\x01\0\0\0`].map((char) => char.charCodeAt(0));
  for (let at = 8; at + 12 <= png.length;) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > png.length) return undefined;
    const start = at + 4;
    if (head.every((byte, i) => png[start + i] === byte)) {
      return figureIn(await inflated(png.subarray(start + head.length, end)));
    }
    at = end + 4;
  }
  return undefined;
}

/** A deflated text, as long as it is short enough. */
async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const decoder = new TextDecoder();
  let text = "", size = 0;
  for (const reader = stream.getReader();;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > LONGEST) {
      await reader.cancel();
      throw new RangeError("a figure is too long");
    }
    text += decoder.decode(value, { stream: true });
  }
}

function figureIn(text: string): Carried | undefined {
  // a property of this name would change what all objects inherit
  const figure: unknown = JSON.parse(
    text,
    (name, value) => name === "__proto__" ? undefined : value,
  );
  if (!isRecord(figure) || !Array.isArray(figure.data)) return undefined;
  const { data, layout = {}, config = {} } = figure;
  return isRecord(layout) && isRecord(config) ? { data, layout, config } : undefined;
}

const PREFIX = "data:image/png;base64,";

const sourceOf = (image: Element) => image.getAttribute("src") ?? "";

/** What a figure may not choose: text for scripts of others, and data that leave the page. */
const FIXED = { responsive: false, displaylogo: false, showSendToCloud: false, typesetMath: false };

/** A figure that is drawn in the place of its picture. */
interface Live {
  readonly place: HTMLElement;
  readonly source: string;
}

/** Draws the figure that a picture carries, out of sight; undefined where it carries none. */
async function drawn(image: HTMLImageElement, plotly: Plotly): Promise<Live | undefined> {
  const source = sourceOf(image);
  const bytes = Uint8Array.from(atob(source.slice(PREFIX.length)), (char) => char.charCodeAt(0));
  const figure = await carriedBy(bytes);
  if (figure === undefined) return undefined;
  await image.decode();
  const { width: _, height: wanted, ...layout } = figure.layout;
  const height = Math.max(50, Math.min(10_000, Number(wanted) || image.naturalHeight));
  const place = document.createElement("div"), { style } = place;
  place.className = "moi-live";
  style.cssText = "width:100%;visibility:hidden;background:#fff;color:#000";
  style.maxWidth = `${image.naturalWidth * height / image.naturalHeight}px`;
  style.height = `${height}px`;
  style.marginBottom = `-${height}px`;
  image.after(place);
  try {
    const config = { ...figure.config, ...FIXED };
    await plotly.newPlot(place, { data: figure.data, layout: { ...layout, height }, config });
    return { place, source };
  } catch (error) {
    place.remove();
    throw error;
  }
}

/** Makes the pictures of this page live, now and later. */
export function enliven(plotly: Plotly): void {
  const seen = new WeakMap<HTMLImageElement, string>(), live = new Map<HTMLImageElement, Live>();
  const sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (contentRect.width > 0) {
        Promise.resolve(plotly.Plots.resize(target as HTMLElement)).catch(() => {});
      }
    }
  });
  const away = (place: HTMLElement) => {
    sizes.unobserve(place);
    plotly.purge(place);
    place.remove();
  };
  const begin = async (image: HTMLImageElement) => {
    const made = await drawn(image, plotly);
    if (made === undefined) return;
    if (sourceOf(image) !== made.source || !made.place.isConnected) return away(made.place);
    live.set(image, made);
    image.style.display = "none";
    Object.assign(made.place.style, { visibility: "", marginBottom: "" });
    sizes.observe(made.place);
  };
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || target.closest(UNTRUSTED) !== null) continue;
      near.unobserve(target);
      begin(target as HTMLImageElement).catch(() => {}); // the picture stays
    }
  }, { rootMargin: "200px" });
  const look = () => {
    for (const [image, { place, source }] of live) {
      if (place.isConnected && image.isConnected && sourceOf(image) === source) continue;
      live.delete(image);
      seen.delete(image);
      image.style.display = "";
      away(place);
    }
    for (const image of document.querySelectorAll<HTMLImageElement>(`img[src^="${PREFIX}"]`)) {
      if (seen.get(image) === sourceOf(image)) continue;
      seen.set(image, sourceOf(image));
      near.observe(image);
    }
  };
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      look();
    }, 50);
  };
  new MutationObserver(later).observe(document, {
    ...{ subtree: true, childList: true, attributes: true, attributeFilter: ["src"] },
  });
  look();
}
