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

/**
 * Escapes text for HTML, both between tags and inside quoted attributes.
 *
 * @param text Any text.
 * @returns The text with `& < > " '` as entities.
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
  return text.replace(/[&<>"']/g, (c) => ENTITIES[c]!);
}

/**
 * JSON that is safe inside a `<script>` element: `<` cannot close the element or open a comment,
 * and U+2028 and U+2029 cannot end a line.
 */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Text for a plotly label. Plotly reads a small subset of HTML in labels (`<b>`, `<a href>`), so
 * angle brackets and ampersands are escaped.
 */
export function plotlyText(text: string): string {
  return text.replace(/[&<>]/g, (c) => ENTITIES[c]!);
}

/** What a reader sees of a plotly label: no tags, entities decoded, one line. */
export function plainLabel(label: string): string {
  return label.replace(/<[^>]*>/g, " ")
    .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&")
    .replace(/\s+/g, " ").trim();
}
