/**
 * The look that all figures share, so that they stand side by side in a paper: one font, thin grey
 * rules, no frame, and the palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), which stays
 * distinguishable in the common forms of colour blindness.
 *
 * @module
 */

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

/** Colours of series, in order of use. */
export const SERIES = [
  COLORS.blue,
  COLORS.orange,
  COLORS.green,
  COLORS.purple,
  COLORS.sky,
] as const;

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

/** A title with the N of the data below it, aligned with the left edge of the plot. */
export function titleOf(title: string, subtitle: string): Record<string, unknown> {
  return {
    text: title,
    x: 0,
    xref: "paper",
    xanchor: "left",
    y: 1,
    yref: "container",
    yanchor: "top",
    pad: { t: 14 },
    font: { size: 16 },
    subtitle: { text: subtitle, font: { size: 12.5, color: COLORS.muted } },
  };
}

/** Layout that every figure starts from. */
export function baseLayout(title: string, subtitle: string): Record<string, unknown> {
  return {
    title: titleOf(title, subtitle),
    font: FONT,
    paper_bgcolor: "#ffffff",
    plot_bgcolor: "#ffffff",
    hoverlabel: { align: "left", bgcolor: "#ffffff", font: { size: 12, color: COLORS.text } },
    hovermode: "closest",
  };
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

/** Title of an axis, no larger than the text around it. */
export function axisTitle(text: string): Record<string, unknown> {
  return { text, standoff: 8, font: { size: FONT.size } };
}

/** Number without binary noise, so that figures compare as JSON. */
export function rounded(value: number, digits = 4): number {
  return Number(value.toFixed(digits));
}

/** "7" or "4–8". */
export function rangeText(values: readonly number[]): string {
  const low = Math.min(...values), high = Math.max(...values);
  return low === high ? `${low}` : `${low}–${high}`;
}
