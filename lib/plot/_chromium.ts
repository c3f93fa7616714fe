/**
 * Figures drawn by a Chromium of this machine: those that need a canvas or WebGL, as heatmaps do. It opens a page
 * with plotly.js and the figure from a folder of its own and asks nothing of a network; when the call returns it
 * has ended, and the folder is gone. Fonts are the machine's.
 *
 * @module
 */

import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { scriptJson } from "../_escape.ts";
import { removeFolder } from "../_remove.ts";
import { plotlySource } from "./_plotly.ts";

/** Longest that a figure may take. */
const SECONDS = 60;

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/**
 * The Chromium that draws: that of CHROME_PATH, else one in PATH, if there is one.
 *
 * @throws {Error} If CHROME_PATH names no file.
 */
export function findChromium(): string | undefined {
  const isFile = (path: string) => {
    try {
      return Deno.statSync(path).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      return false;
    }
  };
  const named = Deno.env.get("CHROME_PATH");
  if (named && !isFile(named)) {
    throw new Error(`Cannot find a Chromium as CHROME_PATH must name its file: it is "${named}"`);
  }
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter);
  return named || folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isFile);
}

/** What is asked of plotly: https://plotly.com/javascript/static-image-export/. */
export interface ImageFormat {
  readonly format: "svg" | "png";
  readonly width: number;
  readonly height: number;
  readonly scale?: number;
  readonly setBackground?: "opaque";
}

/**
 * Draws a figure.
 *
 * @param verb What is done, for errors: "draw a PNG".
 * @param figure Its JSON, with its configuration.
 * @returns The data of the address that plotly gives: text of an SVG with escapes, base64 of a PNG.
 */
export async function drawInChromium(
  verb: string,
  chromium: string,
  figure: string,
  format: ImageFormat,
): Promise<string> {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(join(folder.path, "plotly.js"), await plotlySource());
  await Deno.writeTextFile(join(folder.path, "page.html"), pageOf(figure, format));
  const dom = await domOf(verb, chromium, folder.path);
  const [, kind, data] =
    /<pre id="drawn">(?:data:image\/[^,]*,|(error: ))([^<]*)<\/pre>/.exec(dom) ??
      [];
  if (data === undefined || kind !== undefined) {
    throw new Error(
      `Cannot ${verb} as plotly.js fails in ${chromium}: ${data ?? "it says nothing"}`,
    );
  }
  return data;
}

/** A page that draws the figure and holds what came of it; it may ask for nothing but plotly.js beside it. */
function pageOf(figure: string, format: ImageFormat): string {
  const policy = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' file:; " +
    "style-src 'unsafe-inline'; img-src data: blob:";
  return `<!doctype html><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<body><pre id="drawn">error: the page did not come to its end</pre>
<script src="plotly.js"></script>
<script type="module">
const told = (text) => document.getElementById("drawn").textContent = text;
try {
  const figure = ${scriptJson(figure)}, known = Object.keys(Plotly.PlotSchema.get().traces);
  const other = figure.data.find(({ type = "scatter" }) => !known.includes(type));
  if (other) throw new Error("a trace has the unknown type " + JSON.stringify(other.type));
  told(await Plotly.toImage(figure, ${JSON.stringify(format)}));
} catch (error) {
  told("error: " + (error?.message ?? error));
}
</script>`;
}

/** What a page is after its scripts have run. */
async function domOf(verb: string, chromium: string, folder: string): Promise<string> {
  const page = pathToFileURL(join(folder, "page.html")).href;
  const ended = new AbortController(), timer = setTimeout(() => ended.abort(), 1000 * SECONDS);
  try {
    const { stdout, stderr, success } = await new Deno.Command(chromium, {
      args: [
        ...["--headless", "--no-first-run", "--disable-sync", "--disable-extensions"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-quic"],
        ...["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-unsafe-swiftshader"],
        // Chromium's sandbox cannot be had by root; what the page runs is plotly.js.
        ...(Deno.uid() === 0 ? ["--no-sandbox"] : []),
        ...[
          `--user-data-dir=${join(folder, "profile")}`,
          `--virtual-time-budget=${1000 * SECONDS}`,
        ],
        ...["--dump-dom", page],
      ],
      signal: ended.signal,
    }).output();
    if (ended.signal.aborted) {
      throw new Error(`Cannot ${verb} as ${chromium} took longer than ${SECONDS} s`);
    }
    if (success) return new TextDecoder().decode(stdout);
    const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    throw new Error(`Cannot ${verb} as ${chromium} failed: ${said}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new Error(`Cannot ${verb} as ${chromium} may not be started: ${error.message}`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

/** A folder that is gone when it is disposed. */
async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "moi-figure" });
  return { path, [Symbol.asyncDispose]: () => removeFolder(path) };
}
