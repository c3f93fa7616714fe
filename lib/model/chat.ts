/**
 * Chat messages and the template that turns them into a prompt.
 *
 * @module
 */

import { Template } from "@huggingface/jinja";

/** One turn of a conversation. */
export interface Message {
  /** Who speaks: "system", "user", "assistant", … as the template knows them. */
  readonly role: string;
  /** What is said. */
  readonly content: string;
}

/** Options of a chat template. */
export interface ChatOptions {
  /** Whether the start of the answer is appended. Default: true. */
  readonly addGenerationPrompt?: boolean;
  /** Further variables that the template knows, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** Turns messages into the text of a prompt. */
export type ChatTemplate = (messages: readonly Message[], options?: ChatOptions) => string;

/** A special token in `tokenizer_config.json`: a string, or an object with its content. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const content = (value as { content?: unknown } | null | undefined)?.content;
  return typeof content === "string" ? content : undefined;
}

/** The template itself: a text, or the one named "default" of a list. */
function templateText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return undefined;
  const named = value.find((entry) => entry?.name === "default");
  return typeof named?.template === "string" ? named.template : undefined;
}

/**
 * The chat template of a checkpoint.
 *
 * @param config The object of `tokenizer_config.json`; `chat_template` is a text, or a list of named
 * ones, of which the one named "default" is taken.
 * @returns The template; it throws where the checkpoint has none or refuses the messages.
 */
export function chatTemplate(config: Readonly<Record<string, unknown>>): ChatTemplate {
  const source = templateText(config.chat_template);
  const tokens = Object.fromEntries(
    ["bos_token", "eos_token", "pad_token", "unk_token"]
      .map((name) => [name, tokenText(config[name])])
      .filter(([, text]) => text !== undefined),
  );
  let template: Template | undefined;
  return (messages, { addGenerationPrompt = true, variables = {} } = {}) => {
    if (source === undefined) {
      throw new TypeError(
        "Cannot render the chat as the model has no chat template; pass the prompt as a string",
      );
    }
    template ??= new Template(source);
    return template.render({
      ...tokens,
      ...variables,
      messages: messages.map(({ role, content }) => ({ role, content })),
      add_generation_prompt: addGenerationPrompt,
    });
  };
}
