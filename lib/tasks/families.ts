/**
 * What model families want said before a question.
 *
 * @module
 */

/**
 * The system prompt that a model's family wants, to switch its reasoning on.
 *
 * Nemotron's says so on the card of Llama-3.3-Nemotron-Super-49B-v1, and the released MoI code has it. The other
 * families of the paper need none: QwQ's template opens `<think>`, DAPO has its template alone, Gemma 3 has no
 * reasoning mode.
 *
 * @param id Id or folder of a model.
 * @returns The prompt, or undefined where none is needed or the family is not known.
 *
 * @example
 * ```ts
 * import { systemPrompt } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * assertEquals(systemPrompt("nvidia/Llama-3_3-Nemotron-Super-49B-v1"), "detailed thinking on");
 * assertEquals(systemPrompt("Qwen/QwQ-32B"), undefined);
 * ```
 */
export function systemPrompt(id: string): string | undefined {
  return /nemotron/i.test(id) ? "detailed thinking on" : undefined;
}
