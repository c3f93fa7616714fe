/**
 * The look that all figures share, so that they stand side by side in a paper: one font, thin grey
 * rules, no frame, and the palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), which stays
 * distinguishable in the common forms of colour blindness.
 *
 * @module
 */

import { plotlyText } from "../_escape.ts";
import { displayable } from "./display.ts";
import type { Figure } from "./figure.ts";

/** Okabe–Ito colours and the greys of rules and text. */
export const COLORS = {
  blue: "#0072B2",
  vermillion: "#D55E00",
  green: "#009E73",
  purple: "#CC79A7",
  orange: "#E69F00",
  sky: "#56B4E9",
  text: "#222222",
  muted: "#5f6368",
  rule: "#e3e5e8",
  band: "#9aa0a6",
} as const;

/** The same colour with an opacity: "#0072B2", 0.2 → "rgba(0,114,178,0.2)". */
export function alpha(hex: string, opacity: number): string {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  return `rgba(${r},${g},${b},${opacity})`;
}

/** Font of every label; sizes in pixels. */
export const FONT = {
  family: "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif",
  size: 13,
  color: COLORS.text,
} as const;

/** What a figure says of itself: its title, and below it what it is of, its N before all. */
export interface Caption {
  readonly title: string;
  /** Parts of the line below the title; those that are undefined are left out. */
  readonly caption: readonly (string | undefined)[];
}

/** A figure in the frame that all share: title and caption, escaped, and the font. */
export function framed(
  { title, caption }: Caption,
  data: readonly object[],
  layout: Readonly<Record<string, unknown>> = {},
): Figure {
  const below = caption.filter((part) => part !== undefined).join(" · ");
  return displayable({
    data,
    layout: {
      title: {
        text: plotlyText(title),
        ...{ x: 0, xref: "paper", xanchor: "left", y: 1, yref: "container", yanchor: "top" },
        pad: { t: 14 },
        font: { size: 16 },
        subtitle: { text: plotlyText(below), font: { size: 12.5, color: COLORS.muted } },
      },
      font: FONT,
      paper_bgcolor: "#ffffff",
      plot_bgcolor: "#ffffff",
      hoverlabel: { align: "left", bgcolor: "#ffffff", font: { size: 12, color: COLORS.text } },
      hovermode: "closest",
      ...layout,
    },
  });
}

/** An axis: outside ticks, light grid, no jumping zero line. */
export function axis(more: Record<string, unknown>): Record<string, unknown> {
  return {
    gridcolor: COLORS.rule,
    zeroline: false,
    ticks: "outside",
    ticklen: 4,
    tickcolor: COLORS.band,
    linecolor: COLORS.band,
    showline: true,
    automargin: true,
    ...more,
  };
}

/** An axis of names, with a label for each. */
export function namesAxis(
  names: readonly string[],
  labels: readonly string[],
  more: Record<string, unknown>,
): Record<string, unknown> {
  return axis({
    ...{ type: "category", tickmode: "array", tickvals: names, ticktext: labels },
    ...more,
  });
}

/** An axis of names from the top down, without ticks or grid. */
export const NAMES_DOWN = {
  ...{ autorange: "reversed", tickcolor: "rgba(0,0,0,0)", showgrid: false },
} as const;

/** End of a scale that begins at 0; values near zero get a scale on which they look like zero. */
export function upperEnd(values: readonly number[], air: number): number {
  const largest = values.reduce((a, b) => Math.max(a, b), 0);
  return largest < 0.001 ? 0.05 : Number((air * largest).toFixed(6));
}

/** Title of an axis, no larger than the text around it. */
export function axisTitle(text: string): Record<string, unknown> {
  return { text, standoff: 8, font: { size: FONT.size } };
}
