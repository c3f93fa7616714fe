/** What stands below tables and titles of figures: how much of a study is there, and its N. @module */

import { type PartialStudy, partialText, plannedOf } from "../study/mod.ts";
import { counted } from "../_counted.ts";

/** Size of a study: "N = 500 problems × 4 repeats". */
export function sizeNote(problems: number | string, repeats: number | string): string {
  return `N = ${problems} problems × ${counted(repeats, "repeat")}`;
}

/** That a study was stopped, below a table. */
export function partialNote(partial: PartialStudy | undefined): string | undefined {
  return partial && `${partialText(partial)}; of the problems that all methods finished`;
}

/** What there is to say of a study that was stopped before a problem was finished by all methods. */
export function nothingFinished(rows: readonly unknown[]) {
  const planned = rows.length === 0 ? plannedOf(rows) : undefined;
  return planned && {
    what: "no problem has been finished by all methods yet",
    runs: `${planned.runs} runs planned`,
    size: `planned: ${planned.problems} problems × ${planned.methods.length} methods × ${
      counted(planned.repeats, "repeat")
    }`,
  };
}
