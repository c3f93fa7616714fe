/** Figures and texts as one HTML file that needs nothing else: it opens from a memory stick. @module */

import { checkOptions, refusal, type Rules, text } from "../_check.ts";
import { escapeHtml } from "../_escape.ts";
import { htmlOf, type Shown } from "./display.ts";
import { isFigure, isHtml } from "./figure.ts";
import { figureHtml, loaderScript } from "./_plotly.ts";
import { isTable } from "./table.ts";

/** Options of {@linkcode toHtml}. */
export interface ToHtmlOptions {
  /** Title of the page and its heading. Default: "Figures", without a heading. */
  readonly title?: string;
}

const RULES: Rules<ToHtmlOptions> = { title: text };

/**
 * Makes a self-contained page. It carries plotly.js once (0.7 MB; 2.6 MB where a trace needs
 * more than two axes, or WebGL) if there is a figure, opens from
 * `file://` without a network, and stays interactive.
 *
 * @param figures A figure, a table, a piece of HTML, or a list of these in reading order.
 * @throws {TypeError} If a value is none of these.
 *
 * @example A page with a heading
 * ```ts
 * import { toHtml } from "@moi/moi/plot";
 * import { assertStringIncludes } from "@std/assert";
 * const page = await toHtml({ html: "<p>No figure yet.</p>", text: "No figure yet." }, {
 *   title: "β < 1",
 * });
 * assertStringIncludes(page, "<h1>β &lt; 1</h1>");
 * ```
 */
export async function toHtml(
  figures: Shown | readonly Shown[],
  options: ToHtmlOptions = {},
): Promise<string> {
  checkOptions("make a page", options, RULES);
  const parts = Array.isArray(figures) ? figures as readonly Shown[] : [figures];
  const drawn = parts.filter(isFigure);
  let count = 0;
  const body = parts.map((part) => {
    if (isFigure(part)) return figureHtml(part, `figure-${++count}`);
    if (isHtml(part) || isTable(part)) return `<div class="moi-html">${htmlOf(part).html}</div>`;
    const rule = "be figures ({ data, layout }), tables or HTML ({ html, text })";
    throw new TypeError(refusal("make a page", "figures", rule, part));
  });
  const { title } = options;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title ?? "Figures")}</title>
<style>
body { max-width: 960px; margin: 24px auto; padding: 0 16px; background: #fff; color: #111;
  font: 15px/1.5 "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif; }
h1, h2, p { overflow-wrap: anywhere; }
h1 { font-size: 22px; font-weight: 600; }
.moi-figure, .moi-html { margin: 0 0 28px; }
@media (prefers-color-scheme: dark) {
  :root { color-scheme: dark; }
  body { background: #16181b; color: #e9eaec; }
}
</style>
${drawn.length > 0 ? await loaderScript(drawn) : ""}
</head>
<body>
${title === undefined ? "" : `<h1>${escapeHtml(title)}</h1>\n`}${body.join("\n")}
</body>
</html>
`;
}
