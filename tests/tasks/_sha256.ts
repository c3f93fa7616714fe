/** The SHA-256 of all prompts of a task, joined by line feeds. */
import type { Problem, Task } from "../../lib/tasks/mod.ts";

export async function promptDigest<P extends Problem>(task: Task<P>): Promise<string> {
  const prompts = (await task.problems()).map((problem) => {
    const prompt = task.prompt(problem);
    if (typeof prompt === "string" || prompt.length !== 1 || prompt[0]?.role !== "user") {
      throw new Error(`internal: ${problem.id} is not one user message`);
    }
    return prompt[0].content;
  });
  const bytes = new TextEncoder().encode(prompts.join("\n"));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
