/**
 * What model families want said before a question, as data.
 *
 * @module
 */

/** A family of models. */
export interface ModelFamily {
  /** Its name. */
  readonly family: string;
  /** Matches ids of its models. */
  readonly pattern: RegExp;
  /** System prompt that switches its reasoning on; undefined where its template does. */
  readonly system?: string;
  /** Where this is said. */
  readonly source: string;
}

/** Families of the paper, and others whose reasoning a system prompt decides. */
export const FAMILIES: readonly ModelFamily[] = [
  {
    family: "Nemotron",
    pattern: /nemotron/i,
    system: "detailed thinking on",
    source: "model card of Llama-3.3-Nemotron-Super-49B-v1; the released MoI code",
  },
  { family: "QwQ", pattern: /qwq/i, source: "its template opens <think>" },
  { family: "Gemma 3", pattern: /gemma-3/i, source: "no reasoning mode" },
  {
    family: "DAPO",
    pattern: /dapo/i,
    source: "its template; no system prompt in the released code",
  },
];

/**
 * The system prompt that a model's family wants.
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
  return FAMILIES.find(({ pattern }) => pattern.test(id))?.system;
}
