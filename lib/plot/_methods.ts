/** How methods are called and coloured, and which of them belong together. @module */

import type { GainRow } from "../stats/mod.ts";
import type { PaperMethod } from "../study/mod.ts";
import { betaText } from "./_format.ts";
import { COLORS } from "./_theme.ts";

/** What is read of a row to name its method. */
export type Named = Pick<GainRow, "method" | "parameters">;

/** Columns of the paper, by the method's own name. */
export const PAPER_COLUMNS: Readonly<Record<string, PaperMethod>> = {
  standard: "standard",
  directMixture: "direct",
  moi: "moi",
};

/** Colour of all methods that are not on a curve. */
export const OTHER_COLOR = COLORS.vermillion;

/** Colours of curves, in order of use. */
const CURVE_COLORS = [COLORS.blue, COLORS.orange, COLORS.green, COLORS.purple, COLORS.sky] as const;

/** β of a method; NaN where it has none. */
export function betaOf({ parameters }: Named): number {
  return typeof parameters.beta === "number" ? parameters.beta : NaN;
}

/** Whether a method has a place on the β axis, which is logarithmic. */
export function isOnCurve(row: Named): boolean {
  return row.parameters.name === "moi" && betaOf(row) > 0 && Number.isFinite(betaOf(row));
}

/** Short label of a method that is not on the β axis; "\n" breaks the line. */
export function shortName(row: Named): string {
  const { name, weight } = row.parameters;
  if (name === "directMixture") return "direct";
  if (name === "linearMixture" && typeof weight === "number") return `linear\nλ = ${weight}`;
  if (name === "randomMixture") {
    return Number.isFinite(betaOf(row)) ? `random\nβ = ${betaText(betaOf(row))}` : "random";
  }
  return row.method;
}

/** Methods that differ in β only, in order of β. */
export interface Curve<Row extends Named> {
  readonly label: string;
  readonly color: string;
  readonly rows: readonly Row[];
}

/** Sorts rows of MoI into curves, named by the knobs in which these differ. */
export function curvesOf<Row extends Named>(rows: readonly Row[]): Curve<Row>[] {
  const groups = [
    ...Map.groupBy(rows, ({ parameters }) => {
      const knobs = Object.entries(parameters).filter(([k]) => k !== "name" && k !== "beta");
      return JSON.stringify(knobs.sort(([a], [b]) => a < b ? -1 : 1));
    }).values(),
  ];
  const first = groups.map(([row]) => row!.parameters);
  const names = [...new Set(first.flatMap((p) => Object.keys(p)))].filter((k) =>
    k !== "beta" && new Set(first.map((p) => p[k])).size > 1
  );
  const knob = (name: string, value: unknown) =>
    name === "preset" ? `${value}` : `${name} ${value}`;
  return groups.map((own, i) => ({
    label: ["MoI", ...names.map((name) => knob(name, first[i]![name] ?? null))].join(", "),
    color: CURVE_COLORS[i % CURVE_COLORS.length]!,
    rows: own.sort((a, b) => betaOf(a) - betaOf(b)),
  }));
}
