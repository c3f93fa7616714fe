/** Tasks on rows of one's own. */

import type { Problem, Task } from "../../lib/tasks/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

/** A task that reads these rows from a file, and its problems. */
export async function taskOn<P extends Problem, T extends Pick<Task<P>, "problems">>(
  rows: readonly unknown[],
  make: (source: string) => T & Pick<Task<P>, "problems">,
): Promise<{ task: T; problems: P[] }> {
  await using folder = await temporaryFolder({
    "rows.jsonl": rows.map((row) => JSON.stringify(row)).join("\n"),
  });
  const task = make(`${folder.path}/rows.jsonl`);
  return { task, problems: await task.problems() };
}
