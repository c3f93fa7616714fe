/** What the functions of this folder return: plain values, to compare, to store, and to show. @module */

import { isObject } from "../_check.ts";

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

/** Whether a value is a {@linkcode Figure}: an object with an array `data`. */
export function isFigure(value: unknown): value is Figure {
  return isObject(value) && Array.isArray(value.data);
}

/** Whether a value is an {@linkcode Html}: an object with the texts `html` and `text`. */
export function isHtml(value: unknown): value is Html {
  return isObject(value) && typeof value.html === "string" && typeof value.text === "string";
}
