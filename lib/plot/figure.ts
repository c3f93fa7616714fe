/**
 * What the functions of this folder return: a plotly figure as plain JSON, or a piece of HTML.
 *
 * Both are values without behaviour. They can be compared in a test, stored as JSON, opened with
 * plotly in any language, or given to `show`, `toHtml` and `toSvg`.
 *
 * @module
 */

/** A plotly figure: https://plotly.com/javascript/reference/. Plain JSON, nothing else. */
export interface Figure {
  /** The traces, in drawing order. */
  readonly data: readonly object[];
  /** Title, axes, shapes, annotations. */
  readonly layout?: Readonly<Record<string, unknown>>;
  /** How plotly behaves; the defaults of this toolkit are added when the figure is shown. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A piece of HTML with the same content as plain text, for front-ends that show no HTML. */
export interface Html {
  /** Markup that may be placed in any `<body>`; text from models is escaped in it. */
  readonly html: string;
  /** The plain-text twin. */
  readonly text: string;
}

/**
 * Whether a value is a {@linkcode Figure}.
 *
 * @param value Anything.
 * @returns True for an object with an array `data`.
 *
 * @example Tell figures from other values
 * ```ts
 * import { isFigure } from "@moi/moi/plot";
 * import { assert, assertEquals } from "@std/assert";
 *
 * assert(isFigure({ data: [] }));
 * assertEquals(isFigure([1, 2]), false);
 * ```
 */
export function isFigure(value: unknown): value is Figure {
  return typeof value === "object" && value !== null && Array.isArray((value as Figure).data);
}

/**
 * Whether a value is an {@linkcode Html}.
 *
 * @param value Anything.
 * @returns True for an object with the strings `html` and `text`.
 *
 * @example Tell HTML from other values
 * ```ts
 * import { isHtml } from "@moi/moi/plot";
 * import { assert, assertEquals } from "@std/assert";
 *
 * assert(isHtml({ html: "<b>x</b>", text: "x" }));
 * assertEquals(isHtml("<b>x</b>"), false);
 * ```
 */
export function isHtml(value: unknown): value is Html {
  return typeof value === "object" && value !== null &&
    typeof (value as Html).html === "string" && typeof (value as Html).text === "string";
}
