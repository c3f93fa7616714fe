/**
 * Escapes: text from models, data sets and users is data, never markup.
 *
 * @module
 */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Whatever XML 1.0 cannot hold, HTML warns of, and files in UTF-8 lose. */
const FORBIDDEN = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/**
 * The text without characters that no XML document may have, not even as entities: control
 * characters, halves of surrogate pairs, U+FFFE and U+FFFF. U+FFFD takes their place.
 */
export function xmlText(text: string): string {
  return text.replace(FORBIDDEN, "\ufffd");
}

/**
 * Escapes text for HTML and XML, both between tags and inside quoted attributes.
 *
 * @returns The text with `& < > " '` as entities, and U+FFFD in place of what XML cannot hold.
 *
 * @example A script in a model's answer stays text
 * ```ts
 * import { escapeHtml } from "@moi/moi/plot";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(escapeHtml("<script>1 & 2"), "&lt;script&gt;1 &amp; 2");
 * ```
 */
export function escapeHtml(text: string): string {
  return xmlText(text).replace(/[&<>"']/g, (c) => ENTITIES[c]!);
}

/**
 * JSON that is safe inside a `<script>` element: `<` cannot close the element or open a comment,
 * and U+2028 and U+2029 cannot end a line.
 */
export function scriptJson(json: string): string {
  return json.replace(
    /[<\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Text for a plotly label. Plotly reads a small subset of HTML in labels (`<b>`, `<a href>`), so
 * angle brackets and ampersands are escaped.
 */
export function plotlyText(text: string): string {
  return xmlText(text).replace(/[&<>]/g, (c) => ENTITIES[c]!);
}

/** What a reader sees of a plotly label: no tags, entities decoded, one line. */
export function plainLabel(label: string): string {
  return label.replace(/<[^>]*>/g, " ")
    .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&")
    .replace(/\s+/g, " ").trim();
}
