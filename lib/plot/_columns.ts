/** Columns that several tables have. @module */

import { milli, pCell } from "./_format.ts";
import type { Column } from "./table.ts";

/** A p value after Holm's correction. */
export const ADJUSTED_P: Column<{ readonly adjustedP: number | undefined }> = {
  ...{ heading: "p, Holm", of: "adjustedP", as: pCell },
};

/** Evidence that mixing happened. */
export const MIXING: readonly Column<Record<"meanEntropy" | "meanOffSampleMass", number>>[] = [
  { heading: "H", of: "meanEntropy", as: milli, means: "mean entropy / ln V" },
  {
    ...{ heading: "mass", of: "meanOffSampleMass", as: milli },
    means: "mean weight on other tokens than the sampled one",
  },
];
